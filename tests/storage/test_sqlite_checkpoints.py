"""The log is written back beside the writer, and a store that is written to all the time does not keep all of it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.storage.errors import FatalStoreError
from hub.storage.sqlite import checkpoints
from hub.storage.sqlite.checkpoints import Checkpoints
from hub.storage.sqlite.connection import open_checkpointer, open_writer
from hub.storage.sqlite.writer import Writer
from tests.support.waiting import until


@pytest.fixture
async def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writer]:
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0.001)
    connection = open_writer(tmp_path / "hub.db")
    beside = Checkpoints(open_checkpointer(tmp_path / "hub.db"), on_fatal=lambda _: None)
    made = Writer(connection, on_rollback=lambda: None, on_fatal=lambda _: None, beside=beside)
    await made.submit(lambda db: db.execute("CREATE TABLE t (x BLOB)"))
    yield made
    await asyncio.to_thread(beside.close)
    await made.close()


def _rows(connection: sqlite3.Connection, count: int) -> None:
    connection.executemany("INSERT INTO t VALUES (randomblob(?))", [(4000,)] * count)


def _backfilled(path: Path) -> bytes:
    """The database file itself, without its log."""
    return path.read_bytes()


async def test_what_was_committed_reaches_the_database_without_the_writer(writer: Writer, tmp_path: Path) -> None:
    """Rows are in the file itself soon after their commit, long before the writer's own checkpoint."""
    mark = b"a mark that only this row has"
    await writer.submit(lambda db: db.execute("INSERT INTO t VALUES (?)", (mark,)))
    async with asyncio.timeout(60):
        while mark not in _backfilled(tmp_path / "hub.db"):  # noqa: ASYNC110 - nothing tells of a checkpoint
            await asyncio.sleep(0.01)


async def test_the_log_begins_anew_where_there_are_moments_of_quiet(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty megabytes go through a log that stays far smaller; a moment is as long as one checkpoint takes."""
    once, begun, whole = Checkpoints._once, 0, 0
    assert writer._beside is not None

    def noted(self: Checkpoints) -> tuple[int, int]:
        nonlocal begun, whole
        begun = number = begun + 1
        pages, done = once(self)
        if pages == done:
            whole = number
        return pages, done

    monkeypatch.setattr(Checkpoints, "_once", noted)
    for turn in range(100):
        await writer.submit(lambda db: _rows(db, 100))
        if turn % 10 == 9:
            before = begun
            writer._beside.written()
            await until(lambda before=before: whole > before)
    assert (tmp_path / "hub.db-wal").stat().st_size < 20_000_000


async def test_a_writer_that_never_rests_keeps_a_log_of_bounded_size(writer: Writer, tmp_path: Path) -> None:
    """Commits without a pause: the writer's own checkpoint takes over at 64 MiB."""
    waiting = [writer.submit(lambda db: _rows(db, 500)) for _ in range(50)]
    await asyncio.gather(*waiting)
    assert (tmp_path / "hub.db-wal").stat().st_size < 100_000_000


async def test_closing_waits_for_the_checkpoint_under_way_and_leaves_no_thread(tmp_path: Path) -> None:
    """A folder can be moved or removed once the store is closed."""
    open_writer(tmp_path / "hub.db").close()
    beside = Checkpoints(open_checkpointer(tmp_path / "hub.db"), on_fatal=lambda _: None)
    beside.written()
    await asyncio.to_thread(beside.close)
    assert not any(thread.name == "store-checkpoints" for thread in threading.enumerate())


class _CalledMeanwhile(threading.Event):
    """Whoever clears it is asked to end in that very moment."""

    def __init__(self, ending: threading.Event) -> None:
        super().__init__()
        self._ending = ending

    def clear(self) -> None:
        self._ending.set()
        self.set()
        super().clear()


async def test_closing_at_any_moment_ends_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing just while the thread takes note of a commit is not overlooked."""
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0.001)
    open_writer(tmp_path / "hub.db").close()
    beside = Checkpoints(open_checkpointer(tmp_path / "hub.db"), on_fatal=lambda _: None)
    waited_on, beside._written = beside._written, _CalledMeanwhile(beside._ending)
    waited_on.set()
    beside.written()
    await asyncio.to_thread(beside._thread.join, 10)
    assert not beside._thread.is_alive()


class _Broken:
    """A connection whose checkpoints fail as a disk's do."""

    def __init__(self, code: int) -> None:
        self.asked = 0
        self._code = code

    def execute(self, _statement: str) -> None:
        self.asked += 1
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = self._code
        raise error

    def close(self) -> None:
        return None


async def test_a_failed_sync_is_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk holds after it is unknown, whoever asked for the sync."""
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0.001)
    told: list[FatalStoreError] = []
    beside = Checkpoints(_Broken(sqlite3.SQLITE_IOERR_FSYNC), on_fatal=told.append)  # type: ignore[arg-type]
    beside.written()
    await asyncio.to_thread(beside._thread.join, 10)
    assert len(told) == 1
    beside.close()


async def test_a_full_disk_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by itself, and the log is written back then."""
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0.001)
    told: list[FatalStoreError] = []
    broken = _Broken(sqlite3.SQLITE_FULL)
    beside = Checkpoints(broken, on_fatal=told.append)  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        while broken.asked < 3:
            beside.written()
            await asyncio.sleep(0.005)
    await asyncio.to_thread(beside.close)
    assert not told
