"""Walmart payloads for tests; people and shops are invented."""

from __future__ import annotations

import json
from typing import Any

ORDER_NUMBER = "1796277083099"


def _money(amount: float) -> dict[str, Any]:
    return {"currency": "USD", "amount": amount}


def _status(status: str, units: int, **more: Any) -> dict[str, Any]:
    return {"status": status, "statusQuantity": {"unitOfMeasurement": "EACH", "amount": str(units)}, **more}


def _tracking(number: str, *, carrier: str | None = "UPS", other: str | None = None) -> dict[str, Any]:
    return {
        "shipDateTime": 1716290000000,
        "carrierName": {"otherCarrier": other, "carrier": carrier},
        "methodCode": "Standard",
        "trackingNumber": number,
        "trackingURL": f"https://track.example.com/{number}",
    }


def split_order() -> dict[str, Any]:
    """Five units on one line: three shipped in two parcels, one cancelled, one acknowledged."""
    line = {
        "lineNumber": "4",
        "item": {"productName": "Mug, 12 oz", "sku": "MUG/12 OZ+RED"},
        "charges": {
            "charge": [
                {
                    "chargeType": "PRODUCT",
                    "chargeName": "ItemPrice",
                    "chargeAmount": _money(12.5),
                    "tax": {"taxName": "Tax1", "taxAmount": _money(0.95)},
                },
                {
                    "chargeType": "SHIPPING",
                    "chargeName": "Shipping",
                    "chargeAmount": _money(4),
                    "tax": {"taxName": "Tax1", "taxAmount": _money(0.3)},
                },
            ]
        },
        "orderLineQuantity": {"unitOfMeasurement": "EACH", "amount": "5"},
        "statusDate": 1716300000000,
        "orderLineStatuses": {
            "orderLineStatus": [
                _status("Shipped", 2, trackingInfo=_tracking("1Z999AA10123456784")),
                _status("Shipped", 1, trackingInfo=_tracking("MC-77", carrier=None, other="My Courier")),
                _status("Cancelled", 1, cancellationReason="SELLER_CANCEL_OUT_OF_STOCK", trackingInfo=None),
                _status("Acknowledged", 1, trackingInfo=None),
            ]
        },
    }
    return {
        "purchaseOrderId": ORDER_NUMBER,
        "customerOrderId": "5281956426700",
        "customerEmailId": "0000000000000000000000000000000A@relay.example.com",
        "orderDate": 1716210000000,
        "shippingInfo": {
            "phone": "5555550100",
            "estimatedDeliveryDate": 1716904800000,
            "estimatedShipDate": 1716444000000,
            "methodCode": "Standard",
            "postalAddress": {
                "name": "José Núñez-O’Brien",
                "address1": "12 Calle Ejemplo Apt #4",
                "address2": None,
                "city": "Cañon City",
                "state": "CO",
                "postalCode": "81212",
                "country": "USA",
                "addressType": "RESIDENTIAL",
            },
        },
        "orderLines": {"orderLine": [line]},
        "shipNode": {"type": "SellerFulfilled", "name": "Default", "id": "1000005050"},
    }


def single(order: dict[str, Any]) -> bytes:
    return json.dumps({"order": order}).encode()


def page(*orders: dict[str, Any], total: int | None = None, cursor: str | None = None) -> dict[str, Any]:
    meta = {"totalCount": len(orders) if total is None else total, "limit": 100, "nextCursor": cursor}
    return {"list": {"meta": meta, "elements": {"order": list(orders)}}}


def returned() -> dict[str, Any]:
    line = {
        "returnOrderLineNumber": 1,
        "returnReason": "NO_LONGER_WANTED",
        "purchaseOrderId": ORDER_NUMBER,
        "purchaseOrderLineNumber": 4,
        "item": {"sku": "MUG/12 OZ+RED", "productName": "Mug, 12 oz"},
        "quantity": {"unitOfMeasure": "EACH", "measurementValue": 2},
        "isKeepIt": False,
        "currentTrackingStatuses": [{"status": "INITIATED", "statusTime": "2026-05-22T01:00:00.000Z"}],
    }
    return {
        "returnOrderId": "103738048909818825",
        "customerOrderId": "5281956426700",
        "returnOrderDate": "2026-05-21T01:01:08.000Z",
        "returnLineGroups": [
            {"labels": [{"carrierInfoList": [{"carrierName": "FEDEX", "trackingNo": "785611449666"}]}]}
        ],
        "returnOrderLines": [line],
    }


def nodes(sku: str = "MUG/12 OZ+RED") -> dict[str, Any]:
    def each(amount: int) -> dict[str, Any]:
        return {"unit": "EACH", "amount": amount}

    return {
        "sku": sku,
        "nodes": [
            {"shipNode": "1000005050", "inputQty": each(5), "availToSellQty": each(3), "reservedQty": each(2)},
            {"shipNode": "79897837271126017", "inputQty": each(7), "availToSellQty": each(7), "reservedQty": each(0)},
        ],
    }


def event(event_type: str, event_id: str, payload: dict[str, Any] | None = None) -> bytes:
    """A notification. The default payload is one line of the split order's number."""
    lines = [
        {
            "lineNumber": "1",
            "sku": "TEST-02",
            "productName": "Metronome",
            "quantity": {"unitOfMeasure": "EACH", "measurementValue": "1"},
            "status": "CREATED",
            "statusDate": "2026-05-20T10:00:03.000Z",
            "shippingMethod": "Value",
            "shipNodeType": "SellerFulfilled",
        }
    ]
    body = {"purchaseOrderId": ORDER_NUMBER, "orderDate": "2026-05-20T10:00:00.000Z", "orderLines": lines}
    source = {"eventType": event_type, "eventTime": "2026-05-20T10:00:05.913Z", "eventId": event_id}
    return json.dumps({"source": source, "payload": body if payload is None else payload}).encode()


def errors(code: str, description: str, *, nested: bool = True, **more: Any) -> dict[str, Any]:
    row = {"code": code, "description": description, "severity": "ERROR", "category": "DATA", **more}
    return {"errors": {"error": [row]}} if nested else {"errors": [row]}
