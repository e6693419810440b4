"""What Amazon shows: twenty SKUs a call, the number shoppers may still buy, our own shelf alone.

Source: listingsItems_2021-08-01, searchListingsItems (2026-08): at most 20 identifiers and 20 rows a page;
top-level `fulfillmentAvailability` is what is available, `attributes.fulfillment_availability` what was last
sent. Availability is not told per marketplace, so each marketplace is asked by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connectors.amazon.api import Api, escaped
from connectors.amazon.listings import ITEMS_PATH, Address, address_of, by_marketplace, our_quantity
from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext, ListingRef, ShownLevel
from connectors.sdk.errors import Rejected, TargetMissing, Transient

IDENTIFIERS_MAX: Final = 20
PAGES_MAX: Final = 5
DATA: Final = ("summaries", "fulfillmentAvailability")

Items = dict[Address, Mapping[str, Any]]


class ReadBack:
    """Reads levels of one account."""

    def __init__(self, ctx: AccountContext, settings: Settings, api: Api) -> None:
        self._ctx = ctx
        self._settings = settings
        self._api = api

    async def read(self, refs: Sequence[ListingRef]) -> list[ShownLevel]:
        """A level per listing, in order. The time is from before the reads: never later than what was seen.

        A listing stocked by Amazon has no number of ours; one of a marketplace that is none of the account's is
        missing.
        """
        if not refs:
            return []
        at = self._ctx.clock.now()
        places = [self._place(ref) for ref in refs]
        items: Items = {}
        for marketplace, skus in by_marketplace(place for place in places if isinstance(place, Address)).items():
            items |= await self._marketplace(marketplace, skus)
        return [_level(ref, place, items, at) for ref, place in zip(refs, places, strict=True)]

    def _place(self, ref: ListingRef) -> Address | Rejected:
        try:
            return address_of(ref, self._settings.marketplace_ids)
        except Rejected as error:
            return error

    async def _marketplace(self, marketplace: str, skus: Sequence[str]) -> Items:
        # A comma separates identifiers, so a SKU that holds one is read by itself.
        plain = [sku for sku in skus if "," not in sku]
        found: Items = {}
        for start in range(0, len(plain), IDENTIFIERS_MAX):
            found |= await self._search(marketplace, plain[start : start + IDENTIFIERS_MAX])
        for sku in skus:
            if "," in sku:
                found |= await self._one(marketplace, sku)
        return found

    async def _search(self, marketplace: str, skus: Sequence[str]) -> Items:
        params: dict[str, Any] = {
            "marketplaceIds": [marketplace],
            "identifiersType": "SKU",
            "identifiers": list(skus),
            "includedData": list(DATA),
            "pageSize": IDENTIFIERS_MAX,
        }
        found: Items = {}
        for _ in range(PAGES_MAX):
            path = f"{ITEMS_PATH}/{escaped(self._settings.seller_id)}"
            answer = await self._api.request("GET", path, operation="searchListingsItems", params=params)
            body = answer.json()
            rows = body.get("items") if isinstance(body, Mapping) else None
            if not isinstance(rows, list):
                raise Transient("searchListingsItems: the answer is no page", **answer.facts("unexpected_body"))
            for row in rows:
                if isinstance(row, Mapping) and row.get("sku") in skus:
                    found[Address(marketplace, str(row["sku"]))] = row
            pagination = body.get("pagination")
            token = pagination.get("nextToken") if isinstance(pagination, Mapping) else None
            if not token or token == params.get("pageToken") or len(found) == len(skus):
                break
            params["pageToken"] = token
        return found

    async def _one(self, marketplace: str, sku: str) -> Items:
        path = f"{ITEMS_PATH}/{escaped(self._settings.seller_id)}/{escaped(sku)}"
        params = {"marketplaceIds": [marketplace], "includedData": list(DATA)}
        try:
            answer = await self._api.request("GET", path, operation="getListingsItem", params=params)
        except TargetMissing:
            return {}
        body = answer.json()
        if not isinstance(body, Mapping):
            raise Transient("getListingsItem: the answer is no listing", **answer.facts("unexpected_body"))
        return {Address(marketplace, sku): body}


def _level(ref: ListingRef, place: Address | Rejected, items: Items, at: datetime) -> ShownLevel:
    if isinstance(place, Rejected):
        return ShownLevel(ref, None, read_at=at, missing=isinstance(place, TargetMissing))
    item = items.get(place)
    if item is None:
        return ShownLevel(ref, None, read_at=at, missing=True)
    quantity = our_quantity(item)
    return ShownLevel(ref, quantity, quantity, at)
