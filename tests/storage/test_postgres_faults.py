"""Many processes over one PostgreSQL: death, fencing, lost connections, one dispatcher per account."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.sdk.clock import ManualClock
from hub.ports.store import (
    InboxResult,
    InboxState,
    LevelUpdate,
    OutboxState,
    ReadSet,
    State,
    StoreConflict,
    StoreUnavailable,
    WriteSet,
)
from hub.storage import SchemaUnknown, StorageError, StoreMissing, backup, migrate, open_store
from hub.storage.place import PostgresPlace, place_of
from hub.storage.postgres.connection import Pool, PostgresSettings, fetch, open_pool
from tests.support.postgres import PostgresServer
from tests.support.stores import KEY, Bench, effect, given, listing, opened, order, posting, stock
from tests.support.victim import victim


async def test_a_killed_process_is_found_and_its_rows_come_back_alone(postgres: PostgresServer) -> None:
    """kill -9 of one hub: another hands its rows out again within the lease, counted, its effect in doubt."""
    async with postgres.database() as url, opened(url) as bench:
        await bench.store.receive([given(n) for n in range(2)])
        await bench.write(WriteSet(effects=[effect("a")]))
        async with victim(url, "claim") as (process, said):
            assert said == "2 1"
            assert list(await bench.store.claim_inbox(10)) == []
            process.send_signal(signal.SIGKILL)
            process.wait()
            taken = await _until(lambda: bench.store.claim_inbox(10))
        assert [(len(taken), taken[0].crashes)] == [(1, 1)]
        (doubtful,) = await bench.store.claim_effects("shop", 10)
        assert doubtful.state is OutboxState.IN_DOUBT


async def test_a_process_taken_for_dead_cannot_write_what_it_held(postgres: PostgresServer) -> None:
    """It slept through its lease; another hub took the row over; its late unit is refused whole."""
    async with postgres.database() as url, opened(url) as sleeper, opened(url) as other:
        await sleeper.store.receive([given(1)])
        (item,) = await sleeper.store.claim_inbox(1)
        for task in sleeper.store._presence._tasks:
            task.cancel()
        (again,) = await _until(lambda: other.store.claim_inbox(1))
        assert (again.seq, again.crashes) == (item.seq, 1)
        done = WriteSet(inbox=[InboxResult(item.seq, InboxState.DONE)], postings=[posting("late", "S", 1)])
        with pytest.raises(StoreConflict):
            await sleeper.write(done)
        assert await other.queries.positions_at(["S"], None) == []
        await other.write(WriteSet(inbox=[InboxResult(item.seq, InboxState.DONE)], postings=[posting("once", "S", 1)]))
        with pytest.raises(StoreConflict):
            await sleeper.write(done)
        (position,) = await other.queries.positions_at(["S"], None)
        assert position.on_hand == 1


async def test_rows_claimed_by_a_process_that_was_given_up_come_back(postgres: PostgresServer) -> None:
    """Given up while it slept, it claims before it hears of it: its rows are handed out again, without a crash."""
    async with postgres.database() as url, opened(url) as sleeper, opened(url) as other:
        presence = sleeper.store._presence
        presence._tasks[0].cancel()

        async def given_up() -> bool:
            return await other.store._pool.fetchval("SELECT count(*) FROM workers") == 1

        assert await _until(given_up)
        await sleeper.store.receive([given(1)])
        (item,) = await sleeper.store.claim_inbox(1)
        before = presence.fence
        await presence._renew()
        assert presence.fence != before
        (again,) = await _until(lambda: other.store.claim_inbox(1))
        assert (again.seq, again.crashes) == (item.seq, 0)


async def test_a_server_that_falls_silent_is_away_and_not_waited_for(postgres: PostgresServer) -> None:
    """Its host is gone and says nothing: every call ends as unavailable in time, and the next session is a new one."""
    brief = PostgresSettings(connections_max=1, acquire_s=0.3, statement_s=1, lock_s=1)
    async with postgres.database() as url, _pool(url, brief) as pool:
        silent = await pool.fetchval("SELECT pg_backend_pid()")
        os.kill(silent, signal.SIGSTOP)
        try:
            async with asyncio.timeout(15):
                calls = (fetch(pool, "SELECT 1") for _ in range(3))
                answers = await asyncio.gather(*calls, return_exceptions=True)
                assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
                ((following,),) = await _until(lambda: fetch(pool, "SELECT pg_backend_pid()"))
        finally:
            os.kill(silent, signal.SIGCONT)
        assert following != silent


async def test_what_is_read_of_a_level_stays_until_it_is_written(postgres: PostgresServer) -> None:
    """A sale that makes a level dirty beside a unit that judges it: the unit sees the sale, and its sequence grows."""
    key = ("shop", "L1", "")
    async with postgres.database() as url, opened(url) as bench, _pool(url) as pool:
        await bench.write(WriteSet(listings=[listing("L1", "S")]))
        async with pool.acquire() as sale, sale.transaction():
            await sale.execute("UPDATE levels SET dirty_seq = dirty_seq + 1 WHERE listing_id = 'L1'")

            def judge(state: State) -> WriteSet:
                return WriteSet(levels=[LevelUpdate(key, {"dirty_seq": state.levels[key].dirty_seq + 1})])

            judged = asyncio.create_task(bench.store.run(ReadSet(levels={key}), judge))
            await _waits_for_a_lock(pool)
        await judged
        assert await pool.fetchval("SELECT dirty_seq FROM levels") == 3


async def test_a_column_that_changed_its_type_under_a_running_hub_costs_no_unit(postgres: PostgresServer) -> None:
    """An upgrade beside it makes the driver forget its statements: the unit is redone, not failed."""
    async with postgres.database() as url, opened(url) as bench:
        await bench.write(WriteSet(orders=[order(1)]))
        reads = ReadSet(orders={("shop", "1")})
        await bench.read(reads)
        await postgres.execute("ALTER TABLE orders ALTER COLUMN rev TYPE bigint", url)
        assert (await bench.read(reads)).orders["shop", "1"].rev == 1


async def _waits_for_a_lock(pool: Pool) -> None:
    """Until a session of this database stands still at a lock."""
    await _until(
        lambda: pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def test_readers_who_get_no_connection_are_told_to_come_again(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every connection for reading is taken for too long: that is a database that is away, not a fault of the hub."""

    def taken(_: object) -> None:
        raise PoolTimeout("QueuePool limit of size 4 overflow 0 reached")

    async with postgres.database() as url, opened(url) as bench:
        monkeypatch.setattr(AsyncEngine, "connect", taken)
        with pytest.raises(StoreUnavailable):
            await bench.queries.order("order_000001")


async def test_connections_that_are_cut_come_back_by_themselves(postgres: PostgresServer) -> None:
    """Every session is terminated: calls fail as unavailable or succeed, and soon all is well again."""
    async with postgres.database() as url, opened(url) as bench:
        await bench.store.receive([given(1)])
        name = url.split("/")[3].split("?")[0]
        await postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        answers = await asyncio.gather(*(bench.store.receive([given(n)]) for n in range(2, 30)), return_exceptions=True)
        assert all(isinstance(answer, list | StoreUnavailable) for answer in answers)

        async def well() -> bool:
            return await bench.store.healthy() and await bench.store.hold_account("shop")

        assert await _until(well)
        again = await bench.store.receive([given(n) for n in range(1, 30)])
        acked = [isinstance(answer, list) for answer in answers]
        assert not any(new for new, known in zip(again, [True, *acked], strict=True) if known)
        assert len((await bench.queries.inputs(account="shop", limit=100))[0]) == 29


async def test_a_lost_answer_to_a_commit_is_looked_up(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit took place, its answer did not arrive: the unit is reported as stored, not run again."""
    import asyncpg

    async with postgres.database() as url, opened(url) as bench:
        real = asyncpg.transaction.Transaction.commit

        async def commits_and_vanishes(self: asyncpg.transaction.Transaction) -> None:
            await real(self)
            monkeypatch.undo()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

        monkeypatch.setattr(asyncpg.transaction.Transaction, "commit", commits_and_vanishes)
        writes = await bench.write(WriteSet(orders=[order(1)]))
        assert len(writes.orders) == 1
        assert await bench.queries.order("order_000001") is not None


@pytest.mark.parametrize("error", ["InternalClientError", "InternalServerError", "PostgresSystemError"])
async def test_a_driver_that_lost_its_place_is_a_database_that_is_away(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """What asyncpg raises on a session cut in mid-answer means "not now", to writers and to readers; so do faults of
    the server's own."""
    import asyncpg

    def lost(*_: object, **__: object) -> None:
        raise getattr(asyncpg, error)("cannot switch to state 11; another operation (2) is in progress")

    async with postgres.database() as url, opened(url) as bench:
        await bench.store.receive([given(1)])
        monkeypatch.setattr(asyncpg.Connection, "_do_execute", lost)
        monkeypatch.setattr(asyncpg.Connection, "prepare", lost)
        monkeypatch.setattr(asyncpg.transaction.Transaction, "start", lost)
        for call in (
            bench.store.claim_inbox(1),
            bench.store.release([1]),
            bench.write(WriteSet(orders=[order(1)])),
            bench.queries.order("order_000001"),
        ):
            with pytest.raises(StoreUnavailable):
                await call
        monkeypatch.undo()
        assert len(await bench.store.claim_inbox(1)) == 1


async def test_a_unit_that_waits_is_told_of_what_others_store_meanwhile(postgres: PostgresServer) -> None:
    """Whoever asks whether all is settled hears so only when a unit that wakes others has ended."""
    async with postgres.database() as url, opened(url) as one, opened(url) as other:
        begun = asyncio.Event()

        def bring(_: State) -> WriteSet:
            begun.set()
            return WriteSet(orders=[order(1)])

        async with _pool(url) as pool, pool.acquire() as blocker, blocker.transaction():
            await blocker.execute("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE")
            bringing = asyncio.create_task(one.store.run(ReadSet(wakes=True), bring))
            await begun.wait()
            asked = asyncio.create_task(other.store.settled())
            await asyncio.sleep(0.2)
            assert not asked.done()
            assert await other.queries.order("order_000001") is None
        await bringing
        await asked
        assert await other.queries.order("order_000001") is not None


async def test_commits_are_synced_whatever_the_database_is_set_to(postgres: PostgresServer) -> None:
    """A database whose sessions commit without a sync: ours never do, also after a connection was used before."""
    async with postgres.database() as url, opened(url):
        async with _pool(url) as pool:
            await pool.execute(f'ALTER DATABASE "{make_url(url).database}" SET synchronous_commit = off')
        async with _pool(url) as pool:
            settings = [await pool.fetchval("SELECT current_setting('synchronous_commit')") for _ in range(3)]
    assert settings == ["on"] * 3


@asynccontextmanager
async def _pool(url: str, settings: PostgresSettings | None = None) -> AsyncIterator[Pool]:
    place = place_of(url)
    assert isinstance(place, PostgresPlace)
    pool = await open_pool(place, settings or PostgresSettings())
    try:
        yield pool
    finally:
        await pool.close()


async def test_one_account_is_dispatched_by_one_process(postgres: PostgresServer) -> None:
    """The second is refused while the first lives and gets it when the first is gone."""
    async with postgres.database() as url, opened(url) as second:
        async with opened(url) as first:
            assert await first.store.hold_account("shop") is True
            assert await first.store.hold_account("shop") is True
            assert await second.store.hold_account("shop") is False
            assert await second.store.hold_account("other") is True
        assert await _until(lambda: second.store.hold_account("shop"))


async def test_work_stored_by_one_process_wakes_another(postgres: PostgresServer) -> None:
    """Word travels without polling."""
    async with postgres.database() as url, opened(url) as one, opened(url) as two:
        waiting = asyncio.create_task(two.store.wait_for_work(10))
        await asyncio.sleep(0.05)
        await one.store.receive([given(1)])
        assert await waiting is True


async def test_a_value_that_cannot_be_stored_fails_alone(postgres: PostgresServer) -> None:
    """One request with a zero character shares a flush with good ones: only it fails."""
    async with postgres.database() as url, opened(url) as bench:
        requests = [[given(1)], [given(2, lane="bad\x00lane")], [given(3)]]
        answers = await asyncio.gather(*(bench.store.receive(some) for some in requests), return_exceptions=True)
        assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
        assert len((await bench.queries.inputs(account="shop"))[0]) == 2


async def test_colliding_units_are_redone_with_fresh_state(postgres: PostgresServer) -> None:
    """Two processes update one order at once: both succeed when they decide from what they read."""
    async with postgres.database() as url, opened(url) as one, opened(url) as two:
        await stock(one, "S", 100)
        await one.write(WriteSet(orders=[order(1, document="0")]))

        async def bump(bench: Bench) -> None:
            def decide(state: State) -> WriteSet:
                row = state.orders["shop", "1"]
                return WriteSet(orders=[order(1, rev=row.rev, document=str(int(row.document) + 1))])

            await bench.store.run(ReadSet(orders={("shop", "1")}), decide)

        await asyncio.gather(*(bump((one, two)[n % 2]) for n in range(20)))
        found = await one.queries.order("order_000001")
        assert found is not None
        assert (found.document, found.rev) == ("20", 21)


async def test_a_killed_migration_leaves_nothing_and_two_upgrades_take_turns(postgres: PostgresServer) -> None:
    """Sessions cut in the middle: no half schema; several upgrades at once: one schema."""
    async with postgres.database(empty=True) as url:
        name = url.split("/")[3].split("?")[0]
        upgrading = asyncio.create_task(migrate.upgrade(url))
        await asyncio.sleep(0.05)
        await postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        await asyncio.gather(upgrading, return_exceptions=True)
        assert await migrate.current(url) in (None, migrate.head())
        await asyncio.gather(*(migrate.upgrade(url) for _ in range(3)))
        assert await migrate.check(url) == []
        async with opened(url) as bench:
            assert await bench.store.healthy()


async def test_what_cannot_be_used_is_refused(postgres: PostgresServer) -> None:
    """No server, no schema for a reader, somebody else's tables, a backup by us: each says what to do."""
    with pytest.raises(StorageError, match="cannot be"):
        await open_store("postgresql://nobody@127.0.0.1:1/none", key=KEY, clock=ManualClock())
    with pytest.raises(StorageError, match="pg_dump"):
        await backup.backup(postgres.url(), __file__)  # type: ignore[arg-type]
    async with postgres.database(empty=True) as url:
        with pytest.raises(StoreMissing):
            await open_store(url, key=KEY, clock=ManualClock(), readonly=True)
        await postgres.execute("CREATE TABLE strangers (id int)", url)
        with pytest.raises(SchemaUnknown, match="something else"):
            await open_store(url, key=KEY, clock=ManualClock())


async def _until(ask: object, seconds: float = 60.0) -> object:
    """Ask until the answer is not empty."""
    for _ in range(round(seconds / 0.05)):
        answer = await ask()  # type: ignore[operator]
        if answer:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to pass")
