"""Accounts that may not show zero: the offer is withdrawn, and published again when there is stock.

A listing stays at zero only where the seller has out-of-stock control switched on. Elsewhere the bulk
call refuses 0 with 25004, and the offer has to end; publishing it again gives a new listing id. Which
of the two an account needs is found out once and kept.

Source: sell/inventory 1.18.4, withdrawOffer, updateOffer ("replaces the whole offer"), publishOffer
(2025-11); operators' report on 25004 (2026); sandbox probes on republishing (2026-09).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from connectors.ebay.api import INVENTORY, Api
from connectors.ebay.offers import OFFERS_PATH, Offers
from connectors.ebay.wire import is_published
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Rejected
from connectors.sdk.queries import escaped

log = structlog.get_logger(__name__)

MODE: Final = "zero_mode"
"""Name under which the mode is kept; `{"mode": "withdraw"}` or nothing."""

READ_ONLY: Final = frozenset({"offerId", "listing", "status"})
ITEM_PATH: Final = f"{INVENTORY}/bulk_update_price_quantity"


class Withdrawing:
    """One account's offers that end at zero."""

    def __init__(self, ctx: AccountContext, api: Api, offers: Offers) -> None:
        self._ctx = ctx
        self._api = api
        self._offers = offers
        self._needed: bool | None = None

    async def needed(self) -> bool:
        """Whether this account is known to refuse a zero."""
        if self._needed is None:
            kept = await self._ctx.tokens.load(MODE)
            self._needed = bool(kept and kept.get("mode") == "withdraw")
        return self._needed

    async def end(self, offer_id: str) -> None:
        """Take the offer off sale. One that is off sale already is as good."""
        path = f"{OFFERS_PATH}/{escaped(offer_id)}/withdraw"
        try:
            await self._api.send("POST", path, kind="offers.withdraw", budget="inventory", keyed=True)
        except Rejected:
            if is_published(await self._offers.read(offer_id)):
                raise
        if not await self.needed():
            log.warning("ebay.zero_refused", account=self._ctx.account, offer=offer_id)
            await self._ctx.tokens.save(MODE, {"mode": "withdraw"})
            self._needed = True

    async def ended(self, offer_id: str) -> bool:
        """Whether the offer is off sale because we took it off."""
        return await self.needed() and not is_published(await self._offers.read(offer_id))

    async def revive(self, offer_id: str, quantity: int) -> None:
        """Put the offer on sale again with this number. Every step may be repeated."""
        offer = await self._offers.read(offer_id)
        path = f"{OFFERS_PATH}/{escaped(offer_id)}"
        body = replacement(offer, quantity)
        await self._api.send("PUT", path, kind="offers.update", budget="inventory", json=body, keyed=True)
        item = {"requests": [{"sku": str(offer.get("sku")), "shipToLocationAvailability": {"quantity": quantity}}]}
        await self._api.send("POST", ITEM_PATH, kind="stock.set", budget="inventory", json=item, keyed=True)
        try:
            answer = await self._api.send(
                "POST", f"{path}/publish", kind="offers.publish", budget="inventory", keyed=True
            )
        except Rejected:
            # A repeat after a lost answer is refused because it is on sale by now.
            if not is_published(await self._offers.read(offer_id)):
                raise
            return
        made = answer.json_or_none()
        listing = made.get("listingId") if isinstance(made, Mapping) else None
        log.info("ebay.offer_republished", account=self._ctx.account, offer=offer_id, listing=listing)


def replacement(offer: Mapping[str, Any], quantity: int) -> dict[str, Any]:
    """The whole offer as read, with another number: what an update leaves out is deleted."""
    return {name: value for name, value in offer.items() if name not in READ_ONLY} | {"availableQuantity": quantity}
