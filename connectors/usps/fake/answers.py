"""A parcel in the Postal Service's words.

Source: USPS Tracking 3.2.6 OpenAPI document (2026-08); answers as captured (2024-11): booleans are texts, a
list of services, HTML in names, GMTTimestamp with the local date even where GMT is a day further, no offset
before the parcel is with the Postal Service.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

EVENTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "label_created": ("GX", "Shipping Label Created, USPS Awaiting Item", "Pre-Shipment"),
    "picked_up": ("03", "USPS in possession of item", "Accepted"),
    "in_transit": ("A1", "Arrived at USPS Facility", "Moving Through Network"),
    "delayed": ("A1", "In Transit, Arriving Late", "Alert"),
    "out_for_delivery": ("OF", "Out for Delivery", "Out for Delivery"),
    "delivery_attempted": ("02", "Notice Left (No Authorized Recipient Available)", "Delivery Attempt"),
    "delivered": ("01", "Delivered, In/At Mailbox", "Delivered"),
    "returning": ("09", "Return to Sender", "Alert"),
    "returned": ("09", "Return to Sender Processed", "Alert"),
}
"""Our step → event code, its text, the category of the parcel."""


def details(parcel: Parcel, scans: list[Scan]) -> dict[str, Any]:
    """A good answer with expand=DETAIL, the latest event first."""
    newest = scans[0]
    _, text, category = EVENTS[newest.step]
    return {
        "destinationCity": parcel.scans[-1].place.city.upper(),
        "destinationState": parcel.scans[-1].place.region,
        "destinationZIP": parcel.scans[-1].place.postal_code,
        "emailEnabled": "true",
        "kahalaIndicator": "false",
        "mailClass": "USPS Ground Advantage<SUP>&#153;</SUP>",
        "mailType": "DM",
        "proofOfDeliveryEnabled": "false",
        "restoreEnabled": "false",
        "services": ["USPS Tracking<SUP>&#174;</SUP>"],
        "serviceTypeCode": "001",
        "status": text,
        "statusCategory": category,
        "statusSummary": f"{text} on {newest.local:%B %d, %Y} in {newest.place.city.upper()}.",
        "tableCode": "T",
        "uniqueMailPieceID": f"{300_000_000 + parcel.serial}",
        "trackingEvents": [_event(scan) for scan in scans],
        "trackingNumber": parcel.number,
    }


def no_news() -> dict[str, Any]:
    """A 400: the number is not repeated."""
    row = {
        "status": "400",
        "code": "150001",
        "title": "No status",
        "detail": "A status update is not yet available on your package.",
    }
    return {"apiVersion": "/tracking/v3", "error": {"code": "400", "message": "Bad Request", "errors": [row]}}


def _event(scan: Scan) -> dict[str, Any]:
    code, text, _ = EVENTS[scan.step]
    own = {
        "eventType": text,
        "eventTimestamp": f"{scan.local:%Y-%m-%dT%H:%M:%S}",
        "eventCountry": None,
        "eventCity": scan.place.city.upper(),
        "eventState": scan.place.region,
        "eventZIP": scan.place.postal_code,
        "firm": None,
        "name": None,
        "authorizedAgent": "false",
        "eventCode": code,
        "additionalProp": None,
    }
    if scan.step == "label_created":
        return own | {"eventCity": None, "eventState": None, "eventZIP": None}
    gmt = scan.at.astimezone(UTC)
    # The date is the local one: after 18:00 it is a day behind the time beside it.
    return own | {"GMTTimestamp": f"{scan.local:%Y-%m-%d}T{gmt:%H:%M:%S}Z", "GMTOffset": scan.offset}
