"""The vendor flavour of the Amazon connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from connectors.amazon.api import Api
from connectors.amazon.vendor import check, manifest, offers, settings
from connectors.amazon.vendor.effects import Effects
from connectors.amazon.vendor.inventory import Inventory
from connectors.amazon.vendor.orders import Orders
from connectors.amazon.vendor.restricted import Restricted
from connectors.amazon.vendor.sweep import Sweep
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Cursor,
    Effect,
    EffectResult,
    Page,
    PushItem,
    PushResult,
    Settlement,
)
from connectors.sdk.errors import Rejected
from connectors.sdk.manifest import Manifest


class AmazonVendorConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings.amazon, self.manifest.budgets)
        self.budgets = self._api.budgets
        self._orders = Orders(self._api, Restricted(ctx, self._api), self._settings)
        self._effects = Effects(ctx, self._api, self._orders, self._settings)
        self._inventory = Inventory(self._api, self._settings)
        self._sweeps = {
            manifest.PURCHASE_ORDERS: Sweep(
                ctx,
                self.manifest.stream(manifest.PURCHASE_ORDERS),
                manifest.PURCHASE_ORDER,
                ("created", "changed"),
                self._orders.retail_page,
            ),
            manifest.DIRECT_ORDERS: Sweep(
                ctx,
                self.manifest.stream(manifest.DIRECT_ORDERS),
                manifest.DIRECT_ORDER,
                ("created",),
                self._orders.direct_page,
            ),
        }
        # A programme the account is not in answers 403 for ever: its stream is empty instead.
        self._silent = {
            name
            for name, on in (
                (manifest.PURCHASE_ORDERS, self._settings.retail),
                (manifest.DIRECT_ORDERS, self._settings.direct),
            )
            if not on
        }

    def __repr__(self) -> str:
        return f"AmazonVendorConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        """The next page of a stream."""
        if stream == manifest.LISTINGS:
            return offers.page(self._settings, cursor, limit)
        if stream in self._silent:
            return Page((), cursor or {}, more=False)
        if stream not in self._sweeps:
            known = ", ".join(each.name for each in self.manifest.streams)
            raise Rejected(f"Amazon has no stream {stream!r} for a vendor; known are {known}", code="unknown_stream")
        return await self._sweeps[stream].fetch(cursor, limit, since)

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._inventory.publish(items)

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        return await self._inventory.poll(receipt, items)

    async def send(self, effect: Effect) -> EffectResult:
        return await self._effects.send(effect)

    async def settle(self, effect: Effect) -> Settlement:
        return await self._effects.settle(effect)

    async def check(self) -> CheckReport:
        return await check.check(self._ctx, self._api, self._orders, self._settings)
