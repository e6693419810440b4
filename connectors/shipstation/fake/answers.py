"""A shipment in ShipStation's words.

Source: ShipStation API v1, shipment and fulfillment models (docs.shipstation.com, 2026-11): times are Pacific and
have seven decimals and no offset, the day of shipping is a day, items are null unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.shipstation.reading import PACIFIC


@dataclass(slots=True)
class Label:
    """A label bought in ShipStation, or with `is_external` an order marked as shipped there."""

    number: int
    order_number: str
    order_id: int
    tracking_number: str
    created: datetime
    lines: Sequence[tuple[str, int]]
    is_external: bool = False
    voided: datetime | None = None


def shipment(label: Label, *, with_items: bool) -> dict[str, Any]:
    return {
        "shipmentId": label.number,
        **_common(label),
        "orderKey": f"key-{label.order_id}",
        "shipmentCost": 8.25,
        "insuranceCost": 0,
        "isReturnLabel": False,
        "batchNumber": "100300",
        "serviceCode": "ups_ground",
        "packageCode": "package",
        "confirmation": "none",
        "warehouseId": 34369,
        "voided": label.voided is not None,
        "voidDate": _time(label.voided),
        "weight": {"value": 16, "units": "ounces"},
        "dimensions": None,
        "advancedOptions": {"storeId": 26815},
        "shipmentItems": [_item(*row) for row in enumerate(label.lines)] if with_items else None,
        "labelData": None,
        "formData": None,
    }


def fulfillment(label: Label) -> dict[str, Any]:
    return {
        "fulfillmentId": label.number,
        **_common(label),
        "voidDate": _time(label.voided),
        "deliveryDate": None,
        "sellerFillProviderId": None,
        "fulfillmentProviderCode": None,
        "fulfillmentServiceCode": None,
        "fulfillmentFee": 0,
        "voidRequested": label.voided is not None,
        "voided": label.voided is not None,
    }


def _common(label: Label) -> dict[str, Any]:
    return {
        "orderId": label.order_id,
        "userId": "0a1b2c3d-0000-4000-8000-000000000000",
        "customerEmail": "pat@example.com",
        "orderNumber": label.order_number,
        "createDate": _time(label.created),
        "shipDate": f"{label.created.astimezone(PACIFIC):%Y-%m-%d}",
        "trackingNumber": label.tracking_number,
        "carrierCode": "ups",
        "marketplaceNotified": False,
        "notifyErrorMessage": None,
        "shipTo": _address(),
    }


def _address() -> Mapping[str, Any]:
    return {
        "name": "Pat Example",
        "street1": "1 Main St",
        "city": "Denver",
        "state": "CO",
        "postalCode": "80014",
        "country": "US",
    }


def _item(index: int, line: tuple[str, int]) -> dict[str, Any]:
    sku, quantity = line
    return {
        "orderItemId": 56568665 + index,
        "lineItemKey": None,
        "sku": sku,
        "name": sku,
        "quantity": quantity,
        "unitPrice": 10,
        "warehouseLocation": None,
        "productId": 7565777,
        "fulfillmentSku": None,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(PACIFIC):%Y-%m-%dT%H:%M:%S}.0000000"
