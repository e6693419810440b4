"""A hub told of shipments and scans, over any store."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from canonical import Document
from hub.ports.parcels import Book, ParcelRow
from hub.ports.store import NewInput, ReadSet, State, WriteSet
from hub.services.apply import Apply
from hub.services.batch import Outcome
from hub.services.extract import facts_of
from hub.services.interpreted import Interpreted
from tests.support.memory_store import MemoryStore
from tests.support.orders import document, plan

NUMBER = "1Z879E930346834440"
NOW = 1_795_176_000_000_000
"""2026-11-20T12:00:00Z, when scans of `tests.support.scans` are received."""


def shipped(
    name: str, order: str, *numbers: str, carrier: str | None = "ups", on: str = "2026-11-01", **fields: Any
) -> Document:
    """A shipment of `order` with one package per number."""
    packages = [{"id": str(place), "tracking_number": each, "carrier": carrier} for place, each in enumerate(numbers)]
    return document("shipment", name, order, **{"state": "shipped", "shipped_at": on, "packages": packages, **fields})


@dataclass
class Tracked:
    """A store with `Apply` on it; `tell` delivers one payload."""

    store: Any = field(default_factory=lambda: MemoryStore(lambda: NOW))
    account: str = "shop"
    outcomes: list[Outcome] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.apply = Apply(self.store, {self.account: plan(self.account)})

    async def tell(self, *documents: Document, key: str | None = None, origin: str = "poll") -> Outcome:
        number = next(self.numbers)
        await self.store.receive(
            [NewInput(self.account, "toy", origin, "orders", f"k{number}", key or f"o{number}", b"{}", "x", NOW)]
        )
        outcome = Outcome()
        for item in await self.store.claim_inbox(10, accounts_excluded=("parcels",)):
            found = (facts_of(each, item.account, item.received_at) for each in documents)
            facts = tuple(each for each in found if each is not None)
            outcome.take(await self.apply.apply([(item, Interpreted(item.seq, facts))]))
        self.outcomes.append(outcome)
        return outcome

    async def book(self, number: str = NUMBER) -> Book:
        seen: list[State] = []

        def look(state: State) -> WriteSet:
            seen.append(state)
            return WriteSet()

        await self.store.run(ReadSet(tracked={number}), look)
        return seen[-1].books.get(number, Book(number))

    async def parcel(self, number: str = NUMBER) -> ParcelRow:
        """The only parcel of a number."""
        (row,) = (await self.book(number)).parcels
        return row


def what(book: Book) -> Sequence[tuple[Any, ...]]:
    """What is known of a number, whatever came first: no ids, no revisions, no time of hearing."""
    names = {
        row.id: place for place, row in enumerate(sorted(book.parcels, key=lambda row: (row.opened_at, row.parcel)))
    }
    parcels = sorted(
        (names[row.id], row.carrier, row.milestone, row.condition, row.orphan, row.moved_at, row.delivered_at)
        for row in book.parcels
    )
    links = sorted((link.key, names.get(link.parcel)) for link in book.links)
    events = sorted((event.key, names.get(event.parcel)) for event in book.events if not event.current)
    return [tuple(parcels), tuple(links), tuple(events)]
