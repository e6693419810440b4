"""From a write set to the rows both engines store: pure, and touching each row once.

A batch merges the writes of many items, so one order, one position or one SKU may be named
several times. Here they become one row each, sorted by key: a statement may touch a row once, and
two batches that lock in the same order cannot lock each other out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from hub.ports.store import (
    InboxResult,
    InboxState,
    LevelState,
    LevelUpdate,
    ListingRow,
    Micros,
    OrderKey,
    OrderRow,
    Position,
    Posting,
    State,
    WriteSet,
)
from hub.storage.rows import LEVEL

ENDED: Final = frozenset({"ended", "removed", "deleted"})
"""States of a listing that shows no number any more."""
WORKING: Final = frozenset(LEVEL) - {"account", "listing_id", "location", "sku"}
"""Fields of a level that an update may set."""
NOTHING_LEFT: Final = 0
FELL: Final = 1
REST: Final = 2
"""Which dirty levels go out first: those that stop sales, those that shrink, then whatever else changed."""
_BUCKETS: Final = {"on_hand": 0, "reserved": 1, "incoming": 2, "quarantine": 3}
_COUNTED: Final = 4

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
PositionKey = tuple[str, str]


@dataclass(slots=True)
class Loaded:
    """What a unit of work read, kept beside the `State` that `decide` is free to fold into.

    `skus` are those whose positions were read (and locked) at every location; `glanced` those
    looked at afterwards only to rank them.
    """

    state: State
    skus: set[str] = field(default_factory=set)
    orders: dict[OrderKey, OrderRow] = field(default_factory=dict)
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    glanced: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, state: State, skus: set[str]) -> Loaded:
        return cls(state, skus, dict(state.orders), dict(state.positions))


class Change(NamedTuple):
    """What one unit adds to one position, as both engines bind it.

    `counted_at` moves the position's own up, never down.
    """

    sku: str
    location: str
    on_hand: int
    reserved: int
    incoming: int
    quarantine: int
    counted_at: Micros | None


def last_of_each(rows: Iterable[T], key: Callable[[T], K]) -> list[T]:
    """The last row per key, in key order."""
    found = {key(row): row for row in rows}
    return [found[name] for name in sorted(found)]  # type: ignore[type-var]


def guarded(rows: Iterable[T], key: Callable[[T], K], rev: Callable[[T], int]) -> list[tuple[T, int]]:
    """The last row per key with the revision it must replace: the one its first mention had read."""
    first: dict[K, int] = {}
    last: dict[K, T] = {}
    for row in rows:
        name = key(row)
        first.setdefault(name, rev(row))
        last[name] = row
    return [(last[name], first[name]) for name in sorted(last)]  # type: ignore[type-var]


def inbox_results(results: Sequence[InboxResult]) -> tuple[list[int], list[InboxResult]]:
    """(finished rows, rows that stay with a state), each row once."""
    latest = last_of_each(results, lambda result: result.seq)
    done = [result.seq for result in latest if result.state is InboxState.DONE]
    return done, [result for result in latest if result.state is not InboxState.DONE]


def changes(postings: Sequence[Posting]) -> list[Change]:
    """Postings added up per position, in key order."""
    sums: dict[PositionKey, list[int | None]] = {}
    for posting in postings:
        key = (posting.sku, posting.location)
        row = sums.get(key)
        if row is None:
            row = sums[key] = [0, 0, 0, 0, None]
        row[_BUCKETS[posting.bucket.value]] += posting.delta  # type: ignore[operator]
        if posting.counted:
            row[_COUNTED] = max(row[_COUNTED] or 0, posting.effective_at)
    return [Change(*key, *sums[key]) for key in sorted(sums)]  # type: ignore[arg-type]


def reserved_by(order: OrderRow, sign: int, into: dict[tuple[str, str, str], int]) -> None:
    """Add what an order's lines hold reserved times `sign`: ordered units, by SKU as ordered and where they ship."""
    for line in order.allocations:
        if line.reserved and line.parts:
            sku, location, _ = line.parts[0]
            into[order.account, line.sku or sku, location] += sign * line.reserved


def own_changes(orders: Iterable[OrderRow], before: Mapping[OrderKey, OrderRow]) -> list[tuple[str, str, str, int]]:
    """What these writes change of each account's own reservations: (account, sku, location, delta)."""
    deltas: dict[tuple[str, str, str], int] = defaultdict(int)
    for order in orders:
        reserved_by(order, 1, deltas)
        if (old := before.get((order.account, order.source_id))) is not None:
            reserved_by(old, -1, deltas)
    return [(*key, deltas[key]) for key in sorted(deltas) if deltas[key]]


def available_after(loaded: Loaded, made: Sequence[Change]) -> dict[str, int]:
    """Units available over all locations, once these changes are made, of every SKU that was read."""
    totals = dict.fromkeys(loaded.skus | loaded.glanced, 0)
    for (sku, _), position in loaded.positions.items():
        if sku in totals:
            totals[sku] += position.available
    for change in made:
        if change.sku in totals:
            totals[change.sku] += change.on_hand - change.reserved
    return totals


def ranks(skus: Iterable[str], loaded: Loaded, made: Sequence[Change]) -> tuple[dict[str, int], list[str]]:
    """(how urgent each SKU's numbers are, SKUs of which too little was read to tell)."""
    totals = available_after(loaded, made)
    kits = loaded.state.kits
    fallen = fell(made)
    known: dict[str, int] = {}
    unknown: list[str] = []
    for sku in skus:
        parts = kits.get(sku)
        if parts is None and sku in totals:
            # The usual case: what is on the shelf is what is sold.
            known[sku] = NOTHING_LEFT if totals[sku] < 1 else FELL if sku in fallen else REST
            continue
        parts = parts or ((sku, 1),)
        if sku not in totals or any(component not in totals for component, _ in parts):
            unknown.append(sku)
        elif any(totals[component] < quantity for component, quantity in parts):
            known[sku] = NOTHING_LEFT
        else:
            known[sku] = FELL if any(component in fallen for component, _ in parts) else REST
    return known, unknown


def fell(made: Sequence[Change]) -> set[str]:
    """SKUs of which these changes leave less."""
    change: dict[str, int] = defaultdict(int)
    for each in made:
        change[each.sku] += each.on_hand - each.reserved
    return {sku for sku, units in change.items() if units < 0}


def publishable(listing: ListingRow) -> bool:
    """True where a number of ours is to be shown."""
    return bool(listing.sku) and listing.fulfilled_by == "merchant" and listing.state not in ENDED


def level_updates(updates: Sequence[LevelUpdate]) -> list[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """Updates as (fields, rows of values + key + guard), in rounds that touch each level once.

    Raises:
        ValueError: An update names something that is no field of a level, or one of its key.
    """
    rounds: list[dict[tuple[str, ...], list[tuple[Any, ...]]]] = []
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    for update in sorted(updates, key=lambda update: update.key):
        fields = tuple(sorted(update.set))
        if unknown := set(fields) - WORKING:
            raise ValueError(f"a level has no field {', '.join(sorted(unknown))} to set")
        if not fields:
            continue
        turn = seen[update.key]
        seen[update.key] += 1
        if turn == len(rounds):
            rounds.append(defaultdict(list))
        values = tuple(_plain(update.set[name]) for name in fields)
        rounds[turn][fields].append((*values, *update.key, update.guard_seq))
    return [batch for each in rounds for batch in sorted(each.items())]


def outward_success(writes: WriteSet) -> set[str]:
    """Accounts whose channel took something in this unit."""
    good = {LevelState.ACCEPTED, LevelState.VERIFIED}
    taken = {update.key[0] for update in writes.levels if update.set.get("state") in good}
    return taken | {row.account for row in writes.attempts if row.direction == "out" and row.outcome == "ok"}


def _plain(value: Any) -> Any:
    """An enum's own word: drivers want the exact type."""
    return value.value if isinstance(value, LevelState) else value
