"""What the DHL connector can do, at which speed and under which names.

DHL pushes too, by division and to direct customers only, with bodies that differ per division and no signature
over them; parcels are polled here.

Source: developer.dhl.com, Shipment Tracking Unified and its push (read 2026-10).
"""

from __future__ import annotations

from typing import Final

from connectors.dhl import settings
from connectors.sdk.manifest import Budget, Capability, Manifest, Topic, TrackQuota

TRACKING: Final = "tracking"
DAY_S: Final = 86_400.0
DAY: Final = "day"
CALLS: Final = "tracking"
QUOTA_SOURCE: Final = "developer.dhl.com, Shipment Tracking Unified: 250 calls a day, one in five seconds (2026-10)"

CARRIERS: Final = (
    "dhl", "dhl_express", "dhl_ecommerce", "dhl_parcel_de", "dhl_parcel_uk", "dhl_parcel_nl", "dhl_parcel_pl",
    "deutsche_post", "dhl_freight", "dhl_global_forwarding", "dhl_supply_chain", "dhl_sameday",
)  # fmt: skip


def quota(calls_per_day: int) -> TrackQuota:
    """Everything: there is no login to pay for."""
    return TrackQuota(calls_per_day, DAY_S, source=QUOTA_SOURCE)


def budgets(calls_per_day: int) -> tuple[Budget, ...]:
    """A call takes one of each: its place in the day, and its distance from the last."""
    pace = max(0.2, calls_per_day / DAY_S)
    return (
        Budget(CALLS, rate=pace, burst=1, source=QUOTA_SOURCE),
        Budget(DAY, rate=calls_per_day / DAY_S, burst=calls_per_day, source=QUOTA_SOURCE),
    )


MANIFEST: Final = Manifest(
    name="dhl",
    title="DHL",
    capabilities=frozenset({Capability.TRACK, Capability.CHECK}),
    topics=(Topic(TRACKING),),
    budgets=budgets(settings.CALLS_PER_DAY),
    track_batch_max=1,
    track_carriers=CARRIERS,
    track_quota=quota(settings.CALLS_PER_DAY),
    dedupe_by="content digest of an answer",
    clock_quirks="times with and without an offset; an estimate may be a bare day",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={"tracking": "https://developer.dhl.com/api-reference/shipment-tracking"},
)
