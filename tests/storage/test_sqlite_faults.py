"""The embedded engine under kill, full disk, failed sync, a second hub and strange files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sdk.clock import ManualClock
from hub.ports.store import OutboxState, ReadSet, StoreUnavailable, WriteSet
from hub.storage import (
    FatalStoreError,
    SchemaOutdated,
    SchemaUnknown,
    StorageError,
    StoreLocked,
    StoreMissing,
    backup,
    migrate,
    open_store,
)
from hub.storage.errors import FatalStoreError as Fatal
from hub.storage.sqlite.connection import open_writer
from tests.support.stores import KEY, Bench, effect, given, opened, posting
from tests.support.victim import ROOT, victim


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder}/hub.db"


async def test_a_killed_process_gives_its_rows_back_counted_and_alone(tmp_path: Path) -> None:
    """kill -9 while holding 3 inputs and 1 effect: crashes are 1, rows come one by one, the effect is in doubt."""
    url = url_of(tmp_path)
    async with opened(url) as bench:
        await bench.store.receive([given(n) for n in range(3)])
        await bench.write(WriteSet(effects=[effect("a")]))
    for turn in (1, 2):
        async with victim(url, "claim") as (process, said):
            assert said.split()[0] == ("3" if turn == 1 else "1"), (
                "the process must hold rows for the kill to mean anything"
            )
            process.send_signal(signal.SIGKILL)
            process.wait()
    async with opened(url) as bench:
        await bench.store.receive([given(9)])
        taken = [await bench.store.claim_inbox(10) for _ in range(4)]
        assert [len(items) for items in taken] == [1, 1, 1, 1]
        assert sorted(items[0].crashes for items in taken) == [0, 1, 1, 2]
        (doubtful,) = await bench.store.claim_effects("shop", 10)
        assert doubtful.state is OutboxState.IN_DOUBT


async def test_a_second_hub_is_refused_and_told_whose_database_it_is(tmp_path: Path) -> None:
    """Locked while another process lives, free the moment it was killed."""
    url = url_of(tmp_path)
    async with victim(url, "hold") as (process, said):
        assert said == "True"
        with pytest.raises(StoreLocked, match=rf"process {process.pid}"):
            await open_store(url, key=KEY, clock=ManualClock())
        with pytest.raises(StoreLocked):
            await migrate.upgrade(url)
        store, queries = await open_store(url, key=KEY, clock=ManualClock(), readonly=True)
        assert store is None
        assert await queries.status() == []
        await queries.close()
        process.kill()
        process.wait()
    async with opened(url):
        pass


async def test_a_full_database_refuses_and_recovers_by_itself(sqlite_bench: Bench) -> None:
    """No room: StoreUnavailable for everybody, nothing half stored; room again: goes on without help."""
    bench = sqlite_bench
    await bench.store.receive([given(0)])
    pages = await bench.store._writer.submit(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await bench.store._writer.submit(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 2}"))
    big = b"x" * 100_000
    answers = await asyncio.gather(
        *(bench.store.receive([given(n, body=big)]) for n in range(1, 9)), return_exceptions=True
    )
    assert answers
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert len((await bench.queries.inputs(account="shop"))[0]) == 1
    await bench.store._writer.submit(lambda db: db.execute("PRAGMA max_page_count = 1073741823"))
    assert await bench.store.healthy() is True
    assert list(await bench.store.receive([given(n, body=big) for n in range(9)])) == [False] + [True] * 8


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MB; only where this process may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="trunkline-small-"))
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
        )
        mounted = done.returncode == 0
    if not mounted:
        folder.rmdir()
        pytest.skip("no right to mount a small file system here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


async def test_a_full_disk_refuses_and_recovers_by_itself(small_disk: Path) -> None:
    """The same with a real file system without space: acknowledged rows stay, writing resumes once there is room."""
    ballast = small_disk / "ballast"
    async with opened(url_of(small_disk)) as bench:
        await bench.store.receive([given(0)])
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"x" * 4096)
        acked, refused = 0, 0
        for number in range(1, 200):
            try:
                await bench.store.receive([given(number, body=b"y" * 20_000)])
                acked += 1
            except StoreUnavailable:
                refused += 1
        assert refused, "the disk must have been full for this to mean anything"
        ballast.unlink()
        assert await bench.store.healthy() is True
        assert list(await bench.store.receive([given(500)])) == [True]
        assert len((await bench.queries.inputs(account="shop", limit=500))[0]) == acked + 2


async def test_a_failed_sync_ends_the_store(tmp_path: Path) -> None:
    """After fsync failed nothing is retried in place: callers get the fatal error and the process is told to end."""
    told: list[Fatal] = []
    store, queries = await open_store(url_of(tmp_path), key=KEY, clock=ManualClock(), on_fatal=told.append)
    assert store is not None

    def failing(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with pytest.raises(FatalStoreError, match="did not confirm"):
        await store._writer.submit(failing)  # type: ignore[attr-defined]
    assert len(told) == 1
    with pytest.raises(FatalStoreError):
        await store.receive([given(1)])
    assert await store.healthy() is False
    await queries.close()
    await store.close()


async def test_less_than_full_sync_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that ignores synchronous=FULL is not started on."""
    from hub.storage.sqlite import connection

    weak = tuple(line.replace("synchronous=FULL", "synchronous=NORMAL") for line in connection._WRITING)
    monkeypatch.setattr(connection, "_WRITING", weak)
    with pytest.raises(StorageError, match="below FULL"):
        open_writer(tmp_path / "hub.db")


async def test_units_after_closing_are_refused(tmp_path: Path) -> None:
    """A closed store answers StoreUnavailable instead of hanging."""
    async with opened(url_of(tmp_path)) as bench:
        store = bench.store
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.receive([given(1)])


async def test_reading_needs_a_database(tmp_path: Path) -> None:
    """Read-only opening makes nothing."""
    with pytest.raises(StoreMissing, match="no database"):
        await open_store(url_of(tmp_path), key=KEY, clock=ManualClock(), readonly=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "no url at all"])
async def test_an_unusable_url_is_refused(text: str) -> None:
    """With what would be right instead."""
    with pytest.raises(StorageError, match="sqlite:///"):
        await open_store(text, key=KEY, clock=ManualClock())


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Neither opened nor touched."""
    (tmp_path / "hub.db").write_bytes(b"these are not the pages you are looking for" * 100)
    before = (tmp_path / "hub.db").read_bytes()
    with pytest.raises(StorageError, match="not a usable"):
        await open_store(url_of(tmp_path), key=KEY, clock=ManualClock())
    assert (tmp_path / "hub.db").read_bytes() == before


async def test_a_copy_can_be_taken_beside_a_writing_hub_and_put_back(tmp_path: Path) -> None:
    """A backup is complete and sound; restoring keeps what was replaced and refuses a running hub."""
    url, copy = url_of(tmp_path), tmp_path / "copy.db"
    async with opened(url) as bench:
        await bench.write(WriteSet(postings=[posting("a", "S", 5)]))
        writing = [asyncio.create_task(bench.store.receive([given(n)])) for n in range(50)]
        await backup.backup(url, copy)
        await asyncio.gather(*writing)
        with pytest.raises(StorageError, match="exists"):
            await backup.backup(url, copy)
        with pytest.raises(StoreLocked):
            await backup.restore(url, copy)
        await bench.write(WriteSet(postings=[posting("b", "S", 1)]))
    await backup.restore(url, copy)
    async with opened(url) as bench:
        assert (await bench.read(ReadSet(positions={"S"}))).position("S", "main").on_hand == 5
        assert await bench.queries.verify() == []
    assert (tmp_path / "hub.db.replaced").exists()
    with pytest.raises(StoreMissing):
        await backup.restore(url, tmp_path / "absent.db")
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 2000)
    with pytest.raises(StorageError):
        await backup.restore(url, tmp_path / "rubbish")


KILLED_UPGRADE = """
import asyncio, os, sys
from hub.storage import migrate

real, left = migrate.open_writer, int(sys.argv[2])

def counted(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)

def opened(path):
    connection = real(path)
    connection.set_trace_callback(counted)
    return connection

migrate.open_writer = opened
asyncio.run(migrate.upgrade(sys.argv[1]))
"""


async def test_a_killed_migration_is_simply_run_again(tmp_path: Path) -> None:
    """Killed at several points it leaves no half schema: the next start makes it whole."""
    killed = 0
    for number, steps in enumerate((2, 8, 20, 40, 60)):
        url = f"sqlite:///{tmp_path}/{number}.db"
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", KILLED_UPGRADE, url, str(steps)], cwd=ROOT, capture_output=True
        )
        killed += done.returncode == -signal.SIGKILL
        assert await migrate.current(url) in (None, migrate.head())
        await migrate.upgrade(url)
        assert await migrate.check(url) == []
        async with opened(url) as bench:
            assert list(await bench.store.receive([given(1)])) == [True]
    assert killed == 5, "the kills must have hit for this to mean anything"


async def test_a_newer_or_foreign_or_older_schema_is_refused(tmp_path: Path) -> None:
    """Each with what to do; nothing is changed."""
    url = url_of(tmp_path)
    await migrate.upgrade(url)
    with contextlib.closing(sqlite3.connect(tmp_path / "hub.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaUnknown, match="newer Trunkline"):
        await open_store(url, key=KEY, clock=ManualClock())
    with pytest.raises(SchemaUnknown):
        await migrate.upgrade(url)
    assert "9999" in (await migrate.check(url))[0]
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE accounts_of_somebody (id INTEGER)")
    with pytest.raises(SchemaUnknown, match="something else"):
        await open_store(f"sqlite:///{tmp_path}/other.db", key=KEY, clock=ManualClock())


def test_an_older_schema_asks_for_an_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known but not the newest: the message names the command."""
    monkeypatch.setattr(migrate, "head", lambda: "9999")
    with pytest.raises(SchemaOutdated, match="trunkline db upgrade"):
        migrate.require("0001")


async def test_a_disk_that_cannot_be_asked_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is gone for a moment makes the hub not ready; the look that finds it again says so."""

    def gone(_: Path) -> None:
        raise FileNotFoundError("the disk is not there")

    async with opened(url_of(tmp_path)) as bench:
        with monkeypatch.context() as away:
            away.setattr(shutil, "disk_usage", gone)
            assert await bench.store.healthy() is False
        assert await bench.store.healthy() is True
