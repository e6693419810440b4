"""Where roles are split over processes, the scheduler polls an account although a worker sends to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.sdk.clock import FixedJitter, SeededIds
from hub.bootstrap import catalogue
from hub.runtime.drain import Drain
from hub.runtime.health import HealthState
from hub.runtime.wake import Wakes
from hub.workers.channel import Channel, Tools
from tests.support.memory_store import MemoryStore
from tests.support.toy_channel import Desk


class Shared(MemoryStore):
    """The leases of one process over a table that several share."""

    def __init__(self, desk: Desk, taken: dict[str, str], process: str) -> None:
        super().__init__(desk.now)
        self._taken, self._process = taken, process

    async def hold_account(self, account: str) -> bool:
        return self._taken.setdefault(account, self._process) == self._process


def _channel(desk: Desk, taken: dict[str, str], process: str) -> Channel:
    store, drain = Shared(desk, taken, process), Drain()
    health = HealthState(store, desk.clock, drain)
    tools = Tools(
        store, desk.queries, desk.accounts, desk.clock, SeededIds(), FixedJitter(0.5), desk.telemetry,
        Wakes(["shop"]), drain, health,
    )  # fmt: skip
    return Channel(desk.plan, desk.vendor, tools)


async def test_a_worker_never_keeps_the_scheduler_from_its_duties() -> None:
    """Sending and keeping time are two leases, each held by one process at a time."""
    desk, taken = Desk(), {}
    worker, scheduler = _channel(desk, taken, "worker"), _channel(desk, taken, "scheduler")
    assert await worker.lease.held()
    assert not await scheduler.lease.held()
    assert await scheduler.duty.held()
    assert not await worker.duty.held()


async def test_held_orders_are_judged_whoever_loads_the_catalogue_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has changed, and another process was first to load it: orders that wait here are judged all the same."""
    monkeypatch.setattr(catalogue, "LOOK_EVERY_S", 0.01)
    path, store, drain = tmp_path / "skus.csv", MemoryStore(), Drain()
    here, there = catalogue.Catalogue(path, store), catalogue.Catalogue(path, store)
    path.write_text("sku\nMUG\n")
    await here.load()
    path.write_text("sku\nMUG\nBOX\n")
    assert await there.load()
    judged = asyncio.Event()

    async def judge() -> None:
        judged.set()

    following = asyncio.create_task(here.follow(judge, drain))
    async with asyncio.timeout(5):
        await judged.wait()
    drain.begin()
    await following
