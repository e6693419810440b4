"""Rows of parcels, their events and links to port objects and back, for both engines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from hub.ports.parcels import Book, ParcelAsked, ParcelEvent, ParcelLink, ParcelRow

PARCEL: Final = (
    "id", "number", "ordinal", "carrier", "parcel", "opened_at", "milestone", "condition", "action_required", "orphan",
    "closed", "return_number", "return_of", "shipped_at", "moved_at", "delivered_at", "expected_at", "heard_at",
    "pushed_at", "polled_at", "polls", "poll_rank", "poll_at", "watch_at", "watched_until", "told_by", "state", "rev",
)  # fmt: skip
EVENT: Final = ("number", "key", "parcel", "at", "place", "current", "document")
LINK: Final = ("number", "account", "kind", "document", "order_source_id", "carrier", "shipped_at", "parcel")
ASKED: Final = ("id", "polled_at", "polls", "poll_rank", "poll_at", "never", "watch_at", "watched_until", "closed")
_FLAGS: Final = {PARCEL.index("action_required"), PARCEL.index("orphan")}


def parcel_values(row: ParcelRow, rev: int) -> tuple[Any, ...]:
    """In the order of `PARCEL`, with the revision it will have."""
    values = [getattr(row, name) for name in PARCEL[:-1]]
    return (*(int(value) if place in _FLAGS else value for place, value in enumerate(values)), rev)


def parcel_from(row: Any) -> ParcelRow:
    values: list[Any] = [bool(row[place]) if place in _FLAGS else row[place] for place in range(len(PARCEL))]
    return ParcelRow(*values)


def event_values(row: ParcelEvent) -> tuple[Any, ...]:
    return (row.number, row.key, row.parcel, row.at, row.place, int(row.current), row.document)


def event_from(row: Any) -> ParcelEvent:
    return ParcelEvent(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6])


def link_values(row: ParcelLink) -> tuple[Any, ...]:
    return (row.number, row.account, row.kind, row.document, row.order, row.carrier, row.shipped_at, row.parcel)


def link_from(row: Any) -> ParcelLink:
    return ParcelLink(*row[: len(LINK)])


def asked_values(row: ParcelAsked) -> tuple[Any, ...]:
    """In the order of `ASKED`."""
    return (
        row.id, row.polled_at, row.polls, row.poll_rank, row.poll_at, int(row.never), row.watch_at, row.watched_until,
        row.closed,
    )  # fmt: skip


def books_of(parcels: Iterable[Any], events: Iterable[Any], links: Iterable[Any]) -> dict[str, Book]:
    """Rows as read, by their number; parcels in the order they were made."""
    lives: dict[str, list[ParcelRow]] = defaultdict(list)
    told: dict[str, list[ParcelEvent]] = defaultdict(list)
    named: dict[str, list[ParcelLink]] = defaultdict(list)
    for row in parcels:
        parcel = parcel_from(row)
        lives[parcel.number].append(parcel)
    for row in events:
        event = event_from(row)
        told[event.number].append(event)
    for row in links:
        link = link_from(row)
        named[link.number].append(link)
    return {
        number: Book(
            number,
            tuple(sorted(lives[number], key=lambda one: one.ordinal)),
            tuple(sorted(told[number], key=lambda one: (one.place, one.key))),
            tuple(sorted(named[number], key=lambda one: one.key)),
        )
        for number in {*lives, *told, *named}
    }
