"""A sweep sees everything changed since its mark, whatever Walmart's paging does to it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import Page
from connectors.sdk.errors import Rejected, Transient
from tests.support.walmart_payloads import errors, page, split_order
from tests.support.walmart_world import Wire, opened, scripted

CURSOR = (
    "?limit=1&hasMoreElements=true&soIndex=2&poIndex=1&partnerId=1&createdStartDate=2026-01-01T00:00:00.703Z&x=a%2Bb+c"
)


def order(number: str) -> dict[str, Any]:
    return split_order() | {"purchaseOrderId": number}


async def walk(wire: Wire, cursor: Any = None, limit: int = 100, stream: str = "orders") -> list[Page]:
    pages = []
    while True:
        pages.append(await wire.connector.fetch(stream, cursor, limit))
        if not pages[-1].more:
            return pages
        cursor = json.loads(json.dumps(pages[-1].cursor))


def keys(pages: list[Page]) -> list[str]:
    return [envelope.ordering_key for each in pages for envelope in each.envelopes]


async def test_the_first_query_names_its_window_and_never_relies_on_defaults() -> None:
    async with scripted() as wire:
        route = wire.routes.get("/v3/orders").respond(json=page(order("1")))
        (only,) = await walk(wire, {"mark": "2026-01-05T11:00:00Z"})
        query = dict(route.calls[0].request.url.params)
        assert query == {
            "lastModifiedStartDate": "2026-01-05T10:55:00Z",
            "lastModifiedEndDate": "2026-01-05T12:00:00Z",
            "createdStartDate": "2025-07-10T12:00:00Z",
            "shipNodeType": "SellerFulfilled",
            "replacementInfo": "true",
            "limit": "100",
        }
        assert only.watermark == EPOCH
        assert only.cursor == {"mark": "2026-01-05T12:00:00Z"}


async def test_every_call_has_token_service_name_and_its_own_correlation_id() -> None:
    async with scripted() as wire:
        answers = [httpx.Response(503), httpx.Response(200, json=page(order("1")))]
        route = wire.routes.get("/v3/orders").mock(side_effect=answers)
        await walk(wire)
        sent = [call.request.headers for call in route.calls]
        assert [headers["WM_SEC.ACCESS_TOKEN"] for headers in sent] == ["token-1", "token-1"]
        assert sent[0]["WM_SVC.NAME"] == "Walmart Marketplace"
        assert sent[0]["accept"] == "application/json"
        assert len({headers["WM_QOS.CORRELATION_ID"] for headers in sent}) == 2


async def test_an_expired_token_is_renewed_once() -> None:
    async with scripted() as wire:
        refused = httpx.Response(401, json=errors("UNAUTHORIZED.GMP_GATEWAY_API", "Unauthorized"))
        wire.routes.get("/v3/orders").mock(side_effect=[refused, httpx.Response(200, json=page(order("1")))])
        await walk(wire)
        token = wire.routes["token"]
        assert token.call_count == 2
        asked = token.calls[0].request
        assert asked.content == b"grant_type=client_credentials"
        assert asked.headers["authorization"] == "Basic aWQ6Y2xpZW50LXNlY3JldA=="
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_cursor_goes_back_byte_for_byte() -> None:
    async with scripted() as wire:
        answers = [page(order("1"), total=2, cursor=CURSOR), page(order("2"), total=2)]
        route = wire.routes.get("/v3/orders").mock(side_effect=[httpx.Response(200, json=each) for each in answers])
        pages = await walk(wire, limit=1)
        assert keys(pages) == ["order:1", "order:2"]
        assert route.calls[1].request.url.raw_path == f"/v3/orders{CURSOR}".encode()


async def test_nothing_found_is_an_empty_page_with_a_mark() -> None:
    async with scripted() as wire:
        body = errors("CONTENT_NOT_FOUND.GMP_ORDER_API", "Orders not found for given search parameters")
        wire.routes.get("/v3/orders").respond(404, json=body)
        (only,) = await walk(wire)
        assert not only.envelopes
        assert only.watermark == EPOCH


async def test_one_order_may_stand_without_its_list() -> None:
    async with scripted() as wire:
        body = page(order("7"))
        body["list"]["elements"]["order"] = order("7")
        wire.routes.get("/v3/orders").respond(json=body)
        assert keys(await walk(wire)) == ["order:7"]


@pytest.mark.parametrize("refused", [False, True])
async def test_a_window_with_too_many_orders_is_halved(refused: bool) -> None:
    """Whether Walmart says so with a count or with an error; every second stays covered."""
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        window = (request.url.params["lastModifiedStartDate"], request.url.params["lastModifiedEndDate"])
        asked.append(window)
        if window[1] > "2026-01-05T11:30:00Z" and window[0] < "2026-01-05T11:00:00Z":
            if refused:
                return httpx.Response(400, json=errors("INVALID_REQUEST_PARAM.X", "more than 20,000 orders"))
            return httpx.Response(200, json=page(order("0"), total=20_001, cursor="?more"))
        return httpx.Response(200, json=page(order(window[0])))

    async with scripted() as wire:
        wire.routes.get("/v3/orders").mock(side_effect=answer)
        pages = await walk(wire, {"mark": "2026-01-05T10:05:00Z"})
        assert asked[0] == ("2026-01-05T10:00:00Z", "2026-01-05T12:00:00Z")
        assert asked[1:] == [
            ("2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z"),
            ("2026-01-05T11:00:00Z", "2026-01-05T12:00:00Z"),
        ]
        assert len(keys(pages)) == 2
        assert pages[-1].watermark == EPOCH


async def test_a_window_that_cannot_be_halved_is_an_error_and_ends() -> None:
    async with scripted() as wire:
        route = wire.routes.get("/v3/orders").respond(400, json=errors("X.Y", "more than 20000"))
        with pytest.raises(Rejected):
            await walk(wire)
        assert route.call_count < 40


async def test_another_refusal_is_not_mistaken_for_too_many() -> None:
    async with scripted() as wire:
        route = wire.routes.get("/v3/orders").respond(400, json=errors("X.Y", "shipNodeType is wrong"))
        with pytest.raises(Rejected):
            await walk(wire)
        assert route.call_count == 1


async def test_a_dead_cursor_begins_its_window_again_but_not_for_ever() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "hasMoreElements" in str(request.url):
            return httpx.Response(400, json=errors("X.Y", "cursor expired"))
        return httpx.Response(200, json=page(order("1"), total=2, cursor=CURSOR))

    async with scripted() as wire:
        route = wire.routes.get("/v3/orders").mock(side_effect=answer)
        with pytest.raises(Rejected):
            await walk(wire)
        assert route.call_count == 6


async def test_a_repeated_cursor_stops_and_keeps_the_mark() -> None:
    async with scripted() as wire:
        wire.routes.get("/v3/orders").respond(json=page(order("1"), total=9, cursor=CURSOR))
        with pytest.raises(Transient, match="same page cursor"):
            await walk(wire)


async def test_a_clock_that_is_ahead_does_not_move_the_mark_past_walmarts() -> None:
    async with scripted() as wire:
        wire.routes.get("/v3/orders").respond(json=page(order("1")), headers={"Date": "Mon, 05 Jan 2026 11:50:00 GMT"})
        (only,) = await walk(wire)
        assert only.watermark == EPOCH - timedelta(minutes=10)


async def test_a_start_older_than_the_history_is_cut() -> None:
    async with scripted() as wire:
        route = wire.routes.get("/v3/orders").respond(json=page(order("1")))
        await wire.connector.fetch("orders", None, 500, since=EPOCH - timedelta(days=400))
        query = route.calls[0].request.url.params
        assert query["lastModifiedStartDate"] == query["createdStartDate"] == "2025-07-10T12:00:00Z"
        assert query["limit"] == "200"


async def test_returns_ask_with_both_ends() -> None:
    async with scripted() as wire:
        route = wire.routes.get("/v3/returns").respond(404, json=errors("CONTENT_NOT_FOUND.X", "none"))
        await walk(wire, {"mark": "2026-01-05T11:00:00Z"}, stream="returns")
        query = route.calls[0].request.url.params
        assert query["returnLastModifiedStartDate"] == "2026-01-05T10:45:00Z"
        assert query["returnLastModifiedEndDate"] == "2026-01-05T12:00:00Z"


async def test_xml_in_spite_of_the_accept_header_is_weather() -> None:
    async with scripted() as wire:
        wire.routes.get("/v3/orders").respond(200, content=b"<list/>")
        with pytest.raises(Transient, match="XML"):
            await walk(wire)


async def test_an_unknown_stream_is_named() -> None:
    async with scripted() as wire:
        with pytest.raises(Rejected, match="orders_wfs"):
            await wire.connector.fetch("nothing", None, 1)


async def test_amounts_keep_their_digits_on_the_way() -> None:
    raw = json.dumps(page(order("1"))).replace("12.5", "12.50").encode()
    async with scripted() as wire:
        wire.routes.get("/v3/orders").respond(200, content=raw)
        (only,) = await walk(wire)
        assert b'"amount": 12.50' in only.envelopes[0].payload


async def test_an_order_without_a_ship_node_carries_what_was_asked_for() -> None:
    bare = order("1")
    del bare["shipNode"]
    async with scripted() as wire:
        wire.routes.get("/v3/orders").respond(json=page(bare))
        (only,) = await walk(wire, stream="orders_wfs")
        assert json.loads(only.envelopes[0].payload)["shipNodeType"] == "WFSFulfilled"


async def test_old_orders_that_change_are_found_and_wfs_orders_apart() -> None:
    """Control: the sandbox hides orders older than seven days from a query without createdStartDate."""
    async with opened() as world:
        world.sandbox.stock("A", 5)
        world.sandbox.stock_wfs("W", 5)
        old = await world.sandbox.sell([("A", 1)])
        wfs = await world.sandbox.sell([("W", 1)])
        assert old
        world.clock.advance(20 * 86_400)
        await world.sandbox.cancel(old)
        world.clock.advance(1)
        found = await world.connector.fetch("orders", {"mark": "2026-01-25T11:59:00Z"}, 100)
        assert [envelope.ordering_key for envelope in found.envelopes] == [f"order:{old}"]
        apart = await world.connector.fetch("orders_wfs", None, 100)
        assert [envelope.ordering_key for envelope in apart.envelopes] == [f"order:{wfs}"]
