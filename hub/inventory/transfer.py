"""Stock on its way from one location of ours to another: left, incoming, received, in eaches. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.inventory.postings import RECEIVED, Change
from hub.ports.store import Bucket

Json = dict[str, Any]

TRANSFER: Final = "transfer"
"""document type of a transfer, keyed by its number, of no account"""
SENT: Final = "transfer"


def sent(lines: Mapping[str, int], origin: str, target: str) -> list[Change]:
    """What leaves one place and is expected at the other."""
    changes: list[Change] = []
    for sku, units in lines.items():
        changes.append(Change(SENT, sku, origin, Bucket.ON_HAND, -units))
        changes.append(Change(SENT, sku, target, Bucket.INCOMING, units))
    return changes


def arrived(transfer: Mapping[str, Any], receipt: str, units: Mapping[str, int]) -> tuple[Json, list[Change]]:
    """The transfer with what one receipt says of it, and what is no longer incoming because of that.

    The receipt itself puts goods on hand or in quarantine. Told again, or corrected by its newer version, it counts
    once. More than was sent is the receipt's own affair: nothing beyond what was sent was incoming.

    Args:
        units: received of each SKU, damaged ones included.
    """
    after = {**transfer, "receipts": {**transfer["receipts"], receipt: dict(units)}}
    changes = [
        Change(RECEIVED, sku, transfer["to"], Bucket.INCOMING, still - was)
        for sku, was in incoming(transfer).items()
        if (still := incoming(after)[sku]) != was
    ]
    after["state"] = state_of(after)
    return after, changes


def incoming(transfer: Mapping[str, Any]) -> dict[str, int]:
    """Units of each SKU that are still on their way."""
    return {
        line["sku"]: max(0, line["quantity"] - sum(each.get(line["sku"], 0) for each in transfer["receipts"].values()))
        for line in transfer["lines"]
    }


def state_of(transfer: Mapping[str, Any]) -> str:
    if not any(incoming(transfer).values()):
        return "received"
    return "partially_received" if transfer["receipts"] else "in_transit"
