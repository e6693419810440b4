"""What somebody was promised is synced; a claim, which promises nothing to anybody, costs no sync."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.storage.sqlite.connection import open_writer
from hub.storage.sqlite.writer import Writer

NORMAL, FULL = 1, 2


def level(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA synchronous").fetchone()[0])


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    made = Writer(open_writer(tmp_path / "hub.db"), on_rollback=lambda: None, on_fatal=lambda _: None)
    yield made
    await made.close()


async def test_a_commit_is_synced_unless_its_unit_says_it_need_not_be(writer: Writer) -> None:
    """Whatever ran before: the next promise is a synced one again."""
    assert await writer.submit(level) == FULL
    assert await writer.submit(level, synced=False) == NORMAL
    assert await writer.submit(level, whole=True) == FULL
    assert await writer.submit(level, synced=False) == NORMAL
    assert await writer.submit(level) == FULL


async def test_a_failed_unit_leaves_nothing_lax(writer: Writer) -> None:
    """An error inside an unsynced unit is its caller's; the one after it is synced."""

    def fails(_connection: sqlite3.Connection) -> int:
        raise ValueError("unforeseen")

    with pytest.raises(ValueError, match="unforeseen"):
        await writer.submit(fails, synced=False)
    assert await writer.submit(level) == FULL


async def test_whoever_shares_a_commit_shares_its_sync(writer: Writer) -> None:
    """A unit that need not be synced never takes the sync from one beside it."""
    go = threading.Event()

    def waits(_connection: sqlite3.Connection) -> None:
        go.wait(5)

    first = writer.submit(waits, synced=False)
    await asyncio.sleep(0.05)
    rest = [writer.submit(level, synced=False), writer.submit(level)]
    go.set()
    await first
    assert await asyncio.gather(*rest) == [FULL, FULL]
