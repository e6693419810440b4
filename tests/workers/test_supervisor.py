"""A loop that dies is started again with growing pauses, and none of its neighbours notices."""

import asyncio

import pytest

from connectors.sdk.clock import SystemClock
from hub.ports.store import StoreUnavailable
from hub.runtime.drain import Drain
from hub.workers import supervisor
from hub.workers.supervisor import Supervisor, pause_s
from tests.support.waiting import until


class Doomed(Exception):
    """Stands for an error after which the process must end."""


def test_pauses_double_up_to_half_a_minute() -> None:
    """0.5 s first, never more than 30 s."""
    assert [pause_s(n) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause_s(100_000) == 30


async def test_a_dead_loop_comes_back_alone(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Deaths of one loop, by a bug or by a store that is away, never touch the other."""
    monkeypatch.setattr(supervisor, "RESTART_FIRST_S", 0.001)
    drain = Drain()
    watched = Supervisor(drain, SystemClock())
    births, turns = [], 0

    async def fragile() -> None:
        births.append(1)
        if len(births) == 1:
            raise KeyError("bug")
        if len(births) == 2:
            raise StoreUnavailable("disk full")
        await drain.wait()

    async def steady() -> None:
        nonlocal turns
        while not drain.stopping:
            turns += 1
            await asyncio.sleep(0.001)

    watched.start("fragile", fragile)
    watched.start("steady", steady)
    await until(lambda: len(births) >= 3)
    before = turns
    await asyncio.sleep(0.02)
    assert turns > before
    assert watched.restarts == 2
    assert await watched.stop(60.0) == []


async def test_a_fatal_error_ends_the_process_and_not_only_the_loop() -> None:
    """`failed` gives the error; the loop is not started again."""
    watched = Supervisor(Drain(), SystemClock(), fatal=(Doomed,))
    births = 0

    async def doomed() -> None:
        nonlocal births
        births += 1
        raise Doomed("fsync failed")

    watched.start("doomed", doomed)
    async with asyncio.timeout(60):
        assert isinstance(await watched.failed(), Doomed)
    await watched.stop(1.0)
    assert births == 1


async def test_what_does_not_end_in_time_is_cancelled_and_named() -> None:
    """The drain has an end, and says what it cut short."""
    watched = Supervisor(Drain(), SystemClock())

    async def stubborn() -> None:
        await asyncio.Event().wait()

    watched.start("stubborn", stubborn)
    await asyncio.sleep(0)
    assert await watched.stop(0.05) == ["stubborn"]


async def test_a_loop_outlives_what_it_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody cancelled a task the loop was waiting for: the loop is started again, a cancelled one is not."""
    monkeypatch.setattr(supervisor, "RESTART_FIRST_S", 0.001)
    drain = Drain()
    watched = Supervisor(drain, SystemClock())
    births: list[int] = []

    async def waits_for_another() -> None:
        births.append(1)
        if len(births) == 1:
            other = asyncio.create_task(asyncio.sleep(60))
            asyncio.get_running_loop().call_soon(other.cancel)
            await other
        await drain.wait()

    watched.start("fragile", waits_for_another)
    await until(lambda: len(births) == 2)
    task = watched._tasks["fragile"]
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert await watched.stop(1.0) == []
