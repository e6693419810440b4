"""Listings items: reading one, searching, patching.

Source: listingsItems_2021-08-01 model (2026-08): `summaries` unless other datasets are named, pages of
10 up to 20, at most 1,000 items of a search can be paged through. A patch is answered with 200 whatever
becomes of it; INVALID is a failure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.patches import applied, faults_in, issue
from connectors.amazon.fake.replies import (
    Refusal,
    answer,
    body_of,
    count_in,
    instant_in,
    invalid,
    iso,
    listed,
    money,
    only,
)
from connectors.amazon.fake.stockroom import MERCHANT, Listing, Stockroom
from connectors.sdk.faults import Faults

DATASETS: Final = (
    "summaries", "attributes", "issues", "offers", "fulfillmentAvailability", "procurement", "relationships",
    "productTypes",
)  # fmt: skip
IDENTIFIER_TYPES: Final = ("ASIN", "EAN", "FNSKU", "GTIN", "ISBN", "JAN", "MINSAN", "SKU", "UPC")
SEARCH: Final = frozenset(
    {
        "marketplaceIds", "issueLocale", "includedData", "identifiers", "identifiersType", "variationParentSku",
        "packageHierarchySku", "createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore",
        "withIssueSeverity", "withStatus", "withoutStatus", "sortBy", "sortOrder", "pageSize", "pageToken",
    }
)  # fmt: skip
SORTS: Final = ("sku", "createdDate", "lastUpdatedDate")
PAGED_MAX: Final = 1_000
IDENTIFIERS_MAX: Final = 20
PRODUCT_TYPE: Final = "PRODUCT"
ASIN: Final = "merchant_suggested_asin"
"""What a patch of an unknown SKU would have to bring along."""


@dataclass(frozen=True, slots=True)
class _Page:
    fingerprint: tuple[tuple[str, tuple[str, ...]], ...]
    rest: tuple[str, ...]
    total: int


class ListingsWire:
    """One seller's listings.

    `accepts_unknown` True answers a patch of an unknown SKU with ACCEPTED although nothing can be sold
    under it, as operators have seen it (2024-05, 2024-12); otherwise it is INVALID.
    """

    def __init__(self, stock: Stockroom, seller: str, faults: Faults) -> None:
        self._stock = stock
        self._seller = seller
        self._faults = faults
        self._tokens: dict[str, _Page] = {}
        self._submissions = 0
        self.accepts_unknown = False

    async def read(self, request: web.Request) -> web.Response:
        """GET /listings/2021-08-01/items/{sellerId}/{sku}."""
        only(request, {"marketplaceIds", "issueLocale", "includedData"})
        included = self._datasets(request)
        sku = request.match_info["sku"]
        listing = self._stock.listings.get(sku)
        if listing is None:
            raise Refusal(404, "NOT_FOUND", f"SKU '{sku}' not found.")
        return answer(self._shown(listing, included))

    async def search(self, request: web.Request) -> web.Response:
        """GET /listings/2021-08-01/items/{sellerId}."""
        only(request, SEARCH)
        included = self._datasets(request)
        size = count_in(request, "pageSize", 10, 20)
        token = request.query.get("pageToken")
        page = self._first(request) if token is None else self._following(request, token)
        shown, rest = page.rest[:size], page.rest[size:]
        body: dict[str, Any] = {
            "numberOfResults": page.total,
            "items": [self._shown(self._stock.listings[sku], included) for sku in shown],
        }
        if rest:
            made = hashlib.sha256(f"{len(self._tokens)}:{rest[0]}".encode()).hexdigest()
            self._tokens[made] = _Page(page.fingerprint, rest, page.total)
            body["pagination"] = {"nextToken": made}
        return answer(body)

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH /listings/2021-08-01/items/{sellerId}/{sku}."""
        only(request, {"marketplaceIds", "includedData", "mode", "issueLocale"})
        self._market(request)
        wanted = listed(request, "includedData", allowed=("identifiers", "issues")) or ["issues"]
        preview = request.query.get("mode")
        if preview not in (None, "VALIDATION_PREVIEW"):
            raise invalid(f"mode: {preview}")
        body = await body_of(request)
        if not isinstance(body.get("productType"), str) or not isinstance(body.get("patches"), list):
            raise invalid("productType and patches are required.")
        sku = request.match_info["sku"]
        listing, issues = self.patched(sku, body["patches"], dry=preview is not None)
        status = "INVALID" if issues else "VALID" if preview else "ACCEPTED"
        self._submissions += 1
        number = hashlib.sha256(f"{self._submissions}:{sku}".encode()).hexdigest()[:32]
        found: dict[str, Any] = {"sku": sku, "status": status, "submissionId": number, "issues": issues}
        if "identifiers" in wanted:
            known = [{"marketplaceId": listing.market.id, "asin": listing.asin}] if listing else []
            found["identifiers"] = known
        return answer(found)

    def patched(self, sku: str, patches: Any, *, dry: bool = False) -> tuple[Listing | None, list[dict[str, Any]]]:
        """Apply patches to a SKU; the issues, none when they were taken. Used by the feed too."""
        issues = faults_in(patches)
        listing = self._stock.listings.get(sku)
        if listing is None and not issues and not self.accepts_unknown:
            issues = [issue("90220", f"'{ASIN}' is required but not supplied.", ASIN, "MISSING_ATTRIBUTE")]
        if listing is not None and not issues and not dry:
            self._stock.submit(listing, applied(listing.attributes, patches))
        return listing, issues

    def _first(self, request: web.Request) -> _Page:
        identifiers = listed(request, "identifiers", most=IDENTIFIERS_MAX)
        kind = request.query.get("identifiersType")
        if bool(identifiers) != (kind is not None):
            raise invalid("identifiers and identifiersType go together.")
        if kind is not None and kind not in IDENTIFIER_TYPES:
            raise invalid(f"identifiersType: {kind}")
        held = self._stock.listings
        if kind == "SKU":
            listings = [held[sku] for sku in dict.fromkeys(identifiers) if sku in held]
        else:
            # Of the other kinds the sandbox's listings have an ASIN alone.
            listings = [each for each in held.values() if kind is None or (kind == "ASIN" and each.asin in identifiers)]
        wanted = _filter(request)
        listings = [each for each in listings if wanted(each)]
        total = len(listings)
        rest = tuple(each.sku for each in _sorted(request, listings)[:PAGED_MAX])
        return _Page(_fingerprint(request), rest, total)

    def _following(self, request: web.Request, token: str) -> _Page:
        page = self._tokens.get(token)
        if page is None or page.fingerprint != _fingerprint(request):
            raise invalid("The page token is invalid or does not belong to this search.")
        return page

    def _datasets(self, request: web.Request) -> list[str]:
        self._market(request)
        self._stock.work()
        return listed(request, "includedData", allowed=DATASETS) or ["summaries"]

    def _market(self, request: web.Request) -> None:
        if request.match_info["seller"] != self._seller:
            raise Refusal(403, "Unauthorized", "Access to requested resource is denied.", "Another seller's listings.")
        markets = listed(request, "marketplaceIds")
        if not markets:
            raise invalid("marketplaceIds is required.")
        if self._stock.market.id not in markets:
            raise invalid("The seller does not sell on this marketplace.")

    def _shown(self, listing: Listing, included: list[str]) -> dict[str, Any]:
        late = listing.is_fresh(self._stock.clock.now()) and self._faults.hit("late_read")
        quantity = listing.before if late else listing.available
        parts: Mapping[str, Any] = {
            "summaries": [_summary(listing)],
            "attributes": listing.attributes,
            "issues": [],
            "offers": [
                {
                    "marketplaceId": listing.market.id,
                    "offerType": "B2C",
                    "price": money(listing.price, listing.market.currency),
                    "audience": {"value": "ALL", "displayName": "Sell on Amazon"},
                }
            ],
            "fulfillmentAvailability": _availability(listing, quantity),
            "procurement": [],
            "relationships": [{"marketplaceId": listing.market.id, "relationships": []}],
            "productTypes": [{"marketplaceId": listing.market.id, "productType": PRODUCT_TYPE}],
        }
        return {"sku": listing.sku} | {name: parts[name] for name in DATASETS if name in included}


def _availability(listing: Listing, quantity: int | None) -> list[dict[str, Any]]:
    """Amazon's own stock has no quantity here."""
    rows = []
    for channel in sorted(listing.channels, key=lambda name: name != MERCHANT):
        row: dict[str, Any] = {"fulfillmentChannelCode": channel}
        rows.append(row | ({"quantity": quantity or 0} if channel == MERCHANT else {}))
    return rows


def _summary(listing: Listing) -> dict[str, Any]:
    return {
        "marketplaceId": listing.market.id,
        "asin": listing.asin,
        "productType": PRODUCT_TYPE,
        "conditionType": "new_new",
        "status": _status(listing),
        "itemName": listing.title,
        "createdDate": iso(listing.created),
        "lastUpdatedDate": iso(listing.updated),
    }


def _filter(request: web.Request) -> Callable[[Listing], bool]:
    """What the parameters say, read once."""
    created_after, created_before = instant_in(request, "createdAfter"), instant_in(request, "createdBefore")
    updated_after, updated_before = instant_in(request, "lastUpdatedAfter"), instant_in(request, "lastUpdatedBefore")
    with_status = set(listed(request, "withStatus", allowed=("BUYABLE", "DISCOVERABLE")))
    without = set(listed(request, "withoutStatus", allowed=("BUYABLE", "DISCOVERABLE")))
    severities = listed(request, "withIssueSeverity", allowed=("WARNING", "ERROR"))

    def wanted(listing: Listing) -> bool:
        status = set(_status(listing))
        return (
            (created_after is None or listing.created >= created_after)
            and (created_before is None or listing.created <= created_before)
            and (updated_after is None or listing.updated >= updated_after)
            and (updated_before is None or listing.updated <= updated_before)
            and (not with_status or bool(status & with_status))
            and not status & without
            and not severities
        )

    return wanted


def _status(listing: Listing) -> list[str]:
    buyable = (listing.available or 0) > 0 or (listing.fba or 0) > 0
    return [*(["BUYABLE"] if buyable else []), "DISCOVERABLE"]


def _sorted(request: web.Request, listings: list[Listing]) -> list[Listing]:
    by, order = request.query.get("sortBy", "lastUpdatedDate"), request.query.get("sortOrder", "DESC")
    if by not in SORTS or order not in ("ASC", "DESC"):
        raise invalid("sortBy or sortOrder is unknown.")
    listings = sorted(listings, key=lambda each: each.sku)
    if by != "sku":
        listings.sort(key=lambda each: each.created if by == "createdDate" else each.updated)
    return listings[::-1] if order == "DESC" else listings


def _fingerprint(request: web.Request) -> tuple[tuple[str, tuple[str, ...]], ...]:
    names = sorted(set(request.query) - {"pageToken", "pageSize", "includedData"})
    return tuple((name, tuple(request.query.getall(name))) for name in names)
