"""A hub that buys: one supplier by EDI, one that is told by telephone, a warehouse that takes goods in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import canonical
from canonical import Document
from hub.ports.accounts import AccountPlan
from hub.ports.store import Expectation
from hub.purchasing.match import rows
from hub.purchasing.stand import Standing
from hub.purchasing.standing import standing
from hub.services.batch import Outcome
from hub.services.extract_purchase import purchase_facts_of
from hub.services.interpreted import Interpreted
from hub.services.purchasing import Purchasing
from hub.services.purchasing_receipts import Receipts
from hub.services.purchasing_unit import Done, look
from mappings.edi.partners import find_partner
from tests.support.orders import Hub, at, document, facts, manifest, parse, plan, source

SUPPLIER = "supplier-demo"
WAREHOUSE = "warehouse-demo"
_keys = itertools.count(1)


def trading(account: str, partner: str, **changes: Any) -> AccountPlan:
    return plan(account, manifest=manifest(trades=True), partner=find_partner(partner), **changes)


def wanted(number: str = "OUR-1", /, *lines: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A request for an order of 20 MUG and 6 BOX."""
    usual = (
        {"sku": "MUG", "supplier_sku": "S-MUG", "quantity": 20, "unit_cost": "2.50"},
        {"sku": "BOX", "supplier_sku": "S-BOX", "quantity": 6, "unit_cost": "1.00"},
    )
    body = {"number": number, "supplier": SUPPLIER, "location": "east", "currency": "USD", "lines": lines or usual}
    return {**body, **fields}


def part(status: str, quantity: int | str | None = None, **fields: Any) -> dict[str, Any]:
    return {"status": status, "quantity": quantity, **fields}


def answer(
    name: str, lines: Sequence[Mapping[str, Any]] = (), *, state: str = "accepted_with_changes", order: str = "OUR-1",
    version: int = 1, account: str = SUPPLIER, **fields: Any,
) -> Document:  # fmt: skip
    body = {"number": name, "purchase_order_number": order, "state": state, "lines": list(lines), **fields}
    return document("order_acknowledgement", name, version=version, account=account, **body)


def notice(
    name: str, lines: Sequence[Mapping[str, Any]], *, order: str = "OUR-1", version: int = 1, state: str = "shipped",
    kind: str = "inbound", **fields: Any,
) -> Document:  # fmt: skip
    body = {
        "kind": kind,
        "number": name,
        "state": state,
        "orders": [{"purchase_order_number": order}],
        "packages": [{"id": "1", "lines": list(lines)}],
        **fields,
    }
    return _told("ship_notice", name, version, body)


def invoice(
    name: str, lines: Sequence[Mapping[str, Any]], *, order: str = "OUR-1", version: int = 1, **fields: Any
) -> Document:
    body = {"number": name, "purchase_order_number": order, "lines": list(lines), **fields}
    return _told("invoice", name, version, body)


def _told(type_: str, name: str, version: int, body: Mapping[str, Any]) -> Document:
    named = canonical.document_id(type_, 0, SUPPLIER, type_, name)
    return parse({"type": type_, "id": named, "source": source(type_, name, version, SUPPLIER), **body})


def received(
    name: str, lines: Sequence[Mapping[str, Any]], *, order: str = "OUR-1", version: int = 1, **fields: Any
) -> Document:
    body = {"number": name, "purchase_order_number": order, "location": "east", "lines": list(lines), **fields}
    return document("warehouse_receipt", name, version=version, account=WAREHOUSE, **body)


class Buying(Hub):
    """A memory hub with the acts of buying on it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(plan(), trading(SUPPLIER, "supplier"), trading(WAREHOUSE, "grocery-warehouse"), **options)
        for sku in ("MUG", "BOX", "CUP"):
            self.store.seed_sku(sku)
        self.store.seed_sku("SET", components=(("MUG", 1), ("BOX", 1)))
        self.acts = Purchasing(self.store, self.plans, ("east", "west"))
        self.receipts = Receipts(self.store, self.plans, ("east", "west"))

    async def order(self, *lines: Mapping[str, Any], **fields: Any) -> Done:
        return await self.acts.create(wanted("OUR-1", *lines, **fields), actor="ada")

    async def hear(self, *documents: Document) -> Outcome:
        """One payload of the account its documents name."""
        account = str(documents[0].source.account)
        item = await self.item(account)
        told = (purchase_facts_of(one, account, at(0)) for one in documents)
        found = tuple(one for one in told if one is not None)
        interpreted = Interpreted(item.seq, facts(documents, account), purchases=found)
        return await self.apply.apply([(item, interpreted)])

    async def change(self, *changes: Mapping[str, Any], **fields: Any) -> Done:
        return await self.acts.change("OUR-1", changes, key=f"k{next(_keys)}", actor="ada", **fields)

    async def cancel(self) -> Done:
        return await self.acts.cancel("OUR-1", key=f"k{next(_keys)}", actor="ada")

    async def take_in(self, *lines: Mapping[str, Any], **fields: Any) -> Done:
        body = {"lines": list(lines), **fields}
        return await self.receipts.receive("OUR-1", body, key=f"k{next(_keys)}", actor="ada")

    async def stands(self, number: str = "OUR-1") -> Standing:
        opened = await look(self.store, number)
        return standing(opened.order, opened.book)

    async def match(self, number: str = "OUR-1") -> list[dict[str, Any]]:
        opened = await look(self.store, number)
        return rows(opened.order, standing(opened.order, opened.book))

    async def state(self, number: str = "OUR-1") -> str:
        return str((await look(self.store, number)).order["state"])

    def incoming(self, sku: str, location: str = "east") -> int:
        return self.store.position(sku, location).incoming

    def on_hand(self, sku: str, location: str = "east") -> int:
        return self.store.position(sku, location).on_hand

    def sent(self) -> list[dict[str, Any]]:
        """Documents asked to be sent to the supplier, oldest first."""
        items = [row.item for row in self.store.tables.inbox.values() if row.item.topic == "outgoing"]
        return [json.loads(item.payload) for item in items if item.account == SUPPLIER]

    def awaited(self) -> dict[tuple[str, str], Expectation]:
        """(set, reference) -> what the supplier owes."""
        rows_ = self.store.tables.expectations.values()
        return {(row.kind, row.reference): row for row in rows_ if row.account == SUPPLIER and not row.ours}

    def sound(self) -> bool:
        return not self.store.differences()
