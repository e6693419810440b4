"""How a SQLite database is opened, for writing and for reading, and what its errors mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from hub.ports.store import StoreUnavailable
from hub.storage.errors import FatalStoreError, StorageError, StoreMissing

OLDEST: Final = (3, 38, 0)
"""STRICT tables (3.37) and upserts in triggers; older files would open and then fail oddly."""
WAL_BYTES_KEPT: Final = 64 * 1024 * 1024
_FULL: Final = 2
_LOST_SYNC: Final = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})

_BOTH = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA temp_store=MEMORY",
)
_SYNCING = (
    "PRAGMA synchronous=FULL",
    # macOS keeps a plain fsync in the drive's cache; elsewhere these two mean nothing.
    "PRAGMA fullfsync=ON",
    "PRAGMA checkpoint_fullfsync=ON",
)
_WRITING: tuple[str, ...] = (
    "PRAGMA journal_mode=WAL",
    *_SYNCING,
    f"PRAGMA wal_autocheckpoint={WAL_BYTES_KEPT // 4096}",
    f"PRAGMA journal_size_limit={WAL_BYTES_KEPT}",
    "PRAGMA secure_delete=FAST",
    "PRAGMA cache_size=-65536",
)


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes and checkpoints.

    Raises:
        StorageError: SQLite is too old, or the file system gives less than WAL and FULL.
        FatalStoreError: The disk did not confirm the first write.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        need = ".".join(map(str, OLDEST))
        raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old; this hub needs {need} or newer")
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be opened: {error}") from error
    try:
        for pragma in (*_BOTH, *_WRITING):
            # To the last row: the switch to WAL commits after it, and an error there is told there only.
            connection.execute(pragma).fetchall()
        _require_durable(connection, path)
    except sqlite3.Error as error:
        connection.close()
        problem = translated(error)
        if isinstance(problem, FatalStoreError):
            raise problem from error
        raise StorageError(f"{path} is not a usable SQLite database: {error}") from error
    except StorageError:
        connection.close()
        raise
    return connection


def open_checkpointer(path: Path) -> sqlite3.Connection:
    """A connection that only writes the log back, as durably as the writer's would."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in (*_BOTH, *_SYNCING, "PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0"):
        connection.execute(pragma).fetchall()
    # A connection knows the log only once it has read.
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and never checkpoints.

    Raises:
        StoreMissing: There is no such file.
    """
    if not path.exists():
        raise StoreMissing(f"there is no database at {path}; `trunkline run` or `trunkline db upgrade` makes one")
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in (*_BOTH, "PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0"):
        connection.execute(pragma)
    return connection


def _require_durable(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    (sync,) = connection.execute("PRAGMA synchronous").fetchone()
    if mode != "wal":
        raise StorageError(f"{path}: journal mode is {mode}, not WAL; keep the database on a local disk")
    if sync < _FULL:
        raise StorageError(f"{path}: synchronous is below FULL; acknowledged events would not survive a power cut")


def translated(error: sqlite3.Error) -> Exception:
    """A driver's error as what the caller is to do about it."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in _LOST_SYNC:
        return FatalStoreError(f"the disk did not confirm a write ({error}); what is on it is unknown")
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(f"the database cannot take writes now: {error}")
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError | sqlite3.NotSupportedError
    ):
        return StoreUnavailable(f"the database does not answer as it should: {error}")
    return error


def spoils_group(error: sqlite3.Error) -> bool:
    """True when the error is the disk's rather than one unit's: everybody sharing the commit fails."""
    return isinstance(translated(error), StoreUnavailable | FatalStoreError)
