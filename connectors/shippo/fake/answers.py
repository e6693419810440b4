"""A parcel in Shippo's words.

Source: docs.goshippo.com, Track, TrackingStatus and substatuses (2026-11); answers as captured: a made-up number is
answered with 201 and a track without status, the history is oldest first and ends with the present status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

STATUSES: Final[Mapping[str, tuple[str, str, str, bool]]] = {
    "label_created": ("PRE_TRANSIT", "information_received", "Information about the package received.", False),
    "picked_up": ("TRANSIT", "package_accepted", "Package has been accepted by the carrier.", False),
    "in_transit": ("TRANSIT", "package_arrived", "Package has arrived at an intermediate location.", False),
    "delayed": ("TRANSIT", "delayed", "Delivery of package has been delayed.", False),
    "out_for_delivery": ("TRANSIT", "out_for_delivery", "Package is out for delivery.", False),
    "delivery_attempted": ("TRANSIT", "delivery_attempted", "Delivery of package has been attempted.", True),
    "delivered": ("DELIVERED", "delivered", "Package has been delivered.", False),
    "returning": ("RETURNED", "return_to_sender", "Package is to be returned to sender.", False),
    "returned": ("RETURNED", "return_to_sender", "Package has been returned to sender.", False),
}
"""Our step → status, substatus, its text, whether somebody must act."""


def track(number: str, carrier: str, parcel: Parcel | None, scans: Sequence[Scan]) -> dict[str, Any]:
    """`scans` the latest first, as a parcel shows them; without any the number is one nobody knows."""
    if parcel is None or not scans:
        return {**_frame(number, carrier), "eta": None, "tracking_status": None, "tracking_history": []}
    return {
        **_frame(number, carrier),
        "eta": _time(parcel.expected_at),
        "tracking_status": _status(parcel, scans[0]),
        "tracking_history": [_status(parcel, scan) for scan in reversed(scans)],
    }


def event(track: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": "track_updated", "test": False, "data": dict(track)}


def _frame(number: str, carrier: str) -> dict[str, Any]:
    return {
        "carrier": carrier,
        "tracking_number": number,
        "messages": [],
        "address_from": None,
        "address_to": None,
        "metadata": None,
        "servicelevel": {"token": "usps_priority", "name": "Priority Mail"},
        "transaction": None,
    }


def _status(parcel: Parcel, scan: Scan) -> dict[str, Any]:
    status, more, text, must_act = STATUSES[scan.step]
    heard = _time(scan.seen_at)
    return {
        "object_created": heard,
        "object_updated": heard,
        "object_id": f"{parcel.serial:016x}{int(scan.at.timestamp()):016x}",
        "status": status,
        "substatus": {"code": more, "text": text, "action_required": must_act},
        "status_details": text,
        "status_date": _time(scan.at),
        "location": {
            "city": scan.place.city,
            "state": scan.place.region,
            "zip": scan.place.postal_code,
            "country": "US",
        },
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
