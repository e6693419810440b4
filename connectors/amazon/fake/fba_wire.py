"""Amazon's own stock of the seller's goods, read only.

Source: fbaInventory model (2026-08): one marketplace a call, up to 50 SKUs, tokens that live 30 seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.replies import answer, instant_in, invalid, iso, listed, only
from connectors.amazon.fake.stockroom import Listing, Stockroom

PARAMETERS: Final = frozenset(
    {
        "details", "granularityType", "granularityId", "startDateTime", "sellerSkus", "sellerSku", "nextToken",
        "marketplaceIds",
    }
)  # fmt: skip
TOKEN_LIFE: Final = timedelta(seconds=30)
HISTORY: Final = timedelta(days=548)
"""Eighteen months."""


class FbaWire:
    """Summaries of what Amazon stocks; `page_size` of them at a time."""

    def __init__(self, stock: Stockroom) -> None:
        self._stock = stock
        self._tokens: dict[str, Any] = {}
        self.page_size = 50

    async def summaries(self, request: web.Request) -> web.Response:
        """GET /fba/inventory/v1/summaries."""
        only(request, PARAMETERS)
        market = self._stock.market
        if listed(request, "marketplaceIds", most=1) != [market.id]:
            raise invalid("marketplaceIds names one marketplace of the seller.")
        if request.query.get("granularityType") != "Marketplace" or request.query.get("granularityId") != market.id:
            raise invalid("granularityType is Marketplace and granularityId the marketplace.")
        detailed = request.query.get("details", "false")
        if detailed not in ("true", "false"):
            raise invalid("details is true or false.")
        now = self._stock.clock.now()
        token = request.query.get("nextToken")
        if token is None:
            rest = self._matching(request)
        else:
            rest, ends = self._tokens.get(token, ([], now))
            if ends <= now:
                raise invalid("The nextToken is invalid or has expired.")
        shown, rest = rest[: self.page_size], rest[self.page_size :]
        rows = [_summary(self._stock.listings[sku], detailed == "true") for sku in shown]
        granularity = {"granularityType": "Marketplace", "granularityId": market.id}
        body: dict[str, Any] = {"payload": {"granularity": granularity, "inventorySummaries": rows}}
        if rest:
            made = f"fba-{len(self._tokens) + 1}"
            self._tokens[made] = (rest, now + TOKEN_LIFE)
            body["pagination"] = {"nextToken": made}
        return answer(body)

    def _matching(self, request: web.Request) -> list[str]:
        since = instant_in(request, "startDateTime")
        if since is not None and since < self._stock.clock.now() - HISTORY:
            raise invalid("startDateTime is more than 18 months ago.")
        wanted = [*listed(request, "sellerSkus", most=50), *request.query.getall("sellerSku", [])]
        return [
            listing.sku
            for listing in self._stock.listings.values()
            if listing.fba is not None
            and (not wanted or listing.sku in wanted)
            and (since is None or (listing.fba_updated is not None and listing.fba_updated >= since))
        ]


def _summary(listing: Listing, detailed: bool) -> dict[str, Any]:
    units = listing.fba or 0
    row: dict[str, Any] = {
        "asin": listing.asin,
        "fnSku": f"X{listing.asin[1:]}",
        "sellerSku": listing.sku,
        "condition": "NewItem",
        "lastUpdatedTime": iso(listing.fba_updated or listing.updated),
        "productName": listing.title,
        "totalQuantity": units,
        "stores": [],
    }
    if detailed:
        zero = ("inboundWorkingQuantity", "inboundShippedQuantity", "inboundReceivingQuantity")
        row["inventoryDetails"] = {
            "fulfillableQuantity": units,
            **dict.fromkeys(zero, 0),
            "reservedQuantity": {
                "totalReservedQuantity": 0,
                "pendingCustomerOrderQuantity": 0,
                "pendingTransshipmentQuantity": 0,
                "fcProcessingQuantity": 0,
            },
            "researchingQuantity": {"totalResearchingQuantity": 0, "researchingQuantityBreakdown": []},
            "unfulfillableQuantity": {
                "totalUnfulfillableQuantity": 0,
                "customerDamagedQuantity": 0,
                "warehouseDamagedQuantity": 0,
                "distributorDamagedQuantity": 0,
                "carrierDamagedQuantity": 0,
                "defectiveQuantity": 0,
                "expiredQuantity": 0,
            },
        }
    return row
