"""Stock that is on order, by SKU: what the ledger calls incoming, with the day each part of it is due.

Kept in one row per SKU beside the ledger, because a position is a sum and forgets the days. Available to promise
counts what is due in time (`availability.incoming_within`): not later than that, and not late already. What is late
is promised to nobody until the supplier names a new day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.ports.store import Micros

EXPECTED = "expected_stock"
"""document type of a SKU's row, keyed by the SKU"""

_SECOND: Micros = 1_000_000


def row_id(sku: str) -> str:
    """The id of a SKU's stored row."""
    return f"{EXPECTED}:{sku}"


class Expected(NamedTuple):
    """Units of one order line still to come to a location of ours; `at` None: no day is known."""

    order: str
    line: str
    location: str
    quantity: int
    at: Micros | None


def load(text: str | None) -> tuple[Expected, ...]:
    return () if text is None else tuple(Expected(*row) for row in json.loads(text)["parts"])


def dump(parts: Iterable[Expected]) -> str:
    return json.dumps({"parts": [list(part) for part in parts]}, separators=(",", ":"))


def with_order(parts: Iterable[Expected], order: str, fresh: Iterable[Expected]) -> tuple[Expected, ...]:
    """The row with one order's parts replaced."""
    kept = [part for part in parts if part.order != order]
    return tuple(sorted([*kept, *fresh], key=lambda part: (part.order, part.line, part.at is None, part.at or 0)))


def in_time(parts: Iterable[Expected], now: Micros, within_s: float) -> Mapping[str, int]:
    """By location, units due from now on and within that many seconds."""
    until = now + round(within_s * _SECOND)
    units: dict[str, int] = {}
    for part in parts:
        if part.at is not None and now < part.at <= until:
            units[part.location] = units.get(part.location, 0) + part.quantity
    return units


def moved(parts: Iterable[Expected], before: Micros, now: Micros, within_s: float) -> bool:
    """Whether what is due in time has changed between two looks without anything having happened."""
    parts = tuple(parts)
    return in_time(parts, before, within_s) != in_time(parts, now, within_s)
