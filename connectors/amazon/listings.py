"""The address of a number at Amazon and the bodies that set it.

Only our own shelf is published to: the fulfilment channel `DEFAULT`. Naming Amazon's channel in a write
adds a second entry and can turn the offer over to Amazon, so a listing of another channel is refused here.

Source: listingsItems_2021-08-01, patchListingsItem (2026-08): `op` merge, top-level attributes only;
developer-docs.amazon.com/sp-api "merge a listings attribute" (since 2025-06): `merge` keeps the lead time
and restock date that `replace` wipes; operators' reports on camel case (error 90000900) and on channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.sdk.contract import ListingRef
from connectors.sdk.errors import Rejected, TargetMissing

ITEMS_PATH: Final = "/listings/2021-08-01/items"
OUR_CHANNEL: Final = "DEFAULT"
PRODUCT_TYPE: Final = "PRODUCT"
"""Fits every listing when only an offer's attributes are patched."""


@dataclass(frozen=True, slots=True)
class Address:
    """One SKU in one marketplace, on our own shelf."""

    marketplace: str
    sku: str


def address_of(ref: ListingRef, marketplaces: Sequence[str]) -> Address:
    """The address behind a listing id `<marketplace>|<sku>|<channel>`; a SKU may hold a `|` itself.

    Args:
        marketplaces: Those of the account; the first one stands in for an id without a marketplace.

    Raises:
        TargetMissing: The marketplace is not one of the account's.
        Rejected: The listing is stocked by Amazon: its number is read only.
    """
    marketplace, channel = marketplaces[0], OUR_CHANNEL
    if "|" in ref.listing_id:
        marketplace, channel = ref.listing_id.partition("|")[0], ref.listing_id.rpartition("|")[2]
    if channel != OUR_CHANNEL:
        message = f"{ref.channel_sku} is stocked by Amazon ({channel}): its number is read only"
        raise Rejected(message, code="fulfilled_by_amazon")
    if marketplace not in marketplaces:
        message = f"{ref.channel_sku}: marketplace {marketplace} is none of the account's"
        raise TargetMissing(message, code="unknown_marketplace")
    return Address(marketplace, ref.channel_sku)


def patches(quantity: int) -> list[dict[str, Any]]:
    """The change of one number; names inside are snake case, whatever the rest of the API does."""
    value = [{"fulfillment_channel_code": OUR_CHANNEL, "quantity": quantity}]
    return [{"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}]


def patch_body(quantity: int) -> dict[str, Any]:
    return {"productType": PRODUCT_TYPE, "patches": patches(quantity)}


def availability(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What shoppers may buy, per channel: the top-level list. The attribute of like name is what was last sent."""
    rows = item.get("fulfillmentAvailability")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def our_quantity(item: Mapping[str, Any]) -> int | None:
    """Units on our own shelf; None when the listing has no entry for it, or one without a number."""
    for row in availability(item):
        quantity = row.get("quantity")
        if row.get("fulfillmentChannelCode") == OUR_CHANNEL:
            return quantity if isinstance(quantity, int) and not isinstance(quantity, bool) else None
    return None


def by_marketplace(addresses: Iterable[Address]) -> dict[str, list[str]]:
    """SKUs per marketplace, each once, in order of first mention."""
    found: dict[str, dict[str, None]] = {}
    for address in addresses:
        found.setdefault(address.marketplace, {})[address.sku] = None
    return {marketplace: list(skus) for marketplace, skus in found.items()}
