"""Returns: opened by shoppers, read page by page.

Source: Walmart returns OpenAPI document, GET /v3/returns (2026-06); operators' reports (2026-08): a
range needs both its ends, and a cursor that is rebuilt gives page one again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from connectors.sdk.ports import Clock
from connectors.walmart.fake.orderbook import Line, Order
from connectors.walmart.fake.replies import RETURNS_API, answer, bad_parameter, iso, missing

LIMIT_MAX: Final = 200
RANGES: Final = (
    ("returnCreationStartDate", "returnCreationEndDate", "created"),
    ("returnLastModifiedStartDate", "returnLastModifiedEndDate", "modified"),
)


@dataclass
class ReturnOrder:
    number: str
    order: Order
    line: Line
    units: int
    status: str
    created: datetime
    modified: datetime


class ReturnsWire:
    """One seller's returns."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.returns: dict[str, ReturnOrder] = {}
        self._cursors: dict[str, int] = {}

    def open(self, order: Order, line: Line, units: int) -> ReturnOrder:
        """A shopper sends units back."""
        now = self._clock.now()
        number = str(103_738_048_909_000_000 + len(self.returns) + 1)
        made = ReturnOrder(number, order, line, units, "INITIATED", now, now)
        self.returns[number] = made
        return made

    async def find(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "10")
        if not limit.isdigit() or not 1 <= int(limit) <= LIMIT_MAX:
            raise bad_parameter("limit", f"limit cannot be larger than {LIMIT_MAX}", RETURNS_API)
        found = self._find(request)
        raw = "?" + request.raw_path.partition("?")[2]
        offset = self._cursors.get(raw, 0)
        shown = found[offset : offset + int(limit)]
        if not shown:
            raise missing("No returns found for the given criteria", RETURNS_API)
        end = offset + len(shown)
        cursor = self._cursor(request, int(limit), end) if end < len(found) else None
        meta = {"totalCount": len(found), "limit": int(limit), "nextCursor": cursor}
        return answer({"meta": meta, "returnOrders": [_json(each) for each in shown]})

    def _cursor(self, request: web.Request, limit: int, offset: int) -> str:
        filters = "".join(
            f"&{name}={value}" for name, value in request.query.items() if name.startswith("return") or name == "status"
        )
        cursor = f"?sellerId=151&limit={limit}&offset={offset}{filters}"
        self._cursors[cursor] = offset
        return cursor

    def _find(self, request: web.Request) -> list[ReturnOrder]:
        found = list(self.returns.values())
        query = request.query
        for begin, end, field in RANGES:
            if (begin in query) != (end in query):
                raise bad_parameter(begin, f"{begin} and {end} must be given together", RETURNS_API)
            if begin in query:
                first, last = _date(query[begin], begin), _date(query[end], end)
                found = [each for each in found if first <= getattr(each, field).replace(microsecond=0) <= last]
        if "returnOrderId" in query:
            found = [each for each in found if each.number == query["returnOrderId"]]
        if "status" in query:
            found = [each for each in found if each.status == query["status"]]
        return sorted(found, key=lambda each: (each.modified, each.number))


def _date(text: str, name: str) -> datetime:
    for pattern in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise bad_parameter(name, f"{name} is no date", RETURNS_API)


def _json(given: ReturnOrder) -> dict[str, Any]:
    price = {"currencyAmount": given.line.item.price, "currencyUnit": "USD"}
    units = {"unitOfMeasure": "EACH", "measurementValue": given.units}
    name = given.order.person[0].split()
    return {
        "returnOrderId": given.number,
        "customerEmailId": f"{int(given.order.customer_number):032X}@relay.example.com",
        "customerName": {"firstName": name[0], "lastName": name[-1]},
        "customerOrderId": given.order.customer_number,
        "refundMode": "POST_DELIVERY",
        "returnOrderDate": iso(given.created),
        "returnType": "REFUND",
        "totalRefundAmount": {"currencyAmount": given.line.item.price * given.units, "currencyUnit": "USD"},
        "returnLineGroups": [
            {
                "groupNo": 1,
                "returnLines": [{"returnOrderLineNumber": 1}],
                "labels": [{"carrierInfoList": [{"carrierName": "FEDEX", "trackingNo": f"7856{given.number[-8:]}"}]}],
                "returnExpectedFlag": True,
            }
        ],
        "returnOrderLines": [
            {
                "returnOrderLineNumber": 1,
                "salesOrderLineNumber": int(given.line.number),
                "returnReason": "NO_LONGER_WANTED",
                "purchaseOrderId": given.order.number,
                "purchaseOrderLineNumber": int(given.line.number),
                "item": {"sku": given.line.item.sku, "productName": given.line.item.title},
                "unitPrice": price,
                "quantity": units,
                "returnExpectedFlag": True,
                "isKeepIt": False,
                "currentTrackingStatuses": [
                    {"status": given.status, "statusTime": iso(given.modified), "quantity": units}
                ],
                "currentDeliveryStatus": "NOT_SHIPPED",
                "currentRefundStatus": "NOT_REFUNDED",
            }
        ],
    }
