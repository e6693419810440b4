"""Forgetting people in what carriers told: who signed stands in raw payloads, and only there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import orjson

from hub.ports.parcels import Book, BookChange
from hub.ports.queries import Queries
from hub.ports.store import OrderKey

Lanes = Mapping[str, Sequence[tuple[str, str]]]
"""By tracking number: (account, ordering key) of the inputs that told of it."""
FORGOTTEN = "forgotten"


async def parcel_lanes(queries: Queries | None, orders: Iterable[OrderKey]) -> Lanes:
    """Where raw payloads about these orders' parcels came in."""
    found: dict[str, list[tuple[str, str]]] = {}
    if queries is None:
        return found
    for account, order in orders:
        for _, row in await queries.order_parcels(account, order):
            told = [orjson.loads(event.document)["source"] for event in await queries.parcel_events(row.id)]
            accounts = {one["account"] for one in told if one.get("account")} | ({row.told_by} - {""})
            found[row.number] = [(name, f"parcel:{row.number}") for name in sorted(accounts)]
    return found


def forgotten(books: Iterable[Book]) -> list[BookChange]:
    """Marks the parcels, so that what carriers tell of them later is not kept raw either."""
    return [
        BookChange(book.number, parcels=tuple(replace(row, state=_marked(row.state)) for row in book.parcels))
        for book in books
        if book.parcels and not is_forgotten(book)
    ]


def is_forgotten(book: Book | None) -> bool:
    return book is not None and any(orjson.loads(row.state).get(FORGOTTEN) for row in book.parcels)


def _marked(state: str) -> str:
    return orjson.dumps(orjson.loads(state) | {FORGOTTEN: True}).decode()
