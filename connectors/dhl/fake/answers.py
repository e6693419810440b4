"""A parcel in DHL's words.

Source: DHL Shipment Tracking Unified 1.3.1 OpenAPI document and its examples (2026-11): an Express id is a
number, not a text; some times have an offset and some have none; five status codes for everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

CODES: Final[Mapping[str, tuple[str, str, str]]] = {
    "label_created": ("pre-transit", "SI", "Shipment information received"),
    "picked_up": ("transit", "PU", "Shipment picked up"),
    "in_transit": ("transit", "AF", "Arrived at DHL facility"),
    "delayed": ("transit", "TD", "Transport delayed"),
    "out_for_delivery": ("transit", "WC", "With delivery courier"),
    "delivery_attempted": ("transit", "NH", "Recipient not home"),
    "delivered": ("delivered", "OK", "Delivered - signed for"),
    "returning": ("failure", "RT", "Returned to consignor"),
    "returned": ("failure", "RT", "Returned to consignor"),
}
"""Our step → status code, Express's event code, text."""


def shipments(parcel: Parcel, scans: list[Scan]) -> dict[str, Any]:
    """A good answer, the latest event first, with its links."""
    newest = scans[0]
    here = f"/shipments?trackingNumber={parcel.number}&offset=0&limit=5"
    shipment = {
        "id": int(parcel.number),
        "service": "express",
        "status": _event(newest) | {"timestamp": f"{newest.local:%Y-%m-%dT%H:%M:%S}{newest.offset}"},
        "estimatedTimeOfDelivery": f"{parcel.expected_at:%Y-%m-%d}",
        "details": {
            "product": {"productName": "EXPRESS WORLDWIDE"},
            "totalNumberOfPieces": 1,
            "pieceIds": [f"JD01460000{parcel.serial:010d}"],
        },
        "events": [_event(scan) for scan in scans],
    }
    return {"url": here, "firstUrl": here, "lastUrl": here, "shipments": [shipment]}


def not_found(number: str) -> dict[str, Any]:
    return {
        "title": "No result found",
        "detail": "No shipment with given tracking number found.",
        "status": 404,
        "instance": f"/shipment/{number}",
    }


def _event(scan: Scan) -> dict[str, Any]:
    code, express, text = CODES[scan.step]
    # Without an offset, as a good part of real events.
    return {
        "timestamp": f"{scan.local:%Y-%m-%dT%H:%M:%S}",
        "location": {
            "address": {
                "countryCode": "US",
                "postalCode": scan.place.postal_code,
                "addressLocality": scan.place.city.upper(),
            }
        },
        "statusCode": code,
        "status": express,
        "description": text,
    }
