"""One unit of work: a transaction that is redone when it collided, and whose end is never guessed."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg

from hub.ports.store import Decide, DuplicateKey, Micros, ReadSet, StoreConflict, StoreUnavailable, WriteSet
from hub.storage.postgres.connection import MOVED, Connection, Pool, available, pause
from hub.storage.postgres.keys import PayloadKeys
from hub.storage.postgres.reads import load
from hub.storage.postgres.writes import FencedOff, Writes
from hub.storage.vault import Vault

TRIES: Final = 4
"""The first and three more."""
_UNIQUE_TRIES: Final = 2
"""A unique key met once more on fresh state was there before, not made at the same moment."""
_WAKING: Final = 0x77616B6573
"""Shared by every unit that may bring what others wait for; whoever has it alone has seen them end."""
_SETTLING_TRIES: Final = 10
_SETTLING_S: Final = 0.3


class Units:
    """Runs units on pooled connections."""

    def __init__(self, pool: Pool, vault: Vault, keys: PayloadKeys) -> None:
        self._pool = pool
        self._vault = vault
        self._keys = keys

    async def run(self, reads: ReadSet, decide: Decide, now: Micros, fence: int) -> WriteSet:
        await self._keys.today(now)
        for turn in range(1, TRIES + 1):
            try:
                return await self._once(reads, decide, now, fence)
            except FencedOff:
                raise
            except StoreConflict:
                if turn == TRIES:
                    raise
            except MOVED as error:
                if turn == TRIES:
                    raise StoreConflict(f"collided with other units {TRIES} times: {error}") from error
            except asyncpg.UniqueViolationError as error:
                if turn >= _UNIQUE_TRIES:
                    raise DuplicateKey(f"stored before: {error.detail or error}") from error
            except asyncpg.IntegrityConstraintViolationError as error:
                raise StoreConflict(str(error)) from error
        raise StoreConflict("the unit was not run")

    async def _once(self, reads: ReadSet, decide: Decide, now: Micros, fence: int) -> WriteSet:
        xid: str | None = None
        committing = False
        try:
            async with available(), self._pool.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    if reads.alone or reads.wakes:
                        # In a statement of its own: what is read next sees all that ended before the lock was had.
                        lock = "pg_advisory_xact_lock" if reads.alone else "pg_advisory_xact_lock_shared"
                        await connection.execute(f"SELECT {lock}($1)", _WAKING)
                    loaded = await load(connection, reads, now, self._vault)
                    writes = decide(loaded.state)
                    storing = Writes(connection, now, self._vault, self._keys, fence)
                    await storing.store(writes, loaded)
                    xid = storing.xid or await _assigned(connection)
                except BaseException as error:
                    await _roll_back(connection, transaction, silent=isinstance(error, TimeoutError))
                    raise
                committing = True
                await transaction.commit()
                return writes
        except StoreUnavailable:
            # The commit was asked for and its answer lost: the server knows what became of it.
            if committing and (xid is None or await self._committed(xid)):
                return writes
            raise

    async def settled(self) -> None:
        """Wait for the units that share `_WAKING`; those that come meanwhile begin afterwards."""
        async with available(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _WAKING)

    async def _committed(self, xid: str) -> bool:
        for _ in range(_SETTLING_TRIES):
            try:
                async with available():
                    status = await self._pool.fetchval("SELECT pg_xact_status($1::text::xid8)", xid)
            except StoreUnavailable:
                status = "in progress"
            if status != "in progress":
                return bool(status == "committed")
            await pause(_SETTLING_S)
        return False


async def _assigned(connection: Connection) -> str | None:
    """The transaction's number; None where it wrote nothing."""
    found: str | None = await connection.fetchval("SELECT pg_current_xact_id_if_assigned()::text")
    return found


async def _roll_back(connection: Connection, transaction: asyncpg.transaction.Transaction, *, silent: bool) -> None:
    """`silent`: the session did not answer, so nothing more is asked of it."""
    if connection.is_closed():
        return
    if silent:
        connection.terminate()
        return
    try:
        async with available():
            await asyncio.shield(transaction.rollback())
    except (StoreUnavailable, asyncpg.PostgresError):
        connection.terminate()
