"""Goods of a purchase order taken in by hand: on hand or in quarantine, and no longer incoming, in one unit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from pydantic import ValidationError

import canonical
from canonical import WarehouseReceipt
from hub.inventory.postings import RECEIVED, Change, postings
from hub.orders import content
from hub.ports.store import AuditEntry, Bucket, DocumentKey, DocumentRow, State, Store, WriteSet
from hub.purchasing.asking import LINES_MAX, QUANTITY_MAX, PurchaseRefused
from hub.purchasing.standing import standing
from hub.services.apply_purchase import Plans, hear, order_key
from hub.services.extract_purchase import receipt
from hub.services.purchasing_unit import Done, Opened, PurchaseConflict, opening, reads_of
from hub.services.views import instant

Json = dict[str, Any]
WAREHOUSE_RECEIPT = "warehouse_receipt"
_DAMAGED = "received damaged"
_MILLISECOND = 1000

_log = structlog.get_logger()


class Receipts:
    """Takes goods in.

    Args:
        locations: Names of our locations.
    """

    def __init__(self, store: Store, plans: Plans, locations: Sequence[str]) -> None:
        self._store = store
        self._plans = plans
        self._locations = tuple(locations)

    async def receive(self, number: str, given: Mapping[str, Any], *, key: str, actor: str) -> Done:
        """Take goods in for an order. A receipt with a known `receipt` number, or key, is a repeat.

        Args:
            given: `lines` of `{number or sku, quantity, damaged_quantity?, lot?}`, and optionally `receipt` (its own
                number), `location` (the order's otherwise) and `received_on`.

        Raises:
            UnknownPurchaseOrder: no such order.
            PurchaseRefused: every fault at once.
            PurchaseConflict: the receipt's number stands for other goods, or the order is still a draft.
        """
        name = str(given.get("receipt") or key)
        at_key: DocumentKey = ("", WAREHOUSE_RECEIPT, f"{number}/{name}")
        skus = {str(line["sku"]) for line in given.get("lines", ()) if line.get("sku")}
        reads = await reads_of(self._store, number, skus)
        reads.documents.add(at_key)
        done: list[Done] = []

        def decide(state: State) -> WriteSet:
            done.clear()
            opened = opening(state, number)
            lines = self._lines(opened, given)
            place = str(given.get("location") or opened.order["location"])
            document = _document(number, name, given, lines, place, state.now)
            stored = state.documents.get(at_key)
            if stored is not None:
                done.append(_repeated(opened, document, stored))
                return WriteSet()
            done.append(self._take_in(opened, document, place, at_key, actor))
            return opened.batch.finish()

        await self._store.run(reads, decide)
        _log.info("purchase.received", reference=number, state=done[0].state, repeated=done[0].repeated)
        return done[0]

    def _take_in(self, opened: Opened, document: WarehouseReceipt, place: str, key: DocumentKey, actor: str) -> Done:
        order, batch = opened.order, opened.batch
        if order["state"] == "draft":
            raise PurchaseConflict(f"purchase order {order['number']} is a draft; send it first")
        now = batch.state.now
        at = min(now, receipt(document, "", now).at)
        changes: list[Change] = []
        for line in document.lines:
            sku = line.sku or ""
            if line.quantity:
                changes.append(Change(RECEIVED, sku, place, Bucket.ON_HAND, int(line.quantity)))
            if line.damaged_quantity:
                changes.append(Change(_DAMAGED, sku, place, Bucket.QUARANTINE, int(line.damaged_quantity)))
        event = batch.event(f"{WAREHOUSE_RECEIPT}::{key[2]}:1")
        batch.post(postings(event, document.id, at, changes, batch.state.position), at)
        batch.put_document(
            DocumentRow(document.id, WAREHOUSE_RECEIPT, "", key[2], "", None, at, canonical.dump(document))
        )
        told = receipt(document, "", now)
        lines = tuple(line._replace(sku=line.items[0]) for line in told.lines)
        hear(batch, order["number"], told._replace(lines=lines), self._plans)
        detail = json.dumps({"receipt": document.number, "lines": len(document.lines)})
        batch.writes.audit.append(AuditEntry(actor, "purchase.received", order["number"], detail))
        fresh = content.load(batch.state.documents[order_key(order["number"])].document)
        return Done(order["number"], fresh["revision"], fresh["state"], sent=False)

    def _lines(self, opened: Opened, given: Mapping[str, Any]) -> list[Json]:
        faults: list[str] = []
        lines: list[Json] = []
        asked = given.get("lines") or []
        if not asked or len(asked) > LINES_MAX:
            faults.append(f"lines: between 1 and {LINES_MAX}, this receipt has {len(asked)}")
        place = given.get("location")
        if place is not None and place not in self._locations:
            known = ", ".join(sorted(self._locations))
            faults.append(f"location: {place!r} is not one of ours ({known})")
        for at, line in enumerate(asked, 1):
            try:
                lines.append(_line(opened, line))
            except ValueError as error:
                faults.append(f"line {at}: {error}")
        if faults:
            raise PurchaseRefused(faults)
        return lines


def _line(opened: Opened, line: Mapping[str, Any]) -> Json:
    """Raises `ValueError` with the fault."""
    ordered = {one["number"]: one for one in opened.order["lines"]}
    number, article = line.get("number"), line.get("sku")
    if number is not None and str(number) not in ordered:
        raise ValueError(f"number: the order has no line {number!r} (lines: {', '.join(ordered)})")
    alike = [name for name, one in ordered.items() if number is None and article in _names(one)]
    if number is None:
        number = next(iter(alike), None) or _instead(opened, article)
    if number is None:
        raise ValueError(f"sku: {article!r} is not on the order; say which line it came for with `number`")
    one = ordered[str(number)]
    sku = one["sku"] if article is None or article in _names(one) else article
    if sku != one["sku"] and ("", sku) not in opened.batch.state.resolved:
        raise ValueError(f"sku: {sku!r} is not in the catalogue")
    if sku in opened.batch.state.kits:
        raise ValueError(f"sku: {sku} is a kit and holds no stock; take its components in")
    good, damaged = line.get("quantity", 0), line.get("damaged_quantity") or 0
    for name, units in (("quantity", good), ("damaged_quantity", damaged)):
        if not isinstance(units, int) or isinstance(units, bool) or not 0 <= units <= QUANTITY_MAX:
            raise ValueError(f"{name}: a whole number of eaches, 0 or more")
    if not good and not damaged:
        raise ValueError("quantity: nothing was taken in")
    # Of an article on several lines nobody has said which it came for.
    line_id = None if len(alike) > 1 else str(number)
    return {"line_id": line_id, "sku": sku, "channel_sku": sku, "quantity": good, "damaged_quantity": damaged,
            "lot": line.get("lot")}  # fmt: skip


def _names(line: Mapping[str, Any]) -> set[str]:
    return {line[name] for name in ("sku", "supplier_sku", "gtin") if line.get(name)}


def _instead(opened: Opened, sku: str | None) -> str | None:
    """The line an article comes for although another one was ordered."""
    lines = standing(opened.order, opened.book).lines
    return next((number for number, line in lines.items() if sku in line.promised or sku in line.shipped), None)


def _document(
    number: str, name: str, given: Mapping[str, Any], lines: list[Json], place: str, now: int
) -> WarehouseReceipt:
    at = instant(now)
    body = {
        "type": WAREHOUSE_RECEIPT,
        "id": canonical.document_id(WAREHOUSE_RECEIPT, now // _MILLISECOND, "", WAREHOUSE_RECEIPT, number, name),
        "source": {"connector": "hub", "kind": WAREHOUSE_RECEIPT, "id": f"{number}/{name}", "occurred_at": at},
        "number": name,
        "reference": number,
        "purchase_order_number": number,
        "received_on": given.get("received_on") or at,
        "location": place,
        "lines": lines,
    }
    try:
        return WarehouseReceipt.model_validate_json(json.dumps(body))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise PurchaseRefused(
            [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in faults[:10]]
        ) from None


def _repeated(opened: Opened, document: WarehouseReceipt, stored: DocumentRow) -> Done:
    known, now = content.load(stored.document), content.load(canonical.dump(document))
    if known["lines"] != now["lines"] or known["location"] != now["location"]:
        raise PurchaseConflict(f"receipt {document.number} of this order is known with other goods")
    order = opened.order
    return Done(order["number"], order["revision"], order["state"], sent=False, repeated=True)
