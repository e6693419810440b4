"""What the ShipEngine connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget, Capability, Manifest, Topic
from connectors.shipengine import settings

TRACKING: Final = "tracking"
PUSHED: Final = "API_TRACK"
IGNORED: Final = (
    "API_BATCH", "API_RATE", "API_CARRIER_CONNECTED", "API_SALES_ORDERS_IMPORTED",
    "API_ORDER_SOURCE_REFRESH_COMPLETE", "API_REPORT_COMPLETE", "BATCH_PROCESSED_V2",
)  # fmt: skip
"""They tell nothing of a parcel under way. Source: ShipEngine OpenAPI document 1.1.202604070904, webhook_event."""
CALLS: Final = "calls"
KEYS: Final = "keys"

MANIFEST: Final = Manifest(
    name="shipengine",
    title="ShipEngine",
    capabilities=frozenset(
        {Capability.TRACK, Capability.WATCH, Capability.WEBHOOKS, Capability.SUBSCRIBE, Capability.CHECK}
    ),
    topics=(Topic(TRACKING), Topic(PUSHED), *(Topic(name, ignored=True) for name in IGNORED)),
    budgets=(
        Budget(
            CALLS,
            rate=200 / 60,
            burst=20,
            source="docs.shipstation.com, rate limits: 200 requests a minute, 20 with a TEST_ key (2026-11)",
        ),
        Budget(KEYS, rate=0.2, burst=5, source="the key set is no part of the API; a bound of ours"),
    ),
    replay_budgets=(CALLS,),
    track_batch_max=1,
    watch_batch_max=1,
    dedupe_by="content digest of tracking information; digest of the body of a push, which has no id",
    clock_quirks="carrier_occurred_at is the place's own; the UTC beside it is sometimes worked out with a wrong zone",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "tracking": "https://docs.shipstation.com/apis/shipengine/docs/guides/tracking",
        "webhooks": "https://docs.shipstation.com/apis/shipengine/docs/guides/webhooks",
        "validation": "https://docs.shipstation.com/apis/docs/guides/webhooks-validation",
    },
)
