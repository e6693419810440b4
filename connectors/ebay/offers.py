"""Inventory items and their offers, as the Inventory API gives them.

Source: sell/inventory 1.18.4 OpenAPI document (2025-11): getInventoryItems takes a page number as
`offset`; getOffers needs `sku` in effect (issue YosefHayim/ebay-mcp 158); bulkGetInventoryItem takes 25.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ebay.api import INVENTORY, Api
from connectors.ebay.errors import entry_error, status_of
from connectors.ebay.settings import Settings
from connectors.ebay.wire import rows_of
from connectors.sdk.contract import ListingRef
from connectors.sdk.errors import TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.queries import escaped

ITEMS_PATH: Final = f"{INVENTORY}/inventory_item"
OFFERS_PATH: Final = f"{INVENTORY}/offer"
BULK_READ_PATH: Final = f"{INVENTORY}/bulk_get_inventory_item"
OFFERS_PER_SKU_MAX: Final = 100


class Offers:
    """Reads of one account. Remembers which offer a listing is, since eBay gives no list of offers.

    The memory only saves calls: it holds ids, which never change for an offer.
    """

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings
        self._known: dict[tuple[str, str], str] = {}
        self._listings: dict[str, str] = {}

    async def page(self, number: int, limit: int) -> Answer:
        """One page of inventory items; `number` counts pages from 0, not rows."""
        params: dict[str, str | int] = {"limit": limit, "offset": number}
        return await self._api.get(ITEMS_PATH, kind="items.list", budget="inventory", params=params)

    async def of_sku(self, sku: str) -> list[Mapping[str, Any]]:
        """The account's offers of a SKU on its marketplace; none when the SKU has none, or is unknown."""
        params: dict[str, str | int] = {
            "sku": sku,
            "marketplace_id": self._settings.marketplace,
            "limit": OFFERS_PER_SKU_MAX,
        }
        try:
            answer = await self._api.get(OFFERS_PATH, kind="offers.list", budget="inventory", params=params)
        except TargetMissing:
            return []
        # The filter is the contract's; a second look costs nothing and keeps two marketplaces apart.
        own = self._settings.marketplace
        rows = [row for row in rows_of(answer.json(), "offers") if row.get("marketplaceId", own) == own]
        for row in rows:
            listing = row.get("listing")
            if isinstance(listing, Mapping) and listing.get("listingId") and row.get("offerId"):
                self._known[(sku, str(listing["listingId"]))] = str(row["offerId"])
                self._listings[str(row["offerId"])] = str(listing["listingId"])
        return rows

    async def read(self, offer_id: str) -> Mapping[str, Any]:
        """Raises: TargetMissing: eBay knows no such offer."""
        path = f"{OFFERS_PATH}/{escaped(offer_id)}"
        body = (await self._api.get(path, kind="offers.read", budget="inventory")).json()
        if not isinstance(body, Mapping):
            raise Transient("offers.read: the answer is no offer", code="unexpected_body")
        return body

    async def id_of(self, ref: ListingRef) -> str | None:
        """The offer behind a listing; None when the Inventory API has none for it."""
        if ref.variant_id:
            return ref.variant_id
        key = (ref.channel_sku, ref.listing_id)
        if key not in self._known:
            await self.of_sku(ref.channel_sku)
        return self._known.get(key)

    def listing_of(self, ref: ListingRef) -> str:
        """The listing a number stands in: variations are offers of their own and share one. Its own address, while
        that is not known."""
        return self._listings.get(ref.variant_id or "") or ref.listing_id.partition("/")[0]

    async def items(self, skus: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Inventory items by SKU, for at most 25 of them; absent ones are not in the answer.

        Raises:
            Transient: eBay could not read one of them, so nothing can be said of it.
        """
        body = {"requests": [{"sku": sku} for sku in skus]}
        answer = await self._api.ask(BULK_READ_PATH, kind="items.read", budget="inventory", json=body)
        found: dict[str, Mapping[str, Any]] = {}
        for entry in rows_of(answer.json(), "responses"):
            sku, item = str(entry.get("sku") or ""), entry.get("inventoryItem")
            if 200 <= status_of(entry) < 300 and isinstance(item, Mapping):
                found[sku] = item
            elif isinstance(error := entry_error(entry, answer, f"SKU {sku}"), Transient):
                raise error
        return found
