"""The eBay connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import structlog

from connectors.ebay import cases, check, manifest, notifications, settings, topics
from connectors.ebay.api import Api
from connectors.ebay.availability import Publisher
from connectors.ebay.cases import Cases
from connectors.ebay.catalogue import Catalogue
from connectors.ebay.effects import Effects
from connectors.ebay.offers import Offers
from connectors.ebay.orders import Orders
from connectors.ebay.readback import ReadBack
from connectors.ebay.signatures import Signatures
from connectors.ebay.subscriptions import Subscriptions
from connectors.ebay.trading import Trading
from connectors.ebay.withdrawing import Withdrawing
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
    PushState,
    Settlement,
    ShownLevel,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Rejected, Transient, UnknownTopic
from connectors.sdk.manifest import Manifest

log = structlog.get_logger(__name__)


class EbayConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets
        self._signatures = Signatures(ctx, self._api, self._settings)
        self._subscriptions = Subscriptions(ctx, self._api, self._settings)
        self._orders = Orders(ctx, self._api, self.manifest.stream(manifest.ORDERS_STREAM))
        self._effects = Effects(ctx, self._api, self._orders)
        offers, trading = Offers(self._api, self._settings), Trading(self._api, self._settings)
        withdrawing = Withdrawing(ctx, self._api, offers)
        self._publisher = Publisher(ctx, self._api, self._settings, offers, trading, withdrawing)
        self._read_back = ReadBack(ctx, self._settings, offers, trading, withdrawing)
        self._cases = {
            manifest.CANCELLATIONS_STREAM: Cases(ctx, self._api, cases.CANCELLATIONS),
            manifest.RETURNS_STREAM: Cases(ctx, self._api, cases.RETURNS),
        }
        self._catalogues = {
            manifest.LISTINGS_STREAM: Catalogue(ctx, self._settings, offers, trading, topics.LISTINGS),
            manifest.STOCK_STREAM: Catalogue(ctx, self._settings, offers, trading, topics.INVENTORY),
        }

    def __repr__(self) -> str:
        return f"EbayConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:
        return self._signatures.challenge(request)

    async def fetch_keys(self, request: WebhookRequest) -> None:
        await self._signatures.fetch_key(request)

    def verify(self, request: WebhookRequest) -> None:
        self._signatures.verify(request)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return notifications.envelopes(request)

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        """The next page of a stream.

        Raises:
            Rejected: No stream of that name.
        """
        if stream in self._catalogues:
            return await self._catalogues[stream].fetch(cursor, limit)
        if stream in self._cases:
            return await self._cases[stream].fetch(cursor, limit, since)
        if stream == manifest.ORDERS_STREAM:
            return await self._orders.fetch(cursor, limit, since)
        known = ", ".join(each.name for each in self.manifest.streams)
        raise Rejected(f"eBay has no stream {stream!r}; known are {known}", code="unknown_stream")

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        """Read what a hint points at. One that points at nothing readable gives none: polling finds it.

        Raises:
            UnknownTopic: No hint of ours.
            Transient: The thing cannot be read yet.
            AuthFailed: A revocation was announced, and the seller's consent is indeed gone.
        """
        if envelope.topic == topics.CANCELLATION:
            return await self._cancelled(cases.order_of(envelope.payload))
        if envelope.topic == topics.ORDER_CONFIRMATION:
            number = notifications.order_id(notifications.read(envelope.payload))
        elif envelope.topic == topics.AUTHORIZATION_REVOCATION:
            return await self._confirm_login()
        else:
            known = ", ".join(topic.name for topic in self.manifest.topics if topic.hint)
            raise UnknownTopic(f"{envelope.topic!r} is no hint of eBay's; known are {known}")
        return [await self._orders.current(number)] if number else []

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._publisher.publish(items)

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:  # noqa: ARG002
        """eBay answers at once and queues nothing, so no receipt is ever given out."""
        error = Rejected("eBay gives no receipts", code="no_receipts")
        return [PushResult(item, PushState.FAILED, error=error) for item in items]

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        return await self._read_back.read(refs)

    async def send(self, effect: Effect) -> EffectResult:
        return await self._effects.send(effect)

    async def settle(self, effect: Effect) -> Settlement:
        return await self._effects.settle(effect)

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        return await self._subscriptions.ensure(callback_url)

    async def check(self) -> CheckReport:
        return await check.check(self._ctx, self._api, self._settings)

    async def _cancelled(self, number: str | None) -> Sequence[Envelope]:
        """The order of a cancellation. An order too old for the Fulfillment API holds no stock any more."""
        try:
            return [await self._orders.current(number)] if number else []
        except Transient as error:
            if error.status != 404:
                raise
            log.info("ebay.cancelled_order_unknown", account=self._ctx.account, order=number)
            return []

    async def _confirm_login(self) -> Sequence[Envelope]:
        """A revocation concerns some user of the application: a fresh login tells whether it is this one."""
        tokens = self._api.login.user
        tokens.invalidate(await tokens.get())
        await tokens.get()
        return []
