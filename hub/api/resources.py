"""The operations of the operator API (SURFACE): what each reads or asks the hub to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

import canonical
from hub.api.auth import Role
from hub.api.backend import Acts, BadRequest, FailureFilter
from hub.api.operator import instant
from hub.api.spec import PAGE, Call, Json, Operation, Param, page_of
from hub.ports.queries import Queries
from hub.ports.store import Micros
from hub.services import views

_OBJECT: Json = {"type": "object"}
_SKU = {"type": "string", "minLength": 1, "maxLength": 200}
_LINES_MAX = 1000
ADJUSTMENT: Json = {
    "type": "object",
    "required": ["lines"],
    "additionalProperties": False,
    "properties": {
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": _LINES_MAX,
            "items": {
                "type": "object",
                "required": ["sku", "location", "delta"],
                "additionalProperties": False,
                "properties": {
                    "sku": _SKU,
                    "location": _SKU,
                    "delta": {"type": "integer"},
                    "bucket": {"enum": ["on_hand", "incoming", "quarantine"]},
                    "reason": {"type": "string"},
                },
            },
        }
    },
}
REPORT: Json = {
    "type": "object",
    "required": ["lines"],
    "additionalProperties": False,
    "properties": {
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": _LINES_MAX,
            "items": {
                "type": "object",
                "required": ["sku", "location", "on_hand"],
                "additionalProperties": False,
                "properties": {
                    "sku": _SKU,
                    "location": _SKU,
                    "on_hand": {"type": "integer"},
                    "as_of": {"type": "string", "format": "date-time"},
                },
            },
        }
    },
}
_FILTER_BODY: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": _LINES_MAX},
        "account": {"type": "string"},
        "kind": {"enum": ["inbound", "availability", "effect"]},
        "error": {"type": "string"},
        "older_than_s": {"type": "number", "minimum": 0},
        "dry_run": {"type": "boolean"},
    },
}
_PULL_BODY: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"since": {"type": "string", "format": "date-time"}},
}
_PREVIEW_BODY: Json = {
    "type": "object",
    "required": ["account", "topic", "payload"],
    "additionalProperties": False,
    "properties": {"account": {"type": "string"}, "topic": {"type": "string"}, "payload": {}},
}
_DOCUMENT_LISTS = {
    "shipments": ("shipment", "Shipments"),
    "tracking": ("tracking_update", "Tracking updates"),
    "purchase-orders": ("purchase_order", "Purchase orders"),
    "returns": ("return", "Returns"),
}


@dataclass(frozen=True, slots=True)
class Resources:
    """Handlers over the read side and the acts. `now` is the hub's clock, for ages."""

    queries: Queries
    acts: Acts
    now: Callable[[], Micros]

    def operations(self) -> list[Operation]:
        return [*self._reading(), *self._documents(), *self._acting()]

    def _reading(self) -> list[Operation]:
        account = Param("account", about="one account only")
        return [
            Operation(
                "status",
                "GET",
                "/status",
                Role.VIEWER,
                "Lag, backlog and health per account",
                self.status,
                answer=_OBJECT,
            ),
            Operation(
                "listAccounts",
                "GET",
                "/accounts",
                Role.VIEWER,
                "Configured accounts",
                self.accounts,
                answer=page_of(_OBJECT),
            ),
            Operation(
                "listOrders",
                "GET",
                "/orders",
                Role.VIEWER,
                "Orders, newest first, as canonical documents",
                self.orders,
                params=(account, Param("state"), Param("held", "boolean", "with holds only"), Param("number"), *PAGE),
                answer=page_of({"$ref": "#/components/schemas/order"}),
            ),
            Operation(
                "getOrder",
                "GET",
                "/orders/{id}",
                Role.VIEWER,
                "One order: document, holds, allocations",
                self.order,
                answer=_OBJECT,
            ),
            Operation(
                "getOrderTimeline",
                "GET",
                "/orders/{id}/timeline",
                Role.VIEWER,
                "Every event, posting, push and attempt of one order, oldest first",
                self.timeline,
                answer=page_of(_OBJECT),
            ),
            Operation(
                "listStock",
                "GET",
                "/stock",
                Role.VIEWER,
                "Positions by SKU and location",
                self.stock,
                params=PAGE,
                answer=page_of(_OBJECT),
            ),
            Operation(
                "getStock",
                "GET",
                "/stock/{sku}",
                Role.VIEWER,
                "One SKU: totals, locations, channels",
                self.sku,
                answer=_OBJECT,
            ),
            Operation(
                "explainStock",
                "GET",
                "/stock/{sku}/explain",
                Role.VIEWER,
                "How the number shown at an account comes about, to the unit",
                self.explain,
                params=(Param("account", required=True), Param("at", format="date-time", about="as of this instant")),
                answer=_OBJECT,
            ),
            Operation(
                "listFailures",
                "GET",
                "/failures",
                Role.VIEWER,
                "What is parked, with the reason",
                self.failures,
                params=(
                    account,
                    Param("kind", enum=("inbound", "availability", "effect")),
                    Param("error"),
                    Param("older_than_s", "number"),
                    Param("state", enum=("open", "replayed", "resolved", "discarded")),
                    *PAGE,
                ),
                answer=page_of(_OBJECT),
            ),
            Operation(
                "listAttempts",
                "GET",
                "/attempts",
                Role.VIEWER,
                "Outbound calls, newest first",
                self.attempts,
                params=(account, Param("reference"), *PAGE),
                answer=page_of(_OBJECT),
            ),
            Operation(
                "listAudit",
                "GET",
                "/audit",
                Role.ADMIN,
                "Who did what, newest first",
                self.audit,
                params=PAGE,
                answer=page_of(_OBJECT),
            ),
            Operation(
                "listMappings",
                "GET",
                "/mappings",
                Role.VIEWER,
                "Mappings in force per account",
                self.mappings,
                answer=page_of(_OBJECT),
            ),
            Operation(
                "streamEvents", "GET", "/events", Role.VIEWER, "What happens, as server-sent events", self.events
            ),
        ]

    def _documents(self) -> list[Operation]:
        account = Param("account", about="one account only")
        return [
            Operation(
                f"list{title.title().replace(' ', '')}",
                "GET",
                f"/{path}",
                Role.VIEWER,
                f"{title}, newest first",
                self._document_list(kind),
                params=(account, *PAGE),
                answer=page_of({"$ref": f"#/components/schemas/{kind}"}),
            )
            for path, (kind, title) in _DOCUMENT_LISTS.items()
        ]

    def _acting(self) -> list[Operation]:
        return [
            Operation(
                "pauseAccount",
                "POST",
                "/accounts/{id}/pause",
                Role.OPERATOR,
                "Stop calls to this account",
                self.pause,
                answer=_OBJECT,
            ),
            Operation(
                "resumeAccount",
                "POST",
                "/accounts/{id}/resume",
                Role.OPERATOR,
                "Let calls go on",
                self.resume,
                answer=_OBJECT,
            ),
            Operation(
                "pullAccount",
                "POST",
                "/accounts/{id}/pull",
                Role.OPERATOR,
                "Read again from an instant on",
                self.pull,
                body=_PULL_BODY,
                answer=_OBJECT,
            ),
            Operation(
                "adjustStock",
                "POST",
                "/stock/adjustments",
                Role.OPERATOR,
                "Change stock by deltas",
                self.adjust,
                body=ADJUSTMENT,
                answer=_OBJECT,
            ),
            Operation(
                "reportStock",
                "POST",
                "/stock/reports",
                Role.OPERATOR,
                "State counted stock, correct as of its time",
                self.report,
                body=REPORT,
                answer=_OBJECT,
            ),
            Operation(
                "replayFailures",
                "POST",
                "/failures/replay",
                Role.OPERATOR,
                "Run failed work again",
                self.replay,
                body=_FILTER_BODY,
                answer=_OBJECT,
            ),
            Operation(
                "discardFailures",
                "POST",
                "/failures/discard",
                Role.ADMIN,
                "Give up failed work, kept in the audit log",
                self.discard,
                body=_FILTER_BODY,
                answer=_OBJECT,
            ),
            Operation(
                "previewMapping",
                "POST",
                "/mappings/preview",
                Role.VIEWER,
                "Map a payload, storing nothing",
                self.preview,
                body=_PREVIEW_BODY,
                answer=page_of(_OBJECT),
            ),
        ]

    # --- reading ---

    async def status(self, _call: Call) -> Json:
        return await self.acts.status()

    async def accounts(self, _call: Call) -> Json:
        return _page(await self.acts.accounts())

    async def mappings(self, _call: Call) -> Json:
        return _page(await self.acts.mappings())

    async def orders(self, call: Call) -> Json:
        rows, following = await self.queries.orders(**call.query)
        return _page([await self._document(row.id, row.document, call) for row in rows], following)

    async def order(self, call: Call) -> Json:
        row = await self.queries.order(call.path["id"])
        if row is None:
            raise BadRequest("No order with this id.", status=404)
        related = await self.queries.order_documents(row.account, row.source_id)
        return views.order_state(row) | {
            "document": await self._document(row.id, row.document, call),
            "related": [{"id": item.id, "type": item.type, "source_id": item.source_id} for item in related],
        }

    async def _document(self, subject: str, document: str, call: Call) -> Json:
        """Personal data is joined for operators and admins only."""
        personal = await self.queries.personal(subject) if call.caller.role >= Role.OPERATOR else None
        joined: Json = orjson.loads(canonical.join_personal(document, personal))
        return joined

    async def timeline(self, call: Call) -> Json:
        if await self.queries.order(call.path["id"]) is None:
            raise BadRequest("No order with this id.", status=404)
        return _page(views.timeline(await self.queries.timeline(call.path["id"])))

    async def stock(self, call: Call) -> Json:
        rows, following = await self.queries.positions(limit=call.query["limit"], cursor=call.query["cursor"])
        return _page([{"sku": row.sku} | views.position(row) for row in rows], following)

    async def sku(self, call: Call) -> Json:
        sku = call.path["sku"]
        positions = await self.queries.positions_at([sku], None)
        levels, _ = await self.queries.levels(sku=sku, limit=500)
        if not positions and not levels and await self.queries.sku(sku) is None:
            raise BadRequest("No such SKU.", status=404)
        return views.stock(sku, positions, levels)

    async def explain(self, call: Call) -> Json:
        return await self.acts.explain(call.path["sku"], call.query["account"], call.query["at"])

    async def failures(self, call: Call) -> Json:
        query = dict(call.query)
        query["state"] = query["state"] or "open"
        rows, following = await self.queries.failures(**query)
        return _page([views.failure(row, self.now()) for row in rows], following)

    async def attempts(self, call: Call) -> Json:
        rows, following = await self.queries.attempts(**call.query)
        return _page([views.attempt(row) for row in rows], following)

    async def audit(self, call: Call) -> Json:
        rows, following = await self.queries.audit(**call.query)
        return _page([dict(row) for row in rows], following)

    def _document_list(self, kind: str) -> Callable[[Call], Any]:
        async def documents(call: Call) -> Json:
            rows, following = await self.queries.documents(type=kind, **call.query)
            return _page([orjson.loads(row.document) for row in rows], following)

        return documents

    async def events(self, call: Call) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(call.request)
        try:
            async for event in self.acts.events():
                await response.write(
                    b"event: " + str(event["event"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"
                )
        except (ConnectionResetError, asyncio.CancelledError):
            return response
        return response

    # --- acting ---

    async def pause(self, call: Call) -> Json:
        return await self.acts.pause(call.path["id"], call.caller.name)

    async def resume(self, call: Call) -> Json:
        return await self.acts.resume(call.path["id"], call.caller.name)

    async def pull(self, call: Call) -> Json:
        given = _checked(call.body, _PULL_BODY).get("since")
        try:
            since = instant(given) if given else None
        except ValueError:
            raise BadRequest("`since` is not an instant with an offset.") from None
        return await self.acts.pull(call.path["id"], since, call.caller.name)

    async def adjust(self, call: Call) -> Json:
        lines = _lines(call.body, ADJUSTMENT)
        return await self.acts.adjust(lines, key=call.key, actor=call.caller.name)

    async def report(self, call: Call) -> Json:
        lines = _lines(call.body, REPORT)
        return await self.acts.report(lines, key=call.key, actor=call.caller.name)

    async def replay(self, call: Call) -> Json:
        which, dry_run = _filter(call.body)
        return await self.acts.replay(which, dry_run=dry_run, actor=call.caller.name)

    async def discard(self, call: Call) -> Json:
        which, dry_run = _filter(call.body)
        return await self.acts.discard(which, dry_run=dry_run, actor=call.caller.name)

    async def preview(self, call: Call) -> Json:
        body = _checked(call.body, _PREVIEW_BODY)
        return _page(await self.acts.preview(body["account"], body["topic"], orjson.dumps(body["payload"])))


def _page(items: Sequence[Json], following: str | None = None) -> Json:
    return {"items": list(items), "next": following}


def _checked(body: Any, schema: Json) -> Json:
    """Refuse members the schema does not have, and values of another type."""
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    properties: Mapping[str, Json] = schema["properties"]
    for name in body:
        if name not in properties:
            raise BadRequest(f"`{name}` is not known here; known: {', '.join(properties)}.")
    for name in schema.get("required", ()):
        if name not in body:
            raise BadRequest(f"`{name}` is missing.")
    for name, value in body.items():
        _typed(name, value, properties[name])
    return body


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _typed(name: str, value: Any, schema: Json) -> None:
    kind = schema.get("type")
    if kind and not _TYPES[kind](value):
        raise BadRequest(f"`{name}` is not {kind}.")
    if "enum" in schema and value not in schema["enum"]:
        raise BadRequest(f"`{name}` is one of {', '.join(schema['enum'])}.")
    if kind == "string" and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10_000):
        raise BadRequest(f"`{name}` has a length that is not allowed.")
    if kind == "array" and not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", _LINES_MAX):
        raise BadRequest(f"`{name}` has {len(value)} entries; between {schema.get('minItems', 0)} and {_LINES_MAX}.")


def _lines(body: Any, schema: Json) -> list[Json]:
    lines = _checked(body, schema)["lines"]
    item = schema["properties"]["lines"]["items"]
    return [_checked(line, item) for line in lines]


def _filter(body: Any) -> tuple[FailureFilter, bool]:
    given = dict(_checked(body, _FILTER_BODY))
    dry_run = bool(given.pop("dry_run", False))
    ids = given.pop("ids", ())
    if any(not _TYPES["integer"](value) for value in ids):
        raise BadRequest("`ids` are integers.")
    return FailureFilter(ids=tuple(ids), **given), dry_run
