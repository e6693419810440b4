"""What is read back is what shoppers may still buy from our own shelf, never what was last sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from connectors.sdk.contract import ShownLevel
from connectors.sdk.errors import Transient
from tests.support.amazon_seller import Seller, ref, selling
from tests.support.amazon_wire import BASE, ITEMS_PATH, US, fault

CA = "A2EUQ1WTGCTBG2"


def listing(sku: str, *levels: tuple[str, int | None], submitted: int = 99) -> dict[str, Any]:
    rows = [
        {"fulfillmentChannelCode": channel} | ({} if quantity is None else {"quantity": quantity})
        for channel, quantity in levels
    ]
    sent = [{"fulfillment_channel_code": "DEFAULT", "quantity": submitted}]
    return {"sku": sku, "attributes": {"fulfillment_availability": sent}, "fulfillmentAvailability": rows}


def shelf(seller: Seller, *items: Mapping[str, Any], **more: Any) -> Any:
    """searchListingsItems answers with those of these that are asked for."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params["identifiers"].split(",")
        rows = [item for item in items if item["sku"] in asked]
        return httpx.Response(200, json={"numberOfResults": len(rows), "items": rows, **more})

    return seller.wire.routes.get(f"{BASE}{ITEMS_PATH}").mock(side_effect=answer)


def numbers(levels: list[ShownLevel]) -> list[tuple[int | None, bool]]:
    return [(level.quantity, level.missing) for level in levels]


async def test_the_top_level_number_of_our_channel_is_read_in_order() -> None:
    """Golden query: by SKU, one page; the attribute of like name is ignored."""
    async with selling() as seller:
        shelf(seller, listing("B", ("DEFAULT", 0)), listing("A", ("AMAZON_NA", 5), ("DEFAULT", 3)))
        levels = await seller.read_back.read([ref("A"), ref("B"), ref("A")])
        assert numbers(levels) == [(3, False), (0, False), (3, False)]
        assert [level.available for level in levels] == [3, 0, 3]
        assert levels[0].read_at == seller.wire.clock.now()
        (request,) = seller.wire.sent(ITEMS_PATH)
        assert dict(request.url.params) == {
            "marketplaceIds": US,
            "identifiersType": "SKU",
            "identifiers": "A,B",
            "includedData": "summaries,fulfillmentAvailability",
            "pageSize": "20",
        }


async def test_twenty_identifiers_a_call() -> None:
    """Forty-one SKUs are three calls."""
    async with selling() as seller:
        route = shelf(seller, *(listing(f"S{at}", ("DEFAULT", at)) for at in range(41)))
        levels = await seller.read_back.read([ref(f"S{at}") for at in range(41)])
        assert numbers(levels) == [(at, False) for at in range(41)]
        assert route.call_count == 3


async def test_missing_is_not_zero_and_amazons_stock_is_not_ours() -> None:
    """Gone: missing. Stocked by Amazon, or without a number: there, but with no number of ours."""
    async with selling() as seller:
        shelf(seller, listing("FBA", ("AMAZON_NA", 7)), listing("BARE", ("DEFAULT", None)), listing("EMPTY"))
        asked = [ref("GONE"), ref("FBA"), ref("BARE"), ref("EMPTY"), ref("X", channel="AMAZON_NA"), ref("Y", "OTHER")]
        assert numbers(await seller.read_back.read(asked)) == [
            (None, True),
            (None, False),
            (None, False),
            (None, False),
            (None, False),
            (None, True),
        ]


async def test_each_marketplace_is_asked_by_itself() -> None:
    """Availability is not told per marketplace."""
    async with selling(options={"marketplace_ids": [US, CA]}) as seller:

        def answer(request: httpx.Request) -> httpx.Response:
            here = request.url.params["marketplaceIds"] == US
            return httpx.Response(
                200, json={"numberOfResults": 1, "items": [listing("A", ("DEFAULT", 1 if here else 2))]}
            )

        seller.wire.routes.get(f"{BASE}{ITEMS_PATH}").mock(side_effect=answer)
        assert numbers(await seller.read_back.read([ref("A"), ref("A", CA)])) == [(1, False), (2, False)]


async def test_a_sku_with_a_comma_is_read_by_itself() -> None:
    """A comma separates identifiers."""
    async with selling() as seller:
        one = seller.wire.routes.get(f"{BASE}{ITEMS_PATH}/A%2CB").respond(json=listing("A,B", ("DEFAULT", 4)))
        gone = seller.wire.routes.get(f"{BASE}{ITEMS_PATH}/C%2CD").respond(404, json=fault("NOT_FOUND"))
        assert numbers(await seller.read_back.read([ref("A,B"), ref("C,D")])) == [(4, False), (None, True)]
        assert one.called
        assert gone.called


async def test_further_pages_are_read_until_every_sku_was_seen() -> None:
    """A page may be short; a repeated token ends the reading."""
    async with selling() as seller:
        pages = [
            {"numberOfResults": 2, "items": [listing("A", ("DEFAULT", 1))], "pagination": {"nextToken": "t"}},
            {"numberOfResults": 2, "items": [listing("B", ("DEFAULT", 2))], "pagination": {"nextToken": "t"}},
        ]
        route = seller.wire.routes.get(f"{BASE}{ITEMS_PATH}")
        route.mock(side_effect=[httpx.Response(200, json=page) for page in pages])
        assert numbers(await seller.read_back.read([ref("A"), ref("B"), ref("C")])) == [
            (1, False),
            (2, False),
            (None, True),
        ]


@pytest.mark.parametrize("body", [{}, {"items": None}, []])
async def test_a_body_that_is_no_page_is_trouble_and_never_a_missing_listing(body: Any) -> None:
    """An odd answer must not park a whole catalogue."""
    async with selling() as seller:
        seller.wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(json=body)
        with pytest.raises(Transient):
            await seller.read_back.read([ref("A")])


async def test_nothing_asked_is_nothing_called() -> None:
    """An empty batch costs no call."""
    async with selling() as seller:
        assert await seller.read_back.read([]) == []
        assert not seller.wire.routes.calls
