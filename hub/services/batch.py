"""The working set of one unit of work: later items see what earlier ones did, each row is written once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hub.orders import tally as tallies
from hub.orders.tally import TALLY, Tally
from hub.ports.store import (
    Bucket,
    DocumentKey,
    DocumentRow,
    LevelKey,
    LevelUpdate,
    ListingRow,
    Micros,
    OrderKey,
    OrderRow,
    PersonalRow,
    Position,
    Posting,
    State,
    WriteSet,
)
from hub.services.books import Books, Moved

_PUBLISHED = frozenset({Bucket.ON_HAND, Bucket.RESERVED})


@dataclass(slots=True)
class Outcome:
    """What a unit did, for telemetry and for waking others. `lags_s` are occurred → applied."""

    applied: int = 0
    unchanged: int = 0
    stale: int = 0
    failed: int = 0
    oversold: dict[str, int] = field(default_factory=dict)
    """account -> units promised beyond what was there"""
    drifted: dict[str, int] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)
    effects: set[str] = field(default_factory=set)
    """accounts that got edge work"""
    lags_s: list[tuple[str, float]] = field(default_factory=list)
    ahead: set[OrderKey] = field(default_factory=set)
    """orders that are not there, of whose lines a document of this unit tells"""
    waiting: dict[int, set[OrderKey]] = field(default_factory=dict)
    """inputs not finished yet: orders of theirs can be resolved now"""
    failures: list[tuple[int, str, str]] = field(default_factory=list)
    """(inbox seq, error, code) of what was parked"""
    moved: list[Moved] = field(default_factory=list)
    """parcels that entered a milestone"""
    unknown_codes: dict[str, int] = field(default_factory=dict)
    """account -> carriers' codes that no table knows"""
    odd_numbers: dict[str, int] = field(default_factory=dict)
    """account -> tracking numbers accepted with a warning"""

    def take(self, other: Outcome) -> None:
        self.applied += other.applied
        self.unchanged += other.unchanged
        self.stale += other.stale
        self.failed += other.failed
        for account, units in other.oversold.items():
            self.oversold[account] = self.oversold.get(account, 0) + units
        for account, units in other.drifted.items():
            self.drifted[account] = self.drifted.get(account, 0) + units
        self.dirty |= other.dirty
        self.effects |= other.effects
        self.lags_s += other.lags_s
        self.failures += other.failures
        self.moved += other.moved
        for account, count in other.unknown_codes.items():
            self.unknown_codes[account] = self.unknown_codes.get(account, 0) + count
        for account, count in other.odd_numbers.items():
            self.odd_numbers[account] = self.odd_numbers.get(account, 0) + count


class Batch:
    """`state` is kept current in place; `finish` gives what to write."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.writes = WriteSet()
        self.outcome = Outcome()
        self.books = Books(state)
        self._orders: dict[OrderKey, OrderRow] = {}
        self._documents: dict[DocumentKey, DocumentRow] = {}
        self._personal: dict[str, PersonalRow] = {}
        self._levels: dict[LevelKey, LevelUpdate] = {}
        self._listings: dict[LevelKey, ListingRow] = {}
        self._events: dict[str, int] = {}

    def event(self, name: str) -> str:
        """A name no other change of this unit has; across units the row's `rev` in it makes it unique."""
        times = self._events.get(name, 0)
        self._events[name] = times + 1
        return f"{name}.{times}" if times else name

    @property
    def touched(self) -> frozenset[OrderKey]:
        """Orders this unit writes."""
        return frozenset(self._orders)

    def put_order(self, row: OrderRow) -> None:
        key = (row.account, row.source_id)
        self.state.orders[key] = self._orders[key] = row

    def put_document(self, row: DocumentRow) -> None:
        key = (row.account, row.type, row.source_id)
        self.state.documents[key] = self._documents[key] = row

    def put_personal(self, row: PersonalRow) -> None:
        self.state.personal[row.subject] = row.plain
        self._personal[row.subject] = row

    def put_listing(self, row: ListingRow) -> None:
        self._listings[row.account, row.listing_id, row.location] = row

    def put_level(self, update: LevelUpdate) -> None:
        self._levels[update.key] = update

    def tally(self, key: OrderKey) -> Tally:
        row = self.state.documents.get((key[0], TALLY, key[1]))
        return tallies.EMPTY if row is None else tallies.load(row.document)

    def put_tally(self, key: OrderKey, tally: Tally) -> None:
        known = self.state.documents.get((key[0], TALLY, key[1]))
        text = tallies.dump(tally)
        if known is None and tally == tallies.EMPTY:
            return
        if known is None or known.document != text:
            rev = known.rev if known else 0
            self.put_document(DocumentRow(f"{TALLY}:{key[0]}:{key[1]}", TALLY, *key, "", None, None, text, rev))

    def post(self, rows: Iterable[Posting], occurred_at: Micros) -> None:
        """Write postings, keep positions current, mark what channels must be told of."""
        positions = self.state.positions
        for row in rows:
            self.writes.postings.append(row)
            key = (row.sku, row.location)
            positions[key] = _moved(positions.get(key) or Position(row.sku, row.location), row)
            if row.bucket in _PUBLISHED:
                self.dirty(row.sku, occurred_at)

    def dirty(self, sku: str, occurred_at: Micros) -> None:
        """A cause cannot lie in the future: a fast vendor clock must not hide lag."""
        at = min(occurred_at, self.state.now)
        dirty = self.writes.dirty
        for one in (sku, *self.state.kits_of.get(sku, ())):
            dirty[one] = min(at, dirty.get(one, at))

    def late(self, account: str, side: str, at: Micros) -> None:
        """Keep for the status how long after its cause this work is done; of several the longest."""
        lag = max(0, self.state.now - at)
        lags = self.writes.lags
        lags[account, side] = max(lag, lags.get((account, side), 0))

    def _beside_dirty(self, update: LevelUpdate) -> LevelUpdate:
        """A level this unit also turns dirty is due at once: only what was seen is kept of the update."""
        row = self.state.levels.get(update.key)
        if row is None or row.sku not in self.writes.dirty:
            return update
        seen = {name: value for name, value in update.set.items() if name == "shown_quantity"}
        return replace(update, set=seen)

    def finish(self) -> WriteSet:
        writes = self.writes
        writes.orders.extend(self._orders.values())
        writes.documents.extend(self._documents.values())
        writes.personal.extend(self._personal.values())
        writes.listings.extend(self._listings.values())
        writes.levels.extend(self._beside_dirty(update) for update in self._levels.values())
        writes.books.extend(self.books.finish())
        self.outcome.moved = self.books.moved
        self.outcome.dirty = set(writes.dirty)
        self.outcome.effects = {effect.account for effect in writes.effects}
        return writes


def _moved(p: Position, row: Posting) -> Position:
    delta, bucket = row.delta, row.bucket
    counted = max(p.counted_at or 0, row.effective_at) if row.counted else p.counted_at
    return Position(
        p.sku,
        p.location,
        p.on_hand + delta if bucket is Bucket.ON_HAND else p.on_hand,
        p.reserved + delta if bucket is Bucket.RESERVED else p.reserved,
        p.incoming + delta if bucket is Bucket.INCOMING else p.incoming,
        p.quarantine + delta if bucket is Bucket.QUARANTINE else p.quarantine,
        p.version,
        counted,
    )
