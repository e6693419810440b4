"""Every number goes out by the way that fits, and each item gets its own answer."""

from __future__ import annotations

import httpx
import pytest

from connectors.sdk.contract import ListingRef, PushState
from connectors.sdk.errors import AuthFailed, RateLimited, Rejected, Transient
from connectors.walmart.sandbox import MAIN_NODE, SECOND_NODE
from tests.support.walmart_payloads import errors
from tests.support.walmart_world import item, opened, scripted

ODD_SKU = "MUG/12 OZ+RED @50%&é?#"


async def test_a_single_number_is_addressed_with_every_reserved_character_escaped() -> None:
    async with scripted() as wire:
        route = wire.routes.put("/v3/inventory").respond(json={})
        await wire.connector.publish([item(ListingRef(ODD_SKU, ODD_SKU, "n 1"), 4)])
        sent = route.calls[0].request
        assert sent.url.raw_path == (b"/v3/inventory?sku=MUG%2F12%20OZ%2BRED%20%4050%25%26%C3%A9%3F%23&shipNode=n%201")
        assert sent.read() == b'{"sku":"MUG/12 OZ+RED @50%&\xc3\xa9?#","quantity":{"unit":"EACH","amount":4}}'


async def test_without_a_node_the_default_one_is_meant() -> None:
    async with scripted() as wire:
        route = wire.routes.put("/v3/inventory").respond(json={})
        await wire.connector.publish([item(ListingRef("A", "A", ""), 4)])
        assert route.calls[0].request.url.raw_path == b"/v3/inventory?sku=A"


async def test_several_nodes_of_one_sku_are_one_call_with_an_answer_each() -> None:
    async with scripted() as wire:
        refused = {"code": "X.Y", "description": "closed", "category": "DATA"}
        rows = [{"shipNode": "2", "status": "Failed", "errors": [refused]}, {"shipNode": "1", "status": "Success"}]
        route = wire.routes.put(path__startswith="/v3/inventories/").respond(json={"sku": ODD_SKU, "nodes": rows})
        items = [item(ListingRef(ODD_SKU, ODD_SKU, node), 5) for node in ("1", "2", "3")]
        results = await wire.connector.publish(items)
        assert route.call_count == 1
        assert route.calls[0].request.url.raw_path == (b"/v3/inventories/MUG%2F12%20OZ%2BRED%20%4050%25%26%C3%A9%3F%23")
        assert [result.state for result in results] == [PushState.ACCEPTED, PushState.FAILED, PushState.FAILED]
        assert isinstance(results[1].error, Rejected)
        assert results[1].error.code == "X.Y"
        assert isinstance(results[2].error, Transient)


async def test_stock_of_wfs_is_never_sent() -> None:
    async with scripted() as wire:
        wire.routes.put("/v3/inventory").respond(json={})
        wfs, own = item(ListingRef("W", "W", "WFSFulfilled"), 4), item(ListingRef("A", "A", "1"), 4)
        results = await wire.connector.publish([wfs, own])
        assert [result.state for result in results] == [PushState.FAILED, PushState.ACCEPTED]
        assert results[0].error is not None
        assert results[0].error.code == "wfs_item"


async def test_of_two_numbers_for_one_place_only_the_newer_is_sent() -> None:
    async with scripted() as wire:
        route = wire.routes.put("/v3/inventory").respond(json={})
        ref = ListingRef("A", "A", "1")
        older, newer = item(ref, 9, 1), item(ref, 2, 2)
        results = await wire.connector.publish([newer, older])
        assert route.call_count == 1
        assert b'"amount":2' in route.calls[0].request.read()
        assert [result.item for result in results] == [newer, older]


async def test_a_spent_budget_answers_what_was_sent_and_what_was_not() -> None:
    """Raising would send the first items again for ever; the answers say which are done."""
    answers = [httpx.Response(200, json={})] * 3
    async with scripted() as wire:
        limited = httpx.Response(
            429, json=errors("REQUEST_THRESHOLD_VIOLATED.X", "slow"), headers={"Retry-After": "30"}
        )
        wire.routes.put("/v3/inventory").mock(side_effect=[*answers, *[limited] * 40])
        results = await wire.connector.publish([item(ListingRef(f"S{n}", f"S{n}", "1"), n) for n in range(20)])
        states = [result.state for result in results]
        assert states.count(PushState.ACCEPTED) == 3
        assert all(isinstance(r.error, RateLimited) for r in results if r.state is PushState.FAILED)


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (403, AuthFailed), (503, Transient)])
async def test_when_nothing_was_sent_it_raises(status: int, kind: type[Exception]) -> None:
    async with scripted() as wire:
        route = wire.routes.put("/v3/inventory").respond(status, headers={"Retry-After": "1"} if status == 429 else {})
        with pytest.raises(kind):
            await wire.connector.publish([item(ListingRef(f"S{n}", f"S{n}", "1"), n) for n in range(40)])
        assert route.call_count < 40


async def test_urgent_numbers_do_not_wait_for_a_feed() -> None:
    async with scripted() as wire:
        single = wire.routes.put("/v3/inventory").respond(json={})
        feed = wire.routes.post("/v3/feeds").respond(json={"feedId": "F@1"})
        items = [item(ListingRef(f"S{n}", f"S{n}", "1"), 0, urgent=n < 2) for n in range(300)]
        results = await wire.connector.publish(items)
        assert (single.call_count, feed.call_count) == (2, 1)
        assert [result.state for result in results[:3]] == [PushState.ACCEPTED, PushState.ACCEPTED, PushState.PENDING]
        assert feed.calls[0].request.url.raw_path == b"/v3/feeds?feedType=inventory&shipNode=1"
        assert b'name="file"' in feed.calls[0].request.read()


async def test_a_number_that_went_past_a_feed_is_sent_again_once_the_feed_has_undone_it() -> None:
    """The feed sets the old number minutes later; what it holds newer of, it does not win."""
    async with opened() as world:
        for n in range(202):
            world.sandbox.stock(f"S{n}", 1)
        first = await world.connector.publish([item(world.ref(f"S{n}"), 5) for n in range(202)])
        assert first[0].receipt is not None
        newer = [item(world.ref("S0"), 0, 2, urgent=True), item(world.ref("S1"), 2, 2)]
        assert {result.state for result in await world.connector.publish(newer)} == {PushState.ACCEPTED}
        second = await world.connector.publish([item(world.ref(f"S{n}"), 7, 3) for n in range(1, 202)])
        assert second[0].receipt is not None
        world.clock.advance(3600)
        assert [world.sandbox.shown(sku) for sku in ("S0", "S1")] == [5, 7]
        for results in (first, second):
            rest = [result.item for result in results[2:]]
            judged = await world.connector.poll_receipt(str(results[0].receipt), rest)
            assert {result.state for result in judged} == {PushState.ACCEPTED}
        assert [world.sandbox.shown(sku) for sku in ("S0", "S1")] == [0, 7]


@pytest.mark.parametrize("status", [400, 413, 429])
async def test_a_feed_that_finds_no_way_in_goes_out_singly(status: int) -> None:
    async with scripted() as wire:
        wire.routes.put("/v3/inventory").respond(json={})
        wire.routes.post("/v3/feeds").respond(status, json=errors("X.Y", "no"))
        items = [item(ListingRef(f"S{n}", f"S{n}", "1"), n) for n in range(201)]
        results = await wire.connector.publish(items)
        sent = [result for result in results if result.state is PushState.ACCEPTED]
        assert len(sent) > 150
        assert all(isinstance(r.error, RateLimited) for r in results if r.state is PushState.FAILED)


async def test_read_back_compares_the_entered_number_and_tells_what_is_for_sale() -> None:
    async with opened() as world:
        world.sandbox.stock("A", 10)
        world.sandbox.stock_node("A", SECOND_NODE, 4)
        assert await world.sandbox.sell([("A", 3)])
        first, second, gone, anywhere = await world.connector.read_back(
            [world.ref("A"), world.ref("A", SECOND_NODE), world.ref("B"), world.ref("A", None)]
        )
        assert (first.quantity, first.available) == (10, 7)
        assert (second.quantity, second.available) == (4, 4)
        assert gone.missing
        assert anywhere.quantity == 10


async def test_read_back_sweeps_where_that_costs_fewer_calls() -> None:
    async with opened() as world:
        for n in range(60):
            world.sandbox.stock(f"S{n:02}", n)
        refs = [world.ref(f"S{n:02}") for n in range(20, 60)]
        for _ in range(2):
            levels = await world.connector.read_back(refs)
            assert [level.quantity for level in levels] == list(range(20, 60))
        paths = [line.facts["path"] for line in world.sandbox.happenings("request")]
        assert paths.count("/v3/inventories") == 1 + 2
        assert sum(path.startswith("/v3/inventories/") for path in paths) == 40


async def test_open_units_are_walmarts_to_subtract() -> None:
    """What is sent is stock including units of open orders; shoppers see it without them."""
    async with opened() as world:
        world.sandbox.stock("A", 10)
        assert await world.sandbox.sell([("A", 4)])
        assert world.sandbox.shown("A") == 6
        await world.connector.publish([item(world.ref("A"), 10)])
        assert world.sandbox.shown("A") == 6
        assert world.connector.manifest.quantity_meaning == "input"
        assert world.ref("A").location == MAIN_NODE
