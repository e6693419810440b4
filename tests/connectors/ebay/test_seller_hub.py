"""Listings made in Seller Hub are found, mapped, set and read back at the address the hub keeps for them."""

from __future__ import annotations

from aiohttp import web

from canonical import Listing
from connectors.ebay.connector import EbayConnector
from connectors.ebay.sandbox import EbaySandbox
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import ListingRef, PushItem, PushState
from mappings import MapContext, MappingSet
from tests.support.ebay_wire import context


async def found(connector: EbayConnector, clock: ManualClock) -> dict[str, Listing]:
    """Every listing of the stream by SKU."""
    ebay, listings, cursor = MappingSet.load("ebay"), {}, None
    while True:
        page = await connector.fetch("listings", cursor, 50)
        for envelope in page.envelopes:
            for document in ebay.map(envelope.topic, envelope.payload, MapContext("e", "ebay", clock.now())):
                assert isinstance(document, Listing)
                listings[document.channel_sku or ""] = document
        if not page.more:
            return listings
        cursor = page.cursor


async def test_variations_and_plain_listings_are_set_apart() -> None:
    """Two variations of one listing, a listing without a SKU and one of the Inventory API, each its own number."""
    clock = ManualClock()
    async with EbaySandbox(seed=5, clock=clock) as sandbox:
        sandbox.stock("MUG", 3)
        lamp = sandbox.list_by_hand("Lamp", [("", 5)])
        sandbox.list_by_hand("Cap", [("CAP-S", 2), ("CAP-L", 3)], varied=True)
        section = sandbox.account_section()
        ctx = context(
            clock=clock, base_url=sandbox.base_url, credentials=section["credentials"], options=section["options"]
        )
        connector = EbayConnector(ctx)
        try:
            listings = await found(connector, clock)
            assert set(listings) == {"MUG", "CAP-S", "CAP-L", lamp.number}
            # The hub keeps one number per address, which is the item's where there is one.
            refs = {
                sku: ListingRef(each.item_id or each.listing_id, sku, None, each.variant_id)
                for sku, each in listings.items()
            }
            assert len({ref.listing_id for ref in refs.values()}) == 4
            wanted = {"MUG": 11, "CAP-S": 0, "CAP-L": 8, lamp.number: 9}
            items = [PushItem(refs[sku], quantity, 1, sku) for sku, quantity in wanted.items()]
            results = await connector.publish(items)
            assert [result.state for result in results] == [PushState.ACCEPTED] * 4
            assert {sku: sandbox.shown(sku) for sku in wanted} == wanted
            levels = await connector.read_back(list(refs.values()))
            assert {level.ref.channel_sku: level.quantity for level in levels} == wanted
        finally:
            await connector.close()
        assert not sandbox.defects


async def test_a_token_that_trading_no_longer_takes_is_renewed() -> None:
    """Trading refuses it with 200 as its status: that costs one renewal, never the login."""
    clock = ManualClock()
    async with EbaySandbox(seed=5, clock=clock) as sandbox:
        lamp = sandbox.list_by_hand("Lamp", [("", 5)])
        section = sandbox.account_section()
        ctx = context(
            clock=clock, base_url=sandbox.base_url, credentials=section["credentials"], options=section["options"]
        )
        connector = EbayConnector(ctx)
        try:
            listings = await found(connector, clock)
            ref = ListingRef(listings[lamp.number].listing_id, lamp.number, None, listings[lamp.number].variant_id)
            admit = sandbox.gate.admit
            struck: list[str] = []

            def at_trading(request: web.Request, api: str, scope: str | None, *, user: bool = True) -> None:
                if api == "trading" and not struck:
                    struck.append(api)
                    sandbox.faults.force("expired_token")
                admit(request, api, scope, user=user)

            sandbox.gate.admit = at_trading  # type: ignore[method-assign]
            (result,) = await connector.publish([PushItem(ref, 3, 1, "a")])
            assert sandbox.faults.counts["expired_token"] == 1
            assert (result.state, sandbox.shown(lamp.number)) == (PushState.ACCEPTED, 3)
        finally:
            await connector.close()
