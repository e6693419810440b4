"""A parcel in UPS's words.

Source: UPS Tracking and Track Alert v2 OpenAPI documents (2026-07); answers as captured (2024-02): trailing
blanks in texts, GMT time with colons in Track and without in alerts, an offset with a dot in alerts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

CODES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "label_created": ("M", "MP", "003", "Shipper created a label, UPS has not received the package yet. "),
    "picked_up": ("I", "OR", "038", "Origin Scan"),
    "in_transit": ("I", "AR", "005", "Arrived at Facility"),
    "delayed": ("X", "A3", "052", "Severe weather conditions have delayed delivery. "),
    "out_for_delivery": ("I", "OT", "021", "Out For Delivery Today"),
    "delivery_attempted": ("X", "48", "022", "The customer was not available on the first attempt. "),
    "delivered": ("D", "FS", "011", "DELIVERED "),
    "returning": ("X", "RS", "036", "Returning to Sender"),
    "returned": ("D", "RS", "034", "Returned to Sender"),
}
"""Our step → UPS's type, two-letter code, three-digit code and text."""


def details(parcel: Parcel, scans: list[Scan]) -> dict[str, Any]:
    """Track's answer about one parcel, the latest activity first."""
    delivered = scans[0].step == "delivered"
    day = {"type": "DEL" if delivered else "SDD", "date": f"{parcel.expected_at:%Y%m%d}"}
    package: dict[str, Any] = {
        "trackingNumber": parcel.number,
        "deliveryDate": [day],
        "activity": [_activity(scan) for scan in scans],
        "currentStatus": {"description": CODES[scans[0].step][3].strip(), "code": CODES[scans[0].step][2]},
        "packageCount": 1,
        "service": {"code": "003", "levelCode": "003", "description": "UPS® Ground"},
    }
    if delivered:
        package["deliveryTime"] = {"type": "DEL", "endTime": f"{scans[0].local:%H%M%S}"}
        package["deliveryInformation"] = {"receivedBy": "EXAMPLE", "location": "Front Door"}
    shipment = {"inquiryNumber": parcel.number, "package": [package], "userRelation": ["SHIPPER"]}
    return {"trackResponse": {"shipment": [shipment]}}


def alert(parcel: Parcel, scan: Scan) -> dict[str, Any]:
    """One event as Track Alert pushes it."""
    kind, code, number, text = CODES[scan.step]
    gmt = scan.at.astimezone(UTC)
    event: dict[str, Any] = {
        "trackingNumber": parcel.number,
        "localActivityDate": f"{scan.local:%Y%m%d}",
        "localActivityTime": f"{scan.local:%H%M%S}",
        "activityLocation": {
            "city": scan.place.city.upper(),
            "stateProvince": scan.place.region,
            "postalCode": scan.place.postal_code,
            "country": "US",
        },
        "activityStatus": {"type": kind, "code": code, "description": text, "descriptionCode": number},
        "scheduledDeliveryDate": f"{parcel.expected_at:%Y%m%d}",
        "gmtActivityDate": f"{gmt:%Y%m%d}",
        "gmtActivityTime": f"{gmt:%H%M%S}",
        "gmtOffset": scan.offset.replace(":", "."),
    }
    if scan.step == "delivered":
        event |= {"actualDeliveryDate": f"{scan.local:%Y%m%d}", "actualDeliveryTime": f"{scan.local:%H%M%S}"}
    return event


def _activity(scan: Scan) -> dict[str, Any]:
    kind, code, number, text = CODES[scan.step]
    gmt = scan.at.astimezone(UTC)
    address = {
        "city": scan.place.city,
        "stateProvince": scan.place.region,
        "countryCode": "US",
        "country": "US",
    }
    return {
        "location": {"address": address, "slic": scan.place.postal_code[:4]},
        "status": {"type": kind, "description": text, "code": code, "statusCode": number},
        "date": f"{scan.local:%Y%m%d}",
        "time": f"{scan.local:%H%M%S}",
        "gmtDate": f"{gmt:%Y%m%d}",
        "gmtOffset": scan.offset,
        "gmtTime": f"{gmt:%H:%M:%S}",
    }
