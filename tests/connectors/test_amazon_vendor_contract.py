"""The vendor flavour of the Amazon connector keeps every promise of the connector contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.amazon.vendor import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Effect, ListingRef
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample
from connectors.sdk.sandbox import Sandbox
from mappings import SHIPPED

FIXTURES = SHIPPED / "amazon_vendor" / "fixtures"
RETAIL = ("payload", "orders", 0, "orderDetails", "items", 0)
DIRECT = ("orders", 0, "orderDetails", "items", 0)


class TestAmazonVendorContract(ContractSuite):
    connector = CONNECTOR
    reads = (
        Sample(
            "purchase_order",
            (FIXTURES / "purchase_order.json").read_bytes(),
            required={"order.lines[0].quantity": (*RETAIL, "orderedQuantity", "amount")},
            money={"order.lines[0].unit_price": (*RETAIL, "netCost", "amount")},
            quantities={"order.lines[0].quantity": (*RETAIL, "orderedQuantity", "amount")},
        ),
        Sample(
            "direct_order",
            (FIXTURES / "direct_order.json").read_bytes(),
            required={"order.lines[0].id": (*DIRECT, "itemSequenceNumber")},
            money={"order.lines[0].unit_price": (*DIRECT, "totalPrice", "amount")},
            quantities={"order.lines[0].quantity": (*DIRECT, "orderedQuantity", "amount")},
        ),
    )

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        sandbox = super().make_sandbox(seed=seed, clock=clock)
        for number in range(1, 6):
            sandbox.stock(f"SUITE-{number}", 10)
        return sandbox

    async def listing_refs(self, rig: Rig) -> dict[str, ListingRef]:
        """What is sold direct stands in the account's options: read as an account that names all of it."""
        ctx = replace(rig.ctx, options=rig.sandbox.account_section()["options"])
        connector = self.connector.open(ctx)
        try:
            return await super().listing_refs(replace(rig, ctx=ctx, connector=connector))
        finally:
            await connector.close()

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        sandbox: Any = rig.sandbox
        line = {"id": "1", "sku": "ours", "quantity": 1}
        body: dict[str, Any] = {"type": "order", "kind": "dropship", "source": {"id": order_id}, "lines": [line]}
        if kind == "confirm_shipment":
            await sandbox.acknowledge(order_id)
            package = {"tracking_number": "1Z1", "weight": {"value": "1.5", "unit": "lb"}}
            package |= {"lines": [{"line_id": "1", "quantity": 1}]}
            body = {"type": "shipment", "id": "shp-1", "order": order_id, "packages": [package]}
        return Effect(f"effect-{kind}", kind, f"order:{order_id}", f"key-{kind}", body)
