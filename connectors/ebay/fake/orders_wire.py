"""The Fulfillment API: lists of orders, single orders, shipments and refunds.

Source: sell/fulfillment v1.20.7 OpenAPI document (2025-11): filters, error ids 30800 to 34900;
operators' reports (2026-09): the list is live, so rows move between pages while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from aiohttp import web

from connectors.ebay.fake.orderbook import Fulfillment, Line, Order, OrderBook
from connectors.ebay.fake.replies import FULFILLMENT, Refusal, answer, body_of, count_in, iso
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
HISTORY: Final = timedelta(days=730)
UNFILTERED: Final = timedelta(days=90)
_NUMBER: Final = re.compile(r"\d{2}-\d{5}-\d{5}|\d{6,}")
_RANGE: Final = re.compile(r"(creationdate|lastmodifieddate):\[([^\].]*(?:\.\d+)?Z?)\.\.([^\]]*)\]")
_STATUS: Final = re.compile(r"orderfulfillmentstatus:\{([A-Z_|]+)\}")
_TRACKING: Final = re.compile(r"[A-Za-z0-9]+")

OrderHook = Callable[[str, Order], None]


class OrdersWire:
    """One seller's orders. `base` is where links in answers lead."""

    def __init__(self, book: OrderBook, clock: Clock, faults: Faults, changed: OrderHook) -> None:
        self._book = book
        self._clock = clock
        self._faults = faults
        self._changed = changed
        self.base = ""

    async def find(self, request: web.Request) -> web.Response:
        """GET /order. A limit beyond 200 fails; the list is made anew for every page."""
        limit = count_in(request, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX, _refusal(30810, "Invalid limit"))
        offset = count_in(request, "offset", 0, 0, 1_000_000, _refusal(30820, "Invalid offset"))
        found = self._named(request.query["orderIds"]) if "orderIds" in request.query else self._find(request)
        shown = found[offset : offset + limit]
        path = f"{self.base}{request.path}?limit={limit}"
        body: dict[str, Any] = {
            "href": f"{path}&offset={offset}",
            "total": len(found),
            "limit": limit,
            "offset": offset,
            "orders": [self._shown(order, listed=True) for order in shown],
        }
        if offset + limit < len(found):
            body["next"] = f"{path}&offset={offset + limit}"
        if offset:
            body["prev"] = f"{path}&offset={max(0, offset - limit)}"
        return answer(body)

    async def read(self, request: web.Request) -> web.Response:
        return answer(self._shown(self._order(request), listed=False))

    async def shipments(self, request: web.Request) -> web.Response:
        order = self._order(request)
        rows = order.fulfillments
        if order.is_fresh(self._clock.now()) and rows and self._faults.hit("late_read"):
            rows = rows[:-1]
        return answer({"fulfillments": [_shipment(each) for each in rows], "total": len(rows)})

    async def shipment(self, request: web.Request) -> web.Response:
        wanted = request.match_info["fulfillment"]
        for each in self._order(request).fulfillments:
            if each.id == wanted:
                return answer(_shipment(each))
        raise Refusal(404, 32110, "Invalid fulfillment ID", domain=FULFILLMENT)

    async def ship(self, request: web.Request) -> web.Response:
        """POST /order/{orderId}/shipping_fulfillment: 201, no body, the id in `Location`."""
        order = self._order(request)
        body = await body_of(request, FULFILLMENT, 32600)
        lines = self._lines(order, body.get("lineItems"))
        tracking, carrier = body.get("trackingNumber"), body.get("shippingCarrierCode")
        if bool(tracking) != bool(carrier) or (tracking and not _TRACKING.fullmatch(str(tracking))):
            raise _refusal(32300, "Invalid shipment tracking number or carrier")
        at = self._clock.now()
        shipped = _time(body["shippedDate"]) if body.get("shippedDate") else at
        if shipped is None or shipped > at + timedelta(days=1) or shipped < order.created - timedelta(days=1):
            raise _refusal(32500, "Invalid shipped date")
        if order.cancel_state == "CANCELED":
            raise Refusal(409, 32600, "The order is cancelled", domain=FULFILLMENT, category="BUSINESS")
        made = Fulfillment(
            str(tracking) if tracking else str(999 + len(order.fulfillments)),
            lines,
            str(tracking) if tracking else None,
            str(carrier) if carrier else None,
            shipped,
        )
        self._book.fulfil(order, made, at)
        self._changed("shipped", order)
        location = f"{self.base}{request.path}/{made.id}"
        return web.Response(status=201, headers={"Location": location})

    async def refund(self, request: web.Request) -> web.Response:
        """POST /order/{orderId}/issue_refund. Not idempotent."""
        order = self._order(request)
        body = await body_of(request, FULFILLMENT, 34901)
        if not body.get("reasonForRefund"):
            raise _refusal(34911, "Invalid reason for refund")
        if len(str(body.get("comment") or "")) > 100:
            raise _refusal(34912, "The comment is too long")
        parts: list[tuple[Line, Decimal]] = []
        for row in body.get("refundItems") or ():
            line = order.line(row.get("lineItemId"))
            if line is None:
                raise _refusal(34905, "Invalid line item ID")
            parts.append((line, _amount(row.get("refundAmount"))))
        amount = sum((part for _, part in parts), Decimal(0))
        amount = amount if parts else _amount(body.get("orderLevelRefundAmount"))
        paid_back = sum((Decimal(row["amount"]["value"]) for row in order.refunds), Decimal(0))
        if paid_back >= order.total:
            raise Refusal(409, 34917, "The order is already refunded", domain=FULFILLMENT, category="BUSINESS")
        if amount + paid_back > order.total:
            raise _refusal(34915, "The refund exceeds what was paid")
        refund_id = self._book.refund(order, amount, parts, self._clock.now())
        self._changed("refunded", order)
        return answer({"refundId": refund_id, "refundStatus": "PENDING"})

    def _lines(self, order: Order, rows: object) -> list[tuple[str, int]]:
        if not isinstance(rows, list) or not rows:
            raise _refusal(32600, "lineItems is missing")
        named: list[tuple[str, int]] = []
        for row in rows:
            line = order.line(row.get("lineItemId")) if isinstance(row, Mapping) else None
            if line is None:
                raise _refusal(32200, "Invalid line item ID")
            if any(number == line.number for number, _ in named):
                raise _refusal(32210, "Duplicate line item ID")
            units = row.get("quantity", 1)
            if not isinstance(units, int) or not 1 <= units <= line.units - line.shipped:
                raise _refusal(32600, "Invalid quantity of a line item")
            named.append((line.number, units))
        return named

    def _order(self, request: web.Request) -> Order:
        number = request.match_info["order"]
        if not _NUMBER.fullmatch(number):
            raise _refusal(32100, "Invalid order ID")
        order = self._book.orders.get(number)
        if order is None:
            raise Refusal(404, 32100, "Invalid order ID", domain=FULFILLMENT)
        return order

    def _named(self, text: str) -> list[Order]:
        numbers = text.split(",")
        if len(numbers) > 50:
            raise _refusal(30900, "The number of order IDs must not exceed 50")
        return [order for number in numbers if (order := self._book.orders.get(number)) is not None]

    def _find(self, request: web.Request) -> list[Order]:
        wanted = request.query.get("filter", "")
        now = self._clock.now()
        _check_filter(wanted, now)
        # A checkout that is not paid is in no list; asked for by its id it is there.
        found = [order for order in self._book.all() if order.paid is not None and _takes(wanted, order, now)]
        if any(order.is_fresh(now) for order in found) and self._faults.hit("late_read"):
            found = [order for order in found if not order.is_fresh(now)]
        return sorted(found, key=lambda order: (order.created, order.number))

    def _shown(self, order: Order, *, listed: bool) -> dict[str, Any]:
        if order.before is not None and order.is_fresh(self._clock.now()) and self._faults.hit("late_read"):
            return order.before
        return order.to_json(listed=listed, base=self.base)


def _takes(wanted: str, order: Order, now: datetime) -> bool:
    """Whether a checked filter finds the order. With both ranges given only the creation date counts."""
    status = _STATUS.search(wanted)
    if status is not None and order.fulfillment_status not in status[1].split("|"):
        return False
    ranges = {name: (begin, end) for name, begin, end in _ranges(wanted, now)}
    name = "creationdate" if "creationdate" in ranges else "lastmodifieddate"
    if name not in ranges:
        return order.created >= now - UNFILTERED
    begin, end = ranges[name]
    moment = order.created if name == "creationdate" else order.modified
    return begin <= moment.replace(microsecond=moment.microsecond // 1000 * 1000) <= end


def _check_filter(wanted: str, now: datetime) -> None:
    if wanted and not _RANGE.search(wanted) and not _STATUS.search(wanted):
        raise _refusal(30700, "Invalid filter")
    for _, begin, end in _ranges(wanted, now):
        _check_range(begin, end, now)


def _ranges(wanted: str, now: datetime) -> list[tuple[str, datetime, datetime]]:
    """Every date range of a filter; an open one ends now."""
    found = []
    for name, begin_text, end_text in _RANGE.findall(wanted):
        begin, end = _time(begin_text), _time(end_text) if end_text else now
        if begin is None or end is None:
            raise _refusal(30800, "Invalid date format")
        found.append((name, begin, end))
    return found


def _check_range(begin: datetime, end: datetime, now: datetime) -> None:
    if begin > now or end > now:
        raise _refusal(30850, "The start and end dates can't be in the future")
    if begin > end:
        raise _refusal(30840, "The start date must be before the end date")
    if begin < now - HISTORY:
        raise _refusal(30830, "The date range is too long")


def _time(text: object) -> datetime | None:
    if not isinstance(text, str) or not text.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _amount(stated: object) -> Decimal:
    try:
        amount = Decimal(str(stated["value"])) if isinstance(stated, Mapping) else Decimal(0)
    except (InvalidOperation, KeyError):
        amount = Decimal(0)
    if amount <= 0:
        raise _refusal(34914, "Invalid refund amount")
    return amount


def _shipment(each: Fulfillment) -> dict[str, Any]:
    lines: Sequence[dict[str, Any]] = [{"lineItemId": number, "quantity": units} for number, units in each.lines]
    body: dict[str, Any] = {"fulfillmentId": each.id, "lineItems": lines, "shippedDate": iso(each.at)}
    if each.tracking:
        body["shipmentTrackingNumber"] = each.tracking
    return body | ({"shippingCarrierCode": each.carrier} if each.carrier else {})


def _refusal(error_id: int, message: str) -> Refusal:
    return Refusal(400, error_id, message, domain=FULFILLMENT)
