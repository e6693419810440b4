"""What the ShipStation connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget, Capability, Manifest, Stream, Topic
from connectors.shipstation import settings

SHIPMENT: Final = "shipment"
FULFILLMENT: Final = "fulfillment"
HINTS: Final = ("SHIP_NOTIFY", "ITEM_SHIP_NOTIFY", "FULFILLMENT_SHIPPED")
SUBSCRIBED: Final = ("SHIP_NOTIFY", "FULFILLMENT_SHIPPED", "FULFILLMENT_REJECTED")
"""What is asked for; ITEM_SHIP_NOTIFY tells of the same shipments again."""

PAGE_MAX: Final = 500
"""Source: ShipStation API v1, shipments and fulfillments, pageSize (2026-11)."""
OVERLAP_S: Final = 5_400.0
"""More than the hour that the clocks of Pacific time run through twice a year, in which its times are written."""
CALLS: Final = "calls"

REJECTED: Final = (
    "a fulfilment provider refused an order in ShipStation: see the order there, ship it another way, and discard this"
)

MANIFEST: Final = Manifest(
    name="shipstation",
    title="ShipStation",
    capabilities=frozenset(
        {Capability.WEBHOOKS, Capability.RESOLVE, Capability.PULL, Capability.SUBSCRIBE, Capability.CHECK}
    ),
    topics=(
        Topic(SHIPMENT),
        Topic(FULFILLMENT),
        *(Topic(name, hint=True) for name in HINTS),
        Topic("ORDER_NOTIFY", ignored=True),
        Topic("ITEM_ORDER_NOTIFY", ignored=True),
        Topic("FULFILLMENT_REJECTED", parked=REJECTED),
    ),
    streams=(
        Stream("shipments", interval_s=900.0, overlap_s=OVERLAP_S, page_max=PAGE_MAX),
        Stream("voided", interval_s=1_800.0, overlap_s=OVERLAP_S, page_max=PAGE_MAX),
        Stream("fulfillments", interval_s=900.0, overlap_s=OVERLAP_S, page_max=PAGE_MAX),
    ),
    budgets=(
        Budget(
            CALLS, rate=40.0 / 60.0, burst=20, source="ShipStation API v1, requirements: 40 calls a minute (2026-11)"
        ),
    ),
    ships_for_others=True,
    dedupe_by="id of a shipment and the digest of what it says; digest of the body of a push, which has no id",
    clock_quirks="times are Pacific, without an offset; the day of shipping is a day",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "shipments": "https://docs.shipstation.com/apis/shipstation-v1/docs/shipments/list",
        "webhooks": "https://docs.shipstation.com/apis/shipstation-v1/docs/webhooks/subscribe",
    },
)
