"""The store port on one SQLite file."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from connectors.sdk.ports import Clock
from hub.ports.store import (
    AccountRow,
    CursorRow,
    Decide,
    InboxItem,
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
from hub.storage.errors import FatalStoreError
from hub.storage.folders import sync_names
from hub.storage.instants import now_of
from hub.storage.sqlite import arriving, catalogue, intake, outward, reads, retention, trading
from hub.storage.sqlite import statements as sql
from hub.storage.sqlite.arrivals import Arrivals
from hub.storage.sqlite.checkpoints import Checkpoints
from hub.storage.sqlite.connection import open_checkpointer, open_reader, open_writer, translated
from hub.storage.sqlite.lock import FileLock
from hub.storage.sqlite.memo import Memo
from hub.storage.sqlite.writer import Writer
from hub.storage.sqlite.writes import Writes
from hub.storage.vault import Vault

T = TypeVar("T")

ROOM_MIN: Final = 8 * 1024 * 1024
"""Bytes free below which the hub calls itself not ready: about what one commit of a backlog writes."""


class SqliteStore:
    """Safe to call from many tasks of one event loop. `lock` is held until `close`."""

    def __init__(
        self, path: Path, vault: Vault, clock: Clock, lock: FileLock, on_fatal: Callable[[FatalStoreError], None]
    ) -> None:
        self._folder = path.parent
        self._vault = vault
        self._clock = clock
        self._lock = lock
        self._memo = Memo()
        self._held: dict[int, str] = {}
        self._bell = Bell()
        connection = open_writer(path)
        try:
            _admit(connection, vault)
            arriving.prepare(connection)
            _settle_names(path.parent)
            self._reading = open_reader(path)
            self._checkpoints = Checkpoints(open_checkpointer(path), on_fatal=on_fatal)
        except sqlite3.Error as error:
            connection.close()
            raise translated(error) from error
        except BaseException:
            connection.close()
            raise
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")
        self._writer = Writer(connection, on_rollback=self._memo.forget, on_fatal=on_fatal, beside=self._checkpoints)
        self._arrivals = Arrivals(self._writer, self._insert)

    # --- inbox -------------------------------------------------------------------------------

    async def receive(self, inputs: Sequence[NewInput]) -> Sequence[bool]:
        fresh = await self._arrivals.store(inputs)
        if any(fresh):
            self._bell.ring()
        return fresh

    def _insert(self, connection: sqlite3.Connection, inputs: Sequence[NewInput]) -> list[bool]:
        return intake.insert_inputs(connection, inputs, self._now(), self._memo, self._vault)

    async def received_digest(self, account: str, dedupe_key: str) -> str | None:
        row = await self._one("SELECT digest FROM inbox WHERE account = ? AND dedupe_key = ?", account, dedupe_key)
        return row[0] if row else None

    async def last_answer(self, account: str, ordering_key: str, topic: str) -> str | None:
        row = await self._one(
            "SELECT dedupe_key FROM inbox WHERE account = ? AND ordering_key = ? AND topic = ?"
            " AND origin <> 'webhook' ORDER BY seq DESC LIMIT 1",
            account, ordering_key, topic,
        )  # fmt: skip
        return row[0] if row else None

    async def claim_inbox(self, limit: int, *, accounts_excluded: Collection[str] = ()) -> Sequence[InboxItem]:
        now, memo, vault, excluded = self._now(), self._memo, self._vault, frozenset(accounts_excluded)
        # A claim is for telling who died holding it. A power cut undoes it, and with it nobody held anything.
        claimed = self._writer.submit(lambda db: intake.claim(db, limit, excluded, now, memo, vault), synced=False)
        items = await _or_undone(claimed, self._give_back)
        self._held.update((item.seq, item.account) for item in items)
        return items

    def _give_back(self, items: Sequence[InboxItem]) -> None:
        seqs = [item.seq for item in items]
        if seqs:
            _unheeded(self._writer.submit(lambda db: intake.release(db, seqs)))

    async def release(self, seqs: Sequence[int]) -> None:
        await self._writer.submit(lambda db: intake.release(db, seqs))
        for seq in seqs:
            self._held.pop(seq, None)
        self._bell.ring()

    # --- unit of work ------------------------------------------------------------------------

    async def run(self, reads: ReadSet, decide: Decide) -> WriteSet:
        writes = await self._writer.submit(partial(self._unit, reads, decide))
        for result in writes.inbox:
            if not result.if_parked:
                self._held.pop(result.seq, None)
        if writes.inputs or writes.dirty or writes.effects or writes.inbox or writes.listings:
            self._bell.ring()
        return writes

    def _unit(self, wanted: ReadSet, decide: Decide, connection: sqlite3.Connection) -> WriteSet:
        now = self._now()
        loaded = reads.load(connection, wanted, now, self._memo, self._vault)
        writes = decide(loaded.state)
        Writes(connection, now, self._memo, self._vault, self._held).store(writes, loaded)
        return writes

    async def settled(self) -> None:
        """Nothing to wait for: units run one after the other."""

    # --- outward -----------------------------------------------------------------------------

    async def dirty_levels(self, account: str, limit: int) -> Sequence[tuple[LevelRow, Sequence[Position]]]:
        now = self._now()
        return await self._read(lambda db: outward.dirty_levels(db, account, limit, now))

    async def levels_to_verify(self, account: str, limit: int, accepted_before: Micros) -> Sequence[LevelRow]:
        return await self._read(lambda db: outward.levels_to_verify(db, account, limit, accepted_before))

    async def pending_receipts(self, account: str) -> Sequence[tuple[str, Micros]]:
        return await self._read(lambda db: outward.pending_receipts(db, account))

    async def receipt_levels(self, account: str, receipt: str, limit: int) -> Sequence[LevelRow]:
        return await self._read(lambda db: outward.receipt_levels(db, account, receipt, limit))

    async def claim_effects(self, account: str, limit: int) -> Sequence[OutboxRow]:
        now = self._now()
        claimed = self._writer.submit(lambda db: outward.claim_effects(db, account, limit, now))
        return await _or_undone(claimed, self._unsend)

    def _unsend(self, rows: Sequence[OutboxRow]) -> None:
        ids = [(row.id,) for row in rows if row.state is OutboxState.SENDING]
        if ids:
            _unheeded(self._writer.submit(lambda db: db.executemany(sql.UNSEND_EFFECT, ids)))

    async def hold_account(self, account: str) -> bool:
        """One process owns the file, so it dispatches every account."""
        return bool(account)

    async def wait_for_work(self, timeout_s: float) -> bool:
        """True when something was stored since this task last asked; False after `timeout_s`."""
        return await self._bell.wait(timeout_s)

    async def file_content(self, file: str) -> bytes | None:
        return await self._read(lambda db: trading.content(db, file, self._vault))

    # --- accounts, tokens --------------------------------------------------------------------

    async def cursor(self, account: str, stream: str) -> CursorRow | None:
        row = await self._one(
            "SELECT account, stream, cursor, watermark, updated_at, last_success_at FROM cursors"
            " WHERE account = ? AND stream = ?",
            account, stream,
        )  # fmt: skip
        return CursorRow(*row) if row else None

    async def account(self, account: str) -> AccountRow | None:
        row = await self._one(
            "SELECT account, mode, held, circuit, detail, updated_at FROM accounts WHERE account = ?", account
        )
        return AccountRow(*row) if row else None

    async def load_token(self, account: str, name: str) -> str | None:
        row = await self._one("SELECT body FROM tokens WHERE account = ? AND name = ?", account, name)
        return self._vault.open_token(account, name, row[0]) if row else None

    async def save_token(self, account: str, name: str, value: str) -> None:
        row = (account, name, self._vault.seal_token(account, name, value), self._now())
        await self._writer.submit(
            lambda db: db.execute(
                "INSERT INTO tokens (account, name, body, updated_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (account, name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
                row,
            )
        )

    # --- catalogue, retention ----------------------------------------------------------------

    async def replace_catalogue(self, rows: Sequence[SkuRow], digest: str) -> bool:
        if await self._writer.submit(catalogue.digest) == digest:
            return False
        ordered = sorted({row.sku: row for row in rows}.values(), key=lambda row: row.sku.encode())
        after = ""
        for start in range(0, len(ordered), catalogue.STRETCH):
            stretch = ordered[start : start + catalogue.STRETCH]
            await self._writer.submit(partial(self._stretch, after, stretch))
            after = stretch[-1].sku
        while await self._writer.submit(lambda db: catalogue.drop_beyond(db, after, self._memo)):
            pass
        place: catalogue.ListingKey | None = ("", "", "")
        while place is not None:
            place = await self._writer.submit(partial(self._relist, place))
        await self._writer.submit(lambda db: catalogue.set_digest(db, digest))
        self._bell.ring()
        return True

    def _stretch(self, after: str, rows: Sequence[SkuRow], connection: sqlite3.Connection) -> None:
        catalogue.write_stretch(connection, after, rows, self._now(), self._memo)

    def _relist(self, after: catalogue.ListingKey, connection: sqlite3.Connection) -> catalogue.ListingKey | None:
        writes = Writes(connection, self._now(), self._memo, self._vault, self._held)
        return catalogue.resolve_listings(connection, after, writes)

    async def prune(
        self, *, payloads_before: Micros, attempts_before: Micros, personal_due: Micros
    ) -> Mapping[str, int]:
        counts = dict.fromkeys(("payloads", "personal", "files", "attempts", "replies"), 0)
        walk = retention.Payloads(payloads_before)
        while not walk.done:
            counts["payloads"] += await self._writer.submit(walk)
        await self._writer.submit(partial(self._shred_keys, payloads_before))
        steps = {
            "personal": retention.personal(personal_due),
            "files": retention.file_bodies(payloads_before),
            "attempts": retention.attempts(attempts_before),
            "replies": retention.replies(self._now() - retention.REPLIES_KEPT),
        }
        for name, step in steps.items():
            while gone := await self._writer.submit(step):
                counts[name] += gone
        self._writer.empty_log()
        return counts

    def _shred_keys(self, before: Micros, connection: sqlite3.Connection) -> None:
        retention.shred_payload_keys(connection, before)
        self._memo.forget()

    # --- the store itself --------------------------------------------------------------------

    async def healthy(self) -> bool:
        try:
            room = shutil.disk_usage(self._folder).free
        except OSError:
            # The folder or its disk is gone: nothing can be stored, and the next look may find it again.
            return False
        if room < ROOM_MIN:
            # The tiny write below might still fit where a webhook would not.
            return False
        now = str(self._now())
        try:
            await self._writer.submit(
                lambda db: db.execute(
                    "INSERT INTO meta (name, value) VALUES ('health', ?)"
                    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (now,),
                )
            )
        except (StoreUnavailable, FatalStoreError):
            return False
        return True

    async def close(self) -> None:
        if self._writer.running:
            _unheeded(self._writer.submit(lambda db: db.execute(sql.RELEASE_ALL)))
        # Readers first: the last connection to close is then the one that may checkpoint.
        self._reader.shutdown(wait=True)
        self._reading.close()
        await asyncio.to_thread(self._checkpoints.close)
        await self._writer.close()
        self._lock.release()

    def _now(self) -> Micros:
        return now_of(self._clock)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader, work, self._reading)
        except sqlite3.Error as error:
            raise translated(error) from error

    async def _one(self, statement: str, *values: str) -> Any:
        return await self._read(lambda db: db.execute(statement, values).fetchone())


def _admit(connection: sqlite3.Connection, vault: Vault) -> None:
    """Prove the key, and count a crash for every row the last process died holding."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()
        if row is None:
            connection.execute("INSERT INTO meta (name, value) VALUES ('key', ?)", (vault.proof(),))
        else:
            vault.require(row[0])
        for statement in sql.RECOVER:
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _settle_names(folder: Path) -> None:
    """Make the names of the database and its log durable.

    SQLite syncs the folder too, but passes over a failure: the log, and with it every commit, could
    be nameless after a power cut. Both files keep their names until the store closes.
    """
    try:
        sync_names(folder)
    except OSError as error:
        raise FatalStoreError(f"the disk did not confirm the names in {folder} ({error})") from error


async def _or_undone(claim: asyncio.Future[T], undo: Callable[[T], None]) -> T:
    """Await a claim; when the waiter is cancelled, what was claimed meanwhile is given back."""
    try:
        return await asyncio.shield(claim)
    except asyncio.CancelledError:

        def settled(future: asyncio.Future[T]) -> None:
            if not future.cancelled() and future.exception() is None:
                undo(future.result())

        claim.add_done_callback(settled)
        raise


def _unheeded(future: asyncio.Future[Any]) -> None:
    """Nobody waits for this one; its error is only marked as seen."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
