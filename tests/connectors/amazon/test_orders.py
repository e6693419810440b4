"""Every changed order is read, whatever becomes of the page tokens, and late ones are looked for again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.amazon import moments, orders
from connectors.amazon.late import LateOrders
from connectors.amazon.manifest import HISTORY_DAYS, MANIFEST
from connectors.amazon.orders import Orders
from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import Envelope, Page
from connectors.sdk.errors import RateLimited, Rejected, TargetMissing, Transient
from tests.support.amazon_wire import BASE, ORDERS_PATH, US, Wire, fault, order, scripted

OVERLAP = MANIFEST.stream("orders").overlap_s


def reader(wire: Wire) -> Orders:
    return Orders(wire.ctx, wire.api, wire.settings, MANIFEST.stream("orders"))


class Shelf:
    """Orders as Amazon pages them: oldest change first, a token per page that holds to its parameters."""

    def __init__(self, count: int) -> None:
        minutes = range(count)
        self.rows = [
            order(f"701-{number:07}-0000001", lastUpdatedTime=f"2026-01-05T10:{number:02}:00.000Z")
            for number in minutes
        ]
        self.asked: list[httpx.QueryParams] = []
        self.dead: set[str] = set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        self.asked.append(query)
        assert ("createdAfter" in query) + ("lastUpdatedAfter" in query) == 1, "exactly one of the two"
        token = query.get("paginationToken", "")
        if token in self.dead:
            return httpx.Response(400, json=fault("InvalidInput", "Invalid pagination token"))
        after = moments.read(query["lastUpdatedAfter"])
        rows = [row for row in self.rows if moments.read(row["lastUpdatedTime"]) >= after]
        first, size = int(token.partition(":")[2] or 0), int(query["maxResultsPerPage"])
        body: dict[str, Any] = {"orders": rows[first : first + size]}
        if first + size < len(rows):
            body["pagination"] = {"nextToken": f"t:{first + size}"}
        return httpx.Response(200, json=body)


async def walk(stream: Orders, limit: int, cursor: Any = None) -> tuple[list[Envelope], Any]:
    found: list[Envelope] = []
    for _ in range(100):
        page = await stream.fetch(cursor, limit, None)
        found += page.envelopes
        cursor = json.loads(json.dumps(page.cursor))
        if not page.more:
            return found, cursor
    pytest.fail("the walk has no end")


def ids(envelopes: list[Envelope]) -> list[str]:
    return [json.loads(each.payload)["orderId"] for each in envelopes]


def known(shelf: Shelf) -> list[str]:
    return [row["orderId"] for row in shelf.rows]


@pytest.mark.parametrize("limit", [1, 3, 7, 100, 5_000])
async def test_every_order_is_read_whatever_the_page_size(limit: int) -> None:
    """One marketplace list, one time criterion, the status and the people asked for, at most 100 a page."""
    async with scripted() as wire:
        shelf = Shelf(12)
        wire.routes.get(f"{BASE}{ORDERS_PATH}").mock(side_effect=shelf.answer)
        found, cursor = await walk(reader(wire), limit)
        assert ids(found) == known(shelf)
        first = shelf.asked[0]
        assert first["marketplaceIds"] == US
        assert "FULFILLMENT" in first["includedData"].split(",")
        assert int(first["maxResultsPerPage"]) == min(limit, 100)
        assert "lastUpdatedBefore" not in first, "no end of ours, so none that is too young"
        assert all(each["lastUpdatedAfter"] == first["lastUpdatedAfter"] for each in shelf.asked)
        assert cursor["mark"] == moments.text(EPOCH - timedelta(minutes=2))


async def test_the_next_sweep_overlaps_and_the_watermark_stays_two_minutes_behind() -> None:
    """What happened in the last two minutes counts as unseen; an hour is read again."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": []})
        stream = reader(wire)
        page = await stream.fetch(None, 100, None)
        assert page.watermark == wire.clock.now() - timedelta(minutes=2)
        wire.clock.advance(600)
        await stream.fetch(page.cursor, 100, None)
        begins = [moments.read(call.request.url.params["lastUpdatedAfter"]) for call in route.calls]
        assert begins == [EPOCH - timedelta(days=30), EPOCH - timedelta(minutes=2, seconds=OVERLAP)]
        assert OVERLAP >= 3600


async def test_once_a_day_three_days_are_read_again() -> None:
    """Orders were seen to appear hours late, behind the mark: they are found, and known ones keep their keys."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": [order()]})
        late = LateOrders(wire.ctx, wire.api, reader(wire))
        page = await late.fetch(None, 100, None)
        for _ in range(23):
            page = await late.fetch(page.cursor, 100, None)
            assert not page.more
            wire.clock.advance(3600)
        assert not route.called, "a new account has just read its orders"
        wire.clock.advance(3600)
        page = await late.fetch(page.cursor, 100, None)
        begin = moments.read(route.calls.last.request.url.params["lastUpdatedAfter"])
        assert wire.clock.now() - begin == timedelta(days=3)
        (found,) = page.envelopes
        assert found == (await reader(wire).fetch(None, 100, None)).envelopes[0]
        count = route.call_count
        await late.fetch(page.cursor, 100, None)
        assert route.call_count == count


async def test_late_orders_never_take_the_calls_that_bring_news() -> None:
    """A search is granted once in three minutes: the daily sweep leaves some, and goes on where it stopped."""
    async with scripted() as wire:
        shelf = Shelf(30)
        wire.routes.get(f"{BASE}{ORDERS_PATH}").mock(side_effect=shelf.answer)
        late = LateOrders(wire.ctx, wire.api, reader(wire))
        cursor: Any = {"mark": "2026-01-01T00:00:00.000Z"}
        found: list[Envelope] = []
        with pytest.raises(RateLimited) as caught:  # noqa: PT012  # it is raised by the call that is one too many
            while True:
                page = await late.fetch(cursor, 1, None)
                found += page.envelopes
                cursor = json.loads(json.dumps(page.cursor))
        assert 15 <= len(found) <= 17
        assert wire.api.ready_within("searchOrders", 0.0)
        assert caught.value.retry_after_s is not None
        wire.clock.advance(caught.value.retry_after_s)
        page = await late.fetch(cursor, 100, None)
        assert ids([*found, *page.envelopes]) == known(shelf)
        assert not page.more


@pytest.mark.parametrize("dead", ["t:3", "t:6", "t:9"])
async def test_a_refused_token_is_no_loss(dead: str) -> None:
    """Ended, or made under other parameters: the sweep goes on without one from the last order it saw."""
    async with scripted() as wire:
        shelf = Shelf(12)
        shelf.dead = {dead}
        wire.routes.get(f"{BASE}{ORDERS_PATH}").mock(side_effect=shelf.answer)
        stream = reader(wire)
        found: list[Envelope] = []
        page = Page((), {}, more=True)
        cursor = None
        while page.more:
            page = await stream.fetch(cursor, 3, None)
            found += page.envelopes
            shelf.dead = shelf.dead if page.envelopes else set()
            cursor = page.cursor
        assert set(ids(found)) == set(known(shelf))
        assert len({each.dedupe_key for each in found}) == 12, "what is read twice is known by its key"


async def test_a_token_older_than_its_life_is_not_even_sent() -> None:
    """Tokens live 24 h; a hub that was away longer begins again where it had come to."""
    async with scripted() as wire:
        shelf = Shelf(9)
        wire.routes.get(f"{BASE}{ORDERS_PATH}").mock(side_effect=shelf.answer)
        stream = reader(wire)
        first = await stream.fetch(None, 3, None)
        wire.clock.advance(23 * 3600)
        rest, _ = await walk(stream, 3, first.cursor)
        assert "paginationToken" not in shelf.asked[1]
        assert shelf.asked[1]["lastUpdatedAfter"] == "2026-01-05T10:02:00.000Z"
        assert set(ids([*first.envelopes, *rest])) == set(known(shelf))


async def test_an_order_touched_during_the_sweep_hides_none_behind_it() -> None:
    """It shows the time of its change, not of its place: without its token the sweep goes on from the place."""
    async with scripted() as wire:
        touched = order("701-0000002-0000001", lastUpdatedTime="2026-01-05T12:00:30.000Z")
        first = {"orders": [order(), touched], "pagination": {"nextToken": "t:1"}}
        asked: list[Any] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.params)
            if "paginationToken" in request.url.params:
                return httpx.Response(400, json=fault("InvalidInput", "the token has ended"))
            late = [order("701-0000003-0000001", lastUpdatedTime="2026-01-05T10:30:00.000Z")]
            return httpx.Response(200, json=first if len(asked) == 1 else {"orders": late})

        wire.routes.get(f"{BASE}{ORDERS_PATH}").mock(side_effect=answer)
        await walk(reader(wire), 100)
        assert [params["lastUpdatedAfter"] for params in asked][-1] == "2026-01-05T10:00:05.000Z"


async def test_a_repeated_token_stops_and_loses_nothing() -> None:
    """A token that leads to itself is dropped, the sweep goes on from the last order, and in the end gives up aloud."""
    async with scripted() as wire:
        body = {"orders": [order()], "pagination": {"nextToken": "t:1"}}
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json=body)
        wire.api.budgets.learn("searchOrders", restore_rate=1_000.0)
        with pytest.raises(Transient) as caught:
            await walk(reader(wire), 100)
        assert caught.value.code == "cursor_repeated"
        begins = {call.request.url.params["lastUpdatedAfter"] for call in route.calls}
        assert "2026-01-05T10:00:05.000Z" in begins
        assert route.call_count < 60


async def test_a_refusal_without_a_token_is_the_vendors_word() -> None:
    """Nothing to blame but the request itself: it is shown, not tried in circles."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(400, json=fault("InvalidInput", "no such marketplace"))
        with pytest.raises(Rejected, match="no such marketplace"):
            await reader(wire).fetch(None, 100, None)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"orders": null}', b'{"orders": {}}', b"<html>"])
async def test_a_body_without_orders_is_no_empty_page(body: bytes) -> None:
    """Something else said 200: the mark must not move."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(200, content=body)
        with pytest.raises(Transient) as caught:
            await reader(wire).fetch(None, 100, None)
        assert caught.value.code == "unexpected_body"


@pytest.mark.parametrize("cursor", [{"from": "x", "to": "y"}, {"from": None}, {"from": "2026-01-05T10:00:00Z"}])
async def test_a_damaged_cursor_is_said(cursor: Any) -> None:
    """Guessing where a walk was would lose orders."""
    async with scripted() as wire:
        with pytest.raises(Rejected) as caught:
            await reader(wire).fetch(cursor, 100, None)
        assert caught.value.code == "cursor_damaged"


async def test_history_ends_at_two_years() -> None:
    """Older than Amazon keeps is not asked for."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": []})
        await reader(wire).fetch(None, 100, EPOCH - timedelta(days=2_000))
        begin = moments.read(route.calls.last.request.url.params["lastUpdatedAfter"])
        assert begin == EPOCH - timedelta(days=HISTORY_DAYS)


async def test_one_order_is_the_same_input_however_it_is_read() -> None:
    """From a list or by itself: same bytes, same key; another state has another key in the same order of events."""
    async with scripted() as wire:
        one = order("701-1-1")
        changed = order("701-1-1", fulfillment={"fulfillmentStatus": "CANCELLED"})
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": [one]})
        single = wire.routes.get(f"{BASE}{ORDERS_PATH}/701-1-1").respond(json={"order": one})
        (listed,) = (await reader(wire).fetch(None, 100, None)).envelopes
        assert await reader(wire).current("701-1-1") == listed
        single.respond(json={"order": changed})
        later = await reader(wire).current("701-1-1")
        assert later.dedupe_key != listed.dedupe_key
        assert later.ordering_key == listed.ordering_key
        asked = [set(call.request.url.params["includedData"].split(",")) for call in wire.routes.calls[1:]]
        assert all(each == set(orders.INCLUDED) for each in asked)


async def test_an_order_that_is_not_there_is_missing() -> None:
    """404 is its own word; an answer without an order is weather."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}/701-1-1").respond(404, json=fault("NotFound"))
        with pytest.raises(TargetMissing):
            await reader(wire).current("701-1-1")
        route.respond(200, json={"payload": {}})
        with pytest.raises(Transient):
            await reader(wire).read("701-1-1")


async def test_a_spent_search_leaves_the_cursor_where_it_was() -> None:
    """429 in mid-walk: the next call goes on with the same token."""
    async with scripted() as wire:
        shelf = Shelf(6)
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").mock(side_effect=shelf.answer)
        stream = reader(wire)
        first = await stream.fetch(None, 3, None)
        route.mock(return_value=httpx.Response(429, json=fault("QuotaExceeded")))
        with pytest.raises(RateLimited):
            await stream.fetch(first.cursor, 3, None)
        wire.clock.advance(600)
        route.mock(side_effect=shelf.answer)
        rest, _ = await walk(stream, 3, first.cursor)
        assert ids([*first.envelopes, *rest]) == known(shelf)
