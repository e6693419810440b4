"""Numbers on their way to eBay: 25 SKUs a call, both levels at once, an answer per entry.

The listed quantity is the smaller of item and offer, so both are always set to the same number. HTTP
200 and 207 prove nothing: each entry has a status of its own. `PUT inventory_item` is never used: it
deletes what it does not mention.

Source: sell/inventory 1.18.4, bulkUpdatePriceQuantity (2025-11); developer.ebay.com "bulk updates" page
(read 2026-11); captured 200, 207 and 400 answers; operators' sandbox probes (2026-09).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ebay.api import INVENTORY, Api
from connectors.ebay.errors import ZERO_REFUSED, entry_error
from connectors.ebay.manifest import PRICE_QUANTITY_MAX
from connectors.ebay.offers import Offers
from connectors.ebay.revisions import Revisions
from connectors.ebay.settings import Settings
from connectors.ebay.together import together
from connectors.ebay.trading import Trading
from connectors.ebay.wire import rows_of
from connectors.ebay.withdrawing import Withdrawing
from connectors.sdk.contract import AccountContext, ListingRef, PushItem, PushResult, PushState
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer

BULK_PATH: Final = f"{INVENTORY}/bulk_update_price_quantity"

Outcome = ConnectorError | None
"""What became of one listing: None is taken."""


class Publisher:
    """One account's way out for numbers. Calls may overlap; each answers for its own items."""

    def __init__(
        self,
        ctx: AccountContext,
        api: Api,
        settings: Settings,
        offers: Offers,
        trading: Trading,
        withdrawing: Withdrawing,
    ) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings
        self._offers = offers
        self._trading = trading
        self._withdrawing = withdrawing
        self._revisions = Revisions()

    async def publish(self, items: Sequence[PushItem]) -> list[PushResult]:
        """One result per item, in order. Of two numbers for one listing the newer is sent.

        Raises:
            Transient, RateLimited, AuthFailed: Not one item was answered for.
        """
        newest = _newest(items)
        outcomes: dict[ListingRef, Outcome] = self._spent(newest.values())
        sendable = sorted(
            (item for ref, item in newest.items() if ref not in outcomes), key=lambda each: not each.urgent
        )
        try:
            await self._send(sendable, outcomes)
        except (RateLimited, AuthFailed, Transient) as error:
            for item in sendable:
                outcomes.setdefault(item.ref, error)
        _raise_if_nothing_was_sent(outcomes)
        return [_result(item, outcomes[item.ref]) for item in items]

    def _spent(self, items: Any) -> dict[ListingRef, Outcome]:
        now = self._ctx.clock.now()
        found: dict[ListingRef, Outcome] = {}
        for item in items:
            listing = self._offers.listing_of(item.ref)
            refusal = self._revisions.refusal(listing, now, urgent=item.urgent or item.quantity == 0)
            if refusal is not None:
                found[item.ref] = refusal
        return found

    async def _send(self, items: Sequence[PushItem], outcomes: dict[ListingRef, Outcome]) -> None:
        """Raises: ConnectorError: What has no outcome by then was not answered for."""
        try:
            await self._send_all(items, outcomes)
        finally:
            taken = (item.ref for item in items if item.ref in outcomes and outcomes[item.ref] is None)
            for listing in {self._offers.listing_of(ref) for ref in taken}:
                self._revisions.spend(listing, self._ctx.clock.now())

    async def _send_all(self, items: Sequence[PushItem], outcomes: dict[ListingRef, Outcome]) -> None:
        named = await self._with_offers(items)
        traded = [item for item, offer in named if offer is None]
        offered = [(item, offer) for item, offer in named if offer is not None]
        for chunk in _chunks(offered):
            outcomes.update(await self._bulk(chunk))
        for item, offer in offered:
            outcomes[item.ref] = await self._aftermath(item, offer, outcomes[item.ref])
        gone = [item for item, _ in offered if isinstance(outcomes[item.ref], TargetMissing)]
        if self._settings.trading:
            # What the Inventory API does not know may have been made in Seller Hub or by Trading: that alone can say.
            for item in gone:
                del outcomes[item.ref]
            outcomes.update(await self._trading.revise([*traded, *gone]))
        else:
            outcomes.update({item.ref: _unknown(item) for item in traded})

    async def _with_offers(self, items: Sequence[PushItem]) -> list[tuple[PushItem, str | None]]:
        found = await together((item.ref for item in items), self._offers.id_of)
        return list(zip(items, found, strict=True))

    async def _bulk(self, chunk: Sequence[tuple[PushItem, str]]) -> dict[ListingRef, Outcome]:
        """One call. Refused as a whole, it is halved until what is wrong stands alone."""
        try:
            answer = await self._api.send(
                "POST", BULK_PATH, kind="stock.set", budget="inventory", json=body_of(chunk), keyed=True
            )
        except Rejected as error:
            if len(chunk) == 1:
                return {chunk[0][0].ref: error}
            middle = len(chunk) // 2
            return await self._bulk(chunk[:middle]) | await self._bulk(chunk[middle:])
        entries = rows_of(answer.json(), "responses")
        return {item.ref: _outcome(item, offer, entries, answer) for item, offer in chunk}

    async def _aftermath(self, item: PushItem, offer: str, outcome: Outcome) -> Outcome:
        """What the bulk call cannot do: end an offer that may not show zero, bring an ended one back."""
        if not isinstance(outcome, Rejected):
            return outcome
        try:
            if item.quantity == 0 and outcome.code == ZERO_REFUSED:
                await self._withdrawing.end(offer)
                return None
            if await self._withdrawing.ended(offer):
                if item.quantity > 0:
                    await self._withdrawing.revive(offer, item.quantity)
                return None
        except (RateLimited, AuthFailed):
            raise
        except ConnectorError as error:
            return error
        return outcome


def body_of(chunk: Sequence[tuple[PushItem, str]]) -> dict[str, Any]:
    """The request: one entry per SKU (twice the same is refused, 25734), its offers beneath."""
    requests: dict[str, dict[str, Any]] = {}
    for item, offer in chunk:
        # Offers of one SKU share the item's number; the largest keeps it from holding any of them down.
        entry = requests.setdefault(
            item.ref.channel_sku,
            {"sku": item.ref.channel_sku, "shipToLocationAvailability": {"quantity": 0}, "offers": []},
        )
        level = entry["shipToLocationAvailability"]
        level["quantity"] = max(level["quantity"], item.quantity)
        entry["offers"].append({"offerId": offer, "availableQuantity": item.quantity})
    return {"requests": list(requests.values())}


def _outcome(item: PushItem, offer: str, entries: Sequence[Mapping[str, Any]], answer: Answer) -> Outcome:
    """Entries are matched by offer, and by SKU alone for the item level; no entry is no yes."""
    sku = item.ref.channel_sku
    own = [entry for entry in entries if str(entry.get("offerId") or "") == offer]
    level = [entry for entry in entries if not entry.get("offerId") and str(entry.get("sku") or "") == sku]
    if not own and not level:
        message = f"eBay's answer does not mention SKU {sku}, offer {offer}"
        return Transient(message, **answer.facts("entry_missing"))
    errors = [entry_error(entry, answer, f"SKU {sku}, offer {offer}") for entry in (*own, *level)]
    found = [error for error in errors if error is not None]
    if not found and not own:
        return Transient(f"eBay's answer does not mention offer {offer}", **answer.facts("entry_missing"))
    # The refusal says more than the trouble beside it.
    return next((error for error in found if isinstance(error, Rejected)), found[0] if found else None)


def _newest(items: Sequence[PushItem]) -> dict[ListingRef, PushItem]:
    newest: dict[ListingRef, PushItem] = {}
    for item in items:
        held = newest.get(item.ref)
        if held is None or item.version > held.version:
            newest[item.ref] = item
    return newest


def _chunks(named: Sequence[tuple[PushItem, str]]) -> list[list[tuple[PushItem, str]]]:
    """At most 25 SKUs each; offers of one SKU stay together."""
    by_sku: dict[str, list[tuple[PushItem, str]]] = {}
    for item, offer in named:
        by_sku.setdefault(item.ref.channel_sku, []).append((item, offer))
    groups = list(by_sku.values())
    cut = [groups[start : start + PRICE_QUANTITY_MAX] for start in range(0, len(groups), PRICE_QUANTITY_MAX)]
    return [[pair for group in part for pair in group] for part in cut]


def _unknown(item: PushItem) -> TargetMissing:
    message = (
        f"the Inventory API has no offer for SKU {item.ref.channel_sku}, listing {item.ref.listing_id}; for listings "
        "made in Seller Hub or by Trading set options.trading: on"
    )
    return TargetMissing(message, code="no_offer")


def _result(item: PushItem, outcome: Outcome) -> PushResult:
    if outcome is None:
        return PushResult(item, PushState.ACCEPTED)
    return PushResult(item, PushState.FAILED, error=outcome, correlation_id=outcome.correlation_id)


def _raise_if_nothing_was_sent(outcomes: Mapping[ListingRef, Outcome]) -> None:
    """When not one item has an answer of its own, the one error is the answer to all."""
    errors = list(outcomes.values())
    first = errors[0] if errors else None
    if first is not None and not isinstance(first, Rejected) and all(error is first for error in errors):
        raise first
