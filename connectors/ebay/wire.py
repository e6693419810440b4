"""Shapes shared by eBay's stock calls: items, offers and the numbers in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.sdk.whole import whole

PUBLISHED: Final = "PUBLISHED"


def rows_of(body: object, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list in an answer; an absent list is an empty one."""
    found = body.get(name) if isinstance(body, Mapping) else None
    return [row for row in found or () if isinstance(row, Mapping)] if isinstance(found, Sequence) else []


def item_quantity(item: Mapping[str, Any]) -> int | None:
    """What an inventory item may ship at most, over all marketplaces; null where it is not tracked."""
    availability = item.get("availability")
    holder = availability.get("shipToLocationAvailability") if isinstance(availability, Mapping) else None
    return whole(holder.get("quantity")) if isinstance(holder, Mapping) else None


def listed_quantity(item: int | None, offer: int | None) -> int | None:
    """What shoppers see: the smaller of the two levels, or the one that is tracked.

    Source: developer.ebay.com "bulk updates" of the Inventory API: "must be updated at both levels" (2026-11).
    """
    known = [value for value in (item, offer) if value is not None]
    return min(known) if known else None


def listing_id(offer: Mapping[str, Any]) -> str:
    listing = offer.get("listing")
    return str(listing.get("listingId") or "") if isinstance(listing, Mapping) else ""


def is_published(offer: Mapping[str, Any]) -> bool:
    return str(offer.get("status") or (PUBLISHED if listing_id(offer) else "")).upper() == PUBLISHED
