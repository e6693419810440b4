"""What the account sells direct, from its options: Amazon has no read of what a vendor offers."""

from __future__ import annotations

from connectors.amazon.vendor.manifest import LISTING
from connectors.amazon.vendor.settings import VendorSettings
from connectors.sdk import exact
from connectors.sdk.contract import Cursor, Envelope, Page


def page(settings: VendorSettings, cursor: Cursor | None, limit: int) -> Page:
    """A page of items, each once per warehouse, in the order of the options."""
    offers = [(warehouse, item) for warehouse in settings.warehouses for item in settings.items]
    given = cursor.get("next") if cursor else None
    begin = given if isinstance(given, int) and given > 0 else 0
    end = begin + max(1, limit)
    found = [_envelope(warehouse, item) for warehouse, item in offers[begin:end]]
    more = end < len(offers)
    return Page(found, {"next": end} if more else {}, more=more)


def _envelope(warehouse: str, item: str) -> Envelope:
    name = f"listing:{warehouse}|{item}"
    return Envelope(LISTING, name, name, exact.dumps({"sku": item, "warehouse": warehouse}))
