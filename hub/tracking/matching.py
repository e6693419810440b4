"""Which shipment travels in which parcel, when several parcels have had the same number.

Decided from everything known of the number at once, so that the answer does not depend on what came first:
the shipment, the carrier's first scan, or a recycled number's old history.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from canonical import TrackingUpdate
from hub.tracking.parcels import (
    GAP_MAX,
    REUSED_AFTER,
    Parcel,
    ParcelKey,
    family,
    happened_at,
    is_dated,
    parcels_of,
)

LABEL_AHEAD_MAX: Final = GAP_MAX
"""How long before the first scan a shipment may have been announced."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A package with this number on its label: `reference` names whose, `carrier` is null where nobody knows."""

    reference: Hashable
    carrier: str | None
    shipped_at: datetime


@dataclass(frozen=True, slots=True)
class Matched:
    """One parcel with what it carries. Without `updates` no carrier has told of it yet."""

    key: ParcelKey
    updates: tuple[TrackingUpdate, ...]
    sent: tuple[Sent, ...]


def matched(number: str, updates: Iterable[TrackingUpdate], sent: Sequence[Sent]) -> list[Matched]:
    """The parcels of one number. `updates` are in the order told.

    A shipment belongs to the parcel that was under way when it left: the nearest in time of those the same
    company moves, else of any, because sellers mistake the carrier far more often than a carrier's number is
    another one's at the same time; and one that is told of before one its carrier knows nothing of. What no
    carrier has told of yet is a parcel of its own.
    """
    known = parcels_of(updates)
    carried: list[list[Sent]] = [[] for _ in known]
    waiting: list[Sent] = []
    for package in sorted(sent, key=_order):
        place = _home(package, known)
        (waiting if place is None else carried[place]).append(package)
    found = [
        Matched(parcel.key, parcel.updates, tuple(packages)) for parcel, packages in zip(known, carried, strict=True)
    ]
    return [*found, *_unheard(number, waiting)]


def _order(package: Sent) -> tuple[datetime, str]:
    return (package.shipped_at, str(package.reference))


def _home(package: Sent, known: Sequence[Parcel]) -> int | None:
    near: list[tuple[bool, bool, timedelta, int]] = []
    for place, parcel in enumerate(known):
        distance = _distance(package.shipped_at, parcel.updates)
        if distance is not None:
            stranger = package.carrier is not None and family(package.carrier) != family(parcel.key.carrier)
            near.append((not any(map(is_dated, parcel.updates)), stranger, distance, place))
    return min(near)[-1] if near else None


def _distance(shipped_at: datetime, updates: Sequence[TrackingUpdate]) -> timedelta | None:
    """How far from the parcel's life the shipment left; None when it cannot be this parcel."""
    times = [happened_at(update) for update in updates if is_dated(update)]
    if not times:
        # The carrier only said that it knows nothing: that is of whatever is under way.
        return timedelta()
    first, last = min(times), max(times)
    if shipped_at > last + REUSED_AFTER or shipped_at < first - LABEL_AHEAD_MAX:
        return None
    return max(first - shipped_at, shipped_at - last, timedelta())


def _unheard(number: str, waiting: Sequence[Sent]) -> list[Matched]:
    """Packages nobody has told of: one parcel per company, and per `GAP_MAX` of silence."""
    groups: dict[str, list[list[Sent]]] = {}
    for package in waiting:
        of_company = groups.setdefault(family(package.carrier or ""), [])
        if of_company and package.shipped_at - of_company[-1][-1].shipped_at <= GAP_MAX:
            of_company[-1].append(package)
        else:
            of_company.append([package])
    return [
        Matched(ParcelKey(next((one.carrier for one in group if one.carrier), ""), number, ""), (), tuple(group))
        for of_company in groups.values()
        for group in of_company
    ]
