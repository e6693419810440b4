"""What eBay shows: items 25 a call, each offer by itself, the smaller of the two counts.

Source: sell/inventory 1.18.4, bulkGetInventoryItem and getOffer (2025-11): there is no bulk read of offers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connectors.ebay.offers import Offers
from connectors.ebay.settings import Settings
from connectors.ebay.together import together
from connectors.ebay.trading import Trading
from connectors.ebay.wire import is_published, item_quantity, listed_quantity
from connectors.ebay.withdrawing import Withdrawing
from connectors.sdk.contract import AccountContext, ListingRef, ShownLevel
from connectors.sdk.errors import TargetMissing
from connectors.sdk.whole import whole

GONE: Final = frozenset({"ENDED", "EBAY_ENDED"})


class ReadBack:
    """Reads levels of one account."""

    def __init__(
        self, ctx: AccountContext, settings: Settings, offers: Offers, trading: Trading, withdrawing: Withdrawing
    ) -> None:
        self._ctx = ctx
        self._settings = settings
        self._offers = offers
        self._trading = trading
        self._withdrawing = withdrawing

    async def read(self, refs: Sequence[ListingRef]) -> list[ShownLevel]:
        """A level per listing, in order. The time is from before the reads: never later than what was seen."""
        if not refs:
            return []
        at = self._ctx.clock.now()
        items = await self._offers.items(list(dict.fromkeys(ref.channel_sku for ref in refs)))
        return await together(refs, lambda ref: self._level(ref, items.get(ref.channel_sku), at))

    async def _level(self, ref: ListingRef, item: Mapping[str, Any] | None, at: datetime) -> ShownLevel:
        offer = await self._offer(ref) if item is not None else None
        if item is None or offer is None:
            return await self._traded(ref, at)
        listing = offer.get("listing")
        status = str(listing.get("listingStatus") or "") if isinstance(listing, Mapping) else ""
        if not is_published(offer):
            # Off sale by our own hand is a zero; by anybody else's the listing is gone.
            if await self._withdrawing.needed():
                return ShownLevel(ref, 0, 0, at)
            return ShownLevel(ref, None, read_at=at, missing=True)
        if status in GONE:
            return ShownLevel(ref, None, read_at=at, missing=True)
        shown = listed_quantity(item_quantity(item), whole(offer.get("availableQuantity")))
        return ShownLevel(ref, shown, shown, at)

    async def _offer(self, ref: ListingRef) -> Mapping[str, Any] | None:
        offer_id = await self._offers.id_of(ref)
        if offer_id is None:
            return None
        try:
            return await self._offers.read(offer_id)
        except TargetMissing:
            return None

    async def _traded(self, ref: ListingRef, at: datetime) -> ShownLevel:
        shown = await self._trading.available(ref) if self._settings.trading else None
        if shown is None:
            return ShownLevel(ref, None, read_at=at, missing=True)
        return ShownLevel(ref, shown, shown, at)
