"""What the AfterShip connector can do, at which speed and under which names.

Source: aftership.com/docs/tracking, webhook overview and rate limit (2026-11).
"""

from __future__ import annotations

from typing import Final

from connectors.aftership import settings
from connectors.sdk.manifest import Budget, Capability, Manifest, Topic

TRACKING: Final = "tracking"
UPDATE: Final = "tracking_update"
IGNORED: Final = ("edd_revise", "tracking_pending_time")
"""An estimate revised, which the next update repeats, and a parcel not scanned yet."""

CREATE: Final = "create"
LIST: Final = "list"
READ: Final = "read"
RATE_LIMITS: Final = "aftership.com/docs/tracking, rate limit: by endpoint, calls a second (2025-01, read 2026-11)"

MANIFEST: Final = Manifest(
    name="aftership",
    title="AfterShip",
    capabilities=frozenset({Capability.TRACK, Capability.WATCH, Capability.WEBHOOKS, Capability.CHECK}),
    topics=(Topic(TRACKING), Topic(UPDATE), *(Topic(name, ignored=True) for name in IGNORED)),
    budgets=(
        Budget(CREATE, rate=20.0, burst=20, source=RATE_LIMITS),
        Budget(LIST, rate=6.0, burst=6, source=RATE_LIMITS),
        Budget(READ, rate=5.0, burst=5, source=RATE_LIMITS),
    ),
    track_batch_max=1,
    watch_batch_max=1,
    dedupe_by="content digest of a tracking; id of a pushed event",
    clock_quirks="times of checkpoints are the scanning place's, often without an offset",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "trackings": "https://www.aftership.com/docs/tracking/2026-01/quickstart/api-quick-start",
        "rate limits": "https://www.aftership.com/docs/tracking/2025-01/quickstart/rate-limit",
    },
)
