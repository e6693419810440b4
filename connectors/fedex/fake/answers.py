"""A parcel in FedEx's words.

Source: FedEx Track v1 OpenAPI document (2025-10); answers as captured (2025-10): being picked up is a day,
written as midnight without an offset, while other scans have one; a scan of a parcel going back carries the
derived code of a delivery; days of `dateAndTimes` are midnight in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

EVENTS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "label_created": ("OC", "Shipment information sent to FedEx", "IN", "Label created"),
    "picked_up": ("PU", "Picked up", "PU", "Picked up"),
    "in_transit": ("AR", "Arrived at FedEx location", "IT", "In transit"),
    "delayed": ("SE", "Shipment exception", "SE", "Shipment exception"),
    "out_for_delivery": ("OD", "On FedEx vehicle for delivery", "OD", "Out for delivery"),
    "delivery_attempted": ("DE", "Delivery exception", "DE", "Delivery exception"),
    "delivered": ("DL", "Delivered", "DL", "Delivered"),
    "returning": ("RS", "Returning package to shipper", "RS", "Returning to shipper"),
    "returned": ("RS", "Package returned to shipper", "RS", "Returning to shipper"),
}
"""Our step → event type, its text, derived code, its text."""
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "delayed": ("082", "Local weather delay"),
    "delivery_attempted": ("007", "Customer not available or business closed"),
}


def unknown(number: str) -> dict[str, Any]:
    """What a batch says of a number FedEx does not know."""
    error = {
        "code": "TRACKING.TRACKINGNUMBER.NOTFOUND",
        "message": "The tracking number you entered can't be found right now. Please check the number.",
    }
    info = {"trackingNumber": number, "trackingNumberUniqueId": "", "carrierCode": ""}
    return {"trackingNumber": number, "trackResults": [{"trackingNumberInfo": info, "error": error}]}


def known(parcel: Parcel, scans: list[Scan]) -> dict[str, Any]:
    """What a batch says of one number, its scans the latest first."""
    newest = scans[0]
    kind, _, derived, text = EVENTS[newest.step]
    status: dict[str, Any] = {
        "code": kind,
        "derivedCode": derived,
        "statusByLocale": text,
        "description": EVENTS[newest.step][1],
        "scanLocation": _place(newest),
    }
    if newest.step in REASONS:
        reason, words = REASONS[newest.step]
        status["ancillaryDetails"] = [{"reason": reason, "reasonDescription": words}]
    shipped = f"{parcel.scans[0].local:%Y-%m-%d}T00:00:00+00:00"
    times = [{"type": "SHIP", "dateTime": shipped}]
    if newest.step == "delivered":
        times.insert(0, {"type": "ACTUAL_DELIVERY", "dateTime": _offset_time(newest)})
    result: dict[str, Any] = {
        "trackingNumberInfo": {
            "trackingNumber": parcel.number,
            "trackingNumberUniqueId": unique_id(parcel),
            "carrierCode": "FDXG",
        },
        "additionalTrackingInfo": {"nickname": "", "hasAssociatedShipments": False},
        "latestStatusDetail": status,
        "dateAndTimes": times,
        "packageDetails": {"sequenceNumber": "1", "count": "1"},
        "scanEvents": [_event(scan) for scan in scans],
        "standardTransitTimeWindow": {"window": {"ends": f"{parcel.expected_at:%Y-%m-%d}T00:00:00+00:00"}},
        "estimatedDeliveryTimeWindow": {"window": {}},
        "serviceDetail": {"type": "FEDEX_GROUND", "description": "FedEx Ground", "shortDescription": "FG"},
    }
    if newest.step == "delivered":
        result["deliveryDetails"] = {"receivedByName": "EXAMPLE", "deliveryAttempts": "0"}
    return {"trackingNumber": parcel.number, "trackResults": [result]}


def unique_id(parcel: Parcel) -> str:
    """FedEx's own name of the parcel: its number may be used again."""
    return f"{12000 + parcel.serial}~{parcel.number}~FDEG"


def _event(scan: Scan) -> dict[str, Any]:
    kind, text, derived, derived_text = EVENTS[scan.step]
    reason, words = REASONS.get(scan.step, ("", ""))
    going_back = scan.step in ("returning", "returned")
    return {
        "date": f"{scan.local:%Y-%m-%d}T00:00:00" if scan.step == "picked_up" else _offset_time(scan),
        "eventType": kind,
        "eventDescription": text,
        "exceptionCode": reason,
        "exceptionDescription": words,
        "scanLocation": {**_place(scan), "streetLines": [""], "postalCode": scan.place.postal_code},
        "locationId": f"0{scan.place.postal_code[:3]}",
        "locationType": "FEDEX_FACILITY",
        "derivedStatusCode": "DL" if going_back else derived,
        "derivedStatus": "Delivered" if going_back else derived_text,
    }


def _offset_time(scan: Scan) -> str:
    return f"{scan.local:%Y-%m-%dT%H:%M:%S}{scan.offset}"


def _place(scan: Scan) -> dict[str, Any]:
    return {
        "city": scan.place.city.upper(),
        "stateOrProvinceCode": scan.place.region,
        "countryCode": "US",
        "residential": False,
        "countryName": "United States",
    }
