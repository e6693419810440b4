"""Copies of a whole database, and putting one back.

SQLite copies through its own backup interface, which is right while the hub writes (copying the
file is not). PostgreSQL has `pg_dump`, which does this better than we could.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

from hub.storage import migrate
from hub.storage.errors import StorageError, StoreMissing
from hub.storage.folders import make_folder, sync_names
from hub.storage.place import PostgresPlace, SqlitePlace, place_of
from hub.storage.sqlite.connection import open_reader
from hub.storage.sqlite.lock import FileLock

_PAGES_A_STEP = 2000
"""About 8 MB between two looks at what the hub wrote meanwhile."""


async def backup(url: str, path: Path) -> None:
    """Write a consistent copy to `path`, also beside a running hub.

    The copy is complete or absent: it is written beside and put in place when it is on the disk.
    It is as secret as the database; the key file is not in it.

    Raises:
        StoreMissing: There is no database to copy.
        StorageError: `path` exists, cannot be written, or the engine is PostgreSQL.
    """
    place = _sqlite(url, "back it up with: pg_dump --format=custom --file=FILE")
    if path.exists():
        raise StorageError(f"{path} exists; a backup never overwrites one")
    await asyncio.to_thread(_copy_out, place.path, path)


async def restore(url: str, path: Path) -> None:
    """Put a backup where the database is; the one there is kept beside it as `.replaced`.

    Raises:
        StoreLocked: A hub is running on it.
        StoreMissing: There is no such backup.
        StorageError: The backup is damaged, or the engine is PostgreSQL.
        SchemaUnknown: The backup comes from a newer program, or is none of ours.
    """
    place = _sqlite(url, "restore it with: pg_restore --clean --if-exists --dbname=NAME FILE")
    if not path.exists():
        raise StoreMissing(f"there is no backup at {path}")
    await asyncio.to_thread(_put_back, path, place.path)


def _sqlite(url: str, otherwise: str) -> SqlitePlace:
    place = place_of(url)
    if isinstance(place, PostgresPlace):
        raise StorageError(f"{place.shown} is PostgreSQL; {otherwise}")
    return place


def _copy_out(source: Path, target: Path) -> None:
    reading = open_reader(source)
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        writing = sqlite3.connect(partial)
        try:
            partial.chmod(0o600)
            reading.backup(writing, pages=_PAGES_A_STEP)
            writing.execute("PRAGMA journal_mode=DELETE").fetchall()
        finally:
            writing.close()
        _require_sound(partial)
        _sync(partial)
        partial.replace(target)
        sync_names(target.parent)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"the backup to {target} failed: {error}") from error
    finally:
        reading.close()


def _put_back(source: Path, target: Path) -> None:
    if migrate.file_revision(source) is None:
        raise StorageError(f"{source} holds no hub's database")
    _require_sound(source)
    make_folder(target.parent)
    lock = FileLock(target)
    lock.acquire()
    try:
        partial = target.with_name(target.name + ".partial")
        partial.unlink(missing_ok=True)
        _copy_whole(source, partial)
        _set_aside(target)
        # The old log is gone from the disk before the backup takes the name it belonged to.
        sync_names(target.parent)
        partial.replace(target)
        sync_names(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"restoring {source} failed: {error}") from error
    finally:
        lock.release()


def _copy_whole(source: Path, target: Path) -> None:
    reading, writing = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        target.chmod(0o600)
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()
    _sync(target)


def _set_aside(target: Path) -> None:
    """Fold the old database's log into it, so that the file is whole, and give it a second name.

    The first name goes over to the backup in one step: at no moment would a hub that starts find
    nothing there and begin anew.
    """
    if not target.exists():
        # A log whose database is gone must not be replayed into the backup.
        for rest in ("-wal", "-shm", "-journal"):
            target.with_name(target.name + rest).unlink(missing_ok=True)
        return
    with contextlib.closing(sqlite3.connect(target)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        old.execute("PRAGMA journal_mode=DELETE").fetchall()
    kept = target.with_name(target.name + ".replaced")
    kept.unlink(missing_ok=True)
    kept.hardlink_to(target)


def _require_sound(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise StorageError(f"{path} is damaged: {'; '.join(found)}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
