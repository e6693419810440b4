"""Every changed order is read once, whatever the list does while it is paged through."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.ebay import orders
from connectors.ebay.manifest import HISTORY_DAYS
from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import Rejected, Transient, UnknownTopic
from tests.support.ebay_wire import ORDER_PATH, Wire, fault, notification, order, page, scripted

RANGE = re.compile(r"lastmodifieddate:\[(.+)\.\.(.+)\]")


class Shelf:
    """A list of orders that can lose rows between two pages, as eBay's does when an order changes."""

    def __init__(self, count: int) -> None:
        self.rows = [order(f"o-{number:03}") for number in range(count)]
        self.asked: list[tuple[int, int]] = []
        self.before_page: dict[int, list[str]] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        for gone in self.before_page.pop(len(self.asked), []):
            self.rows = [row for row in self.rows if row["orderId"] != gone]
        limit, offset = int(request.url.params["limit"]), int(request.url.params["offset"])
        assert limit <= 200, "more than 200 fails"
        self.asked.append((offset, limit))
        part = self.rows[offset : offset + limit]
        return httpx.Response(200, json=page(*part, total=len(self.rows)))


async def walk(wire: Wire, limit: int, cursor: Any = None) -> list[Envelope]:
    found: list[Envelope] = []
    for _ in range(300):
        got = await wire.connector.fetch("orders", cursor, limit)
        found += got.envelopes
        cursor = json.loads(json.dumps(got.cursor))
        if not got.more:
            return found
    pytest.fail("the walk has no end")


def ids(envelopes: list[Envelope]) -> list[str]:
    return [json.loads(each.payload)["orderId"] for each in envelopes]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
async def test_each_order_is_read_once_while_nothing_moves(limit: int) -> None:
    """Whatever the page size, a calm list gives each row once, and no page asks for more than 200."""
    async with scripted() as wire:
        shelf = Shelf(7)
        wire.routes.get(ORDER_PATH).mock(side_effect=shelf.answer)
        assert ids(await walk(wire, limit)) == [f"o-{number:03}" for number in range(7)]


async def test_a_full_page_is_as_large_as_ebay_allows() -> None:
    """The row asked for twice counts: later pages stay at 200 with it."""
    async with scripted() as wire:
        shelf = Shelf(450)
        wire.routes.get(ORDER_PATH).mock(side_effect=shelf.answer)
        assert len(set(ids(await walk(wire, 1_000)))) == 450
        assert shelf.asked == [(0, 199), (198, 200), (397, 200)]


@pytest.mark.parametrize("gone", [["o-000"], ["o-000", "o-001", "o-003"], ["o-003"], ["o-005"]])
async def test_an_order_that_leaves_the_range_hides_no_other(gone: list[str]) -> None:
    """Rows that move up while paging are still read; those that left change after the range and come later."""
    async with scripted() as wire:
        shelf = Shelf(12)
        shelf.before_page = {1: gone}
        wire.routes.get(ORDER_PATH).mock(side_effect=shelf.answer)
        found = set(ids(await walk(wire, 4)))
        assert found >= {f"o-{number:03}" for number in range(12)} - set(gone)


async def test_without_the_anchor_the_same_shift_does_hide_one() -> None:
    """Control: plain offset paging over the same shelf misses an order."""
    shelf = Shelf(12)
    first = [row["orderId"] for row in shelf.rows[:4]]
    shelf.rows = shelf.rows[1:]
    rest = [row["orderId"] for row in shelf.rows[4:]]
    assert "o-004" not in {*first, *rest}


async def test_a_list_that_never_holds_still_is_given_up() -> None:
    """A walk that steps back for ever is an error and leaves its cursor where it was."""
    async with scripted() as wire:
        numbers = iter(range(10_000))

        def shifting(request: httpx.Request) -> httpx.Response:
            rows = [order(f"x-{next(numbers)}") for _ in range(int(request.url.params["limit"]))]
            return httpx.Response(200, json=page(*rows, total=1_000))

        wire.routes.get(ORDER_PATH).mock(side_effect=shifting)
        with pytest.raises(Transient, match="faster than it can be read"):
            await walk(wire, 2)


async def test_the_range_overlaps_the_mark_and_never_names_creation() -> None:
    """The next sweep starts five minutes before the mark; with a creation date beside it eBay would ignore this one."""
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(json=page())
        first = await wire.connector.fetch("orders", None, 50)
        wire.clock.advance(60)
        second = await wire.connector.fetch("orders", first.cursor, 50)
        assert second.watermark == EPOCH + timedelta(seconds=60)
        queries = [
            call.request.url.params["filter"] for call in wire.routes.calls if "filter" in call.request.url.params
        ]
        begin, end = RANGE.fullmatch(queries[-1]).groups()  # type: ignore[union-attr]
        assert (begin, end) == ("2026-01-05T11:55:00.000Z", "2026-01-05T12:01:00.000Z")
        assert not any("creationdate" in query for query in queries)
        raw = str(wire.routes.calls.last.request.url.query, "ascii")
        assert not set("[]{}|") & set(raw)


async def test_a_backfill_goes_month_by_month_and_stops_at_two_years() -> None:
    """Longer than eBay keeps orders is cut, and each range is at most a month."""
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(json=page())
        cursor: Any = None
        for _ in range(100):
            got = await wire.connector.fetch("orders", cursor, 50, EPOCH - timedelta(days=5_000))
            cursor = got.cursor
            if not got.more:
                break
        spans = [
            RANGE.fullmatch(call.request.url.params["filter"]).groups()  # type: ignore[union-attr]
            for call in wire.routes.calls
            if "filter" in call.request.url.params
        ]
        assert spans[0][0].startswith(str((EPOCH - timedelta(days=HISTORY_DAYS)).date()))
        assert [begin for begin, _ in spans[1:]] == [end for _, end in spans[:-1]]
        assert len(spans) == 25


async def test_a_clock_ahead_of_ebays_is_lived_with() -> None:
    """A range that ends in eBay's future ends earlier, and the mark with it."""
    async with scripted() as wire:
        replies = [httpx.Response(400, json=fault(30850, "Start and end dates can't be in the future"))]
        wire.routes.get(ORDER_PATH).mock(side_effect=[*replies, httpx.Response(200, json=page())])
        first = await wire.connector.fetch("orders", None, 50)
        assert first.more
        second = await wire.connector.fetch("orders", first.cursor, 50)
        assert second.watermark == EPOCH - timedelta(minutes=5)


async def test_a_range_that_is_too_long_is_halved() -> None:
    """30830 shortens the range and the rest of it follows."""
    async with scripted() as wire:
        seen: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request.url.params["filter"])
            long = len(seen) == 1
            return (
                httpx.Response(400, json=fault(30830))
                if long
                else httpx.Response(200, json=page(order(f"o-{len(seen)}")))
            )

        wire.routes.get(ORDER_PATH).mock(side_effect=answer)
        assert ids(await walk(wire, 50)) == ["o-2", "o-3"]
        spans = [RANGE.fullmatch(each).groups() for each in seen]  # type: ignore[union-attr]
        assert spans[1][1] == spans[2][0]
        assert spans[2][1] == spans[0][1]


async def test_another_refusal_is_said_and_a_foreign_body_is_no_empty_page() -> None:
    """What is not about the range is raised; an answer that is no page is weather, never "no orders"."""
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(400, json=fault(30700, "Invalid filter"))
        with pytest.raises(Rejected, match="Invalid filter"):
            await wire.connector.fetch("orders", None, 50)
        for body in ({"hello": 1}, [], {"orders": None}):
            wire.routes.get(ORDER_PATH).respond(json=body)
            with pytest.raises(Transient):
                await wire.connector.fetch("orders", None, 50)


async def test_an_order_with_a_cancel_request_is_read_by_itself() -> None:
    """The list leaves cancelRequests empty always, so the single order is what is kept."""
    requests = [{"cancelRequestId": "5360375787", "cancelRequestState": "REQUESTED", "cancelInitiator": "BUYER"}]
    listed = order("o-1", cancelStatus={"cancelState": "IN_PROGRESS", "cancelRequests": []})
    whole = order("o-1", cancelStatus={"cancelState": "IN_PROGRESS", "cancelRequests": requests})
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(json=page(listed, order("o-2")))
        read = wire.routes.get(f"{ORDER_PATH}/o-1").respond(json=whole)
        found = await walk(wire, 50)
        assert read.call_count == 1
        assert json.loads(found[0].payload)["cancelStatus"]["cancelRequests"] == requests
        (resolved,) = await wire.connector.resolve(Envelope("cancellation", "c", "c", b'{"legacyOrderId": "o-1"}'))
        assert resolved.dedupe_key == found[0].dedupe_key


def test_digits_of_money_survive_in_the_payload() -> None:
    """The payload is the row's own bytes, and equal content has one key however it is spelt."""
    raw = b'{"orderId":"1","lastModifiedDate":"2026-01-05T10:00:05.000Z","pricingSummary":{"total":{"value":"120.0"}}}'
    named = orders.envelope(raw)
    assert named.payload == raw
    assert named.ordering_key == "order:1"
    assert orders.envelope(raw.replace(b",", b", ")).dedupe_key == named.dedupe_key
    assert orders.envelope(raw.replace(b"05.000Z", b"06.000Z")).dedupe_key != named.dedupe_key


async def test_hints_lead_to_the_order_and_odd_ones_to_nothing() -> None:
    """An order confirmation is a reason to read; one that names nothing is left to polling."""
    async with scripted() as wire:
        wire.routes.get(f"{ORDER_PATH}/o-1").respond(json=order("o-1"))
        hint = notification("ORDER_CONFIRMATION", {"order": {"orderId": "o-1"}})
        (resolved,) = await wire.connector.resolve(Envelope("ORDER_CONFIRMATION", "k", "o", hint))
        assert resolved.topic == "order"
        empty = Envelope("ORDER_CONFIRMATION", "k", "o", notification("ORDER_CONFIRMATION", {}))
        assert await wire.connector.resolve(empty) == []
        with pytest.raises(UnknownTopic):
            await wire.connector.resolve(Envelope("ORDER_CONFIRMATION", "k", "o", b"{"))
        with pytest.raises(UnknownTopic, match="ORDER_CONFIRMATION"):
            await wire.connector.resolve(Envelope("ITEM_SOLD", "k", "o", b"{}"))


async def test_an_order_announced_before_it_can_be_read_is_tried_again() -> None:
    """404 right after a notification is a late read, not a missing order."""
    async with scripted() as wire:
        wire.routes.get(f"{ORDER_PATH}/o-1").respond(404, json=fault(32100, "Invalid order ID"))
        hint = notification("ORDER_CONFIRMATION", {"order": {"orderId": "o-1"}})
        with pytest.raises(Transient, match="cannot be read yet"):
            await wire.connector.resolve(Envelope("ORDER_CONFIRMATION", "k", "o", hint))


async def test_a_cancellation_of_an_order_too_old_to_read_is_let_go() -> None:
    """Its order is beyond the API's reach and holds no stock; a vendor in trouble is another matter."""
    hint = Envelope("cancellation", "c", "c", b'{"legacyOrderId": "o-1"}')
    async with scripted() as wire:
        wire.routes.get(f"{ORDER_PATH}/o-1").respond(404, json=fault(32100, "Invalid order ID"))
        assert await wire.connector.resolve(hint) == []
        assert await wire.connector.resolve(Envelope("cancellation", "c", "c", b"{}")) == []
        wire.routes.get(f"{ORDER_PATH}/o-1").respond(503)
        with pytest.raises(Transient):
            await wire.connector.resolve(hint)


async def test_a_damaged_cursor_is_refused_and_an_unknown_stream_named() -> None:
    """Nothing is guessed about a cursor that cannot be read."""
    async with scripted() as wire:
        with pytest.raises(Rejected, match="damaged"):
            await wire.connector.fetch("orders", {"from": "x", "to": "y", "end": "z"}, 5)
        with pytest.raises(Rejected, match="orders, cancellations, returns, listings, stock"):
            await wire.connector.fetch("payments", None, 5)
