"""A parcel in AfterShip's words.

Source: aftership.com/docs/tracking, tracking object, delivery statuses and sub-statuses (2026-11); trackings as
captured (2018-08): checkpoints oldest first, their times local and now and then without an offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connectors.sdk.carrier_sandbox import Parcel, Scan

TAGS: Final[Mapping[str, tuple[str, str, str]]] = {
    "label_created": ("InfoReceived", "InfoReceived_001", "Shipment information sent to FedEx"),
    "picked_up": ("InTransit", "InTransit_002", "Picked up"),
    "in_transit": ("InTransit", "InTransit_003", "Arrived at FedEx location"),
    "delayed": ("Exception", "Exception_005", "Shipment exception"),
    "out_for_delivery": ("OutForDelivery", "OutForDelivery_001", "On FedEx vehicle for delivery"),
    "delivery_attempted": ("AttemptFail", "AttemptFail_001", "Delivery exception"),
    "delivered": ("Delivered", "Delivered_001", "Delivered"),
    "returning": ("Exception", "Exception_010", "Returning package to shipper"),
    "returned": ("Exception", "Exception_011", "Package returned to shipper"),
}
"""Our step → tag, subtag, text."""


def tracking(own: str, number: str, created: datetime, parcel: Parcel | None, scans: list[Scan]) -> dict[str, Any]:
    """The tracking object, scans given the latest first."""
    newest = scans[0] if scans else None
    tag, subtag, text = TAGS[newest.step] if newest else ("Pending", "Pending_001", "Pending")
    return {
        "id": own,
        "created_at": _utc(created),
        "updated_at": _utc(max(created, newest.seen_at) if newest else created),
        "tracking_number": number,
        "slug": "fedex",
        "active": tag != "Delivered",
        "destination_country_iso3": "USA",
        "courier_estimated_delivery_date": (
            {"estimated_delivery_date": f"{parcel.expected_at:%Y-%m-%d}"} if parcel and newest else None
        ),
        "shipment_package_count": 1 if newest else 0,
        "signed_by": "E. Example" if tag == "Delivered" else None,
        "tag": tag,
        "subtag": subtag,
        "subtag_message": text,
        "return_to_sender": False,
        "tracked_count": len(scans),
        "checkpoints": [_checkpoint(scan) for scan in reversed(scans)],
    }


def _checkpoint(scan: Scan) -> dict[str, Any]:
    tag, subtag, text = TAGS[scan.step]
    # Without an offset where the carrier's own scan has none.
    offset = "" if scan.step == "out_for_delivery" else scan.offset
    return {
        "created_at": _utc(scan.seen_at),
        "slug": "fedex",
        "checkpoint_time": f"{scan.local:%Y-%m-%dT%H:%M:%S}{offset}",
        "city": scan.place.city,
        "state": scan.place.region,
        "zip": scan.place.postal_code,
        "location": f"{scan.place.city}, {scan.place.region}",
        "country_iso3": "USA",
        "message": text,
        "tag": tag,
        "subtag": subtag,
        "raw_tag": "",
    }


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}+00:00"
