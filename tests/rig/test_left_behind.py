"""What a killed process leaves beside its files never hurts the next one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config.settings import KeyFile
from hub.bootstrap import keys
from hub.storage.folders import make_folder
from tests.rig import store_work
from tests.rig.promises import broken


def test_a_start_killed_while_making_its_key_does_not_block_the_next(tmp_path: Path) -> None:
    """The half-written key of a process with this very id (every start in a container) is passed over."""
    path = tmp_path / "hub.key"
    path.with_name(f"hub.key.{os.getpid()}").write_text("half a k")
    key = keys.load(KeyFile(path), make=True)
    assert keys.load(KeyFile(path), make=False) == key


async def test_a_log_without_its_database_is_not_replayed_into_a_backup(tmp_path: Path) -> None:
    """Restoring where the database file is gone and its log is not gives the backup and nothing else."""
    await store_work.first(tmp_path)
    await store_work.backup(store_work.url(tmp_path), tmp_path / "older.db")
    path = store_work.database(tmp_path)
    marks = store_work.Marks(tmp_path)
    async with store_work.opened(tmp_path) as store:
        await store_work.receive(store, marks, "since")
        kept = path.with_name("kept-wal")
        shutil.copy(path.with_name("hub.db-wal"), kept)
    marks.close()
    path.unlink()
    kept.rename(path.with_name("hub.db-wal"))
    await store_work.put_back(tmp_path)
    assert broken(path, {}) == []
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM inbox").fetchone() == (1,)


def test_every_folder_made_is_synced_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each missing folder's parent is synced before anything goes inside."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    make_folder(tmp_path / "a" / "b")
    assert synced == [str(tmp_path), str(tmp_path / "a")]
    make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2
