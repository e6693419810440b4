"""This process among the others: its lease, the accounts it dispatches, and word of new work.

One connection of its own, outside the pool. The lease is a row renewed by the server's clock; an
account is held by an advisory lock, which the server frees the moment the connection ends.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import structlog

from hub.ports.store import StoreUnavailable
from hub.storage.bell import Bell
from hub.storage.place import PostgresPlace
from hub.storage.postgres.connection import BY_KEY, Connection, PostgresSettings, available, pause

_log = structlog.get_logger(__name__)

_CHANNEL: Final = "trunkline_work"
_RING_EVERY_S: Final = 0.02
"""Word to the others travels at most so often: NOTIFY takes a lock that all commits would queue for."""
_RETRY_S: Final = 0.5
_ACCOUNT_SEED: Final = 0x74726B

_REGISTER: Final = (
    "INSERT INTO workers (name, started_at, lease_until) VALUES ($1, {now}, {now} + $2::bigint) RETURNING fence"
)
_RENEW: Final = "UPDATE workers SET lease_until = {now} + $2::bigint WHERE fence = $1 RETURNING fence"
_DEAD: Final = (
    "SELECT fence FROM workers WHERE lease_until < {now} AND fence <> $1 ORDER BY fence FOR UPDATE SKIP LOCKED"
)
_ABANDONED: Final = (
    "SELECT DISTINCT w.holder FROM inbox_work w WHERE w.holder IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM workers p WHERE p.fence = w.holder)"
)
_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class Presence:
    """`fence` is this process's number among claims; it changes when the process was taken for dead.

    Args:
        on_loss: Called when the number changed, so that what was claimed under the old one is let go.
    """

    def __init__(
        self, place: PostgresPlace, settings: PostgresSettings, bell: Bell, on_loss: Callable[[], None]
    ) -> None:
        self._place = place
        self._settings = settings
        self._bell = bell
        self._on_loss = on_loss
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._using = asyncio.Lock()
        self._accounts: set[str] = set()
        self._ringing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.fence = 0

    async def start(self) -> None:
        async with available():
            await self._connect()
            await self._register()
            await self._bury()
        self._tasks = [
            asyncio.create_task(self._beat(), name="store-heartbeat"),
            asyncio.create_task(self._tell(), name="store-notify"),
        ]

    def ring(self) -> None:
        """Wake this process now and the others within 20 ms."""
        self._bell.ring()
        self._ringing.set()

    async def hold(self, account: str) -> bool:
        """True while this process alone may dispatch for the account; ask before every round."""
        if account in self._accounts and self._connection is not None and not self._connection.is_closed():
            return True
        async with self._using:
            connection = self._connection
            if connection is None or connection.is_closed():
                return False
            try:
                async with available():
                    got = await connection.fetchval(
                        "SELECT pg_try_advisory_lock(hashtextextended($1, $2))", account, _ACCOUNT_SEED
                    )
            except StoreUnavailable:
                return False
        if got:
            self._accounts.add(account)
        return bool(got)

    async def close(self) -> None:
        """Give up every claim and leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        connection = self._connection
        if connection is None or connection.is_closed():
            return
        try:
            async with available():
                await connection.execute("UPDATE inbox_work SET holder = NULL WHERE holder = $1", self.fence)
                await connection.execute(
                    "UPDATE outbox SET state = 'in_doubt', holder = NULL, sending_since = NULL"
                    " WHERE state = 'sending' AND holder = $1",
                    self.fence,
                )
                await connection.execute("DELETE FROM workers WHERE fence = $1", self.fence)
                await connection.close(timeout=5)
        except (StoreUnavailable, asyncpg.PostgresError) as error:
            # The lease runs out by itself then.
            _log.warning("presence.left_unsaid", error=str(error))
            connection.terminate()

    # --- tasks -------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            await pause(self._settings.heartbeat_s)
            try:
                async with available(), self._using:
                    if self._connection is None or self._connection.is_closed():
                        await self._connect()
                    await self._renew()
                    await self._bury()
            except (StoreUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("presence.renewal_failed", error=str(error))
                if self._connection is not None:
                    self._connection.terminate()

    async def _tell(self) -> None:
        while True:
            await self._ringing.wait()
            await pause(_RING_EVERY_S)
            self._ringing.clear()
            async with self._using:
                connection = self._connection
                if connection is None or connection.is_closed():
                    continue
                try:
                    async with available():
                        await connection.execute(f"NOTIFY {_CHANNEL}")
                except (StoreUnavailable, asyncpg.PostgresError) as error:
                    _log.warning("presence.word_lost", error=str(error))

    # --- on the connection -------------------------------------------------------------------

    async def _connect(self) -> None:
        self._accounts.clear()
        self._connection = await asyncpg.connect(
            self._place.dsn,
            timeout=self._settings.connect_s,
            command_timeout=self._settings.statement_s,
            server_settings={"application_name": "trunkline presence", **BY_KEY},
        )
        await self._connection.add_listener(_CHANNEL, self._heard)

    def _heard(self, _connection: Connection, pid: int, _channel: str, _payload: object) -> None:
        own = self._connection.get_server_pid() if self._connection and not self._connection.is_closed() else None
        if pid != own:
            self._bell.ring()

    async def _register(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        self.fence = await self._value(_REGISTER, name, self._lease())

    async def _renew(self) -> None:
        if await self._value(_RENEW, self.fence, self._lease()) is None:
            old = self.fence
            await self._register()
            _log.error("presence.taken_for_dead", fence=old, fence_now=self.fence)
            self._on_loss()

    async def _bury(self) -> None:
        """Give out again what processes held whose lease ran out; each of their rows counts a crash.

        A process that was given up may go on claiming for some seconds before it hears of it. What it held when
        it took another number belongs to nobody: such rows are given out again too.
        """
        connection = self._connection
        if connection is None:
            return
        async with connection.transaction():
            dead = [row[0] for row in await connection.fetch(_DEAD.format(now=_NOW), self.fence)]
            if abandoned := [row[0] for row in await connection.fetch(_ABANDONED)]:
                _log.warning("presence.claims_regained", fences=abandoned)
                await connection.execute(
                    "UPDATE inbox_work SET holder = NULL WHERE holder = ANY($1::bigint[])", abandoned
                )
                self._bell.ring()
            if not dead:
                return
            await connection.execute(
                "UPDATE inbox_work SET holder = NULL, crashes = crashes + 1 WHERE holder = ANY($1::bigint[])", dead
            )
            await connection.execute(
                "UPDATE outbox SET state = 'in_doubt', holder = NULL, sending_since = NULL"
                " WHERE state = 'sending' AND holder = ANY($1::bigint[])",
                dead,
            )
            await connection.execute("DELETE FROM workers WHERE fence = ANY($1::bigint[])", dead)
        _log.warning("presence.dead_found", fences=dead)
        self._bell.ring()

    async def _value(self, statement: str, *values: Any) -> Any:
        if self._connection is None:
            raise StoreUnavailable("the database cannot be used now: not connected")
        return await self._connection.fetchval(statement.format(now=_NOW), *values)

    def _lease(self) -> int:
        return round(self._settings.lease_s * 1_000_000)
