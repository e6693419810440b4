"""The Amazon connector keeps every promise of the connector contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from connectors.amazon import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Effect, Publishes, PushItem, PushResult
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample
from connectors.sdk.faults import Faults
from connectors.sdk.sandbox import Sandbox
from mappings import MappingSet
from tests.support import amazon_payloads as payloads
from tests.support.amazon_conformance import WatchedSandbox

LINE = ("orderItems", 0)
PROCEEDS = (*LINE, "proceeds", "breakdowns")
ORDER = Sample(
    "order",
    payloads.raw(payloads.coded_order()),
    required={
        "order.source.id": ("orderId",),
        "order.lines[0].id": (*LINE, "orderItemId"),
        "order.lines[0].quantity": (*LINE, "quantityOrdered"),
    },
    codes={
        "order_cancellation.reason": ("orderItems", 1, "cancellation", "cancellationExecution", "cancelReason"),
        "shipment.packages[0].carrier": ("packages", 0, "carrier"),
    },
    money={
        "order.lines[0].unit_price": (*LINE, "product", "price", "unitPrice", "amount"),
        "order.totals.shipping": (*PROCEEDS, 1, "subtotal", "amount"),
        "order.totals.grand_total": ("proceeds", "grandTotal", "amount"),
    },
    quantities={
        "order.lines[0].quantity": (*LINE, "quantityOrdered"),
        "shipment.packages[0].lines[0].quantity": ("packages", 0, "packageItems", 0, "quantity"),
    },
)
RETURN = Sample(
    "return_fbm",
    payloads.raw(payloads.fixture("return_fbm")),
    required={"return.lines[0].quantity": ("Return quantity",)},
    codes={"return.lines[0].reason": ("Return Reason",)},
    quantities={"return.lines[0].quantity": ("Return quantity",)},
)
LISTING = Sample(
    "listing",
    payloads.raw(payloads.fixture("listing")),
    money={"listing.price": ("offers", 0, "price", "amount")},
    quantities={"listing.quantity": ("fulfillmentAvailability", 0, "quantity")},
)
STOCK = Sample(
    "stock",
    payloads.raw(payloads.fixture("stock")),
    quantities={"stock_report.levels[0].available": ("items", 0, "fulfillmentAvailability", 0, "quantity")},
)


@cache
def _mapping() -> MappingSet:
    """Compiled once: some rules ask for it per envelope."""
    return MappingSet.load("amazon")


class TestAmazonContract(ContractSuite):
    connector = CONNECTOR
    reads = (ORDER, RETURN, LISTING, STOCK)

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        sandbox = WatchedSandbox(seed=seed, faults=Faults(seed=seed), clock=clock)
        # An empty queue answers in real time, unlike the rest of this world.
        sandbox.queue.wait_max_s = 0.02
        return sandbox

    def mapping(self) -> MappingSet:
        return _mapping()

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request conforms to Amazon's models."""
        async with super().opened(**given) as rig:
            yield rig
        sandbox: Any = rig.sandbox
        assert sandbox.violations() == []

    async def _push_all(self, rig: Rig, publishes: Publishes, items: Sequence[PushItem]) -> list[PushResult]:
        """An accepted number takes a moment until shoppers see it."""
        results = await super()._push_all(rig, publishes, items)
        rig.clock.advance(1)
        return results

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        sandbox: Any = rig.sandbox
        found = sandbox.book.orders[order_id]
        line: dict[str, Any] = {"line_id": found.lines[0].number, "quantity": 1}
        body: dict[str, Any] = {"order": order_id, "reason": "inventory", "lines": [line]}
        if kind == "confirm_shipment":
            body = {"order": order_id, "packages": [{"tracking_number": "1Z 999-1", "carrier": "ups", "lines": [line]}]}
        elif kind == "refund_order":
            await sandbox.ship(order_id)
            amount = {"amount": str(found.lines[0].price), "currency": found.market.currency}
            body = {"order": order_id, "reason": "unwanted", "lines": [line | {"amount": amount}]}
        return Effect(f"effect-{kind}", kind, f"order:{order_id}", f"key-{kind}", body)
