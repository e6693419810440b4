"""The log is written back beside the writer, on a thread and a connection of its own.

A checkpoint syncs the log, writes pages all over the database and syncs that too: the last alone took 4
to 50 ms on a busy disk, and inside a COMMIT everybody who waits for that commit waits for it. In PASSIVE
mode it holds up no writer. Where a log never gets a moment in which all of it is written back,
it grows until the writer's own automatic checkpoint takes the little that is left.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

import structlog

from hub.storage.errors import FatalStoreError
from hub.storage.sqlite.connection import translated

PAUSE_S = 0.1
"""Between two checkpoints: a page that changes with every commit is then written back ten times a second."""
LEFT_MAX = 200
"""Pages of log left by a checkpoint that are few enough to take at once: the log can then begin anew."""
TRIES = 3

_log = structlog.get_logger(__name__)


class Checkpoints:
    """Owns its connection, which never writes a row.

    `turn` is held while a checkpoint runs: SQLite refuses a second one meanwhile. `failed` is the failed
    sync that ended it, set before anything else is done: from then on nothing may be acknowledged.

    Args:
        on_fatal: Called on the thread after a failed sync; what the disk holds is then unknown.
    """

    def __init__(self, connection: sqlite3.Connection, *, on_fatal: Callable[[FatalStoreError], None]) -> None:
        self._connection = connection
        self._on_fatal = on_fatal
        self.turn = threading.Lock()
        self.failed: FatalStoreError | None = None
        self._written = threading.Event()
        self._ending = threading.Event()
        self._refused = False
        self._thread = threading.Thread(target=self._work, name="store-checkpoints", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Something was committed. Any thread; never waits."""
        self._written.set()

    def close(self) -> None:
        """Wait for a checkpoint under way, then close."""
        self._ending.set()
        self._written.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            while self._written.wait() and not self._ending.wait(PAUSE_S):
                self._written.clear()
                # Asked again: `close` may have called just before the line above, which took its call away.
                if self._ending.is_set() or not self._all_of_it():
                    break
        finally:
            self._connection.close()

    def _all_of_it(self) -> bool:
        """Checkpoint until nothing, or too much, came in meanwhile; False when the thread is to end."""
        for _ in range(TRIES):
            try:
                with self.turn:
                    pages, done = self._once()
            except sqlite3.Error as error:
                return self._failed(translated(error))
            self._refused = False
            if not 0 < pages - done <= LEFT_MAX:
                break
        return True

    def _once(self) -> tuple[int, int]:
        """(pages in the log, pages of it written back)"""
        _, pages, done = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return pages, done

    def _failed(self, problem: Exception) -> bool:
        if isinstance(problem, FatalStoreError):
            self.failed = problem
            self._on_fatal(problem)
            _log.critical("store.sync_failed", error=str(problem))
            return False
        if not self._refused:
            # A full disk refuses every one of them until there is room; once is enough to say so.
            _log.warning("store.checkpoint_failed", error=str(problem))
        self._refused = True
        return True
