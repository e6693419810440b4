"""Opening a database: lock, schema, key, in that order, and nothing left open when one of them fails."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from connectors.sdk.ports import Clock
from hub.ports.queries import Queries
from hub.ports.store import Store, StoreUnavailable
from hub.storage import migrate
from hub.storage.errors import FatalStoreError
from hub.storage.folders import make_folder
from hub.storage.place import PostgresPlace, SqlitePlace, place_of
from hub.storage.queries import SqlQueries
from hub.storage.sqlite.connection import open_reader
from hub.storage.sqlite.lock import FileLock
from hub.storage.sqlite.store import SqliteStore
from hub.storage.vault import Vault

if TYPE_CHECKING:
    from hub.storage.postgres.connection import PostgresSettings

EX_IOERR: Final = 74
"""The exit status after a failed sync (sysexits.h: an error on some file)."""
_READERS: Final = 4

_log = structlog.get_logger(__name__)


def end_process(error: FatalStoreError) -> None:
    """What a failed sync comes to unless the caller of `open_store` says otherwise."""
    _log.critical("process.ended", error=str(error))
    os._exit(EX_IOERR)


async def open_store(
    url: str,
    *,
    key: bytes,
    clock: Clock,
    readonly: bool = False,
    on_fatal: Callable[[FatalStoreError], None] = end_process,
    postgres: PostgresSettings | None = None,
) -> tuple[Store | None, Queries]:
    """Open the database at `url`; an absent or empty one gets today's schema.

    Readers (`readonly`) work beside a running hub and get no store. `on_fatal` is called after a
    failed sync, from a thread of the store's own.

    Raises:
        StoreMissing: Nothing to read there.
        StoreLocked: Another hub writes this file.
        SchemaOutdated: `trunkline db upgrade` is needed first.
        SchemaUnknown: A newer hub's database, or somebody else's.
        WrongKey: Sealed with another key.
        StorageError: The database cannot be opened.
    """
    vault = Vault(key)
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        return await _open_sqlite(place.path, vault, clock, on_fatal, readonly=readonly)
    return await _open_postgres(place, vault, clock, postgres, readonly=readonly)


async def _open_sqlite(
    path: Path, vault: Vault, clock: Clock, on_fatal: Callable[[FatalStoreError], None], *, readonly: bool
) -> tuple[Store | None, Queries]:
    store = None
    if readonly:
        await asyncio.to_thread(_require_readable, path, vault)
    else:
        store = await asyncio.to_thread(_own, path, vault, clock, on_fatal)
    return store, SqlQueries(_reading_engine(path), vault, clock)


async def _open_postgres(
    place: PostgresPlace, vault: Vault, clock: Clock, settings: PostgresSettings | None, *, readonly: bool
) -> tuple[Store | None, Queries]:
    revision = await migrate.current(place.whole)
    if revision is None and not readonly:
        await migrate.upgrade(place.whole)
        revision = await migrate.current(place.whole)
    migrate.require(revision)
    queries = SqlQueries(_snapshot_engine(place), vault, clock)
    try:
        if readonly:
            await _require_key(queries)
            return None, queries
        # Imported here: a hub on SQLite does without the driver's memory.
        from hub.storage.postgres.connection import PostgresSettings as Settings
        from hub.storage.postgres.store import open_postgres

        return await open_postgres(place, vault, clock, settings or Settings()), queries
    except BaseException:
        await queries.close()
        raise


async def _require_key(queries: SqlQueries) -> None:
    proof = await queries.key_proof()
    if proof is not None:
        queries.vault.require(proof)


def _snapshot_engine(place: PostgresPlace) -> AsyncEngine:
    engine = create_async_engine(
        place.url.set(drivername="postgresql+asyncpg"),
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        connect_args={
            "server_settings": {"application_name": "trunkline queries", "statement_timeout": "60s"},
            # The server's own limit says nothing where its host is gone.
            "timeout": 10.0,
            "command_timeout": 65.0,
        },
        pool_size=_READERS,
        max_overflow=0,
        pool_pre_ping=True,
    )
    event.listen(engine.sync_engine, "handle_error", _broken_off)
    return engine


def _broken_off(context: ExceptionContext) -> None:
    """What asyncpg raises of a session that ended in mid-answer is no word SQLAlchemy knows as a lost connection."""
    import asyncpg

    if isinstance(context.original_exception, asyncpg.InternalClientError):
        context.is_disconnect = True
        raise StoreUnavailable("the database cannot be read now: the connection broke off")


def _own(path: Path, vault: Vault, clock: Clock, on_fatal: Callable[[FatalStoreError], None]) -> SqliteStore:
    make_folder(path.parent)
    lock = FileLock(path)
    lock.acquire()
    try:
        migrate.roll_back_unfinished(path)
        if migrate.file_revision(path) is None:
            migrate.upgrade_file(path)
        migrate.require(migrate.file_revision(path))
        return SqliteStore(path, vault, clock, lock, on_fatal)
    except FatalStoreError as error:
        lock.release()
        on_fatal(error)
        raise
    except BaseException:
        lock.release()
        raise


def _require_readable(path: Path, vault: Vault) -> None:
    open_reader(path).close()
    migrate.require(migrate.file_revision(path))
    connection = open_reader(path)
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()
    finally:
        connection.close()
    if row is not None:
        vault.require(row[0])


def _reading_engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path.absolute().as_uri()}?mode=ro&uri=true",
        connect_args={"isolation_level": None},
        pool_size=_READERS,
        max_overflow=0,
    )
    event.listen(engine.sync_engine, "connect", _read_only)
    # The driver would give every statement a snapshot of its own.
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _read_only(connection: Any, _: object) -> None:
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in ("query_only=ON", "wal_autocheckpoint=0", "busy_timeout=5000", "trusted_schema=OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
