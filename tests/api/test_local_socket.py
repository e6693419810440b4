"""The commands' socket: there whatever the database, and one per process."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from hub import bootstrap
from hub.api.server import listen_locally
from tests.support import folders


async def test_the_folder_of_the_socket_is_made(tmp_path: Path) -> None:
    """Beside PostgreSQL nothing else makes the data folder."""
    path = tmp_path / "data" / "hub.sock"
    listener = await listen_locally(web.Application(), path)
    try:
        assert path.is_socket()
        assert path.stat().st_mode & 0o077 == 0
    finally:
        await listener.stop()
    assert not path.exists()


def test_processes_over_one_database_have_sockets_of_their_own(tmp_path: Path) -> None:
    """A worker beside the intake, with another port, never takes the other's socket away."""
    places = set()
    for port in (8700, 8701):
        hub = {"database": "postgresql://hub@localhost/hub", "listen": f"127.0.0.1:{port}"}
        places.add(bootstrap.socket_path(folders.write(tmp_path, {}, hub=hub)))
    assert len(places) == 2
