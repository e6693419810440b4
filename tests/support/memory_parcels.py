"""Books of tracking numbers in memory, kept as the port promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.ports.parcels import Book, BookChange, ParcelAsked, ParcelRow
from hub.ports.store import ReadSet, StoreConflict, WriteSet


def read(books: dict[str, Book], reads: ReadSet) -> dict[str, Book]:
    """The books named, with the other way of parcels that come back."""
    numbers = set(reads.tracked)
    numbers |= {book.number for book in books.values() for link in book.links if link.key in reads.shipped}
    for book in books.values():
        ways = {row.return_number for row in book.parcels if row.return_number}
        if ways & numbers:
            numbers.add(book.number)
    for number in list(numbers):
        numbers |= {row.return_number for row in books.get(number, Book(number)).parcels if row.return_number}
    return {number: books[number] for number in numbers if number in books}


def write(books: dict[str, Book], writes: WriteSet) -> None:
    for change in writes.books:
        book = _changed(books.get(change.number) or Book(change.number), change)
        if book == Book(change.number):
            books.pop(change.number, None)
        else:
            books[change.number] = book
    asked = {each.id: each for each in writes.asked}
    for number, book in list(books.items()):
        if any(row.id in asked for row in book.parcels):
            books[number] = replace(book, parcels=tuple(_asked(row, asked.get(row.id)) for row in book.parcels))


def _changed(book: Book, change: BookChange) -> Book:
    parcels = {row.id: row for row in book.parcels if row.id not in change.parcels_gone}
    for row in change.parcels:
        known = parcels.get(row.id)
        if (known.rev if known else 0) != row.rev:
            raise StoreConflict("a parcel has moved")
        parcels[row.id] = replace(row, rev=row.rev + 1)
    events = {row.key: row for row in book.events if row.key not in change.events_gone}
    events |= {row.key: row for row in change.events}
    links = {row.key: row for row in book.links if row.key not in change.links_gone}
    links |= {row.key: row for row in change.links}
    return Book(
        book.number,
        tuple(sorted(parcels.values(), key=lambda row: row.ordinal)),
        tuple(sorted(events.values(), key=lambda row: (row.place, row.key))),
        tuple(sorted(links.values(), key=lambda row: row.key)),
    )


def _asked(row: ParcelRow, asked: ParcelAsked | None) -> ParcelRow:
    if asked is None:
        return row
    names = ("polled_at", "polls", "poll_rank", "poll_at", "watch_at", "watched_until", "closed")
    stated: dict[str, Any] = {name: value for name in names if (value := getattr(asked, name)) is not None}
    if asked.never:
        stated["poll_at"] = None
    return replace(row, **stated)
