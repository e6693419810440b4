"""The Inventory API: items, offers and the bulk call for prices and quantities.

Source: sell/inventory 1.18.4 OpenAPI document (2025-11): error tables of each method; captured bulk
answers; operators' reports (2026-09): 25 SKUs a call, one entry per item and one per offer, an offer
without SKU gets a misleading error, a listing taken down comes back under another id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from connectors.ebay.fake.replies import INVENTORY, Refusal, answer, body_of, count_in, money
from connectors.ebay.fake.stockroom import Item, Offer, Stockroom
from connectors.sdk.faults import Faults

BULK_MAX: Final = 25
PAGE_MAX: Final = 200
SKU_MAX: Final = 50
SYSTEM_ERROR: Final = (500, 25001, "A system error has occurred.")


class InventoryWire:
    """One seller's items and offers."""

    def __init__(self, stockroom: Stockroom, faults: Faults) -> None:
        self._stockroom = stockroom
        self._faults = faults

    async def items(self, request: web.Request) -> web.Response:
        """GET /inventory_item: `offset` counts pages, not rows."""
        limit = count_in(request, "limit", 25, 1, PAGE_MAX, _invalid("limit"))
        page = count_in(request, "offset", 0, 0, 1_000_000, _invalid("offset"))
        skus = sorted(self._stockroom.items)
        shown = [self._stockroom.items[sku] for sku in skus[page * limit : (page + 1) * limit]]
        path = f"{request.path}?limit={limit}"
        body: dict[str, Any] = {
            "href": f"{path}&offset={page}",
            "limit": limit,
            "size": len(shown),
            "total": len(skus),
            "inventoryItems": [self._item(item) for item in shown],
        }
        if (page + 1) * limit < len(skus):
            body["next"] = f"{path}&offset={page + 1}"
        if page:
            body["prev"] = f"{path}&offset={page - 1}"
        return answer(body)

    async def item(self, request: web.Request) -> web.Response:
        item = self._stockroom.items.get(request.match_info["sku"])
        if item is None:
            raise Refusal(404, 25710, "We didn't find the resource/entity you are requesting.")
        return answer(self._item(item))

    async def bulk_get(self, request: web.Request) -> web.Response:
        rows = _requests(await body_of(request, INVENTORY, 25709))
        entries = [self._entry_of(row) for row in rows]
        return answer({"responses": entries}, status=_overall(entries))

    async def offers(self, request: web.Request) -> web.Response:
        """GET /offer: one SKU's offers. The SKU is required in effect."""
        sku = request.query.get("sku", "")
        if not sku or len(sku) > SKU_MAX:
            text = "Invalid sku. sku has to be alphanumeric with upto 50 characters in length"
            raise Refusal(400, 25707, "Invalid sku", long_message=text)
        limit = count_in(request, "limit", 100, 1, 100, _invalid("limit"))
        wanted = request.query.get("marketplace_id")
        item = self._stockroom.items.get(sku)
        found = [offer for offer in item.offers if wanted in (None, offer.marketplace)] if item else []
        if item is None or not found:
            raise Refusal(404, 25713, "This Offer is not available.")
        rows = [self._offer(item, offer) for offer in found[:limit]]
        href = f"{request.path}?sku={sku}&offset=0&limit={limit}"
        return answer({"href": href, "limit": limit, "size": len(rows), "total": len(found), "offers": rows})

    async def offer(self, request: web.Request) -> web.Response:
        offer = self._known(request)
        return answer(self._offer(self._stockroom.items[offer.sku], offer))

    async def withdraw(self, request: web.Request) -> web.Response:
        listing = self._stockroom.withdraw(self._known(request))
        return answer({"listingId": listing} if listing else {})

    async def publish(self, request: web.Request) -> web.Response:
        return answer({"listingId": self._stockroom.publish(self._known(request))})

    async def update(self, request: web.Request) -> web.Response:
        """PUT /offer/{offerId}: replaces the offer; this fake keeps of it what concerns stock."""
        offer = self._known(request)
        body = await body_of(request, INVENTORY, 25709)
        quantity = body.get("availableQuantity")
        if quantity is not None:
            if not _whole(quantity):
                raise _invalid("availableQuantity")
            self._stockroom.set_offer(self._stockroom.items[offer.sku], offer, quantity)
        return answer({"offerId": offer.offer_id})

    async def bulk_update(self, request: web.Request) -> web.Response:
        """POST /bulk_update_price_quantity. 200 says that every entry worked, 207 that some did."""
        rows = _requests(await body_of(request, INVENTORY, 25002))
        skus = [row.get("sku") for row in rows]
        if len(set(map(str, skus))) != len(skus):
            raise Refusal(400, 25734, "Duplicate sku in the request.")
        failing = rows[0].get("sku") if self._faults.hit("partial_failure") else None
        idle = self._faults.hit("feed_noop")
        entries: list[dict[str, Any]] = []
        for row in rows:
            if row.get("sku") == failing:
                entries.append(_failed({"sku": failing}, *SYSTEM_ERROR))
            else:
                entries += self._update(row, idle=idle)
        return answer({"responses": entries}, status=_overall(entries))

    def _update(self, row: Mapping[str, Any], *, idle: bool) -> list[dict[str, Any]]:
        """One SKU: an entry for the item's total and one for each offer named."""
        sku = row.get("sku")
        if not isinstance(sku, str) or not sku or len(sku) > SKU_MAX:
            return [_failed({"sku": sku}, 400, 25707, "Invalid sku")]
        item = self._stockroom.items.get(sku)
        if item is None:
            return [_failed({"sku": sku}, 404, 25702, "SKU not found")]
        total = (row.get("shipToLocationAvailability") or {}).get("quantity")
        entries = []
        if total is not None:
            entries.append(self._update_total(item, total, idle=idle))
        entries += [self._update_offer(item, wanted, idle=idle) for wanted in row.get("offers") or ()]
        return entries or [_failed({"sku": sku}, 400, 25002, "Any User error.")]

    def _update_total(self, item: Item, total: object, *, idle: bool) -> dict[str, Any]:
        if not _whole(total):
            return _failed({"sku": item.sku}, 400, 25709, "Invalid value for quantity")
        if not idle:
            self._stockroom.set_total(item, int(str(total)))
        return {"statusCode": 200, "sku": item.sku}

    def _update_offer(self, item: Item, wanted: Mapping[str, Any], *, idle: bool) -> dict[str, Any]:
        named = {"sku": item.sku, "offerId": wanted.get("offerId")}
        offer = next((offer for offer in item.offers if offer.offer_id == wanted.get("offerId")), None)
        if offer is None:
            return _failed(named, 404, 25713, "This Offer is not available.")
        if offer.listing_id is None:
            return _failed(named, 400, 25002, "Any User error. The offer is not published.")
        quantity = wanted.get("availableQuantity")
        if quantity is None and wanted.get("price") is not None:
            return {"statusCode": 200, **named}
        if not _whole(quantity):
            return _failed(named, 400, 25709, "Invalid value for availableQuantity")
        if quantity == 0 and not self._stockroom.out_of_stock_control:
            return _failed(named, 400, 25004, "Invalid quantity. It must be greater than 0.")
        if not self._stockroom.revise(offer):
            return _failed(named, 400, 25019, "Cannot revise listing. The day's 250 revisions are used up.")
        if not idle:
            self._stockroom.set_offer(item, offer, int(str(quantity)))
        return {"statusCode": 200, **named}

    def _entry_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        sku = row.get("sku")
        item = self._stockroom.items.get(str(sku))
        if item is None:
            return _failed({"sku": sku}, 404, 25710, "We didn't find the resource/entity you are requesting.")
        body = self._item(item)
        return {"statusCode": 200, "sku": body.pop("sku"), "inventoryItem": body}

    def _known(self, request: web.Request) -> Offer:
        offer = self._stockroom.offer(request.match_info["offer"])
        if offer is None:
            raise Refusal(404, 25713, "This Offer is not available.")
        return offer

    def _item(self, item: Item) -> dict[str, Any]:
        stale = item.before is not None and self._stockroom.is_fresh(item) and self._faults.hit("late_read")
        return {
            "sku": item.sku,
            "locale": "en_US",
            "condition": "NEW",
            "product": {"title": item.title, "description": item.title},
            "availability": {"shipToLocationAvailability": {"quantity": item.before if stale else item.total}},
        }

    def _offer(self, item: Item, offer: Offer) -> dict[str, Any]:
        stale = offer.before is not None and self._stockroom.is_fresh(item) and self._faults.hit("late_read")
        body: dict[str, Any] = {
            "offerId": offer.offer_id,
            "sku": offer.sku,
            "marketplaceId": offer.marketplace,
            "format": "FIXED_PRICE",
            "availableQuantity": offer.before if stale else offer.quantity,
            "merchantLocationKey": offer.location,
            "pricingSummary": {"price": money(offer.price)},
            "listingDuration": "GTC",
            "status": "PUBLISHED" if offer.listing_id else "UNPUBLISHED",
        }
        if offer.listing_id:
            state = "ACTIVE" if item.available(offer) else "OUT_OF_STOCK"
            body["listing"] = {"listingId": offer.listing_id, "listingStatus": state, "soldQuantity": offer.sold}
        return body


def _requests(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rows = body.get("requests")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise Refusal(400, 25002, "Any User error.", parameters={"additionalInfo": "Invalid request"})
    if len(rows) > BULK_MAX:
        raise Refusal(400, 25727, f"The number of requests exceeds {BULK_MAX}.")
    return rows


def _overall(entries: Sequence[Mapping[str, Any]]) -> int:
    return 200 if all(entry["statusCode"] == 200 for entry in entries) else 207


def _failed(named: Mapping[str, Any], status: int, error_id: int, message: str) -> dict[str, Any]:
    category = "APPLICATION" if status >= 500 else "REQUEST"
    row = {"errorId": error_id, "domain": INVENTORY, "category": category, "message": message, "longMessage": message}
    return {"statusCode": status, **named, "errors": [row]}


def _invalid(name: str) -> Refusal:
    return Refusal(400, 25709, f"Invalid value for {name}.", parameters={"additionalInfo": name})


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
