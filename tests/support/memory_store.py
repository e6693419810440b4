"""An in-memory store that keeps the port's promises, for tests of everything above storage.

One unit of work is atomic because nothing in it awaits. Crashes are simulated by `crash()`: what
was committed stays, what was claimed comes back with `crashes` one higher and alone.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.ports.parcels import Book
from hub.ports.store import (
    AccountRow,
    ApiToken,
    Attempt,
    AuditEntry,
    Bucket,
    CursorRow,
    Decide,
    DocumentKey,
    DocumentRow,
    DuplicateKey,
    Expectation,
    FailureRow,
    FailureState,
    FileBody,
    FileRow,
    FileSet,
    InboxItem,
    InboxResult,
    InboxState,
    LevelKey,
    LevelRow,
    LevelState,
    ListingRow,
    Micros,
    NewEffect,
    NewFailure,
    NewInput,
    OrderKey,
    OrderRow,
    OutboxRow,
    OutboxState,
    PersonalRow,
    Position,
    PostedRow,
    Posting,
    ReadSet,
    SeenNumber,
    SkuRow,
    State,
    StoreConflict,
    StoredReply,
    StoreUnavailable,
    WriteSet,
)
from tests.support import memory_parcels

_ENDED = frozenset({"ended", "removed", "deleted"})
PUSH_FIELDS = frozenset(LevelRow.__slots__)


@dataclass
class _Inbox:
    """One inbox row with what the engine knows about its progress."""

    item: InboxItem
    state: InboxState = InboxState.PENDING
    due_at: Micros = 0
    claimed: bool = False
    crashed: bool = False


@dataclass
class Tables:
    """Everything that would survive a power cut."""

    inbox: dict[int, _Inbox] = field(default_factory=dict)
    dedupe: dict[tuple[str, str], int] = field(default_factory=dict)
    orders: dict[OrderKey, OrderRow] = field(default_factory=dict)
    documents: dict[DocumentKey, DocumentRow] = field(default_factory=dict)
    personal: dict[str, PersonalRow] = field(default_factory=dict)
    shredded: set[str] = field(default_factory=set)
    postings: list[PostedRow] = field(default_factory=list)
    posting_keys: set[tuple[str, str, str, str]] = field(default_factory=set)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    catalogue: dict[str, SkuRow] = field(default_factory=dict)
    digest: str = ""
    listings: dict[LevelKey, ListingRow] = field(default_factory=dict)
    levels: dict[LevelKey, LevelRow] = field(default_factory=dict)
    effects: dict[int, OutboxRow] = field(default_factory=dict)
    failures: dict[int, FailureRow] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    cursors: dict[tuple[str, str], CursorRow] = field(default_factory=dict)
    accounts: dict[str, AccountRow] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    api_tokens: dict[str, ApiToken] = field(default_factory=dict)
    replies: dict[str, StoredReply] = field(default_factory=dict)
    lags: dict[tuple[str, str], Micros] = field(default_factory=dict)
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    expectations: dict[tuple[str, str, str], Expectation] = field(default_factory=dict)
    numbers: dict[tuple[str, str], SeenNumber] = field(default_factory=dict)
    files: dict[str, FileRow] = field(default_factory=dict)
    bodies: dict[str, FileBody] = field(default_factory=dict)
    file_sets: dict[tuple[str, int], FileSet] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    seq: int = 0


class MemoryStore:
    """The write side. `now` gives microseconds; `fail` makes every write unavailable."""

    def __init__(self, now: Callable[[], Micros] = lambda: 1_700_000_000_000_000) -> None:
        self.now = now
        self.tables = Tables()
        self.fail: str | None = None
        self.units = 0

    # --- inbox -------------------------------------------------------------------------------

    async def receive(self, inputs: Sequence[NewInput]) -> Sequence[bool]:
        self._writable()
        return [self._insert(new) for new in inputs]

    def _insert(self, new: NewInput) -> bool:
        t = self.tables
        if (new.account, new.dedupe_key) in t.dedupe:
            return False
        t.seq += 1
        item = InboxItem(
            t.seq, new.account, new.connector, new.origin, new.topic, new.ordering_key, new.payload,
            new.digest, new.received_at, new.occurred_at, new.headers, 0, 0,
        )  # fmt: skip
        t.dedupe[new.account, new.dedupe_key] = t.seq
        t.inbox[t.seq] = _Inbox(item, due_at=self.now())
        return True

    async def received_digest(self, account: str, dedupe_key: str) -> str | None:
        seq = self.tables.dedupe.get((account, dedupe_key))
        return self.tables.inbox[seq].item.digest if seq is not None else None

    async def last_answer(self, account: str, ordering_key: str, topic: str) -> str | None:
        found = [
            (seq, key)
            for (owner, key), seq in self.tables.dedupe.items()
            for item in (self.tables.inbox[seq].item,)
            if (owner, item.ordering_key, item.topic) == (account, ordering_key, topic) and item.origin != "webhook"
        ]
        return max(found)[1] if found else None

    async def claim_inbox(self, limit: int, *, accounts_excluded: Collection[str] = ()) -> Sequence[InboxItem]:
        self._writable()
        heads: dict[tuple[str, str], _Inbox] = {}
        for row in self.tables.inbox.values():
            if row.state is InboxState.PENDING:
                heads.setdefault((row.item.account, row.item.ordering_key), row)
        due = [
            row
            for row in heads.values()
            if not row.claimed and row.due_at <= self.now() and row.item.account not in accounts_excluded
        ]
        crashed = next((row for row in due if row.item.crashes), None)
        taken = [crashed] if crashed else due[:limit]
        for row in taken:
            row.claimed = True
        return [row.item for row in taken]

    async def release(self, seqs: Sequence[int]) -> None:
        for seq in seqs:
            self.tables.inbox[seq].claimed = False

    def crash(self) -> None:
        """Kill the process: claimed rows come back, counted; sent effects are in doubt."""
        for row in self.tables.inbox.values():
            if row.claimed:
                row.claimed = False
                row.item = replace(row.item, crashes=row.item.crashes + 1)
        for key, effect in self.tables.effects.items():
            if effect.state is OutboxState.SENDING:
                self.tables.effects[key] = replace(effect, state=OutboxState.IN_DOUBT)

    # --- unit of work ------------------------------------------------------------------------

    async def run(self, reads: ReadSet, decide: Decide) -> WriteSet:
        self._writable()
        writes = decide(self._read(reads))
        before = self.tables
        self.tables = copy.copy(before)
        for name in _COPIED:
            setattr(self.tables, name, copy.copy(getattr(before, name)))
        try:
            self._write(writes)
        except BaseException:
            self.tables = before
            raise
        self.units += 1
        return writes

    def _read(self, reads: ReadSet) -> State:
        t = self.tables
        state = State(self.now())
        state.orders = {key: t.orders[key] for key in reads.orders if key in t.orders}
        for key, order in t.orders.items():
            if any((order.account, sku) in reads.held_for for sku in order.unresolved):
                state.orders[key] = order
        state.documents = {key: t.documents[key] for key in reads.documents if key in t.documents}
        for key in reads.skus:
            if (found := self.resolve(*key)) is not None:
                state.resolved[key] = found
        skus = set(reads.positions) | set(state.resolved.values()) | {sku for _, sku in reads.own_open}
        skus |= {part[0] for order in state.orders.values() for line in order.allocations for part in line.parts}
        for sku in list(skus):
            if (row := t.catalogue.get(sku)) and row.components:
                state.kits[sku] = row.components
                skus |= {component for component, _ in row.components}
        state.kits_of = self._kits_of(skus)
        state.positions = {key: row for key, row in t.positions.items() if key[0] in skus}
        for sku, location, as_of in reads.on_hand_since:
            state.on_hand_since[sku, location, as_of] = sum(
                p.delta
                for p in t.postings
                if (p.sku, p.location, p.bucket) == (sku, location, "on_hand") and p.effective_at > as_of
            )
        state.levels = {key: t.levels[key] for key in reads.levels if key in t.levels}
        for account, sku in reads.own_open:
            self._own_open(state, account, sku)
        for key in reads.personal:
            order = t.orders.get(key)
            if order and (person := t.personal.get(order.id)):
                state.personal[order.id] = person.plain
        state.counters = {key: t.counters[key] for key in reads.counters if key in t.counters}
        state.effects = {row.idempotency_key: row for row in t.effects.values() if row.idempotency_key in reads.effects}
        state.expectations = {key: t.expectations[key] for key in reads.expectations if key in t.expectations}
        state.numbers = {key: t.numbers[key] for key in reads.numbers if key in t.numbers}
        state.files = {key: t.files[key] for key in reads.files if key in t.files}
        state.file_sets = {key: t.file_sets[key] for key in reads.file_sets if key in t.file_sets}
        state.books = memory_parcels.read(t.books, reads)
        return state

    def _own_open(self, state: State, account: str, sku: str) -> None:
        for order in self.tables.orders.values():
            for line in order.allocations if order.account == account else ():
                if line.sku == sku and line.reserved and line.parts:
                    key = (account, sku, line.parts[0][1])
                    state.own_open[key] = state.own_open.get(key, 0) + line.reserved

    def _kits_of(self, skus: set[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.tables.catalogue.values():
            for component, _ in row.components:
                if component in skus:
                    found[component].append(row.sku)
        return {sku: tuple(kits) for sku, kits in found.items()}

    def resolve(self, account: str, channel_sku: str) -> str | None:
        """Listing, then alias, then the catalogue's own SKU."""
        t = self.tables
        for listing in t.listings.values():
            if (listing.account, listing.channel_sku) == (account, channel_sku) and listing.sku:
                return listing.sku
        return self._catalogued(account, channel_sku)

    def _catalogued(self, account: str, channel_sku: str) -> str | None:
        for row in self.tables.catalogue.values():
            if (account, channel_sku) in row.aliases:
                return row.sku
        return channel_sku if channel_sku in self.tables.catalogue else None

    def _write(self, writes: WriteSet) -> None:
        self._write_orders(writes)
        self._write_work(writes)
        self._fail(writes)
        t = self.tables
        t.attempts.extend(writes.attempts)
        t.cursors.update({(row.account, row.stream): row for row in writes.cursors})
        t.accounts.update({row.account: row for row in writes.accounts})
        t.audit.extend(writes.audit)
        t.api_tokens.update({token.id: token for token in writes.api_tokens})
        t.replies.update({reply.key: reply for reply in writes.replies})
        t.counters.update(writes.counters)
        t.expectations.update({(row.account, row.kind, row.reference): row for row in writes.expectations})
        t.numbers.update({(row.account, row.key): row for row in writes.numbers})
        t.bodies.update({row.file: row for row in writes.file_bodies})
        t.file_sets.update({(row.file, row.place): row for row in writes.file_sets})
        memory_parcels.write(t.books, writes)
        for file in writes.files:
            self._guard(t.files.get(file.id), file.rev)
            t.files[file.id] = replace(file, rev=file.rev + 1)

    def _write_orders(self, writes: WriteSet) -> None:
        t = self.tables
        for new in writes.inputs:
            self._insert(new)
        for result in writes.inbox:
            self._settle_input(result)
        for order in writes.orders:
            key = (order.account, order.source_id)
            self._guard(t.orders.get(key), order.rev)
            t.orders[key] = replace(order, rev=order.rev + 1)
        for document in writes.documents:
            dkey = (document.account, document.type, document.source_id)
            self._guard(t.documents.get(dkey), document.rev)
            t.documents[dkey] = replace(document, rev=document.rev + 1)
        for person in writes.personal:
            t.personal[person.subject] = person
        for subject in writes.shredded:
            t.personal.pop(subject, None)
            t.shredded.add(subject)
        for seq, row in t.inbox.items():
            named = (
                seq in writes.forgotten_inputs or (row.item.account, row.item.ordering_key) in writes.forgotten_lanes
            )
            if named and row.state is not InboxState.PENDING:
                row.item = replace(row.item, payload=b"")
        for (account, side), lag in writes.lags.items():
            t.lags[account, side] = lag
        self._post(writes.postings)

    def _write_work(self, writes: WriteSet) -> None:
        t = self.tables
        for listing in writes.listings:
            self._list(listing)
        for sku, at in writes.dirty.items():
            self._dirty(sku, at)
        for update in writes.levels:
            row = t.levels.get(update.key)
            if row and (update.guard_seq is None or row.sent_seq <= update.guard_seq):
                t.levels[update.key] = replace(row, **dict(update.set))
        for effect in writes.effects:
            self._effect(effect)
        for change in writes.outbox:
            row_ = t.effects[change.id]
            done = row_.state is OutboxState.DONE
            over = done or (row_.state is OutboxState.CANCELLED and change.state is not OutboxState.DONE)
            t.effects[change.id] = replace(
                row_, state=row_.state if over else change.state,
                attempts=row_.attempts if over else change.attempts,
                due_at=row_.due_at if change.due_at is None else change.due_at,
                result=change.result if change.result is not None else row_.result,
            )  # fmt: skip

    def _settle_input(self, result: InboxResult) -> None:
        row = copy.copy(self.tables.inbox[result.seq])
        if result.if_parked and row.state is not InboxState.FAILED:
            return
        row.claimed = False
        row.state = result.state
        row.due_at = row.due_at if result.due_at is None else result.due_at
        if result.attempts is not None:
            row.item = replace(row.item, attempts=result.attempts)
        if result.crashes is not None:
            row.item = replace(row.item, crashes=result.crashes)
        self.tables.inbox[result.seq] = row

    @staticmethod
    def _guard(stored: OrderRow | DocumentRow | FileRow | None, rev: int) -> None:
        if (stored.rev if stored else 0) != rev:
            raise StoreConflict(f"rev {rev} written over {stored.rev if stored else 'nothing'}")

    def _post(self, postings: Sequence[Posting]) -> None:
        t = self.tables
        for p in postings:
            key = (p.event, p.sku, p.location, p.bucket.value)
            if key in t.posting_keys:
                raise DuplicateKey(f"posting {key}")
            t.posting_keys.add(key)
            t.seq += 1
            t.postings.append(
                PostedRow(t.seq, p.event, p.sku, p.location, p.bucket.value, p.delta, p.reason, p.effective_at,
                          self.now(), p.reference)
            )  # fmt: skip
            row = t.positions.get((p.sku, p.location)) or Position(p.sku, p.location)
            row = replace(row.plus(p.bucket, p.delta), version=row.version + 1)
            if p.counted:
                row = replace(row, counted_at=max(row.counted_at or 0, p.effective_at))
            t.positions[p.sku, p.location] = row

    def _list(self, listing: ListingRow) -> None:
        key = (listing.account, listing.listing_id, listing.location)
        t = self.tables
        t.listings[key] = listing
        publishable = listing.sku and listing.fulfilled_by == "merchant" and listing.state not in _ENDED
        if not publishable:
            t.levels.pop(key, None)
            return
        assert listing.sku
        level = t.levels.get(key)
        if level is None or level.sku != listing.sku:
            t.levels[key] = LevelRow(
                *key, listing.channel_sku, listing.sku, listing.variant_id, LevelState.NEW, 1, 0, self.now(),
                self.now(), 0, None, None, None, None, None, None, None, None, None,
            )  # fmt: skip

    def _dirty(self, sku: str, at: Micros) -> None:
        for key, level in self.tables.levels.items():
            if level.sku == sku:
                clean = level.dirty_seq <= level.sent_seq
                earliest = at if clean or level.dirty_at is None else min(at, level.dirty_at)
                self.tables.levels[key] = replace(
                    level, dirty_seq=level.dirty_seq + 1, dirty_at=earliest, due_at=self.now()
                )

    def _effect(self, new: NewEffect) -> None:
        t = self.tables
        if any(row.idempotency_key == new.idempotency_key for row in t.effects.values()):
            raise DuplicateKey(f"effect {new.idempotency_key}")
        t.seq += 1
        t.effects[t.seq] = OutboxRow(
            t.seq, new.account, new.kind, new.key, new.idempotency_key, new.body, new.references,
            OutboxState.PENDING, 0, new.due_at, new.occurred_at, self.now(), new.deadline_at,
        )  # fmt: skip

    def _fail(self, writes: WriteSet) -> None:
        t = self.tables
        for new in writes.failures:
            self._failure(new)
        for failure_id, state in writes.failure_states:
            row = t.failures[failure_id]
            replays = row.replays + (state is FailureState.REPLAYED)
            t.failures[failure_id] = replace(row, state=state, updated_at=self.now(), replays=replays)
        for key in writes.resolved_failures:
            for failure_id, row in t.failures.items():
                if (row.account, row.kind, row.reference) == key and row.state is FailureState.OPEN:
                    t.failures[failure_id] = replace(row, state=FailureState.RESOLVED, updated_at=self.now())

    def _failure(self, new: NewFailure) -> None:
        t = self.tables
        fields = {name: getattr(new, name) for name in NewFailure.__slots__ if name != "origin"}
        for failure_id, row in t.failures.items():
            same = (row.account, row.kind, row.reference) == (new.account, new.kind, new.reference)
            if same and row.state is FailureState.OPEN:
                t.failures[failure_id] = replace(row, **fields, updated_at=self.now())
                return
        t.seq += 1
        t.failures[t.seq] = FailureRow(
            id=t.seq, state=FailureState.OPEN, created_at=self.now(), updated_at=self.now(), replays=0, **fields
        )

    async def file_content(self, file: str) -> bytes | None:
        body = self.tables.bodies.get(file)
        return body.content if body else None

    # --- levels, effects, the rest -----------------------------------------------------------

    async def dirty_levels(self, account: str, limit: int) -> Sequence[tuple[LevelRow, Sequence[Position]]]:
        t = self.tables
        due = [
            (level, self._positions_of(level.sku))
            for level in t.levels.values()
            if level.account == account and level.dirty_seq > level.sent_seq and level.due_at <= self.now()
        ]
        due.sort(key=lambda pair: (sum(row.available for row in pair[1]) > 0, pair[0].dirty_at or 0))
        return due[:limit]

    def _positions_of(self, sku: str) -> list[Position]:
        row = self.tables.catalogue.get(sku)
        wanted = {component for component, _ in row.components} if row and row.components else {sku}
        return [position for key, position in sorted(self.tables.positions.items()) if key[0] in wanted]

    async def levels_to_verify(self, account: str, limit: int, accepted_before: Micros) -> Sequence[LevelRow]:
        waiting = [
            level
            for level in self.tables.levels.values()
            if level.account == account
            and (level.state is LevelState.ACCEPTED or (level.state is LevelState.SENT and level.receipt is None))
            and (level.sent_at or 0) <= accepted_before
        ]
        return sorted(waiting, key=lambda level: level.sent_at or 0)[:limit]

    async def pending_receipts(self, account: str) -> Sequence[tuple[str, Micros]]:
        due: dict[str, Micros] = {}
        for level in self._queued(account):
            due[level.receipt or ""] = min(level.due_at, due.get(level.receipt or "", level.due_at))
        return sorted(due.items(), key=lambda pair: pair[1])

    async def settled(self) -> None:
        """Nothing to wait for: units run one after the other."""

    async def receipt_levels(self, account: str, receipt: str, limit: int) -> Sequence[LevelRow]:
        found = [level for level in self._queued(account) if level.receipt == receipt]
        return sorted(found, key=lambda level: (level.due_at, level.sent_at or 0))[:limit]

    def _queued(self, account: str) -> list[LevelRow]:
        return [
            level
            for level in self.tables.levels.values()
            if level.account == account
            and level.state is LevelState.SENT
            and level.receipt
            and level.dirty_seq <= level.sent_seq
        ]

    async def claim_effects(self, account: str, limit: int) -> Sequence[OutboxRow]:
        self._writable()
        heads: dict[str, OutboxRow] = {}
        over = {OutboxState.DONE, OutboxState.CANCELLED, OutboxState.PARKED}
        for row in self.tables.effects.values():
            if row.account == account and row.state not in over:
                heads.setdefault(row.key, row)
        claimable = {OutboxState.PENDING, OutboxState.IN_DOUBT}
        due = [row for row in heads.values() if row.state in claimable and row.due_at <= self.now()]
        for row in due[:limit]:
            if row.state is OutboxState.PENDING:
                self.tables.effects[row.id] = replace(row, state=OutboxState.SENDING)
        return [
            row if row.state is OutboxState.IN_DOUBT else replace(row, state=OutboxState.SENDING) for row in due[:limit]
        ]

    async def cursor(self, account: str, stream: str) -> CursorRow | None:
        return self.tables.cursors.get((account, stream))

    async def account(self, account: str) -> AccountRow | None:
        return self.tables.accounts.get(account)

    async def load_token(self, account: str, name: str) -> str | None:
        return self.tables.tokens.get((account, name))

    async def save_token(self, account: str, name: str, value: str) -> None:
        self._writable()
        self.tables.tokens[account, name] = value

    async def replace_catalogue(self, rows: Sequence[SkuRow], digest: str) -> bool:
        if digest == self.tables.digest:
            return False
        self.tables.catalogue = {row.sku: row for row in rows}
        self.tables.digest = digest
        for listing in list(self.tables.listings.values()):
            self._list(replace(listing, sku=self._catalogued(listing.account, listing.channel_sku) or listing.sku))
        return True

    async def prune(
        self, *, payloads_before: Micros, attempts_before: Micros, personal_due: Micros
    ) -> Mapping[str, int]:
        t = self.tables
        payloads = [r for r in t.inbox.values() if r.item.received_at < payloads_before and r.item.payload]
        for row in payloads:
            row.item = replace(row.item, payload=b"")
        people = [s for s, p in t.personal.items() if p.delete_after is not None and p.delete_after <= personal_due]
        for subject in people:
            del t.personal[subject]
            t.shredded.add(subject)
        kept = [attempt for attempt in t.attempts if attempt.started_at >= attempts_before]
        dropped = len(t.attempts) - len(kept)
        t.attempts = kept
        return {"payloads": len(payloads), "personal": len(people), "attempts": dropped}

    async def healthy(self) -> bool:
        return self.fail is None

    async def close(self) -> None:
        return None

    def _writable(self) -> None:
        if self.fail:
            raise StoreUnavailable(self.fail)

    # --- what tests look at ------------------------------------------------------------------

    def position(self, sku: str, location: str) -> Position:
        return self.tables.positions.get((sku, location)) or Position(sku, location)

    def differences(self) -> list[tuple[str, str, str, int, int]]:
        """(sku, location, bucket, position, ledger) wherever a position is not the sum of its postings."""
        sums: dict[tuple[str, str, str], int] = defaultdict(int)
        for p in self.tables.postings:
            sums[p.sku, p.location, p.bucket] += p.delta
        return [
            (sku, location, bucket.value, getattr(row, bucket.value), sums[sku, location, bucket.value])
            for (sku, location), row in self.tables.positions.items()
            for bucket in Bucket
            if getattr(row, bucket.value) != sums[sku, location, bucket.value]
        ]

    def seed_sku(self, sku: str, **fields: Any) -> None:
        self.tables.catalogue[sku] = SkuRow(sku, **fields)

    def order_json(self, account: str, source_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.tables.orders[account, source_id].document)
        return found


_COPIED = (
    "inbox", "dedupe", "orders", "documents", "personal", "shredded", "postings", "posting_keys", "positions",
    "listings", "levels", "effects", "failures", "attempts", "cursors", "accounts", "audit", "api_tokens", "replies",
    "counters", "expectations", "numbers", "files", "bodies", "file_sets", "books",
)  # fmt: skip
