"""Counters, expectations and partners' files keep their promises on both engines."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.ports.store import (
    Expectation,
    FileBody,
    FileRow,
    FileSet,
    InboxResult,
    InboxState,
    PersonalRow,
    ReadSet,
    SeenNumber,
    State,
    StoreConflict,
    WriteSet,
)
from tests.support.stores import Bench, given, order

NAME = ("retailer", "interchange:P")
WAITING = Expectation("retailer", "997", "PR:1:855:0001", "order_1", False, 5, 100)
FILE = FileRow("file_1", "retailer", "out", "855.edi", "000000001", "abc", 7, 3, "made", False, 1)
SET = FileSet(
    "file_1", 1, "retailer", "out", "000000001", "PR", "1", "855", "0001", "d", "sent", lane="out:order_000001",
    subject="order_000001", input=1,
)  # fmt: skip


async def number(bench: Bench, *, fail: bool = False) -> int | None:
    """The next number of one counter, given out in a unit of its own."""
    taken: list[int] = []

    def decide(state: State) -> WriteSet:
        value = state.counters.get(NAME, 0) + 1
        if fail:
            raise LookupError("decided against")
        taken.append(value)
        return WriteSet(counters={NAME: value})

    try:
        await bench.store.run(ReadSet(counters={NAME}), decide)
    except LookupError:
        return None
    return taken[-1]


async def test_racing_units_get_every_number_once_and_none_is_skipped(bench: Bench) -> None:
    """40 units at once, every fourth giving up: the others hold 1 to 30."""
    taken = await asyncio.gather(*(number(bench, fail=turn % 4 == 3) for turn in range(40)))
    assert sorted(value for value in taken if value is not None) == list(range(1, 31))
    assert (await bench.read(ReadSet(counters={NAME}))).counters == {NAME: 30}


async def test_two_units_that_lock_several_counters_do_not_lock_each_other_out(bench: Bench) -> None:
    """Locks are taken in the order of names whatever the order they are asked in."""
    names = [("retailer", "group"), ("retailer", "interchange:P"), ("retailer", "sscc")]

    async def unit(turn: int) -> None:
        wanted = names[turn % 3 :] + names[: turn % 3]

        def decide(state: State) -> WriteSet:
            return WriteSet(counters={name: state.counters.get(name, 0) + 1 for name in wanted})

        await bench.store.run(ReadSet(counters=set(wanted)), decide)

    await asyncio.gather(*(unit(turn) for turn in range(18)))
    assert set((await bench.read(ReadSet(counters=set(names)))).counters.values()) == {18}


async def test_a_counter_survives_a_restart(bench: Bench) -> None:
    """The last number given out is never given out again."""
    assert await number(bench) == 1
    await bench.again()
    assert await number(bench) == 2


async def test_expectations_are_listed_by_deadline_and_counted(bench: Bench) -> None:
    """Soonest first, pages without gaps, overdue by the clock, counts of what is open only."""
    late = [replace(WAITING, reference=f"r{n}", due_at=bench.now - 10 + n) for n in range(3)]
    never = replace(WAITING, reference="never", due_at=None)
    owed = replace(WAITING, kind="855", reference="po", ours=True, due_at=bench.now + 10)
    met = replace(WAITING, reference="met", state="met", settled_at=9)
    await bench.write(WriteSet(expectations=[never, owed, met, *reversed(late)]))
    listed, cursor = await bench.queries.expectations(limit=2)
    more, end = await bench.queries.expectations(limit=9, cursor=cursor)
    assert [row.reference for row in [*listed, *more]] == ["r0", "r1", "r2", "po", "never"]
    assert end is None
    overdue, _ = await bench.queries.expectations(overdue_only=True, account="retailer")
    assert [row.reference for row in overdue] == ["r0", "r1", "r2"]
    assert [row.reference for row in (await bench.queries.expectations(state="met"))[0]] == ["met"]
    assert len((await bench.queries.expectations(subject="order_1", kind="855"))[0]) == 1
    assert (await bench.queries.expectations(account="other"))[0] == []
    counted = [
        (row.kind, row.ours, row.open, row.overdue, row.due_at) for row in await bench.queries.expectation_counts()
    ]
    assert counted == [("855", True, 1, 0, owed.due_at), ("997", False, 4, 3, late[0].due_at)]


async def test_an_expectation_is_an_upsert(bench: Bench) -> None:
    """Settling it writes the same row, and reading it for a decision gives what was written."""
    await bench.write(WriteSet(expectations=[WAITING]))
    settled = replace(WAITING, state="failed", settled_at=50, detail='{"code": "R"}')
    await bench.write(WriteSet(expectations=[WAITING, settled]))
    state = await bench.read(ReadSet(expectations={("retailer", "997", WAITING.reference), ("retailer", "997", "x")}))
    assert list(state.expectations.values()) == [settled]


async def test_a_file_comes_back_as_it_was_and_its_bytes_are_sealed(bench: Bench) -> None:
    """Row, sets and bytes are one unit; the bytes survive a restart and are not in the clear."""
    await bench.write(
        WriteSet(files=[FILE], file_sets=[SET], file_bodies=[FileBody("file_1", "retailer", b"ISA*\xff\x00~")])
    )
    await bench.again()
    assert await bench.queries.file("file_1") == replace(FILE, rev=1)
    assert await bench.queries.file("file_2") is None
    assert await bench.queries.file_sets("file_1") == [SET]
    assert await bench.store.file_content("file_1") == b"ISA*\xff\x00~"
    assert await bench.store.file_content("file_2") is None


async def test_a_file_is_guarded_like_an_order(bench: Bench) -> None:
    """Two writers of one file: the second finds that it moved, and stores nothing."""
    await bench.write(WriteSet(files=[FILE]))
    state = await bench.read(ReadSet(files={"file_1"}))
    await bench.write(WriteSet(files=[replace(state.files["file_1"], done=1)]))
    for stale in (0, 1):
        with pytest.raises(StoreConflict):
            await bench.write(WriteSet(files=[replace(FILE, rev=stale)], counters={NAME: 9}))
    assert (await bench.read(ReadSet(counters={NAME}))).counters.get(NAME, 0) == 0


async def test_files_are_listed_newest_first_by_what_is_asked(bench: Bench) -> None:
    """Account, direction and state narrow the list; pages have no gaps."""
    rows = [replace(FILE, id=f"file_{n}", direction="in" if n % 2 else "out") for n in range(5)]
    await bench.write(WriteSet(files=rows))
    first, cursor = await bench.queries.files(limit=3)
    rest, end = await bench.queries.files(limit=3, cursor=cursor)
    assert [row.id for row in [*first, *rest]] == ["file_4", "file_3", "file_2", "file_1", "file_0"]
    assert end is None
    assert [row.id for row in (await bench.queries.files(direction="in", account="retailer"))[0]] == [
        "file_3",
        "file_1",
    ]
    assert (await bench.queries.files(state="taken"))[0] == []


async def test_what_we_sent_is_found_by_the_numbers_an_answer_names(bench: Bench) -> None:
    """By group or by interchange, of this account, never a set that was received."""
    other = replace(SET, place=2, control="0002", functional_id="SH", group="7")
    heard = replace(SET, file="file_0", direction="in")
    await bench.write(WriteSet(file_sets=[SET, other, heard, replace(SET, file="file_9", account="other")]))
    assert await bench.queries.sent_sets("retailer", functional_id="PR", group="1") == [SET]
    assert await bench.queries.sent_sets("retailer", interchange="000000001") == [SET, other]
    assert await bench.queries.sent_sets("retailer", interchange="2") == []


async def test_numbers_of_partners_are_remembered_with_what_they_stood_for(bench: Bench) -> None:
    """Per account and key; the last write counts."""
    seen = SeenNumber("retailer", "interchange:P:1", "abc", "file_1", 0, 4)
    await bench.write(WriteSet(numbers=[seen]))
    await bench.write(WriteSet(numbers=[replace(seen, digest="def")]))
    state = await bench.read(ReadSet(numbers={("retailer", seen.key), ("other", seen.key)}))
    assert state.numbers == {("retailer", seen.key): replace(seen, digest="def")}


async def test_forgetting_a_person_forgets_the_files_they_stand_in(bench: Bench) -> None:
    """By our id: bytes made here and the input that asked for them. By lane: the file that was received."""
    await bench.store.receive([given(1), given(2, lane="interchange:9"), given(3), given(4, lane="depositor:7")])
    items = {item.ordering_key: item.seq for item in await bench.store.claim_inbox(9)}
    done = [InboxResult(seq, InboxState.DONE) for seq in items.values()]
    asked, received, other = items["order:1"], items["interchange:9"], items["order:3"]
    made = replace(SET, input=asked)
    heard = replace(SET, file="file_2", direction="in", account="shop", lane="po:9", subject="", input=None)
    advice = replace(heard, file="file_4", lane="depositor:7", subject="order_000001")
    incoming = replace(FILE, id="file_2", direction="in", account="shop", input=received)
    await bench.write(
        WriteSet(
            inbox=done, orders=[order(1)], personal=[PersonalRow("order_000001", "shop", "{}")],
            files=[FILE, incoming], file_sets=[made, heard, advice],
            file_bodies=[FileBody("file_1", "retailer", b"a"), FileBody("file_3", "retailer", b"b")],
        )
    )  # fmt: skip
    await bench.write(WriteSet(shredded=["order_000001"], forgotten_lanes=[("shop", "po:9")]))
    assert await bench.store.file_content("file_1") is None
    assert await bench.store.file_content("file_3") == b"b"
    payloads = {seq: (await bench.queries.input(seq)) for seq in items.values()}
    assert [seq for seq, row in payloads.items() if row and row.payload] == [other]


async def test_retention_takes_the_bytes_of_old_files_and_keeps_their_rows(bench: Bench) -> None:
    """After the span of raw payloads the list still names the file; its bytes are gone."""
    await bench.write(WriteSet(files=[FILE], file_bodies=[FileBody("file_1", "retailer", b"a")]))
    for before, left in ((bench.now, b"a"), (bench.now + 1, None)):
        counts = await bench.store.prune(payloads_before=before, attempts_before=0, personal_due=0)
        assert counts["files"] == (left is None)
        assert await bench.store.file_content("file_1") == left
    assert await bench.queries.file("file_1") is not None


async def test_an_orders_timeline_shows_what_partners_were_told(bench: Bench) -> None:
    """Its inputs by the partner's number for it, and each set of ours with how it was taken."""
    await bench.store.receive([given(1, lane="po:#1"), given(2, lane="po:2")])
    await bench.write(WriteSet(orders=[order(1)], files=[FILE], file_sets=[replace(SET, state="accepted")]))
    entries = [(entry.kind, entry.summary) for entry in await bench.queries.timeline("order_000001")]
    assert entries == [("event", "orders/create by webhook"), ("partner", "855 for retailer: accepted")]
