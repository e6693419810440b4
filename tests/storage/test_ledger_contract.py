"""Positions are the sum of their postings, under any number of writers."""

from __future__ import annotations

import asyncio
import random
from contextlib import nullcontext

import pytest

from hub.ports.store import Bucket, DuplicateKey, ReadSet, SkuRow, State, WriteSet
from tests.support.stores import Bench, execute, listing, opened, posting, stock


async def test_a_posting_is_stored_once(bench: Bench) -> None:
    """Unique on (event, sku, location, bucket); the second fails and moves nothing."""
    await bench.write(WriteSet(postings=[posting("e", "S", 5), posting("e", "S", 2, Bucket.RESERVED)]))
    with pytest.raises(DuplicateKey):
        await bench.write(WriteSet(postings=[posting("f", "S", 1), posting("e", "S", 5)]))
    (position,) = await bench.queries.positions_at(["S"], None)
    assert (position.on_hand, position.reserved, position.available, position.version) == (5, 2, 3, 1)


async def test_sixty_four_writers_leave_positions_equal_to_the_ledger(bench: Bench) -> None:
    """Random postings to five SKUs from 64 tasks, seeded: verify finds no difference."""
    chance = random.Random(7)

    async def writer(number: int) -> None:
        for turn in range(3):
            made = [
                posting(f"{number}/{turn}", sku, chance.randint(-5, 9), chance.choice(list(Bucket)), location=place)
                for sku in chance.sample("ABCDE", 3)
                for place in chance.sample(("main", "east"), chance.randint(1, 2))
            ]
            await bench.write(WriteSet(postings=made), ReadSet(positions={row.sku for row in made}))

    await asyncio.gather(*(writer(number) for number in range(64)))
    assert await bench.queries.verify() == []
    positions, _ = await bench.queries.positions()
    assert [(row.sku, row.location) for row in positions] == sorted((row.sku, row.location) for row in positions)
    at = await bench.queries.positions_at(list("ABCDE"), bench.now)
    assert [(row.sku, row.location, row.on_hand, row.reserved) for row in at] == [
        (row.sku, row.location, row.on_hand, row.reserved) for row in positions
    ]


async def test_the_last_units_are_sold_once(bench: Bench) -> None:
    """64 buyers race for 10 units, on PostgreSQL through two processes' stores: exactly 10 get one."""
    await stock(bench, "S", 10)

    async def buy(which: Bench, number: int) -> bool:
        def decide(state: State) -> WriteSet:
            if state.position("S", "main").available < 1:
                return WriteSet()
            return WriteSet(postings=[posting(f"buy:{number}", "S", 1, Bucket.RESERVED)])

        return bool((await which.store.run(ReadSet(positions={"S"}), decide)).postings)

    if bench.sqlite:
        sold = await asyncio.gather(*(buy(bench, number) for number in range(64)))
    else:
        async with opened(bench.url) as second:
            sold = await asyncio.gather(*(buy((bench, second)[number % 2], number) for number in range(64)))
    assert sum(sold) == 10
    (position,) = await bench.queries.positions_at(["S"], None)
    assert (position.on_hand, position.reserved) == (10, 10)


async def test_the_first_count_of_a_new_position_is_made_once(bench: Bench) -> None:
    """Two that find no position and decide from that do not both count it in."""

    async def count(which: Bench, number: int) -> None:
        def decide(state: State) -> WriteSet:
            missing = 10 - state.position("N", "main").on_hand
            return WriteSet(postings=[posting(f"count:{number}", "N", missing)]) if missing else WriteSet()

        await which.store.run(ReadSet(positions={"N"}), decide)

    async with nullcontext(bench) if bench.sqlite else opened(bench.url) as second:
        await asyncio.gather(*(count((bench, second)[number % 2], number) for number in range(16)))
    (position,) = await bench.queries.positions_at(["N"], None)
    assert position.on_hand == 10


async def test_on_hand_since_sums_what_was_effective_after(bench: Bench) -> None:
    """Only on-hand postings of that SKU and location, strictly after the instant."""
    await bench.write(
        WriteSet(
            postings=[
                posting("a", "S", 10, effective_at=100), posting("b", "S", -2, effective_at=200),
                posting("c", "S", -1, effective_at=300), posting("d", "S", 7, Bucket.RESERVED, effective_at=300),
                posting("e", "S", 50, effective_at=300, location="east"), posting("f", "T", 9, effective_at=300),
            ]
        )
    )  # fmt: skip
    wanted = {("S", "main", 100), ("S", "main", 200), ("S", "main", 300), ("S", "main", 0), ("Z", "main", 0)}
    state = await bench.read(ReadSet(positions={"S"}, on_hand_since=wanted))
    assert {key[0] + str(key[2]): total for key, total in state.on_hand_since.items()} == {
        "S0": 7, "S100": -3, "S200": -1, "S300": 0, "Z0": 0,
    }  # fmt: skip


async def test_a_count_dates_its_position(bench: Bench) -> None:
    """`counted_at` moves up to the latest count, never down, and not with a movement."""
    await bench.write(WriteSet(postings=[posting("a", "S", 5, effective_at=500, counted=True)]))
    await bench.write(WriteSet(postings=[posting("b", "S", 5, effective_at=300, counted=True)]))
    await bench.write(WriteSet(postings=[posting("c", "S", 5, effective_at=900)]))
    state = await bench.read(ReadSet(positions={"S"}))
    assert state.position("S", "main").counted_at == 500


async def test_positions_at_a_past_instant_come_from_the_ledger(bench: Bench) -> None:
    """What was recorded later is not in them."""
    await bench.write(WriteSet(postings=[posting("a", "S", 5)]))
    then = bench.now
    bench.clock.advance(10)
    await bench.write(WriteSet(postings=[posting("b", "S", -2)]))
    (past,) = await bench.queries.positions_at(["S"], then)
    (present,) = await bench.queries.positions_at(["S"], bench.now)
    assert (past.on_hand, present.on_hand) == (5, 3)
    assert [row.event for row in (await bench.queries.postings(sku="S", until=then))[0]] == ["a"]


async def test_kits_are_loaded_with_their_components(bench: Bench) -> None:
    """Components and their positions come with a kit, and a component names the kits around it."""
    rows = [SkuRow("A"), SkuRow("B"), SkuRow("K", components=(("A", 2), ("B", 1))), SkuRow("L", components=(("A", 1),))]
    await bench.store.replace_catalogue(rows, "d1")
    await stock(bench, "A", 4)
    state = await bench.read(ReadSet(positions={"K"}))
    assert state.kits == {"K": (("A", 2), ("B", 1))}
    assert state.kits_of["A"] == ("K", "L")
    assert state.position("A", "main").on_hand == 4
    only = await bench.read(ReadSet(positions={"B"}))
    assert (only.kits, only.kits_of) == ({}, {"B": ("K",)})


async def test_a_sku_is_resolved_by_listing_then_alias_then_catalogue(bench: Bench) -> None:
    """In that order, per account, and at once after each change."""
    wanted = {("shop", "X"), ("other", "X"), ("shop", "nothing")}
    await bench.store.replace_catalogue([SkuRow("X"), SkuRow("Y", aliases=(("shop", "X"),)), SkuRow("Z")], "d1")
    assert (await bench.read(ReadSet(skus=wanted))).resolved == {("shop", "X"): "Y", ("other", "X"): "X"}
    await bench.write(WriteSet(listings=[listing("L1", "Z", channel_sku="X")]))
    assert (await bench.read(ReadSet(skus=wanted))).resolved == {("shop", "X"): "Z", ("other", "X"): "X"}


async def test_the_ledger_cannot_be_changed(bench: Bench) -> None:
    """The database itself refuses to update or delete a posting or an audit entry."""
    await bench.write(WriteSet(postings=[posting("a", "S", 5)]))
    for statement in ("UPDATE postings SET delta = 6", "DELETE FROM postings"):
        with pytest.raises(Exception, match="append-only"):
            await execute(bench, statement)
    assert await bench.queries.verify() == []


async def test_verify_finds_a_planted_difference(bench: Bench) -> None:
    """One unit added behind the ledger's back is named with both numbers; the control is the clean run before."""
    await bench.write(WriteSet(postings=[posting("a", "S", 5), posting("b", "S", 2, Bucket.RESERVED)]))
    assert await bench.queries.verify() == []
    statement = "UPDATE positions SET on_hand = on_hand + 1 WHERE sku = 'S'"
    await execute(bench, statement)
    (found,) = await bench.queries.verify()
    assert (found.sku, found.location, found.bucket, found.position, found.ledger) == ("S", "main", "on_hand", 6, 5)


async def test_a_number_is_never_taken_for_newer_than_the_stock_it_comes_from(bench: Bench) -> None:
    """Stock stated while a unit reads: either it is seen, or the level is seen as it was before and stays dirty."""
    if bench.sqlite:
        pytest.skip("units run one after the other")
    await bench.write(WriteSet(listings=[listing("L", "S")]))
    key = ("shop", "L", "")
    before = (await bench.read(ReadSet(levels={key}))).levels[key].dirty_seq
    reads = ReadSet(levels={key}, positions={"S"}, on_hand_since={("S", "main", 0)})
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'postings'::regclass"
    async with bench.store._pool.acquire() as other:
        async with other.transaction():
            await other.execute("LOCK TABLE postings IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.create_task(bench.read(reads))
            for _ in range(500):
                if await other.fetchval(waiting):
                    break
                await asyncio.sleep(0.01)
            await other.execute(
                "INSERT INTO positions (sku, location, on_hand, reserved, incoming, quarantine, version)"
                " VALUES ('S', 'main', 5, 0, 0, 0, 1)"
            )
            await other.execute("UPDATE levels SET dirty_seq = dirty_seq + 1")
        state = await reading
    assert ("S", "main") in state.positions or state.levels[key].dirty_seq == before
