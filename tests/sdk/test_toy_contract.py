"""The toy connector keeps the whole contract: the suite can be passed, and this is how to use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from mappings import MappingSet
from tests.support.toy.connector import CONNECTOR

MAPPINGS = Path(__file__).resolve().parents[1] / "support" / "toy" / "mappings"
ORDER: dict[str, Any] = {
    "id": "1001",
    "number": "T-1001",
    "status": "new",
    "payment": "paid",
    "placed_at": "2026-01-05T12:00:00+00:00",
    "updated_at": "2026-01-05T12:00:00+00:00",
    "currency": "USD",
    "total": "12.30",
    "lines": [{"id": "1", "listing": "L1", "sku": "SUITE-1", "quantity": 1, "price": "12.30"}],
}
NEWER = {**ORDER, "status": "cancelled", "updated_at": "2026-01-05T12:05:00+00:00"}


class ToyContract(ContractSuite):
    connector = CONNECTOR
    webhooks = (WebhookSample("order.placed", json.dumps(ORDER).encode(), newer=json.dumps(NEWER).encode()),)
    reads = (
        Sample(
            "order",
            json.dumps(ORDER).encode(),
            required={"order.number": ("number",), "order.lines[0].quantity": ("lines", 0, "quantity")},
            codes={"order.payment_state": ("payment",)},
            money={"order.totals.grand_total": ("total",), "order.lines[0].unit_price": ("lines", 0, "price")},
            quantities={"order.lines[0].quantity": ("lines", 0, "quantity")},
        ),
    )

    def mapping(self) -> MappingSet:
        return MappingSet.load("toy", root=MAPPINGS)

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        return Effect("effect-1", kind, f"order:{order_id}", "key-1", {"tracking": "TRACK-1"}, {"order_id": order_id})


class TestToyContract(ToyContract):
    """Every rule of the suite."""
