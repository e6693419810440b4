"""A cursor never runs ahead of the rows it passed, and a page that fails is not skipped."""

import json
from collections import deque
from datetime import timedelta

import pytest

from connectors.sdk.contract import Page
from connectors.sdk.errors import AuthFailed, RateLimited, Rejected, Transient
from hub.ports.store import InboxState, StoreUnavailable
from hub.services import moments
from tests.support.toy_channel import Desk, envelope


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    now = desk.clock.now()
    desk.vendor.pages = {
        "start": Page([envelope("o1"), envelope("o2")], {"at": "p2"}, more=True),
        "p2": Page([envelope("o3")], {"at": "p3"}, more=True),
        "p3": Page([envelope("o4")], {"at": "end"}, more=False, watermark=now - timedelta(seconds=5)),
        "end": Page([envelope("o4")], {"at": "end"}, more=False),
    }
    return desk


def stored(desk: Desk) -> list[str]:
    return [key for _, key in desk.store.tables.dedupe]


async def test_a_walk_stores_every_page_and_its_cursor(desk: Desk) -> None:
    """Three pages, four inputs, one cursor; the watermark only at the end."""
    walked = await desk.poller.poll("orders")
    assert (walked.pages, walked.envelopes, walked.finished) == (3, 4, True)
    assert stored(desk) == ["o1", "o2", "o3", "o4"]
    row = await desk.store.cursor("shop", "orders")
    assert row is not None
    assert json.loads(row.cursor) == {"at": "end"}
    assert row.watermark == moments.micros(desk.clock.now() - timedelta(seconds=5))
    assert [item.kind for item in desk.store.tables.attempts] == ["pull_orders"] * 3


async def test_overlap_is_harmless(desk: Desk) -> None:
    """The same envelope met again is the same input."""
    await desk.poller.poll("orders")
    await desk.poller.poll("orders")
    assert stored(desk) == ["o1", "o2", "o3", "o4"]


@pytest.mark.parametrize("error", [Transient("reset"), RateLimited("slow", retry_after_s=1.0)])
async def test_a_page_that_fails_is_read_next_time(desk: Desk, error: Exception) -> None:
    """The walk goes on exactly where it stopped; nothing between is skipped."""
    desk.vendor.faults["fetch"] = deque([None, error])
    walked = await desk.poller.poll("orders")
    assert (walked.pages, walked.finished) == (1, False)
    row = await desk.store.cursor("shop", "orders")
    assert row is not None
    assert json.loads(row.cursor) == {"at": "p2"}
    assert row.watermark is None
    desk.clock.advance(2.0)
    assert (await desk.poller.poll("orders")).finished
    assert stored(desk) == ["o1", "o2", "o3", "o4"]


async def test_a_stream_whose_quota_is_spent_holds_up_no_other(desk: Desk) -> None:
    """A search may rest for minutes: what arrives in a queue, or the stock, is still read."""
    desk.vendor.faults["fetch"] = deque([RateLimited("one in three minutes", retry_after_s=178.0)])
    assert (await desk.poller.poll("orders")).wait_s == pytest.approx(178.0)
    assert (await desk.poller.poll("stock")).finished
    assert (await desk.poller.poll("orders")).stopped == "the gate is shut"


async def test_rows_and_cursor_share_a_fate(desk: Desk) -> None:
    """When the store cannot take a page, the cursor stays where it was too."""
    desk.store.fail = "disk full"
    with pytest.raises(StoreUnavailable):
        await desk.poller.poll("orders")
    desk.store.fail = None
    assert await desk.store.cursor("shop", "orders") is None
    assert stored(desk) == []


async def test_a_repeated_cursor_stops_and_is_seen(desk: Desk) -> None:
    """No endless loop, no watermark past what was read, and an operator sees it until it is over."""
    desk.vendor.pages["p2"] = Page([envelope("o3")], {"at": "p2"}, more=True)
    walked = await desk.poller.poll("orders")
    assert (walked.pages, walked.finished) == (2, False)
    assert [error for *_, error in desk.open_failures()] == ["Transient"]
    row = await desk.store.cursor("shop", "orders")
    assert row is not None
    assert (row.cursor, row.watermark) == ("", None)
    desk.vendor.pages["p2"] = Page([envelope("o3")], {"at": "p3"}, more=True)
    assert (await desk.poller.poll("orders")).finished
    assert desk.open_failures() == []


async def test_the_watermark_is_taken_before_the_question(desk: Desk) -> None:
    """What changes while we read belongs to the next walk."""
    began = moments.now(desk.clock)
    good = desk.vendor.fetch

    async def slow(*args):  # type: ignore[no-untyped-def]
        desk.clock.advance(30.0)
        return await good(*args)

    desk.vendor.fetch = slow  # type: ignore[method-assign]
    desk.vendor.pages = {"start": Page([], {"at": "end"}, more=False)}
    await desk.poller.poll("orders")
    row = await desk.store.cursor("shop", "orders")
    assert row is not None
    assert row.watermark == began


async def test_backfill_goes_beside_the_ordinary_cursor(desk: Desk) -> None:
    """`pull --since` reads again and leaves the stream's own cursor alone; asked again it reads again."""
    await desk.poller.poll("orders")
    since = desk.clock.now() - timedelta(days=3)
    for _ in range(2):
        assert (await desk.poller.backfill("orders", since)).pages == 3
    row = await desk.store.cursor("shop", "orders")
    assert row is not None
    assert json.loads(row.cursor) == {"at": "end"}


async def test_backfill_beyond_the_vendors_reach_is_refused(desk: Desk) -> None:
    """The operator is told how far back the vendor goes, before anything is read."""
    with pytest.raises(ValueError, match="last 30 days only"):
        await desk.poller.backfill("orders", desk.clock.now() - timedelta(days=31))
    assert desk.vendor.calls == []


async def test_a_held_account_is_not_asked(desk: Desk) -> None:
    """Credentials refused once: the poll holds the account and asks no more."""
    desk.vendor.down = AuthFailed("expired")
    for _ in range(3):
        await desk.poller.poll("orders")
    assert desk.vendor.count("fetch") == 1


async def test_a_hint_becomes_what_stands_there_now(desk: Desk) -> None:
    """The fetched state is stored and the hint finished in one unit of work."""
    await desk.store.receive([_hint()])
    desk.vendor.found = [envelope("o9@2")]
    (item,) = await desk.store.claim_inbox(10)
    assert await desk.resolver.resolve(item) is InboxState.DONE
    assert stored(desk) == ["hint-1", "o9@2"]
    assert desk.store.tables.inbox[item.seq].state is InboxState.DONE


async def test_a_hint_that_cannot_be_resolved_now_comes_again(desk: Desk) -> None:
    """Transient goes on the schedule, Rejected is parked, a shut gate burns nothing."""
    from connectors.sdk.errors import TargetMissing

    await desk.store.receive([_hint()])
    (item,) = await desk.store.claim_inbox(10)
    desk.vendor.faults["resolve"] = deque([Transient("reset"), TargetMissing("gone")])
    assert await desk.resolver.resolve(item) is InboxState.PENDING
    assert await desk.store.claim_inbox(10) == []
    desk.clock.advance(10.0)
    (item,) = await desk.store.claim_inbox(10)
    assert item.attempts == 1
    assert await desk.resolver.resolve(item) is InboxState.FAILED
    assert desk.open_failures() == [("inbound", str(item.seq), "TargetMissing")]


def _hint():  # type: ignore[no-untyped-def]
    from hub.ports.store import NewInput

    return NewInput("shop", "toy", "webhook", "orders/changed", "hint-1", "o9", b"{}", "d", 0)


async def test_what_cannot_be_read_is_told_until_it_can(desk: Desk) -> None:
    """A file too large for us is a failure by its message, one however often it is met; the next whole walk ends it."""
    desk.vendor.faults["fetch"] = deque(
        [Rejected("po.edi is too large; it stays where it is", code="file_too_large")] * 2
    )
    await desk.poller.poll("orders")
    await desk.poller.poll("orders")
    assert desk.open_failures() == [("inbound", "stream:orders", "Rejected")]
    await desk.poller.poll("orders")
    assert desk.open_failures() == []
