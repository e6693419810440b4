"""Carrier events for tests, written as `scan("in_transit", "2026-11-02T10:00:00Z")`."""

from __future__ import annotations

from typing import Any

from canonical import TrackingUpdate

RECEIVED = "2026-11-20T12:00:00Z"


def scan(
    milestone: str | None, at: str | None = None, *, received: str = RECEIVED, connector: str = "ups",
    digest: str = "d1", city: str | None = None, **fields: Any,
) -> TrackingUpdate:  # fmt: skip
    """An event with an instant (`…Z`), a day, or, with `local_time=` alone, a time without an offset."""
    if at is not None:
        fields.setdefault("local_time", at.removesuffix("Z"))
        fields.setdefault("precision", "date" if len(at) == 10 else "instant")
    if city is not None:
        fields["location"] = {"city": city}
    return TrackingUpdate.model_validate(
        {
            "id": "trk_00000000000000000000000000",
            "carrier": "ups",
            "tracking_number": "1Z879E930346834440",
            "code_raw": milestone or "note",
            "milestone": milestone,
            "at": at,
            "source": {
                "connector": connector, "kind": "tracking_update", "id": "x", "received_at": received, "digest": digest,
            },
            **fields,
        }
    )  # fmt: skip


def latest(milestone: str | None, at: str | None = None, **fields: Any) -> TrackingUpdate:
    """The carrier's latest-status block."""
    return scan(milestone, at, current=True, **fields)
