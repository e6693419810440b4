"""Every request body is one the vendor's own specification allows."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from connectors.ebay import shipping, subscriptions, withdrawing
from connectors.ebay.availability import body_of
from connectors.ebay.cancelling import body_of as cancel_body
from connectors.sdk.clock import EPOCH
from tests.support.ebay_wire import BULK_PATH, ORDER_PATH, item, order, page, scripted

SPECS = Path(__file__).resolve().parents[3].parent / "shared" / "specs" / "ebay"
FULFILLMENT, INVENTORY = "sell_fulfillment_v1_oas3", "sell_inventory_v1_oas3"
NOTIFICATION = "commerce_notification_v1_oas3"


@cache
def spec(name: str) -> Any:
    path = SPECS / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{path.name} is not at hand")
    return json.loads(path.read_text())


def strict(schema: Any) -> Any:
    """The same schema refusing names it does not list: a misspelt field would pass unnoticed otherwise."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    held = {name: strict(each) for name, each in schema.items()}
    return held | {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else held


def conforms(name: str, path: str, method: str, body: Any) -> None:
    document = spec(name)
    content = document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    schema = {**strict(content), "components": {"schemas": strict(document["components"]["schemas"])}}
    found = sorted(error.message for error in Draft202012Validator(schema).iter_errors(body))
    assert found == []


def parcel() -> shipping.Parcel:
    return shipping.Parcel((("101", 4), ("102", 1)), "1Z9991", "UPS")


def test_shipping() -> None:
    conforms(FULFILLMENT, "/order/{orderId}/shipping_fulfillment", "post", shipping.body_of(parcel(), EPOCH))


def test_stock() -> None:
    chunk = [(item("A", 3), "offer-A"), (item("B", 0), "offer-B")]
    body = body_of(chunk)
    assert body["requests"][1]["offers"] == [{"offerId": "offer-B", "availableQuantity": 0}]
    conforms(INVENTORY, "/bulk_update_price_quantity", "post", body)
    conforms(INVENTORY, "/bulk_get_inventory_item", "post", {"requests": [{"sku": "A"}]})


def test_an_offer_that_comes_back() -> None:
    """What an update leaves out is deleted, so all that was read is sent, less what eBay writes itself."""
    offer = {
        "offerId": "1",
        "sku": "A",
        "marketplaceId": "EBAY_US",
        "format": "FIXED_PRICE",
        "availableQuantity": 1,
        "categoryId": "9",
        "status": "UNPUBLISHED",
        "listing": {"listingId": "1"},
        "pricingSummary": {"price": {"value": "9.50", "currency": "USD"}},
    }
    body = withdrawing.replacement(offer, 4)
    assert set(offer) - set(body) == {"offerId", "status", "listing"}
    # `sku`, `marketplaceId` and `format` are read with the offer and ignored by an update.
    ignored = {"sku", "marketplaceId", "format"}
    conforms(INVENTORY, "/offer/{offerId}", "put", {name: each for name, each in body.items() if name not in ignored})


def test_notifications() -> None:
    topic = {"topicId": "ORDER_CONFIRMATION", "supportedPayloads": [{"format": ["JSON"], "schemaVersion": "1.0"}]}
    conforms(NOTIFICATION, "/subscription", "post", subscriptions.subscription_body(topic, "d-1"))
    config = {"endpoint": "https://hub.example.com/webhooks/a", "verificationToken": "x" * 40}
    destination = {"name": "trunkline-a", "status": "ENABLED", "deliveryConfig": config}
    conforms(NOTIFICATION, "/destination", "post", destination)
    conforms(NOTIFICATION, "/destination/{destination_id}", "put", destination)
    conforms(NOTIFICATION, "/config", "put", {"alertEmail": "ops@example.com"})


def test_a_misspelt_field_would_be_seen() -> None:
    """Control: the check refuses a field the specification does not know."""
    with pytest.raises(AssertionError):
        conforms(INVENTORY, "/bulk_update_price_quantity", "post", {"requests": [{"sku": "A", "quantity": 1}]})


def test_cancelling_an_unpaid_order_names_no_payment() -> None:
    """Post-Order has no specification of eBay's own; the shape is that of its pages."""
    unpaid = order(orderPaymentStatus="PENDING", paymentSummary={})
    assert cancel_body(unpaid, "12-1", "ORDER_UNPAID") == {
        "legacyOrderId": "12-1",
        "cancelReason": "ORDER_UNPAID",
        "buyerPaid": False,
    }


async def test_every_path_and_query_is_in_the_specification() -> None:
    """Reads name only parameters their method has."""
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(json=page())
        wire.routes.get("/sell/inventory/v1/inventory_item").respond(
            json={"total": 1, "inventoryItems": [{"sku": "A"}]}
        )
        wire.routes.get("/sell/inventory/v1/offer").respond(json={"offers": []})
        wire.routes.post(BULK_PATH).mock(return_value=httpx.Response(200, json={"responses": []}))
        await wire.connector.fetch("orders", None, 5)
        await wire.connector.fetch("stock", None, 5)
        for call in wire.routes.calls:
            for base, name in (("/sell/fulfillment/v1", FULFILLMENT), ("/sell/inventory/v1", INVENTORY)):
                path = call.request.url.path
                if path.startswith(base):
                    method = spec(name)["paths"][path.removeprefix(base)][call.request.method.lower()]
                    known = {each["name"] for each in method["parameters"] if each["in"] == "query"}
                    assert set(call.request.url.params) <= known
