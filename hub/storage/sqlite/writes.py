"""Storing a write set: set-wise statements in one savepoint, hot tables first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hub.ports.store import (
    DocumentRow,
    DuplicateKey,
    FailureState,
    ListingRow,
    Micros,
    NewEffect,
    OrderRow,
    OutboxUpdate,
    StoreConflict,
    WriteSet,
)
from hub.storage.plan import (
    FELL,
    REST,
    Change,
    Loaded,
    changes,
    fell,
    guarded,
    inbox_results,
    last_of_each,
    level_updates,
    outward_success,
    own_changes,
    publishable,
    ranks,
)
from hub.storage.rows import document_values, json_text, order_from, order_values
from hub.storage.sqlite import parcels, trading
from hub.storage.sqlite import statements as sql
from hub.storage.sqlite.intake import insert_inputs
from hub.storage.sqlite.memo import Memo
from hub.storage.vault import Vault

_FLOW_EVERY: Micros = 1_000_000
"""The instant of an account's last success is kept to the second: one small write, not one per batch."""


class Writes:
    """One unit's writes on the writing connection.

    Args:
        held: Account of every claimed row, to date the account's last success.
    """

    def __init__(
        self, connection: sqlite3.Connection, now: Micros, memo: Memo, vault: Vault, held: Mapping[int, str]
    ) -> None:
        self._connection = connection
        self._many = connection.executemany
        self._now = now
        self._memo = memo
        self._vault = vault
        self._held = held

    def store(self, writes: WriteSet, loaded: Loaded) -> None:
        """Raises StoreConflict, DuplicateKey or the driver's error; the caller's savepoint undoes."""
        insert_inputs(self._connection, writes.inputs, self._now, self._memo, self._vault)
        self._inbox(writes)
        self._orders(writes.orders, loaded)
        self._documents(writes.documents)
        self._people(writes)
        made = self._post(writes)
        for listing in last_of_each(writes.listings, lambda row: (row.account, row.listing_id, row.location)):
            self.list_offer(listing)
        self._dirty(writes.dirty, loaded, made)
        for fields, rows in level_updates(writes.levels):
            self._many(sql.update_level(fields), rows)
        self._effects(writes.effects, writes.outbox)
        self._failures(writes)
        self._small(writes)
        trading.store(self._connection, writes, self._now, self._vault)
        parcels.store(self._connection, writes.books, writes.asked)
        self._audit(writes)

    # --- inbox, orders, documents, people ----------------------------------------------------

    def _inbox(self, writes: WriteSet) -> None:
        done, kept = inbox_results(writes.inbox)
        self._all("an input was settled before", sql.FINISH_INPUT, [(seq,) for seq in done])
        for row in kept:
            if row.if_parked:
                self._connection.execute(sql.CALL_UP, (row.seq, row.state.value, row.due_at, row.attempts))
                continue
            made = self._connection.execute(
                sql.KEEP_INPUT, (row.seq, row.state.value, row.due_at, row.attempts, self._now, row.crashes)
            )
            if made.rowcount != 1:
                raise StoreConflict(f"input {row.seq} is not there")
        accounts = {self._held[seq] for seq in done if seq in self._held}
        self._succeeded("inward", accounts, writes.lags)
        self._succeeded("outward", outward_success(writes), writes.lags)

    def _succeeded(self, side: str, accounts: set[str], lags: Mapping[tuple[str, str], Micros]) -> None:
        success = self._memo.success
        for account in accounts:
            # Success without a lag (an input known before) must not take the turn of one that has one.
            lag = lags.get((account, side))
            turn = (account, side if lag is None else f"{side}_lag")
            if abs(self._now - success.get(turn, 0)) >= _FLOW_EVERY:
                self._connection.execute(sql.PUT_FLOW[side], (account, self._now, lag))
                success[turn] = success[account, side] = self._now

    def _orders(self, orders: Sequence[OrderRow], loaded: Loaded) -> None:
        if not orders:
            return
        rows = guarded(orders, lambda row: (row.account, row.source_id), lambda row: row.rev)
        before = self._stored(rows, loaded)
        new = [order_values(row, 1) for row, rev in rows if rev == 0]
        changed = [(*order_values(row, rev + 1), row.account, row.source_id, rev) for row, rev in rows if rev]
        with _conflict("an order was there already"):
            self._many(sql.INSERT_ORDER, new)
        self._all("an order has moved", sql.UPDATE_ORDER, changed)
        self._unresolved(rows, before)
        self._many(sql.ADD_OWN, own_changes((row for row, _ in rows), before))

    def _stored(self, rows: Sequence[tuple[OrderRow, int]], loaded: Loaded) -> dict[tuple[str, str], OrderRow]:
        """What is being replaced: as read, or read now where the caller had it from elsewhere."""
        before = {}
        for row, rev in rows:
            key = (row.account, row.source_id)
            old = loaded.orders.get(key)
            if old is None and rev:
                found = self._connection.execute(sql.ORDERS, (json_text([key]),))
                old = next((order_from(values) for values in found), None)
            if old is not None:
                before[key] = old
        return before

    def _unresolved(self, rows: Sequence[tuple[OrderRow, int]], before: Mapping[tuple[str, str], OrderRow]) -> None:
        for row, _ in rows:
            old = before.get((row.account, row.source_id))
            if old is not None and old.unresolved and (old.unresolved != row.unresolved or old.id != row.id):
                self._connection.execute(sql.FORGET_UNRESOLVED, (old.id,))
            if row.unresolved:
                self._many(sql.INSERT_UNRESOLVED, [(row.account, name, row.id) for name in row.unresolved])

    def _documents(self, documents: Sequence[DocumentRow]) -> None:
        rows = guarded(documents, lambda row: (row.account, row.type, row.source_id), lambda row: row.rev)
        with _conflict("a document was there already"):
            self._many(sql.INSERT_DOCUMENT, [document_values(row, 1) for row, rev in rows if rev == 0])
        changed = [
            (*document_values(row, rev + 1), row.account, row.type, row.source_id, rev) for row, rev in rows if rev
        ]
        self._all("a document has moved", sql.UPDATE_DOCUMENT, changed)

    def _people(self, writes: WriteSet) -> None:
        rows = [
            (
                row.subject,
                row.account,
                *self._vault.seal_personal(row.subject, row.account, row.plain),
                row.delete_after,
                self._vault.name_of(row.account, row.buyer),
            )
            for row in last_of_each(writes.personal, lambda row: row.subject)
        ]
        self._many(sql.PUT_PERSONAL, rows)
        if writes.shredded or writes.forgotten_inputs or writes.forgotten_lanes:
            self._forget(writes)

    def _forget(self, writes: WriteSet) -> None:
        """What goes here is overwritten in the file at once, not only where that costs nothing."""
        self._connection.execute("PRAGMA secure_delete=ON")
        try:
            self._many(sql.SHRED, [(subject,) for subject in writes.shredded])
            self._many(sql.FORGET_INPUT, [(seq,) for seq in writes.forgotten_inputs])
            self._many(sql.FORGET_LANE, writes.forgotten_lanes)
            trading.forget(self._connection, writes.shredded, writes.forgotten_lanes)
        finally:
            self._connection.execute("PRAGMA secure_delete=FAST")

    # --- ledger and levels -------------------------------------------------------------------

    def _post(self, writes: WriteSet) -> list[Change]:
        if not writes.postings:
            return []
        now = self._now
        rows = [
            (p.event, p.sku, p.location, p.bucket.value, p.delta, p.reason, p.effective_at, now, p.reference, p.counted)
            for p in writes.postings
        ]
        with _duplicate("posting"):
            self._many(sql.INSERT_POSTING, rows)
        made = changes(writes.postings)
        self._many(sql.ADD_POSITION, made)
        return made

    def list_offer(self, listing: ListingRow) -> None:
        """Store a listing and keep its level: made, renamed, repointed or ended."""
        key = (listing.account, listing.listing_id, listing.location)
        fetch = self._connection.execute
        was = fetch(sql.LISTED_AS, key).fetchone()
        for name in {listing.channel_sku, *(was or ())}:
            self._memo.resolved.pop((listing.account, name), None)
        fetch(
            sql.PUT_LISTING,
            (*key, listing.channel_sku, listing.sku, listing.variant_id, listing.title, listing.state,
             listing.fulfilled_by),
        )  # fmt: skip
        if not publishable(listing):
            fetch(sql.END_LEVEL, key)
            return
        level = fetch(sql.LEVEL_OF, key).fetchone()
        shown = (listing.channel_sku, listing.sku, listing.variant_id)
        now = self._now
        if level is None:
            fetch(sql.INSERT_LEVEL, (*key, *shown, now, now, self._rank(str(listing.sku))))
        elif level[0] != listing.sku:
            fetch(sql.REPOINT_LEVEL, (*shown, now, now, self._rank(str(listing.sku)), *key))
        elif level[1:] != (listing.channel_sku, listing.variant_id):
            fetch(sql.RENAME_LEVEL, (listing.channel_sku, listing.variant_id, *key))

    def _rank(self, sku: str) -> int:
        return int(self._connection.execute(sql.RANK, (sku,)).fetchone()[0])

    def _dirty(self, dirty: Mapping[str, Micros], loaded: Loaded, made: Sequence[Change]) -> None:
        if not dirty:
            return
        known, unknown = ranks(dirty, loaded, made)
        fallen = fell(made) if unknown else set()
        for sku in unknown:
            parts = self._connection.execute(sql.KIT_PARTS, (json_text([sku]),)).fetchall()
            shrank = any(component in fallen for _, component, _ in parts or [(sku, sku, 1)])
            known[sku] = min(self._rank(sku), FELL if shrank else REST)
        rows = [(dirty[sku], self._now, known[sku], sku) for sku in sorted(dirty)]
        for statement in sql.DIRTY:
            self._many(statement, rows)

    # --- effects, failures, the rest ---------------------------------------------------------

    def _effects(self, effects: Sequence[NewEffect], updates: Sequence[OutboxUpdate]) -> None:
        rows = [
            (e.account, e.kind, e.key, e.idempotency_key, e.body, e.references, e.due_at, e.occurred_at, self._now,
             e.deadline_at)
            for e in effects
        ]  # fmt: skip
        with _duplicate("effect"):
            self._many(sql.INSERT_EFFECT, rows)
        changed = [(u.state.value, u.attempts, u.due_at, u.result, u.id) for u in updates]
        self._all("an effect is not there", sql.UPDATE_EFFECT, changed)

    def _failures(self, writes: WriteSet) -> None:
        now = self._now
        self._many(
            sql.PUT_FAILURE,
            [
                (f.account, f.kind, f.reference, f.error, f.code, f.path, f.message, f.fingerprint, f.attempts,
                 f.origin, now)
                for f in writes.failures
            ],
        )  # fmt: skip
        with _conflict("another failure of the same thing is open"):
            changed = [(FailureState(state).value, now, failure_id) for failure_id, state in writes.failure_states]
            self._all("a failure is not there", sql.SET_FAILURE, changed)
        self._many(sql.RESOLVE_FAILURE, [(now, *key) for key in writes.resolved_failures])

    def _small(self, writes: WriteSet) -> None:
        self._many(
            sql.INSERT_ATTEMPT,
            [
                (a.account, a.direction, a.kind, a.target, a.started_at, a.duration_us, a.outcome, a.code, a.status,
                 a.correlation_id, a.reference)
                for a in writes.attempts
            ],
        )  # fmt: skip
        self._many(
            sql.PUT_CURSOR,
            [(c.account, c.stream, c.cursor, c.watermark, c.updated_at, c.last_success_at) for c in writes.cursors],
        )
        self._many(
            sql.PUT_ACCOUNT, [(a.account, a.mode, a.held, a.circuit, a.detail, a.updated_at) for a in writes.accounts]
        )
        self._many(
            sql.PUT_API_TOKEN,
            [
                (t.id, t.sha256, t.role, t.label, t.created_at, t.expires_at, t.last_used_at, t.revoked_at)
                for t in writes.api_tokens
            ],
        )
        self._many(sql.PUT_REPLY, [(r.key, r.fingerprint, r.status, r.body, r.created_at) for r in writes.replies])

    def _audit(self, writes: WriteSet) -> None:
        if not writes.audit:
            return
        seq, mac = self._connection.execute(sql.LAST_AUDIT).fetchone() or (0, b"")
        rows = []
        for entry in writes.audit:
            seq += 1
            fields = (entry.actor, entry.action, entry.target, entry.detail)
            mac = self._vault.chain(mac, str(seq), str(self._now), *fields)
            rows.append((seq, self._now, *fields, mac))
        self._many(sql.INSERT_AUDIT, rows)
        self._connection.execute(sql.PUT_AUDIT_HEAD, (f"{seq}:{mac.hex()}",))

    def _all(self, problem: str, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run for every row and require that each found its target."""
        if rows and self._many(statement, rows).rowcount != len(rows):
            raise StoreConflict(problem)


@contextmanager
def _duplicate(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise DuplicateKey(f"{what} stored before: {error}") from error


@contextmanager
def _conflict(problem: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreConflict(f"{problem}: {error}") from error
