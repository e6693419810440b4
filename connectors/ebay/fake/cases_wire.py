"""Post-Order: cancellations and returns.

Source: developer.ebay.com Post-Order v2 pages on cancellations and returns (read 2026-11); OpenAPI
documents of both (community, 2025). A cancellation concerns the whole order and, once the seller
agrees or makes it, is carried out with its refund.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.ebay.fake.orderbook import SELLER, Line, Order, OrderBook
from connectors.ebay.fake.replies import POST_ORDER, Refusal, answer, body_of, count_in, iso, money
from connectors.sdk.ports import Clock

PAGE_MAX: Final = 200
CANCEL_WITHIN: Final = timedelta(days=30)
SELLER_REASONS: Final = frozenset(
    {"BUYER_ASKED_CANCEL", "OUT_OF_STOCK_OR_CANNOT_FULFILL", "ADDRESS_ISSUES", "BUYER_CANCEL_OR_ADDRESS_ISSUE"}
)

OrderHook = Callable[[str, Order], None]


@dataclass
class Cancellation:
    number: str
    order: Order
    reason: str
    by: str
    state: str
    created: datetime
    closed: datetime | None = None
    outcome: str = ""


@dataclass
class Return:
    number: str
    order: Order
    line: Line
    units: int
    reason: str
    state: str
    created: datetime
    tracking: str | None = None


class CasesWire:
    """One seller's cancellations and returns."""

    def __init__(self, book: OrderBook, clock: Clock, changed: OrderHook) -> None:
        self._book = book
        self._clock = clock
        self._changed = changed
        self.cancellations: dict[str, Cancellation] = {}
        self.returns: dict[str, Return] = {}

    def request_cancel(self, order: Order, reason: str = "BUYER_ASKED_CANCEL", by: str = "BUYER") -> Cancellation:
        """A wish to cancel; nothing is cancelled yet."""
        at = self._clock.now()
        made = Cancellation(str(5_360_000_000 + len(self.cancellations) + 1), order, reason, by, "APPROVAL_PENDING", at)
        self.cancellations[made.number] = made
        order.touch(at)
        order.cancel_state = "IN_PROGRESS"
        order.requests.append(
            {
                "cancelReason": reason,
                "cancelRequestedDate": iso(at),
                "cancelInitiator": by,
                "cancelRequestId": made.number,
                "cancelRequestState": "REQUESTED",
            }
        )
        return made

    def carry_out(self, made: Cancellation) -> None:
        """Cancel the order and pay the buyer back."""
        at = self._clock.now()
        order = made.order
        lines = [(line, line.amount) for line in order.lines]
        self._book.refund(order, order.total, lines, at)
        order.cancel_state = "CANCELED"
        order.cancelled = at
        self._close(made, "CANCEL_CLOSED_WITH_REFUND", "COMPLETED")
        self._changed("cancelled", order)

    def reject(self, made: Cancellation) -> None:
        made.order.touch(self._clock.now())
        made.order.cancel_state = "NONE_REQUESTED"
        self._close(made, "CANCEL_REJECTED", "REJECTED")
        self._changed("kept", made.order)

    def open_return(self, order: Order, line: Line, units: int) -> Return:
        number = str(5_100_000_000 + len(self.returns) + 1)
        made = Return(number, order, line, units, "DEFECTIVE_ITEM", "RETURN_REQUESTED", self._clock.now())
        self.returns[number] = made
        return made

    async def create(self, request: web.Request) -> web.Response:
        """POST /cancellation: the seller cancels."""
        body = await body_of(request, POST_ORDER, 2200)
        order = self._cancellable(body)
        if body.get("cancelReason") not in SELLER_REASONS:
            raise _refusal(2204, "Invalid cancel reason")
        made = self.request_cancel(order, str(body["cancelReason"]), "SELLER")
        self.carry_out(made)
        return answer({"cancelId": made.number}, status=201)

    async def eligible(self, request: web.Request) -> web.Response:
        body = await body_of(request, POST_ORDER, 2200)
        order = self._book.orders.get(str(body.get("legacyOrderId")))
        if order is None:
            raise _refusal(2201, "Invalid legacy order id")
        reason = self._obstacle(order)
        failed = [] if reason is None else [reason]
        return answer({"eligible": reason is None, "failureReason": failed, "legacyOrderId": order.number})

    async def search_cancellations(self, request: web.Request) -> web.Response:
        found = [each for each in self.cancellations.values() if _in_range(request, each.created)]
        for name in ("legacy_order_id", "order_id"):
            if wanted := request.query.get(name):
                found = [each for each in found if each.order.number == wanted]
        return answer(_page(request, "cancellations", [_cancellation(each) for each in found]))

    async def cancellation(self, request: web.Request) -> web.Response:
        return answer({"cancelDetail": _cancellation(self._case(request))})

    async def approve(self, request: web.Request) -> web.Response:
        made = self._pending(request)
        self.carry_out(made)
        return answer({"cancelId": made.number})

    async def refuse(self, request: web.Request) -> web.Response:
        made = self._pending(request)
        self.reject(made)
        return answer({"cancelId": made.number})

    async def search_returns(self, request: web.Request) -> web.Response:
        found = [each for each in self.returns.values() if _in_range(request, each.created)]
        if wanted := request.query.get("order_id"):
            found = [each for each in found if each.order.number == wanted]
        return answer(_page(request, "members", [_return(each) for each in found]))

    async def return_(self, request: web.Request) -> web.Response:
        made = self.returns.get(request.match_info["return"])
        if made is None:
            raise Refusal(404, 1609, "Return not found", domain=POST_ORDER)
        detail: dict[str, Any] = {}
        if made.tracking:
            tracking = {"trackingNumber": made.tracking, "carrierName": "UPS", "deliveryStatus": "IN_TRANSIT"}
            detail["returnShipmentInfo"] = {"shipmentTracking": tracking}
        return answer({"summary": _return(made), "detail": detail})

    def _close(self, made: Cancellation, outcome: str, state: str) -> None:
        at = self._clock.now()
        made.state, made.outcome, made.closed = "CLOSED", outcome, at
        for row in made.order.requests:
            if row["cancelRequestId"] == made.number:
                row |= {"cancelRequestState": state, "cancelCompletedDate": iso(at)}

    def _cancellable(self, body: Mapping[str, Any]) -> Order:
        order = self._book.orders.get(str(body.get("legacyOrderId")))
        if order is None:
            raise _refusal(2201, "Invalid legacy order id")
        reason = self._obstacle(order)
        if reason is not None:
            raise Refusal(409, 2205, f"The order cannot be cancelled: {reason}", domain=POST_ORDER, category="BUSINESS")
        return order

    def _obstacle(self, order: Order) -> str | None:
        if order.cancel_state != "NONE_REQUESTED":
            return "CANCEL_ALREADY_EXISTS"
        if any(line.shipped for line in order.lines):
            return "ORDER_ALREADY_SHIPPED"
        return "CANCEL_WINDOW_CLOSED" if self._clock.now() > order.created + CANCEL_WITHIN else None

    def _case(self, request: web.Request) -> Cancellation:
        made = self.cancellations.get(request.match_info["cancellation"])
        if made is None:
            raise Refusal(404, 2210, "Cancellation not found", domain=POST_ORDER)
        return made

    def _pending(self, request: web.Request) -> Cancellation:
        made = self._case(request)
        if made.state != "APPROVAL_PENDING":
            raise Refusal(409, 2211, "The cancellation is closed", domain=POST_ORDER, category="BUSINESS")
        return made


def _page(request: web.Request, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    limit = count_in(request, "limit", 25, 1, PAGE_MAX, _refusal(1600, "Invalid limit"))
    offset = count_in(request, "offset", 0, 0, 1_000_000, _refusal(1601, "Invalid offset"))
    shown = rows[offset : offset + limit]
    output = {"offset": offset, "limit": limit, "totalEntries": len(rows), "totalPages": -(-len(rows) // limit)}
    return {name: shown, "total": len(rows), "paginationOutput": output}


def _in_range(request: web.Request, created: datetime) -> bool:
    """By creation alone: a change to an older case is not found by dates."""
    moment = created.replace(microsecond=created.microsecond // 1000 * 1000)
    begin, end = request.query.get("creation_date_range_from"), request.query.get("creation_date_range_to")
    try:
        return (not begin or moment >= datetime.fromisoformat(begin)) and (
            not end or moment <= datetime.fromisoformat(end)
        )
    except (ValueError, TypeError):
        raise _refusal(1602, "Invalid date") from None


def _cancellation(each: Cancellation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "cancelId": each.number,
        "marketplaceId": "EBAY_US",
        "legacyOrderId": each.order.number,
        "requestorType": each.by,
        "cancelState": each.state,
        "cancelStatus": each.outcome or "CANCEL_REQUESTED",
        "cancelReason": each.reason,
        "requestRefundAmount": money(each.order.total),
        "cancelRequestDate": _date(each.created),
    }
    return body | ({"cancelCloseDate": _date(each.closed)} if each.closed else {})


def _return(each: Return) -> dict[str, Any]:
    return {
        "returnId": each.number,
        "buyerLoginName": each.order.username,
        "sellerLoginName": SELLER,
        "currentType": "MONEY_BACK",
        "state": each.state,
        "status": each.state,
        "orderId": each.order.number,
        "creationInfo": {
            "item": {
                "itemId": each.line.listing_id,
                "transactionId": each.line.number,
                "returnQuantity": each.units,
            },
            "type": "MONEY_BACK",
            "reason": each.reason,
            "creationDate": _date(each.created),
        },
    }


def _date(at: datetime) -> dict[str, str]:
    return {"value": iso(at), "formattedValue": at.strftime("%b %d, %Y")}


def _refusal(error_id: int, message: str) -> Refusal:
    return Refusal(400, error_id, message, domain=POST_ORDER)
