"""The operator API's shipments: stating one, and what became of it at the channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.api.auth import Role
from hub.api.backend import Acts, BadRequest
from hub.api.bodies import checked
from hub.api.spec import OBJECT, Call, Json, Operation
from hub.ports.queries import Queries
from hub.ports.store import DocumentRow, OutboxRow
from hub.services import views
from hub.services.parcel_views import followed
from hub.services.stated_shipments import PACKAGES_MAX

_NAME: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 200}
_LONG: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 2000}
_LINES_MAX: Final = 500

LINE: Final[Json] = {
    "type": "object",
    "required": ["quantity"],
    "additionalProperties": False,
    "properties": {"line_id": _NAME, "sku": _NAME, "gtin": _NAME, "quantity": {"type": "integer"}, "lot": _NAME},
}
PACKAGE: Final[Json] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "id": _NAME,
        "sscc": _NAME,
        "tracking_number": _NAME,
        "tracking_url": _LONG,
        "carrier": _NAME,
        "service": _NAME,
        "lines": {"type": "array", "maxItems": _LINES_MAX, "items": LINE},
    },
}
SHIPMENT: Final[Json] = {
    "type": "object",
    "required": ["order"],
    "additionalProperties": False,
    "properties": {
        "order": _NAME,
        "account": _NAME,
        "purchase_order_number": _NAME,
        "number": {"type": "string", "minLength": 1, "maxLength": 100},
        "state": {"enum": ["created", "shipped", "delivered", "cancelled"]},
        "ship_from": _NAME,
        "shipped_at": {"type": "string", "format": "date-time"},
        "packages": {"type": "array", "maxItems": PACKAGES_MAX, "items": PACKAGE},
    },
}
ANSWER: Final[Json] = {
    "type": "object",
    "required": ["id", "state", "account", "order", "packages", "to_tell", "warnings"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": ["stored", "waiting"], "description": "waiting: kept until its order comes"},
        "account": {"type": ["string", "null"]},
        "order": {"type": ["string", "null"], "description": "the channel's id of the order"},
        "packages": {"type": "integer"},
        "to_tell": {"type": "integer", "description": "messages to the channel that this made"},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}


@dataclass(frozen=True, slots=True)
class Shipping:
    """Handlers over the acts and the read side."""

    acts: Acts
    queries: Queries

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "stateShipment",
                "POST",
                "/shipments",
                Role.OPERATOR,
                "State a shipment of any channel's order; the same number again corrects it",
                self.ship,
                body=SHIPMENT,
                answer=ANSWER,
                problems=(404,),
            ),
            Operation(
                "getShipment",
                "GET",
                "/shipments/{id}",
                Role.VIEWER,
                "One shipment, and what its channel was told",
                self.shipment,
                answer=OBJECT,
            ),
        ]

    async def ship(self, call: Call) -> Json:
        body = stated(call.body)
        return await self.acts.ship(body, key=call.key, actor=call.caller.name)

    async def shipment(self, call: Call) -> Json:
        row = await self.queries.document(call.path["id"])
        if row is None or row.type != "shipment":
            raise BadRequest("No shipment with this id.", status=404)
        effects: Sequence[OutboxRow] = ()
        if row.order_source_id is not None:
            effects = await self.queries.order_effects(row.account, row.order_source_id)
        return {
            "id": row.id,
            "account": row.account,
            "order": row.order_source_id,
            "document": await self._followed(row),
            "told": [_told(effect) for effect in effects if _references(effect).get("shipment") == row.id],
        }

    async def _followed(self, row: DocumentRow) -> Json:
        """The shipment as stated, with what its parcels tell."""
        pairs = await self.queries.document_parcels("shipment", [(row.account, row.source_id)])
        return followed(orjson.loads(row.document), [parcel for _, parcel in pairs])


def stated(body: Any) -> Json:
    """A shipment's body, checked down to its lines.

    Raises:
        BadRequest: Names the package and the line.
    """
    given = checked(body, SHIPMENT)
    for place, package in enumerate(given.get("packages") or ()):
        _within(f"packages[{place}]", package, PACKAGE)
        for at, line in enumerate(package.get("lines") or ()):
            _within(f"packages[{place}].lines[{at}]", line, LINE)
    return given


def _within(where: str, given: Any, schema: Json) -> None:
    try:
        checked(given, schema)
    except BadRequest as error:
        raise BadRequest(f"{where}: {error}") from None


def _references(effect: OutboxRow) -> Json:
    found: Json = orjson.loads(effect.references or "{}")
    return found


def _told(effect: OutboxRow) -> Json:
    packages = orjson.loads(effect.body).get("packages") or ()
    numbers = [package["tracking_number"] for package in packages if package.get("tracking_number")]
    return {
        "kind": effect.kind,
        "numbers": numbers,
        "carrier": next((package["told"] for package in packages if package.get("told")), None),
        "state": effect.state.value,
        "attempts": effect.attempts,
        "asked_at": views.instant(effect.created_at),
        "result": orjson.loads(effect.result) if effect.result else None,
    }
