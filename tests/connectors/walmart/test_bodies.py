"""What we send has the shape we recorded and, where the vendor's specification is at hand, the shape it demands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from connectors.sdk.contract import ListingRef
from connectors.walmart import shipping
from connectors.walmart.subscriptions import PATH as SUBSCRIPTIONS_PATH
from tests.support.walmart_payloads import split_order
from tests.support.walmart_world import item, opened, scripted

SPECS = Path(__file__).resolve().parents[3].parent / "shared" / "specs" / "walmart"
SHIPPED_AT = datetime(2026, 1, 5, 13, tzinfo=UTC)


@cache
def spec(name: str) -> Any:
    path = SPECS / f"walmart-marketplace-{name}-openapi-original.yml"
    if not path.is_file():
        pytest.skip(f"{path.name} is not at hand")
    return YAML(typ="safe", pure=False).load(path)


def conforms(name: str, path: str, method: str, body: Any) -> None:
    schema = spec(name)["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    problems = sorted(error.message for error in Draft202012Validator(schema).iter_errors(body))
    assert problems == []


def shipping_request() -> dict[str, Any]:
    shipment = {
        "packages": [
            {"tracking_number": "1Z2", "carrier": "fedex", "lines": [{"line_id": "4", "quantity": 1}]},
        ]
    }
    order = split_order()
    return shipping.shipping_body(order, shipping.pieces(order, shipment), SHIPPED_AT, "1796277083099")


def cancel_request() -> dict[str, Any]:
    return shipping.cancel_body(split_order(), {"reason": "inventory"})


async def test_shipping() -> None:
    body = shipping_request()
    assert body == {
        "orderShipment": {
            "orderLines": {
                "orderLine": [
                    {
                        "lineNumber": "4",
                        "sellerOrderId": "1796277083099",
                        "orderLineStatuses": {
                            "orderLineStatus": [
                                {
                                    "status": "Shipped",
                                    "statusQuantity": {"unitOfMeasurement": "EACH", "amount": "1"},
                                    "trackingInfo": {
                                        "shipDateTime": 1767618000000,
                                        "carrierName": {"carrier": "FedEx"},
                                        "methodCode": "Standard",
                                        "trackingNumber": "1Z2",
                                    },
                                }
                            ]
                        },
                    }
                ]
            }
        }
    }


async def test_cancelling() -> None:
    assert cancel_request() == {
        "orderCancellation": {
            "orderLines": {
                "orderLine": [
                    {
                        "lineNumber": "4",
                        "orderLineStatuses": {
                            "orderLineStatus": [
                                {
                                    "status": "Cancelled",
                                    "cancellationReason": "SELLER_CANCEL_OUT_OF_STOCK",
                                    "statusQuantity": {"unitOfMeasurement": "EACH", "amount": "1"},
                                }
                            ]
                        },
                    }
                ]
            }
        }
    }


def test_orders_specification() -> None:
    conforms("orders", "/v3/orders/{purchaseOrderId}/shipping", "post", shipping_request())
    conforms("orders", "/v3/orders/{purchaseOrderId}/cancel", "post", cancel_request())


def test_our_list_of_carriers_is_the_specifications() -> None:
    body = spec("orders")["paths"]["/v3/orders/{purchaseOrderId}/shipping"]["post"]["requestBody"]
    text = json.dumps(body["content"]["application/json"]["schema"])
    assert all(json.dumps(name) in text for name in shipping.CARRIERS)
    assert len(shipping.CARRIERS) == 75


async def test_inventory_specification() -> None:
    async with scripted() as wire:
        one = wire.routes.put("/v3/inventory").respond(json={})
        several = wire.routes.put("/v3/inventories/B").respond(json={"nodes": []})
        refs = [ListingRef("A", "A", "1"), ListingRef("B", "B", "1"), ListingRef("B", "B", "2")]
        await wire.connector.publish([item(ref, 3) for ref in refs])
        single = json.loads(one.calls[0].request.read())
        nodes = json.loads(several.calls[0].request.read())
    assert single == {"sku": "A", "quantity": {"unit": "EACH", "amount": 3}}
    row = {"unit": "EACH", "amount": 3}
    assert nodes == {"inventories": {"nodes": [{"shipNode": "1", "inputQty": row}, {"shipNode": "2", "inputQty": row}]}}
    conforms("inventory", "/v3/inventory", "put", single)
    conforms("inventory", "/v3/inventories/{sku}", "put", nodes)


async def test_subscriptions_specification() -> None:
    async with scripted() as wire:
        offered = {"events": [{"eventType": "PO_CREATED", "eventVersion": "V1", "resourceName": "ORDER"}]}
        wire.routes.get("/v3/webhooks/eventTypes").respond(json=offered)
        wire.routes.get(SUBSCRIPTIONS_PATH).respond(404)
        create = wire.routes.post(SUBSCRIPTIONS_PATH).respond(json={})
        await wire.connector.ensure_subscriptions("https://hub.example.com/webhooks/w")
        body = json.loads(create.calls[0].request.read())
    assert body["events"][0]["authDetails"] == {
        "authMethod": "HMAC",
        "clientSecret": "hook-secret",
        "authHeaderName": "x-walmart-webhook-signature",
    }
    conforms("notifications", SUBSCRIPTIONS_PATH, "post", body)


async def test_the_sandbox_answers_as_the_specification_has_it() -> None:
    """The fake's own orders and numbers against the response schemas."""
    async with opened() as world:
        world.sandbox.stock("A", 5)
        number = await world.sandbox.sell([("A", 1)])
        assert number
        page = {
            "list": {"meta": {"totalCount": 1}, "elements": {"order": [world.sandbox.book.orders[number].to_json()]}}
        }
        content = spec("orders")["paths"]["/v3/orders"]["get"]["responses"]["200"]["content"]["application/json"]
        body = json.loads(json.dumps(page, default=float))
        problems = [error.message for error in Draft202012Validator(content["schema"]).iter_errors(body)]
        # Real answers carry null where the schema knows absence only.
        assert [problem for problem in problems if not problem.startswith("None is not")] == []
