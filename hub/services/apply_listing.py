"""Listings: which channel SKU is ours, where its number is published, and which orders waited for it."""

from __future__ import annotations

from hub.orders.facts import ListingFacts
from hub.ports.accounts import AccountPlan
from hub.ports.store import ListingRow, OrderKey, ReadSet
from hub.services.batch import Batch
from hub.services.places import channel_places


def reads_for_listing(reads: ReadSet, facts: ListingFacts) -> None:
    if facts.sku:
        reads.skus.add((facts.account, facts.sku))
        reads.held_for.add((facts.account, facts.sku))


def apply_listing(batch: Batch, plan: AccountPlan, facts: ListingFacts) -> set[OrderKey]:
    """Keep the offer, one row per channel location; the held orders that can go on because of it."""
    sku = batch.state.resolved.get((facts.account, facts.sku)) if facts.sku else None
    places = channel_places(plan, facts.location, facts.location_raw)
    if facts.fulfilled_by != "merchant" and facts.location_raw:
        # The channel's own warehouse is a place of its own, beside the merchant's offer of the same SKU.
        places = (facts.location_raw,)
    for place in places:
        batch.put_listing(
            ListingRow(
                facts.account,
                facts.listing_id,
                place,
                facts.sku,
                sku,
                facts.variant_id,
                facts.title,
                facts.state,
                facts.fulfilled_by,
            )
        )
    batch.outcome.applied += 1
    if sku is None:
        return set()
    return {
        key for key, row in batch.state.orders.items() if row.account == facts.account and facts.sku in row.unresolved
    }
