"""What the EasyPost connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.easypost import settings
from connectors.sdk.manifest import Budget, Capability, Manifest, Topic

TRACKING: Final = "tracking"
CREATED: Final = "tracker.created"
UPDATED: Final = "tracker.updated"
TRACKERS: Final = "trackers"

IGNORED: Final = (
    "batch.created", "batch.updated", "claim.submitted", "claim.updated", "claim.approved", "claim.rejected",
    "claim.cancelled", "insurance.purchased", "insurance.cancelled", "payment.created",
    "payment.completed", "payment.failed", "refund.successful", "report.new", "report.available", "report.failed",
    "scan_form.created", "scan_form.updated",
)  # fmt: skip
"""Events of an account that tell nothing of a parcel. Source: docs.easypost.com, Event object (2026-11)."""

MANIFEST: Final = Manifest(
    name="easypost",
    title="EasyPost",
    capabilities=frozenset({Capability.TRACK, Capability.WATCH, Capability.WEBHOOKS, Capability.CHECK}),
    topics=(
        Topic(TRACKING),
        Topic(CREATED),
        Topic(UPDATED),
        *(Topic(name, ignored=True) for name in IGNORED),
    ),
    budgets=(Budget(TRACKERS, rate=5.0, burst=20, source="EasyPost publishes no number; a bound of ours"),),
    track_batch_max=1,
    watch_batch_max=1,
    dedupe_by="content digest of a tracker; id of a pushed event",
    clock_quirks="times are UTC, guessed where a scan's place is not complete and may change later",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "trackers": "https://docs.easypost.com/docs/trackers",
        "webhooks": "https://docs.easypost.com/docs/webhooks",
    },
)
