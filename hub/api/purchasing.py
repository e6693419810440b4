"""The operator API's purchase orders: making, changing, cancelling and receiving them, and how they match."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hub.api.auth import Role
from hub.api.backend import BadRequest
from hub.api.bodies import checked
from hub.api.spec import OBJECT, PAGE, Call, Json, Operation, Param, page, page_of
from hub.ports.store import Micros
from hub.purchasing.asking import CHANGES, LINES_MAX
from hub.services.purchasing_unit import UnknownPurchaseOrder
from hub.services.purchasing_views import PurchaseViews

_NAME: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 200}
_DAY: Final[Json] = {
    "type": "string",
    "maxLength": 40,
    "description": "a day (2026-12-01) or an instant with its offset",
}
_PRICE: Final[Json] = {"type": "string", "description": "a decimal as text, per stated unit"}
_EACHES: Final[Json] = {"type": "integer", "description": "eaches"}
_ARTICLE: Final[Json] = {
    "number": {"type": "string", "maxLength": 11},
    "sku": _NAME,
    "supplier_sku": _NAME,
    "gtin": _NAME,
    "title": _NAME,
    "quantity": _EACHES,
    "uom": {"type": "string", "description": "the unit the supplier is told, with `eaches_per_unit`"},
    "eaches_per_unit": {"type": "integer"},
    "unit_cost": _PRICE,
    "expected_at": _DAY,
}
_ADDRESS: Final = ("name", "company", "line1", "line2", "line3", "city", "region", "postal_code", "country", "phone",
                   "email")  # fmt: skip


def _object(required: Sequence[str], **properties: Json) -> Json:
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


def _lines(item: Json) -> Json:
    return {"type": "array", "minItems": 1, "maxItems": LINES_MAX, "items": item}


LINE: Final = _object(("sku", "quantity"), **_ARTICLE)
CHANGE: Final = _object(("change",), change={"enum": list(CHANGES)}, **_ARTICLE)
RECEIVED: Final = _object((), number=_NAME, sku=_NAME, quantity=_EACHES, damaged_quantity=_EACHES, lot=_NAME)
SHIP_TO: Final = _object((), **dict.fromkeys(_ADDRESS, _NAME))
ORDER: Final = _object(
    ("number", "supplier", "location", "lines"),
    number={"type": "string", "minLength": 1, "maxLength": 22},
    supplier={**_NAME, "description": "the EDI account the supplier is told through, or who the order is with"},
    supplier_name=_NAME,
    location={**_NAME, "description": "our location the goods come to"},
    currency={"type": "string"},
    expected_at=_DAY,
    ship_to=SHIP_TO,
    note={"type": "string", "maxLength": 2000},
    draft={"type": "boolean", "description": "kept, not sent"},
    lines=_lines(LINE),
)
CHANGED: Final = _object(
    ("lines",), lines=_lines(CHANGE), revision={"type": "string", "description": "refused when another one is in force"}
)
RECEIPT: Final = _object(
    ("lines",),
    receipt={
        "type": "string",
        "minLength": 1,
        "maxLength": 60,
        "description": "its own number; known again it is a repeat",
    },
    location=_NAME,
    received_on=_DAY,
    lines=_lines(RECEIVED),
)
REASON: Final = _object((), reason={"type": "string", "maxLength": 500})
DONE: Final[Json] = {
    "type": "object",
    "required": ["number", "revision", "state", "sent", "repeated"],
    "properties": {
        "number": {"type": "string"},
        "revision": {"type": "string"},
        "state": {"type": "string"},
        "sent": {"type": "boolean", "description": "a document for the supplier was written with it"},
        "repeated": {"type": "boolean", "description": "this very request had been done already"},
    },
}


class Buys(Protocol):
    """The acts on purchase orders; each refusal is a `BadRequest`."""

    async def create(self, body: Json, actor: str) -> Json: ...

    async def send(self, number: str, key: str, actor: str) -> Json: ...

    async def change(self, number: str, body: Json, key: str, actor: str) -> Json: ...

    async def receive(self, number: str, body: Json, key: str, actor: str) -> Json: ...

    async def cancel(self, number: str, reason: str, key: str, actor: str) -> Json: ...

    async def close(self, number: str, reason: str, key: str, actor: str) -> Json: ...


@dataclass(frozen=True, slots=True)
class Purchases:
    """Handlers over the acts and the read side. `now` is the hub's clock, for what is overdue."""

    buys: Buys
    views: PurchaseViews
    now: Callable[[], Micros]

    def operations(self) -> list[Operation]:
        order = {"$ref": "#/components/schemas/purchase_order"}
        number = "/purchase-orders/{number}"
        filters = (Param("account", about="one supplier only, by its account or name"), Param("state"), *PAGE)
        return [
            Operation(
                "listPurchaseOrders", "GET", "/purchase-orders", Role.VIEWER, "Purchase orders, newest first",
                self.list, params=filters, answer=page_of(order),
            ),
            _act("createPurchaseOrder", "/purchase-orders", "Order from a supplier", self.create, ORDER),
            Operation(
                "getPurchaseOrder", "GET", number, Role.VIEWER,
                "One order: document, four-way match per line, what the supplier owes, what was heard", self.show,
                answer=OBJECT,
            ),
            _act("sendPurchaseOrder", f"{number}/send", "Send a draft", self.send, None),
            _act("changePurchaseOrder", f"{number}/changes", "Change lines, tell the supplier", self.change, CHANGED),
            _act("receivePurchaseOrder", f"{number}/receipts", "Take goods in", self.receive, RECEIPT),
            _act("cancelPurchaseOrder", f"{number}/cancel", "Cancel it; the supplier is told", self.cancel, REASON),
            _act("closePurchaseOrder", f"{number}/close", "Expect nothing more; nothing is sent", self.close, REASON),
        ]  # fmt: skip

    async def list(self, call: Call) -> Json:
        query = call.query
        rows, following = await self.views.orders(
            supplier=query["account"], state=query["state"], limit=query["limit"], cursor=query["cursor"]
        )
        return page(rows, following)

    async def show(self, call: Call) -> Json:
        try:
            personal = call.caller.role >= Role.OPERATOR
            return await self.views.order(call.path["number"], self.now(), personal=personal)
        except UnknownPurchaseOrder as error:
            raise BadRequest(str(error), status=404) from None

    async def create(self, call: Call) -> Json:
        body = checked(call.body, ORDER)
        if "ship_to" in body:
            _within("ship_to", body["ship_to"], SHIP_TO)
        return await self.buys.create(_with_lines(body, LINE), call.caller.name)

    async def send(self, call: Call) -> Json:
        return await self.buys.send(call.path["number"], call.key, call.caller.name)

    async def change(self, call: Call) -> Json:
        body = _with_lines(checked(call.body, CHANGED), CHANGE)
        return await self.buys.change(call.path["number"], body, call.key, call.caller.name)

    async def receive(self, call: Call) -> Json:
        body = _with_lines(checked(call.body, RECEIPT), RECEIVED)
        return await self.buys.receive(call.path["number"], body, call.key, call.caller.name)

    async def cancel(self, call: Call) -> Json:
        reason = checked(call.body, REASON).get("reason", "")
        return await self.buys.cancel(call.path["number"], reason, call.key, call.caller.name)

    async def close(self, call: Call) -> Json:
        reason = checked(call.body, REASON).get("reason", "")
        return await self.buys.close(call.path["number"], reason, call.key, call.caller.name)


def _act(id_: str, path: str, about: str, handler: Callable[[Call], Awaitable[Json]], body: Json | None) -> Operation:
    return Operation(id_, "POST", path, Role.OPERATOR, about, handler, body=body, answer=DONE, problems=(404, 409))


def _with_lines(body: Mapping[str, Any], schema: Json) -> Json:
    for at, line in enumerate(body["lines"], 1):
        _within(f"line {at}", line, schema)
    return dict(body)


def _within(where: str, given: Any, schema: Json) -> None:
    try:
        checked(given, schema)
    except BadRequest as error:
        raise BadRequest(f"{where}: {error}") from None
