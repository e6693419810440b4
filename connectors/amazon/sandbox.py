"""The Amazon sandbox: a fake of the Selling Partner API for one seller, built from its published models.

Beside what every sandbox offers it has a queue that speaks SQS and the shopper's and seller's other
hands: `ask_to_cancel`, `open_return`, `stock_fba` and `sell_fba`, `revoke` (the authorisation).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.amazon.fake import notices, table
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
from connectors.amazon.fake.replies import Refusal, over_quota, storage_error
from connectors.amazon.fake.report_rows import ReportWriter, Returned
from connectors.amazon.fake.reports_wire import Report, ReportsWire
from connectors.amazon.fake.routes import Operations
from connectors.amazon.fake.stockroom import MERCHANT, Listing, Stockroom
from connectors.amazon.fake.xml_feeds import XmlFeeds
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import Sandbox

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
        self.operations = Operations(self.gate, self.random, self.work)

    async def started(self) -> None:
        self.documents.base = self.base_url
        self.queue.stops_with(self.stopping)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        account = AccountWire(self.market, SELLER, self.xml_feeds)
        served = [
            *table.orders(self.order_wire),
            *table.listings(self.listings),
            *table.feeds(self.feeds),
            *table.reports(self.reports),
            *table.notices(self.notices),
            *table.business(account, self.fba),
        ]
        return [
            web.post("/auth/o2/token", self.operations.open(self.gate.token)),
            web.post("/", self.queue.handle),
            web.post(QUEUE, self.queue.handle),
            web.put(f"{DOCUMENTS}/{{key}}", self.documents.upload),
            web.get(f"{DOCUMENTS}/{{key}}", self.documents.download),
            *self.operations.routes(served),
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
            {
                "id": each.number,
                "lines": [(line.sku, line.units) for line in each.lines],
                "state": each.state,
                "parcels": [
                    {
                        "carrier": package.carrier,
                        "numbers": [package.tracking],
                        "lines": [(skus[number], units) for number, units in package.lines.items()],
                    }
                    for skus in ({line.number: line.sku for line in each.lines},)
                    for package in each.packages.values()
                ],
            }
            for each in self.book.all()
        ]

    async def settle(self) -> None:
        """Payments cleared, numbers live, feeds done, and the queue empty if anybody reads it. Bounded."""
        for _ in range(SETTLE_STEPS):
            self.work()
            unread = self.queue.served and self.queue.messages
            if not (unread or self.stockroom.waits or self.feeds.waits or self.book.waits):
                return
            await self.clock.sleep(SETTLE_STEP_S)
            await asyncio.sleep(0)

    @property
    def webhooks_pending(self) -> int:
        return len(self.queue.messages)

    def drop_scope(self) -> None:
        self.gate.roles = False

    async def writes(self, request: web.Request) -> bool:
        return self.operations.name(request) in WRITES

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        """Amazon promises no Retry-After: the rate stands in its own header, on some refusals."""
        if self._is_queue(request):
            return QueueError(400, "ThrottlingException", "Rate exceeded").response()
        if request.path.startswith(DOCUMENTS):
            return storage_error(503, "SlowDown", "Please reduce your request rate.")
        operation = self.operations.name(request)
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
