"""Parcels as the public JSON shapes of the API, the commands and the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from hub.ports.parcels import ParcelEvent, ParcelLink, ParcelRow
from hub.services.views import instant
from hub.tracking import ParcelState, ShipmentProgress, progress_of
from mappings.carriers import Crosswalk

Json = dict[str, Any]
Travels = tuple[ParcelLink, ParcelRow]
"""A shipment or return with one of its parcels."""

_HIDDEN = ("id", "source", "type", "tracking_number", "carrier", "signed_by")
"""Members of a stored event that its parcel states already, or that are ours alone."""


def parcel(row: ParcelRow, links: Sequence[ParcelLink], crosswalk: Crosswalk) -> Json:
    """One parcel. Times of carriers are as they state them; `*_at` of ours end in Z."""
    told = orjson.loads(row.state)
    known = crosswalk.carrier(row.carrier) if row.carrier else None
    return {
        "id": row.id,
        "tracking_number": row.number,
        "carrier": row.carrier or None,
        "milestone": row.milestone,
        "condition": row.condition,
        "action_required": row.action_required,
        "corrected": told.get("corrected", False),
        "at": told.get("at"),
        "local_time": told.get("local_time"),
        "text": told.get("text"),
        "estimated_delivery": told.get("estimated_delivery"),
        "delivered_at": told.get("reached", {}).get("delivered") if row.milestone == "delivered" else None,
        "reached": told.get("reached", {}),
        "orphan": row.orphan,
        "closed": row.closed or None,
        "warning": told.get("warning"),
        "tracking_url": known.url_of(row.number) if known else None,
        "return_number": row.return_number,
        "return_of": row.return_of,
        "shipped_at": instant(row.shipped_at),
        "heard_at": instant(row.heard_at),
        "asked_at": instant(row.polled_at),
        "ask_at": instant(row.poll_at),
        "watched_until": instant(row.watched_until),
        "told_by": row.told_by or None,
        "carries": [
            {"account": link.account, "type": link.kind, "source_id": link.document, "order": link.order}
            for link in links
        ],
    }


def event(row: ParcelEvent) -> Json:
    """One thing a carrier told, in our words and in its own; `current` is its latest status, the others are scans."""
    told = orjson.loads(row.document)
    shown = {name: value for name, value in told.items() if name not in _HIDDEN}
    return {"current": row.current, "by": told["source"]["connector"], **shown}


def travels(pairs: Sequence[Travels]) -> list[Json]:
    """The parcels of an order, briefly."""
    return [
        {
            "id": row.id,
            "tracking_number": row.number,
            "carrier": row.carrier or None,
            "milestone": row.milestone,
            "condition": row.condition,
            "type": link.kind,
            "source_id": link.document,
        }
        for link, row in pairs
    ]


def progress(rows: Sequence[ParcelRow]) -> ShipmentProgress:
    """How far a shipment is, from its parcels."""
    return progress_of(
        [ParcelState(row.milestone, row.condition, row.action_required) for row in rows]  # type: ignore[arg-type]
    )


def followed(shipment: Json, rows: Sequence[ParcelRow]) -> Json:
    """A shipment as stated by whoever shipped, with what its parcels tell: delivered when all of them are.

    `attributes.tracking` has the milestone of the piece furthest behind and the condition of the shipment.
    """
    if not rows:
        return shipment
    found = progress(rows)
    tracking = {"milestone": found.milestone, "condition": found.condition, "delivered": found.delivered,
                "pieces": found.pieces}  # fmt: skip
    shown = {**shipment, "attributes": {**shipment.get("attributes", {}), "tracking": tracking}}
    if found.milestone != "delivered" or shipment.get("state") not in ("created", "shipped", "delivered"):
        return shown
    stated = [orjson.loads(row.state).get("reached", {}).get("delivered") or "" for row in rows]
    last = max((row.delivered_at or 0, at) for row, at in zip(rows, stated, strict=True))[1]
    return {**shown, "state": "delivered", "delivered_at": shipment.get("delivered_at") or _canonical(last)}


def _canonical(stated: str) -> str | None:
    """An instant or a day; a time without an offset is shown as its day."""
    return (stated if stated.endswith("Z") else stated[:10]) or None
