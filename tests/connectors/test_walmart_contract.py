"""The Walmart connector keeps every promise of the connector contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from connectors.sdk.sandbox import Sandbox
from connectors.walmart import CONNECTOR
from tests.support import walmart_payloads as payloads
from tests.support.openapi import eye_of, watch
from tests.support.published import WALMART

LINE = ("order", "orderLines", "orderLine", 0)
STATUSES = (*LINE, "orderLineStatuses", "orderLineStatus")
ORDER = Sample(
    "order",
    payloads.single(payloads.split_order()),
    required={
        "order.source.id": ("order", "purchaseOrderId"),
        "order.lines[0].id": (*LINE, "lineNumber"),
        "order.lines[0].quantity": (*LINE, "orderLineQuantity", "amount"),
    },
    codes={
        "order_cancellation.reason": (*STATUSES, 2, "cancellationReason"),
        "shipment.packages[0].carrier": (*STATUSES, 0, "trackingInfo", "carrierName", "carrier"),
    },
    money={
        "order.lines[0].total": (*LINE, "charges", "charge", 0, "chargeAmount", "amount"),
        "order.totals.shipping": (*LINE, "charges", "charge", 1, "chargeAmount", "amount"),
        "order.taxes[0].amount": (*LINE, "charges", "charge", 0, "tax", "taxAmount", "amount"),
    },
    quantities={
        "order.lines[0].quantity": (*LINE, "orderLineQuantity", "amount"),
        "shipment.packages[0].lines[0].quantity": (*STATUSES, 0, "statusQuantity", "amount"),
    },
)
RETURN = Sample(
    "returns",
    json.dumps({"returnOrders": [payloads.returned()]}).encode(),
    required={"return.lines[0].quantity": ("returnOrders", 0, "returnOrderLines", 0, "quantity", "measurementValue")},
    codes={"return.lines[0].reason": ("returnOrders", 0, "returnOrderLines", 0, "returnReason")},
    quantities={"return.lines[0].quantity": ("returnOrders", 0, "returnOrderLines", 0, "quantity", "measurementValue")},
)
STOCK = Sample(
    "inventory",
    json.dumps(payloads.nodes()).encode(),
    quantities={"stock_report.levels[0].on_hand": ("nodes", 0, "inputQty", "amount")},
)


class TestWalmartContract(ContractSuite):
    connector = CONNECTOR

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one Walmart's documents allow."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), WALMART, ())

    webhooks = (
        WebhookSample("PO_CREATED", payloads.event("PO_CREATED", "e-1"), newer=payloads.event("PO_CREATED", "e-2")),
        WebhookSample("BUY_BOX_CHANGED", payloads.event("BUY_BOX_CHANGED", "e-3", {"sku": "TEST-02"})),
    )
    reads = (ORDER, RETURN, STOCK)

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        sandbox: Any = rig.sandbox
        line: dict[str, Any] = {"line_id": "1", "quantity": 1}
        body: dict[str, Any] = {"type": "order", "source": {"id": order_id}}
        if kind == "confirm_shipment":
            await sandbox.acknowledge(order_id)
            body = {"order": order_id, "packages": [{"tracking_number": "1Z1", "carrier": "ups", "lines": [line]}]}
        elif kind == "cancel_order":
            body = {"order": order_id, "reason": "inventory", "lines": [line]}
        return Effect(f"effect-{kind}", kind, f"order:{order_id}", f"key-{kind}", body)
