"""Orders to ship (940), for warehouses that run a location of ours: sent, changed and taken back as orders move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

import canonical
from hub.orders import content, warehousing
from hub.orders.references import ALIAS, folded
from hub.orders.warehousing import CANCELLED, SENT, WAREHOUSE_ORDER, number_of
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
_CODES: Final = {"send": _ORIGINAL}

_log = structlog.get_logger()


def reads_for(reads: ReadSet, plan: AccountPlan, key: OrderKey) -> None:
    for location, account in plan.warehouses.items():
        number = number_of(*key, location)
        reads.documents |= {(account, WAREHOUSE_ORDER, number), ("", ALIAS, folded(number))}
        reads.expectations.add((account, ADVICE, number))
    if plan.warehouses:
        reads.personal.add(key)


def locked(
    batch: Batch, plan: AccountPlan, plans: Mapping[str, AccountPlan], row: OrderRow, *, cancels: bool
) -> frozenset[str]:
    """Lines a warehouse was told to ship and cannot be told otherwise about, by its guide."""
    found: set[str] = set()
    for location, account in plan.warehouses.items():
        stored = batch.state.documents.get((account, WAREHOUSE_ORDER, number_of(row.account, row.source_id, location)))
        if stored is None or _code(plans.get(account), "cancel" if cancels else "change") is not None:
            continue
        found |= {line for line, _ in warehousing.sent_targets(content.load(stored.document))}
    return frozenset(found)


def follow(batch: Batch, plan: AccountPlan, plans: Mapping[str, AccountPlan], key: OrderKey, *, ready: bool) -> None:
    """Tell each warehouse what it does not know yet of an order. `ready`: whoever ordered has been answered."""
    row = batch.state.orders.get(key)
    if row is None:
        return
    for location, account in plan.warehouses.items():
        warehouse = plans.get(account)
        if warehouse is not None and warehouse.partner is not None:
            _at(batch, warehouse, row, location, ready=ready)


def _at(batch: Batch, warehouse: AccountPlan, row: OrderRow, location: str, *, ready: bool) -> None:
    number = number_of(row.account, row.source_id, location)
    stored = batch.state.documents.get((warehouse.account, WAREHOUSE_ORDER, number))
    known = content.load(stored.document) if stored is not None else None
    step = warehousing.step(row, known, location, ready=ready)
    if step is not None:
        code = _CODES.get(step) or _code(warehouse, step)
        if code is None:
            _cannot(batch, warehouse, row, number, step)
        else:
            _send(batch, warehouse, row, location, number, stored, known, step, code)
    elif known is not None and warehousing.has_left(row, location):
        _over(batch, warehouse, number, "met")


def _code(warehouse: AccountPlan | None, step: str) -> str | None:
    rules = warehouse.partner.agreed.warehouse if warehouse is not None and warehouse.partner is not None else None
    if rules is None:
        return None
    return rules.change if step == "change" else rules.cancel


def _send(
    batch: Batch,
    warehouse: AccountPlan,
    row: OrderRow,
    location: str,
    number: str,
    stored: DocumentRow | None,
    known: Json | None,
    step: str,
    code: str,
) -> None:
    document = content.load(row.document)
    now = batch.state.now
    lines = warehousing.lines_at(row, document, location) if step != "cancel" else (known or {})["lines"]
    revision = (stored.rev if stored else 0) + 1
    attributes = {
        "purpose": code,
        "state": CANCELLED if step == "cancel" else SENT,
        "order_account": row.account,
        "order": row.source_id,
        "revision": revision,
        "references": {"CO": row.number},
        "parties": _parties(warehouse, document, location),
    }
    fields = warehousing.order_fields(document, lines, location) | {"number": number, "attributes": attributes}
    plain = made(WAREHOUSE_ORDER, f"{warehouse.account}/{number}", now, fields)
    person = _person(batch, row)
    told = made(WAREHOUSE_ORDER, f"{warehouse.account}/{number}", now, fields | person)
    batch.writes.inputs.append(
        outgoing(
            warehouse.account, SET, told,
            about={"order": row.id, "warehouse_order": number}, dedupe=f"{number}:{revision}", at=now,
        )
    )  # fmt: skip
    text = canonical.dump(plain)
    batch.put_document(
        DocumentRow(
            plain.id, WAREHOUSE_ORDER, warehouse.account, number, str(revision), None, now, text,
            stored.rev if stored else 0,
        )
    )  # fmt: skip
    _name_order(batch, row, number)
    _await_advice(batch, warehouse, row, number, step)
    _log.info("warehouse_order.written", account=warehouse.account, order=row.id, number=number, step=step)


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


def _await_advice(batch: Batch, warehouse: AccountPlan, row: OrderRow, number: str, step: str) -> None:
    if step == "cancel":
        _over(batch, warehouse, number, "dropped")
    elif step == "send":
        now = batch.state.now
        due = deadline(warehouse, ADVICE, now)
        _expect(batch, Expectation(warehouse.account, ADVICE, number, row.id, False, now, due))


def _over(batch: Batch, warehouse: AccountPlan, number: str, state: str) -> None:
    awaited = batch.state.expectations.get((warehouse.account, ADVICE, number))
    if awaited is not None and awaited.state == "open":
        _expect(batch, replace(awaited, state=state, settled_at=batch.state.now))


def _expect(batch: Batch, expectation: Expectation) -> None:
    key = (expectation.account, expectation.kind, expectation.reference)
    batch.state.expectations[key] = expectation
    batch.writes.expectations.append(expectation)


def _cannot(batch: Batch, warehouse: AccountPlan, row: OrderRow, number: str, step: str) -> None:
    """The guide has no word for it: somebody has to call the warehouse."""
    batch.writes.failures.append(
        NewFailure(
            account=warehouse.account,
            kind=FAILURE,
            reference=f"{WAREHOUSE_ORDER}:{number}:{step}",
            error="NotExpressible",
            code=f"{step}_warehouse_order",
            path=f"orders/{row.source_id}",
            message=(
                f"order {row.number} of {row.account}, sent as {number}: this warehouse takes no {step} of an order; "
                "tell it by telephone"
            ),
            fingerprint=f"{warehouse.account}:{FAILURE}:{step}_warehouse_order:NotExpressible",
        )
    )
