"""Numbers go out 25 SKUs a call at both levels, each entry answers for itself, and zero finds its way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from connectors.ebay.revisions import REVISIONS_MAX, URGENT_RESERVE
from connectors.ebay.together import together
from connectors.sdk.clock import MemoryTokens
from connectors.sdk.contract import ListingRef, PushState
from connectors.sdk.errors import RateLimited, Rejected, TargetMissing, Transient
from tests.support.ebay_wire import BULK_PATH, OFFER_PATH, TRADING_PATH, Wire, fault, item, scripted

ITEMS_PATH = "/sell/inventory/v1/bulk_get_inventory_item"
READ_ITEM_PATH = "/sell/inventory/v1/inventory_item"


def accepting(request: httpx.Request) -> httpx.Response:
    """eBay at its best: every entry of both levels is taken."""
    rows: list[dict[str, Any]] = []
    for entry in json.loads(request.read())["requests"]:
        rows.append({"sku": entry["sku"], "statusCode": 200})
        rows += [
            {"sku": entry["sku"], "offerId": each["offerId"], "statusCode": 200} for each in entry.get("offers", ())
        ]
    return httpx.Response(200, json={"responses": rows})


def entries(*rows: tuple[str, int, int | None]) -> httpx.Response:
    """207 with one entry per (SKU, status, error id)."""
    responses = [
        {"sku": sku, "offerId": f"offer-{sku}", "statusCode": status} | (fault(number, "refused") if number else {})
        for sku, status, number in rows
    ]
    return httpx.Response(207, json={"responses": responses})


async def test_the_request_has_both_levels_and_nothing_else() -> None:
    """Golden shape: listed is the smaller of the two, so both are set; no price, nothing replaced."""
    async with scripted() as wire:
        wire.routes.post(BULK_PATH).mock(side_effect=accepting)
        (result,) = await wire.connector.publish([item("MUG", 12, offer="36445435465")])
        assert result.state is PushState.ACCEPTED
        assert wire.bodies(BULK_PATH) == [
            {
                "requests": [
                    {
                        "sku": "MUG",
                        "shipToLocationAvailability": {"quantity": 12},
                        "offers": [{"offerId": "36445435465", "availableQuantity": 12}],
                    }
                ]
            }
        ]
        sent = wire.routes.calls.last.request
        assert sent.headers["content-language"] == "en-US"
        assert not [call for call in wire.routes.calls if call.request.method == "PUT"]


async def test_twenty_five_skus_go_in_one_call_and_a_sku_stands_once() -> None:
    """Sixty listings are three calls; two offers of one SKU share an entry, since twice the same is refused."""
    async with scripted() as wire:
        wire.routes.post(BULK_PATH).mock(side_effect=accepting)
        items = [item(f"S{number}", number) for number in range(59)]
        items.append(item("S0", 3, offer="second", listing="other"))
        results = await wire.connector.publish(items)
        assert [result.item for result in results] == items
        assert {result.state for result in results} == {PushState.ACCEPTED}
        sent = wire.bodies(BULK_PATH)
        assert [len(body["requests"]) for body in sent] == [25, 25, 9]
        first = sent[0]["requests"][0]
        assert first["shipToLocationAvailability"] == {"quantity": 3}
        assert [each["offerId"] for each in first["offers"]] == ["offer-S0", "second"]


async def test_each_entry_of_207_answers_for_itself() -> None:
    """One refused, one in trouble, one unmentioned: each has its own class, and the rest is taken."""
    async with scripted() as wire:
        reply = entries(("A", 200, None), ("B", 400, 25709), ("C", 500, 25001), ("D", 404, 25702))
        wire.routes.post(BULK_PATH).mock(return_value=reply)
        results = await wire.connector.publish([item(sku, 1) for sku in "ABCDE"])
        assert results[0].state is PushState.ACCEPTED
        assert [type(result.error) for result in results[1:]] == [Rejected, Transient, TargetMissing, Transient]
        assert [result.error.code for result in results[1:] if result.error] == [
            "25709",
            "25001",
            "25702",
            "entry_missing",
        ]


async def test_http_200_is_no_proof() -> None:
    """An error inside a 200, and an item level refused beside a good offer, are failures."""
    async with scripted() as wire:
        bad = {"sku": "A", "offerId": "offer-A", "statusCode": 200, **fault(25709)}
        wire.routes.post(BULK_PATH).respond(json={"responses": [bad]})
        (result,) = await wire.connector.publish([item("A", 1)])
        assert isinstance(result.error, Rejected)
        split = [{"sku": "A", "offerId": "offer-A", "statusCode": 200}, {"sku": "A", "statusCode": 400, **fault(25709)}]
        wire.routes.post(BULK_PATH).respond(json={"responses": split})
        (result,) = await wire.connector.publish([item("A", 1)])
        assert isinstance(result.error, Rejected)


async def test_a_call_refused_as_a_whole_is_halved_to_the_bad_item() -> None:
    """25002 says nothing about whose fault it is; halving finds it and the others are taken."""
    async with scripted() as wire:

        def answer(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.read())
            if any(entry["sku"] == "BAD" for entry in body["requests"]):
                return httpx.Response(400, json=fault(25002, "Any User error."))
            return accepting(request)

        wire.routes.post(BULK_PATH).mock(side_effect=answer)
        results = await wire.connector.publish([item(sku, 1) for sku in ("A", "B", "BAD", "C")])
        assert [result.state.value for result in results] == ["accepted", "accepted", "failed", "accepted"]


async def test_of_two_numbers_for_one_listing_the_newer_is_sent() -> None:
    async with scripted() as wire:
        wire.routes.post(BULK_PATH).mock(side_effect=accepting)
        results = await wire.connector.publish([item("A", 5, version=2), item("A", 9, version=1)])
        assert {result.state for result in results} == {PushState.ACCEPTED}
        assert wire.bodies(BULK_PATH)[0]["requests"][0]["offers"][0]["availableQuantity"] == 5


@pytest.mark.parametrize(("status", "body", "kind"), [(503, {}, Transient), (429, fault(2001), RateLimited)])
async def test_a_vendor_that_takes_nothing_is_one_error(
    status: int, body: dict[str, Any], kind: type[Exception]
) -> None:
    async with scripted() as wire:
        wire.routes.post(BULK_PATH).respond(status, json=body)
        with pytest.raises(kind):
            await wire.connector.publish([item("A", 1), item("B", 2)])


async def test_an_offer_is_looked_up_once_and_other_marketplaces_are_left_alone() -> None:
    """Without an offer id the SKU's offers are read, this marketplace's alone count, and the id is remembered."""
    async with scripted() as wire:
        rows = [
            {"offerId": "de", "sku": "A", "marketplaceId": "EBAY_DE", "listing": {"listingId": "L"}},
            {"offerId": "us", "sku": "A", "marketplaceId": "EBAY_US", "listing": {"listingId": "L"}},
        ]
        lookup = wire.routes.get(OFFER_PATH).respond(json={"offers": rows})
        wire.routes.post(BULK_PATH).mock(side_effect=accepting)
        for number in (1, 2):
            await wire.connector.publish([item("A", number, offer=None, listing="L")])
        assert lookup.call_count == 1
        assert [body["requests"][0]["offers"][0]["offerId"] for body in wire.bodies(BULK_PATH)] == ["us", "us"]
        params = lookup.calls[0].request.url.params
        assert (params["sku"], params["marketplace_id"]) == ("A", "EBAY_US")


async def test_a_listing_without_an_offer_is_missing_and_says_what_to_do() -> None:
    async with scripted() as wire:
        wire.routes.get(OFFER_PATH).respond(404, json=fault(25713))
        (result,) = await wire.connector.publish([item("A", 1, offer=None)])
        assert isinstance(result.error, TargetMissing)
        assert "options.trading" in result.error.message


# Zero, where the account may not show it.


def zero_refused(request: httpx.Request) -> httpx.Response:
    rows = []
    for entry in json.loads(request.read())["requests"]:
        for each in entry.get("offers", ()):
            bad = each["availableQuantity"] == 0
            row = {"sku": entry["sku"], "offerId": each["offerId"], "statusCode": 400 if bad else 200}
            rows.append(row | (fault(25004, "must be greater than 0") if bad else {}))
        rows += [] if entry.get("offers") else [{"sku": entry["sku"], "statusCode": 200}]
    return httpx.Response(207, json={"responses": rows})


async def test_a_refused_zero_withdraws_the_offer_and_the_mode_is_kept() -> None:
    """25004 ends the offer; after a restart the account is still known to need it, and it reads back as zero."""
    tokens = MemoryTokens()
    async with scripted(tokens=tokens) as wire:
        wire.routes.post(BULK_PATH).mock(side_effect=zero_refused)
        withdraw = wire.routes.post(f"{OFFER_PATH}/offer-A/withdraw").respond(json={"listingId": "1"})
        (result,) = await wire.connector.publish([item("A", 0)])
        assert result.state is PushState.ACCEPTED
        assert withdraw.call_count == 1
    async with scripted(tokens=tokens) as wire:
        stock = {"availability": {"shipToLocationAvailability": {"quantity": 3}}}
        wire.routes.post(ITEMS_PATH).respond(
            json={"responses": [{"sku": "A", "statusCode": 200, "inventoryItem": stock}]}
        )
        offer = {"offerId": "offer-A", "status": "UNPUBLISHED", "availableQuantity": 3}
        wire.routes.get(f"{OFFER_PATH}/offer-A").respond(json=offer)
        (level,) = await wire.connector.read_back([item("A", 0).ref])
        assert (level.quantity, level.missing) == (0, False)


async def test_a_withdrawn_offer_comes_back_whole() -> None:
    """Stock again: the offer is updated with everything it had, the item too, and it is published."""
    tokens = MemoryTokens()
    await tokens.save("zero_mode", {"mode": "withdraw"})
    held = {
        "offerId": "offer-A",
        "sku": "A",
        "marketplaceId": "EBAY_US",
        "status": "UNPUBLISHED",
        "availableQuantity": 1,
    }
    async with scripted(tokens=tokens) as wire:
        refused = entries(("A", 400, 25713))
        wire.routes.post(BULK_PATH).mock(side_effect=[refused, entries(("A", 200, None))])
        wire.routes.get(f"{OFFER_PATH}/offer-A").respond(json=held | {"categoryId": "9"})
        update = wire.routes.put(f"{OFFER_PATH}/offer-A").respond(204)
        publish = wire.routes.post(f"{OFFER_PATH}/offer-A/publish").respond(json={"listingId": "2"})
        (result,) = await wire.connector.publish([item("A", 7)])
        assert result.state is PushState.ACCEPTED
        assert json.loads(update.calls[0].request.read()) == {
            "sku": "A",
            "marketplaceId": "EBAY_US",
            "availableQuantity": 7,
            "categoryId": "9",
        }
        assert publish.call_count == 1


# 250 revisions a day.


async def test_a_listing_keeps_its_last_revisions_for_what_is_urgent() -> None:
    """Before the day's 250 are spent usual numbers wait; urgent ones go; the next day all go again."""
    async with scripted() as wire:
        wire.routes.post(BULK_PATH).mock(side_effect=accepting)
        for number in range(REVISIONS_MAX - URGENT_RESERVE):
            await wire.connector.publish([item("A", number + 1, version=number)])
        results = await wire.connector.publish([item("A", 9), item("B", 1)])
        assert [result.state for result in results] == [PushState.FAILED, PushState.ACCEPTED]
        assert isinstance(results[0].error, Transient)
        assert results[0].error.code == "revisions_spent"
        (urgent,) = await wire.connector.publish([item("A", 9, urgent=True)])
        (zero,) = await wire.connector.publish([item("A", 0)])
        assert urgent.state is zero.state is PushState.ACCEPTED
        wire.clock.advance(24 * 3600)
        (result,) = await wire.connector.publish([item("A", 9)])
        assert result.state is PushState.ACCEPTED


async def test_variations_share_the_revisions_of_their_listing() -> None:
    """Each is an offer with an address of its own, yet eBay counts the listing they stand in."""
    async with scripted() as wire:
        wire.routes.post(BULK_PATH).mock(side_effect=accepting)
        wire.routes.get(READ_ITEM_PATH).respond(json={"total": 2, "inventoryItems": [{"sku": "S"}, {"sku": "L"}]})
        wire.routes.get(OFFER_PATH).mock(side_effect=_one_listing)
        await wire.connector.fetch("listings", None, 50)
        for number in range(REVISIONS_MAX - URGENT_RESERVE):
            sku = "SL"[number % 2]
            (taken,) = await wire.connector.publish([item(sku, number, version=number, listing=f"offer-{sku}")])
            assert taken.state is PushState.ACCEPTED
        results = await wire.connector.publish([item("S", 9, listing="offer-S"), item("M", 1)])
        assert [result.state for result in results] == [PushState.FAILED, PushState.ACCEPTED]


def _one_listing(request: httpx.Request) -> httpx.Response:
    sku = request.url.params["sku"]
    offer = {"offerId": f"offer-{sku}", "sku": sku, "status": "PUBLISHED", "listing": {"listingId": "110"}}
    return httpx.Response(200, json={"offers": [offer]})


# Reading back.


def shelf(wire: Wire, **levels: tuple[int, dict[str, Any]]) -> None:
    """`levels` is the item's quantity and its offer's body by SKU."""

    def items(request: httpx.Request) -> httpx.Response:
        rows = []
        for each in json.loads(request.read())["requests"]:
            sku = each["sku"]
            if sku in levels:
                found = {"sku": sku, "availability": {"shipToLocationAvailability": {"quantity": levels[sku][0]}}}
                rows.append({"sku": sku, "statusCode": 200, "inventoryItem": found})
            else:
                rows.append({"sku": sku, "statusCode": 404, **fault(25702)})
        return httpx.Response(207, json={"responses": rows})

    wire.routes.post(ITEMS_PATH).mock(side_effect=items)
    for sku, (_, offer) in levels.items():
        wire.routes.get(f"{OFFER_PATH}/offer-{sku}").respond(json={"offerId": f"offer-{sku}", **offer})


async def test_what_is_shown_is_the_smaller_level() -> None:
    async with scripted() as wire:
        active = {"status": "PUBLISHED", "listing": {"listingId": "1", "listingStatus": "ACTIVE"}}
        ended = {"status": "PUBLISHED", "listing": {"listingId": "1", "listingStatus": "ENDED"}}
        shelf(
            wire,
            A=(5, active | {"availableQuantity": 3}),
            B=(2, active | {"availableQuantity": 9}),
            C=(4, active),
            D=(4, ended | {"availableQuantity": 4}),
            E=(4, {"status": "UNPUBLISHED", "availableQuantity": 4}),
        )
        refs = [item(sku, 0).ref for sku in "ABCDEF"]
        levels = await wire.connector.read_back(refs)
        assert [level.ref for level in levels] == refs
        assert [level.quantity for level in levels] == [3, 2, 4, None, None, None]
        assert [level.missing for level in levels] == [False, False, False, True, True, True]
        assert len(wire.bodies(ITEMS_PATH)) == 1


async def test_trouble_with_one_sku_is_not_called_missing() -> None:
    """An entry that failed on eBay's side says nothing of the listing."""
    async with scripted() as wire:
        row = {"sku": "A", "statusCode": 500, **fault(25001, "system", "APPLICATION")}
        wire.routes.post(ITEMS_PATH).respond(207, json={"responses": [row]})
        with pytest.raises(Transient):
            await wire.connector.read_back([item("A", 0).ref])


# Listings made by Trading.

OK = '<?xml version="1.0"?><R xmlns="urn:ebay:apis:eBLBaseComponents"><Ack>Success</Ack>{}</R>'
BAD = (
    '<R xmlns="urn:ebay:apis:eBLBaseComponents"><Ack>Failure</Ack><Errors><ShortMessage>No</ShortMessage>'
    "<ErrorCode>{}</ErrorCode><SeverityCode>Error</SeverityCode><ErrorClassification>{}</ErrorClassification></Errors></R>"
)


async def test_trading_listings_are_revised_four_a_call() -> None:
    """Where the Inventory API has no offer, ReviseInventoryStatus is used; SKUs are escaped, no SKU means the item."""
    async with scripted(options={"trading": "on"}) as wire:
        wire.routes.get(OFFER_PATH).respond(404, json=fault(25713))
        call = wire.routes.post(TRADING_PATH).respond(text=OK.format(""))
        items = [item(f"A&{number}", number, offer=None) for number in range(4)]
        items.append(item("77", 4, offer=None, listing="77"))
        results = await wire.connector.publish(items)
        assert {result.state for result in results} == {PushState.ACCEPTED}
        assert call.call_count == 2
        first, second = (each.request for each in call.calls)
        assert first.headers["x-ebay-api-call-name"] == "ReviseInventoryStatus"
        assert first.headers["x-ebay-api-iaf-token"] == "access-1"
        assert first.headers["x-ebay-api-siteid"] == "0"
        assert first.read().count(b"<InventoryStatus>") == 4
        assert b"<SKU>A&amp;1</SKU><Quantity>1</Quantity>" in first.read()
        assert b"<InventoryStatus><ItemID>77</ItemID><Quantity>4</Quantity></InventoryStatus>" in second.read()


async def test_a_trading_call_refused_in_part_is_told_apart_item_by_item() -> None:
    async with scripted(options={"trading": True}) as wire:
        wire.routes.get(OFFER_PATH).respond(json={"offers": []})

        def answer(request: httpx.Request) -> httpx.Response:
            bad = b"<SKU>B</SKU>" in request.read()
            return httpx.Response(200, text=BAD.format("21916750", "RequestError") if bad else OK.format(""))

        wire.routes.post(TRADING_PATH).mock(side_effect=answer)
        results = await wire.connector.publish([item(sku, 1, offer=None) for sku in "ABC"])
        assert [result.state.value for result in results] == ["accepted", "failed", "accepted"]
        assert isinstance(results[1].error, TargetMissing)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (BAD.format("518", "RequestError"), RateLimited),
        (BAD.format("99999", "SystemError"), Transient),
        ("<!DOCTYPE a><R><Ack>Success</Ack></R>", Transient),
        ("<html>", Transient),
        ("<R/>", Transient),
    ],
)
async def test_trading_trouble_is_sorted(reply: str, kind: type[Exception]) -> None:
    async with scripted(options={"trading": "on"}) as wire:
        wire.routes.get(OFFER_PATH).respond(json={"offers": []})
        wire.routes.post(TRADING_PATH).respond(text=reply)
        with pytest.raises(kind):
            await wire.connector.publish([item("A", 1, offer=None)])


async def test_a_trading_api_that_is_down_calls_no_listing_gone() -> None:
    """Unknown to the Inventory API, and Trading could not be asked: tried again later, never parked as missing."""
    async with scripted(options={"trading": "on"}) as wire:
        wire.routes.post(BULK_PATH).mock(return_value=entries(("A", 404, 25710), ("B", 200, None)))
        wire.routes.post(TRADING_PATH).respond(text=BAD.format("99999", "SystemError"))
        gone, taken = await wire.connector.publish([item("A", 1), item("B", 1)])
        assert type(gone.error) is Transient
        assert taken.state is PushState.ACCEPTED


async def test_what_trading_calls_quantity_counts_the_sold_ones_too() -> None:
    """Reading back a variation takes what was sold off the total."""
    variations = "".join(
        f"<Variation><SKU>{sku}</SKU><Quantity>9</Quantity><SellingStatus><QuantitySold>{sold}</QuantitySold>"
        "</SellingStatus></Variation>"
        for sku, sold in (("RED", 2), ("BLUE", 5))
    )
    found = f"<Item><ItemID>7</ItemID><Variations>{variations}</Variations></Item>"
    async with scripted(options={"trading": "on"}) as wire:
        wire.routes.post(ITEMS_PATH).respond(json={"responses": []})
        wire.routes.post(TRADING_PATH).respond(text=OK.format(found))
        refs = [ListingRef("7", "BLUE"), ListingRef("7", "GREEN")]
        levels = await wire.connector.read_back(refs)
        assert [(level.quantity, level.missing) for level in levels] == [(4, False), (None, True)]


# The catalogue.


async def test_the_catalogue_counts_pages_and_joins_offers() -> None:
    """`offset` is a page number; each SKU comes with its offers; without an offer it is stock but no listing."""
    async with scripted() as wire:

        def items(request: httpx.Request) -> httpx.Response:
            number, size = int(request.url.params["offset"]), int(request.url.params["limit"])
            every = [{"sku": sku} for sku in "ABCDE"]
            return httpx.Response(200, json={"total": 5, "inventoryItems": every[number * size : (number + 1) * size]})

        def offers(request: httpx.Request) -> httpx.Response:
            sku = request.url.params["sku"]
            if sku == "C":
                return httpx.Response(404, json=fault(25713))
            return httpx.Response(200, json={"offers": [{"offerId": f"o-{sku}", "sku": sku}]})

        wire.routes.get(READ_ITEM_PATH).mock(side_effect=items)
        wire.routes.get(OFFER_PATH).mock(side_effect=offers)
        for stream, expected in (("listings", "ABDE"), ("stock", "ABCDE")):
            cursor, found = None, []
            while True:
                got = await wire.connector.fetch(stream, cursor, 2)
                found += [json.loads(each.payload) for each in got.envelopes]
                cursor = got.cursor
                if not got.more:
                    break
            assert [row["inventoryItems"][0]["sku"] for row in found] == list(expected)
            assert found[0]["offers"] == [{"offerId": "o-A", "sku": "A"}]


async def test_trading_listings_follow_and_those_with_offers_are_left_out() -> None:
    selling = (
        "<ActiveList><ItemArray>"
        "<Item><ItemID>1</ItemID><SKU>A</SKU><Title>Mug</Title><Quantity>5</Quantity></Item>"
        "<Item><ItemID>2</ItemID><Title>Old</Title><Quantity>3</Quantity><QuantityAvailable>2</QuantityAvailable>"
        '<SellingStatus><CurrentPrice currencyID="USD">9.50</CurrentPrice></SellingStatus></Item>'
        "</ItemArray><PaginationResult><TotalNumberOfPages>1</TotalNumberOfPages></PaginationResult></ActiveList>"
    )
    async with scripted(options={"trading": "on"}) as wire:
        wire.routes.get(READ_ITEM_PATH).respond(json={"total": 0})
        wire.routes.get(OFFER_PATH).respond(json={"offers": [{"offerId": "o", "sku": "A"}]})
        wire.routes.post(TRADING_PATH).respond(text=OK.format(selling))
        first = await wire.connector.fetch("listings", None, 1)
        second = await wire.connector.fetch("listings", first.cursor, 1)
        third = await wire.connector.fetch("listings", second.cursor, 1)
        assert (list(second.envelopes), third.more) == ([], False)
        (row,) = json.loads(third.envelopes[0].payload)["tradingItems"]
        assert (row["itemId"], row["sku"], row["quantityAvailable"], row["price"], row["currency"]) == (
            "2",
            None,
            2,
            "9.50",
            "USD",
        )


async def test_one_failure_ends_the_reads_beside_it() -> None:
    """Side by side in order; the first failure comes out as itself and leaves no task behind."""
    assert await together(range(20), _doubled) == [number * 2 for number in range(20)]
    before = asyncio.all_tasks()
    with pytest.raises(Transient, match="seven"):
        await together(range(20), _fails_at_seven)
    assert asyncio.all_tasks() == before


async def _doubled(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def _fails_at_seven(number: int) -> int:
    if number == 7:
        await asyncio.sleep(0)
        raise Transient("seven")
    await asyncio.sleep(30)
    return number
