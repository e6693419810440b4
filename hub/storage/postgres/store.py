"""The store port on PostgreSQL, one instance per hub process, many processes per database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import asyncpg

from connectors.sdk.ports import Clock
from hub.ports.store import (
    AccountRow,
    CursorRow,
    Decide,
    InboxItem,
    InboxState,
    LevelRow,
    Micros,
    NewInput,
    OutboxRow,
    OutboxState,
    Position,
    ReadSet,
    SkuRow,
    StoreUnavailable,
    WriteSet,
)
from hub.storage.bell import Bell
from hub.storage.instants import SECOND, now_of
from hub.storage.place import PostgresPlace
from hub.storage.plan import outward_success
from hub.storage.postgres import catalogue, claims, outward, retention, trading
from hub.storage.postgres.connection import Connection, Pool, PostgresSettings, available, fetch, first, open_pool
from hub.storage.postgres.intake import Intake
from hub.storage.postgres.keys import PayloadKeys
from hub.storage.postgres.presence import Presence
from hub.storage.postgres.units import Units
from hub.storage.vault import Vault

T = TypeVar("T")
_FLOW_EVERY: Final[Micros] = SECOND
"""The instant of an account's last success is kept to the second, in a small statement after the unit."""
_PUT_META: Final = (
    "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class PostgresStore:
    """Safe to call from many tasks of one event loop. Made by `open_postgres`."""

    def __init__(
        self, pool: Pool, place: PostgresPlace, settings: PostgresSettings, vault: Vault, clock: Clock
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._clock = clock
        self._keys = PayloadKeys(pool, vault)
        self._intake = Intake(pool, self._keys)
        self._units = Units(pool, vault, self._keys)
        self._bell = Bell()
        self._presence = Presence(place, settings, self._bell, self._let_go)
        self._claiming = asyncio.Lock()
        self._held: dict[int, str] = {}
        self._sending: set[int] = set()
        self._strays = False
        self._success: dict[tuple[str, str], Micros] = {}

    async def start(self) -> None:
        await self._presence.start()

    # --- inbox -------------------------------------------------------------------------------

    async def receive(self, inputs: Sequence[NewInput]) -> Sequence[bool]:
        fresh = await self._intake.store(inputs, self._now()) if inputs else []
        if any(fresh):
            self._presence.ring()
        return fresh

    async def received_digest(self, account: str, dedupe_key: str) -> str | None:
        row = await first(
            self._pool, "SELECT digest FROM inbox WHERE account = $1 AND dedupe_key = $2", account, dedupe_key
        )
        return row[0] if row else None

    async def last_answer(self, account: str, ordering_key: str, topic: str) -> str | None:
        row = await first(
            self._pool,
            "SELECT dedupe_key FROM inbox WHERE account = $1 AND ordering_key = $2 AND topic = $3"
            " AND origin <> 'webhook' ORDER BY seq DESC LIMIT 1",
            account, ordering_key, topic,
        )  # fmt: skip
        return row[0] if row else None

    async def claim_inbox(self, limit: int, *, accounts_excluded: Collection[str] = ()) -> Sequence[InboxItem]:
        claimed = asyncio.ensure_future(self._claim_inbox(limit, frozenset(accounts_excluded)))
        return await _or_undone(claimed, self._give_back)

    async def _claim_inbox(self, limit: int, excluded: frozenset[str]) -> Sequence[InboxItem]:
        async with self._claiming:
            await self._drop_strays()
            fence = self._presence.fence
            try:
                items = await claims.claim_inbox(self._pool, fence, limit, excluded, self._now(), self._keys)
            except BaseException:
                self._strays = True
                raise
            if fence != self._presence.fence:
                # Taken for dead while asking: these rows are, or with a heartbeat will be, somebody else's.
                return []
            self._held.update((item.seq, item.account) for item in items)
            return items

    async def _give_back(self, items: Sequence[InboxItem]) -> None:
        if items:
            await self.release([item.seq for item in items])

    async def release(self, seqs: Sequence[int]) -> None:
        await claims.release(self._pool, self._presence.fence, seqs)
        for seq in seqs:
            self._held.pop(seq, None)
        self._presence.ring()

    async def _drop_strays(self) -> None:
        if self._strays:
            await claims.drop_strays(self._pool, self._presence.fence, tuple(self._held), tuple(self._sending))
            self._strays = False

    def _let_go(self) -> None:
        """The fence changed: whatever was claimed under the old one cannot be settled any more."""
        self._held.clear()
        self._sending.clear()

    # --- unit of work ------------------------------------------------------------------------

    async def run(self, reads: ReadSet, decide: Decide) -> WriteSet:
        writes = await self._units.run(reads, decide, self._now(), self._presence.fence)
        settled = {self._held.pop(one.seq, None): one.state for one in writes.inbox if not one.if_parked}
        inward = {account for account, state in settled.items() if account and state is InboxState.DONE}
        self._sending.difference_update(update.id for update in writes.outbox)
        await self._date_success("inward", inward, writes.lags)
        await self._date_success("outward", outward_success(writes), writes.lags)
        if writes.inputs or writes.dirty or writes.effects or writes.inbox or writes.listings:
            self._presence.ring()
        return writes

    async def _date_success(self, side: str, accounts: Collection[str], lags: Mapping[tuple[str, str], Micros]) -> None:
        now = self._now()
        # Success without a lag (an input known before) must not take the turn of one that has one.
        turns = {name: (name, f"{side}_lag" if (name, side) in lags else side) for name in accounts}
        due = sorted(name for name, turn in turns.items() if abs(now - self._success.get(turn, 0)) >= _FLOW_EVERY)
        if not due:
            return
        for name in due:
            self._success[turns[name]] = self._success[name, side] = now
        try:
            await fetch(
                self._pool,
                f"INSERT INTO flows (account, {side}_at, {side}_lag) SELECT name, $3::bigint, lag"  # noqa: S608 - `side` is one of two words of ours
                " FROM unnest($1::text[], $2::bigint[]) AS d (name, lag)"
                f" ON CONFLICT (account) DO UPDATE SET {side}_at = greatest(flows.{side}_at, excluded.{side}_at),"
                f" {side}_lag = coalesce(excluded.{side}_lag, flows.{side}_lag)",
                due, [lags.get((name, side)) for name in due], now,
            )  # fmt: skip
        except (StoreUnavailable, asyncpg.PostgresError):
            # The unit is stored; a date that is a second late is no reason to fail it.
            self._success.clear()

    async def settled(self) -> None:
        await self._units.settled()

    # --- outward -----------------------------------------------------------------------------

    async def dirty_levels(self, account: str, limit: int) -> Sequence[tuple[LevelRow, Sequence[Position]]]:
        return await outward.dirty_levels(self._pool, account, limit, self._now())

    async def levels_to_verify(self, account: str, limit: int, accepted_before: Micros) -> Sequence[LevelRow]:
        return await outward.levels_to_verify(self._pool, account, limit, accepted_before)

    async def pending_receipts(self, account: str) -> Sequence[tuple[str, Micros]]:
        return await outward.pending_receipts(self._pool, account)

    async def receipt_levels(self, account: str, receipt: str, limit: int) -> Sequence[LevelRow]:
        return await outward.receipt_levels(self._pool, account, receipt, limit)

    async def claim_effects(self, account: str, limit: int) -> Sequence[OutboxRow]:
        claimed = asyncio.ensure_future(self._claim_effects(account, limit))
        return await _or_undone(claimed, self._unsend)

    async def _claim_effects(self, account: str, limit: int) -> Sequence[OutboxRow]:
        async with self._claiming:
            await self._drop_strays()
            try:
                rows = await claims.claim_effects(self._pool, self._presence.fence, account, limit, self._now())
            except BaseException:
                self._strays = True
                raise
            self._sending.update(row.id for row in rows if row.state is OutboxState.SENDING)
            return rows

    async def _unsend(self, rows: Sequence[OutboxRow]) -> None:
        ids = [row.id for row in rows if row.state is OutboxState.SENDING]
        if ids:
            await claims.unsend(self._pool, self._presence.fence, ids)
            self._sending.difference_update(ids)

    async def hold_account(self, account: str) -> bool:
        """True while this process alone may dispatch for the account; ask before every round."""
        return await self._presence.hold(account)

    async def wait_for_work(self, timeout_s: float) -> bool:
        """True when something was stored, here or by another process, since this task last asked."""
        return await self._bell.wait(timeout_s)

    # --- accounts, tokens --------------------------------------------------------------------

    async def file_content(self, file: str) -> bytes | None:
        async with available():
            return await trading.content(self._pool, file, self._vault)

    async def cursor(self, account: str, stream: str) -> CursorRow | None:
        row = await first(
            self._pool,
            "SELECT account, stream, cursor, watermark, updated_at, last_success_at FROM cursors"
            " WHERE account = $1 AND stream = $2",
            account, stream,
        )  # fmt: skip
        return CursorRow(*row) if row else None

    async def account(self, account: str) -> AccountRow | None:
        row = await first(
            self._pool,
            "SELECT account, mode, held, circuit, detail, updated_at FROM accounts WHERE account = $1",
            account,
        )
        return AccountRow(*row) if row else None

    async def load_token(self, account: str, name: str) -> str | None:
        row = await first(self._pool, "SELECT body FROM tokens WHERE account = $1 AND name = $2", account, name)
        return self._vault.open_token(account, name, row[0]) if row else None

    async def save_token(self, account: str, name: str, value: str) -> None:
        await fetch(
            self._pool,
            "INSERT INTO tokens (account, name, body, updated_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (account, name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
            account, name, self._vault.seal_token(account, name, value), self._now(),
        )  # fmt: skip

    # --- catalogue, retention ----------------------------------------------------------------

    async def replace_catalogue(self, rows: Sequence[SkuRow], digest: str) -> bool:
        if await self._digest() == digest:
            return False
        ordered = sorted({row.sku: row for row in rows}.values(), key=lambda row: row.sku.encode())
        after = ""
        for start in range(0, len(ordered), catalogue.STRETCH):
            stretch, before = ordered[start : start + catalogue.STRETCH], after
            await self._loading(partial(catalogue.write_stretch, after=before, rows=stretch, now=self._now()))
            after = stretch[-1].sku
        while await self._loading(partial(catalogue.drop_beyond, after=after)):
            pass
        place: catalogue.ListingKey | None = ("", "", "")
        while place is not None:
            place = await self._loading(partial(catalogue.resolve_listings, after=place, now=self._now()))
        await fetch(self._pool, _PUT_META, "catalogue", digest)
        # Orders decided by the catalogue as it was are there to be judged again.
        await self.settled()
        self._presence.ring()
        return True

    async def _digest(self) -> str:
        row = await first(self._pool, "SELECT value FROM meta WHERE name = 'catalogue'")
        return row[0] if row else ""

    async def _loading(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """One stretch in a transaction of its own; two processes loading at once take turns."""
        async with available(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", catalogue.LOCK)
            return await work(connection)

    async def prune(
        self, *, payloads_before: Micros, attempts_before: Micros, personal_due: Micros
    ) -> Mapping[str, int]:
        counts = await retention.prune(
            self._pool, self._now(), payloads_before=payloads_before, attempts_before=attempts_before,
            personal_due=personal_due,
        )  # fmt: skip
        self._keys.forget()
        return counts

    # --- the store itself --------------------------------------------------------------------

    async def healthy(self) -> bool:
        try:
            await fetch(self._pool, _PUT_META, "health", str(self._now()))
        except (StoreUnavailable, asyncpg.PostgresError):
            return False
        return True

    async def close(self) -> None:
        await self._intake.close()
        await self._presence.close()
        try:
            await asyncio.wait_for(self._pool.close(), timeout=10)
        except TimeoutError:
            self._pool.terminate()

    def _now(self) -> Micros:
        return now_of(self._clock)


async def open_postgres(place: PostgresPlace, vault: Vault, clock: Clock, settings: PostgresSettings) -> PostgresStore:
    """Connect, prove the key, take a lease.

    Raises:
        WrongKey: Sealed with another key.
        StorageError: The server cannot be used.
    """
    pool = await open_pool(place, settings)
    try:
        await fetch(pool, "INSERT INTO meta (name, value) VALUES ('key', $1) ON CONFLICT DO NOTHING", vault.proof())
        vault.require(await pool.fetchval("SELECT value FROM meta WHERE name = 'key'"))
        store = PostgresStore(pool, place, settings, vault, clock)
        await store.start()
    except BaseException:
        await pool.close()
        raise
    return store


async def _or_undone(claim: asyncio.Future[T], undo: Callable[[T], Awaitable[None]]) -> T:
    """Await a claim; when the waiter is cancelled, what was claimed meanwhile is given back first."""
    try:
        return await asyncio.shield(claim)
    except asyncio.CancelledError:
        try:
            found = await claim
        except (StoreUnavailable, asyncpg.PostgresError):
            raise asyncio.CancelledError from None
        await undo(found)
        raise
