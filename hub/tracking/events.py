"""One carrier event: its identity over re-sends, and its place among the others of its parcel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from canonical import TrackingUpdate, instant_of, instant_text

Oddity = Literal["in_the_future", "before_the_label"]

AHEAD_MAX: Final = timedelta(minutes=10)
"""How far a carrier's clock may run ahead of ours before an event is marked."""
OFFSET_MAX: Final = timedelta(hours=14)
"""No place's clocks are further ahead of UTC."""
BEFORE_LABEL_MAX: Final = timedelta(days=1)
"""Labels are printed late; what happened longer before belongs to another parcel or a wrong clock."""

RANK: Final = {
    "unknown": 0,
    "label_created": 1,
    "picked_up": 2,
    "in_transit": 3,
    "out_for_delivery": 4,
    "delivery_attempted": 5,
    "available_for_pickup": 6,
    "returning": 7,
    "delivered": 8,
    "returned": 8,
    "failed": 8,
    "cancelled": 8,
}
"""How far along a milestone is. It orders only what no clock orders: facts of one day without a time."""


@dataclass(frozen=True, slots=True)
class TrackedEvent:
    """An event with the instant it is ordered by.

    `ordered_at` is an estimate for ordering and never shown: a time without an offset borrows one
    from the parcel's other events. `oddity` marks a time that cannot be right; the event is kept.
    """

    update: TrackingUpdate
    key: str
    ordered_at: datetime
    oddity: Oddity | None = None


def event_key(update: TrackingUpdate) -> str:
    """What stays equal when a provider sends an event again: carrier, parcel, code, local time, place.

    Texts are left out, because providers word the same scan anew; so is UTC, which some work out
    differently each time. The place is the town where one is stated, because a push and a poll of one
    carrier describe it otherwise in different detail. An event without code goes by its text, one
    without local time by UTC.
    """
    place = update.location
    where = "" if place is None else place.city or place.facility or place.postal_code or place.raw or ""
    parts = (
        update.carrier,
        update.parcel or update.tracking_number or "",
        update.code_raw or (update.text_raw or "").strip().casefold(),
        update.local_time or _moment(update.at),
        where.strip().casefold(),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _moment(at: date | None) -> str:
    if at is None:
        return ""
    return instant_text(at) if isinstance(at, datetime) else at.isoformat()


def merged(updates: Iterable[TrackingUpdate]) -> list[TrackingUpdate]:
    """The scans among `updates`, each once, in the order first told; latest-status blocks are left out.

    Of several tellings of one event the last received that moves anything counts, so that a corrected
    mapping, replayed, corrects what was stored; it keeps the time the event was first heard of.
    """
    found: dict[str, TrackingUpdate] = {}
    for update in updates:
        if update.current:
            continue
        key = event_key(update)
        known = found.get(key)
        found[key] = update if known is None else _told_again(known, update)
    return list(found.values())


def _told_again(known: TrackingUpdate, update: TrackingUpdate) -> TrackingUpdate:
    """The better telling of one event, received when we first heard of it: a re-send is no news."""
    better = max(known, update, key=_worth)
    first = min(received_at(known), received_at(update))
    if received_at(better) == first:
        return better
    return better.model_copy(update={"source": better.source.model_copy(update={"received_at": first})})


def _worth(update: TrackingUpdate) -> tuple[bool, datetime, int]:
    return (update.milestone is not None, received_at(update), RANK[update.milestone or "unknown"])


def in_order(updates: Iterable[TrackingUpdate]) -> list[TrackedEvent]:
    """Scans, each once, by when they happened: ties and pure dates by how far along they are, then as told."""
    scans = merged(updates)
    offsets = [(instant, update) for update in scans if (instant := _exact(update)) is not None and update.local_time]
    least = timedelta() if offsets else _least_offset(scans)
    timed = [_timed(update, offsets, least) for update in scans]
    placed = [event if event.update.precision != "date" else _dated(event, timed) for event in timed]
    ranked = sorted(enumerate(placed), key=lambda pair: (pair[1].ordered_at, _rank(pair[1].update), pair[0]))
    return _marked([event for _, event in ranked])


def _exact(update: TrackingUpdate) -> datetime | None:
    return update.at if isinstance(update.at, datetime) else None


def _least_offset(scans: Iterable[TrackingUpdate]) -> timedelta:
    """How far ahead of UTC the clocks without an offset must be: nothing is told of before it has happened."""
    naive = [update for update in scans if update.precision != "date" and _exact(update) is None]
    ahead = [wall - received_at(update) for update in naive if (wall := _wall(update)) is not None]
    return max((span for span in ahead if timedelta() < span <= OFFSET_MAX), default=timedelta())


def _timed(
    update: TrackingUpdate, offsets: Sequence[tuple[datetime, TrackingUpdate]], least: timedelta
) -> TrackedEvent:
    """The event at its own instant, or at its wall clock's with an offset borrowed from the parcel."""
    instant = _exact(update)
    if instant is None:
        wall = _wall(update)
        instant = received_at(update) if wall is None else wall - _borrowed_offset(wall, update, offsets, least)
    received = update.source.received_at
    if received is not None and instant > received + AHEAD_MAX and update.precision != "date":
        return TrackedEvent(update, event_key(update), received, "in_the_future")
    return TrackedEvent(update, event_key(update), instant)


def _wall(update: TrackingUpdate) -> datetime | None:
    """The local time as if it were UTC."""
    if update.local_time is not None:
        return datetime.fromisoformat(update.local_time).replace(tzinfo=UTC)
    return None if update.at is None else instant_of(update.at)


def received_at(update: TrackingUpdate) -> datetime:
    """For an event that states no time at all: it is no newer than when we heard of it."""
    return update.source.received_at or datetime(1970, 1, 1, tzinfo=UTC)


def _borrowed_offset(
    wall: datetime, update: TrackingUpdate, offsets: Sequence[tuple[datetime, TrackingUpdate]], least: timedelta
) -> timedelta:
    """The offset in force at the same place, else at the event nearest in time; `least` when nobody states one."""
    city = update.location.city if update.location else None

    def distance(pair: tuple[datetime, TrackingUpdate]) -> tuple[bool, timedelta]:
        place = pair[1].location
        return (city is None or place is None or place.city != city, abs(_as_wall(pair[1]) - wall))

    nearest = min(offsets, key=distance, default=None)
    return least if nearest is None else _as_wall(nearest[1]) - nearest[0]


def _as_wall(update: TrackingUpdate) -> datetime:
    return datetime.fromisoformat(str(update.local_time)).replace(tzinfo=UTC)


def _dated(event: TrackedEvent, timed: Sequence[TrackedEvent]) -> TrackedEvent:
    """A fact of a day without a time stands after what precedes it in a parcel's life on that day."""
    day = (event.update.local_time or str(event.update.at))[:10]
    earlier = [
        other.ordered_at
        for other in timed
        if other.update.precision != "date"
        and (other.update.local_time or _moment(other.update.at))[:10] == day
        and other.update.milestone is not None
        and _rank(other.update) < _rank(event.update)
    ]
    return TrackedEvent(event.update, event.key, max([event.ordered_at, *earlier]), event.oddity)


def _rank(update: TrackingUpdate) -> int:
    """Of events at one instant, those that move nothing come last, so that they show as the latest."""
    return 9 if update.milestone is None else RANK[update.milestone]


def _marked(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    labels = [event.ordered_at for event in events if event.update.milestone == "label_created"]
    if not labels:
        return list(events)
    earliest = max(labels) - BEFORE_LABEL_MAX
    return [
        TrackedEvent(event.update, event.key, event.ordered_at, "before_the_label")
        if event.oddity is None and event.ordered_at < earliest and event.update.milestone != "label_created"
        and event.update.precision != "date"
        else event
        for event in events
    ]  # fmt: skip
