"""What the USPS connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget, Capability, Manifest, Topic, TrackQuota
from connectors.usps import settings

TRACKING: Final = "tracking"
HOUR_S: Final = 3_600.0
LOGINS_PER_HOUR: Final = 5
"""Of the quota: logins are counted too. One lasts eight hours, so most of these are never needed."""
BURST: Final = 5
"""More within a minute is refused. Source: USPS/api-examples issue 107 (2026-03)."""

QUOTA_SOURCE: Final = (
    "USPS/api-examples issues 30 and 107: 60 calls an hour per application, logins counted (2025-08, 2026-03)"
)


def quota(calls_per_hour: int) -> TrackQuota:
    """What is left for asking about parcels."""
    return TrackQuota(calls_per_hour - LOGINS_PER_HOUR, HOUR_S, source=QUOTA_SOURCE)


def budgets(calls_per_hour: int) -> tuple[Budget, ...]:
    """An hour's calls spread over the hour, a few of them at once."""
    calls = calls_per_hour - LOGINS_PER_HOUR
    return (
        # Tries that never arrive are paid for too, so that a bad hour at the start does not look like a spent quota.
        Budget("token", rate=LOGINS_PER_HOUR / HOUR_S, burst=2 * LOGINS_PER_HOUR, source=QUOTA_SOURCE),
        Budget("tracking", rate=calls / HOUR_S, burst=max(BURST, calls / 12), source=QUOTA_SOURCE),
    )


MANIFEST: Final = Manifest(
    name="usps",
    title="USPS",
    capabilities=frozenset({Capability.TRACK, Capability.CHECK}),
    topics=(Topic(TRACKING),),
    budgets=budgets(settings.CALLS_PER_HOUR),
    track_batch_max=1,
    track_carriers=("usps",),
    track_quota=quota(settings.CALLS_PER_HOUR),
    dedupe_by="content digest of an answer",
    clock_quirks=(
        "local time and GMTOffset are right; GMTTimestamp has yesterday's date after 18:00 local time; "
        "scans of partners and facts before shipping have no offset"
    ),
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "tracking": "https://developers.usps.com/trackingv3r2",
        "login": "https://developers.usps.com/Oauth",
    },
)
