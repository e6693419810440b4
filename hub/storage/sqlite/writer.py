"""The one thread that writes: a queue of units of work that share commits, not fates.

Units wait in a queue; the thread takes what is there (no timer), runs each in a savepoint of its
own inside one transaction, commits with a sync, and only then answers. A unit that fails rolls
back to its savepoint; an error of the disk fails everybody who shared the commit.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from hub.ports.store import StoreUnavailable
from hub.storage.errors import FatalStoreError
from hub.storage.sqlite.checkpoints import Checkpoints
from hub.storage.sqlite.connection import spoils_group, translated

T = TypeVar("T")
Unit = Callable[[sqlite3.Connection], Any]

GROUP_MAX: Final = 500
GROUP_S_MAX: Final = 0.02
"""A group that ran this long commits: those who wait for its sync should not wait for more work."""
IDLE_S: Final = 0.5
"""After so long without work the log is checkpointed, so that a busy commit need not do it."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Job:
    """A unit and who waits for it."""

    unit: Unit
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    whole: bool = False
    synced: bool = True
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the writing connection.

    Args:
        on_rollback: Called on the writing thread when a unit or a whole group is undone, so that what
            was remembered from it is forgotten.
        on_fatal: Called on the writing thread after a failed sync; it should end the process.
        beside: Told of every commit, so that few checkpoints are left to do here.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        on_rollback: Callable[[], None],
        on_fatal: Callable[[FatalStoreError], None],
        beside: Checkpoints | None = None,
    ) -> None:
        self._connection = connection
        self._beside = beside
        self._on_rollback = on_rollback
        self._on_fatal = on_fatal
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._fatal: FatalStoreError | None = None
        self._unsettled = False
        self._lax = False
        self._checkpoint_mode = "PASSIVE"
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def submit(
        self, unit: Callable[[sqlite3.Connection], T], *, whole: bool = False, synced: bool = True
    ) -> asyncio.Future[T]:
        """Queue a unit; the future answers after its commit is on the disk.

        A `whole` unit writes with one statement, so that where nobody shares its commit it needs no
        other statement to begin and to end a transaction. A unit that need not be `synced` is committed
        to the system alone: it outlives this process, and is on the disk with the next that is.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._gate:
            if (fatal := self._ended()) is not None:
                future.set_exception(fatal)
            elif self._closed:
                future.set_exception(StoreUnavailable("the store is closed"))
            else:
                self._queue.put(_Job(unit, loop, future, whole, synced))
        return future

    @property
    def running(self) -> bool:
        """False once closed or ended by a failed sync."""
        return not self._closed and self._ended() is None

    def _ended(self) -> FatalStoreError | None:
        """The failed sync after which nothing is acknowledged, whichever thread met it."""
        return self._fatal or (None if self._beside is None else self._beside.failed)

    def empty_log(self) -> None:
        """At the next quiet moment write the log back whole, so that nothing forgotten stays in it."""
        self._checkpoint_mode = "TRUNCATE"

    async def close(self) -> None:
        """Finish what is queued, checkpoint, close. Later units are refused."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # --- on the thread -----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (first := self._next()) is not None:
                if not self._group(first):
                    break
        finally:
            self._refuse_rest()
            self._finish()

    def _next(self) -> _Job | None:
        while True:
            try:
                return self._queue.get(timeout=IDLE_S if self._unsettled else None)
            except queue.Empty:
                mode, self._checkpoint_mode = self._checkpoint_mode, "PASSIVE"
                self._checkpoint(mode)
                self._unsettled = False

    def _group(self, first: _Job) -> bool:
        """Run one shared commit; False when the thread is to end."""
        done: list[_Job] = []
        going_on = True
        alone = self._queue.empty()
        shared = not (first.whole and alone)
        synced = first.synced or not alone
        try:
            self._keep_promises(synced)
            if shared:
                self._begin()
            job: _Job | None = first
            until = time.monotonic() + GROUP_S_MAX
            while job is not None:
                done.append(job)
                self._run(job, first=job is first)
                if not (shared and synced) or len(done) >= GROUP_MAX or time.monotonic() > until:
                    break
                try:
                    job = self._queue.get_nowait()
                    going_on = job is not None
                except queue.Empty:
                    break
            if shared:
                self._connection.execute("COMMIT")
            self._unsettled = True
            if self._beside is not None:
                self._beside.written()
        except sqlite3.Error as error:
            self._spoil(done or [first], translated(error))
        self._fatal = self._ended()
        _answer(done or [first], self._ended)
        return going_on and self._fatal is None

    def _keep_promises(self, synced: bool) -> None:
        """Whether the next commit is synced; a group that cannot be is spoiled before it began."""
        if synced and self._lax:
            self._connection.execute("PRAGMA synchronous=FULL")
            self._lax = False
        elif not synced and not self._lax:
            self._lax = True
            self._connection.execute("PRAGMA synchronous=NORMAL")

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def _run(self, job: _Job, *, first: bool) -> None:
        """One unit in its own savepoint. Raises only what spoils the whole group.

        The first unit of a group needs none, as there is nothing before it to keep: a savepoint
        makes SQLite copy every page it touches, a tenth of a large batch's time.
        """
        execute = self._connection.execute
        if not first:
            execute("SAVEPOINT unit")
        try:
            job.result = job.unit(self._connection)
        except sqlite3.Error as error:
            if spoils_group(error) or not self._connection.in_transaction:
                raise
            job.error = error
        except BaseException as error:  # noqa: BLE001 - whatever a unit raises is its caller's, not this thread's
            # A future cannot carry StopIteration.
            job.error = (
                RuntimeError("a unit of work stopped an iteration") if isinstance(error, StopIteration) else error
            )
        if job.error is not None:
            # What was remembered of rows this unit made, a payload key above all, must go with them.
            self._on_rollback()
        if first:
            if job.error is not None and self._connection.in_transaction:
                execute("ROLLBACK")
                self._begin()
            return
        if job.error is not None:
            execute("ROLLBACK TO unit")
        execute("RELEASE unit")

    def _spoil(self, jobs: list[_Job], error: Exception) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as again:
                _log.error("store.rollback_failed", error=str(again))
        self._on_rollback()
        for job in jobs:
            if job.error is None:
                job.error = error
        if isinstance(error, FatalStoreError):
            self._fatal = error
            _log.critical("store.sync_failed", error=str(error))
            self._on_fatal(error)

    def _checkpoint(self, mode: str) -> None:
        try:
            with nullcontext() if self._beside is None else self._beside.turn:
                self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            problem = translated(error)
            _log.warning("store.checkpoint_failed", error=str(problem))
            if isinstance(problem, FatalStoreError):
                self._fatal = problem
                self._on_fatal(problem)

    def _refuse_rest(self) -> None:
        with self._gate:
            self._closed = True
        rest: list[_Job] = []
        while True:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is not None:
                job.error = self._fatal or StoreUnavailable("the store is closed")
                rest.append(job)
        _answer(rest, self._ended)

    def _finish(self) -> None:
        if self._ended() is None:
            self._checkpoint("TRUNCATE")
        self._connection.close()


def _answer(jobs: list[_Job], ended: Callable[[], FatalStoreError | None]) -> None:
    """Tell everybody, with one wake-up per event loop; `ended` is asked once more just before."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        loops.setdefault(job.loop, []).append(job)
    for loop, mine in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, mine, ended)


def _settle(jobs: list[_Job], ended: Callable[[], FatalStoreError | None]) -> None:
    fatal = ended()
    for job in jobs:
        if job.future.done():
            continue
        if (error := job.error or fatal) is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(job.result)
