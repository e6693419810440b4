"""Liveness is the loop, readiness is the store, and neither is the health of channels."""

import asyncio
import gc
from dataclasses import replace

import pytest

from connectors.sdk.clock import ManualClock
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.runtime import process
from hub.runtime.board import Board
from hub.runtime.drain import Drain
from hub.runtime.health import DRAINING, STALL_S, STARTING, STORE, HealthState
from hub.runtime.metrics import Build, Metrics
from hub.runtime.wake import Signal, Wakes
from tests.support.memory_queries import MemoryQueries
from tests.support.memory_store import MemoryStore
from tests.support.toy_channel import MANIFEST, Desk
from tests.support.waiting import until


def state() -> tuple[HealthState, MemoryStore, ManualClock, Drain]:
    clock, store, drain = ManualClock(), MemoryStore(), Drain()
    return HealthState(store, clock, drain), store, clock, drain


async def test_a_stalled_loop_is_not_alive() -> None:
    """Five seconds without a turn; the next beat brings it back."""
    health, _, clock, _ = state()
    assert health.alive()
    clock.advance(STALL_S)
    assert not health.alive()
    heart = asyncio.create_task(health.beat())
    await asyncio.sleep(0)
    assert health.alive()
    heart.cancel()


async def test_readiness_follows_start_store_and_drain() -> None:
    """Each reason is named while it holds, and only then."""
    health, store, _, drain = state()
    assert health.unready() == [STARTING]
    health.started()
    store.fail = "disk full"
    assert not await health.look()
    assert health.unready() == [STORE]
    store.fail = None
    assert await health.look()
    assert health.unready() == []
    drain.begin()
    assert health.unready() == [DRAINING]


async def test_a_store_that_says_nothing_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unready while the question is open, ready again with the answer."""
    monkeypatch.setattr("hub.runtime.health.ANSWER_S", 0.01)
    health, store, _, _ = state()
    health.started()
    answer = asyncio.Event()

    async def silent() -> bool:
        return await answer.wait()

    monkeypatch.setattr(store, "healthy", silent)
    looking = asyncio.create_task(health.look())
    await until(lambda: health.unready() == [STORE])
    answer.set()
    assert await looking
    assert health.unready() == []


async def test_a_signal_set_before_the_wait_is_not_lost() -> None:
    """Wake-ups between two rounds count; several are one."""
    drain, signal = Drain(), Signal()
    signal.set()
    signal.set()
    assert await signal.wait(10.0, drain)
    assert not await signal.wait(0.001, drain)


async def test_wakes_reach_who_is_concerned() -> None:
    """Dirty numbers wake every account's publisher; effects wake their account's dispatcher only."""
    wakes = Wakes(["a", "b"])
    wakes.dirtied()
    assert [signal.is_set for signal in wakes.levels.values()] == [True, True]
    wakes.effects_for(["b", "gone"])
    assert [signal.is_set for signal in wakes.effects.values()] == [False, True]


async def test_a_pause_ends_with_the_drain() -> None:
    """Nobody sleeps through a stop."""
    drain = Drain()
    pause = asyncio.create_task(drain.pause(600.0))
    await asyncio.sleep(0)
    drain.begin()
    assert await asyncio.wait_for(pause, 60)
    assert await drain.pause(600.0)


async def test_the_board_costs_one_query_a_second() -> None:
    """A hundred scrapers at once ask the database once; a second later once more."""
    desk = Desk()
    await desk.list_sku("MUG", 5)
    asked = 0
    queries = MemoryQueries(desk.store)
    good = queries.status

    async def counted():  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return await good()

    queries.status = counted  # type: ignore[method-assign]
    metrics = Metrics({"shop": "toy"}, Build("1", "3.11", "sqlite"))
    desk.store.tables.lags["shop", "outward"] = 1_250_000
    board = Board({"shop": desk.plan}, queries, desk.clock, mode=desk.accounts.mode, metrics=metrics)  # type: ignore[arg-type]
    await asyncio.gather(*(board.scrape() for _ in range(100)))
    assert asked == 1
    desk.clock.advance(1.0)
    status = await board.status()
    assert asked == 2
    assert status["outbox_pending"] == 1
    (account,) = status["accounts"]
    assert account["out"]["lag_s"] == 1.25
    assert {"account", "connector", "mode", "in", "out", "circuit", "budget"} <= account.keys()


async def test_the_board_shows_accounts_the_database_has_not_met() -> None:
    """A configured account without a row is there, empty, and in its configured mode."""
    plan = AccountPlan("new", "toy", MANIFEST, Mode.SHADOW, AvailabilityPolicy(("main",)))
    board = Board({"new": plan}, MemoryQueries(MemoryStore()), ManualClock(), mode=lambda _: Mode.SHADOW)  # type: ignore[arg-type]
    (account,) = (await board.status())["accounts"]
    assert (account["mode"], account["in"]["pending"], account["out"]["lag_s"]) == ("shadow", 0, None)
    with pytest.raises(RuntimeError, match="counts nothing"):
        await board.scrape()


async def test_nothing_of_an_account_that_was_taken_out_waits() -> None:
    """Numbers left dirty by an account no longer configured are no backlog and no alarm; its failures still count."""
    desk = Desk()
    await desk.list_sku("MUG", 5)
    plan = replace(desk.plan, account="other")
    metrics = Metrics({"other": "toy"}, Build("1", "3.11", "sqlite"))
    queries = MemoryQueries(desk.store)
    before = Board({"shop": desk.plan}, queries, desk.clock, mode=lambda _: Mode.LIVE)  # type: ignore[arg-type]
    assert (await before.status())["outbox_pending"] == 1
    after = Board({"other": plan}, queries, desk.clock, mode=lambda _: Mode.LIVE, metrics=metrics)  # type: ignore[arg-type]
    status = await after.status()
    assert (status["outbox_pending"], [row["account"] for row in status["accounts"]]) == (0, ["other"])
    body, _ = await after.scrape()
    assert 'trunkline_outbox_pending{account="",connector=""} 0.0' in body.decode()


def test_run_gives_the_result_and_the_error() -> None:
    """With or without uvloop, what the main coroutine does comes out."""

    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    async def fails() -> None:
        raise LookupError("no")

    assert process.run(answer()) == 42
    with pytest.raises(LookupError):
        process.run(fails())


def test_the_collector_is_tuned_once() -> None:
    """What lives as long as the process is left alone."""
    before = gc.get_threshold()
    try:
        process.tune_gc()
        assert gc.get_threshold() == process.GC_THRESHOLDS
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
