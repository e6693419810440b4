"""Parcels on PostgreSQL: books are read whole, their parcels locked, and written as differences.

Two units that make the first parcel of a number at once meet at the unique key (number, ordinal); the one that
comes second is redone and finds the first one's.
"""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.ports.parcels import BookChange, ParcelAsked
from hub.ports.store import ReadSet, State, StoreConflict
from hub.storage import tables as t
from hub.storage.parcel_rows import (
    ASKED,
    EVENT,
    LINK,
    PARCEL,
    asked_values,
    books_of,
    event_values,
    link_values,
    parcel_values,
)
from hub.storage.postgres.connection import Connection
from hub.storage.postgres.sets import Batch, insert, replace_on, types_of
from hub.storage.rows import columns

_NAMED: Final = (
    "SELECT DISTINCT l.number FROM unnest($1::text[], $2::text[], $3::text[]) AS j (account, kind, document)"
    " JOIN parcel_links l USING (account, kind, document)"
)
_OTHER_WAYS: Final = (
    "SELECT number FROM parcels WHERE return_number = ANY($1::text[]) AND return_number IS NOT NULL"
    " UNION SELECT return_number FROM parcels WHERE number = ANY($1::text[]) AND return_number IS NOT NULL"
)
_PARCELS: Final = (
    f"SELECT {columns(PARCEL)} FROM parcels WHERE number = ANY($1::text[]) ORDER BY number, ordinal FOR NO KEY UPDATE"
)
_EVENTS: Final = f"SELECT {columns(EVENT)} FROM parcel_events WHERE number = ANY($1::text[])"
_LINKS: Final = f"SELECT {columns(LINK)} FROM parcel_links WHERE number = ANY($1::text[])"
_ASKED_TYPES: Final = ("text", "bigint", "int", "int", "bigint", "int", "bigint", "bigint", "text")
_ASKED: Final = (
    "UPDATE parcels p SET polled_at = coalesce(d.polled_at, p.polled_at), polls = coalesce(d.polls, p.polls),"
    " poll_rank = coalesce(d.poll_rank, p.poll_rank),"
    " poll_at = CASE WHEN d.never = 1 THEN NULL ELSE coalesce(d.poll_at, p.poll_at) END,"
    " watch_at = coalesce(d.watch_at, p.watch_at), watched_until = coalesce(d.watched_until, p.watched_until),"
    " closed = coalesce(d.closed, p.closed) FROM {source} WHERE p.id = d.id"
)


async def load(connection: Connection, state: State, reads: ReadSet) -> None:
    """The books of the numbers named, and those of the other way of parcels that come back."""
    numbers = set(reads.tracked)
    if reads.shipped:
        keys = sorted(reads.shipped)
        named = await connection.fetch(_NAMED, *([key[place] for key in keys] for place in range(3)))
        numbers.update(row[0] for row in named)
    if not numbers:
        return
    numbers.update([row[0] for row in await connection.fetch(_OTHER_WAYS, sorted(numbers))])
    wanted = sorted(numbers)
    # After the lock: events and links of a number change only with one of its parcels.
    parcels = await connection.fetch(_PARCELS, wanted)
    state.books |= books_of(parcels, await connection.fetch(_EVENTS, wanted), await connection.fetch(_LINKS, wanted))


async def store(connection: Connection, changes: Sequence[BookChange], asked: Sequence[ParcelAsked]) -> None:
    """Raises StoreConflict when a parcel was changed by another unit since it was read."""
    await _forget(connection, changes)
    rows = sorted((row for change in changes for row in change.parcels), key=lambda row: row.id)
    new = [parcel_values(row, 1) for row in rows if row.rev == 0]
    changed = [parcel_values(row, row.rev + 1) for row in rows if row.rev]
    if new:
        made = await _run(
            connection, lambda batch: insert(batch, t.parcels, PARCEL, new, tail=" ON CONFLICT DO NOTHING")
        )
        if made != len(new):
            raise StoreConflict("a parcel was made meanwhile")
    if changed:
        sets = ", ".join(f"{name} = d.{name}" for name in PARCEL)
        moved = await _run(
            connection,
            lambda batch: (
                f"UPDATE parcels p SET {sets} FROM {batch.rows(PARCEL, types_of(t.parcels, PARCEL), changed)}"
                " WHERE p.id = d.id AND p.rev = d.rev - 1"
            ),
        )
        if moved != len(changed):
            raise StoreConflict("a parcel has moved")
    events = [event_values(row) for change in changes for row in change.events]
    links = [link_values(row) for change in changes for row in change.links]
    for table, names, keys, values in (
        (t.parcel_events, EVENT, ("number", "key"), sorted(events, key=lambda row: row[:2])),
        (t.parcel_links, LINK, ("number", "account", "kind", "document"), sorted(links)),
    ):
        if values:
            await _run(
                connection,
                lambda batch, table=table, names=names, keys=keys, values=values: insert(
                    batch, table, names, values, tail=replace_on(keys, names)
                ),
            )
    if asked:
        values = [asked_values(row) for row in sorted(asked, key=lambda row: row.id)]
        await _run(connection, lambda batch: _ASKED.format(source=batch.rows(ASKED, _ASKED_TYPES, values)))


async def _forget(connection: Connection, changes: Sequence[BookChange]) -> None:
    parcels = [id_ for change in changes for id_ in change.parcels_gone]
    events = [(change.number, key) for change in changes for key in change.events_gone]
    links = [(change.number, *key) for change in changes for key in change.links_gone]
    if parcels:
        await connection.execute("DELETE FROM parcels WHERE id = ANY($1::text[])", parcels)
    if events:
        await connection.execute(
            "DELETE FROM parcel_events e USING unnest($1::text[], $2::text[]) AS d (number, key)"
            " WHERE e.number = d.number AND e.key = d.key",
            *_transposed(events, 2),
        )
    if links:
        await connection.execute(
            "DELETE FROM parcel_links l USING unnest($1::text[], $2::text[], $3::text[], $4::text[])"
            " AS d (number, account, kind, document) WHERE l.number = d.number AND l.account = d.account"
            " AND l.kind = d.kind AND l.document = d.document",
            *_transposed(links, 4),
        )


def _transposed(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]


async def _run(connection: Connection, write: Any) -> int:
    """Run one statement written against a batch's arguments; how many rows it touched."""
    batch = Batch()
    statement = write(batch)
    done: str = await connection.execute(statement, *batch.arguments)
    return int(done.rsplit(" ", 1)[-1])
