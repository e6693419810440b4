"""Keeps the loops alive: one that dies is logged and started again, with growing pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from connectors.sdk.ports import Clock
from hub.ports.store import StoreUnavailable
from hub.runtime.drain import DRAIN_S, Drain

_log = structlog.get_logger(__name__)

RESTART_FIRST_S = 0.5
RESTART_MAX_S = 30.0
HEALTHY_S = 60.0
"""A loop that ran this long before it died begins again with the shortest pause."""

Run = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Charge:
    """One supervised loop. `deaths` in a row decide the next pause."""

    name: str
    run: Run
    deaths: int = 0


class Supervisor:
    """Runs named loops until the hub stops. One per process.

    Args:
        drain: Told when the hub stops; loops are expected to end by themselves then.
        clock: Measures how long a loop ran.
        fatal: Errors after which nothing in this process can be trusted; they end it.
    """

    def __init__(self, drain: Drain, clock: Clock, fatal: tuple[type[BaseException], ...] = ()) -> None:
        self._drain = drain
        self._clock = clock
        self._fatal = fatal
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[BaseException] | None = None
        self.restarts = 0

    def start(self, name: str, run: Run) -> None:
        """Begin a loop. Names are unique; a second loop of the same name is a mistake."""
        if name in self._tasks:
            raise ValueError(f"a loop called {name!r} is already running")
        self._tasks[name] = asyncio.create_task(self._keep(_Charge(name, run)), name=name)

    async def failed(self) -> BaseException:
        """Until something fatal happens; gives it."""
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._failed)

    async def stop(self, within_s: float = DRAIN_S) -> list[str]:
        """Wait for every loop to end; cancel those that do not in time. Names of the cancelled."""
        self._drain.begin()
        tasks = {task: name for name, task in self._tasks.items()}
        self._tasks = {}
        if not tasks:
            return []
        _, late = await asyncio.wait(tasks, timeout=max(0.0, within_s))
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        names = sorted(tasks[task] for task in late)
        if names:
            _log.warning("drain.cut_short", items=len(names), running=names)
        return names

    async def _keep(self, charge: _Charge) -> None:
        while not self._drain.stopping:
            began = self._clock.monotonic()
            try:
                await charge.run()
            except asyncio.CancelledError:
                if self._drain.stopping or _is_cancelled():
                    raise
                # Something the loop waited for was cancelled, not the loop.
                charge.deaths += 1
                _log.error(
                    "loop.died", loop=charge.name, attempts=charge.deaths, reason="what it waited for was given up"
                )
            except self._fatal as error:
                self._give_up(charge, error)
                return
            except StoreUnavailable:
                charge.deaths += 1
                _log.warning("loop.waiting", loop=charge.name, reason="the store is unavailable")
            except Exception as error:  # noqa: BLE001 - the worker boundary: nothing may end the other loops
                charge.deaths = 1 if self._clock.monotonic() - began >= HEALTHY_S else charge.deaths + 1
                _log.error("loop.died", loop=charge.name, attempts=charge.deaths, exc_info=error)
            else:
                if self._drain.stopping:
                    return
                charge.deaths += 1
                _log.error("loop.ended", loop=charge.name, reason="it returned although the hub is running")
            self.restarts += 1
            await self._drain.pause(pause_s(charge.deaths))

    def _give_up(self, charge: _Charge, error: BaseException) -> None:
        _log.critical("process.doomed", loop=charge.name, exc_info=error)
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        if not self._failed.done():
            self._failed.set_result(error)


def _is_cancelled() -> bool:
    """Whether somebody cancelled this very task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def pause_s(deaths: int) -> float:
    """Pause before the next start: doubling, bounded."""
    doubled = RESTART_FIRST_S * 2.0 ** min(max(deaths - 1, 0), 16)
    return min(doubled, RESTART_MAX_S)
