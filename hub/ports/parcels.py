"""Parcels as stored: what carriers told, what was shipped with them, and when to ask again.

Everything known of one tracking number is a `Book`: numbers are recycled, so a number may hold several
parcels, and which event and which shipment belong to which of them is decided anew from the whole book.
Numbers are normalised (`hub.tracking.normalized_number`). Instants are microseconds since the epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Micros = int
LinkKey = tuple[str, str, str]
"""(account, `shipment`, `return` or `piece`, the document's id at its source)"""


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """One parcel and where it is; unique on (number, ordinal).

    `milestone` is null until somebody told anything. `state` is JSON: times as carriers state them, the milestones
    reached, warnings. `orphan`: no shipment of ours names it. `closed` says why nothing more is expected or asked
    (delivered, returned, failed, cancelled, silent, not_found, old), "" while it is open. `return_of` is the
    id of the parcel that comes back as this one. `told_by` is the account that told last.

    `poll_rank` (0 first) and `poll_at` say when a carrier is asked next, null for never; `polls` counts answers
    in a row that knew nothing. `watch_at` is when a carrier is asked to tell by itself, or again.
    """

    id: str
    number: str
    ordinal: int
    carrier: str
    parcel: str
    opened_at: Micros
    milestone: str | None = None
    condition: str | None = None
    action_required: bool = False
    orphan: bool = True
    closed: str = ""
    return_number: str | None = None
    return_of: str | None = None
    shipped_at: Micros | None = None
    moved_at: Micros | None = None
    delivered_at: Micros | None = None
    expected_at: Micros | None = None
    heard_at: Micros | None = None
    pushed_at: Micros | None = None
    polled_at: Micros | None = None
    polls: int = 0
    poll_rank: int = 0
    poll_at: Micros | None = None
    watch_at: Micros | None = None
    watched_until: Micros | None = None
    told_by: str = ""
    state: str = "{}"
    rev: int = 0

    @property
    def is_open(self) -> bool:
        return not self.closed


@dataclass(frozen=True, slots=True)
class ParcelEvent:
    """One thing told of a number, unique on (number, key): a scan, or a carrier's latest status (`current`).

    `document` is canonical JSON without personal data and without what is at its default. `at` is when it
    happened as far as can be told and orders the events; `place` is the order told, which decides at one instant.
    """

    number: str
    key: str
    parcel: str
    at: Micros
    place: int
    current: bool
    document: str


@dataclass(frozen=True, slots=True)
class ParcelLink:
    """A shipment or return that names a number, unique on (number, account, kind, document).

    A `piece` is of a shipment that names another piece's number. `order` is the vendor's order id at `account`.
    `carrier` is ours, "" where nobody knows; `shipped_at` the day it left as stated, else when we heard of it.
    """

    number: str
    account: str
    kind: str
    document: str
    order: str
    carrier: str
    shipped_at: Micros
    parcel: str = ""

    @property
    def key(self) -> LinkKey:
        return (self.account, self.kind, self.document)


@dataclass(frozen=True, slots=True)
class Book:
    """Everything stored of one number: parcels in the order made, events in the order told."""

    number: str
    parcels: tuple[ParcelRow, ...] = ()
    events: tuple[ParcelEvent, ...] = ()
    links: tuple[ParcelLink, ...] = ()


@dataclass(frozen=True, slots=True)
class BookChange:
    """What one unit changes of a number: rows to put, rows to take away.

    Parcels are guarded by `rev` (the value read; the store writes rev + 1; a mismatch is `StoreConflict`).
    """

    number: str
    parcels: tuple[ParcelRow, ...] = ()
    parcels_gone: tuple[str, ...] = ()
    events: tuple[ParcelEvent, ...] = ()
    events_gone: tuple[str, ...] = ()
    links: tuple[ParcelLink, ...] = ()
    links_gone: tuple[LinkKey, ...] = ()


@dataclass(frozen=True, slots=True)
class ParcelAsked:
    """That a carrier was asked of a parcel, or asked to tell; null fields stay as they are.

    Unguarded: it names only what asking changes, and the answer comes through the inbox. `never` clears `poll_at`.
    """

    id: str
    polled_at: Micros | None = None
    polls: int | None = None
    poll_rank: int | None = None
    poll_at: Micros | None = None
    never: bool = False
    watch_at: Micros | None = None
    watched_until: Micros | None = None
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class ParcelCounts:
    """Figures of the parcels of one carrier."""

    carrier: str
    open: int = 0
    orphans: int = 0
    due: int = 0
    """open ones to be asked about by now"""
    by_rank: dict[int, int] = field(default_factory=dict)
    """open ones that are asked about at all, by how much it matters"""
    oldest_due_at: Micros | None = None
