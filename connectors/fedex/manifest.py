"""What the FedEx connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.fedex import settings
from connectors.sdk.manifest import Budget, Capability, Manifest, Topic, TrackQuota

TRACKING: Final = "tracking"
EVENT: Final = "tracking_event"
"""A push that does not hold what Track would answer: only its numbers are believed, and asked about."""

BATCH_MAX: Final = 30
"""Source: FedEx Track v1 OpenAPI document, trackingInfo: at most 30 occurrences (2025-10)."""

RATE_LIMITS: Final = "developer.fedex.com, API rate limits: 1,400 requests in 10 s per project (read 2026-10)"

MANIFEST: Final = Manifest(
    name="fedex",
    title="FedEx",
    capabilities=frozenset({Capability.TRACK, Capability.WEBHOOKS, Capability.RESOLVE, Capability.CHECK}),
    topics=(Topic(TRACKING), Topic(EVENT, hint=True)),
    budgets=(
        Budget("token", rate=0.1, burst=5, source="logins have thresholds of their own per address; a bound of ours"),
        Budget("tracking", rate=20.0, burst=50, source=RATE_LIMITS + "; a bound of ours well below it"),
    ),
    track_batch_max=BATCH_MAX,
    track_carriers=("fedex",),
    # A request counts once, whatever its size: the hub always fills it.
    track_quota=TrackQuota(
        100_000, 86_400.0, source="developer.fedex.com: Track, 100,000 requests a day per project (read 2026-10)"
    ),
    dedupe_by="content digest of one number's results; digest of the body of a push, which has no id",
    clock_quirks="scans with an offset beside scans without; a day is written as midnight, in UTC or without an offset",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "track": "https://developer.fedex.com/api/en-us/catalog/track/v1/docs.html",
        "webhooks": "https://developer.fedex.com/api/en-us/catalog/shipment-visibility-webhook/docs.html",
    },
)
