"""A retailer, its orders and changes, and the hub that answers it: documents as its sets give them, no wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import canonical
from canonical import Document
from hub.ports.accounts import AccountPlan, AvailabilityPolicy
from hub.ports.store import InboxItem
from mappings import MappingSet
from mappings.edi import OutgoingSet
from mappings.edi.partners import PartnerProfile, find_partner
from mappings.edi.rendering import render
from tests.support.orders import START, Hub, document, line, manifest, order, plan

RETAILER = "retailer"
WAREHOUSE = "warehouse"


class TradingHub(Hub):
    """What the hub asks to be sent stays where it is; only what a test delivers is applied."""

    async def item(self, account: str = "shop", key: str | None = None, **fields: Any) -> InboxItem:
        await self.store.claim_inbox(1000)
        return await super().item(account, key, **fields)


def profile(name: str = "big-box", **agreed: Any) -> PartnerProfile:
    """A shipped profile with some of its terms changed."""
    found = find_partner(name)
    return replace(found, agreed=found.agreed.model_copy(update=agreed))


def retailer(partner: PartnerProfile | str = "big-box", **changes: Any) -> AccountPlan:
    found = find_partner(partner) if isinstance(partner, str) else partner
    fields: dict[str, Any] = {"connector": "edi", "manifest": manifest(), "partner": found, **changes}
    return plan(RETAILER, **fields)


def warehouse(**rules: Any) -> AccountPlan:
    """The warehouse behind our location `east`, which it calls 3PL01."""
    found = find_partner("grocery-warehouse")
    agreed = found.agreed.model_copy(update={"warehouse": found.agreed.warehouse.model_copy(update=rules)})
    return plan(
        WAREHOUSE,
        connector="edi",
        partner=replace(found, agreed=agreed),
        locations={"3PL01": "east"},
        policy=AvailabilityPolicy(("east",)),
        manifest=manifest(ships_for_others=True),
        stock_source=True,
    )


def bought(number: str, sku: str, quantity: int, **fields: Any) -> dict[str, Any]:
    """A line as an 850 gives it: the retailer's number and price, our SKU among its ids."""
    properties = {"ids": {"IN": f"R-{sku}", "VN": sku}, "uom_stated": "EA", **fields.pop("properties", {})}
    price = {"amount": fields.pop("price", "2.50"), "currency": "USD"}
    return line(number, f"R-{sku}", quantity, uom="EA", unit_price=price, properties=properties, **fields)


def purchase(name: str, lines: Sequence[Mapping[str, Any]], *, version: int = 1, **fields: Any) -> Document:
    """An 850 with this purchase order number."""
    parties = {"ST": {"qualifier": "92", "id": "0012"}}
    stated = {
        "kind": "wholesale",
        "purchase_order_number": name,
        "number": name,
        "attributes": {"parties": parties, "order_type": "SA"},
        "ship_to": {"name": "STORE 12", "line1": "1 Main St", "city": "Springfield", "region": "IL"},
        **fields,
    }
    return order(name, lines, version=version, account=RETAILER, **stated)


def change(name: str, number: str, lines: Sequence[Mapping[str, Any]], *, version: int) -> Document:
    """An 860 with this change number."""
    return document(
        "order_change", f"{name}/{number}", name, version=version, account=RETAILER,
        purchase_order_number=name, number=name, revision=number, lines=list(lines),
    )  # fmt: skip


def cancellation(name: str, *, version: int) -> Document:
    return document("order_cancellation", f"{name}/cancellation", name, version=version, account=RETAILER)


def advice(name: str, order: str, packages: list[list[tuple[str, int]]], *, version: int, **fields: Any) -> Document:
    """A 945: packages of (our SKU, units)."""
    packed = [
        {
            "id": str(at),
            "tracking_number": f"1Z{name}{at}",
            "carrier": "ups",
            "lines": [{"channel_sku": sku, "quantity": units, "uom": "EA"} for sku, units in lines],
        }
        for at, lines in enumerate(packages, 1)
    ]
    stated = {"state": "shipped", "ship_from_raw": "3PL01", "packages": packed, **fields}
    return document("shipment", name, order, version=version, account=WAREHOUSE, **stated)


def outgoing_of(hub: Hub, account: str = RETAILER, kind: str | None = None) -> list[dict[str, Any]]:
    """What was asked to be sent, oldest first."""
    rows = [row.item for _, row in sorted(hub.store.tables.inbox.items())]
    found = [json.loads(item.payload) for item in rows if item.account == account and item.topic == "outgoing"]
    return [each for each in found if kind is None or each["set"] == kind]


def written(asked: Mapping[str, Any], partner: PartnerProfile) -> OutgoingSet:
    """The set it becomes. Raises where the partner's rules refuse it."""
    made = canonical.parse_document(json.dumps(asked["document"]))
    return render(asked["set"], made, MappingSet.load("edi"), partner, START)


def decisions(asked: Mapping[str, Any]) -> dict[str, list[tuple[str, int]]]:
    return {
        each["number"]: [(told["status"], told["quantity"]) for told in each["acknowledged"]]
        for each in asked["document"]["lines"]
    }
