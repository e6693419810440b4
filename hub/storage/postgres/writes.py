"""Storing a write set: as a rule one statement of many parts, sorted by key.

Rows of one table that a later part would touch again (a listing's new level and its dirtying)
travel in a statement after it, still in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.ports.store import (
    DocumentRow,
    FailureState,
    InboxResult,
    ListingRow,
    Micros,
    NewEffect,
    OrderRow,
    OutboxUpdate,
    StoreConflict,
    WriteSet,
)
from hub.storage import tables as t
from hub.storage.plan import (
    REST,
    Change,
    Loaded,
    changes,
    guarded,
    inbox_results,
    last_of_each,
    own_changes,
    ranks,
)
from hub.storage.postgres import listings, outward, parcels, trading
from hub.storage.postgres.connection import Connection
from hub.storage.postgres.intake import insert_inputs
from hub.storage.postgres.keys import PayloadKeys
from hub.storage.postgres.reads import glance, load_orders
from hub.storage.postgres.sets import Batch, insert, replace_on, types_of
from hub.storage.rows import DOCUMENT, ORDER, document_values, order_values
from hub.storage.vault import Vault

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

_POSTING: Final = (
    "event", "sku", "location", "bucket", "delta", "reason", "effective_at", "recorded_at", "reference", "counted",
)  # fmt: skip
_CHANGE: Final = ("sku", "location", "on_hand", "reserved", "incoming", "quarantine", "counted_at")
_EFFECT: Final = (
    "account", "kind", "key", "idempotency_key", "body", "refs", "state", "attempts", "due_at", "occurred_at",
    "created_at", "deadline_at",
)  # fmt: skip
_FAILURE: Final = (
    "account", "kind", "reference", "error", "code", "path", "message", "fingerprint", "attempts", "origin", "state",
    "created_at", "updated_at", "replays",
)  # fmt: skip
_ATTEMPT: Final = (
    "account", "direction", "kind", "target", "started_at", "duration_us", "outcome", "code", "status",
    "correlation_id", "reference",
)  # fmt: skip
_CURSOR: Final = ("account", "stream", "cursor", "watermark", "updated_at", "last_success_at")
_ACCOUNT: Final = ("account", "mode", "held", "circuit", "detail", "updated_at")
_API_TOKEN: Final = ("id", "sha256", "role", "label", "created_at", "expires_at", "last_used_at", "revoked_at")
_REPLY: Final = ("key", "fingerprint", "status", "body", "created_at")
_PERSONAL: Final = ("subject", "account", "wrapped", "body", "delete_after", "buyer")
_AUDIT: Final = ("seq", "at", "actor", "action", "target", "detail", "mac")
_AUDIT_LOCK: Final = 0x617564697400
_OVER: Final = "o.state = 'done' OR (o.state = 'cancelled' AND d.state <> 'done')"
"""Of an effect: what comes late to it changes nothing any more."""


class FencedOff(StoreConflict):
    """Another process owns what this unit settles, or settled it: redoing it cannot help."""


class Writes:
    """One unit's writes in the caller's transaction. `fence` is this process's number among claims."""

    def __init__(self, connection: Connection, now: Micros, vault: Vault, keys: PayloadKeys, fence: int) -> None:
        self._connection = connection
        self._now = now
        self._vault = vault
        self._keys = keys
        self._fence = fence
        self._batch = Batch()
        self._expected: dict[str, tuple[int, StoreConflict]] = {}
        self.xid: str | None = None
        """the transaction's number; None while only the rare parts wrote, or nothing"""

    async def store(self, writes: WriteSet, loaded: Loaded) -> None:
        """Raises StoreConflict or the driver's error; the caller's transaction undoes."""
        await insert_inputs(self._connection, writes.inputs, self._now, self._keys)
        self._inbox(writes.inbox)
        await self._orders(writes.orders, loaded)
        self._documents(writes.documents)
        self._people(writes)
        made = self._post(writes, loaded)
        if not writes.listings:
            await self._dirty(writes.dirty, loaded, made)
        self._effects(writes.effects, writes.outbox)
        self._failures(writes)
        self._small(writes)
        self._expected |= trading.gather(self._batch, writes, self._now, self._vault)
        await self._send()
        if writes.shredded or writes.forgotten_inputs or writes.forgotten_lanes:
            await self._forget(writes)
        if writes.listings:
            await self._list(writes.listings)
            await self._dirty(writes.dirty, loaded, made)
            await self._send()
        await outward.update_levels(self._connection, writes.levels)
        if writes.books or writes.asked:
            await parcels.store(self._connection, writes.books, writes.asked)
        if writes.audit:
            await self._audit(writes)

    async def _send(self) -> None:
        """Run what has gathered and require that every guarded row was found."""
        if not self._batch:
            return
        row = await self._connection.fetchrow(self._batch.text(), *self._batch.arguments)
        self.xid = row["xid"] if row else None
        for name, (wanted, problem) in self._expected.items():
            if row is None or row[name] != wanted:
                raise problem
        self._batch = Batch()
        self._expected = {}

    def _require(self, name: str, statement: str, count: int, problem: StoreConflict) -> None:
        self._batch.count(name, f"{statement} RETURNING 1")
        self._expected[name] = (count, problem)

    # --- inbox -------------------------------------------------------------------------------

    def _inbox(self, results: Sequence[InboxResult]) -> None:
        done, rest = inbox_results(results)
        kept = [row for row in rest if not row.if_parked]
        if called := [row for row in rest if row.if_parked]:
            self._call_up(called)
        if not (done or kept):
            return
        mine = f"(w.holder IS NULL OR w.holder = {self._batch.value(self._fence, 'bigint')})"
        if done:
            seqs = self._batch.value(done, "bigint[]")
            self._require(
                "done",
                f"DELETE FROM inbox_work w WHERE w.seq = ANY({seqs}) AND {mine}",
                len(done),
                FencedOff("an input was settled by another process"),
            )
        if kept:
            self._keep(kept, mine)

    def _keep(self, kept: Sequence[InboxResult], mine: str) -> None:
        names = ("seq", "state", "due_at", "attempts", "crashes")
        rows = [(row.seq, row.state.value, row.due_at, row.attempts, row.crashes) for row in kept]
        source = self._batch.rows(names, types_of(t.inbox_work, names), rows)
        now = self._batch.value(self._now, "bigint")
        self._batch.add("given", f"SELECT * FROM {source}")
        self._batch.add(
            "put_back",
            "UPDATE inbox_work w SET state = d.state, due_at = coalesce(d.due_at, w.due_at), holder = NULL,"
            " attempts = coalesce(d.attempts, w.attempts),"
            " crashes = coalesce(d.crashes, CASE WHEN w.state = 'pending' THEN w.crashes ELSE 0 END)"
            f" FROM given d WHERE w.seq = d.seq AND {mine} RETURNING 1",
        )
        self._batch.add(
            "taken_up",
            "INSERT INTO inbox_work (seq, account, ordering_key, state, due_at, received_at, attempts, crashes)"
            f" SELECT i.seq, i.account, i.ordering_key, d.state, coalesce(d.due_at, {now}), i.received_at,"
            " coalesce(d.attempts, 0), coalesce(d.crashes, 0) FROM given d JOIN inbox i ON i.seq = d.seq"
            " WHERE NOT EXISTS (SELECT 1 FROM inbox_work w WHERE w.seq = d.seq) ON CONFLICT DO NOTHING RETURNING 1",
        )
        self._batch.count("kept", "SELECT 1 FROM put_back UNION ALL SELECT 1 FROM taken_up")
        self._expected["kept"] = (len(kept), FencedOff("an input is not there, or another process holds it"))

    def _call_up(self, called: Sequence[InboxResult]) -> None:
        names = ("seq", "state", "due_at", "attempts")
        rows = [(row.seq, row.state.value, row.due_at, row.attempts) for row in called]
        source = self._batch.rows(names, types_of(t.inbox_work, names), rows)
        self._batch.add(
            "called_up",
            "UPDATE inbox_work w SET state = d.state, due_at = coalesce(d.due_at, w.due_at),"
            f" attempts = coalesce(d.attempts, w.attempts), crashes = 0 FROM {source}"
            " WHERE w.seq = d.seq AND w.state = 'failed'",
        )

    # --- orders, documents, people -----------------------------------------------------------

    async def _orders(self, orders: Sequence[OrderRow], loaded: Loaded) -> None:
        if not orders:
            return
        rows = guarded(orders, lambda row: (row.account, row.source_id), lambda row: row.rev)
        before = {
            (row.account, row.source_id): loaded.orders[row.account, row.source_id]
            for row, _ in rows
            if (row.account, row.source_id) in loaded.orders
        }
        unread = [
            (row.account, row.source_id) for row, rev in rows if rev and (row.account, row.source_id) not in before
        ]
        before |= {(row.account, row.source_id): row for row in await load_orders(self._connection, unread)}
        new = [order_values(row, 1) for row, rev in rows if rev == 0]
        changed = [order_values(row, rev + 1) for row, rev in rows if rev]
        if new:
            statement = insert(self._batch, t.orders, ORDER, new, tail=" ON CONFLICT DO NOTHING")
            self._require("orders_new", statement, len(new), StoreConflict("an order was there already"))
        if changed:
            source = self._batch.rows(ORDER, types_of(t.orders, ORDER), changed)
            self._require(
                "orders_changed",
                f"UPDATE orders o SET {_sets(ORDER)} FROM {source}"
                " WHERE o.account = d.account AND o.source_id = d.source_id AND o.rev = d.rev - 1",
                len(changed),
                StoreConflict("an order has moved"),
            )
        await self._unresolved(rows, before)
        if own := own_changes((row for row, _ in rows), before):
            tail = " ON CONFLICT (account, sku, location) DO UPDATE SET units = own_reserved.units + excluded.units"
            names = ("account", "sku", "location", "units")
            self._batch.add("own", insert(self._batch, t.own_reserved, names, own, tail=tail))

    async def _unresolved(
        self, rows: Sequence[tuple[OrderRow, int]], before: Mapping[tuple[str, str], OrderRow]
    ) -> None:
        old = [before.get((row.account, row.source_id)) for row, _ in rows]
        stale = [
            was.id
            for (row, _), was in zip(rows, old, strict=True)
            if was is not None and was.unresolved and (was.unresolved != row.unresolved or was.id != row.id)
        ]
        if stale:
            await self._connection.execute("DELETE FROM order_unresolved WHERE order_id = ANY($1::text[])", stale)
        named = sorted({(row.account, name, row.id) for row, _ in rows for name in row.unresolved})
        if named:
            names = ("account", "channel_sku", "order_id")
            tail = " ON CONFLICT DO NOTHING"
            self._batch.add("unresolved", insert(self._batch, t.order_unresolved, names, named, tail=tail))

    def _documents(self, documents: Sequence[DocumentRow]) -> None:
        rows = guarded(documents, lambda row: (row.account, row.type, row.source_id), lambda row: row.rev)
        if new := [document_values(row, 1) for row, rev in rows if rev == 0]:
            statement = insert(self._batch, t.documents, DOCUMENT, new, tail=" ON CONFLICT DO NOTHING")
            self._require("documents_new", statement, len(new), StoreConflict("a document was there already"))
        if changed := [document_values(row, rev + 1) for row, rev in rows if rev]:
            source = self._batch.rows(DOCUMENT, types_of(t.documents, DOCUMENT), changed)
            self._require(
                "documents_changed",
                f"UPDATE documents o SET {_sets(DOCUMENT)} FROM {source} WHERE o.account = d.account"
                " AND o.type = d.type AND o.source_id = d.source_id AND o.rev = d.rev - 1",
                len(changed),
                StoreConflict("a document has moved"),
            )

    def _people(self, writes: WriteSet) -> None:
        gone = set(writes.shredded)
        rows = [
            (
                row.subject,
                row.account,
                *self._vault.seal_personal(row.subject, row.account, row.plain),
                row.delete_after,
                self._vault.name_of(row.account, row.buyer),
            )
            for row in last_of_each(writes.personal, lambda row: row.subject)
            if row.subject not in gone
        ]
        if rows:
            tail = replace_on(("subject",), _PERSONAL)
            self._batch.add("people", insert(self._batch, t.personal, _PERSONAL, rows, tail=tail))
        if gone:
            subjects = self._batch.value(sorted(gone), "text[]")
            self._batch.add("shredded", f"DELETE FROM personal WHERE subject = ANY({subjects})")

    async def _forget(self, writes: WriteSet) -> None:
        """After the inbox was settled, so that what this very unit finished counts as finished."""
        accounts, lanes = zip(*writes.forgotten_lanes, strict=True) if writes.forgotten_lanes else ((), ())
        await self._connection.execute(
            "DELETE FROM payloads p WHERE (p.seq = ANY($1::bigint[]) OR p.seq IN (SELECT i.seq FROM inbox i"
            " JOIN unnest($2::text[], $3::text[]) AS d (account, lane)"
            " ON i.account = d.account AND i.ordering_key = d.lane))"
            " AND NOT EXISTS (SELECT 1 FROM inbox_work w WHERE w.seq = p.seq AND w.state = 'pending')",
            writes.forgotten_inputs, list(accounts), list(lanes),
        )  # fmt: skip
        await trading.forget(self._connection, writes.shredded, writes.forgotten_lanes)

    # --- ledger and levels -------------------------------------------------------------------

    def _post(self, writes: WriteSet, loaded: Loaded) -> list[Change]:
        if not writes.postings:
            return []
        now = self._now
        rows = [
            (p.event, p.sku, p.location, p.bucket.value, p.delta, p.reason, p.effective_at, now, p.reference,
             int(p.counted))
            for p in writes.postings
        ]  # fmt: skip
        self._batch.add("posted", insert(self._batch, t.postings, _POSTING, rows))
        made = changes(writes.postings)
        absent = [row for row in made if row.sku in loaded.skus and (row.sku, row.location) not in loaded.positions]
        there = [row for row in made if row.sku not in loaded.skus or (row.sku, row.location) in loaded.positions]
        if absent:
            # Decided on the ground that there was none: one made meanwhile is a conflict.
            statement = self._positions(absent, " ON CONFLICT DO NOTHING")
            self._require("positions_new", statement, len(absent), StoreConflict("a position was made meanwhile"))
        if there:
            self._batch.add("positions_moved", self._positions(there, _ADD))
        return made

    def _positions(self, made: Sequence[Change], tail: str) -> str:
        source = self._batch.rows(_CHANGE, types_of(t.positions, _CHANGE), made)
        listed = ", ".join(_CHANGE)
        return f"INSERT INTO positions ({listed}, version) SELECT {listed}, 1 FROM {source}{tail}"

    async def _dirty(self, dirty: Mapping[str, Micros], loaded: Loaded, made: Sequence[Change]) -> None:
        if not dirty:
            return
        known, unknown = ranks(dirty, loaded, made)
        if unknown:
            await glance(self._connection, loaded, unknown)
            known, unknown = ranks(dirty, loaded, made)
        rows = [(sku, dirty[sku], known.get(sku, REST)) for sku in sorted(dirty)]
        source = self._batch.rows(("sku", "at", "rank"), ("text", "bigint", "smallint"), rows)
        now = self._batch.value(self._now, "bigint")
        self._batch.add(
            "dirtied",
            "UPDATE levels l SET dirty_seq = greatest(l.dirty_seq, l.sent_seq) + 1, dirty = 1,"
            " rank = CASE WHEN l.dirty = 1 AND l.rank < d.rank THEN l.rank ELSE d.rank END,"
            f" due_at = {now}, dirty_at = CASE WHEN l.dirty = 1 AND l.dirty_at < d.at"
            f" THEN l.dirty_at ELSE d.at END FROM {source} WHERE l.sku = d.sku",
        )

    async def _list(self, rows: Sequence[ListingRow]) -> None:
        latest = last_of_each(rows, lambda row: (row.account, row.listing_id, row.location))
        await listings.store(self._connection, latest, self._now)

    # --- effects, failures, the rest ---------------------------------------------------------

    def _effects(self, effects: Sequence[NewEffect], updates: Sequence[OutboxUpdate]) -> None:
        rows = [
            (e.account, e.kind, e.key, e.idempotency_key, e.body, e.references, "pending", 0, e.due_at, e.occurred_at,
             self._now, e.deadline_at)
            for e in effects
        ]  # fmt: skip
        if rows:
            self._batch.add("effects", insert(self._batch, t.outbox, _EFFECT, rows))
        latest = last_of_each(updates, lambda row: row.id)
        if latest:
            names = ("id", "state", "attempts", "due_at", "result")
            changed = [(u.id, u.state.value, u.attempts, u.due_at, u.result) for u in latest]
            source = self._batch.rows(names, types_of(t.outbox, names), changed)
            self._require(
                "effects_moved",
                f"UPDATE outbox o SET state = CASE WHEN {_OVER} THEN o.state ELSE d.state END,"
                f" attempts = CASE WHEN {_OVER} THEN o.attempts ELSE d.attempts END,"
                " due_at = coalesce(d.due_at, o.due_at),"
                f" result = coalesce(d.result, o.result), holder = NULL, sending_since = NULL FROM {source}"
                " WHERE o.id = d.id",
                len(latest),
                StoreConflict("an effect is not there"),
            )

    def _failures(self, writes: WriteSet) -> None:
        now = self._now
        rows = [
            (f.account, f.kind, f.reference, f.error, f.code, f.path, f.message, f.fingerprint, f.attempts, f.origin,
             "open", now, now, 0)
            for f in last_of_each(writes.failures, lambda f: (f.account, f.kind, f.reference))
        ]  # fmt: skip
        if rows:
            kept = ("account", "kind", "reference", "state", "created_at", "replays")
            sets = ", ".join(f"{name} = excluded.{name}" for name in _FAILURE if name not in kept)
            tail = f" ON CONFLICT (account, kind, reference) WHERE state = 'open' DO UPDATE SET {sets}"
            self._batch.add("parked", insert(self._batch, t.failures, _FAILURE, rows, tail=tail))
        opened = {row[:3] for row in rows}
        states = dict(writes.failure_states)
        if states:
            changed = [(id_, FailureState(states[id_]).value) for id_ in sorted(states)]
            source = self._batch.rows(("id", "state"), ("bigint", "text"), changed)
            at = self._batch.value(now, "bigint")
            self._require(
                "failures_moved",
                f"UPDATE failures f SET state = d.state, updated_at = {at},"
                f" replays = f.replays + (d.state = 'replayed')::int FROM {source} WHERE f.id = d.id",
                len(states),
                StoreConflict("a failure is not there"),
            )
        if over := [key for key in writes.resolved_failures if key not in opened]:
            self._resolve(over, states)

    def _resolve(self, over: Sequence[tuple[str, str, str]], moved: Mapping[int, FailureState]) -> None:
        source = self._batch.rows(("account", "kind", "reference"), ("text", "text", "text"), sorted(set(over)))
        at = self._batch.value(self._now, "bigint")
        others = self._batch.value(sorted(moved), "bigint[]")
        self._batch.add(
            "failures_over",
            f"UPDATE failures f SET state = 'resolved', updated_at = {at} FROM {source} WHERE f.state = 'open'"
            " AND f.account = d.account AND f.kind = d.kind AND f.reference = d.reference"
            f" AND NOT (f.id = ANY({others}))",
        )

    def _small(self, writes: WriteSet) -> None:
        attempts = [
            (a.account, a.direction, a.kind, a.target, a.started_at, a.duration_us, a.outcome, a.code, a.status,
             a.correlation_id, a.reference)
            for a in writes.attempts
        ]  # fmt: skip
        if attempts:
            self._batch.add("attempted", insert(self._batch, t.attempts, _ATTEMPT, attempts))
        cursors = [_values(row, _CURSOR) for row in last_of_each(writes.cursors, lambda c: (c.account, c.stream))]
        accounts = [_values(row, _ACCOUNT) for row in last_of_each(writes.accounts, lambda a: a.account)]
        tokens = [_values(row, _API_TOKEN) for row in last_of_each(writes.api_tokens, lambda token: token.id)]
        replies = [_values(row, _REPLY) for row in last_of_each(writes.replies, lambda reply: reply.key)]
        for name, table, names, keys, rows in (
            ("cursors_put", t.cursors, _CURSOR, ("account", "stream"), cursors),
            ("accounts_put", t.accounts, _ACCOUNT, ("account",), accounts),
            ("tokens_put", t.api_tokens, _API_TOKEN, ("id",), tokens),
            ("replies_put", t.replies, _REPLY, ("key",), replies),
        ):
            if rows:
                self._batch.add(name, insert(self._batch, table, names, rows, tail=replace_on(keys, names)))

    async def _audit(self, writes: WriteSet) -> None:
        """Chained one after the other: whoever appends waits for the one before to commit."""
        await self._connection.execute("SELECT pg_advisory_xact_lock($1)", _AUDIT_LOCK)
        last = await self._connection.fetchrow("SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1")
        seq, mac = (last[0], last[1]) if last else (0, b"")
        rows = []
        for entry in writes.audit:
            seq += 1
            fields = (entry.actor, entry.action, entry.target, entry.detail)
            mac = self._vault.chain(mac, str(seq), str(self._now), *fields)
            rows.append((seq, self._now, *fields, mac))
        self._batch.add("chained", insert(self._batch, t.audit, _AUDIT, rows))
        head = insert(
            self._batch, t.meta, ("name", "value"), [("audit_head", f"{seq}:{mac.hex()}")],
            tail=replace_on(("name",), ("name", "value")),
        )  # fmt: skip
        self._batch.add("head", head)
        await self._send()


_ADD: Final = (
    " ON CONFLICT (sku, location) DO UPDATE SET on_hand = positions.on_hand + excluded.on_hand,"
    " reserved = positions.reserved + excluded.reserved, incoming = positions.incoming + excluded.incoming,"
    " quarantine = positions.quarantine + excluded.quarantine, version = positions.version + 1,"
    " counted_at = greatest(positions.counted_at, excluded.counted_at)"
)


def _sets(names: Sequence[str]) -> str:
    return ", ".join(f"{name} = d.{name}" for name in names)


def _values(row: Any, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)
