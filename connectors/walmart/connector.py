"""The Walmart connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

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
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Rejected, TargetMissing, UnknownTopic
from connectors.sdk.manifest import Manifest
from connectors.walmart import (
    catalogue,
    check,
    manifest,
    notifications,
    orders,
    returns,
    settings,
    signatures,
    topics,
)
from connectors.walmart.api import Api
from connectors.walmart.catalogue import Catalogue
from connectors.walmart.effects import Effects
from connectors.walmart.feeds import Feeds
from connectors.walmart.inventory import Inventory
from connectors.walmart.orders import OrdersNoun
from connectors.walmart.publish import Publisher
from connectors.walmart.returns import ReturnsNoun
from connectors.walmart.subscriptions import Subscriptions
from connectors.walmart.walk import HISTORY_DAYS, Sweeper


class WalmartConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets
        self._inventory = Inventory(ctx, self._api)
        self._publisher = Publisher(self._inventory, Feeds(ctx, self._api))
        self._effects = Effects(ctx, self._api)
        self._subscriptions = Subscriptions(self._api, self._settings)
        self._sweepers = {
            name: Sweeper(ctx, self._api, self.manifest.stream(name), OrdersNoun(node))
            for name, node in manifest.ORDER_STREAMS.items()
        }
        stream = self.manifest.stream(manifest.RETURNS_STREAM)
        self._sweepers[manifest.RETURNS_STREAM] = Sweeper(ctx, self._api, stream, ReturnsNoun())
        self._catalogues = {
            manifest.LISTINGS_STREAM: Catalogue(ctx, self._api, topics.LISTINGS),
            manifest.STOCK_STREAM: Catalogue(ctx, self._api, topics.INVENTORY),
        }

    def __repr__(self) -> str:
        return f"WalmartConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # Walmart sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        signatures.verify(request, self._settings, self._ctx.public_url)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return notifications.envelopes(request)

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        """The next page of a stream. Catalogue pages are one envelope each, whatever the limit."""
        if stream in self._catalogues:
            return await self._catalogues[stream].fetch(cursor)
        if stream not in self._sweepers:
            known = ", ".join(each.name for each in self.manifest.streams)
            raise Rejected(f"Walmart has no stream {stream!r}; known are {known}", code="unknown_stream")
        return await self._sweepers[stream].fetch(cursor, limit, since)

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        """Read what a notification points at. One that points at nothing readable gives none: polling finds it.

        Raises:
            UnknownTopic: No notification of ours.
            Transient: The thing cannot be read yet.
        """
        payload = notifications.payload_of(envelope.payload)
        if envelope.topic in topics.ORDER_EVENTS:
            number = notifications.find(payload, "purchaseOrderId")
            created = self._ctx.clock.now() - timedelta(days=HISTORY_DAYS)
            return [await orders.current(self._api, number, created)] if number else []
        if envelope.topic == topics.RETURN_EVENT:
            number = notifications.find(payload, "returnOrderId")
            return await returns.current(self._api, number) if number else []
        if envelope.topic in topics.STOCK_EVENTS:
            sku = notifications.find(payload, "sku")
            return await self._stock_of(sku) if sku else []
        known = ", ".join(topic.name for topic in self.manifest.topics if topic.hint)
        raise UnknownTopic(f"{envelope.topic!r} is no notification of Walmart's; known are {known}")

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._publisher.publish(items)

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._publisher.poll(receipt, items)

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        return await self._inventory.read_back(refs)

    async def send(self, effect: Effect) -> EffectResult:
        return await self._effects.send(effect)

    async def settle(self, effect: Effect) -> Settlement:
        return await self._effects.settle(effect)

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        return await self._subscriptions.ensure(callback_url)

    async def check(self) -> CheckReport:
        return await check.check(self._api, self._settings)

    async def _stock_of(self, sku: str) -> Sequence[Envelope]:
        try:
            answer = await self._inventory.read_sku(sku)
        except TargetMissing:
            return []
        return [catalogue.read_envelope(answer, self._ctx.clock.now())]
