"""Parcels on SQLite: books are read whole and written as differences."""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from hub.ports.parcels import BookChange, ParcelAsked
from hub.ports.store import ReadSet, State, StoreConflict
from hub.storage.parcel_rows import (
    EVENT,
    LINK,
    PARCEL,
    asked_values,
    books_of,
    event_values,
    link_values,
    parcel_values,
)
from hub.storage.rows import columns, json_text

_KEYS: Final = "FROM json_each(?) j CROSS JOIN"
NAMED: Final = (
    f"SELECT DISTINCT l.number {_KEYS} parcel_links l ON l.account = json_extract(j.value, '$[0]')"
    " AND l.kind = json_extract(j.value, '$[1]') AND l.document = json_extract(j.value, '$[2]')"
)
OUTBOUND: Final = f"SELECT p.number {_KEYS} parcels p ON p.return_number = j.value AND p.return_number IS NOT NULL"
WAYS_BACK: Final = f"SELECT p.return_number {_KEYS} parcels p ON p.number = j.value WHERE p.return_number IS NOT NULL"
PARCELS: Final = f"SELECT {columns(PARCEL, 'p')} {_KEYS} parcels p ON p.number = j.value"
EVENTS: Final = f"SELECT {columns(EVENT, 'e')} {_KEYS} parcel_events e ON e.number = j.value"
LINKS: Final = f"SELECT {columns(LINK, 'l')} {_KEYS} parcel_links l ON l.number = j.value"
UPDATE_PARCEL: Final = (
    f"UPDATE parcels SET ({columns(PARCEL)}) = ({', '.join('?' * len(PARCEL))}) WHERE id = ? AND rev = ?"
)
FORGET_PARCEL: Final = "DELETE FROM parcels WHERE id = ?"
FORGET_EVENT: Final = "DELETE FROM parcel_events WHERE number = ? AND key = ?"
FORGET_LINK: Final = "DELETE FROM parcel_links WHERE number = ? AND account = ? AND kind = ? AND document = ?"
ASKED: Final = (
    "UPDATE parcels SET polled_at = coalesce(?2, polled_at), polls = coalesce(?3, polls),"
    " poll_rank = coalesce(?4, poll_rank), poll_at = CASE WHEN ?6 THEN NULL ELSE coalesce(?5, poll_at) END,"
    " watch_at = coalesce(?7, watch_at), watched_until = coalesce(?8, watched_until), closed = coalesce(?9, closed)"
    " WHERE id = ?1"
)


def _insert(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({columns(names)}) VALUES ({', '.join('?' * len(names))})"


def _put(table: str, names: Sequence[str], *keys: str) -> str:
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return f"{_insert(table, names)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"


_INSERT_PARCEL: Final = _insert("parcels", PARCEL)
_PUT_EVENT: Final = _put("parcel_events", EVENT, "number", "key")
_PUT_LINK: Final = _put("parcel_links", LINK, "number", "account", "kind", "document")


def load(connection: sqlite3.Connection, state: State, reads: ReadSet) -> None:
    """The books of the numbers named, and those of the other way of parcels that come back."""
    numbers = set(reads.tracked)
    if reads.shipped:
        numbers.update(name for (name,) in _each(connection, NAMED, reads.shipped))
    if not numbers:
        return
    for statement in (OUTBOUND, WAYS_BACK):
        numbers.update(name for (name,) in _each(connection, statement, numbers))
    parcels, events, links = (_each(connection, statement, numbers) for statement in (PARCELS, EVENTS, LINKS))
    state.books |= books_of(parcels, events, links)


def store(connection: sqlite3.Connection, changes: Sequence[BookChange], asked: Sequence[ParcelAsked]) -> None:
    """Raises StoreConflict when a parcel was changed by another unit since it was read."""
    many = connection.executemany
    for change in changes:
        number = change.number
        many(FORGET_PARCEL, [(id_,) for id_ in change.parcels_gone])
        many(FORGET_EVENT, [(number, key) for key in change.events_gone])
        many(FORGET_LINK, [(number, *key) for key in change.links_gone])
        try:
            many(_INSERT_PARCEL, [parcel_values(row, 1) for row in change.parcels if row.rev == 0])
        except sqlite3.IntegrityError as error:
            raise StoreConflict(f"a parcel was there already: {error}") from error
        changed = [(*parcel_values(row, row.rev + 1), row.id, row.rev) for row in change.parcels if row.rev]
        if changed and many(UPDATE_PARCEL, changed).rowcount != len(changed):
            raise StoreConflict("a parcel has moved")
        many(_PUT_EVENT, [event_values(row) for row in change.events])
        many(_PUT_LINK, [link_values(row) for row in change.links])
    many(ASKED, [asked_values(row) for row in asked])


def _each(connection: sqlite3.Connection, statement: str, keys: Collection[Any]) -> Iterable[Any]:
    return connection.execute(statement, (json_text(sorted(keys)),))
