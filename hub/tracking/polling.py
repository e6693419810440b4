"""When a carrier is asked of a parcel next, how much it matters, and when nobody asks any more.

No carrier publishes a rhythm for asking; these spans follow what carriers do in a day and what they allow
in calls. Pushes come first: a parcel that is told of by itself is asked about once a day, to reconcile.
Source: contracts of UPS, FedEx, USPS, DHL and the aggregators as read in 2026-11 (retention of numbers: FedEx
about 90 days, UPS about 120).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from canonical.codes import Condition, Milestone
from hub.tracking.fold import TERMINAL

Closed = Literal["", "delivered", "returned", "failed", "cancelled", "silent", "not_found", "old"]

FIRST: Final = 0
"""Due today, out for delivery, in trouble: what a customer asks about today."""
SOON: Final = 1
"""Waiting at a door or a counter."""
MOVING: Final = 2
QUIET: Final = 3
"""Not begun, not known, going back."""

OLD_AFTER: Final = timedelta(days=120)
SILENT_AFTER: Final = timedelta(days=45)
"""A parcel that no carrier has said anything new of for so long will not be told of by asking."""
NOT_FOUND_AFTER: Final = timedelta(days=10)
CONFIRMED_AFTER: Final = timedelta(hours=24)
"""A delivery is asked about once more, because carriers correct wrong ones within a day."""

_RECONCILE: Final = timedelta(hours=24)
_RECONCILE_FIRST: Final = timedelta(hours=6)
"""Of a parcel a customer asks about today, although its carrier tells by itself."""
_URGENT: Final = timedelta(minutes=45)
_SPANS: Final[Mapping[Milestone, tuple[int, timedelta]]] = {
    "unknown": (QUIET, timedelta(hours=6)),
    "label_created": (QUIET, timedelta(hours=6)),
    "picked_up": (MOVING, timedelta(hours=5)),
    "in_transit": (MOVING, timedelta(hours=5)),
    "out_for_delivery": (FIRST, _URGENT),
    "delivery_attempted": (SOON, timedelta(hours=6)),
    "available_for_pickup": (SOON, timedelta(hours=6)),
    "returning": (QUIET, timedelta(hours=24)),
}
_LABEL_DAILY_AFTER: Final = timedelta(days=3)
_TROUBLE: Final = timedelta(hours=6)
_EASY: Final = frozenset({"customs_cleared", "handed_to_partner", "partial", "signature_required"})
"""Conditions that are no trouble."""
_UNKNOWN_QUICK: Final = 6
"""Answers that know nothing before it is asked less often."""
_UNKNOWN_FIRST: Final = timedelta(hours=2)
_UNKNOWN_LATER: Final = timedelta(hours=12)
_AWAKE: Final = (time(8), time(21))
"""Nothing is delivered outside these hours, so nothing urgent is asked then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a parcel decides about asking. `asked_at` and `heard_at` are the last time we asked and were told.

    `told_at` is the last time somebody told by itself, `watched` that a carrier was asked to. `nothing` counts
    answers in a row that knew nothing.
    `offset` is that of the place it was scanned last, for the hours of the day there.
    """

    opened_at: datetime
    milestone: Milestone | None
    condition: Condition | None = None
    action_required: bool = False
    moved_at: datetime | None = None
    expected_on: date | None = None
    delivered_at: datetime | None = None
    asked_at: datetime | None = None
    heard_at: datetime | None = None
    told_at: datetime | None = None
    nothing: int = 0
    watched: bool = False
    offset: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Asking:
    """`at` null: never again. `closed` says why, "" while the parcel is open."""

    rank: int = QUIET
    at: datetime | None = None
    closed: Closed = ""


def asking(seen: Seen, now: datetime) -> Asking:
    """When to ask next and how much it matters; an instant in the past is due now."""
    ended = _ended(seen, now)
    if ended is not None:
        return ended
    rank, span = _rhythm(seen, now)
    last = max((at for at in (seen.asked_at, seen.heard_at) if at is not None), default=None)
    at = seen.opened_at if last is None else last + span
    if last is not None and _is_told(seen, now):
        # It is told of by itself: asking only finds out what was lost on the way.
        at = max(at, last + (_RECONCILE_FIRST if rank == FIRST else _RECONCILE))
    due_day = _due_day(seen)
    if due_day is not None and at > due_day and (last is None or last < due_day):
        rank, at = FIRST, due_day
    if rank == FIRST:
        at = _awake(at, seen.offset)
    return Asking(rank, at)


def _is_told(seen: Seen, now: datetime) -> bool:
    return seen.watched or (seen.told_at is not None and now - seen.told_at < 2 * _RECONCILE)


def _ended(seen: Seen, now: datetime) -> Asking | None:
    milestone = seen.milestone
    if milestone == "delivered":
        delivered = seen.delivered_at or seen.heard_at or seen.opened_at
        confirm = delivered + CONFIRMED_AFTER
        checked = max((at for at in (seen.asked_at, seen.told_at) if at is not None), default=None)
        if now - delivered > timedelta(days=7) or (checked is not None and checked >= confirm):
            return Asking(closed="delivered")
        return Asking(MOVING, confirm)
    if milestone in TERMINAL:
        return Asking(closed=milestone)  # type: ignore[arg-type]
    if now - seen.opened_at >= OLD_AFTER:
        return Asking(closed="old")
    unheard = milestone in (None, "unknown")
    if unheard and seen.nothing and now - seen.opened_at >= NOT_FOUND_AFTER:
        return Asking(closed="not_found")
    if not unheard and seen.moved_at is not None and now - max(seen.moved_at, seen.opened_at) >= SILENT_AFTER:
        return Asking(closed="silent")
    return None


def _rhythm(seen: Seen, now: datetime) -> tuple[int, timedelta]:
    milestone: Milestone = seen.milestone or "unknown"
    rank, span = _SPANS.get(milestone, (QUIET, timedelta(hours=24)))
    if milestone == "unknown" and seen.nothing:
        span = _UNKNOWN_FIRST if seen.nothing < _UNKNOWN_QUICK else _UNKNOWN_LATER
    if milestone == "label_created" and now - seen.opened_at > _LABEL_DAILY_AFTER:
        span = timedelta(hours=24)
    if seen.action_required or (seen.condition is not None and seen.condition not in _EASY):
        rank, span = FIRST, min(span, _TROUBLE)
    elif is_due(seen, now) and rank in (MOVING, SOON):
        rank, span = FIRST, _URGENT
    return rank, span


def is_due(seen: Seen, now: datetime) -> bool:
    """It is to arrive today or should have arrived, by the clock of the place it was scanned last."""
    if seen.expected_on is None:
        return False
    return seen.expected_on <= (now + seen.offset).date() <= seen.expected_on + timedelta(days=3)


def _due_day(seen: Seen) -> datetime | None:
    """The morning of the day it is to arrive, there."""
    if seen.expected_on is None or seen.milestone not in ("picked_up", "in_transit"):
        return None
    return datetime.combine(seen.expected_on, _AWAKE[0], UTC) - seen.offset


def _awake(at: datetime, offset: timedelta) -> datetime:
    """The same instant, or the next morning there when it falls into the night."""
    local = at + offset
    if local.time() >= _AWAKE[1]:
        return datetime.combine(local.date() + timedelta(days=1), _AWAKE[0], UTC) - offset
    if local.time() < _AWAKE[0]:
        return datetime.combine(local.date(), _AWAKE[0], UTC) - offset
    return at


def calls_a_day(rank: int) -> float:
    """How often a parcel of this rank wants to be asked about, for saying what a quota does not cover.

    A parcel of the first rank rests at night.
    """
    awake = timedelta(hours=_AWAKE[1].hour - _AWAKE[0].hour)
    spans: Mapping[int, float] = {FIRST: awake / _URGENT, SOON: 4.0, MOVING: 24 / 5, QUIET: 2.0}
    return spans.get(rank, 1.0)
