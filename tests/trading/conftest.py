"""A desk for trading over both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.exchange import Desk
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.stores import opened

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=ENGINES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """Both engines."""
    if request.param == "sqlite":
        async with opened(f"sqlite:///{tmp_path}/hub.db") as bench:
            yield Desk(bench)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    async with server.database() as url, opened(url) as bench:
        yield Desk(bench)


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[Desk]:
    """SQLite alone, where the engine does not matter."""
    async with opened(f"sqlite:///{tmp_path}/hub.db") as bench:
        yield Desk(bench)
