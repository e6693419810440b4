"""Levels are published by urgency, effects in the order of their key, and status counts both."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.ports.store import (
    Bucket,
    LevelState,
    LevelUpdate,
    OutboxState,
    OutboxUpdate,
    ReadSet,
    SkuRow,
    State,
    WriteSet,
)
from tests.support.stores import Bench, effect, given, listing, order, posting, stock


def sent(name: str, **changes: Any) -> LevelUpdate:
    return LevelUpdate(("shop", name, ""), changes)


async def due(bench: Bench, account: str = "shop", limit: int = 10) -> list[str]:
    return [level.listing_id for level, _ in await bench.store.dirty_levels(account, limit)]


async def publish(bench: Bench, *names: str) -> None:
    """Mark levels as sent with their newest sequence."""
    levels = {level.listing_id: level for level, _ in await bench.store.dirty_levels("shop", 100)}
    updates = [
        sent(name, sent_seq=levels[name].dirty_seq, state=LevelState.ACCEPTED, sent_at=bench.now) for name in names
    ]
    await bench.write(WriteSet(levels=updates))


async def test_a_listing_with_a_sku_has_a_level_until_it_ends(bench: Bench) -> None:
    """Made, repointed and ended with its listing; not for the channel's own fulfilment or without a SKU."""
    rows = [listing("L1", "S"), listing("L2", None), listing("L3", "S", fulfilled_by="channel")]
    await bench.write(WriteSet(listings=rows))
    (level,) = (await bench.queries.levels())[0]
    assert (level.listing_id, level.state, level.dirty_seq, level.sent_seq) == ("L1", LevelState.NEW, 1, 0)
    await publish(bench, "L1")
    await bench.write(WriteSet(listings=[listing("L1", "S", title="other")]))
    assert await due(bench) == []
    await bench.write(WriteSet(listings=[listing("L1", "T")]))
    (level,) = (await bench.queries.levels(sku="T"))[0]
    assert (level.state, level.dirty_seq > level.sent_seq) == (LevelState.NEW, True)
    await bench.write(WriteSet(listings=[listing("L1", "T", state="ended")]))
    assert (await bench.queries.levels())[0] == []


async def test_a_sale_dirties_every_level_of_its_sku(bench: Bench) -> None:
    """In every account, with the earliest cause kept and the sequence growing."""
    await bench.write(WriteSet(listings=[listing("L1", "S"), listing("M1", "S", "market"), listing("L2", "T")]))
    await publish(bench, "L1", "L2")
    await bench.write(WriteSet(dirty={"S": 500}))
    await bench.write(WriteSet(dirty={"S": 900}))
    await bench.write(WriteSet(dirty={"S": 300}))
    assert await due(bench) == ["L1"]
    assert await due(bench, "market") == ["M1"]
    (level,) = (await bench.queries.levels(account="shop", sku="S"))[0]
    assert (level.dirty_at, level.dirty_seq) == (300, 4)


async def test_sold_out_goes_first_then_the_oldest_cause(bench: Bench) -> None:
    """Zero and negative availability before the rest; within, by cause; kits by their components."""
    await bench.store.replace_catalogue(
        [SkuRow("A"), SkuRow("B"), SkuRow("C"), SkuRow("K", components=(("C", 2),))], "d"
    )
    for sku, units in (("A", 5), ("B", 5), ("C", 1)):
        await stock(bench, sku, units)
    await bench.write(WriteSet(listings=[listing(f"L{sku}", sku) for sku in "ABCK"]))
    await publish(bench, "LA", "LB", "LC", "LK")
    sale = posting("sale", "B", 5, Bucket.RESERVED)
    await bench.write(WriteSet(postings=[sale], dirty={"A": 100, "C": 200, "K": 300, "B": 400}))
    assert await due(bench) == ["LK", "LB", "LA", "LC"]
    assert await due(bench, limit=2) == ["LK", "LB"]
    rows = {level.listing_id: positions for level, positions in await bench.store.dirty_levels("shop", 10)}
    assert [(row.sku, row.on_hand) for row in rows["LK"]] == [("C", 1)]
    assert [(row.sku, row.available) for row in rows["LB"]] == [("B", 0)]


async def test_what_shrinks_does_not_wait_behind_what_grows(bench: Bench) -> None:
    """A sale amid a large restock goes first, kits with it, and stays first until it is sent."""
    await bench.store.replace_catalogue(
        [SkuRow("A"), SkuRow("B"), SkuRow("C"), SkuRow("K", components=(("B", 1), ("C", 1)))], "d"
    )
    for sku in "ABC":
        await stock(bench, sku, 50)
    await bench.write(WriteSet(listings=[listing(f"L{sku}", sku) for sku in "ABCK"]))
    await publish(bench, "LA", "LB", "LC", "LK")
    restock = [posting(f"restock-{sku}", sku, 10) for sku in "ABC"]
    await bench.write(WriteSet(postings=restock, dirty={"A": 100, "B": 110, "C": 120, "K": 120}))
    assert await due(bench) == ["LA", "LB", "LC", "LK"]
    await bench.write(WriteSet(postings=[posting("sale", "B", 1, Bucket.RESERVED)], dirty={"B": 900, "K": 900}))
    assert await due(bench) == ["LB", "LK", "LA", "LC"]
    await bench.write(WriteSet(postings=[posting("more", "B", 5)], dirty={"B": 950, "K": 950}))
    assert await due(bench) == ["LB", "LK", "LA", "LC"]
    await publish(bench, "LB", "LK")
    await bench.write(WriteSet(postings=[posting("even-more", "B", 5)], dirty={"B": 990, "K": 990}))
    assert await due(bench) == ["LA", "LC", "LB", "LK"]


async def test_a_level_waits_for_its_due_time(bench: Bench) -> None:
    """A push put off is not offered before."""
    await bench.write(WriteSet(listings=[listing("L1", "S")]))
    await bench.write(WriteSet(levels=[sent("L1", due_at=bench.now + 1_000_000, attempts=1)]))
    assert await due(bench) == []
    bench.clock.advance(2)
    assert await due(bench) == ["L1"]


async def test_an_older_answer_never_overwrites_a_newer_one(bench: Bench) -> None:
    """`guard_seq` lets an update through only while nothing newer was sent."""
    await bench.write(WriteSet(listings=[listing("L1", "S")]))
    key = ("shop", "L1", "")
    await bench.write(WriteSet(levels=[LevelUpdate(key, {"sent_seq": 1, "sent_quantity": 7}, guard_seq=1)]))
    await bench.write(WriteSet(dirty={"S": 1}))
    await bench.write(WriteSet(levels=[LevelUpdate(key, {"sent_seq": 2, "sent_quantity": 6}, guard_seq=1)]))
    await bench.write(WriteSet(levels=[LevelUpdate(key, {"sent_seq": 1, "sent_quantity": 7}, guard_seq=1)]))
    (level,) = (await bench.queries.levels())[0]
    assert (level.sent_seq, level.sent_quantity) == (2, 6)
    both = [
        LevelUpdate(key, {"sent_quantity": 5}),
        LevelUpdate(key, {"error": "e"}),
        LevelUpdate(key, {"sent_quantity": 4}),
    ]
    await bench.write(WriteSet(levels=both))
    (level,) = (await bench.queries.levels())[0]
    assert (level.sent_quantity, level.error) == (4, "e")
    with pytest.raises(ValueError, match="no field"):
        await bench.write(WriteSet(levels=[LevelUpdate(key, {"sku": "other"})]))


async def test_what_is_to_be_read_back_and_what_is_queued_is_found(bench: Bench) -> None:
    """Accepted levels and sent ones without a receipt by age; sent ones with a receipt by receipt."""
    await bench.write(WriteSet(listings=[listing(f"L{n}", "S") for n in range(5)]))
    states = [
        ("L0", "accepted", 10, None),
        ("L1", "sent", 5, None),
        ("L2", "sent", 6, "feed"),
        ("L3", "verified", 1, None),
    ]
    await bench.write(WriteSet(levels=[sent(n, state=s, sent_seq=1, sent_at=at, receipt=r) for n, s, at, r in states]))
    found = await bench.store.levels_to_verify("shop", 10, 20)
    assert [level.listing_id for level in found] == ["L1", "L0"]
    assert [level.listing_id for level in await bench.store.levels_to_verify("shop", 10, 7)] == ["L1"]
    ((receipt, _),) = await bench.store.pending_receipts("shop")
    assert receipt == "feed"
    assert [level.listing_id for level in await bench.store.receipt_levels("shop", "feed", 10)] == ["L2"]


async def test_queued_batches_are_asked_for_when_due_and_part_by_part(bench: Bench) -> None:
    """A batch is due with its first level; levels due soonest come first, one with a newer number not at all."""
    await bench.write(WriteSet(listings=[listing(f"L{n}", f"S{n}") for n in range(5)]))
    due = {0: 30, 1: 10, 2: 20, 3: 5, 4: 1}
    queued = {"state": "sent", "sent_seq": 1, "sent_at": 1}
    await bench.write(
        WriteSet(levels=[sent(f"L{n}", **queued, receipt="a" if n < 3 else "b", due_at=at) for n, at in due.items()])
    )
    await bench.write(WriteSet(dirty={"S4": 1}))
    assert list(await bench.store.pending_receipts("shop")) == [("b", 5), ("a", 10)]
    assert [level.listing_id for level in await bench.store.receipt_levels("shop", "a", 2)] == ["L1", "L2"]
    assert [level.listing_id for level in await bench.store.receipt_levels("shop", "b", 9)] == ["L3"]


async def test_effects_of_one_key_keep_their_order(bench: Bench) -> None:
    """Only the head of a key is handed out; a failed one parks its key and no other."""
    await bench.write(WriteSet(effects=[effect("a1", key="a"), effect("a2", key="a"), effect("b1", key="b")]))
    first = await bench.store.claim_effects("shop", 10)
    assert [(row.idempotency_key, row.state) for row in first] == [
        ("a1", OutboxState.SENDING), ("b1", OutboxState.SENDING),
    ]  # fmt: skip
    assert await bench.store.claim_effects("shop", 10) == []
    done, failed = (OutboxUpdate(row.id, state, 1) for row, state in zip(first, ("done", "failed"), strict=True))
    await bench.write(WriteSet(outbox=[OutboxUpdate(done.id, OutboxState.DONE, 1, result="{}")]))
    await bench.write(
        WriteSet(outbox=[OutboxUpdate(failed.id, OutboxState.FAILED, 1)], effects=[effect("b2", key="b")])
    )
    assert [row.idempotency_key for row in await bench.store.claim_effects("shop", 10)] == ["a2"]
    assert [row.idempotency_key for row in (await bench.queries.effects(state="failed"))[0]] == ["b1"]


async def test_a_parked_effect_holds_up_nothing_behind_it(bench: Bench) -> None:
    """The next on its key is handed out; made due again it is the head once more."""
    await bench.write(WriteSet(effects=[effect("a1", key="a"), effect("a2", key="a")]))
    (first,) = await bench.store.claim_effects("shop", 10)
    await bench.write(WriteSet(outbox=[OutboxUpdate(first.id, OutboxState.PARKED, 1)]))
    (second,) = await bench.store.claim_effects("shop", 10)
    assert second.idempotency_key == "a2"
    await bench.write(WriteSet(outbox=[OutboxUpdate(second.id, OutboxState.DONE, 1)]))
    await bench.write(WriteSet(outbox=[OutboxUpdate(first.id, OutboxState.PENDING, 0)]))
    (again,) = await bench.store.claim_effects("shop", 10)
    assert again.idempotency_key == "a1"


async def test_what_was_sent_is_never_due_again(bench: Bench) -> None:
    """A late word on an effect that is done or cancelled changes nothing; only that it was sent after all counts."""
    await bench.write(WriteSet(effects=[effect(f"a{n}", key=f"k{n}") for n in range(3)]))
    rows = await bench.store.claim_effects("shop", 10)
    done, sent_after_all, cancelled = (row.id for row in rows)
    ends = {done: OutboxState.DONE, sent_after_all: OutboxState.CANCELLED, cancelled: OutboxState.CANCELLED}
    await bench.write(WriteSet(outbox=[OutboxUpdate(id_, state, 1) for id_, state in ends.items()]))
    for late in (OutboxState.PENDING, OutboxState.IN_DOUBT, OutboxState.FAILED):
        await bench.write(WriteSet(outbox=[OutboxUpdate(row.id, late, 2) for row in rows]))
    await bench.write(WriteSet(outbox=[OutboxUpdate(sent_after_all, OutboxState.DONE, 1)]))
    assert await bench.store.claim_effects("shop", 10) == []
    found = {row.id: (row.state, row.attempts) for row in (await bench.queries.effects())[0]}
    assert found == {
        done: (OutboxState.DONE, 1), sent_after_all: (OutboxState.DONE, 1), cancelled: (OutboxState.CANCELLED, 1),
    }  # fmt: skip


async def test_an_effect_waits_for_its_due_time(bench: Bench) -> None:
    """Put back with a later due time it is not handed out before."""
    await bench.write(WriteSet(effects=[effect("a1")]))
    (row,) = await bench.store.claim_effects("shop", 10)
    later = OutboxUpdate(row.id, OutboxState.PENDING, 1, due_at=bench.now + 1_000_000)
    await bench.write(WriteSet(outbox=[later]))
    assert await bench.store.claim_effects("shop", 10) == []
    bench.clock.advance(2)
    (again,) = await bench.store.claim_effects("shop", 10)
    assert again.attempts == 1


async def test_an_effect_under_way_at_a_restart_is_in_doubt(bench: Bench) -> None:
    """Nobody knows whether it was sent: it is settled first, and its key waits."""
    await bench.write(WriteSet(effects=[effect("a1"), effect("a2")]))
    await bench.store.claim_effects("shop", 10)
    await bench.again()
    (row,) = await bench.store.claim_effects("shop", 10)
    assert (row.idempotency_key, row.state) == ("a1", OutboxState.IN_DOUBT)


async def test_status_counts_both_directions(bench: Bench) -> None:
    """Pending, ages, counters of levels, drift, last success: all as they stand."""
    await bench.store.receive([given(1, at=bench.now), given(2, at=bench.now)])
    await bench.write(WriteSet(listings=[listing(f"L{n}", "S") for n in range(4)], effects=[effect("a")]))
    await publish(bench, "L0", "L1", "L2")
    changes = [
        sent("L0", state=LevelState.VERIFIED), sent("L1", state=LevelState.VERIFIED),
        sent("L2", state=LevelState.DRIFTED, shown_quantity=9, sent_quantity=4),
    ]  # fmt: skip
    await bench.write(WriteSet(levels=changes))
    await bench.write(WriteSet(listings=[listing("L1", "S", state="ended")]))
    bench.clock.advance(30)
    (found,) = await bench.queries.status()
    assert (found.account, found.inward.pending, found.inward.oldest_age_s) == ("shop", 2, 30.0)
    assert (found.outward.pending, found.outward.oldest_age_s) == (2, 30.0)
    assert (found.levels, found.levels_verified, found.drift_units) == (3, 1, 5)
    assert found.outward.last_success_at is not None
    assert found.inward.last_success_at is None


async def test_an_order_tells_its_story(bench: Bench) -> None:
    """Events, postings and pushes of one order, oldest first, nobody else's."""
    await bench.store.receive([given(1, at=bench.now), given(2, at=bench.now)])
    bench.clock.advance(1)
    sold = posting("o1", "S", 1, Bucket.RESERVED, reference="order_000001")
    other = posting("o2", "S", 1, Bucket.RESERVED, reference="order_000002")
    await bench.write(WriteSet(orders=[order(1)], postings=[sold, other]))
    bench.clock.advance(1)
    await bench.write(WriteSet(effects=[effect("ship", key="order_000001")]))
    entries = await bench.queries.timeline("order_000001")
    assert [entry.kind for entry in entries] == ["event", "posting", "push"]
    assert await bench.queries.timeline("order_999999") == []


async def test_lists_come_in_pages_that_neither_skip_nor_repeat(bench: Bench) -> None:
    """Orders by filter, newest first, page by page; a foreign cursor is refused."""
    states = ("open", "closed", "held")
    rows = [order(n, state=states[n % 3], holds=("x",) if n % 3 == 2 else ()) for n in range(30)]
    await bench.write(WriteSet(orders=rows))
    seen: list[str] = []
    cursor = None
    while True:
        page, cursor = await bench.queries.orders(limit=7, cursor=cursor)
        seen += [row.id for row in page]
        if cursor is None:
            break
    assert seen == sorted((row.id for row in rows), reverse=True)
    assert len((await bench.queries.orders(state="open"))[0]) == 10
    assert len((await bench.queries.orders(state="closed", account="shop"))[0]) == 10
    assert len((await bench.queries.orders(held=True))[0]) == 10
    assert len((await bench.queries.orders(held=False, account="other"))[0]) == 0
    assert [row.number for row in (await bench.queries.orders(number="#7"))[0]] == ["#7"]
    for bad in ("nonsense!", "W10", "WzEsMl0"):
        with pytest.raises(ValueError, match="cursor"):
            await bench.queries.orders(cursor=bad)


async def test_nothing_is_lost_between_dispatchers(bench: Bench) -> None:
    """Ten dispatchers asking at once get every effect exactly once."""
    await bench.write(WriteSet(effects=[effect(f"e{n}", key=f"k{n}") for n in range(30)]))
    answers = await asyncio.gather(*(bench.store.claim_effects("shop", 4) for _ in range(10)))
    names = [row.idempotency_key for rows in answers for row in rows]
    assert len(names) == len(set(names))
    names += [row.idempotency_key for row in await bench.store.claim_effects("shop", 30)]
    assert sorted(names) == sorted(f"e{n}" for n in range(30))


async def test_edge_work_is_read_by_its_key_and_can_be_taken_back_in_a_unit(bench: Bench) -> None:
    """A decision sees where its earlier messages stand, and what it cancels is handed out no more."""
    await bench.write(WriteSet(effects=[effect("a1", key="a"), effect("a2", key="a")]))

    def decide(state: State) -> WriteSet:
        assert set(state.effects) == {"a1"}
        row = state.effects["a1"]
        assert (row.state, row.attempts, row.key) == (OutboxState.PENDING, 0, "a")
        return WriteSet(outbox=[OutboxUpdate(row.id, OutboxState.CANCELLED, row.attempts)])

    await bench.store.run(ReadSet(effects={"a1", "nothing"}), decide)
    (claimed,) = await bench.store.claim_effects("shop", 10)
    assert claimed.idempotency_key == "a2"
