"""What the UPS connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget, Capability, Manifest, Topic
from connectors.ups import settings

TRACKING: Final = "tracking"
ALERT: Final = "track_alert"

WATCH_BATCH_MAX: Final = 100
"""Source: UPS Track Alert v2 OpenAPI document, VSS220 (2026-07)."""
WATCH_LIFE_S: Final = 14 * 86_400.0
"""Source: the same document: a subscription is good for 14 days and then silent."""
WATCH_RENEW_S: Final = 2 * 86_400.0
"""Before that end, so that a weekend's outage of ours loses no event."""

MANIFEST: Final = Manifest(
    name="ups",
    title="UPS",
    capabilities=frozenset({Capability.TRACK, Capability.WATCH, Capability.WEBHOOKS, Capability.CHECK}),
    topics=(Topic(TRACKING), Topic(ALERT)),
    budgets=(
        # Fetching a token per call is what brings UPS's 10429 most often, so logins have a budget of their own.
        Budget("token", rate=0.1, burst=5, source="no limit is published; one login lasts four hours, a bound of ours"),
        Budget("tracking", rate=10.0, burst=20, source="UPS publishes no limit; a bound of ours, 429 corrects it"),
        Budget("alerts", rate=2.0, burst=5, source="UPS publishes no limit; a bound of ours, 429 corrects it"),
    ),
    track_batch_max=1,
    track_carriers=("ups",),
    watch_batch_max=WATCH_BATCH_MAX,
    watch_life_s=WATCH_LIFE_S,
    watch_renew_s=WATCH_RENEW_S,
    dedupe_by="content digest of an answer; digest of the body of an alert, which has no id",
    clock_quirks=(
        "local date and time beside GMT ones; GMT time with colons in Track, without in alerts; "
        "an alert's offset has a dot (-04.00)"
    ),
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "track": "https://developer.ups.com/api/reference/tracking/product-info",
        "track alert": "https://developer.ups.com/api/reference/trackalertenhanced/product-info",
        "webhook credentials": "https://developer.ups.com/update-webhook",
    },
)
