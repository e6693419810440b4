"""What each event writes to the ledger: differences between what it holds and what it should hold.

Everything is a difference against counters kept beside the ledger, so that a fact met twice, or met
once in an order and once as a document, changes nothing the second time. The event key of a posting
is `<event>/<reason>`; the caller's event names one change of one thing and is unique for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from hub.ports.store import Bucket, Micros, Position, Posting

Parts = Iterable[tuple[str, str, int]]
"""(sku, location, units per ordered unit)"""

PLACED = "placed"
CANCELLED = "cancelled"
SHIPPED = "shipped"
RESTOCKED = "restocked"
MOVED = "moved"
COUNTED = "counted"
ALREADY_COUNTED = "already-counted"
ADJUSTED = "adjusted"
ACKNOWLEDGED = "acknowledged"
RECEIVED = "received"


class Stand(Protocol):
    """Where a line stands, in ordered units; locations "" are the line's own."""

    @property
    def reserved(self) -> int: ...
    @property
    def shipped(self) -> Mapping[str, int]: ...
    @property
    def sellable(self) -> Mapping[str, int]: ...
    @property
    def damaged(self) -> Mapping[str, int]: ...


class Change(NamedTuple):
    """One difference, before rows of one reason and place are added up."""

    reason: str
    sku: str
    location: str
    bucket: Bucket
    delta: int


PositionOf = Callable[[str, str], Position]


def line_changes(parts: Parts, before: Stand, after: Stand) -> list[Change]:
    """From one stand of an order line to another: reserved at its location, the rest where it happened.

    A fall of the reservation is shipping as far as units left, cancelling beyond that.
    """
    parts = tuple(parts)
    moved = before.shipped or after.shipped or before.sellable or after.sellable or before.damaged or after.damaged
    if not moved:
        # The usual case, a reservation made or freed.
        held = after.reserved - before.reserved
        return _at(parts, "", Bucket.RESERVED, held, PLACED if held > 0 else CANCELLED) if held else []
    changes: list[Change] = []
    fall = before.reserved - after.reserved
    left = sum(after.shipped.values()) - sum(before.shipped.values())
    by_shipping = max(0, min(fall, left))
    if by_shipping:
        changes += _at(parts, "", Bucket.RESERVED, -by_shipping, SHIPPED)
    if fall - by_shipping:
        rest = fall - by_shipping
        changes += _at(parts, "", Bucket.RESERVED, -rest, CANCELLED if rest > 0 else PLACED)
    if after.shipped != before.shipped:
        changes += _by_place(parts, before.shipped, after.shipped, Bucket.ON_HAND, -1, SHIPPED)
    if after.sellable != before.sellable:
        changes += _by_place(parts, before.sellable, after.sellable, Bucket.ON_HAND, 1, RESTOCKED)
    if after.damaged != before.damaged:
        changes += _by_place(parts, before.damaged, after.damaged, Bucket.QUARANTINE, 1, RESTOCKED)
    return changes


def _at(parts: Iterable[tuple[str, str, int]], location: str, bucket: Bucket, units: int, reason: str) -> list[Change]:
    return [Change(reason, sku, location or own, bucket, units * each) for sku, own, each in parts]


def _by_place(
    parts: Iterable[tuple[str, str, int]],
    before: Mapping[str, int],
    after: Mapping[str, int],
    bucket: Bucket,
    sign: int,
    reason: str,
) -> list[Change]:
    changes: list[Change] = []
    for location in {**before, **after}:
        delta = after.get(location, 0) - before.get(location, 0)
        if delta:
            changes += _at(parts, location, bucket, sign * delta, reason)
    return changes


def postings(
    event: str, reference: str, effective_at: Micros, changes: Iterable[Change], position: PositionOf
) -> list[Posting]:
    """Ledger rows of one event, one per reason, SKU, location and bucket.

    A movement of on-hand stock that took effect before the place was last counted is in that count
    already: it is written with its opposite beside it, visible and without effect.
    """
    sums: dict[tuple[str, str, str, Bucket], int] = {}
    for reason, sku, location, bucket, delta in changes:
        key = (reason, sku, location, bucket)
        sums[key] = sums.get(key, 0) + delta
    rows: list[Posting] = []
    for (reason, sku, location, bucket), delta in sums.items():
        if not delta:
            continue
        rows.append(Posting(f"{event}/{reason}", sku, location, bucket, delta, reason, effective_at, reference))
        if bucket is Bucket.ON_HAND:
            counted = position(sku, location).counted_at
            if counted is not None and effective_at <= counted:
                key_ = f"{event}/{reason}/{ALREADY_COUNTED}"
                rows.append(Posting(key_, sku, location, bucket, -delta, ALREADY_COUNTED, effective_at, reference))
    return rows


def count(
    event: str, reference: str, position: Position, on_hand: int, as_of: Micros, moved_since: int
) -> Posting | None:
    """An absolute count, correct as of its time: `on_hand := counted + what moved after it`.

    Args:
        moved_since: Sum of on-hand postings effective after `as_of`.

    Returns:
        None when nothing changes: an older count than the last one, or one that finds what is held.
    """
    if position.counted_at is not None and as_of < position.counted_at:
        return None
    delta = on_hand + moved_since - position.on_hand
    if not delta and position.counted_at is not None:
        return None
    key = f"{event}/{COUNTED}"
    return Posting(key, position.sku, position.location, Bucket.ON_HAND, delta, COUNTED, as_of, reference, counted=True)


def damage(sku: str, location: str, units: int) -> list[Change]:
    """Units found damaged leave sellable stock for quarantine."""
    return [
        Change("damaged", sku, location, Bucket.ON_HAND, -units),
        Change("damaged", sku, location, Bucket.QUARANTINE, units),
    ]


class Expected(NamedTuple):
    """A purchase order line at our location, in eaches: promised by the supplier, and received."""

    acknowledged: int = 0
    received: int = 0

    @property
    def incoming(self) -> int:
        return max(0, self.acknowledged - self.received)


def purchase_changes(sku: str, location: str, before: Expected, after: Expected) -> list[Change]:
    """`incoming` follows what is promised and not yet here; what is received becomes on hand."""
    arrived = after.received - before.received
    promised = after.incoming - before.incoming
    changes: list[Change] = []
    if arrived:
        changes.append(Change(RECEIVED, sku, location, Bucket.ON_HAND, arrived))
    by_arrival = -max(0, min(arrived, -promised))
    if by_arrival:
        changes.append(Change(RECEIVED, sku, location, Bucket.INCOMING, by_arrival))
    if promised - by_arrival:
        changes.append(Change(ACKNOWLEDGED, sku, location, Bucket.INCOMING, promised - by_arrival))
    return changes
