"""Which events belong to one parcel. Numbers are recycled, so a number alone is no parcel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from canonical import TrackingUpdate, instant_of
from hub.tracking.fold import TERMINAL

GAP_MAX: Final = timedelta(days=90)
"""Silence after which a number is another parcel's. Source: FedEx keeps a parcel about 90 days (2026-11)."""
REUSED_AFTER: Final = timedelta(days=14)
"""How long after its end a number that starts again is taken to be used again."""

_FILLER: Final = re.compile(r"[\s\-–—.]+")
_ROUTED: Final = re.compile(r"420\d{5}(?:\d{4})?(9[1-5]\d{18,28})")
_STARTS: Final = frozenset({"label_created", "picked_up"})


@dataclass(frozen=True, slots=True)
class ParcelKey:
    """`parcel` is the carrier's own id, else the day of the first event, else "" while nothing is known."""

    carrier: str
    number: str
    parcel: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """The events of one parcel, in the order told; `hub.tracking.folded` gives its state."""

    key: ParcelKey
    updates: tuple[TrackingUpdate, ...]


def normalized_number(number: str) -> str:
    """A tracking number to compare by: no spaces or dashes, upper case, without USPS's routing prefix.

    A 420 and a ZIP code in front of a number of the Postal Service (91 to 95) route the parcel and are
    left out on most screens. Source: USPS Publication 199, IMpb construct (2026-10).
    """
    text = _FILLER.sub("", number).upper()
    routed = _ROUTED.fullmatch(text)
    # 30 and 34 digits are the lengths with 5 and 9 digits of ZIP; a longer core only comes with 5.
    return routed[1] if routed and len(routed[1]) in {20, 22, 26} else text


def parcels_of(updates: Iterable[TrackingUpdate]) -> list[Parcel]:
    """Events by parcel, in the order the parcels first appear.

    Where a source gives parcel ids of its own they decide. Events without one (a push beside a poll)
    join the parcel of their number that was under way at the time; where nobody gives ids, silence of
    `GAP_MAX`, or a new start `REUSED_AFTER` the end, makes a new parcel.
    """
    numbers: dict[tuple[str, str], list[TrackingUpdate]] = {}
    for update in updates:
        numbers.setdefault((update.carrier, normalized_number(update.tracking_number or "")), []).append(update)
    _join_unheard(numbers)
    return [parcel for (carrier, number), told in numbers.items() for parcel in _of_number(carrier, number, told)]


def family(carrier: str) -> str:
    """The company: its services share its numbers (`fedex_ground_economy` and `fedex`)."""
    return carrier.split("_", 1)[0]


def is_dated(update: TrackingUpdate) -> bool:
    """It says when something happened, so that it is of one parcel's life and no other's."""
    return update.at is not None or update.local_time is not None


def _join_unheard(numbers: dict[tuple[str, str], list[TrackingUpdate]]) -> None:
    """What only says that nothing is known goes to what the same company tells of the number under another name.

    DHL says of which of its services a number is once it knows the number, and an aggregator of which carrier.
    """
    heard = [name for name, told in numbers.items() if any(map(is_dated, told))]
    for name in [name for name in numbers if name not in heard]:
        carrier, number = name
        same = (
            one for one in heard if one[1] == number and (carrier == "unknown" or family(one[0]) == family(carrier))
        )
        home = next(same, None)
        if home is not None:
            numbers[home] = [*numbers.pop(name), *numbers[home]]


def _of_number(carrier: str, number: str, told: Sequence[TrackingUpdate]) -> list[Parcel]:
    named: dict[tuple[str, str], list[TrackingUpdate]] = {}
    unnamed: list[TrackingUpdate] = []
    for update in told:
        if update.parcel:
            named.setdefault((update.source.connector, update.parcel), []).append(update)
        else:
            unnamed.append(update)
    if not named:
        return [Parcel(ParcelKey(carrier, number, _first_day(group)), tuple(group)) for group in _by_silence(unnamed)]
    parcels = _one_per_life(named)
    for update in unnamed:
        parcels[_under_way(update, parcels)].append(update)
    return [Parcel(ParcelKey(carrier, number, parcel), tuple(group)) for parcel, group in parcels.items()]


def _one_per_life(named: Mapping[tuple[str, str], list[TrackingUpdate]]) -> dict[str, list[TrackingUpdate]]:
    """Every source has ids of its own; what two of them call differently at the same time is one parcel.

    Two ids of one source stay two parcels. The id whose events begin first names the parcel.
    """
    lives: list[tuple[set[str], list[str], list[TrackingUpdate]]] = []
    first = sorted(named, key=lambda name: (min(map(happened_at, named[name])), name))
    for connector, parcel in first:
        updates = named[connector, parcel]
        # The same id, whoever passes it on, is the same parcel; else another source's that lived then.
        home = next((life for life in lives if parcel in life[1]), None) or next(
            (life for life in lives if connector not in life[0] and _apart(updates, life[2]) <= REUSED_AFTER), None
        )
        if home is None:
            lives.append(({connector}, [parcel], list(updates)))
        else:
            home[0].add(connector)
            home[1].append(parcel)
            home[2].extend(updates)
    return {parcels[0]: updates for _, parcels, updates in lives}


def _apart(some: Sequence[TrackingUpdate], others: Sequence[TrackingUpdate]) -> timedelta:
    mine, theirs = [happened_at(update) for update in some], [happened_at(update) for update in others]
    return max(min(mine) - max(theirs), min(theirs) - max(mine), timedelta())


def _under_way(update: TrackingUpdate, named: dict[str, list[TrackingUpdate]]) -> str:
    """The parcel whose events lie nearest in time."""
    moment = happened_at(update)

    def distance(parcel: str) -> timedelta:
        times = [happened_at(other) for other in named[parcel]]
        return max(min(times) - moment, moment - max(times), timedelta())

    return min(named, key=distance)


def _by_silence(updates: Sequence[TrackingUpdate]) -> list[list[TrackingUpdate]]:
    """Groups of events; a latest-status block belongs to the parcel it was told with."""
    scans = sorted((update for update in updates if not update.current), key=happened_at)
    groups: list[list[TrackingUpdate]] = []
    ended: datetime | None = None
    for scan in scans:
        moment = happened_at(scan)
        if not groups or _is_another(scan, moment, happened_at(groups[-1][-1]), ended):
            groups.append([])
            ended = None
        groups[-1].append(scan)
        if scan.milestone in TERMINAL:
            ended = moment
    for block in (update for update in updates if update.current):
        _group_of(block, groups).append(block)
    return groups


def _is_another(scan: TrackingUpdate, moment: datetime, last: datetime, ended: datetime | None) -> bool:
    if moment - last > GAP_MAX:
        return True
    return ended is not None and scan.milestone in _STARTS and moment - ended > REUSED_AFTER


def _group_of(block: TrackingUpdate, groups: list[list[TrackingUpdate]]) -> list[TrackingUpdate]:
    if not groups:
        groups.append([])
    digest = block.source.digest
    for group in reversed(groups):
        if digest is not None and any(update.source.digest == digest for update in group):
            return group
    return groups[-1]


def happened_at(update: TrackingUpdate) -> datetime:
    """Good to within a day, which is all that telling parcels apart needs."""
    if update.at is not None:
        return instant_of(update.at)
    if update.local_time is not None:
        return datetime.fromisoformat(update.local_time).replace(tzinfo=UTC)
    return update.source.received_at or datetime(1970, 1, 1, tzinfo=UTC)


def _first_day(updates: Sequence[TrackingUpdate]) -> str:
    stated = [update for update in updates if is_dated(update)]
    if not stated:
        return ""
    first = min(stated, key=happened_at)
    day: date | None = first.at
    return (first.local_time or ("" if day is None else day.isoformat()))[:10]
