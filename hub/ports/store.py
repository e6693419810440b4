"""The store port: what is read, what is decided, what is written, in one unit of work.

A unit of work is a value, not a session: the caller names what it needs (`ReadSet`), gives a pure
function from `State` to `WriteSet`, and the store runs all three inside one transaction: one hop
to the writer thread on SQLite, a few round trips on PostgreSQL. `decide` may run more than once
(serialisation conflicts, batch fallback), may run on another thread, and touches nothing but its
arguments.

Instants in rows are integers: microseconds since the epoch, UTC. Documents are JSON text without
personal data. Sequences (`seq`) come from the database and are the only order of events.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from hub.ports.parcels import Book, BookChange, LinkKey, ParcelAsked

Micros = int
OrderKey = tuple[str, str]
"""(account, the vendor's order id)"""
DocumentKey = tuple[str, str, str]
"""(account, document type, the vendor's id)"""
LevelKey = tuple[str, str, str]
"""(account, listing_id, channel location or "")"""


class Bucket(StrEnum):
    ON_HAND = "on_hand"
    RESERVED = "reserved"
    INCOMING = "incoming"
    QUARANTINE = "quarantine"


class InboxState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    DISCARDED = "discarded"


class OutboxState(StrEnum):
    """`FAILED` parks what follows on its key, `PARKED` only itself; both wait for an operator."""

    PENDING = "pending"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"


class LevelState(StrEnum):
    """Life of a published number. `NEW`: known, never sent."""

    NEW = "new"
    DIRTY = "dirty"
    SENT = "sent"
    ACCEPTED = "accepted"
    VERIFIED = "verified"
    DRIFTED = "drifted"
    REJECTED = "rejected"


class FailureState(StrEnum):
    OPEN = "open"
    REPLAYED = "replayed"
    RESOLVED = "resolved"
    DISCARDED = "discarded"


# --- inbox -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewInput:
    """An envelope about to become durable. Unique on (account, dedupe_key)."""

    account: str
    connector: str
    origin: str
    """webhook | poll | resolve | file | api | hub (decided here, not received)"""
    topic: str
    dedupe_key: str
    ordering_key: str
    payload: bytes
    digest: str
    received_at: Micros
    occurred_at: Micros | None = None
    headers: str = "{}"


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A claimed inbox row. `crashes` counts processes that died holding it."""

    seq: int
    account: str
    connector: str
    origin: str
    topic: str
    ordering_key: str
    payload: bytes
    digest: str
    received_at: Micros
    occurred_at: Micros | None
    headers: str
    attempts: int
    crashes: int


@dataclass(frozen=True, slots=True)
class InboxResult:
    """What became of a claimed row. PENDING with `due_at` puts it back on the schedule."""

    seq: int
    state: InboxState
    due_at: Micros | None = None
    attempts: int | None = None
    crashes: int | None = None
    """0 when an operator runs a poisonous row again on purpose; None keeps the count"""
    if_parked: bool = False
    """change only a FAILED row: one that somebody holds, that is over or was given up stays as it is, silently"""


# --- orders and documents --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where one order line stands in the ledger, in eaches.

    `parts` are (sku, location, units per ordered unit): one for a plain SKU, several for a kit.
    `reserved`, `shipped` and `restocked` count ordered units. `sku` is ours as ordered: a kit's
    own SKU while `parts` name its components.
    """

    line_id: str
    parts: tuple[tuple[str, str, int], ...]
    reserved: int = 0
    shipped: int = 0
    restocked: int = 0
    sku: str = ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as stored. `rev` grows by one on every write and guards against lost updates.

    `document` is canonical JSON without personal data; `allocations` is what the ledger holds for
    it. `holds` are names, `unresolved` the channel SKUs no line could be matched for.
    """

    id: str
    account: str
    source_id: str
    version: str
    number: str
    state: str
    placed_at: Micros | None
    updated_at: Micros | None
    document: str
    allocations: tuple[Allocation, ...] = ()
    holds: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    rev: int = 0


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """Any other canonical document, unique on (account, type, source_id)."""

    id: str
    type: str
    account: str
    source_id: str
    version: str
    order_source_id: str | None
    occurred_at: Micros | None
    document: str
    rev: int = 0


@dataclass(frozen=True, slots=True)
class PersonalRow:
    """Personal data of one subject (an order id) as plain JSON; the store encrypts it.

    Each subject has its own data key; deleting that key deletes the person.
    """

    subject: str
    account: str
    plain: str
    delete_after: Micros | None = None
    buyer: str = ""
    """what the channel calls the person; kept as a keyed hash only, to find their rows again"""


# --- ledger ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posting:
    """One append-only ledger row, unique on (event, sku, location, bucket).

    A second row with the same key is an error of the caller and fails the unit of work.
    """

    event: str
    sku: str
    location: str
    bucket: Bucket
    delta: int
    reason: str
    effective_at: Micros
    reference: str = ""
    counted: bool = False
    """an absolute count: `Position.counted_at` moves up to `effective_at`"""


@dataclass(frozen=True, slots=True)
class PostedRow:
    """A posting as read back."""

    seq: int
    event: str
    sku: str
    location: str
    bucket: str
    delta: int
    reason: str
    effective_at: Micros
    recorded_at: Micros
    reference: str


@dataclass(frozen=True, slots=True)
class Position:
    """The sum of postings of one SKU at one location. `version` grows with every change."""

    sku: str
    location: str
    on_hand: int = 0
    reserved: int = 0
    incoming: int = 0
    quarantine: int = 0
    version: int = 0
    counted_at: Micros | None = None
    """the latest instant on-hand stock was counted for; movements effective before it are in the count"""

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    def plus(self, bucket: Bucket, delta: int) -> Position:
        return replace(self, **{bucket.value: getattr(self, bucket.value) + delta})


# --- catalogue, listings, levels -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkuRow:
    """One catalogue entry; `components` makes it a kit. `aliases` are (account, channel SKU)."""

    sku: str
    gtin: str | None = None
    title: str | None = None
    brand: str | None = None
    tags: tuple[str, ...] = ()
    packs: Mapping[str, int] = field(default_factory=dict)
    components: tuple[tuple[str, int], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A channel's offer. `location` is the channel's own location id, "" where it has none."""

    account: str
    listing_id: str
    location: str
    channel_sku: str
    sku: str | None
    variant_id: str | None = None
    title: str | None = None
    state: str = "unknown"
    fulfilled_by: str = "merchant"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """The published number of one listing and where its push stands.

    Dirty means `dirty_seq > sent_seq`. `dirty_at` is when the earliest unpublished cause occurred
    and gives the sync lag.
    """

    account: str
    listing_id: str
    location: str
    channel_sku: str
    sku: str
    variant_id: str | None
    state: LevelState
    dirty_seq: int
    sent_seq: int
    dirty_at: Micros | None
    due_at: Micros
    attempts: int
    sent_quantity: int | None
    sent_version: int | None
    sent_at: Micros | None
    push_key: str | None
    receipt: str | None
    shown_quantity: int | None
    verified_quantity: int | None
    verified_at: Micros | None
    error: str | None


@dataclass(frozen=True, slots=True)
class LevelUpdate:
    """Changes of one level; only the fields given are written (a sentinel keeps the rest).

    `guard_seq`: apply only while `sent_seq <= guard_seq`, so that an older answer never
    overwrites a newer one.
    """

    key: LevelKey
    set: Mapping[str, Any]
    guard_seq: int | None = None


# --- outbox, attempts, failures --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewEffect:
    """Edge work to be sent, unique on `idempotency_key`. Effects with one `key` keep their order."""

    account: str
    kind: str
    key: str
    idempotency_key: str
    body: str
    references: str
    occurred_at: Micros
    due_at: Micros
    deadline_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Edge work as stored."""

    id: int
    account: str
    kind: str
    key: str
    idempotency_key: str
    body: str
    references: str
    state: OutboxState
    attempts: int
    due_at: Micros
    occurred_at: Micros
    created_at: Micros
    deadline_at: Micros | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class OutboxUpdate:
    """What is DONE stays so, and what is CANCELLED unless it turns out DONE, whoever writes late."""

    id: int
    state: OutboxState
    attempts: int
    due_at: Micros | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One outbound call, whatever came of it. No bodies, no personal data."""

    account: str
    direction: str
    """in | out"""
    kind: str
    target: str
    started_at: Micros
    duration_us: int
    outcome: str
    code: str = ""
    status: int | None = None
    correlation_id: str | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class NewFailure:
    """Something parked with a reason. Unique while open on (account, kind, reference)."""

    account: str
    kind: str
    """inbound | availability | effect"""
    reference: str
    error: str
    """class of the error: MappingError, Rejected, TargetMissing, …"""
    code: str
    path: str
    message: str
    fingerprint: str
    attempts: int = 0
    origin: str = "live"


@dataclass(frozen=True, slots=True)
class FailureRow:
    id: int
    account: str
    kind: str
    reference: str
    error: str
    code: str
    path: str
    message: str
    fingerprint: str
    attempts: int
    state: FailureState
    created_at: Micros
    updated_at: Micros
    replays: int


@dataclass(frozen=True, slots=True)
class CursorRow:
    """Where a stream stands. Moves in the transaction that stores the rows it passed."""

    account: str
    stream: str
    cursor: str
    watermark: Micros | None
    updated_at: Micros
    last_success_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What the engine remembers of an account. `mode` overrides the configuration when set."""

    account: str
    mode: str | None = None
    held: str | None = None
    """reason while credentials are refused"""
    circuit: str = "closed"
    detail: str = "{}"
    updated_at: Micros = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something another party, or we, must do by a time; unique on (account, kind, reference).

    `kind` is the document awaited (`997`, `855`, `856`, `810`, `945`, …); `reference` names what it answers there;
    `subject` is our id of what it is about (an order, a purchase order, a file). `ours`: we owe it to the
    partner; otherwise the partner owes it to us. An upsert: the state moves from open to met, failed (answered
    with a refusal) or dropped (no longer needed); overdue is `open` after `due_at`.
    """

    account: str
    kind: str
    reference: str
    subject: str
    ours: bool
    opened_at: Micros
    due_at: Micros | None
    state: str = "open"
    """open | met | failed | dropped"""
    settled_at: Micros | None = None
    detail: str = "{}"
    """JSON without personal data"""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a trading partner, received or made here. Guarded by `rev` like an order; ids sort by time.

    The bytes of a received file are the payload of its `input`; those of a file made here are a `FileBody`. Both
    are encrypted, and gone once retention or a redaction took them.
    """

    id: str
    account: str
    direction: str
    """in | out"""
    name: str
    control: str
    """control numbers of its interchanges, in order, separated by blanks"""
    digest: str
    size: int
    at: Micros
    """when it came, or was made"""
    state: str
    """in: taking, taken, parked; out: made"""
    test: bool
    sets: int
    done: int = 0
    """sets dealt with; below `sets` while a large file is being taken"""
    sends: int = 0
    """how often it was queued to be sent"""
    input: int | None = None
    detail: str = "{}"
    """JSON without personal data: parties, syntax, verdicts"""
    rev: int = 0


@dataclass(frozen=True, slots=True)
class FileBody:
    """The bytes of a file made here, sealed by the store under a key of their own."""

    file: str
    account: str
    content: bytes


@dataclass(frozen=True, slots=True)
class FileSet:
    """One set of a file, unique on (file, place); `place` counts from 1. An upsert.

    `lane` is the ordering key of what it is about, `subject` our id of that (an order), "" where there is none:
    forgetting either forgets the file's bytes. `input` is the inbox row a set of ours was asked for by.
    """

    file: str
    place: int
    account: str
    direction: str
    interchange: str
    functional_id: str
    group: str
    kind: str
    control: str
    digest: str
    state: str
    """in: taken, again, parked, refused, test, answer, unmatched

    out: sent, accepted, accepted_with_errors, rejected
    """
    lane: str = ""
    subject: str = ""
    input: int | None = None
    problems: str = "[]"
    """JSON: place, code, message; no values of the file"""


@dataclass(frozen=True, slots=True)
class SeenNumber:
    """A number a partner used, unique on (account, key), and the content it stood for. An upsert.

    Units that register numbers read a counter of the account too, so that they run one after the other.
    """

    account: str
    key: str
    digest: str
    file: str
    place: int
    at: Micros


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what. The store chains entries with a keyed hash, so an edit is found."""

    actor: str
    action: str
    target: str
    detail: str = "{}"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of the operator API. Only its SHA-256 (hex) is kept; upsert by `id`."""

    id: str
    sha256: str
    role: str
    """viewer | operator | admin"""
    label: str
    created_at: Micros
    expires_at: Micros
    last_used_at: Micros | None = None
    revoked_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The answer given to a POST with an Idempotency-Key; unique on `key`, kept at least 30 days.

    `fingerprint` tells a repeat from the same key used for something else.
    """

    key: str
    fingerprint: str
    status: int
    body: str
    created_at: Micros


# --- the unit of work ------------------------------------------------------------------------


@dataclass(slots=True)
class ReadSet:
    """What a decision needs.

    `skus` resolves channel SKUs to ours (listing, then alias, then the catalogue's own SKU).
    Positions are loaded, at every location, for: `positions`, the resolved SKUs, the parts of
    every loaded order's allocations, and the components of any of these that is a kit.
    Rows are locked where the engine needs it, in key order.
    """

    orders: set[OrderKey] = field(default_factory=set)
    documents: set[DocumentKey] = field(default_factory=set)
    skus: set[tuple[str, str]] = field(default_factory=set)
    positions: set[str] = field(default_factory=set)
    on_hand_since: set[tuple[str, str, Micros]] = field(default_factory=set)
    """(sku, location, as_of): sum of on_hand postings effective after that instant"""
    held_for: set[tuple[str, str]] = field(default_factory=set)
    """(account, channel SKU): orders with an unresolved line for it are loaded too"""
    levels: set[LevelKey] = field(default_factory=set)
    own_open: set[tuple[str, str]] = field(default_factory=set)
    """(account, sku as ordered, a kit being itself): units this account's own orders still hold reserved"""
    personal: set[OrderKey] = field(default_factory=set)
    """orders whose personal data, where any is stored and not shredded, is decrypted too"""
    counters: set[tuple[str, str]] = field(default_factory=set)
    """(account, name) of numbers given out one after another; locked until the unit ends"""
    expectations: set[tuple[str, str, str]] = field(default_factory=set)
    """(account, kind, reference)"""
    effects: set[str] = field(default_factory=set)
    """idempotency keys of edge work that may have to be withdrawn; locked until the unit ends"""
    tracked: set[str] = field(default_factory=set)
    """tracking numbers whose books are read, with the books of the other way of parcels that come back"""
    shipped: set[LinkKey] = field(default_factory=set)
    """shipments and returns: the books of the numbers they name so far are read too"""
    numbers: set[tuple[str, str]] = field(default_factory=set)
    """(account, key) of numbers a partner may have used before"""
    files: set[str] = field(default_factory=set)
    file_sets: set[tuple[str, int]] = field(default_factory=set)
    """(file, place)"""
    wakes: bool = False
    """what is stored may be what others wait for: `Store.settled` knows of it"""
    alone: bool = False
    """decided while no unit with `wakes` is under way: what is absent is not being stored by one of those"""


@dataclass(slots=True)
class State:
    """What was there when the transaction began, kept current by `fold`."""

    now: Micros
    orders: dict[OrderKey, OrderRow] = field(default_factory=dict)
    documents: dict[DocumentKey, DocumentRow] = field(default_factory=dict)
    resolved: dict[tuple[str, str], str] = field(default_factory=dict)
    kits: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """components of every loaded SKU that is a kit"""
    kits_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """kits that contain a loaded SKU: they become dirty with it"""
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    on_hand_since: dict[tuple[str, str, Micros], int] = field(default_factory=dict)
    levels: dict[LevelKey, LevelRow] = field(default_factory=dict)
    own_open: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(account, sku as ordered, location) -> ordered units reserved by that account's own orders; absent is 0"""
    personal: dict[str, str] = field(default_factory=dict)
    """order id -> personal data as plain JSON"""
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    """the last number given out; absent is 0"""
    expectations: dict[tuple[str, str, str], Expectation] = field(default_factory=dict)
    effects: dict[str, OutboxRow] = field(default_factory=dict)
    numbers: dict[tuple[str, str], SeenNumber] = field(default_factory=dict)
    files: dict[str, FileRow] = field(default_factory=dict)
    file_sets: dict[tuple[str, int], FileSet] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    """by tracking number; a number nobody knows yet is absent"""

    def position(self, sku: str, location: str) -> Position:
        return self.positions.get((sku, location)) or Position(sku, location)

    def fold(self, writes: WriteSet) -> None:
        """Take one item's writes into account for the items after it in the same batch."""
        for posting in writes.postings:
            key = (posting.sku, posting.location)
            position = self.position(*key).plus(posting.bucket, posting.delta)
            if posting.counted:
                position = replace(position, counted_at=max(position.counted_at or 0, posting.effective_at))
            self.positions[key] = position
        for order in writes.orders:
            self.orders[(order.account, order.source_id)] = order
        for document in writes.documents:
            self.documents[(document.account, document.type, document.source_id)] = document
        for personal in writes.personal:
            self.personal[personal.subject] = personal.plain
        self.counters.update(writes.counters)
        for expectation in writes.expectations:
            self.expectations[(expectation.account, expectation.kind, expectation.reference)] = expectation
        for number in writes.numbers:
            self.numbers[(number.account, number.key)] = number
        for file in writes.files:
            self.files[file.id] = file
        for row in writes.file_sets:
            self.file_sets[(row.file, row.place)] = row


@dataclass(slots=True)
class WriteSet:
    """Everything one unit of work changes. Positions follow from `postings`, never directly.

    `dirty` maps a SKU to the instant its change occurred: every level of that SKU (any account)
    becomes due. Orders and documents are upserts guarded by `rev` (the value read; the store
    writes rev + 1; a mismatch is `StoreConflict`).
    """

    inputs: list[NewInput] = field(default_factory=list)
    inbox: list[InboxResult] = field(default_factory=list)
    orders: list[OrderRow] = field(default_factory=list)
    documents: list[DocumentRow] = field(default_factory=list)
    personal: list[PersonalRow] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    dirty: dict[str, Micros] = field(default_factory=dict)
    listings: list[ListingRow] = field(default_factory=list)
    levels: list[LevelUpdate] = field(default_factory=list)
    effects: list[NewEffect] = field(default_factory=list)
    outbox: list[OutboxUpdate] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[NewFailure] = field(default_factory=list)
    failure_states: list[tuple[int, FailureState]] = field(default_factory=list)
    resolved_failures: list[tuple[str, str, str]] = field(default_factory=list)
    """(account, kind, reference) whose open failure is over"""
    cursors: list[CursorRow] = field(default_factory=list)
    accounts: list[AccountRow] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    api_tokens: list[ApiToken] = field(default_factory=list)
    replies: list[StoredReply] = field(default_factory=list)
    shredded: list[str] = field(default_factory=list)
    """subjects whose personal data key is deleted (a redaction request)"""
    forgotten_inputs: list[int] = field(default_factory=list)
    """inputs whose raw payload is deleted for good, unless they still have to be applied"""
    forgotten_lanes: list[tuple[str, str]] = field(default_factory=list)
    """(account, ordering key): the same for every input received in that lane"""
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    """(account, name) -> the last number given out by this unit"""
    expectations: list[Expectation] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    file_bodies: list[FileBody] = field(default_factory=list)
    file_sets: list[FileSet] = field(default_factory=list)
    numbers: list[SeenNumber] = field(default_factory=list)
    books: list[BookChange] = field(default_factory=list)
    """one per tracking number at most"""
    asked: list[ParcelAsked] = field(default_factory=list)
    lags: dict[tuple[str, str], Micros] = field(default_factory=dict)
    """(account, `inward` | `outward`) -> how long after its cause this unit's work was done, for the status"""

    def merge(self, other: WriteSet) -> None:
        """Append another item's writes. Dirty keeps the earliest cause."""
        for name in _LISTS:
            getattr(self, name).extend(getattr(other, name))
        for sku, at in other.dirty.items():
            self.dirty[sku] = min(at, self.dirty.get(sku, at))
        for side, lag in other.lags.items():
            self.lags[side] = max(lag, self.lags.get(side, lag))
        self.counters.update(other.counters)


_LISTS = (
    "inputs", "inbox", "orders", "documents", "personal", "postings", "listings", "levels", "effects",
    "outbox", "attempts", "failures", "failure_states", "resolved_failures", "cursors", "accounts", "audit",
    "api_tokens", "replies", "shredded", "forgotten_inputs", "forgotten_lanes", "expectations", "files", "file_bodies",
    "file_sets", "numbers",
    "books", "asked",
)  # fmt: skip

Decide = Callable[[State], WriteSet]


class StoreUnavailable(Exception):
    """The database cannot take writes now (disk full, gone away): nothing of this unit was stored."""


class StoreConflict(Exception):
    """A guarded row moved under this unit of work; nothing was stored. Redo it, at most 3 times."""


class DuplicateKey(Exception):
    """A unique key (a posting's event, an effect's idempotency key) was already there; nothing was stored."""


class Store(Protocol):
    """The write side. Safe to call from many tasks; units share commits, not fates."""

    async def receive(self, inputs: Sequence[NewInput]) -> Sequence[bool]:
        """Make inputs durable; True per input that is new, False per duplicate.

        Returns only after a synced commit. Raises `StoreUnavailable`.
        """
        ...

    async def received_digest(self, account: str, dedupe_key: str) -> str | None:
        """The digest of the input kept under that key; None when there is none."""
        ...

    async def last_answer(self, account: str, ordering_key: str, topic: str) -> str | None:
        """The dedupe key of the newest input of that lane and topic that nobody pushed; None when there is none."""
        ...

    async def claim_inbox(self, limit: int, *, accounts_excluded: Collection[str] = ()) -> Sequence[InboxItem]:
        """Take due rows, oldest first, the head of each ordering key only, none that is claimed.

        A row stays claimed until `run` writes its `InboxResult`, `release` is called, or the
        process dies (SQLite: known at next start; PostgreSQL: the lease runs out). A row whose
        holder died comes back with `crashes` one higher, and alone.
        """
        ...

    async def release(self, seqs: Sequence[int]) -> None:
        """Give claimed rows back untouched (drain, hold)."""
        ...

    async def run(self, reads: ReadSet, decide: Decide) -> WriteSet:
        """One unit of work; returns what was written.

        Raises `StoreUnavailable`, `StoreConflict` (after its own retries), `DuplicateKey`, and
        whatever `decide` raises; in every case nothing was stored.
        """
        ...

    async def settled(self) -> None:
        """Return once every unit with `ReadSet.wakes` that was under way has ended.

        Whoever stores that it waits for something calls this and then looks for it once more: a unit
        that brought it at the same moment saw nobody waiting, one that begins later will. Raises `StoreUnavailable`.
        """
        ...

    async def dirty_levels(self, account: str, limit: int) -> Sequence[tuple[LevelRow, Sequence[Position]]]:
        """Due dirty levels, those of SKUs with nothing left first, then those that shrink, then oldest cause.

        Each with the positions of its SKU (for a kit: of its components) at every location, read
        now in one snapshot.
        """
        ...

    async def levels_to_verify(self, account: str, limit: int, accepted_before: Micros) -> Sequence[LevelRow]:
        """Levels sent or accepted before that instant and not yet read back, oldest first."""
        ...

    async def pending_receipts(self, account: str) -> Sequence[tuple[str, Micros]]:
        """Batches the vendor has queued, each with the instant it is to be asked for, soonest first.

        Only levels that wait for nothing else count: `state` SENT with a receipt, and no newer number due.
        """
        ...

    async def receipt_levels(self, account: str, receipt: str, limit: int) -> Sequence[LevelRow]:
        """The levels such a batch is about, those due soonest first."""
        ...

    async def claim_effects(self, account: str, limit: int) -> Sequence[OutboxRow]:
        """Due edge work: the head of each key only; marks it SENDING durably before returning.

        The head is the oldest that is neither DONE, CANCELLED nor PARKED, so a FAILED one parks its key.

        Rows found SENDING after a crash come back as IN_DOUBT (settle first).
        """
        ...

    async def file_content(self, file: str) -> bytes | None:
        """The bytes of a file made here; None when there is none of this id, or its bytes are forgotten."""
        ...

    async def cursor(self, account: str, stream: str) -> CursorRow | None: ...

    async def account(self, account: str) -> AccountRow | None: ...

    async def load_token(self, account: str, name: str) -> str | None:
        """Decrypted JSON of a stored vendor token."""
        ...

    async def save_token(self, account: str, name: str, value: str) -> None: ...

    async def replace_catalogue(self, rows: Sequence[SkuRow], digest: str) -> bool:
        """Make the SKU table equal to `rows` unless `digest` is already loaded; True when changed."""
        ...

    async def prune(
        self, *, payloads_before: Micros, attempts_before: Micros, personal_due: Micros
    ) -> Mapping[str, int]:
        """Retention: shred raw payloads and due personal data, drop old attempts; counts per table."""
        ...

    async def healthy(self) -> bool:
        """True when a write would succeed now (a real, tiny write)."""
        ...

    async def close(self) -> None: ...
