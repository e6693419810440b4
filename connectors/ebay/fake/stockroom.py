"""Inventory items, their offers and the listings those make.

Two levels hold a quantity: the item's total over all marketplaces and the offer's own. Shoppers see
the lower one; a sale takes from both. A cancelled order puts nothing back: that is the seller's to do.

Source: sell/inventory 1.18.4 OpenAPI document (2025-11); bulk updates guide (2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from connectors.sdk.ports import Clock

LATE: Final = timedelta(seconds=3)
"""How far reads may lag behind writes, when they do."""
REVISIONS_MAX: Final = 250
PACIFIC: Final = ZoneInfo("America/Los_Angeles")


@dataclass
class Offer:
    """One marketplace's offer of an item; `listing_id` is null while it is not published."""

    offer_id: str
    sku: str
    marketplace: str
    location: str
    price: Decimal
    quantity: int
    listing_id: str | None
    sold: int = 0
    before: int | None = None
    revised: tuple[date | None, int] = (None, 0)


@dataclass
class Item:
    sku: str
    title: str
    total: int
    modified: datetime
    offers: list[Offer] = field(default_factory=list)
    before: int | None = None

    def available(self, offer: Offer) -> int:
        return min(self.total, offer.quantity) if offer.listing_id else 0


class Stockroom:
    """All items of one seller. `out_of_stock_control` off means that an offer cannot be set to zero."""

    def __init__(self, clock: Clock, location: str, marketplace: str) -> None:
        self.clock = clock
        self.location = location
        self.marketplace = marketplace
        self.items: dict[str, Item] = {}
        self._offers: dict[str, Offer] = {}
        self.out_of_stock_control = True
        self._numbers = 0

    def set(self, sku: str, quantity: int, *, title: str = "", marketplace: str | None = None) -> Item:
        """Make or set an item and its offer as the seller would by hand: both levels alike."""
        item = self.items.get(sku)
        if item is None:
            item = self.items[sku] = Item(sku, title or sku, quantity, self.clock.now())
        place = marketplace or self.marketplace
        offer = next((offer for offer in item.offers if offer.marketplace == place), None)
        if offer is None:
            offer = self._offer(item, place)
        self.set_total(item, quantity)
        self.set_offer(item, offer, quantity)
        item.title = title or item.title
        return item

    def set_total(self, item: Item, quantity: int) -> None:
        item.before, item.total = item.total, quantity
        item.modified = self.clock.now()

    def set_offer(self, item: Item, offer: Offer, quantity: int) -> None:
        offer.before, offer.quantity = offer.quantity, quantity
        item.modified = self.clock.now()

    def offer(self, offer_id: str) -> Offer | None:
        return self._offers.get(offer_id)

    def main(self, sku: str) -> tuple[Item, Offer] | None:
        """The item and the offer of the seller's own marketplace."""
        return self.on(sku, self.marketplace)

    def on(self, sku: str, marketplace: str) -> tuple[Item, Offer] | None:
        """The item and its offer on one marketplace."""
        item = self.items.get(sku)
        offer = next((offer for offer in item.offers if offer.marketplace == marketplace), None) if item else None
        return (item, offer) if item is not None and offer is not None else None

    def take(self, sku: str, units: int, marketplace: str | None = None) -> bool:
        """Sell: both levels sink, at once; the total is one for all marketplaces."""
        found = self.on(sku, marketplace or self.marketplace)
        if found is None or found[0].available(found[1]) < units:
            return False
        item, offer = found
        self.set_total(item, item.total - units)
        self.set_offer(item, offer, offer.quantity - units)
        offer.sold += units
        return True

    def give_back(self, sku: str, units: int, marketplace: str | None = None) -> None:
        """Undo `take` of a checkout that came to nothing."""
        found = self.on(sku, marketplace or self.marketplace)
        if found is not None:
            item, offer = found
            item.total += units
            offer.quantity += units
            offer.sold -= units

    def revise(self, offer: Offer) -> bool:
        """Count a revision of the listing; False once the day's 250 are spent."""
        today = self.clock.now().astimezone(PACIFIC).date()
        day, count = offer.revised
        count = count if day == today else 0
        if count >= REVISIONS_MAX:
            return False
        offer.revised = (today, count + 1)
        return True

    def withdraw(self, offer: Offer) -> str | None:
        """End the listing; publishing again makes another one."""
        ended, offer.listing_id = offer.listing_id, None
        return ended

    def publish(self, offer: Offer) -> str:
        offer.listing_id = offer.listing_id or self._number(110_000_000_000)
        return offer.listing_id

    def is_fresh(self, item: Item) -> bool:
        """Changed so lately that a read may still miss it."""
        return self.clock.now() - item.modified < LATE

    def _offer(self, item: Item, marketplace: str) -> Offer:
        price = Decimal("9.99") + len(self.items) % 40
        listing = self._number(110_000_000_000)
        offer = Offer(self._number(8_800_000_000), item.sku, marketplace, self.location, price, 0, listing)
        item.offers.append(offer)
        self._offers[offer.offer_id] = offer
        return offer

    def _number(self, base: int) -> str:
        self._numbers += 1
        return str(base + self._numbers)
