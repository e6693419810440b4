"""Loops sleep until there is something to do, gather bursts, and wait out a store that is away."""

import asyncio
import time

from connectors.sdk.clock import SystemClock
from hub.ports.store import StoreConflict, StoreUnavailable
from hub.runtime.drain import Drain
from hub.runtime.health import STORE, HealthState
from hub.runtime.wake import Signal
from hub.services.rounds import Round
from hub.workers.loop import Loop, Rhythm
from tests.support.memory_store import MemoryStore
from tests.support.waiting import until


class Noting(Drain):
    """Notes how long every pause was asked to be."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    async def pause(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return await super().pause(seconds)


class Rig:
    """A loop over a scripted step."""

    def __init__(self, rhythm: Rhythm, *script: Round | Exception) -> None:
        self.drain = Noting()
        self.store = MemoryStore()
        self.health = HealthState(self.store, SystemClock(), self.drain)
        self.signal = Signal()
        self.script = list(script)
        self.at: list[float] = []
        loop = Loop("test", self.step, self.signal, rhythm, self.drain, self.health)
        self.task = asyncio.create_task(loop.run())

    async def step(self) -> Round:
        self.at.append(time.monotonic())
        found = self.script.pop(0) if self.script else Round()
        if isinstance(found, Exception):
            raise found
        return found

    async def rounds(self, count: int) -> None:
        await until(lambda: len(self.at) >= count)

    async def stop(self) -> None:
        self.drain.begin()
        async with asyncio.timeout(60):
            await self.task


async def test_a_wake_up_is_milliseconds_not_a_polling_interval() -> None:
    """With an idle interval of an hour a signal is answered at once."""
    rig = Rig(Rhythm(idle_s=3_600.0))
    await rig.rounds(1)
    rig.signal.set()
    await rig.rounds(2)
    assert rig.drain.asked == [], "nothing was waited for"
    await rig.stop()


async def test_a_burst_becomes_one_round() -> None:
    """Signals within the gathering time are one round, not many."""
    rig = Rig(Rhythm(idle_s=60.0, gather_s=0.1))
    await rig.rounds(1)
    for _ in range(50):
        rig.signal.set()
        await asyncio.sleep(0)
    await rig.rounds(2)
    await asyncio.sleep(0.05)
    assert len(rig.at) <= 3
    await rig.stop()


async def test_wake_ups_for_others_become_rarer() -> None:
    """While signals lead to nothing the gathering grows; the first find brings it back."""
    rig = Rig(Rhythm(idle_s=60.0, gather_s=0.01, gather_max_s=0.32))
    await rig.rounds(1)
    for count in range(2, 8):
        rig.signal.set()
        await rig.rounds(count)
    rig.script = [Round(done=1)]
    rig.signal.set()
    await rig.rounds(8)
    rig.signal.set()
    await rig.rounds(9)
    assert rig.drain.asked == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.32, 0.01]
    await rig.stop()


async def test_a_round_says_when_the_next_makes_sense() -> None:
    """The wait a round names is kept, within the idle interval."""
    rig = Rig(Rhythm(idle_s=3_600.0), Round(wait_s=0.05), Round(wait_s=9_999.0))
    await rig.rounds(2)
    assert rig.at[1] - rig.at[0] >= 0.04
    await asyncio.sleep(0.05)
    assert len(rig.at) == 2
    await rig.stop()


async def test_a_store_that_is_away_is_waited_for() -> None:
    """No crash, readiness false meanwhile, work goes on by itself."""
    rig = Rig(Rhythm(idle_s=60.0), StoreUnavailable("full"), StoreUnavailable("full"), StoreConflict("moved"), Round())
    await rig.rounds(2)
    assert STORE in rig.health.unready()
    await rig.rounds(4)
    await rig.health.look()
    assert STORE not in rig.health.unready()
    assert not rig.task.done()
    await rig.stop()


async def test_stopping_wakes_a_sleeping_loop() -> None:
    """A drain does not wait for idle intervals."""
    rig = Rig(Rhythm(idle_s=600.0))
    await rig.rounds(1)
    await rig.stop()


async def test_endless_work_leaves_turns_to_others() -> None:
    """A loop that always has more to do does not starve the event loop."""
    rig = Rig(Rhythm(idle_s=60.0), *[Round(again=True)] * 100_000)
    for _ in range(100):
        await asyncio.sleep(0)
    assert 0 < len(rig.at) <= 100, "no round more than there were turns for others"
    await rig.stop()
