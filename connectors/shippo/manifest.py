"""What the Shippo connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget, Capability, Manifest, Topic
from connectors.shippo import settings

TRACKING: Final = "tracking"
UPDATED: Final = "track_updated"
IGNORED: Final = ("transaction_created", "transaction_updated", "batch_created", "batch_purchased")
"""Events that tell nothing of a parcel under way. Source: docs.goshippo.com, Webhooks, event types (2026-11)."""
READS: Final = "reads"
WRITES: Final = "writes"
RATE_LIMITS: Final = (
    "docs.goshippo.com, rate limits: tracking, 500 a minute of each kind, 50 with a test token (2026-11)"
)

MANIFEST: Final = Manifest(
    name="shippo",
    title="Shippo",
    capabilities=frozenset({Capability.TRACK, Capability.WATCH, Capability.WEBHOOKS, Capability.CHECK}),
    topics=(Topic(TRACKING), Topic(UPDATED), *(Topic(name, ignored=True) for name in IGNORED)),
    budgets=(
        Budget(READS, rate=500 / 60, burst=50, source=RATE_LIMITS),
        Budget(WRITES, rate=500 / 60, burst=50, source=RATE_LIMITS),
    ),
    track_batch_max=1,
    watch_batch_max=1,
    dedupe_by="content digest of a track; digest of the body of a push, which has no id",
    clock_quirks="status_date is the carrier's time in UTC, object_created when Shippo heard of it",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "tracks": "https://docs.goshippo.com/docs/tracking/tracking/",
        "webhooks": "https://docs.goshippo.com/docs/tracking/webhooks/",
        "security": "https://docs.goshippo.com/docs/tracking/webhooksecurity/",
    },
)
