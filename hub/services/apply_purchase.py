"""What others say of our purchase orders, applied: the order's lines and state, incoming stock, what is awaited.

Everything is folded anew from the order's book and written as a difference, so a duplicate, a replay or another order
of arrival ends in the same place. Goods taken in are put on hand by `apply_stock`; here they stop being incoming.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.inventory.postings import ACKNOWLEDGED, CANCELLED, RECEIVED, Change, postings
from hub.orders import content
from hub.orders.articles import gtin_name, key_of
from hub.ports.accounts import AccountPlan
from hub.ports.store import Bucket, DocumentKey, DocumentRow, Micros, ReadSet, State, Store, WriteSet
from hub.purchasing import awaiting, book, documents, expected
from hub.purchasing.book import BOOK, Book
from hub.purchasing.documents import PURCHASE_ORDER
from hub.purchasing.expected import EXPECTED, Expected
from hub.purchasing.stand import Standing
from hub.purchasing.standing import standing
from hub.purchasing.told import RECEIPT, PurchaseFacts, Told, ToldLine
from hub.services.apply_stock import Refused
from hub.services.batch import Batch
from hub.services.interpreted import Refusal
from hub.services.moments import micros, stated
from hub.services.views import instant
from mappings.edi.partners import PartnerProfile

Plans = Mapping[str, AccountPlan]


ORDER_SET, CHANGE_SET = "850", "860"


def order_key(number: str) -> DocumentKey:
    return ("", PURCHASE_ORDER, number)


def book_key(number: str) -> DocumentKey:
    return ("", BOOK, number)


def supplier_of(order: Mapping[str, Any]) -> str:
    """The account the order is with, or whatever the supplier is called where there is none."""
    return str((order.get("supplier") or {}).get("id") or "")


def partner_plan(plans: Plans, order: Mapping[str, Any]) -> AccountPlan | None:
    """The account the supplier is sent documents through; None where somebody else tells it."""
    plan = plans.get(supplier_of(order))
    if plan is None or not plan.manifest.trades or (plan.partner is not None and not plan.partner.sends(ORDER_SET)):
        return None
    return plan


# --- reading ---------------------------------------------------------------------------------


async def look_at_purchases(store: Store, facts: Sequence[PurchaseFacts], reads: ReadSet) -> None:
    """Add what the facts touch to a unit's reads; found by looking at the orders first, in a unit without writes."""
    if not facts:
        return
    first, found = ReadSet(), list[State]()
    for one in facts:
        for number, told in one.orders:
            first.documents |= {order_key(number), book_key(number)}
            first.skus |= {key_of(one.account, name) for line in told.lines for name in _named(line)}

    def look(state: State) -> WriteSet:
        found.append(state)
        return WriteSet()

    await store.run(first, look)
    reads.documents |= first.documents
    reads.skus |= first.skus
    for one in facts:
        for number, told in one.orders:
            skus = {sku for line in _resolved(told, found[-1]).lines for sku in _skus(line)}
            reads_for_order(reads, found[-1], number, skus)


def reads_for_order(reads: ReadSet, state: State, number: str, skus: set[str] | None = None) -> None:
    row, kept = state.documents.get(order_key(number)), state.documents.get(book_key(number))
    if row is None or kept is None:
        return
    order, known = content.load(row.document), book.load(kept.document)
    named = {line["sku"] for line in order["lines"] if line.get("sku")} | (skus or set())
    named |= {sku for _, sku, _ in known.posted}
    reads_for_skus(reads, named)
    reads.expectations |= set(awaiting.keys(supplier_of(order), number, known))


def reads_for_skus(reads: ReadSet, skus: Iterable[str]) -> None:
    for sku in skus:
        reads.positions.add(sku)
        reads.documents.add(("", EXPECTED, sku))


def _named(line: ToldLine) -> list[str]:
    return [*_names(line), *(part.item for part in line.parts if part.item)]


def _names(line: ToldLine) -> list[str]:
    """What the article goes by: its ids, then its GTIN, which the catalogue may know where the order does not."""
    article = gtin_name(line.gtin)
    return [*line.items, article] if article else list(line.items)


def _skus(line: ToldLine) -> set[str]:
    return {sku for sku in (line.sku, *(part.sku for part in line.parts)) if sku is not None}


def _resolved(told: Told, state: State) -> Told:
    """Ids of lines and of substitutes as SKUs of ours, where they are known."""

    def sku(items: Iterable[str]) -> str | None:
        return next((found for item in items if (found := state.resolved.get(key_of(told.account, item)))), None)

    lines = tuple(
        line._replace(
            sku=sku(_names(line)),
            parts=tuple(part._replace(sku=sku([part.item])) if part.item else part for part in line.parts),
        )
        for line in told.lines
    )
    return told._replace(lines=lines)


# --- applying --------------------------------------------------------------------------------


def check_purchases(batch: Batch, plans: Plans, facts: Sequence[PurchaseFacts]) -> None:
    """Refuse what a supplier says of an order we do not have with it, before anything of its document is applied.

    A receipt is of goods that are here, whoever ordered them; and an account that is no trading partner speaks of
    orders of its own.

    Raises:
        Refused: the order is not known, or is with somebody else.
    """
    named = [
        (one.account, number)
        for one in facts
        if not one.receipt and plans[one.account].manifest.trades
        for number, _ in one.orders
    ]
    for account, number in named:
        row = batch.state.documents.get(order_key(number))
        if row is None:
            message = f"purchase order {number} is not known here; create or import it, then replay"
            raise Refused(Refusal("UnknownPurchaseOrder", "unknown_order", "purchase_order_number", message))
        supplier = supplier_of(content.load(row.document))
        if supplier != account:
            message = f"purchase order {number} is with {supplier}, not with {account}"
            raise Refused(Refusal("UnknownPurchaseOrder", "not_their_order", "purchase_order_number", message))


def apply_purchases(batch: Batch, plans: Plans, facts: Sequence[PurchaseFacts]) -> None:
    """Put what documents say into the books of the orders they name; an order that is not ours is left alone."""
    for one in facts:
        if not (one.receipt or plans[one.account].manifest.trades):
            continue
        for number, told in one.orders:
            if order_key(number) in batch.state.documents and hear(batch, number, _resolved(told, batch.state), plans):
                batch.outcome.applied += 1


def hear(batch: Batch, number: str, told: Told, plans: Plans) -> bool:
    """Take one document into an order's book; False when it says nothing new."""
    kept = batch.state.documents[book_key(number)]
    known = book.load(kept.document).hear(told)
    if known is None:
        return False
    order = content.load(batch.state.documents[order_key(number)].document)
    fall = RECEIVED if told.kind == RECEIPT else CANCELLED
    settle_purchase(batch, order, known, partner_plan(plans, order), told.at, fall)
    return True


def settle_purchase(
    batch: Batch, order: dict[str, Any], known: Book, partner: AccountPlan | None, at: Micros, fall: str = CANCELLED
) -> Standing:
    """Write an order as its book now has it: lines, state, incoming stock and its days, what is awaited.

    Args:
        partner: The account its supplier is told through; None where nothing is sent and so nothing awaited.
        at: When the cause occurred.
        fall: The reason of incoming stock that is not to come any more.
    """
    number = order["number"]
    stands = standing(order, known)
    coming = _coming(order, stands)
    _post(batch, order, known, coming, at, fall)
    _note_days(batch, order, known, stands, at)
    fresh = replace(known, posted={key: units for key, units in coming.items() if units})
    updated = max(at, micros(stated(order["updated_at"])))
    _put(batch, order_key(number), order["id"], documents.standing_in(order, stands, instant(updated)), at)
    _put(batch, book_key(number), book.row_id(number), book.dump(fresh), None)
    if partner is not None:
        _await(batch, partner, order, fresh, stands)
    return stands


def _coming(order: Mapping[str, Any], stands: Standing) -> dict[tuple[str, str, str], int]:
    place = order["location"]
    return {
        (line.number, sku, place): units
        for line in stands.lines.values()
        for sku, units in line.incoming().items()
        if sku
    }


def _post(
    batch: Batch,
    order: Mapping[str, Any],
    known: Book,
    coming: Mapping[tuple[str, str, str], int],
    at: Micros,
    fall: str,
) -> None:
    changes: list[Change] = []
    for key in sorted({*known.posted, *coming}):
        delta = coming.get(key, 0) - known.posted.get(key, 0)
        if delta:
            _, sku, place = key
            changes.append(Change(ACKNOWLEDGED if delta > 0 else fall, sku, place, Bucket.INCOMING, delta))
    kept = batch.state.documents.get(book_key(order["number"]))
    event = batch.event(f"{PURCHASE_ORDER}:{order['number']}:{kept.rev + 1 if kept else 1}")
    batch.post(postings(event, order["id"], at, changes, batch.state.position), at)


def _note_days(batch: Batch, order: Mapping[str, Any], known: Book, stands: Standing, at: Micros) -> None:
    """Keep the days of what is to come beside each SKU, and have its numbers computed again where they changed."""
    number, place = order["number"], order["location"]
    fresh: dict[str, list[Expected]] = {sku: [] for _, sku, _ in known.posted}
    for line in stands.lines.values():
        for due in line.due():
            if due.sku:
                fresh.setdefault(due.sku, []).append(Expected(number, line.number, place, due.quantity, due.at))
    for sku, parts in fresh.items():
        key = ("", EXPECTED, sku)
        row = batch.state.documents.get(key)
        before = expected.load(row.document if row else None)
        after = expected.with_order(before, number, parts)
        if after != before:
            _put(batch, key, expected.row_id(sku), expected.dump(after), None)
            batch.dirty(sku, at)


def _await(batch: Batch, partner: AccountPlan, order: Mapping[str, Any], known: Book, stands: Standing) -> None:
    profile, state = partner.partner, batch.state
    terms = awaiting.Terms({}) if profile is None else _terms(profile)
    told = awaiting.wanted(partner.account, order, known, stands, state.expectations, terms, state.now)
    for one in told:
        state.expectations[one.account, one.kind, one.reference] = one
    batch.writes.expectations.extend(told)


def _terms(profile: PartnerProfile) -> awaiting.Terms:
    """Deadlines by the X12 name of a set, whatever the partner's syntax calls it."""
    agreed = profile.agreed.deadlines.sets
    named = {kind: agreed.get(kind, agreed.get(profile.set_named(kind))) for kind in awaiting.KINDS}
    deadlines = {kind: seconds for kind, seconds in named.items() if seconds is not None}
    return awaiting.Terms(deadlines, profile.sends(CHANGE_SET))


def _put(batch: Batch, key: DocumentKey, name: str, document: dict[str, Any] | str, at: Micros | None) -> None:
    stored = batch.state.documents.get(key)
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    version = "" if isinstance(document, str) else str(document.get("revision") or "")
    occurred = stored.occurred_at if stored is not None else at
    rev = stored.rev if stored is not None else 0
    batch.put_document(DocumentRow(name, key[1], key[0], key[2], version, None, occurred, text, rev))
