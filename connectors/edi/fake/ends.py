"""A partner's end of a mailbox: its own folder, its own SFTP server. AS2 stands in `as2_end`."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncssh
from aiohttp import web

Take = Callable[[bytes], Awaitable[None]]
"""Given each file the hub delivers, once."""

LOOK_EVERY_S: Final = 0.1
USER: Final = "hub"


class End(ABC):
    """Where files of the hub arrive, and files for it are put."""

    @abstractmethod
    async def start(self, take: Take) -> None: ...

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def send(self, name: str, content: bytes) -> None:
        """Raises: ConnectorError: The hub did not take it; the same may be sent again."""

    @abstractmethod
    def transport(self) -> dict[str, Any]:
        """`options.transport` of the account that reaches this end."""

    def credentials(self) -> dict[str, str]:
        return {}

    def routes(self) -> list[web.RouteDef]:
        """What the sandbox's HTTP server answers for this end."""
        return []


class FolderEnd(End):
    """Three folders under one of its own; `inbox` is the hub's."""

    def __init__(self) -> None:
        self.root = Path()
        self._looking: asyncio.Task[None] | None = None

    async def start(self, take: Take) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="trunkline-partner-"))
        for name in ("inbox", "archive", "outbox"):
            (self.root / name).mkdir()
        self._looking = asyncio.create_task(self._look(take), name="partner-folder")

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)

    async def send(self, name: str, content: bytes) -> None:
        await asyncio.to_thread(self._put, name, content)

    def _put(self, name: str, content: bytes) -> None:
        # Written under another name first, as a well-behaved program does.
        temporary = self.root / "inbox" / f".{name}"
        temporary.write_bytes(content)
        temporary.rename(self.root / "inbox" / name)

    async def _look(self, take: Take) -> None:
        while True:
            for path in sorted((self.root / "outbox").glob("[!.]*")):
                content = await asyncio.to_thread(path.read_bytes)
                path.unlink()
                await take(content)
            await asyncio.sleep(LOOK_EVERY_S)

    def transport(self) -> dict[str, Any]:
        places = {name: str(self.root / name) for name in ("inbox", "archive", "outbox")}
        return {"folder": {**places, "quiet": "200ms"}}


class SftpEnd(FolderEnd):
    """The same folders behind an SFTP server with a key of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._password = uuid.uuid4().hex
        self._key: asyncssh.SSHKey | None = None
        self._server: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def start(self, take: Take) -> None:
        await super().start(take)
        self._key = await asyncio.to_thread(asyncssh.generate_private_key, "ssh-ed25519")
        end = self

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                self._conn = conn
                end._connections.add(conn)

            def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the library's shape
                end._connections.discard(self._conn)

            def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - the library's shape
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == (USER, end._password)

        def files(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=str(end.root).encode())

        self._server = await asyncssh.create_server(
            Login, "127.0.0.1", 0, server_host_keys=[self._key], sftp_factory=files
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.abort()
            await self._server.wait_closed()
        await super().stop()

    def transport(self) -> dict[str, Any]:
        if self._server is None or self._key is None:
            raise RuntimeError("the SFTP server is not started")
        return {
            "sftp": {
                "host": "127.0.0.1",
                "port": self._server.get_port(),
                "user": USER,
                "host_keys": [self._key.export_public_key().decode().strip()],
                "inbox": "inbox",
                "archive": "archive",
                "outbox": "outbox",
                "quiet": "200ms",
            }
        }

    def credentials(self) -> dict[str, str]:
        return {"password": self._password}
