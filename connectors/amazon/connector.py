"""The Amazon connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from connectors.amazon import check, manifest, settings, topics
from connectors.amazon.api import Api
from connectors.amazon.catalogue import Catalogue
from connectors.amazon.effects import Effects
from connectors.amazon.fba import FbaStock
from connectors.amazon.feeds import Feeds
from connectors.amazon.inventory_report import InventoryReport
from connectors.amazon.late import LateOrders
from connectors.amazon.notices import Notices
from connectors.amazon.orders import Orders
from connectors.amazon.publish import Publisher
from connectors.amazon.queue import Queue
from connectors.amazon.readback import ReadBack
from connectors.amazon.refunds import Refunds
from connectors.amazon.resolving import Resolving
from connectors.amazon.returns import Returns
from connectors.amazon.subscriptions import Subscriptions
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Cursor,
    Effect,
    EffectResult,
    Envelope,
    ListingRef,
    Page,
    PushItem,
    PushResult,
    Settlement,
    ShownLevel,
)
from connectors.sdk.errors import RateLimited, Rejected
from connectors.sdk.manifest import Manifest

REPORT_WAIT_S: Final = 150.0
"""Between two looks at a report that Amazon is still writing; most take a few minutes."""


class AmazonConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self._queue = Queue(ctx, self._settings)
        feeds = Feeds(ctx, self._api)
        self._orders = Orders(ctx, self._api, self._settings, self.manifest.stream(manifest.ORDERS_STREAM))
        self._late = LateOrders(ctx, self._api, self._orders)
        self._notices = Notices(ctx, self._settings, self._queue)
        self._listings, self._stock = self._catalogue(topics.LISTING), self._catalogue(topics.STOCK)
        self._fba = FbaStock(ctx, self._api, self._settings)
        self._returns = Returns(ctx, self._settings, self._api)
        self._resolving = Resolving(
            ctx, self._api, self._orders, self._listings, self._stock, self._fba, Refunds(self._api)
        )
        self._publisher = Publisher(ctx, self._settings, self._api, feeds)
        self._read_back = ReadBack(ctx, self._settings, self._api)
        self._effects = Effects(ctx, self._settings, self._api, feeds)
        self._subscriptions = Subscriptions(ctx, self._api, self._settings, self._queue)

    def __repr__(self) -> str:
        return f"AmazonConnector({self._ctx.account!r})"

    @property
    def budgets(self) -> BudgetBook:
        """What is left of Amazon's limits, per operation."""
        return self._api.budgets

    async def close(self) -> None:
        await self._queue.close()
        await self._api.close()

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        """The next page of a stream.

        Raises:
            Rejected: No stream of that name.
            RateLimited: A budget is spent, or a report is still being written.
        """
        page = await self._fetch(stream, cursor, limit, since)
        if not page.more and page.cursor.get("report") and page.cursor == cursor:
            # Ending the walk here would leave the report lying until the stream's next turn, hours later.
            raise RateLimited(
                f"{stream}: the report is being written", code="report_unready", retry_after_s=REPORT_WAIT_S
            )
        return page

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        return await self._resolving.resolve(envelope)

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._publisher.publish(items)

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._publisher.poll(receipt, items)

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        return await self._read_back.read(refs)

    async def send(self, effect: Effect) -> EffectResult:
        return await self._effects.send(effect)

    async def settle(self, effect: Effect) -> Settlement:
        return await self._effects.settle(effect)

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:  # noqa: ARG002  # Amazon calls nobody
        return await self._subscriptions.ensure()

    async def check(self) -> CheckReport:
        return await check.check(self._ctx, self._api, self._settings, self._queue)

    async def _fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        if stream == manifest.ORDERS_STREAM:
            return await self._orders.fetch(cursor, limit, since)
        if stream == manifest.LATE_STREAM:
            return await self._late.fetch(cursor, limit, since)
        if stream == manifest.NOTIFICATIONS_STREAM:
            return await self._notices.fetch(cursor, limit)
        if stream == manifest.LISTINGS_STREAM:
            return await self._listings.fetch(cursor, limit)
        if stream == manifest.STOCK_STREAM:
            return await self._stock.fetch(cursor, limit)
        if stream == manifest.FBA_STREAM:
            return await self._fba.fetch(cursor)
        if stream == manifest.RETURNS_STREAM:
            return await self._returns.fetch(cursor, limit, since)
        known = ", ".join(each.name for each in self.manifest.streams)
        raise Rejected(f"Amazon has no stream {stream!r}; known are {known}", code="unknown_stream")

    def _catalogue(self, topic: str) -> Catalogue:
        report = InventoryReport(self._ctx, self._settings, self._api)
        return Catalogue(self._ctx, self._api, self._settings, report, topic)
