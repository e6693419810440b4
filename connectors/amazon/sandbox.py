"""The Amazon sandbox: a fake of the Selling Partner API for one seller, built from its published models.

Beside what every sandbox offers it has a queue that speaks SQS and the shopper's and seller's other
hands: `ask_to_cancel`, `open_return`, `stock_fba` and `sell_fba`, `revoke` (the authorisation).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.amazon.fake import notices
from connectors.amazon.fake.account_wire import AccountWire
from connectors.amazon.fake.documents import PREFIX as DOCUMENTS
from connectors.amazon.fake.documents import Documents
from connectors.amazon.fake.fba_wire import FbaWire
from connectors.amazon.fake.feeds_wire import CANCELLATIONS, LISTINGS, REFUNDS, Feed, FeedsWire
from connectors.amazon.fake.gate import Gate
from connectors.amazon.fake.listings_feed import ListingsFeed
from connectors.amazon.fake.listings_wire import ListingsWire
from connectors.amazon.fake.marketplaces import MARKETPLACES, US
from connectors.amazon.fake.notices_wire import NoticesWire
from connectors.amazon.fake.orderbook import Order, OrderBook, Package
from connectors.amazon.fake.orders_wire import OrdersWire
from connectors.amazon.fake.queue import PATH as QUEUE
from connectors.amazon.fake.queue import Queue, QueueError
from connectors.amazon.fake.rates import Buckets
from connectors.amazon.fake.replies import LIMIT_HEADER, Refusal, over_quota, storage_error
from connectors.amazon.fake.report_rows import ReportWriter, Returned
from connectors.amazon.fake.reports_wire import Report, ReportsWire
from connectors.amazon.fake.stockroom import MERCHANT, Listing, Stockroom
from connectors.amazon.fake.xml_feeds import XmlFeeds
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import Sandbox

Handler = Callable[[web.Request], Awaitable[web.Response]]

SELLER: Final = "A2SANDBOXSELLER"
CLIENT_ID: Final = "amzn1.application-oa2-client.sandbox"
CLIENT_SECRET: Final = "amzn1.oa2-cs.v1.sandbox-amazon-client-secret"  # noqa: S105  # of the sandbox alone
REFRESH_TOKEN: Final = "Atzr|sandbox-amazon-refresh-token"  # noqa: S105  # of the sandbox alone
ACCESS_KEY: Final = "AKIASANDBOXAMAZON000"
SECRET_KEY: Final = "sandbox-amazon-queue-secret-key-000000000"  # noqa: S105  # of the sandbox alone
QUEUE_ACCOUNT: Final = "123456789012"
QUEUE_NAME: Final = "trunkline-notifications"
BUSY: Final = 20.0
"""The grant behind `account_section`: getOrder then sustains 10 requests a second."""
PATTERN: Final = re.compile(r":[^{}]+}")
"""What a path parameter is made of; aiohttp names a resource without it."""
SETTLE_STEPS: Final = 200
SETTLE_STEP_S: Final = 0.05
WRITES: Final = frozenset({"confirmShipment", "patchListingsItem", "createFeed", "cancelFeed"})
"""Operations that change the seller's business; documents, reports and subscriptions do not."""


class AmazonSandbox(Sandbox):
    """One seller on one marketplace. See the base class for how it is used.

    Args:
        grant: Multiplies the published usage plans, as Amazon does for busy sellers.
    """

    name: ClassVar[str] = "amazon"

    def __init__(
        self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None, grant: float = 1.0
    ) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.pending_s = 0.8
        """How long a checkout waits for its payment."""
        self.market = MARKETPLACES[US]
        self.buckets = Buckets(self.clock, grant)
        self.gate = Gate(CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, self.clock, self.faults, self.buckets)
        self.stockroom = Stockroom(self.clock, self.market, self._quantity_changed)
        self.book = OrderBook(seed)
        self.queue = Queue(QUEUE_ACCOUNT, QUEUE_NAME, ACCESS_KEY, self.clock, self.faults)
        self.queue.before_look = self.work
        self.notices = NoticesWire(self.queue, self.clock, seed)
        self.order_wire = OrdersWire(self.book, self.clock, self.faults, self._order_changed)
        self.listings = ListingsWire(self.stockroom, SELLER, self.faults)
        self.xml_feeds = XmlFeeds(self.book, SELLER, self.clock, self.faults, self._order_changed)
        self.documents = Documents(self.clock)
        workers = {
            LISTINGS: ListingsFeed(self.listings, SELLER, self.faults).work,
            CANCELLATIONS: self.xml_feeds.cancel,
            REFUNDS: self.xml_feeds.refund,
        }
        self.feeds = FeedsWire(self.documents, self.clock, self.faults, self.buckets, workers, self._feed_finished)
        self.writer = ReportWriter(self.stockroom)
        self.reports = ReportsWire(self.documents, self.clock, self.writer, self._report_finished)
        self.fba = FbaWire(self.stockroom)
        self.account = AccountWire(self.market, SELLER, self.xml_feeds)
        self._operations: dict[tuple[str, str], str] = {}

    async def started(self) -> None:
        self.documents.base = self.base_url
        self.queue.stops_with(self.stopping)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        self._operations.clear()
        return [
            web.post("/auth/o2/token", self._open(self.gate.token)),
            web.post("/", self.queue.handle),
            web.post(QUEUE, self.queue.handle),
            web.put(f"{DOCUMENTS}/{{key}}", self.documents.upload),
            web.get(f"{DOCUMENTS}/{{key}}", self.documents.download),
            *self._order_routes(),
            *self._listing_routes(),
            *self._feed_routes(),
            *self._report_routes(),
            *self._notice_routes(),
            self._on("getInventorySummaries", "GET", "/fba/inventory/v1/summaries", self.fba.summaries),
            self._on(
                "getMarketplaceParticipations",
                "GET",
                "/sellers/v1/marketplaceParticipations",
                self.account.participations,
            ),
            self._on(
                "createRestrictedDataToken",
                "POST",
                "/tokens/2021-03-01/restrictedDataToken",
                self.account.restricted_token,
            ),
            self._on("listTransactions", "GET", "/finances/2024-06-19/transactions", self.account.transactions),
        ]

    def account_section(self, *, grant: float = BUSY) -> dict[str, Any]:
        """`grant` raises the usage plans; 1 leaves them as they are."""
        self.buckets.grant = max(self.buckets.grant, grant)
        return {
            "connector": self.name,
            "base_url": self.base_url,
            "auth_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "refresh_token": REFRESH_TOKEN,
                "aws_access_key_id": ACCESS_KEY,
                "aws_secret_access_key": SECRET_KEY,
            },
            "options": {
                "region": self.market.region,
                "seller_id": SELLER,
                "marketplace_ids": [self.market.id],
                "queue_url": f"{self.base_url}/queue/{QUEUE_ACCOUNT}/{QUEUE_NAME}",
            },
            "locations": {MERCHANT: "main"},
        }

    def work(self) -> None:
        """Do what is due by now: payments, submitted numbers, feeds, reports."""
        now = self.clock.now()
        for order in self.book.due(now):
            self.book.clear(order, order.clears or now)
            self._order_changed("cleared", order)
        self.stockroom.work()
        self.feeds.work()
        self.reports.work()

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        self.stockroom.set(sku, quantity, title=title)
        self.record("stock.set", sku=sku, quantity=quantity)

    def stock_fba(self, sku: str, quantity: int, *, title: str = "") -> None:
        """Units of a SKU in Amazon's own warehouses."""
        listing = self.stockroom.set_fba(sku, quantity, title=title)
        self.notices.publish(notices.FBA_CHANGE, notices.fba_change(listing, SELLER))

    def shown(self, sku: str) -> int:
        self.work()
        listing = self.stockroom.listings.get(sku)
        if listing is None:
            raise LookupError(f"no listing {sku}")
        return (listing.fba or 0) if listing.available is None else listing.available

    def skus(self) -> Sequence[str]:
        return list(self.stockroom.listings)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        """A checkout of the seller's own stock: PENDING, and UNSHIPPED once the payment is authorised."""
        return self._checkout(lines, fba=False)

    async def sell_fba(self, lines: Sequence[tuple[str, int]]) -> str | None:
        """A checkout that Amazon ships from its own warehouses."""
        return self._checkout(lines, fba=True)

    async def cancel(self, order_id: str) -> None:
        """The buyer cancels, which works until it is shipped. Nothing goes back to the number shown."""
        order = self.book.orders[order_id]
        if self.book.cancel(order, "BUYER", "BUYER_CANCELED", self.clock.now()):
            self._order_changed("cancelled", order)

    async def ask_to_cancel(self, order_id: str) -> None:
        """The buyer asks; nothing is cancelled yet."""
        order = self.book.orders[order_id]
        order.touch(self.clock.now())
        for line in order.lines:
            line.request = {"requester": "BUYER", "cancelReason": "NO_LONGER_NEEDED"}
        self._announce(order, "BuyerRequestedChange", "Buyer Requested Cancel")

    async def ship(self, order_id: str) -> None:
        """The seller ships in Seller Central; Amazon's own orders are shipped by Amazon."""
        self.work()
        order, now = self.book.orders[order_id], self.clock.now()
        if order.pending:
            self.book.clear(order, now)
        units = {line.number: line.open for line in order.lines if line.open}
        if not units:
            return
        if order.merchant:
            tracking = f"1Z999AA1{order_id.replace('-', '')[-9:]}"
            self.book.pack(order, Package(self._reference(order), "UPS", "Ground", tracking, now, now, units), now)
        else:
            order.touch(now)
            for line in order.lines:
                line.shipped = line.units
        self._order_changed("shipped", order)

    async def open_return(self, order_id: str, units: int = 1, *, reason: str = "AMZ-PG-BAD-DESC") -> str:
        """The shopper sends units of the first line back; it stands in the next returns report."""
        order = self.book.orders[order_id]
        number = f"D{len(self.writer.returns) + 1:08d}RRMA"
        self.writer.returns.append(Returned(number, order, order.lines[0], units, self.clock.now(), reason))
        return number

    async def revoke(self) -> None:
        """The seller withdraws the authorisation."""
        self.gate.revoke()

    def orders(self) -> Sequence[Mapping[str, Any]]:
        self.work()
        return [
            {"id": each.number, "lines": [(line.sku, line.units) for line in each.lines], "state": each.state}
            for each in self.book.all()
        ]

    async def settle(self) -> None:
        """Payments cleared, numbers live, feeds done, and the queue empty if anybody reads it. Bounded."""
        for _ in range(SETTLE_STEPS):
            self.work()
            unread = self.queue.served and self.queue.messages
            if not (unread or self.stockroom.waits or self.feeds.waits or self._pending()):
                return
            await self.clock.sleep(SETTLE_STEP_S)
            await asyncio.sleep(0)

    @property
    def webhooks_pending(self) -> int:
        return len(self.queue.messages)

    def drop_scope(self) -> None:
        self.gate.roles = False

    async def writes(self, request: web.Request) -> bool:
        return self._operation(request) in WRITES

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        """Amazon promises no Retry-After: the rate stands in its own header, on some refusals."""
        if self._is_queue(request):
            return QueueError(400, "ThrottlingException", "Rate exceeded").response()
        if request.path.startswith(DOCUMENTS):
            return storage_error(503, "SlowDown", "Please reduce your request rate.")
        operation = self._operation(request)
        response = over_quota(
            self.buckets.rate(operation) if operation and retry_after is not None else None
        ).response()
        if operation is None and retry_after is not None:
            # The login is no operation with a usage plan; it waits as the web has it.
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:
        if self._is_queue(request):
            return QueueError(500, "InternalFailure", "We encountered an internal error.").response()
        if request.path.startswith(DOCUMENTS):
            return storage_error(500, "InternalError", "We encountered an internal error.")
        return Refusal(503, "ServiceUnavailable", "Service is temporarily unavailable.").response()

    def _order_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/orders/2026-01-01/orders", self.order_wire
        confirmation = "/orders/v0/orders/{order}/shipmentConfirmation"
        return [
            self._on("searchOrders", "GET", base, wire.search),
            self._on("getOrder", "GET", f"{base}/{{order}}", wire.read),
            self._on("confirmShipment", "POST", confirmation, wire.confirm),
        ]

    def _listing_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/listings/2021-08-01/items/{seller}", self.listings
        # A SKU may hold an encoded slash; only the last part of the path is the SKU.
        one = f"{base}/{{sku:.+}}"
        return [
            self._on("searchListingsItems", "GET", base, wire.search),
            self._on("getListingsItem", "GET", one, wire.read),
            self._on("patchListingsItem", "PATCH", one, wire.patch),
        ]

    def _feed_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/feeds/2021-06-30", self.feeds
        return [
            self._on("getFeeds", "GET", f"{base}/feeds", wire.find),
            self._on("createFeed", "POST", f"{base}/feeds", wire.create),
            self._on("getFeed", "GET", f"{base}/feeds/{{feed}}", wire.read),
            self._on("cancelFeed", "DELETE", f"{base}/feeds/{{feed}}", wire.cancel),
            self._on("createFeedDocument", "POST", f"{base}/documents", wire.create_document),
            self._on("getFeedDocument", "GET", f"{base}/documents/{{document}}", wire.read_document),
        ]

    def _report_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/reports/2021-06-30", self.reports
        return [
            self._on("getReports", "GET", f"{base}/reports", wire.find),
            self._on("createReport", "POST", f"{base}/reports", wire.create),
            self._on("getReport", "GET", f"{base}/reports/{{report}}", wire.read),
            self._on("cancelReport", "DELETE", f"{base}/reports/{{report}}", wire.cancel),
            self._on("getReportDocument", "GET", f"{base}/documents/{{document}}", wire.read_document),
        ]

    def _notice_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/notifications/v1", self.notices
        destinations, kind = f"{base}/destinations", f"{base}/subscriptions/{{kind}}"
        return [
            self._on("getDestinations", "GET", destinations, wire.list_destinations),
            self._on("createDestination", "POST", destinations, wire.create_destination),
            self._on("getDestination", "GET", f"{destinations}/{{number}}", wire.read_destination),
            self._on("deleteDestination", "DELETE", f"{destinations}/{{number}}", wire.delete_destination),
            self._on("getSubscription", "GET", kind, wire.read_subscription),
            self._on("createSubscription", "POST", kind, wire.create_subscription),
            self._on("getSubscriptionById", "GET", f"{kind}/{{number}}", wire.read_subscription_by_id),
            self._on("deleteSubscriptionById", "DELETE", f"{kind}/{{number}}", wire.delete_subscription),
        ]

    def _on(self, operation: str, method: str, path: str, handler: Handler) -> web.AbstractRouteDef:
        """A path behind token, role and usage plan."""

        async def handle(request: web.Request) -> web.Response:
            self.gate.admit(request, operation)
            self.work()
            response = await handler(request)
            response.headers[LIMIT_HEADER] = self.buckets.rate(operation)
            return response

        self._operations[method, PATTERN.sub("}", path)] = operation
        return web.route(method, path, self._open(handle))

    def _open(self, handler: Handler) -> Handler:
        """Amazon's own words for refusals, and its request id on every answer."""

        async def handle(request: web.Request) -> web.Response:
            try:
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response()
            response.headers["x-amzn-RequestId"] = f"{self.random.getrandbits(128):032x}"
            return response

        return handle

    def _operation(self, request: web.Request) -> str | None:
        resource = request.match_info.route.resource
        template = "" if resource is None else resource.canonical
        return self._operations.get((request.method, template))

    @staticmethod
    def _is_queue(request: web.Request) -> bool:
        return "X-Amz-Target" in request.headers

    def _checkout(self, lines: Sequence[tuple[str, int]], *, fba: bool) -> str | None:
        taken: list[tuple[str, int]] = []
        for sku, units in lines:
            if not self.stockroom.take(sku, units, fba=fba):
                for held, count in taken:
                    self.stockroom.give_back(held, count, fba=fba)
                return None
            taken.append((sku, units))
        listings = [(self.stockroom.listings[sku], units) for sku, units in taken]
        facts = [(each.sku, each.asin, each.title, each.price, units) for each, units in listings]
        now = self.clock.now()
        clears = now + timedelta(seconds=self.pending_s)
        order = self.book.new(facts, self.market, now, merchant=not fba, clears=clears)
        self._order_changed("created", order)
        return order.number

    def _reference(self, order: Order) -> str:
        """A package reference the seller's own pages have not used yet."""
        return str(max((int(each) for each in order.packages), default=0) + 1)

    def _pending(self) -> bool:
        return any(each.pending and each.clears is not None for each in self.book.all())

    def _order_changed(self, what: str, order: Order) -> None:
        lines = [[line.sku, line.units] for line in order.lines]
        self.record(f"order.{what}", order=order.number, lines=lines)
        self._announce(order, "OrderStatusChange", "Order Status Changed")

    def _announce(self, order: Order, change: str, reason: str) -> None:
        payload = notices.order_change(order, SELLER, change, reason, self.clock.now())
        self._published(notices.ORDER_CHANGE, payload, change=change)

    def _quantity_changed(self, listing: Listing) -> None:
        self._published(notices.QUANTITY_CHANGE, notices.quantity_change(listing, SELLER))

    def _feed_finished(self, feed: Feed) -> None:
        self.record("feed.finished", feed=feed.number, status=feed.status)
        self._published(notices.FEED_FINISHED, notices.feed_finished(feed, SELLER))

    def _report_finished(self, report: Report) -> None:
        self._published(notices.REPORT_FINISHED, notices.report_finished(report, SELLER))

    def _published(self, kind: str, payload: Mapping[str, Any], *, change: str = "") -> None:
        became = self.notices.publish(kind, payload, change=change)
        if became is not None:
            self.record("notification.published", topic=kind, became=became)
