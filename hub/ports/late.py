"""What is late: orders past their promise, parcels nobody has scanned, deliveries after the promised day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Micros = int
LateKind = Literal["unshipped", "unscanned", "delivered_late"]


@dataclass(frozen=True, slots=True)
class LateRow:
    """One thing that is late. A promise that is a day is over with that day, UTC.

    `due_at` is when the promise, or for `unscanned` the patience, was over; `at` when it was kept after all
    (delivered), null while it is not. `parcel` and `number` are null for an order that has not left.
    """

    kind: LateKind
    account: str
    order: str | None
    order_number: str
    due_at: Micros
    at: Micros | None = None
    placed_at: Micros | None = None
    promised: str | None = None
    parcel: str | None = None
    number: str | None = None
    carrier: str | None = None


@dataclass(frozen=True, slots=True)
class LateCounts:
    """One account's orders that are still to ship, against what was promised, and its late parcels.

    `unpromised`: the channel states no day; `soon`: due within a day. `oldest_at` is when the oldest was placed.
    """

    account: str
    to_ship: int = 0
    oldest_at: Micros | None = None
    unshipped: int = 0
    soon: int = 0
    unpromised: int = 0
    unscanned: int = 0
    delivered_late: int = 0
