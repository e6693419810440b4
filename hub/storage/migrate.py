"""Bringing a database's schema up, and telling what it is at.

Migrations are Alembic's; each runs in one transaction on both engines, so a killed one leaves the
schema where it was and is simply run again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hub.storage.errors import SchemaOutdated, SchemaUnknown, StorageError, StoreMissing
from hub.storage.folders import make_folder
from hub.storage.place import PostgresPlace, SqlitePlace, place_of
from hub.storage.sqlite.connection import open_writer, translated
from hub.storage.sqlite.lock import FileLock

T = TypeVar("T")

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005")
"""Every revision there is, oldest first; named here so that a start needs no migration machinery."""
_SCRIPTS: Final = Path(__file__).with_name("migrations")
_UPGRADE_LOCK: Final = 0x7472756E6B
"""PostgreSQL advisory lock: two hubs starting at once upgrade one after the other."""


async def upgrade(url: str) -> None:
    """Bring the schema to this program's version; does nothing when it is there.

    Raises:
        StoreLocked: A hub is running on this file.
        SchemaUnknown: The schema is newer than this program.
    """
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        await asyncio.to_thread(_upgrade_locked, place.path)
    else:
        await _on_postgres(place, _upgrade_shared)


async def current(url: str) -> str | None:
    """The schema's revision; None for an empty or absent database."""
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        return await asyncio.to_thread(_current_sqlite, place.path)
    return await _on_postgres(place, _revision)


async def check(url: str) -> Sequence[str]:
    """What is wrong with schema and file, one sentence each; nothing when all is well."""
    place = place_of(url)
    revision = await current(url)
    faults = []
    try:
        require(revision)
    except StorageError as error:
        faults.append(str(error))
    if isinstance(place, SqlitePlace) and place.path.exists():
        faults.extend(await asyncio.to_thread(_integrity, place.path))
    return faults


def head() -> str:
    """The revision this program works with."""
    return REVISIONS[-1]


def require(revision: str | None) -> None:
    """Raises unless a database at `revision` can be opened by this program."""
    if revision == head():
        return
    if revision is None:
        raise StoreMissing("the database has no schema yet; run `trunkline db upgrade`")
    if revision in REVISIONS:
        raise SchemaOutdated(
            f"the database is at schema {revision}, this program works with {head()}; "
            "back it up and run `trunkline db upgrade`"
        )
    raise SchemaUnknown(
        f"the database is at schema {revision}, which this program does not know (it works with {head()}); "
        "it was written by a newer Trunkline, so start that one"
    )


def upgrade_file(path: Path) -> None:
    """Upgrade a SQLite file whose lock the caller holds.

    Raises:
        StoreUnavailable: The disk is full or does not answer; the schema is where it was.
        FatalStoreError: The disk did not confirm what was written.
    """
    connection = open_writer(path)
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    # The driver would run each statement of the migration on its own: begin for it.
    sa.event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.connect() as bound:
            _upgrade(bound)
            bound.commit()
        # Closing would write the log back too, but pass over a failed sync.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except DBAPIError as error:
        raise (translated(error.orig) if isinstance(error.orig, sqlite3.Error) else error) from error
    except sqlite3.Error as error:
        raise translated(error) from error
    finally:
        engine.dispose()
        connection.close()


def roll_back_unfinished(path: Path) -> None:
    """Undo what a process left half done when it was killed before the database was in WAL mode.

    Reading alone may not do that, so without it nothing could look at the file. The caller holds
    its lock.

    Raises:
        StorageError: It cannot be done.
    """
    if not path.exists() or not path.with_name(f"{path.name}-journal").exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error as error:
        raise StorageError(f"{path} is not a usable SQLite database: {error}") from error


def file_revision(path: Path) -> str | None:
    """A SQLite file's revision; None when it is absent or empty.

    Raises:
        SchemaUnknown: The file is a database, but not one of ours.
    """
    return _current_sqlite(path)


# --- the two engines -------------------------------------------------------------------------


def _upgrade_locked(path: Path) -> None:
    make_folder(path.parent)
    lock = FileLock(path)
    lock.acquire()
    try:
        roll_back_unfinished(path)
        file_revision(path)
        upgrade_file(path)
    finally:
        lock.release()


def _current_sqlite(path: Path) -> str | None:
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "alembic_version" not in tables:
                _require_ours(tables)
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StorageError(f"{path} is not a usable SQLite database: {error}") from error
    return str(row[0]) if row else None


def _integrity(path: Path) -> list[str]:
    """Damage SQLite itself finds; a running hub is not disturbed."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(10)")]
    except sqlite3.Error as error:
        found = [str(error)]
    finally:
        connection.close()
    return [f"{path}: {line}" for line in found if line != "ok"]


async def _on_postgres(place: PostgresPlace, work: Callable[[Connection], T]) -> T:
    import asyncpg  # a hub on SQLite starts without the driver

    engine = create_async_engine(place.url.set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    except (OSError, asyncpg.PostgresError, DBAPIError) as error:
        raise StorageError(f"{place.shown} cannot be used: {error}") from error
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    tables = set(sa.inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        _require_ours(tables)
        return None
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def _require_ours(tables: set[str]) -> None:
    strangers = {name for name in tables if not name.startswith("sqlite_")}
    if strangers - {"alembic_version"}:
        raise SchemaUnknown("this database holds tables of something else; give the hub one of its own")


def _upgrade_shared(connection: Connection) -> None:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
    _revision(connection)
    _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    revision = _revision(connection)
    if revision == head():
        return
    if revision is not None and revision not in REVISIONS:
        require(revision)
    # Migrating is rare and the machinery is large: a hub that is up to date never loads it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
