"""The eBay connector keeps every promise of the connector contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.ebay import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from connectors.sdk.sandbox import Sandbox
from tests.support import ebay_payloads as payloads
from tests.support.openapi import eye_of, watch
from tests.support.published import EBAY, EBAY_UNLISTED

LINE = ("lineItems", 0)
ORDER = Sample(
    "order",
    payloads.raw(payloads.coded_order()),
    required={
        "order.source.id": ("orderId",),
        "order.lines[0].id": (*LINE, "lineItemId"),
        "order.lines[0].quantity": (*LINE, "quantity"),
    },
    codes={
        "order.payment_state": ("orderPaymentStatus",),
        "order_cancellation.reason": ("cancelStatus", "cancelRequests", 0, "cancelReason"),
        "shipment.packages[0].carrier": ("fulfillments", 0, "shippingCarrierCode"),
    },
    money={
        "order.lines[0].total": (*LINE, "discountedLineItemCost", "value"),
        "order.totals.items": ("pricingSummary", "priceSubtotal", "value"),
        "order.totals.grand_total": ("pricingSummary", "total", "value"),
        "order.taxes[0].amount": (*LINE, "ebayCollectAndRemitTaxes", 0, "amount", "value"),
        "refund.amounts.total": ("paymentSummary", "refunds", 0, "amount", "value"),
    },
    quantities={"order.lines[0].quantity": (*LINE, "quantity")},
)
ITEM = ("members", 0, "creationInfo", "item")
RETURN = Sample(
    "returns",
    payloads.raw(payloads.fixture("returns")),
    required={"return.lines[0].quantity": (*ITEM, "returnQuantity")},
    codes={"return.lines[0].reason": ("members", 0, "creationInfo", "reason")},
    quantities={"return.lines[0].quantity": (*ITEM, "returnQuantity")},
)
OFFER = ("offers", 0)
LISTING = Sample(
    "listings",
    payloads.raw({"offers": payloads.fixture("inventory")["offers"]}),
    codes={"listing.state": (*OFFER, "listing", "listingStatus")},
    money={"listing.price": (*OFFER, "pricingSummary", "price", "value")},
    quantities={"listing.quantity": (*OFFER, "availableQuantity")},
)
STOCK = Sample(
    "inventory",
    payloads.raw({"inventoryItems": payloads.fixture("inventory")["inventoryItems"]}),
    quantities={
        "stock_report.levels[0].available": (
            "inventoryItems", 0, "availability", "shipToLocationAvailability", "quantity",
        )
    },
)  # fmt: skip


class TestEbayContract(ContractSuite):
    connector = CONNECTOR

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one eBay's documents allow."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), EBAY, EBAY_UNLISTED)

    webhooks = (
        WebhookSample("ORDER_CONFIRMATION", payloads.confirmation("n-1"), newer=payloads.confirmation("n-2")),
        WebhookSample("MARKETPLACE_ACCOUNT_DELETION", payloads.deletion("n-3")),
    )
    reads = (ORDER, RETURN, LISTING, STOCK)

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        sandbox: Any = rig.sandbox
        line = {"line_id": sandbox.book.orders[order_id].lines[0].number, "quantity": 1}
        body: dict[str, Any] = {"order": order_id, "reason": "inventory"}
        if kind == "refund_order":
            amount = {"amount": "1.50", "currency": "USD"}
            at = sandbox.clock.now().isoformat()
            body = {"order": order_id, "reason": "damaged", "amounts": {"total": amount}, "at": at}
        if kind == "confirm_shipment":
            body = {"order": order_id, "packages": [{"tracking_number": "1Z 999-1", "carrier": "ups", "lines": [line]}]}
        return Effect(f"effect-{kind}", kind, f"order:{order_id}", f"key-{kind}", body)
