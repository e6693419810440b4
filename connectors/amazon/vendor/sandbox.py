"""The vendor sandbox: a fake of Amazon's vendor interfaces for one vendor, built from their models.

A shopper's purchase is a direct order (`sell`); Amazon's own purchase is a purchase order (`order_goods`), which it
may change afterwards (`change`). Beside what every sandbox offers there is the vendor's other hand: `acknowledge`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.amazon.fake.gate import EXPIRED, Gate
from connectors.amazon.fake.replies import (
    LIMIT_HEADER,
    Refusal,
    answer,
    body_of,
    count_in,
    denied,
    invalid,
    missing,
    only,
    over_quota,
)
from connectors.amazon.vendor.sandbox_orderbook import Order, OrderBook
from connectors.amazon.vendor.sandbox_pages import accepted, page, within
from connectors.amazon.vendor.sandbox_plans import VendorBuckets
from connectors.amazon.vendor.sandbox_submissions import Submissions, Transaction
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import Sandbox

VENDOR: Final = "999US"
WAREHOUSE: Final = "WH01"
CLIENT_ID: Final = "amzn1.application-oa2-client.vendor-sandbox"
CLIENT_SECRET: Final = "vendor-sandbox-secret-4b1d"  # noqa: S105  # the sandbox's own
REFRESH_TOKEN: Final = "Atzr|vendor-sandbox-refresh-77aa"  # noqa: S105  # as above
DIRECT: Final = "/vendor/directFulfillment/orders/2021-12-28"
PAGING: Final = {"limit", "sortOrder", "nextToken", "includeDetails"}
Handler = Callable[[web.Request], Awaitable[web.Response]]


class AmazonVendorSandbox(Sandbox):
    """One vendor with one warehouse. See the base class for how it is used."""

    name: ClassVar[str] = "amazon_vendor"

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.gate = Gate(
            CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, self.clock, self.faults, VendorBuckets(self.clock, grant=10.0)
        )
        self.numbers: dict[str, int] = {}
        self.book = OrderBook(VENDOR)
        self.submissions = Submissions(self.book, self.numbers, self.clock, self.faults)
        self._restricted: dict[str, datetime] = {}
        self._fresh: set[str] = set()

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        retail, shipping = "/vendor/orders/v1", "/vendor/shipping/v1"
        taken = self._taken
        made = self.submissions
        return [
            web.post("/auth/o2/token", self.gate.token),
            web.post("/tokens/2021-03-01/restrictedDataToken", self._open("createRestrictedDataToken", self._permit)),
            web.get(f"{retail}/purchaseOrders", self._open("getPurchaseOrders", self._retail_orders)),
            web.get(f"{retail}/purchaseOrders/{{number}}", self._open("getPurchaseOrder", self._retail_order)),
            web.get(f"{retail}/purchaseOrdersStatus", self._open("getPurchaseOrdersStatus", self._statuses)),
            web.post(
                f"{retail}/acknowledgements", self._open("submitAcknowledgement", taken(made.retail_acknowledgement))
            ),
            web.post(
                f"{shipping}/shipmentConfirmations",
                self._open("SubmitShipmentConfirmations", taken(made.retail_confirmation)),
            ),
            web.get(f"{shipping}/shipments", self._open("GetShipmentDetails", self._shipments)),
            web.get("/vendor/transactions/v1/transactions/{id}", self._open("getTransaction", self._transaction)),
            web.get(f"{DIRECT}/purchaseOrders", self._open("direct.getOrders", self._direct_orders, restricted=True)),
            web.get(
                f"{DIRECT}/purchaseOrders/{{number}}",
                self._open("direct.getOrder", self._direct_order, restricted=True),
            ),
            web.post(
                f"{DIRECT}/acknowledgements",
                self._open("direct.submitAcknowledgement", taken(made.direct_acknowledgement)),
            ),
            web.post(
                "/vendor/directFulfillment/shipping/2021-12-28/shipmentConfirmations",
                self._open("direct.submitShipmentConfirmations", taken(made.direct_confirmation, bare=True)),
            ),
            web.post(
                "/vendor/directFulfillment/inventory/v1/warehouses/{warehouse}/items",
                self._open("direct.submitInventoryUpdate", self._inventory),
            ),
            web.get(
                "/vendor/directFulfillment/transactions/2021-12-28/transactions/{id}",
                self._open("direct.getTransactionStatus", self._transaction),
            ),
        ]

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": self.name,
            "base_url": self.base_url,
            "auth_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "refresh_token": REFRESH_TOKEN,
            },
            "options": {
                "region": "na",
                "marketplace_ids": ["ATVPDKIKX0DER"],
                "vendor_code": VENDOR,
                "warehouses": [WAREHOUSE],
                "items": list(self.numbers),
            },
            "locations": {WAREHOUSE: "main"},
        }

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:  # noqa: ARG002  # Amazon has its own titles
        self.numbers[sku] = quantity
        self.record("stock.set", sku=sku, quantity=quantity)

    def shown(self, sku: str) -> int:
        return self.numbers[sku]

    def skus(self) -> Sequence[str]:
        return list(self.numbers)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        if any(self.numbers.get(sku, 0) < units for sku, units in lines):
            return None
        for sku, units in lines:
            self.numbers[sku] -= units
        order = self.book.new(lines, self.clock.now(), WAREHOUSE, direct=True)
        self.record("order.created", order=order.number, lines=[[sku, units] for sku, units in lines])
        return order.number

    async def order_goods(self, lines: Sequence[tuple[str, int]], *, cases: int | None = None) -> str:
        """Amazon buys wholesale, in cases of that size or in eaches; gives the purchase order's number."""
        return self.book.new(lines, self.clock.now(), "", direct=False, cases=cases).number

    def change(self, number: str, sku: str, amount: int) -> None:
        """Amazon changes a line of its purchase order; nought cancels it."""
        order = self.book.orders[number]
        for line in order.lines:
            if line.sku == sku:
                line.amount = amount
        order.changed_at = self.clock.now()

    async def acknowledge(self, order_id: str) -> None:
        """The vendor accepts by hand."""
        order = self.book.orders[order_id]
        for line in order.lines:
            line.said = [("Accepted", line.amount)]
        order.move("ACCEPTED" if order.direct else "Acknowledged", self.clock.now())

    async def cancel(self, order_id: str) -> None:
        order = self.book.orders[order_id]
        if order.direct:
            for line in order.lines:
                self.numbers[line.sku] += line.amount
            order.move("CANCELLED", self.clock.now())
            return
        for line in order.lines:
            self.change(order_id, line.sku, 0)

    async def ship(self, order_id: str) -> None:
        order = self.book.orders[order_id]
        order.move("SHIPPED" if order.direct else "Closed", self.clock.now())

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return self.book.listed()

    def drop_scope(self) -> None:
        self.gate.roles = False

    async def writes(self, request: web.Request) -> bool:
        return request.method != "GET" and not request.path.startswith(("/auth/", "/tokens/"))

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002  # the words are the same everywhere
        response = over_quota("10").response()
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002  # as above
        return Refusal(503, "ServiceUnavailable", "The service is temporarily unavailable.").response()

    def _open(self, operation: str, handler: Handler, *, restricted: bool = False) -> Handler:
        """A path behind token, role and usage plan."""

        async def handle(request: web.Request) -> web.Response:
            try:
                if restricted:
                    self._admit_restricted(request, operation)
                else:
                    self.gate.admit(request, operation)
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response()
            response.headers[LIMIT_HEADER] = self.gate.buckets.rate(operation)
            return response

        return handle

    def _admit_restricted(self, request: web.Request, operation: str) -> None:
        """People are shown for a restricted token alone; a fresh one is never called expired at its first use."""
        value = request.headers.get("x-amz-access-token", "")
        ends = self._restricted.get(value)
        if ends is None:
            raise denied("A restricted data token is required.")
        fresh = value in self._fresh
        self._fresh.discard(value)
        if ends <= self.clock.now() or (not fresh and self.faults.hit("expired_token")):
            raise denied(EXPIRED)
        if not self.gate.roles or self.gate.revoked:
            raise denied()
        self.gate.buckets.take(operation)

    async def _permit(self, request: web.Request) -> web.Response:
        resources = (await body_of(request)).get("restrictedResources")
        if not isinstance(resources, list) or not 1 <= len(resources) <= 50:
            raise invalid("restrictedResources: 1 to 50 are required")
        for resource in resources:
            if resource.get("method") != "GET" or not str(resource.get("path")).startswith(DIRECT):
                raise invalid("restrictedResources: not a restricted operation")
        value = f"Atz.sprdt|vendor-{len(self._restricted) + 1}"
        self._restricted[value] = self.clock.now() + timedelta(hours=1)
        self._fresh.add(value)
        return answer({"restrictedDataToken": value, "expiresIn": 3600})

    async def _retail_orders(self, request: web.Request) -> web.Response:
        times = {"createdAfter", "createdBefore", "changedAfter", "changedBefore"}
        filters = {"poItemState", "isPOChanged", "purchaseOrderState", "orderingVendorCode"}
        only(request, PAGING | times | filters)
        found = [order for order in self.book.of(direct=False) if within(request, "created", order.made_at)]
        found = [order for order in found if within(request, "changed", order.changed_at)]
        code = request.query.get("orderingVendorCode")
        found = [order for order in found if code in (None, order.vendor)]
        return answer({"payload": page(request, found)})

    async def _direct_orders(self, request: web.Request) -> web.Response:
        only(request, PAGING | {"shipFromPartyId", "status", "createdAfter", "createdBefore"})
        if not {"createdAfter", "createdBefore"} <= set(request.query):
            raise invalid("createdAfter and createdBefore are required")
        found = [order for order in self.book.of(direct=True) if within(request, "created", order.made_at)]
        return answer(page(request, found))

    async def _retail_order(self, request: web.Request) -> web.Response:
        return answer({"payload": self._known(request, direct=False).shown()})

    async def _direct_order(self, request: web.Request) -> web.Response:
        return answer(self._known(request, direct=True).shown())

    async def _statuses(self, request: web.Request) -> web.Response:
        number = request.query.get("purchaseOrderNumber")
        found = [order.status() for order in self.book.of(direct=False) if number in (None, order.number)]
        return answer({"payload": {"ordersStatus": found[: count_in(request, "limit", 100, 100)]}})

    async def _shipments(self, request: web.Request) -> web.Response:
        name = request.query.get("vendorShipmentIdentifier")
        found = [
            {"vendorShipmentIdentifier": known, "transactionType": "New", "currentShipmentStatus": "Shipped"}
            for known in self.submissions.shipments
            if name in (None, known)
        ]
        return answer({"payload": {"shipments": found[: count_in(request, "limit", 50, 50)]}})

    async def _inventory(self, request: web.Request) -> web.Response:
        warehouse = request.match_info["warehouse"]
        if warehouse != WAREHOUSE:
            raise invalid(f"Unknown warehouse {warehouse}")
        return accepted(self.submissions.inventory(warehouse, await body_of(request)))

    async def _transaction(self, request: web.Request) -> web.Response:
        found = self.submissions.transactions.get(request.match_info["id"])
        if found is None:
            raise missing("Unknown transaction")
        body = {"transactionStatus": found.shown(self.clock.now())}
        return answer(body if found.direct else {"payload": body})

    def _taken(self, apply: Callable[[Mapping[str, Any]], Transaction], *, bare: bool = False) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            return accepted(apply(await body_of(request)), bare=bare)

        return handle

    def _known(self, request: web.Request, *, direct: bool) -> Order:
        order = self.book.get(request.match_info["number"], direct=direct)
        if order is None:
            raise missing("Unknown purchase order")
        return order
