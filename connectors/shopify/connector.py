"""One Shopify account, opened: the capabilities of the manifest, each in its own module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

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
    PushState,
    Settlement,
    ShownLevel,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Rejected
from connectors.sdk.manifest import Manifest
from connectors.shopify.amending import Amending
from connectors.shopify.catalogue import Catalogue
from connectors.shopify.checking import check
from connectors.shopify.graphql import GraphQL
from connectors.shopify.login import Login
from connectors.shopify.manifest import (
    CANCEL_SHIPMENT,
    CONFIRM_SHIPMENT,
    CORRECT_SHIPMENT,
    LISTINGS,
    MANIFEST,
    ORDERS,
    STOCK,
)
from connectors.shopify.orders import Orders
from connectors.shopify.publishing import Publishing
from connectors.shopify.resolving import Resolving
from connectors.shopify.settings import Settings, read
from connectors.shopify.shipping import Shipping
from connectors.shopify.stock import Stock
from connectors.shopify.subscriptions import Subscriptions
from connectors.shopify.webhooks import Webhooks


class Shopify:
    """Opened by `open_account`. Safe for any number of tasks of one event loop."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._account = ctx.account
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._login = None if settings.access_token else Login(ctx, settings, self.budgets)
        self._graphql = GraphQL(ctx, settings, self.budgets, self._login.tokens if self._login else None)
        self._webhooks = Webhooks(settings)
        self._orders = Orders(self._graphql, ctx.clock)
        self._stock = Stock(self._graphql, settings, ctx.clock)
        self._catalogue = Catalogue(self._graphql, ctx.clock)
        self._publishing = Publishing(self._graphql, self._stock)
        self._shipping = Shipping(self._graphql)
        self._amending = Amending(self._graphql, self._shipping)
        self._subscriptions = Subscriptions(self._graphql, ctx.account)
        self._resolving = Resolving(self._graphql, self._orders, self._stock, self._catalogue)

    def __repr__(self) -> str:
        return f"Shopify({self._account!r}, {self._settings.shop!r})"

    async def close(self) -> None:
        await self._graphql.close()
        if self._login is not None:
            await self._login.close()

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002 - Shopify sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        self._webhooks.verify(request)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return self._webhooks.envelopes(request)

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        if stream == ORDERS:
            return await self._orders.fetch(cursor, limit, since)
        if stream == STOCK:
            return await self._stock.fetch(cursor, limit, since)
        if stream == LISTINGS:
            return await self._catalogue.fetch(cursor, limit, since)
        known = ", ".join(each.name for each in self.manifest.streams)
        raise Rejected(f"shopify has no stream {stream!r}; known are {known}", code="unknown_stream")

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        return await self._resolving.resolve(envelope)

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._publishing.publish(items)

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        """Shopify answers at once, so there is never anything to ask for."""
        error = Rejected(f"shopify knows no receipt {receipt!r}", code="unknown_receipt")
        return [PushResult(item, PushState.FAILED, error=error) for item in items]

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        return await self._stock.read_back(refs)

    async def send(self, effect: Effect) -> EffectResult:
        if effect.kind == CONFIRM_SHIPMENT:
            return await self._shipping.send(effect)
        if effect.kind == CORRECT_SHIPMENT:
            return await self._amending.correct(effect)
        if effect.kind == CANCEL_SHIPMENT:
            return await self._amending.cancel(effect)
        raise self._unknown(effect)

    async def settle(self, effect: Effect) -> Settlement:
        if effect.kind == CONFIRM_SHIPMENT:
            return await self._shipping.settle(effect)
        if effect.kind == CORRECT_SHIPMENT:
            return await self._amending.settle_correction(effect)
        if effect.kind == CANCEL_SHIPMENT:
            return await self._amending.settle_cancellation(effect)
        raise self._unknown(effect)

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        return await self._subscriptions.ensure(callback_url)

    async def check(self) -> CheckReport:
        return await check(self._graphql, self._settings)

    def _unknown(self, effect: Effect) -> Rejected:
        known = ", ".join(each.name for each in self.manifest.effects)
        return Rejected(f"shopify sends no effect of kind {effect.kind!r}; known are {known}", code="unknown_effect")


def open_account(ctx: AccountContext) -> Shopify:
    """Check the account's section and open it; connects to nothing.

    Raises:
        ValueError: Naming the key that is wrong.
    """
    return Shopify(ctx, read(ctx))
