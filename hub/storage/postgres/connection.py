"""The pool, what PostgreSQL's errors mean here, and what it must be set to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from hub.ports.store import StoreUnavailable
from hub.storage.errors import StorageError
from hub.storage.place import PostgresPlace

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"

_GONE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.CannotConnectNowError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
    TimeoutError,
)
"""Errors of the server, the way there or its resources.

`InterfaceError` is a connection that closed, `InternalClientError` one that broke off and whose driver lost its place.
"""
MOVED: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
"""What is redone: other units were met, or the schema was changed under the driver's statements."""


BY_KEY: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""Everything the store asks for it asks by key. Queue tables change faster than their statistics, and a
planner that believes them reads whole tables to find a hundred rows."""


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """How a hub process uses the server. Durations in seconds.

    A process that does not renew its lease for `lease_s` is taken for dead and its claims are
    handed out again; `heartbeat_s` leaves room for two missed renewals. The server ends a statement after
    `statement_s`; a session that does not answer for `lock_s` longer is given up, since a server that lost its
    network says nothing at all. `acquire_s` is waited for a connection of the pool.
    """

    connections_max: int = 10
    lease_s: float = 20.0
    heartbeat_s: float = 5.0
    connect_s: float = 10.0
    acquire_s: float = 10.0
    statement_s: float = 30.0
    lock_s: float = 5.0


if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
else:
    _Pool = asyncpg.Pool


class _BoundedPool(_Pool):
    """Nobody waits longer than `acquire_s` for a connection, or for one that was cut off to be given back."""

    acquire_s: float

    def acquire(self, *, timeout: float | None = None) -> asyncpg.pool.PoolAcquireContext[asyncpg.Record]:
        return super().acquire(timeout=self.acquire_s if timeout is None else timeout)


async def open_pool(place: PostgresPlace, settings: PostgresSettings) -> Pool:
    """A pool whose sessions are durable and bounded.

    Raises:
        StorageError: The server cannot be reached, or does not keep what it confirms.
    """
    limits = {
        "application_name": "trunkline",
        "statement_timeout": f"{settings.statement_s:.0f}s",
        "lock_timeout": f"{settings.lock_s:.0f}s",
        "idle_in_transaction_session_timeout": "30s",
        **BY_KEY,
    }
    try:
        pool = _BoundedPool(
            place.dsn,
            min_size=1,
            max_size=settings.connections_max,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            timeout=settings.connect_s,
            command_timeout=settings.statement_s + settings.lock_s,
            statement_cache_size=400,
            max_cached_statement_lifetime=0,
            server_settings=limits,
            init=_durable,
            reset=_as_it_is,
        )
        pool.acquire_s = settings.acquire_s
        await pool
    except (asyncpg.PostgresError, OSError, TimeoutError, ValueError) as error:
        raise StorageError(f"{place.shown} cannot be reached: {error or type(error).__name__}") from error
    try:
        await _require_durable(pool, place)
    except BaseException:
        await pool.close()
        raise
    return pool


async def _durable(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """A server or role set to asynchronous commits loses acknowledged events: not in our sessions."""
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )


async def _as_it_is(_connection: Connection) -> None:
    """What a session was set to stays when its connection goes back, synchronous commits above all.

    The driver's own way is to reset every setting, with a round trip after each use. Nothing here
    changes a session outside a transaction, and the driver has ended that by now.
    """


async def _require_durable(pool: Pool, place: PostgresPlace) -> None:
    for setting in ("fsync", "full_page_writes"):
        if await pool.fetchval("SELECT current_setting($1)", setting) != "on":
            raise StorageError(f"{place.shown}: {setting} is off; acknowledged events would not survive a power cut")
    if await pool.fetchval("SELECT pg_is_in_recovery()"):
        raise StorageError(f"{place.shown} is a standby; point the hub at the primary")


@asynccontextmanager
async def available() -> AsyncIterator[None]:
    """Turns what means "not now" into StoreUnavailable."""
    try:
        yield
    except _GONE as error:
        if isinstance(error, ValueError):
            # The driver's own word for an argument it cannot send: this unit's fault, not the server's.
            raise
        raise StoreUnavailable(f"the database cannot be used now: {error or type(error).__name__}") from error


async def fetch(pool: Pool, statement: str, *values: Any) -> list[asyncpg.Record]:
    """One statement on its own."""
    async with available():
        rows: list[asyncpg.Record] = await pool.fetch(statement, *values)
        return rows


async def first(pool: Pool, statement: str, *values: Any) -> asyncpg.Record | None:
    async with available():
        row: asyncpg.Record | None = await pool.fetchrow(statement, *values)
        return row


async def pause(seconds: float) -> None:
    """Real time: leases and reconnects are the server's matter, whatever clock the hub was given."""
    await asyncio.sleep(seconds)
