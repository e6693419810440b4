"""A label bought in a shipping tool ships the order of the shop that sold it, and the shop is told once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import registry
from mappings import MapContext, MappingSet
from tests.services.test_shipments import effects, failures, hub, shop
from tests.support.orders import Hub, line, order, plan

SHIPPED = Path(__file__).resolve().parents[2] / "mappings" / "shipstation" / "fixtures" / "shipments"
MAPPING = MappingSet.load("shipstation")


def told(name: str, **changes: Any) -> list[Any]:
    """What ShipStation says, as documents."""
    payload = {**json.loads((SHIPPED / f"{name}.json").read_text()), **changes}
    items = payload.get("shipmentItems") or []
    payload["shipmentItems"] = [item for item in items if item["sku"]] or None
    topic = "fulfillment" if "fulfillmentId" in payload else "shipment"
    context = MapContext("tool", "shipstation", datetime(2026, 11, 21, tzinfo=UTC), locations={"34369": "east"})
    return MAPPING.map(topic, json.dumps(payload).encode(), context)


def beside_a_shop() -> Hub:
    tool = plan("tool", manifest=registry.get("shipstation").manifest, locations={"34369": "east"}, routing=())
    made = hub(shop(), tool)
    made.stock("MUG-BLUE", 10)
    return made


async def test_a_label_ships_the_order_and_its_void_takes_it_back() -> None:
    """By the shop's number with its mark; told twice it ships once; voided, the units are reserved again."""
    made = beside_a_shop()
    await made.deliver(order("1001", [line("a", "MUG-BLUE", 3)]))
    for _ in range(2):
        await made.deliver(*told("shipment"), account="tool")
    assert made.buckets("MUG-BLUE") == (8, 1, 0)
    (confirmed,) = effects(made)
    assert confirmed["order"] == "1001"
    assert confirmed["packages"][0]["tracking_number"] == "9405511899223197428490"
    assert confirmed["packages"][0]["told"]["name"] == "USPS"
    await made.deliver(*told("shipment_voided"), account="tool")
    assert made.buckets("MUG-BLUE") == (10, 3, 0)
    assert failures(made) == []


async def test_a_mark_without_items_ships_all_that_is_left() -> None:
    """After a label for a part, an order marked as shipped sends the rest."""
    made = beside_a_shop()
    await made.deliver(order("1001", [line("a", "MUG-BLUE", 3)]))
    await made.deliver(*told("shipment"), account="tool")
    await made.deliver(*told("fulfillment", orderNumber="1001"), account="tool")
    assert made.buckets("MUG-BLUE") == (7, 0, 0)
    assert len(effects(made)) == 2


async def test_a_label_before_its_order_waits_by_name() -> None:
    """Parked, not lost: the shop's order may be slower than the warehouse."""
    made = beside_a_shop()
    await made.deliver(*told("shipment"), account="tool")
    assert failures(made) == [("OrphanShipment", "order_unknown")]
    assert made.buckets("MUG-BLUE") == (10, 0, 0)
