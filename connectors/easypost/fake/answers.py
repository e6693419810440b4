"""A parcel in EasyPost's words.

Source: docs.easypost.com, Tracker object and its statuses (2026-11); trackers as captured (2024-08).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

STATUSES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "label_created": ("pre_transit", "label_created", "OC", "Shipment information received"),
    "picked_up": ("in_transit", "received_at_origin_facility", "PU", "Picked up"),
    "in_transit": ("in_transit", "arrived_at_facility", "AR", "Arrived at facility"),
    "delayed": ("in_transit", "delayed", "DY", "Delay"),
    "out_for_delivery": ("out_for_delivery", "out_for_delivery", "OD", "On vehicle for delivery"),
    "delivery_attempted": ("in_transit", "delivery_exception", "DE", "Delivery exception"),
    "delivered": ("delivered", "arrived_at_destination", "DL", "Delivered"),
    "returning": ("return_to_sender", "return", "RS", "Returning package to shipper"),
    "returned": ("return_to_sender", "return", "RS", "Package returned to shipper"),
}
"""Our step → status, its detail, the carrier's code, its text. EasyPost knows no attempt and no end of a return."""


def tracker(
    tracker_id: str, number: str, carrier: str, created: datetime, parcel: Parcel | None, scans: list[Scan]
) -> dict[str, Any]:
    """The Tracker object, scans given the latest first and told the oldest first."""
    newest = scans[0] if scans else None
    status, detail = STATUSES[newest.step][:2] if newest else ("unknown", "unknown")
    expected = _instant(parcel.expected_at) if parcel and newest else None
    return {
        "id": tracker_id,
        "object": "Tracker",
        "mode": "production",
        "tracking_code": number,
        "status": status,
        "status_detail": detail,
        "created_at": _instant(created),
        "updated_at": _instant(max(created, newest.seen_at) if newest else created),
        "signed_by": "E. EXAMPLE" if status == "delivered" else None,
        "weight": None,
        "est_delivery_date": expected,
        "shipment_id": None,
        "carrier": carrier,
        "tracking_details": [_detail(scan, carrier) for scan in reversed(scans)],
        "carrier_detail": None,
        "finalized": status == "delivered",
        "is_return": False,
        "public_url": f"https://track.easypost.com/{tracker_id}",
        "fees": [],
    }


def event(event_id: str, description: str, at: datetime, result: Mapping[str, Any]) -> dict[str, Any]:
    """What is pushed."""
    return {
        "id": event_id,
        "object": "Event",
        "description": description,
        "mode": "production",
        "previous_attributes": {},
        "pending_urls": [],
        "completed_urls": [],
        "created_at": _instant(at),
        "updated_at": _instant(at),
        "status": "pending",
        "result": result,
    }


def _detail(scan: Scan, carrier: str) -> dict[str, Any]:
    status, detail, code, text = STATUSES[scan.step]
    return {
        "object": "TrackingDetail",
        "message": text,
        "description": text,
        "status": status,
        "status_detail": detail,
        "datetime": _instant(scan.at),
        "source": carrier,
        "carrier_code": code,
        "tracking_location": {
            "object": "TrackingLocation",
            "city": scan.place.city.upper(),
            "state": scan.place.region,
            "country": "US",
            "zip": scan.place.postal_code,
        },
    }


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
