"""The operator API's transfers: stock sent from one location of ours to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from hub.api.auth import Role
from hub.api.backend import BadRequest
from hub.api.bodies import checked
from hub.api.spec import PAGE, Call, Json, Operation, page, page_of
from hub.inventory.transfer import TRANSFER, incoming
from hub.ports.queries import Queries
from hub.ports.store import DocumentRow
from hub.services.transfers import LINES_MAX, UNITS_MAX

_NAME: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 200}
LINE: Final[Json] = {
    "type": "object",
    "required": ["sku", "quantity"],
    "additionalProperties": False,
    "properties": {"sku": _NAME, "quantity": {"type": "integer", "minimum": 1, "maximum": UNITS_MAX}},
}
BODY: Final[Json] = {
    "type": "object",
    "required": ["from", "to", "lines"],
    "additionalProperties": False,
    "properties": {
        "from": _NAME,
        "to": _NAME,
        "number": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,22}$", "description": "made when absent"},
        "expected_at": {"type": "string", "format": "date"},
        "carrier": {"type": "string", "minLength": 1, "maxLength": 35},
        "bill_of_lading": {"type": "string", "minLength": 1, "maxLength": 30},
        "lines": {"type": "array", "minItems": 1, "maxItems": LINES_MAX, "items": LINE},
    },
}
MOVED: Final[Json] = {
    "type": "object",
    "required": ["number", "state", "announced", "repeated"],
    "properties": {
        "number": {"type": "string"},
        "state": {"enum": ["in_transit", "partially_received", "received"]},
        "announced": {"type": "boolean", "description": "a 943 was written for the warehouse"},
        "repeated": {"type": "boolean"},
    },
}
SHOWN: Final[Json] = {
    "type": "object",
    "required": ["number", "from", "to", "state", "sent_at", "expected_at", "lines"],
    "properties": {
        "number": {"type": "string"},
        "from": {"type": "string"},
        "to": {"type": "string"},
        "state": {"type": "string"},
        "sent_at": {"type": "string"},
        "expected_at": {"type": ["string", "null"]},
        "lines": {"type": "array", "items": {"type": "object"}},
    },
}


class Moves(Protocol):
    async def transfer(self, body: Json, *, key: str, actor: str) -> Json:
        """`{number, state, announced, repeated}`; raises `BadRequest`."""
        ...


@dataclass(frozen=True, slots=True)
class Transferring:
    """Handlers over the act and the read side."""

    acts: Moves
    queries: Queries

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "createTransfer", "POST", "/transfers", Role.OPERATOR,
                "Send stock from one location to another, announced to the warehouse there",
                self.create, body=BODY, answer=MOVED,
            ),
            Operation(
                "listTransfers", "GET", "/transfers", Role.VIEWER, "Transfers, newest first",
                self.listed, params=PAGE, answer=page_of(SHOWN),
            ),
        ]  # fmt: skip

    async def create(self, call: Call) -> Json:
        body = checked(call.body, BODY)
        for at, line in enumerate(body["lines"], 1):
            try:
                checked(line, LINE)
            except BadRequest as error:
                raise BadRequest(f"line {at}: {error}") from None
        return await self.acts.transfer(body, key=call.key, actor=call.caller.name)

    async def listed(self, call: Call) -> Json:
        rows, cursor = await self.queries.documents(
            type=TRANSFER, limit=call.query["limit"], cursor=call.query["cursor"]
        )
        return page([_shown(row) for row in rows], cursor)


def _shown(row: DocumentRow) -> Json:
    transfer: dict[str, Any] = orjson.loads(row.document)
    left = incoming(transfer)
    lines = [{**line, "incoming": left[line["sku"]]} for line in transfer["lines"]]
    names = ("number", "from", "to", "state", "sent_at", "expected_at")
    return {name: transfer[name] for name in names} | {"lines": lines}
