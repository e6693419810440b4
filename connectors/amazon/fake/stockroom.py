"""Listings of one seller: what was submitted, what is really available, and what Amazon stocks itself.

Two truths live side by side: `attributes.fulfillment_availability` is the last value submitted, the
top-level `fulfillmentAvailability` is what shoppers can buy; the second follows the first after a while
and falls with every sale. Units in Amazon's own warehouses are never the seller's to set.

Source: listingsItems_2021-08-01 and fbaInventory models (2026-08); operators' reports on the two
values (2026-05).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.amazon.fake.marketplaces import Marketplace
from connectors.sdk.ports import Clock

LATE: Final = timedelta(seconds=3)
"""How far reads may lag behind writes, when they do."""
MERCHANT: Final = "DEFAULT"
AVAILABILITY: Final = "fulfillment_availability"

QuantityChanged = Callable[["Listing"], None]


@dataclass
class Listing:
    """One SKU. `available` is None while the seller offers none of his own stock under it."""

    sku: str
    asin: str
    title: str
    price: Decimal
    created: datetime
    updated: datetime
    market: Marketplace
    attributes: dict[str, Any] = field(default_factory=dict)
    available: int | None = None
    before: int | None = None
    moved: datetime | None = None
    """When `available` last changed; `before` is what it was."""
    fba: int | None = None
    fba_updated: datetime | None = None
    coming: list[tuple[datetime, int | None]] = field(default_factory=list)
    """Submitted numbers that are not live yet, oldest first."""
    channels: set[str] = field(default_factory=set)

    def is_fresh(self, now: datetime) -> bool:
        return self.moved is not None and now - self.moved < LATE

    def submitted(self, channel: str = MERCHANT) -> dict[str, Any] | None:
        """The entry of a channel in the attribute last submitted."""
        entries = self.attributes.get(AVAILABILITY, [])
        return next((entry for entry in entries if entry.get("fulfillment_channel_code") == channel), None)


class Stockroom:
    """All listings. `propagation_s` is how long an accepted number takes until shoppers see it."""

    def __init__(self, clock: Clock, market: Marketplace, changed: QuantityChanged) -> None:
        self.clock = clock
        self.market = market
        self.listings: dict[str, Listing] = {}
        self.propagation_s = 0.3
        self._changed = changed
        self._moving: dict[str, Listing] = {}

    def set(self, sku: str, quantity: int, *, title: str = "") -> Listing:
        """The seller types a number into Seller Central: live at once."""
        listing = self._listing(sku, title)
        listing.channels.add(MERCHANT)
        entry = listing.submitted()
        if entry is None:
            entry = {"fulfillment_channel_code": MERCHANT, "lead_time_to_ship_max_days": 2}
            listing.attributes.setdefault(AVAILABILITY, []).append(entry)
        entry["quantity"] = quantity
        listing.coming.clear()
        self._move(listing, quantity)
        return listing

    def set_fba(self, sku: str, quantity: int, *, title: str = "") -> Listing:
        """Units in Amazon's warehouses."""
        listing = self._listing(sku, title)
        channel = self.market.fba_channel
        listing.channels.add(channel)
        if listing.submitted(channel) is None:
            listing.attributes.setdefault(AVAILABILITY, []).append({"fulfillment_channel_code": channel})
        listing.fba, listing.fba_updated = quantity, self.clock.now()
        return listing

    def submit(self, listing: Listing, attributes: dict[str, Any]) -> None:
        """Take attributes as last submitted; the number follows."""
        listing.attributes = copy.deepcopy(attributes)
        now = self.clock.now()
        listing.updated = now
        listing.channels |= {str(each.get("fulfillment_channel_code")) for each in attributes.get(AVAILABILITY, [])}
        entry = listing.submitted()
        quantity = None if entry is None else int(entry.get("quantity", 0))
        listing.coming.append((now + timedelta(seconds=self.propagation_s), quantity))
        self._moving[listing.sku] = listing
        self.work()

    def work(self) -> None:
        """Let submitted numbers become real when their time has come."""
        now = self.clock.now()
        for sku, listing in list(self._moving.items()):
            while listing.coming and listing.coming[0][0] <= now:
                self._move(listing, listing.coming.pop(0)[1])
            if not listing.coming:
                del self._moving[sku]

    @property
    def waits(self) -> bool:
        """Whether a number is still on its way."""
        return any(listing.coming for listing in self._moving.values())

    def take(self, sku: str, units: int, *, fba: bool) -> bool:
        """Sell: Amazon lowers its own number at once."""
        self.work()
        listing = self.listings.get(sku)
        held = None if listing is None else listing.fba if fba else listing.available
        if listing is None or held is None or held < units:
            return False
        self._lower(listing, units, fba=fba)
        return True

    def give_back(self, sku: str, units: int, *, fba: bool) -> None:
        """Undo `take` of a checkout that came to nothing."""
        self._lower(self.listings[sku], -units, fba=fba)

    def _lower(self, listing: Listing, units: int, *, fba: bool) -> None:
        if fba:
            listing.fba = (listing.fba or 0) - units
            listing.fba_updated = self.clock.now()
        else:
            self._move(listing, (listing.available or 0) - units)

    def _move(self, listing: Listing, quantity: int | None) -> None:
        changed = listing.available != quantity
        listing.before, listing.available = listing.available, quantity
        listing.moved = listing.updated = self.clock.now()
        if changed:
            self._changed(listing)

    def _listing(self, sku: str, title: str) -> Listing:
        listing = self.listings.get(sku)
        if listing is None:
            number = len(self.listings) + 1
            now = self.clock.now()
            price = (Decimal("9.99") + number % 40).quantize(self.market.smallest)
            listing = Listing(sku, f"B0{number:08d}", title or sku, price, now, now, self.market)
            self.listings[sku] = listing
        listing.title = title or listing.title
        name = {"value": listing.title, "language_tag": self.market.language, "marketplace_id": self.market.id}
        listing.attributes["item_name"] = [name]
        return listing
