"""Books of tracking numbers keep their promises on both engines."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest

from hub.ports.parcels import BookChange, ParcelAsked
from hub.ports.store import InboxResult, InboxState, NewInput, ReadSet, StoreConflict, WriteSet
from hub.services.apply import Apply
from hub.services.extract import facts_of
from hub.services.interpret import route
from hub.services.interpreted import Interpreted
from hub.storage import migrate
from hub.storage.sqlite import parcels as statements
from tests.support.orders import line, order, plan
from tests.support.parcels import NOW, NUMBER, Tracked, shipped, what
from tests.support.scans import latest, scan
from tests.support.stores import Bench
from tests.support.toy_carrier import AskingDesk

OTHER = "1Z12345E0291980793"


def tracked(bench: Bench) -> Tracked:
    """At the time scans are received."""
    bench.clock.advance(max(0, NOW - bench.now) / 1_000_000)
    return Tracked(bench.store)


async def test_a_book_comes_back_as_it_was_written(bench: Bench) -> None:
    """Parcels, events and links survive a restart; what is let go of is gone."""
    hub = tracked(bench)
    await hub.tell(shipped("s1", "1001", NUMBER, OTHER))
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", city="Ames"), latest("in_transit"))
    before = await hub.book()
    assert len(before.events) == 2
    await bench.again()
    hub.store = bench.store
    assert await hub.book() == before
    hub = tracked(bench)
    hub.numbers = iter(range(100, 200))
    await hub.tell(shipped("s1", "1001", NUMBER, version=2))
    assert (await hub.book(OTHER)).parcels == (await hub.book(OTHER)).links == ()


async def test_the_engines_agree_with_memory(bench: Bench) -> None:
    """The same mail gives the same parcels as the store in memory, returns and recycled numbers among it."""
    mail = [
        (scan("in_transit", "2026-03-02T10:00:00Z"), scan("delivered", "2026-03-04T10:00:00Z")),
        (shipped("old", "900", NUMBER, on="2026-03-01"),),
        (shipped("new", "1001", NUMBER, on="2026-11-01"),),
        (scan("in_transit", "2026-11-02T10:00:00Z", attributes={"return_number": OTHER}),),
        (scan("delivered", "2026-11-06T10:00:00Z", tracking_number=OTHER),),
    ]
    memory, real = Tracked(), tracked(bench)
    for documents in mail * 2:
        await memory.tell(*documents)
        await real.tell(*documents)
    for number in (NUMBER, OTHER):
        assert what(await real.book(number)) == what(await memory.book(number))
    assert "returned" in {row.milestone for row in (await real.book()).parcels}


async def test_a_parcel_that_moved_meanwhile_is_a_conflict_and_nothing_is_stored(bench: Bench) -> None:
    """An older revision is refused whole: its event is not there afterwards."""
    hub = tracked(bench)
    await hub.tell(shipped("s1", "1001", NUMBER))
    book = await hub.book()
    stale = replace(book.parcels[0], rev=book.parcels[0].rev + 5, milestone="failed")
    change = BookChange(NUMBER, parcels=(stale,), links_gone=(book.links[0].key,))
    with pytest.raises(StoreConflict):
        await bench.write(WriteSet(books=[change]))
    assert await hub.book() == book


async def test_many_tell_of_one_number_at_once(bench: Bench) -> None:
    """Twelve units race for a number nobody knew: one parcel, every event once."""
    hub = tracked(bench)
    scans = [scan("in_transit", f"2026-11-02T{hour:02d}:00:00Z") for hour in range(12)]
    names = [f"k{hour}" for hour in range(12)]
    await bench.store.receive([NewInput("shop", "toy", "poll", "orders", n, n, b"{}", "x", bench.now) for n in names])
    items = await bench.store.claim_inbox(20)

    async def one(place: int) -> None:
        facts = facts_of(scans[place], "shop", bench.now)
        assert facts is not None
        await hub.apply.apply([(items[place], Interpreted(items[place].seq, (facts,)))])

    await asyncio.gather(*(one(place) for place in range(12)))
    # What collided too often was put back to come again.
    while again := await bench.store.claim_inbox(20):
        for item in again:
            await one(names.index(item.ordering_key))
    book = await hub.book()
    assert (len(book.parcels), len(book.events)) == (1, 12)


async def test_asking_is_noted_beside_what_is_told(bench: Bench) -> None:
    """A note of asking changes what it names alone and needs no revision."""
    hub = tracked(bench)
    await hub.tell(shipped("s1", "1001", NUMBER))
    row = await hub.parcel()
    await bench.write(WriteSet(asked=[ParcelAsked(row.id, polled_at=7, polls=3, poll_at=99)]))
    noted = await hub.parcel()
    assert noted == replace(row, polled_at=7, polls=3, poll_at=99)
    await bench.write(WriteSet(asked=[ParcelAsked(row.id, never=True, closed="old")]))
    assert await hub.parcel() == replace(noted, poll_at=None, closed="old")


async def test_lists_counts_and_who_is_asked_first(bench: Bench) -> None:
    """Trouble before what moves before what waits; orphans are counted and never asked about."""
    hub = tracked(bench)
    numbers = [f"1Z879E93034683444{digit}" for digit in range(5)]
    for place, number in enumerate(numbers[:4]):
        await hub.tell(shipped(f"s{place}", f"10{place}", number))
    told = [("in_transit", None), ("in_transit", "damaged"), ("out_for_delivery", None), ("label_created", None)]
    for number, (milestone, condition) in zip(numbers, [*told, ("in_transit", None)], strict=False):
        fields = {"condition": condition} if condition else {}
        await hub.tell(scan(milestone, "2026-11-20T10:00:00Z", tracking_number=number, **fields))
    await hub.tell(scan("in_transit", "2026-11-20T10:00:00Z", tracking_number=numbers[4]))
    bench.clock.advance(3 * 86_400)
    due = await bench.queries.parcels_to_ask(["ups"], 10)
    assert [row.number for row in due] == [numbers[2], numbers[1], numbers[0], numbers[3]]
    (counts,) = await bench.queries.parcel_counts()
    assert (counts.carrier, counts.open, counts.orphans, counts.due) == ("ups", 5, 1, 4)
    assert await bench.queries.parcels_to_ask(["fedex"], 10) == []
    first, cursor = await bench.queries.parcels(limit=3)
    rest, end = await bench.queries.parcels(limit=3, cursor=cursor)
    assert len({row.id for row in [*first, *rest]}) == 5
    assert end is None
    (orphan,), _ = await bench.queries.parcels(orphan=True)
    assert orphan.number == numbers[4]


async def test_an_orders_timeline_shows_its_scans(bench: Bench) -> None:
    """Scans stand between the order's other events, at the time they happened."""
    hub = tracked(bench)
    await hub.tell(order("1001", [line("1", "MUG", 1)]))
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", city="Ames"))
    (stored,), _ = await bench.queries.orders()
    entries = await bench.queries.timeline(stored.id)
    (found,) = [entry for entry in entries if entry.kind == "scan"]
    assert (found.summary, found.detail["tracking_number"]) == ("ups: in_transit at Ames", NUMBER)
    ((link, parcel),) = await bench.queries.order_parcels("shop", "1001")
    assert (link.document, parcel.milestone) == ("s1", "in_transit")
    assert await bench.queries.parcel_links([parcel.id]) == [link]
    assert await bench.queries.document_parcels("shipment", [("shop", "s1")]) == [(link, parcel)]


async def test_a_forgotten_person_is_forgotten_in_what_carriers_told(bench: Bench) -> None:
    """Raw payloads about the order's parcels go with the rest, and what is told later is not kept raw either."""
    hub = tracked(bench)
    hub.apply = Apply(bench.store, {"shop": plan()}, queries=bench.queries)
    await hub.tell(order("1001", [line("1", "MUG", 1)]))
    await hub.tell(shipped("s1", "1001", NUMBER))
    told = scan("delivered", "2026-11-02T10:00:00Z", signed_by="Ada Example")
    told = told.model_copy(update={"source": told.source.model_copy(update={"account": "shop"})})
    await hub.tell(told, key=f"parcel:{NUMBER}")
    await bench.store.receive([NewInput("shop", "toy", "webhook", "forget", "f", "f", b'{"orders": [1001]}', "x", 1)])
    (item,) = await bench.store.claim_inbox(1)
    routed = route(item, plan())
    assert routed is not None
    await hub.apply.apply([(item, routed)])
    hub.numbers = iter((50, 51))
    await hub.tell(scan("returned", "2026-11-09T10:00:00Z", signed_by="Ada Example"), key="later")
    rows, _ = await bench.queries.inputs(account="shop")
    kept = {row.ordering_key for row in rows if row.payload}
    assert kept.isdisjoint({f"parcel:{NUMBER}", "later", "f"})


HOT = sorted(
    name
    for name, value in vars(statements).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str)
    and value.startswith(("SELECT", "UPDATE", "DELETE"))
)  # fmt: skip


@pytest.mark.parametrize("name", HOT)
async def test_no_statement_reads_a_whole_table(name: str, tmp_path: Path) -> None:
    """SQLite's plan of every statement on books searches by key."""
    await migrate.upgrade(f"sqlite:///{tmp_path}/hub.db")
    statement = getattr(statements, name)
    count = 9 if "?9" in statement else statement.count("?")
    connection = sqlite3.connect(tmp_path / "hub.db")
    try:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * count)]
    finally:
        connection.close()
    scans = [each for each in plan if each.startswith("SCAN") and "json_each" not in each and "VIRTUAL" not in each]
    assert scans == [], plan


async def test_reading_a_number_nobody_knows_gives_no_book(bench: Bench) -> None:
    """An unknown number is absent from the state, not an empty book."""
    state = await bench.read(ReadSet(tracked={NUMBER}, shipped={("shop", "shipment", "s1")}))
    assert state.books == {}


async def test_an_answer_that_goes_back_to_what_it_said_before_is_news(bench: Bench) -> None:
    """A carrier takes a wrong scan back and says what it said before it: that arrives, once, as often as it turns."""
    await tracked(bench).tell(shipped("s1", "1001", NUMBER, on="2026-11-19"))
    desk = AskingDesk(bench)
    desk.carrier.says = deque([b"1", b"1", b"2", b"1", b"1", b"2", b"1"])
    while desk.carrier.says:
        bench.clock.advance(86_400.0)
        assert (await desk.asker.ask_due()).calls == 1
    taken: list[bytes] = []
    while items := await bench.store.claim_inbox(10):
        taken += [item.payload for item in items if item.account == "parcels"]
        results = [InboxResult(item.seq, InboxState.DONE) for item in items]
        await bench.write(WriteSet(inbox=results))
    assert taken == [b"1", b"2", b"1", b"2", b"1"]
