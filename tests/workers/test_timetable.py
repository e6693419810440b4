"""A stop that cuts a duty short is told as such, once, and never as the duty's failure."""

from __future__ import annotations

import asyncio
import logging

import pytest

from hub.runtime.drain import Drain
from hub.workers.timetable import Job, Timetable


async def test_a_run_cut_short_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """The scheduler logs nothing of it, and its name is given to whoever stops the hub."""
    began = asyncio.Event()

    async def endless() -> None:
        began.set()
        await asyncio.sleep(3_600)

    timetable = Timetable(Drain(), lambda: 0.0)
    timetable.add(Job("poll:shop:orders", 60.0, endless))
    timetable.start()
    await asyncio.wait_for(began.wait(), 60)
    with caplog.at_level(logging.WARNING):
        assert await timetable.stop(0.0) == ["poll:shop:orders"]
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("apscheduler")] == []


async def test_a_run_that_fails_comes_again() -> None:
    """What nobody foresaw ends one run, not the duty."""
    runs = asyncio.Queue[int]()

    async def fails() -> None:
        runs.put_nowait(1)
        raise RuntimeError("a duty went wrong")

    timetable = Timetable(Drain(), lambda: 0.0)
    timetable.add(Job("duty", 0.1, fails))
    timetable.start()
    try:
        for _ in range(2):
            await asyncio.wait_for(runs.get(), 60)
    finally:
        assert await timetable.stop(60.0) == []
