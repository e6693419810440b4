"""A parcel in ShipEngine's words.

Source: ShipEngine OpenAPI document 1.1.202604070904, tracking_information and track_event (2026-04); answers as
captured: events are the latest first, and a status of an event may be empty where the whole has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

STATUSES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "label_created": ("NY", "ELEC_ADVICE_RECD_BY_CARRIER", "MP", "Not Yet In System"),
    "picked_up": ("AC", "PICKED_UP", "PU", "Accepted"),
    "in_transit": ("IT", "HUB_SCAN_IN", "AR", "In Transit"),
    "delayed": ("EX", "CARRIER_DELAYS", "X1", "Exception"),
    "out_for_delivery": ("IT", "OUT_FOR_DELIVERY", "OT", "In Transit"),
    "delivery_attempted": ("AT", "ATTEMPTED_DELIVERY", "X4", "Delivery Attempt"),
    "delivered": ("DE", "DELIVERED", "FS", "Delivered"),
    "returning": ("EX", "RETURN_TO_SENDER", "RS", "Exception"),
    "returned": ("EX", "UNDELIVERABLE_RETURNED_TO_SENDER", "RD", "Exception"),
}
"""Our step → status, detail, the carrier's code, the status in words."""


def tracking(number: str, carrier: str, parcel: Parcel | None, scans: Sequence[Scan]) -> dict[str, Any]:
    """`scans` the latest first, as a parcel shows them; without any the number is one nobody knows."""
    if parcel is None or not scans:
        return {**_whole(number, carrier, "UN", None, "Unknown", None), "events": []}
    status, detail, code, text = STATUSES[scans[0].step]
    delivered = scans[0].at if scans[0].step == "delivered" else None
    return {
        **_whole(number, carrier, status, detail, text, code),
        "ship_date": _utc(parcel.scans[0].at),
        "estimated_delivery_date": f"{parcel.expected_at:%Y-%m-%d}T00:00:00Z",
        "actual_delivery_date": None if delivered is None else _utc(delivered),
        "events": [_event(scan) for scan in scans],
    }


def push(carrier: str, told: Mapping[str, Any]) -> dict[str, Any]:
    number = told["tracking_number"]
    address = f"https://api.shipengine.com/v1/tracking?carrier_code={carrier}&tracking_number={number}"
    return {"resource_url": address, "resource_type": "API_TRACK", "data": dict(told)}


def _whole(number: str, carrier: str, status: str, detail: str | None, text: str, code: str | None) -> dict[str, Any]:
    return {
        "tracking_number": number,
        "tracking_url": f"https://www.ups.com/track?tracknum={number}",
        "status_code": status,
        "status_detail_code": detail,
        "status_description": text,
        "status_detail_description": None,
        "carrier_code": carrier,
        "carrier_id": 1,
        "carrier_detail_code": None,
        "carrier_status_code": code,
        "carrier_status_description": text,
        "ship_date": None,
        "estimated_delivery_date": None,
        "actual_delivery_date": None,
        "exception_description": None,
    }


def _event(scan: Scan) -> dict[str, Any]:
    status, detail, code, text = STATUSES[scan.step]
    return {
        "occurred_at": _utc(scan.at),
        "carrier_occurred_at": f"{scan.local:%Y-%m-%dT%H:%M:%S}",
        "description": text,
        "city_locality": scan.place.city.upper(),
        "state_province": scan.place.region,
        "postal_code": scan.place.postal_code,
        "country_code": "US",
        "company_name": "",
        "signer": "",
        "event_code": code,
        "carrier_detail_code": None,
        "status_code": status,
        "status_detail_code": detail,
        "status_description": text,
        "status_detail_description": None,
        "carrier_status_code": code,
        "carrier_status_description": text,
    }


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
