"""What one unit of work learns of tracking numbers, put into each number's book when the unit is decided.

Nothing is decided while things are told: which parcel an event or a shipment belongs to follows from the
whole book (`hub.tracking.matched`), so the order in which they come does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from canonical import TrackingUpdate, document_id
from hub.orders.facts import TrackingFacts
from hub.ports.parcels import Book, BookChange, LinkKey, Micros, ParcelEvent, ParcelLink, ParcelRow
from hub.ports.store import State
from hub.services.moments import micros, moment
from hub.services.parcel_rows import Heard, Piece, pieces_rows
from hub.tracking import Matched, Sent, event_key, matched, merged
from hub.tracking.events import received_at
from hub.tracking.fold import knows

LATEST = "latest:"
PIECE = "piece"
"""The kind of a link to a shipment that names another piece's number."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A parcel that entered a milestone in this unit; `links` are whose goods it carries."""

    parcel: ParcelRow
    links: tuple[ParcelLink, ...]


@dataclass(slots=True)
class _Open:
    """A book somebody touched. `told` are new updates in the order told."""

    book: Book
    links: dict[LinkKey, ParcelLink]
    told: list[TrackingUpdate] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    """what an update was read from, by `id`: most are stored as they came"""
    warnings: dict[LinkKey, str] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)


class Books:
    """The books of one unit. Numbers must have been named in its `ReadSet` (`tracked`, `shipped`)."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._opened: dict[str, _Open] = {}
        self._pieces: list[tuple[str, str]] = []
        self.moved: list[Moved] = []
        """filled by `finish`"""

    def tell(self, number: str, facts: TrackingFacts, *, pushed: bool) -> None:
        """Take in what somebody told of a number."""
        opened = self._open(number)
        update = TrackingUpdate.model_validate_json(facts.document)
        if update.tracking_number == number:
            opened.texts[id(update)] = facts.document
        else:
            # An answer need not repeat the number it was asked about.
            update = update.model_copy(update={"tracking_number": number})
        opened.told.append(update)
        opened.heard = opened.heard.plus(facts.account, facts.received_at, pushed=pushed)

    def name(self, key: LinkKey, links: Sequence[ParcelLink], warnings: dict[str, str]) -> None:
        """State which numbers a shipment or return names now; those it named before and no longer are let go."""
        keys = (key, (key[0], PIECE, key[2]))
        for book in self._state.books.values():
            if any(link.key in keys for link in book.links):
                self._open(book.number)
        for opened in self._opened.values():
            for each in keys:
                opened.links.pop(each, None)
        for link in links:
            opened = self._open(link.number)
            opened.links[key] = link
            opened.warnings[key] = warnings.get(link.number, "")

    def piece(self, lead: str, number: str) -> None:
        """The carrier tells of `number` when asked about `lead`: pieces of one shipment."""
        self._pieces.append((lead, number))

    def finish(self) -> list[BookChange]:
        """What to write, one change per number. Books of the other way of a returning parcel change with it."""
        if not self._opened:
            return []
        self._open_other_ways()
        self._join_pieces()
        pages = [_page(opened, self._state.now) for opened in self._opened.values()]
        rows = pieces_rows([piece for page in pages for piece in page.pieces], self._state.now)
        changes = []
        for page in pages:
            mine = [rows[piece.id] for piece in page.pieces]
            changes.append(_change(page, mine))
            self._note_moves(page.opened, mine)
        return [change for change in changes if change is not None]

    def _open(self, number: str) -> _Open:
        if number not in self._opened:
            book = self._state.books.get(number) or Book(number)
            self._opened[number] = _Open(book, {link.key: link for link in book.links})
        return self._opened[number]

    def _open_other_ways(self) -> None:
        """A parcel that comes back under another number is told by that number's parcel, and the other way round."""
        touched = set(self._opened)
        returning = {str(u.attributes.get("return_number")) for o in self._opened.values() for u in o.told}
        for book in list(self._state.books.values()):
            ways = {row.return_number for row in book.parcels if row.return_number}
            if ways & touched or book.number in returning:
                self._open(book.number)
        for opened in list(self._opened.values()):
            for row in opened.book.parcels:
                if row.return_number and row.return_number in self._state.books:
                    self._open(row.return_number)

    def _join_pieces(self) -> None:
        """A piece that no shipment names travels with the shipments of its lead; a shipment of its own ends that."""
        for lead, number in self._pieces:
            book = self._state.books.get(lead)
            known = self._opened[lead].links.values() if lead in self._opened else book.links if book else ()
            for link in known:
                if link.kind != PIECE:
                    joined = replace(link, number=number, kind=PIECE, parcel="")
                    self._open(number).links.setdefault(joined.key, joined)
        for opened in self._opened.values():
            if any(link.kind != PIECE for link in opened.links.values()):
                opened.links = {key: link for key, link in opened.links.items() if link.kind != PIECE}

    def _note_moves(self, opened: _Open, rows: Iterable[ParcelRow]) -> None:
        before = {row.id: row for row in opened.book.parcels}
        for row in rows:
            known = before.get(row.id)
            if row.milestone is not None and (known is None or known.milestone != row.milestone):
                links = tuple(link for link in opened.links.values() if link.number == row.number)
                self.moved.append(Moved(row, links))


@dataclass(slots=True)
class _Page:
    """A book arranged anew: its parcels as pieces, its events and links with the parcel they belong to."""

    opened: _Open
    pieces: list[Piece]
    events: dict[str, ParcelEvent]
    links: dict[LinkKey, ParcelLink]


def _page(opened: _Open, now: Micros) -> _Page:
    book = opened.book
    stored = [(event, TrackingUpdate.model_validate_json(event.document)) for event in book.events]
    texts = {**opened.texts, **{id(update): event.document for event, update in stored}}
    told = _as_last_mapped([update for _, update in stored], opened.told)
    scans = merged(told)
    blocks = [update for update in told if update.current]
    sent = [Sent(link.key, link.carrier or None, moment(link.shipped_at)) for link in opened.links.values()]
    found = matched(book.number, [*scans, *blocks], sent)
    ids = _ids(book, stored, found, now)
    places = {event_key(scan): place for place, scan in enumerate(scans)}
    pieces: list[Piece] = []
    events: dict[str, ParcelEvent] = {}
    links: dict[LinkKey, ParcelLink] = {}
    for (id_, ordinal), match in zip(ids, found, strict=True):
        latest = _last_of_each_source(match.updates)
        kept = [update for update in match.updates if not update.current] + list(latest.values())
        mine = [opened.links[reference] for reference in (one.reference for one in match.sent)]  # type: ignore[index]
        known = next((row for row in book.parcels if row.id == id_), None)
        warning = next((said for link in mine if (said := opened.warnings.get(link.key))), "")
        piece = Piece(id_, ordinal, match.key, tuple(kept), tuple(mine), known, opened.heard, warning)
        pieces.append(piece)
        for event in piece.state.history:
            key = event.key
            document = _text(event.update, texts)
            at = micros(event.ordered_at)
            events[key] = ParcelEvent(book.number, key, id_, at, places[key], False, document)
        for source, block in latest.items():
            key = f"{LATEST}{source}:{id_}"
            document = _text(block, texts)
            events[key] = ParcelEvent(book.number, key, id_, micros(received_at(block)), len(places), True, document)
        links |= {link.key: replace(link, parcel=id_) for link in mine}
    return _Page(opened, pieces, events, links)


def _text(update: TrackingUpdate, texts: Mapping[int, str]) -> str:
    return texts.get(id(update)) or update.model_dump_json(exclude_defaults=True)


def _as_last_mapped(stored: Sequence[TrackingUpdate], told: Sequence[TrackingUpdate]) -> list[TrackingUpdate]:
    """Everything told, with what the same payload says now instead of what an older mapping made of it."""
    again = {_name(update) for update in told if update.source.digest is not None}
    heard = {_name(update): received_at(update) for update in stored}
    kept = [update for update in stored if _name(update) not in again]
    return [*kept, *(_heard_first(update, heard.get(_name(update))) for update in told)]


def _name(update: TrackingUpdate) -> tuple[str, str]:
    """One event of one payload."""
    what = f"{LATEST}{update.source.connector}" if update.current else event_key(update)
    return (update.source.digest or "", what)


def _heard_first(update: TrackingUpdate, at: datetime | None) -> TrackingUpdate:
    if at is None or at >= received_at(update):
        return update
    return update.model_copy(update={"source": update.source.model_copy(update={"received_at": at})})


def _last_of_each_source(updates: Iterable[TrackingUpdate]) -> dict[str, TrackingUpdate]:
    """The latest-status block each source sent last; the ones before say nothing any more.

    A block that knows nothing replaces only its like.
    """
    latest: dict[str, TrackingUpdate] = {}
    for update in updates:
        if update.current:
            known = latest.get(update.source.connector)
            if known is None or (knows(update), received_at(update)) >= (knows(known), received_at(known)):
                latest[update.source.connector] = update
    return latest


def _ids(
    book: Book, told: Sequence[tuple[ParcelEvent, TrackingUpdate]], found: Sequence[Matched], now: Micros
) -> list[tuple[str, int]]:
    """(id, ordinal) of each parcel found: the stored one it shares most with, else a new one.

    What carriers told weighs more than whose goods it carries, because a shipment moves to another parcel of
    its number when the first scan shows which one it was.
    """
    homes: dict[tuple[str, str], str] = {}
    for event, update in told:
        homes[_name(update)] = event.parcel
        homes["", event.key] = event.parcel
    carried = {link.key: link.parcel for link in book.links}
    votes: list[tuple[int, int, str]] = []
    for place, match in enumerate(found):
        count: Counter[str] = Counter()
        for update in match.updates if homes else ():
            name = _name(update)
            count[homes.get(name) or homes.get(("", name[1]), "")] += 1000
        for one in match.sent:
            count[carried.get(one.reference, "")] += 1  # type: ignore[call-overload]
        votes += [(-weight, place, id_) for id_, weight in count.items() if id_]
    stored = {row.id: row.ordinal for row in book.parcels}
    given: dict[int, tuple[str, int]] = {}
    used: set[str] = set()
    for _, place, id_ in sorted(votes):
        if place not in given and id_ not in used and id_ in stored:
            given[place] = (id_, stored[id_])
            used.add(id_)
    following = max(stored.values(), default=-1) + 1
    for place in range(len(found)):
        if place not in given:
            given[place] = (_new_id(book.number, following, now), following)
            following += 1
    return [given[place] for place in range(len(found))]


def _new_id(number: str, ordinal: int, now: Micros) -> str:
    return "pcl_" + document_id("tracking_update", now // 1000, number, str(ordinal)).partition("_")[2]


def _change(page: _Page, rows: Sequence[ParcelRow]) -> BookChange | None:
    """The difference between the book as stored and as it is now; None when there is none."""
    book = page.opened.book
    parcels = {row.id: row for row in book.parcels}
    events = {event.key: event for event in book.events}
    links = {link.key: link for link in book.links}
    present = {row.id for row in rows}
    change = BookChange(
        book.number,
        tuple(row for row in rows if parcels.get(row.id) != row),
        tuple(id_ for id_ in parcels if id_ not in present),
        tuple(event for key, event in page.events.items() if events.get(key) != event),
        tuple(key for key in events if key not in page.events),
        tuple(link for key, link in page.links.items() if links.get(key) != link),
        tuple(key for key in links if key not in page.links),
    )
    return None if change == BookChange(book.number) else change
