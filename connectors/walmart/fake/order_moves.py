"""Reading one order, acknowledging, shipping, cancelling and refunding it.

Source: Walmart orders OpenAPI document (2026-06); refusals as captured from production (2018-10,
2025-04); "ship an order" guide: acknowledged lines only, never WFS, a repeat is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.walmart.fake.orderbook import OPEN, Line, Order, OrderBook, Part
from connectors.walmart.fake.replies import ORDER_API, answer, body_of, invalid, millis, missing
from connectors.walmart.fake.stockroom import Stockroom
from connectors.walmart.shipping import CANCEL_REASONS, CARRIERS, METHOD_CODES

TRACKING_FIELDS: Final = ("carrierName", "methodCode", "shipDateTime", "trackingNumber")


class OrderMoves:
    """One seller's orders being worked on. `changed` hears of every order that moved."""

    def __init__(
        self,
        book: OrderBook,
        stock: Stockroom,
        clock: Clock,
        faults: Faults,
        changed: Callable[[str, Order], None],
    ) -> None:
        self._book = book
        self._stock = stock
        self._clock = clock
        self._faults = faults
        self._changed = changed

    async def read(self, request: web.Request) -> web.Response:
        order = self._order(request)
        if order.is_fresh(self._clock.now()) and self._faults.hit("late_read"):
            if order.before is None:
                raise missing(f"Order {order.number} not found", ORDER_API)
            return answer({"order": order.before})
        return answer({"order": order.to_json()})

    async def acknowledge(self, request: web.Request) -> web.Response:
        order = self._order(request)
        self.acknowledge_order(order)
        return answer({"order": order.to_json()})

    async def ship(self, request: web.Request) -> web.Response:
        order = self._own(request)
        wanted = _rows(await body_of(request, ORDER_API), "orderShipment")
        mode = (await body_of(request, ORDER_API))["orderShipment"].get("processMode")
        if mode == "PARTIAL_UPDATE":
            return self._update_tracking(order, wanted)
        moves = [move for row in wanted for move in self._shipping_moves(order, row)]
        _refuse_excess(moves, ("Acknowledged",), "is not in a state to be shipped: acknowledged and unshipped units")
        at = self._clock.now()
        order.touch(at)
        for line, units, tracking in moves:
            line.move(units, ("Acknowledged",), Part("Shipped", units, tracking=tracking), at)
            self._stock.release(line.item.sku, line.node, units, shipped=True)
        self._changed("shipped", order)
        return answer({"order": order.to_json()})

    async def cancel(self, request: web.Request) -> web.Response:
        order = self._own(request)
        wanted = _rows(await body_of(request, ORDER_API), "orderCancellation")
        moves = []
        for row in wanted:
            line = _line(order, row)
            for status in _statuses(row, "Cancelled"):
                reason = status.get("cancellationReason")
                if reason not in CANCEL_REASONS.values():
                    text = f"Cancellation reason is not supported in line number {line.number}"
                    raise invalid(text, ORDER_API, "cancellationReason")
                moves.append((line, _units(status), {"reason": reason}))
        _refuse_excess(moves, OPEN, "cannot be cancelled: open units")
        self.cancel_units(order, [(line, units, str(facts["reason"])) for line, units, facts in moves])
        return answer({"order": order.to_json()})

    async def refund(self, request: web.Request) -> web.Response:
        """Every call is a new refund: nothing recognises a repeat."""
        order = self._order(request)
        at = self._clock.now()
        for row in _rows(await body_of(request, ORDER_API), "orderRefund"):
            line = _line(order, row)
            if not line.count("Shipped", "Delivered"):
                raise invalid(f"Line number {line.number} is not shipped", ORDER_API, "lineNumber")
            for refund in (row.get("refunds") or {}).get("refund") or ():
                charges = (refund.get("refundCharges") or {}).get("refundCharge") or ()
                if not charges or any(_amount(charge) >= 0 for charge in charges):
                    raise invalid("A refund charge must be negative", ORDER_API, "chargeAmount")
                line.refunds.append({"refundId": str(len(line.refunds) + 1), **refund})
                line.changed = at
        order.touch(at)
        return answer({"order": order.to_json()})

    def acknowledge_order(self, order: Order) -> None:
        """Whole order; lines that moved on stay as they are, so doing it twice is harmless."""
        at = self._clock.now()
        waiting = [line for line in order.lines if line.count("Created")]
        if not waiting:
            return
        order.touch(at)
        for line in waiting:
            units = line.count("Created")
            line.move(units, ("Created",), Part("Acknowledged", units), at)

    def cancel_units(self, order: Order, moves: Sequence[tuple[Line, int, str]]) -> None:
        at = self._clock.now()
        order.touch(at)
        for line, units, reason in moves:
            line.move(units, OPEN, Part("Cancelled", units, reason=reason), at)
            self._stock.release(line.item.sku, line.node, units, shipped=False)
        self._changed("cancelled", order)

    def _shipping_moves(self, order: Order, row: Mapping[str, Any]) -> list[tuple[Line, int, dict[str, Any]]]:
        line = _line(order, row)
        if line.intent_to_cancel and row.get("intentToCancelOverride") is not True:
            text = f"Line number {line.number} is to be cancelled by the customer's wish; override it to ship"
            raise invalid(text, ORDER_API, "intentToCancelOverride")
        moves = []
        for status in _statuses(row, "Shipped"):
            tracking = _tracking(status, line)
            if OrderBook.shipped_units(line, tracking["trackingNumber"]) and not line.count("Acknowledged"):
                raise invalid(f"Line number {line.number} is already shipped", ORDER_API, "trackingNumber")
            moves.append((line, _units(status), tracking))
        return moves

    def _update_tracking(self, order: Order, wanted: Sequence[Mapping[str, Any]]) -> web.Response:
        at = self._clock.now()
        for row in wanted:
            line = _line(order, row)
            for status in _statuses(row, "Shipped"):
                old = (status.get("currentTrackingInfo") or {}).get("trackingNumber")
                parts = [part for part in line.parts if part.tracking and part.tracking["trackingNumber"] == old]
                if not parts:
                    raise invalid(f"No shipment has tracking number {old}", ORDER_API, "currentTrackingInfo")
                parts[0].tracking = _tracking(status, line)
                line.changed = at
        order.touch(at)
        return answer({"order": order.to_json()})

    def _order(self, request: web.Request) -> Order:
        number = request.match_info["number"]
        order = self._book.orders.get(number)
        if order is None:
            raise missing(f"Order {number} not found", ORDER_API)
        return order

    def _own(self, request: web.Request) -> Order:
        order = self._order(request)
        if order.ship_node_type == "WFSFulfilled":
            raise invalid("A WFS order cannot be changed by the seller", ORDER_API, "purchaseOrderId")
        return order


def _rows(body: Mapping[str, Any], root: str) -> list[Mapping[str, Any]]:
    content = body.get(root)
    if not isinstance(content, Mapping):
        text = f'unexpected element (uri:"", local:"{next(iter(body), "")}"). Expected elements are {root}'
        raise invalid(text, ORDER_API)
    holder = content.get("orderLines")
    rows = holder.get("orderLine") if isinstance(holder, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise invalid("orderLines.orderLine must be a list of lines", ORDER_API, "orderLine")
    return rows


def _line(order: Order, row: Mapping[str, Any]) -> Line:
    number = row.get("lineNumber")
    line = order.line(number) if isinstance(number, str) else None
    if line is None:
        raise invalid(f"Line number {number} does not exist in the order", ORDER_API, "lineNumber")
    return line


def _statuses(row: Mapping[str, Any], expected: str) -> list[Mapping[str, Any]]:
    holder = row.get("orderLineStatuses")
    statuses = holder.get("orderLineStatus") if isinstance(holder, Mapping) else None
    if not isinstance(statuses, list) or not statuses:
        raise invalid("orderLineStatuses.orderLineStatus is missing", ORDER_API, "orderLineStatus")
    for status in statuses:
        if status.get("status") != expected:
            raise invalid(f"status must be {expected}", ORDER_API, "status")
    return statuses


def _units(status: Mapping[str, Any]) -> int:
    """Quantities are texts here; a number is refused as the schema has it."""
    holder = status.get("statusQuantity") or {}
    amount = holder.get("amount")
    if holder.get("unitOfMeasurement") not in ("EACH", "EA"):
        raise invalid("unitOfMeasurement must be EACH", ORDER_API, "unitOfMeasurement")
    if not isinstance(amount, str) or not amount.isdigit() or int(amount) < 1:
        raise invalid("statusQuantity.amount must be a whole number as text", ORDER_API, "amount")
    return int(amount)


def _tracking(status: Mapping[str, Any], line: Line) -> dict[str, Any]:
    tracking = status.get("trackingInfo")
    if not isinstance(tracking, Mapping):
        raise invalid(f"trackingInfo is missing in line number {line.number}", ORDER_API, "trackingInfo")
    for name in TRACKING_FIELDS:
        if not tracking.get(name):
            raise invalid(f"{name} is missing in line number {line.number}", ORDER_API, name)
    if tracking["methodCode"] not in METHOD_CODES:
        raise invalid(f"Method code is not supported in line number {line.number}", ORDER_API, "methodCode")
    if not isinstance(tracking["shipDateTime"], int):
        raise invalid("shipDateTime must be milliseconds since 1970", ORDER_API, "shipDateTime")
    carrier = tracking["carrierName"]
    if carrier.get("carrier") is not None and carrier["carrier"] not in CARRIERS:
        raise invalid(f"Carrier is not supported in line number {line.number}", ORDER_API, "carrier")
    if carrier.get("carrier") is None and not (carrier.get("otherCarrier") and tracking.get("trackingURL")):
        raise invalid("otherCarrier needs a trackingURL", ORDER_API, "trackingURL")
    return {
        "shipDateTime": tracking["shipDateTime"],
        "carrierName": {"otherCarrier": carrier.get("otherCarrier"), "carrier": carrier.get("carrier")},
        "methodCode": tracking["methodCode"],
        "trackingNumber": str(tracking["trackingNumber"]),
        "trackingURL": tracking.get("trackingURL"),
    }


def seller_tracking(number: str, at: datetime) -> dict[str, Any]:
    """What Seller Center stores when the seller ships by hand."""
    return {
        "shipDateTime": millis(at),
        "carrierName": {"otherCarrier": None, "carrier": "UPS"},
        "methodCode": "Standard",
        "trackingNumber": number,
        "trackingURL": f"https://www.ups.com/track?tracknum={number}",
    }


def _refuse_excess(moves: Sequence[tuple[Line, int, Mapping[str, Any]]], source: Sequence[str], text: str) -> None:
    """All or nothing: a request that asks too much of one line changes none."""
    wanted: dict[str, tuple[Line, int]] = {}
    for line, units, _ in moves:
        wanted[line.number] = (line, wanted.get(line.number, (line, 0))[1] + units)
    for line, units in wanted.values():
        if units > line.count(*source):
            raise invalid(f"Line number {line.number} {text} {line.count(*source)}", ORDER_API, "statusQuantity")


def _amount(charge: Mapping[str, Any]) -> Any:
    return ((charge.get("charge") or {}).get("chargeAmount") or {}).get("amount", 0)
