"""One unit of work on a purchase order: what it reads, the order as it then is, and what became of the request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hub.orders import content
from hub.ports.store import ReadSet, State, Store, WriteSet
from hub.purchasing import book
from hub.purchasing.book import Book
from hub.services.apply_purchase import book_key, order_key, reads_for_order
from hub.services.batch import Batch

Json = dict[str, Any]


class UnknownPurchaseOrder(LookupError):
    """There is no purchase order with this number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is no purchase order {number!r}")


class PurchaseConflict(Exception):
    """The order is not in a state for this, or the number or key is taken; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request. `sent`: a document for the supplier was written with it."""

    number: str
    revision: str
    state: str
    sent: bool
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """An order as one unit of work has read it."""

    order: Json
    book: Book
    batch: Batch


async def reads_of(store: Store, number: str, skus: Collection[str] = ()) -> ReadSet:
    """Everything an act on an order may touch, found by looking at the order first."""
    found: list[State] = []

    def first(state: State) -> WriteSet:
        found.append(state)
        return WriteSet()

    reads = ReadSet(documents={order_key(number), book_key(number)}, skus={("", sku) for sku in skus})
    await store.run(reads, first)
    reads_for_order(reads, found[-1], number, set(skus))
    return reads


async def look(store: Store, number: str) -> Opened:
    """The order as it is now. Raises `UnknownPurchaseOrder`."""
    found: list[Opened] = []

    def first(state: State) -> WriteSet:
        found.append(opening(state, number))
        return WriteSet()

    await store.run(ReadSet(documents={order_key(number), book_key(number)}), first)
    return found[-1]


def opening(state: State, number: str) -> Opened:
    """Raises `UnknownPurchaseOrder`."""
    row, kept = state.documents.get(order_key(number)), state.documents.get(book_key(number))
    if row is None or kept is None:
        raise UnknownPurchaseOrder(number)
    return Opened(content.load(row.document), book.load(kept.document), Batch(state))


def repeat(state: State, number: str, key: str, fingerprint: str) -> Done:
    opened = opening(state, number)
    known, revision = opened.book.requests.get(key, ("", ""))
    if known != fingerprint:
        if key == "create":
            raise PurchaseConflict(f"there is another purchase order {number} already")
        raise PurchaseConflict("this idempotency key was used for another request")
    return Done(number, revision, opened.order["state"], sent=False, repeated=True)
