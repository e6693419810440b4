"""Where a database is: `sqlite:///path` or `postgresql://user:password@host:port/name`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.storage.errors import StorageError

_SQLITE: Final = frozenset({"sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"})
_POSTGRESQL: Final = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    path: Path


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """`url` carries the password; `shown` does not."""

    url: URL

    @property
    def dsn(self) -> str:
        """As asyncpg takes it."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def whole(self) -> str:
        """With its password: for opening, never for showing."""
        return self.dsn

    @property
    def shown(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=True)


def place_of(url: str) -> SqlitePlace | PostgresPlace:
    """Raises StorageError for anything that is neither, without repeating a password."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError(
            "the database URL cannot be read; use sqlite:///path or postgresql://user@host/name"
        ) from error
    if parsed.drivername in _SQLITE:
        if not parsed.database or parsed.database == ":memory:":
            raise StorageError("a hub's database is a file: use sqlite:///path/to/hub.db")
        return SqlitePlace(Path(parsed.database))
    if parsed.drivername in _POSTGRESQL:
        return PostgresPlace(parsed)
    raise StorageError(
        f"{parsed.drivername!r} is no database of ours; use sqlite:///path or postgresql://user@host/name"
    )
