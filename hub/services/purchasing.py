"""Buying: orders to suppliers made, sent, changed, cancelled and closed.

Each act is one unit of work: the order, its book, incoming stock, what is awaited and the document for the supplier are
written together or not at all. An act with a key is done once however often it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import structlog
from pydantic import ValidationError

import canonical
from hub.orders import content
from hub.ports.queries import Queries
from hub.ports.store import AuditEntry, Micros, PersonalRow, ReadSet, State, Store, WriteSet
from hub.purchasing import asking, documents
from hub.purchasing.asking import PurchaseRefused
from hub.purchasing.book import Book, Revision
from hub.purchasing.lines import wanted
from hub.services.apply_purchase import (
    Plans,
    book_key,
    order_key,
    partner_plan,
    reads_for_skus,
    settle_purchase,
)
from hub.services.batch import Batch
from hub.services.purchasing_sending import changing, ordering, takes_changes
from hub.services.purchasing_unit import Done, Opened, PurchaseConflict, look, opening, reads_of, repeat
from hub.services.views import instant

Json = dict[str, Any]

Act = Callable[[Opened], Done]

_log = structlog.get_logger()


class Purchasing:
    """Acts on purchase orders.

    Args:
        plans: By account; a supplier that is the name of one is sent its documents there.
        locations: Names of our locations.
        queries: For the catalogue's packs, and the addresses of a draft that is sent.
    """

    def __init__(self, store: Store, plans: Plans, locations: Collection[str], queries: Queries | None = None) -> None:
        self._store = store
        self._plans = plans
        self._locations = tuple(locations)
        self._queries = queries

    # --- making ------------------------------------------------------------------------------

    async def create(self, given: Mapping[str, Any], *, actor: str) -> Done:
        """Store a new order and send it, unless it is asked to stay a draft. The same order again is a repeat.

        Raises:
            PurchaseRefused: every fault of the request at once.
            PurchaseConflict: there is another order with this number.
        """
        asked = asking.checked({**given, "lines": await self._packed(given.get("lines") or ())}, self._locations)
        self._check_supplier(asked["supplier"])
        number, skus = asked["number"], {line["sku"] for line in asked["lines"]}
        fingerprint = _fingerprint(given)
        reads = ReadSet(documents={order_key(number), book_key(number)}, skus={("", sku) for sku in skus})
        reads_for_skus(reads, skus)
        done: list[Done] = []

        def decide(state: State) -> WriteSet:
            done.clear()
            if order_key(number) in state.documents:
                done.append(repeat(state, number, "create", fingerprint))
                return WriteSet()
            batch = Batch(state)
            done.append(self._make(batch, asked, fingerprint, actor))
            return batch.finish()

        await self._store.run(reads, decide)
        _tell("purchase.created", done[0])
        return done[0]

    def _check_supplier(self, supplier: str) -> None:
        plan = self._plans.get(supplier)
        if plan is None:
            return
        role = plan.partner.agreed.role if plan.partner is not None else None
        if not plan.manifest.trades or role not in (None, "supplier"):
            what = f"its partner is a {role}" if role else f"it is an account of {plan.connector}"
            raise PurchaseRefused([f"supplier: account {supplier} is no supplier's ({what})"])

    def _make(self, batch: Batch, asked: Json, fingerprint: str, actor: str) -> Done:
        now = batch.state.now
        _known_skus(batch.state, asked["lines"])
        plan = self._plans.get(asked["supplier"])
        if plan is not None and asked.get("currency") is None and plan.currency is not None:
            asked = {**asked, "currency": plan.currency, "lines": [_in(line, plan.currency) for line in asked["lines"]]}
        order = _valid(documents.first(asked, now, _text(now)))
        plain, personal = canonical.split_personal(canonical.parse_document(json.dumps(order)))
        if personal is not None:
            batch.put_personal(PersonalRow(order["id"], "", personal))
        stored = content.load(plain)
        revision = Revision("0", now, {line["number"]: wanted(line) for line in stored["lines"]})
        fresh = Book((revision,), {"create": (fingerprint, "0")}, order=stored["id"])
        partner = partner_plan(self._plans, stored)
        sends = partner is not None and stored["state"] != "draft"
        settle_purchase(batch, stored, fresh, partner, now)
        if partner is not None and sends:
            batch.writes.inputs.append(ordering(partner, order, "0", now))
        _audit(batch, actor, "purchase.created", stored["number"], lines=len(stored["lines"]))
        return Done(stored["number"], "0", stored["state"], sends)

    async def send(self, number: str, *, key: str, actor: str) -> Done:
        """Send a draft.

        Raises:
            UnknownPurchaseOrder: no such order.
            PurchaseConflict: it is no draft.
        """
        personal = await self._people(number)

        def act(opened: Opened) -> Done:
            order, batch = opened.order, opened.batch
            if order["state"] != "draft":
                raise PurchaseConflict(f"purchase order {number} is {order['state']}, no draft")
            now = batch.state.now
            partner = partner_plan(self._plans, order)
            at = replace(opened.book.revision, at=now)
            known = _noted(replace(opened.book, revisions=(*opened.book.revisions[:-1], at)), key, "send", at.name)
            stands = settle_purchase(batch, {**order, "state": "sent"}, known, partner, now)
            if partner is not None:
                whole = content.load(canonical.join_personal(content.dump({**order, "state": "sent"}), personal))
                batch.writes.inputs.append(ordering(partner, whole, at.name, now))
            _audit(batch, actor, "purchase.sent", number)
            return Done(number, at.name, stands.state, partner is not None)

        return await self._act(number, key, "send", act, "purchase.sent")

    async def _packed(self, lines: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Lines with the packs the catalogue knows of their articles."""
        packs: dict[str, Mapping[str, int]] = {}
        for sku in {str(line["sku"]) for line in lines if line.get("sku")}:
            row = await self._queries.sku(sku) if self._queries is not None else None
            packs[sku] = row.packs if row is not None else {}
        return [asking.packed(line, packs.get(str(line.get("sku")), {})) for line in lines]

    async def _people(self, number: str) -> str | None:
        """Addresses and note of an order, which its supplier is told."""
        opened = await look(self._store, number)
        return None if self._queries is None else await self._queries.personal(opened.order["id"])

    # --- changing ----------------------------------------------------------------------------

    async def change(
        self, number: str, changes: Sequence[Mapping[str, Any]], *, key: str, actor: str, expected: str | None = None
    ) -> Done:
        """Change lines; the supplier is told each line as it is from now on.

        Args:
            expected: The revision the request was made from; another one in force refuses it.

        Raises:
            UnknownPurchaseOrder: no such order.
            PurchaseRefused: every fault of the request at once.
            PurchaseConflict: it is over, or another revision is in force.
        """
        skus = {str(change["sku"]) for change in changes if change.get("sku")}
        packed = await self._packed(changes)

        def act(opened: Opened) -> Done:
            order = opened.order
            _still_open(order, "changed")
            if expected is not None and expected != order["revision"]:
                raise PurchaseConflict(f"purchase order {number} is at revision {order['revision']}, not {expected}")
            worked = asking.changed(order, packed)
            _known_skus(opened.batch.state, [line for line in worked.lines if line["sku"] in skus])
            return self._revise(opened, worked.lines, worked.told, (key, _fingerprint(changes)), actor, cancels=False)

        return await self._act(number, key, _fingerprint(changes), act, "purchase.changed", skus)

    async def cancel(self, number: str, *, key: str, actor: str, reason: str = "") -> Done:
        """Cancel what has not come yet; the supplier is told. Cancelling twice is a repeat.

        Raises:
            UnknownPurchaseOrder: no such order.
            PurchaseConflict: it is closed, or everything has been received.
        """

        def act(opened: Opened) -> Done:
            order = opened.order
            if order["state"] == "cancelled":
                return Done(number, order["revision"], "cancelled", sent=False, repeated=True)
            _still_open(order, "cancelled")
            told = [
                {**asking.told(line, taken_back=True), "change": "remove"} for line in order["lines"] if wanted(line)
            ]
            noted = (key, "cancel")
            return self._revise(opened, order["lines"], told, noted, actor, cancels=True, reason=reason)

        return await self._act(number, key, "cancel", act, "purchase.cancelled")

    def _revise(
        self, opened: Opened, lines: list[Json], told: list[Json], noted: tuple[str, str], actor: str,
        *, cancels: bool, reason: str = "",
    ) -> Done:  # fmt: skip
        order, batch = opened.order, opened.batch
        now, number, draft = batch.state.now, order["number"], order["state"] == "draft"
        name = order["revision"] if draft else str(int(order["revision"]) + 1)
        fresh = _valid(documents.revised(order, lines, name, _text(now)))
        left = {line["number"]: 0 if cancels else wanted(line) for line in fresh["lines"]}
        before = opened.book.revisions[:-1] if draft else opened.book.revisions
        known = replace(opened.book, revisions=(*before, Revision(name, now, left, cancels)))
        known = _noted(known, *noted, name)
        partner = partner_plan(self._plans, fresh)
        stands = settle_purchase(batch, fresh, known, partner, now)
        sends = partner is not None and takes_changes(partner) and not draft
        if partner is not None and sends:
            batch.writes.inputs.append(changing(partner, fresh, told, name, now, cancels=cancels))
        what = "purchase.cancelled" if cancels else "purchase.changed"
        _audit(batch, actor, what, number, revision=name, lines=len(told), reason=reason)
        return Done(number, name, stands.state, sends)

    async def close(self, number: str, *, key: str, actor: str, reason: str = "") -> Done:
        """Expect nothing more of an order: what is missing is not incoming any more. Nothing is sent.

        Raises:
            UnknownPurchaseOrder: no such order.
        """

        def act(opened: Opened) -> Done:
            order, batch = opened.order, opened.batch
            if opened.book.closed_at is not None:
                return Done(number, order["revision"], order["state"], sent=False, repeated=True)
            now = batch.state.now
            known = _noted(replace(opened.book, closed_at=now), key, "close", order["revision"])
            stands = settle_purchase(batch, order, known, partner_plan(self._plans, order), now)
            _audit(batch, actor, "purchase.closed", number, reason=reason)
            return Done(number, order["revision"], stands.state, sent=False)

        return await self._act(number, key, "close", act, "purchase.closed")

    # --- one unit ----------------------------------------------------------------------------

    async def _act(
        self, number: str, key: str, fingerprint: str, act: Act, event: str, skus: Collection[str] = ()
    ) -> Done:
        done: list[Done] = []

        def decide(state: State) -> WriteSet:
            done.clear()
            opened = opening(state, number)
            if key and key in opened.book.requests:
                done.append(repeat(state, number, key, fingerprint))
                return WriteSet()
            done.append(act(opened))
            return opened.batch.finish()

        await self._store.run(await reads_of(self._store, number, skus), decide)
        _tell(event, done[0])
        return done[0]


def _noted(known: Book, key: str, fingerprint: str, revision: str) -> Book:
    return replace(known, requests={**known.requests, key: (fingerprint, revision)}) if key else known


def _still_open(order: Mapping[str, Any], done: str) -> None:
    if order["state"] in ("cancelled", "closed", "received", "invoiced"):
        raise PurchaseConflict(f"purchase order {order['number']} is {order['state']} and cannot be {done}")


def _known_skus(state: State, lines: Sequence[Mapping[str, Any]]) -> None:
    faults: list[str] = []
    for line in lines:
        sku = line["sku"]
        if ("", sku) not in state.resolved:
            faults.append(f"line {line['number']}: SKU {sku!r} is not in the catalogue")
        elif sku in state.kits:
            parts = ", ".join(part for part, _ in state.kits[sku])
            faults.append(f"line {line['number']}: {sku} is a kit; order its components ({parts})")
    if faults:
        raise PurchaseRefused(faults)


def _in(line: Json, currency: str) -> Json:
    cost = line.get("unit_cost")
    return line if cost is None else {**line, "unit_cost": {**cost, "currency": currency}}


def _valid(order: Json) -> Json:
    """The order in its canonical form. Raises `PurchaseRefused` naming the fields; values may be personal."""
    try:
        found: Json = content.load(canonical.dump(canonical.parse_document(json.dumps(order))))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        named = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in faults[:10]]
        raise PurchaseRefused(named) from None
    return found


def _fingerprint(request: Any) -> str:
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _text(at: Micros) -> str:
    return instant(at) or ""


def _tell(event: str, done: Done) -> None:
    _log.info(event, reference=done.number, revision=done.revision, state=done.state, sent=done.sent,
              repeated=done.repeated)  # fmt: skip


def _audit(batch: Batch, actor: str, action: str, number: str, **detail: object) -> None:
    said = {name: value for name, value in detail.items() if value not in ("", None)}
    batch.writes.audit.append(AuditEntry(actor, action, number, json.dumps(said)))
