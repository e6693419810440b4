"""The ShipStation connector keeps every promise of the connector contract."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from connectors.shipstation import CONNECTOR

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "shipstation" / "fixtures" / "shipments"
URL = "https://ssapi6.shipstation.com/shipments?batchId={}&includeShipmentItems=False"


def push(kind: str, batch: str) -> bytes:
    return json.dumps({"resource_url": URL.format(batch), "resource_type": kind}).encode()


class TestShipstationContract(ContractSuite):
    connector = CONNECTOR
    signs_bodies = False
    webhooks = (
        WebhookSample("SHIP_NOTIFY", push("SHIP_NOTIFY", "1"), newer=push("SHIP_NOTIFY", "2")),
        WebhookSample("FULFILLMENT_REJECTED", push("FULFILLMENT_REJECTED", "1")),
        WebhookSample("ORDER_NOTIFY", push("ORDER_NOTIFY", "1")),
    )
    reads = (
        Sample(
            "shipment",
            (FIXTURES / "shipment.json").read_bytes(),
            required={"shipment.order": ("orderNumber",)},
            codes={"shipment.packages[0].carrier": ("carrierCode",)},
            quantities={"shipment.packages[0].lines[0].quantity": ("shipmentItems", 0, "quantity")},
        ),
        Sample("fulfillment", (FIXTURES / "fulfillment.json").read_bytes()),
    )

    async def trade(self, rig: Rig, *, skus: int = 5, orders: int = 3) -> list[str]:
        """Orders come in, their labels are bought, one is marked as shipped and one voided."""
        taken = await super().trade(rig, skus=skus, orders=orders)
        for number, order in enumerate(taken):
            rig.clock.advance(1)
            if number == 1:
                rig.sandbox.mark_shipped(order)  # type: ignore[attr-defined]
            else:
                await rig.sandbox.ship(order)
            if number == 2:
                await rig.sandbox.cancel(order)
        return taken
