"""GET /v3/orders: filters, defaults and cursors.

Source: Walmart orders OpenAPI document, GET /v3/orders (2026-06).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.walmart.fake.orderbook import Order, OrderBook
from connectors.walmart.fake.replies import ORDER_API, Refusal, answer, bad_parameter, iso, missing

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 200
CREATED_DEFAULT: Final = timedelta(days=7)
HISTORY: Final = timedelta(days=180)
ROWS_MAX: Final = 20_000
STATUSES: Final = ("Created", "Acknowledged", "Shipped", "Delivered", "Cancelled")
NODE_TYPES: Final = ("SellerFulfilled", "WFSFulfilled", "3PLFulfilled")
KNOWN: Final = frozenset(
    {
        "sku", "customerOrderId", "purchaseOrderId", "status", "createdStartDate", "createdEndDate",
        "fromExpectedShipDate", "toExpectedShipDate", "lastModifiedStartDate", "lastModifiedEndDate", "limit",
        "productInfo", "shipNodeType", "shippingProgramType", "replacementInfo", "orderType",
    }
)  # fmt: skip


class OrderList:
    """Lists of one seller's orders. `rows_max` may be lowered to meet the limit with few orders."""

    def __init__(self, book: OrderBook, clock: Clock, faults: Faults) -> None:
        self._book = book
        self._clock = clock
        self._faults = faults
        self.rows_max = ROWS_MAX

    async def find(self, request: web.Request) -> web.Response:
        raw = "?" + request.raw_path.partition("?")[2]
        limit = self._limit(request)
        if "hasMoreElements" in request.query:
            numbers = self._book.recall(raw)
            if numbers is None:
                # A cursor that was taken apart and rebuilt is not ours: its filters are read, its place is lost.
                numbers = self._find(request.query)
        else:
            for name in request.query:
                if name not in KNOWN:
                    raise bad_parameter(name, "The query parameter input is not supported", ORDER_API)
            numbers = self._find(request.query)
        if not numbers:
            raise missing("Orders not found for given search parameters", ORDER_API)
        return answer({"list": self._page(numbers, limit, request.query)})

    async def released(self, request: web.Request) -> web.Response:
        """Only orders with lines still `Created`."""
        numbers = self._find({**request.query, "status": "Created"})
        if not numbers:
            raise missing("Orders not found for given search parameters", ORDER_API)
        return answer({"list": self._page(numbers, self._limit(request), request.query)})

    def _page(self, numbers: list[str], limit: int, query: Mapping[str, str]) -> dict[str, Any]:
        shown, rest = numbers[:limit], numbers[limit:]
        total = int(query.get("soIndex", len(numbers)))
        cursor = None
        if rest:
            place = total - len(rest)
            kept = {name: value for name, value in query.items() if name in KNOWN and name != "limit"}
            filters = "".join(f"&{name}={value}" for name, value in kept.items())
            cursor = (
                f"?limit={limit}&hasMoreElements=true&soIndex={total}&poIndex={place}"
                f"&partnerId=10000000359&sellerId=8{filters}"
            )
            self._book.remember(cursor, rest)
        return {
            "meta": {"totalCount": total, "limit": limit, "nextCursor": cursor},
            "elements": {"order": [self._shown(self._book.orders[number]) for number in shown]},
        }

    def _shown(self, order: Order) -> dict[str, Any]:
        if order.before is not None and order.is_fresh(self._clock.now()) and self._faults.hit("late_read"):
            return order.before
        return order.to_json()

    def _find(self, query: Mapping[str, str]) -> list[str]:
        wanted = _Filter(query, self._clock.now())
        found = [order for order in self._book.all() if wanted.takes(order)]
        if len(found) > self.rows_max:
            text = f"The query finds more than {self.rows_max} orders; narrow its dates"
            raise Refusal(400, "INVALID_REQUEST_PARAM", text, api=ORDER_API, field="lastModifiedStartDate")
        now = self._clock.now()
        if any(order.is_fresh(now) for order in found) and self._faults.hit("late_read"):
            found = [order for order in found if not order.is_fresh(now)]
        return [order.number for order in sorted(found, key=lambda order: (order.modified, order.number))]

    @staticmethod
    def _limit(request: web.Request) -> int:
        text = request.query.get("limit", str(LIMIT_DEFAULT))
        if not text.isdigit() or not 1 <= int(text) <= LIMIT_MAX:
            raise bad_parameter("limit", f"limit must be between 1 and {LIMIT_MAX}", ORDER_API)
        return int(text)


class _Filter:
    """The query's filters, defaults applied."""

    def __init__(self, query: Mapping[str, str], now: datetime) -> None:
        self._query = query
        self._created_from = _date(query, "createdStartDate") or now - CREATED_DEFAULT
        self._created_to = _date(query, "createdEndDate") or now
        self._modified_from = _date(query, "lastModifiedStartDate")
        self._modified_to = _date(query, "lastModifiedEndDate")
        self._node_type = query.get("shipNodeType", NODE_TYPES[0])
        if self._created_from < now - HISTORY:
            text = f"createdStartDate must not be before {iso(now - HISTORY)}"
            raise bad_parameter("createdStartDate", text, ORDER_API)
        if self._node_type not in NODE_TYPES:
            raise bad_parameter("shipNodeType", f"shipNodeType is one of {', '.join(NODE_TYPES)}", ORDER_API)
        if query.get("status", STATUSES[0]) not in STATUSES:
            raise bad_parameter("status", f"status is one of {', '.join(STATUSES)}", ORDER_API)

    def takes(self, order: Order) -> bool:
        return order.ship_node_type == self._node_type and self._in_time(order) and self._named(order)

    def _in_time(self, order: Order) -> bool:
        if not self._created_from <= order.created <= self._created_to:
            return False
        if self._modified_from is not None and order.modified < self._modified_from:
            return False
        # Queries have whole seconds: the last one counts to its end.
        return self._modified_to is None or order.modified < self._modified_to + timedelta(seconds=1)

    def _named(self, order: Order) -> bool:
        query = self._query
        if query.get("purchaseOrderId", order.number) != order.number:
            return False
        if query.get("customerOrderId", order.customer_number) != order.customer_number:
            return False
        if "sku" in query and all(line.item.sku != query["sku"] for line in order.lines):
            return False
        return "status" not in query or any(line.count(query["status"]) for line in order.lines)


def _date(query: Mapping[str, str], name: str) -> datetime | None:
    """yyyy-MM-dd or yyyy-MM-ddTHH:mm:ssZ; milliseconds belong into bodies."""
    text = query.get(name)
    if text is None:
        return None
    for pattern in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise bad_parameter(name, f"{name} must be yyyy-MM-dd or yyyy-MM-dd'T'HH:mm:ssZ", ORDER_API)
