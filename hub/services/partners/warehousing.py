"""Orders to ship (940), for warehouses that run a location of ours: sent, changed and taken back as orders move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

import canonical
from hub.orders import content
from hub.orders.allocation import OVERSOLD
from hub.orders.references import ALIAS, folded
from hub.orders.warehousing import (
    BOOK,
    SENT,
    WAREHOUSE_ORDER,
    Rules,
    Step,
    Told,
    after,
    dump,
    lines_of,
    load,
    number_of,
    order_fields,
    steps,
    with_told,
)
from hub.ports.accounts import AccountPlan
from hub.ports.store import DocumentRow, Expectation, NewFailure, OrderKey, OrderRow, ReadSet
from hub.services.batch import Batch
from hub.services.partners.documents import deadline, made
from hub.services.trading import outgoing

Json = dict[str, Any]

SET: Final = "940"
ADVICE: Final = "945"
FAILURE: Final = "effect"
_ORIGINAL: Final = "N"

_log = structlog.get_logger()


def reads_for(reads: ReadSet, plan: AccountPlan, key: OrderKey) -> None:
    if plan.warehouses:
        reads.documents.add((key[0], BOOK, key[1]))
        reads.personal.add(key)


def locked(
    batch: Batch, plan: AccountPlan, plans: Mapping[str, AccountPlan], row: OrderRow, *, cancels: bool
) -> frozenset[str]:
    """Lines a warehouse was told to ship and cannot be told otherwise about, by its guide."""
    found: set[str] = set()
    for location, told in _book(batch, (row.account, row.source_id)).items():
        rules = _rules(plans.get(plan.warehouses.get(location, "")))
        if rules.cancels if cancels else rules.changes:
            continue
        found |= {line for one in told if not one.has_left(row) for line, _ in one.units}
    return frozenset(found)


def follow(
    batch: Batch,
    plan: AccountPlan,
    plans: Mapping[str, AccountPlan],
    key: OrderKey,
    *,
    ready: bool,
    held_back: Mapping[str, int] | None = None,
) -> None:
    """Tell each warehouse what it does not know yet of an order.

    Args:
        ready: whoever ordered has been answered.
        held_back: units promised for later, where what is there may go ahead; None sends an order that is held
            by nothing.
    """
    row = batch.state.orders.get(key)
    if row is None:
        return
    book = _book(batch, key)
    passable = {OVERSOLD} if held_back is not None else set()
    fit = ready and row.state in {"open", "held"} and not set(row.holds) - passable
    for location, account in plan.warehouses.items():
        warehouse = plans.get(account)
        if warehouse is None or warehouse.partner is None:
            continue
        told = book.get(location, ())
        for step in steps(row, told, location, _rules(warehouse), fit=fit, held_back=held_back or {}):
            book = _take(batch, warehouse, row, location, book, step)
        book = _met(batch, warehouse, row, location, book)
    _keep(batch, key, book)


def _book(batch: Batch, key: OrderKey) -> dict[str, tuple[Told, ...]]:
    row = batch.state.documents.get((key[0], BOOK, key[1]))
    return {} if row is None else load(row.document)


def _keep(batch: Batch, key: OrderKey, book: Mapping[str, tuple[Told, ...]]) -> None:
    known = batch.state.documents.get((key[0], BOOK, key[1]))
    text = dump(book)
    if (known.document if known else "{}") != text:
        rev = known.rev if known else 0
        batch.put_document(DocumentRow(f"{BOOK}:{key[0]}:{key[1]}", BOOK, *key, "", None, None, text, rev))


def _rules(warehouse: AccountPlan | None) -> Rules:
    agreed = warehouse.partner.agreed.warehouse if warehouse is not None and warehouse.partner is not None else None
    if agreed is None:
        return Rules(changes=False, cancels=False)
    return Rules(changes=agreed.change is not None, cancels=agreed.cancel is not None)


def _take(
    batch: Batch,
    warehouse: AccountPlan,
    row: OrderRow,
    location: str,
    book: dict[str, tuple[Told, ...]],
    step: Step,
) -> dict[str, tuple[Told, ...]]:
    now = batch.state.now
    if step.word == "cannot":
        _cannot(batch, warehouse, row, step)
        return book
    told = step.told
    if told is None:
        number = number_of(row.account, row.source_id, location, len(book.get(location, ())))
        base = {one.line_id: one.shipped for one in row.allocations if one.shipped}
        told = Told(number, (), base, now, deadline(warehouse, ADVICE, now))
        _name_order(batch, row, number)
        _expect(batch, warehouse, row, told)
    after_ = after(step, told)
    _write(batch, warehouse, row, location, step, after_)
    if step.word == "cancel":
        _expect(batch, warehouse, row, told, "dropped")
    return with_told(book, location, after_)


def _write(batch: Batch, warehouse: AccountPlan, row: OrderRow, location: str, step: Step, told: Told) -> None:
    document, now = content.load(row.document), batch.state.now
    attributes = {
        "purpose": _code(warehouse, step.word),
        "state": told.state,
        "order_account": row.account,
        "order": row.source_id,
        "revision": told.rev,
        "references": {"CO": row.number},
        "parties": _parties(warehouse, document, location),
    }
    lines = lines_of(row, document, step.units)
    fields = order_fields(document, lines, location) | {"number": told.number, "attributes": attributes}
    name = f"{warehouse.account}/{told.number}"
    plain = made(WAREHOUSE_ORDER, name, told.opened_at, fields)
    whole = made(WAREHOUSE_ORDER, name, told.opened_at, fields | _person(batch, row))
    batch.writes.inputs.append(
        outgoing(
            warehouse.account, SET, whole,
            about={"order": row.id, "warehouse_order": told.number}, dedupe=f"{told.number}:{told.rev}", at=now,
        )
    )  # fmt: skip
    batch.put_document(
        DocumentRow(
            plain.id, WAREHOUSE_ORDER, warehouse.account, told.number, str(told.rev), None, now,
            canonical.dump(plain), told.rev - 1,
        )
    )  # fmt: skip
    _log.info(
        "warehouse_order.written", account=warehouse.account, order=row.id, reference=told.number, change=step.word
    )


def _code(warehouse: AccountPlan, word: str) -> str | None:
    agreed = warehouse.partner.agreed.warehouse if warehouse.partner is not None else None
    if agreed is None or word == "send":
        return _ORIGINAL
    return agreed.change if word == "change" else agreed.cancel


def _met(
    batch: Batch, warehouse: AccountPlan, row: OrderRow, location: str, book: dict[str, tuple[Told, ...]]
) -> dict[str, tuple[Told, ...]]:
    """The warehouse has sent what was awaited of an order."""
    for told in book.get(location, ()):
        if told.state == SENT and not told.met and told.has_left(row):
            _expect(batch, warehouse, row, told, "met")
            book = with_told(book, location, replace(told, met=True))
    return book


def _expect(batch: Batch, warehouse: AccountPlan, row: OrderRow, told: Told, state: str = "open") -> None:
    settled = None if state == "open" else batch.state.now
    batch.writes.expectations.append(
        Expectation(warehouse.account, ADVICE, told.number, row.id, False, told.opened_at, told.due_at, state, settled)
    )


def _parties(warehouse: AccountPlan, document: Mapping[str, Any], location: str) -> Json:
    """The warehouse by its own code of the place, the receiver by the retailer's code of the store."""
    code = next((theirs for theirs, ours in warehouse.locations.items() if ours == location), location)
    stated = (document.get("attributes") or {}).get("parties") or {}
    receiver = {role: stated[role] for role in ("ST", "BY") if role in stated}
    return {"WH": {"qualifier": "92", "id": code}, **receiver}


def _person(batch: Batch, row: OrderRow) -> Json:
    """Where it goes: needed by who ships, and kept nowhere but in what is sent."""
    text = batch.state.personal.get(row.id)
    known = json.loads(text) if text else {}
    found = {name: known.get(name) for name in ("ship_to", "note")}
    if known.get("final_destination") and not found["ship_to"]:
        found["ship_to"] = known["final_destination"]
    return {name: value for name, value in found.items() if value}


def _name_order(batch: Batch, row: OrderRow, number: str) -> None:
    """The warehouse's advice will call the order by this number."""
    key = ("", ALIAS, folded(number))
    if key not in batch.state.documents:
        body = json.dumps({"account": row.account, "order": row.source_id}, separators=(",", ":"))
        batch.put_document(DocumentRow(f"{ALIAS}:{folded(number)}", ALIAS, "", folded(number), "", None, None, body))


def _cannot(batch: Batch, warehouse: AccountPlan, row: OrderRow, step: Step) -> None:
    """The guide has no word for it: somebody has to call the warehouse."""
    number = step.told.number if step.told is not None else ""
    batch.writes.failures.append(
        NewFailure(
            account=warehouse.account,
            kind=FAILURE,
            reference=f"{WAREHOUSE_ORDER}:{number}",
            error="NotExpressible",
            code="warehouse_order_changed",
            path=f"orders/{row.source_id}",
            message=(
                f"order {row.number} of {row.account}, sent as {number}: less is to be shipped of it now, and this "
                "warehouse is told so by telephone only"
            ),
            fingerprint=f"{warehouse.account}:{FAILURE}:warehouse_order_changed:NotExpressible",
        )
    )
