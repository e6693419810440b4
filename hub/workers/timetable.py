"""What happens by the clock: polls, housekeeping, second looks. APScheduler keeps the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from connectors.sdk.errors import ConnectorError
from connectors.sdk.ports import Jitter
from hub.ports.store import StoreConflict, StoreUnavailable
from hub.runtime.drain import Drain

_log = structlog.get_logger(__name__)

FIRST_SPREAD_S = 2.0
"""First runs are spread over this long, so that fifty accounts do not start in one instant."""


@dataclass(frozen=True, slots=True)
class Job:
    """One recurring duty. Runs never overlap; runs missed while one was late become one run.

    `first_s`: after start, before chance spreads it; None waits a whole interval.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]
    first_s: float | None = 0.0


class Timetable:
    """Runs jobs until the hub stops. A job that fails is logged and comes again at its next time."""

    def __init__(self, drain: Drain, jitter: Jitter) -> None:
        self._drain = drain
        self._jitter = jitter
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: set[asyncio.Task[object]] = set()

    def add(self, job: Job) -> None:
        """Put a job on the timetable. Names are unique."""
        first_s = job.every_s if job.first_s is None else job.first_s
        first = datetime.now(UTC) + timedelta(seconds=first_s + self._jitter() * min(FIRST_SPREAD_S, job.every_s))
        self._scheduler.add_job(
            self._guarded,
            IntervalTrigger(seconds=max(job.every_s, 0.1), timezone=UTC),
            args=[job],
            id=job.name,
            name=job.name,
            next_run_time=first,
            coalesce=True,
            max_instances=1,
            # However late, a duty is done once rather than skipped.
            misfire_grace_time=None,
        )

    def start(self) -> None:
        self._scheduler.start()

    async def stop(self, within_s: float) -> list[str]:
        """No new runs; wait for those under way, cancel what is late. Names of the cancelled."""
        if self._scheduler.running:
            self._scheduler.pause()
        tasks = set(self._running)
        late: set[asyncio.Task[object]] = set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=max(0.0, within_s))
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        return sorted(task.get_name() for task in late)

    async def _guarded(self, job: Job) -> None:
        if self._drain.stopping:
            return
        task = asyncio.current_task()
        if task is not None:
            task.set_name(job.name)
            self._running.add(task)
        try:
            await job.run()
        except asyncio.CancelledError:
            # Nobody awaits a run but the scheduler, which would tell a stop as the job's failure.
            _log.info("job.cancelled", job=job.name)
        except StoreUnavailable:
            _log.warning("job.postponed", job=job.name, reason="the store is unavailable")
        except StoreConflict:
            # Another process does the same at the same time; what is left is for the next turn.
            _log.info("job.postponed", job=job.name, reason="another process moved the same rows")
        except ConnectorError as error:
            _log.warning("job.failed", job=job.name, error=type(error).__name__, code=error.code, reason=error.message)
        except Exception as error:  # noqa: BLE001 - the worker boundary: one duty must not end the others
            _log.error("job.died", job=job.name, exc_info=error)
        finally:
            if task is not None:
                self._running.discard(task)
