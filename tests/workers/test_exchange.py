"""A partner's large file is taken beside the inbox: others go on, and whatever ends it leaves its input in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from hub.ports.store import InboxItem, InboxResult, InboxState, NewInput, ReadSet, StoreUnavailable, WriteSet
from hub.runtime.wake import Wakes
from hub.workers.exchange import AT_ONCE, LARGE, REST_US, Exchange
from tests.support.memory_store import MemoryStore
from tests.support.waiting import until


@dataclass
class Service:
    """Finishes an input once it is let; raises what a test planted."""

    store: MemoryStore
    let: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    begun: list[int] = field(default_factory=list)

    async def take(self, item: InboxItem) -> None:
        self.begun.append(item.seq)
        if len(item.payload) > LARGE:
            await self.let.wait()
        if self.error is not None:
            raise self.error
        done = InboxResult(item.seq, InboxState.DONE)
        await self.store.run(ReadSet(), lambda _: WriteSet(inbox=[done]))


@dataclass
class Rig:
    store: MemoryStore
    service: Service
    exchange: Exchange
    wakes: Wakes

    async def items(self, *sizes: int) -> list[InboxItem]:
        """Claimed inputs with payloads of these sizes."""
        given = [
            NewInput("retailer", "edi", "poll", "interchange", f"f{n}", f"lane{n}", b"x" * size, "", 0)
            for n, size in enumerate(sizes)
        ]
        await self.store.receive(given)
        return list(await self.store.claim_inbox(100))

    def states(self) -> list[tuple[InboxState, bool]]:
        """(state, whether it is claimed)"""
        return [(row.state, row.claimed) for row in self.store.tables.inbox.values()]


@pytest.fixture
def rig() -> Rig:
    store, wakes = MemoryStore(), Wakes(["retailer"])
    service = Service(store)
    return Rig(store, service, Exchange(service, store, wakes), wakes)


async def test_a_large_file_holds_nobody_up(rig: Rig) -> None:
    """Taking it returns at once and holds its row; a small one behind it is dealt with meanwhile."""
    large, small = await rig.items(LARGE + 1, 10)
    await rig.exchange.take(large)
    assert rig.exchange.holds(large.seq)
    await rig.exchange.take(large)
    await rig.exchange.take(small)
    assert rig.states() == [(InboxState.PENDING, True), (InboxState.DONE, False)]
    rig.service.let.set()
    await until(lambda: not rig.exchange.holds(large.seq))
    assert sorted(rig.service.begun) == [large.seq, small.seq]
    assert rig.states()[0] == (InboxState.DONE, False)
    assert rig.wakes.effects["retailer"].is_set


async def test_only_so_many_large_files_are_held_in_memory(rig: Rig) -> None:
    """The next one comes again when there may be a place; meanwhile the inbox goes on with what is small."""
    *large, small = await rig.items(*[LARGE + 1] * (AT_ONCE + 1), 10)
    for item in large:
        await asyncio.wait_for(rig.exchange.take(item), 10)
    await rig.exchange.take(small)
    await until(lambda: len(rig.service.begun) > AT_ONCE)
    assert sorted(rig.service.begun) == sorted([*(item.seq for item in large[:AT_ONCE]), small.seq])
    assert rig.states()[AT_ONCE] == (InboxState.PENDING, False)
    assert await rig.store.claim_inbox(100) == []
    rig.service.let.set()
    await until(lambda: not any(rig.exchange.holds(item.seq) for item in large))
    later = rig.store.now() + REST_US
    rig.store.now = lambda: later
    (again,) = await rig.store.claim_inbox(100)
    await rig.exchange.take(again)
    await until(lambda: {state for state, _ in rig.states()} == {InboxState.DONE})


async def test_stopping_gives_a_large_file_back(rig: Rig) -> None:
    """Its row is free for the next process, which goes on where it was."""
    (large,) = await rig.items(LARGE + 1)
    await rig.exchange.take(large)
    await asyncio.sleep(0)
    await rig.exchange.stop()
    assert rig.states() == [(InboxState.PENDING, False)]


@pytest.mark.parametrize("size", [10, LARGE + 1])
async def test_what_is_unforeseen_parks_the_file_alone(rig: Rig, size: int) -> None:
    """It is kept with its reason."""
    (item,) = await rig.items(size)
    rig.service.let.set()
    rig.service.error = RuntimeError("unforeseen")
    await rig.exchange.take(item)
    await until(lambda: not rig.exchange.holds(item.seq))
    assert rig.states() == [(InboxState.FAILED, False)]
    assert [row.error for row in rig.store.tables.failures.values()] == ["RuntimeError"]


async def test_a_database_that_is_away_costs_nothing(rig: Rig) -> None:
    """The large file's row is released, at once or with the next step."""
    (large,) = await rig.items(LARGE + 1)
    rig.service.error = StoreUnavailable("away")
    rig.service.let.set()
    await rig.exchange.take(large)
    await until(lambda: not rig.exchange.holds(large.seq))
    await rig.exchange.give_back()
    assert rig.states() == [(InboxState.PENDING, False)]


async def test_a_process_without_trading_parks_what_it_cannot_take() -> None:
    """By name, instead of leaving it unread."""
    store = MemoryStore()
    rig = Rig(store, Service(store), Exchange(None, store, Wakes(["retailer"])), Wakes(["retailer"]))
    (item,) = await rig.items(10)
    await rig.exchange.take(item)
    assert [row.error for row in store.tables.failures.values()] == ["NoTrading"]
