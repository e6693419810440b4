"""Shopify payloads for tests: bodies of a small shop with invented shoppers, and hand-written ones."""

from __future__ import annotations

import random
from typing import Any

from connectors.sdk import exact
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import Rig, Sample, WebhookSample
from connectors.shopify.fake import rest
from connectors.shopify.fake.state import Order, Shop
from connectors.shopify.ids import number


def small_shop() -> tuple[Shop, Order, ManualClock]:
    """One shop, two items, one order of both."""
    clock = ManualClock()
    shop = Shop(clock, random.Random(7), "example.myshopify.com")
    for sku, quantity in (("MUG-1", 20), ("TEA-2", 20)):
        item = shop.add_item(sku, f"Item {sku}", "12.30")
        item.levels[shop.main.id].set_available(quantity, clock.now())
    order = shop.place([("MUG-1", 3), ("TEA-2", 1)])
    assert order is not None
    clock.advance(60)
    return shop, order, clock


def order_body() -> dict[str, Any]:
    """A REST order that was partly shipped and has been given a discount, tax and shipping."""
    shop, order, _ = small_shop()
    work = order.works[0]
    shop.ship(order, [(work, [(work.lines[0], 2)])], "UPS", ["1Z0000000000000001"])
    return rest.order_body(shop, order)


def webhook_samples() -> tuple[WebhookSample, ...]:
    shop, order, clock = small_shop()
    older = exact.dumps(rest.order_body(shop, order))
    item = shop.by_sku["MUG-1"]
    level = item.levels[shop.main.id]
    before = exact.dumps(rest.level_body(item, level))
    clock.advance(5)
    refund = shop.cancel(order)
    assert refund is not None
    return (
        WebhookSample("orders/create", older, newer=exact.dumps(rest.order_body(shop, order))),
        WebhookSample("refunds/create", exact.dumps(rest.refund_body(order, refund))),
        WebhookSample("inventory_levels/update", before, newer=exact.dumps(rest.level_body(item, level))),
        WebhookSample("products/update", exact.dumps(rest.product_body(item))),
        WebhookSample(
            "fulfillment_orders/moved", b'{"original_fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1"}}'
        ),
        WebhookSample("app/uninstalled", b'{"id":70000000001,"domain":"example.myshopify.com"}'),
    )


def read_samples() -> tuple[Sample, ...]:
    shop, _, _ = small_shop()
    body = order_body()
    item = shop.by_sku["TEA-2"]
    return (
        Sample(
            "orders/create",
            exact.dumps(body),
            required={
                "order.number": ("name",),
                "order.source.id": ("id",),
                "order.lines[0].id": ("line_items", 0, "id"),
                "order.lines[0].quantity": ("line_items", 0, "quantity"),
            },
            codes={"order.payment_state": ("financial_status",)},
            money={
                "order.totals.grand_total": ("total_price",),
                "order.totals.items": ("total_line_items_price",),
                "order.lines[1].unit_price": ("line_items", 1, "price"),
                "order.shipping[0].price": ("shipping_lines", 0, "price"),
            },
            quantities={"order.lines[1].quantity": ("line_items", 1, "quantity")},
        ),
        Sample(
            "inventory_levels/update",
            exact.dumps(rest.level_body(item, item.levels[shop.main.id])),
            quantities={"stock_report.levels[0].available": ("available",)},
        ),
        Sample(
            "products/update",
            exact.dumps(rest.product_body(item)),
            required={"listing.source.id": ("variants", 0, "id")},
            codes={"listing.state": ("status",)},
            money={"listing.price": ("variants", 0, "price")},
            quantities={"listing.quantity": ("variants", 0, "inventory_quantity")},
        ),
    )


TOLD = "1Z9999999999999999"
CORRECTED = "1Z9999999999999998"


async def shipment_effect(rig: Rig, kind: str, order_id: str) -> Effect:
    """Confirm all of an order under one tracking number; what corrects or cancels finds that told already."""
    order = rig.sandbox.shop.orders[int(number(order_id))]  # type: ignore[attr-defined]
    lines = [{"line_id": str(line.id), "quantity": line.quantity} for line in order.lines]
    package = {"id": "1", "tracking_number": TOLD, "carrier": "ups", "lines": lines}
    body = {"type": "shipment", "order": order_id, "packages": [package]}
    confirm = Effect("eff_1", "confirm_shipment", order_id, "key-1", body, {"order": order_id})
    if kind == confirm.kind:
        return confirm
    await rig.connector.send(confirm)  # type: ignore[attr-defined]
    package = {**package, "tracking_number": CORRECTED if kind == "correct_shipment" else TOLD}
    body = {**body, "packages": [package], "told_before": [TOLD]}
    return Effect("eff_2", kind, order_id, "key-2", body, {"order": order_id})
