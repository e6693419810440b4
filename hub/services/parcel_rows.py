"""A parcel's events folded into the row that is stored: where it is, when it is asked about next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import orjson

from canonical import TrackingUpdate, instant_of, instant_text
from hub.ports.parcels import Micros, ParcelLink, ParcelRow
from hub.services.moments import micros, moment
from hub.services.tracked_people import FORGOTTEN
from hub.tracking import ParcelKey, ParcelState, folded, linked
from hub.tracking.polling import Asking, Seen, asking

NAMES = "names"
"""Where the row's `state` holds what each vendor calls the parcel."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Who told in this unit, and when last."""

    account: str = ""
    at: Micros | None = None
    pushed_at: Micros | None = None

    def plus(self, account: str, at: Micros, *, pushed: bool) -> Heard:
        latest = max(self.at or 0, at)
        return Heard(account, latest, max(self.pushed_at or 0, at) if pushed else self.pushed_at)


@dataclass(frozen=True)
class Piece:
    """One parcel with everything that belongs to it; `known` is its row as stored."""

    id: str
    ordinal: int
    key: ParcelKey
    updates: tuple[TrackingUpdate, ...]
    links: tuple[ParcelLink, ...]
    known: ParcelRow | None
    heard: Heard = field(default_factory=Heard)
    warning: str = ""

    @cached_property
    def state(self) -> ParcelState:
        return folded(self.updates)


def pieces_rows(pieces: Sequence[Piece], now: Micros) -> dict[str, ParcelRow]:
    """The rows of all parcels of a unit, by id; those that come back under another number are told by it."""
    states = linked({_unique(piece): piece.state for piece in pieces})
    outbound: dict[tuple[str, str], str] = {
        (piece.key.carrier, piece.state.return_number): piece.id for piece in pieces if piece.state.return_number
    }
    rows: dict[str, ParcelRow] = {}
    for piece in pieces:
        back_of = outbound.get((piece.key.carrier, piece.key.number))
        rows[piece.id] = row_of(piece, states[_unique(piece)], None if back_of == piece.id else back_of, now)
    return rows


def _unique(piece: Piece) -> ParcelKey:
    """Two lives of a number differ in their parcel, which need not be known yet."""
    return replace(piece.key, parcel=f"{piece.key.parcel}/{piece.ordinal}")


def row_of(piece: Piece, state: ParcelState, return_of: str | None, now: Micros) -> ParcelRow:
    known = piece.known
    history = state.history
    shipped = min((link.shipped_at for link in piece.links), default=None)
    first = micros(history[0].ordered_at) if history else None
    begun = min(at for at in (shipped, first, known.opened_at if known else None, now) if at is not None)
    heard = piece.heard if piece.updates else Heard()
    row = ParcelRow(
        id=piece.id,
        number=piece.key.number,
        ordinal=piece.ordinal,
        carrier=piece.key.carrier,
        parcel=piece.key.parcel,
        opened_at=begun,
        milestone=state.milestone,
        condition=state.condition,
        action_required=state.action_required,
        orphan=not piece.links and return_of is None,
        return_number=state.return_number,
        return_of=return_of,
        shipped_at=shipped,
        moved_at=micros(history[-1].ordered_at) if history else None,
        delivered_at=_instant(state.delivered_at),
        expected_at=None if state.estimated_delivery is None else micros(instant_of(state.estimated_delivery)),
        heard_at=max(heard.at or 0, (known.heard_at if known else None) or 0) or None,
        pushed_at=max(heard.pushed_at or 0, (known.pushed_at if known else None) or 0) or None,
        polled_at=known.polled_at if known else None,
        polls=0 if known is None or state.milestone not in (None, "unknown") else known.polls,
        watch_at=known.watch_at if known else begun,
        watched_until=known.watched_until if known else None,
        told_by=heard.account or (known.told_by if known else ""),
        state=_state_text(piece, state),
        rev=known.rev if known else 0,
    )
    return scheduled(row, now)


def scheduled(row: ParcelRow, now: Micros) -> ParcelRow:
    """The row with the time of the next question. Nobody asks about a parcel that is none of ours."""
    answer = asking(seen_of(row, now), moment(now))
    if row.orphan:
        answer = Asking(answer.rank, None, answer.closed)
    at = None if answer.at is None else micros(answer.at)
    watch = row.watch_at if not answer.closed and not row.orphan else None
    if watch is None and not answer.closed and not row.orphan and row.watched_until is None:
        watch = now
    return replace(row, poll_rank=answer.rank, poll_at=at, closed=answer.closed, watch_at=watch)


def seen_of(row: ParcelRow, now: Micros) -> Seen:
    """A stored row as the rhythm of asking sees it."""
    told = orjson.loads(row.state)
    offset = timedelta(minutes=told.get("offset_min", 0))
    return Seen(
        opened_at=moment(row.opened_at),
        milestone=row.milestone,  # type: ignore[arg-type]
        condition=row.condition,  # type: ignore[arg-type]
        action_required=row.action_required,
        moved_at=_moment(row.moved_at),
        expected_on=_day(row.expected_at, told.get("estimated_delivery"), offset),
        delivered_at=_moment(row.delivered_at),
        asked_at=_moment(row.polled_at),
        heard_at=_moment(row.heard_at),
        told_at=_moment(row.pushed_at),
        nothing=row.polls,
        watched=row.watched_until is not None and row.watched_until > now,
        offset=offset,
    )


def _day(at: Micros | None, stated: str | None, offset: timedelta) -> date | None:
    """The day an estimate names: of an instant, the day it is at the place scanned last."""
    if at is None:
        return None
    return (moment(at) + offset if "T" in (stated or "") else moment(at)).date()


def _moment(at: Micros | None) -> datetime | None:
    return None if at is None else moment(at)


def _state_text(piece: Piece, state: ParcelState) -> str:
    """What is shown and not searched for; members that say nothing are left out."""
    known: Mapping[str, object] = orjson.loads(piece.known.state) if piece.known else {}
    stated = {
        "at": _text(state.at),
        "local_time": state.local_time,
        "estimated_delivery": _text(state.estimated_delivery),
        "reached": {str(name): at for name, at in state.reached.items()},
        "corrected": state.corrected,
        "warning": piece.warning or known.get("warning"),
        NAMES: _names(piece.updates),
        "text": next((event.update.text_raw for event in reversed(state.history) if event.update.text_raw), None),
        "offset_min": _offset_min(state),
        FORGOTTEN: known.get(FORGOTTEN),
    }
    return orjson.dumps({name: value for name, value in stated.items() if value}).decode()


def _names(updates: Sequence[TrackingUpdate]) -> dict[str, dict[str, str]]:
    """By connector, what that vendor calls the parcel and its carrier; what it said last counts."""
    found: dict[str, dict[str, str]] = {}
    for update in updates:
        said = {"parcel": update.parcel, "carrier_raw": update.carrier_raw}
        stated = {name: value for name, value in said.items() if value}
        if stated:
            found.setdefault(update.source.connector, {}).update(stated)
    return found


def _offset_min(state: ParcelState) -> int:
    """The offset of the place it was scanned last, 0 where no scan states both clocks."""
    for event in reversed(state.history):
        update = event.update
        if isinstance(update.at, datetime) and update.local_time is not None:
            wall = datetime.fromisoformat(update.local_time).replace(tzinfo=UTC)
            return round((wall - update.at) / timedelta(minutes=1))
    return 0


def _text(at: date | None) -> str | None:
    if at is None:
        return None
    return instant_text(at) if isinstance(at, datetime) else at.isoformat()


def _instant(stated: str | None) -> Micros | None:
    """A stated time as an instant, good to a day where the carrier states no offset."""
    if not stated:
        return None
    found = datetime.fromisoformat(stated)
    return micros(found if found.tzinfo else found.replace(tzinfo=UTC))
