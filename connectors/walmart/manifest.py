"""What the Walmart connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import CHANNEL, Budget, Confirms, EffectKind, Manifest, QuantityMeaning, Stream
from connectors.walmart import settings, topics

RATE_LIMITS: Final = "Walmart US Marketplace rate limits table, 2026-04-15, re-read 2026-08-05"

ACKNOWLEDGE: Final = "acknowledge_order"
CONFIRM_SHIPMENT: Final = "confirm_shipment"
CANCEL: Final = "cancel_order"

ORDER_STREAMS: Final = {"orders": "SellerFulfilled", "orders_wfs": "WFSFulfilled", "orders_3pl": "3PLFulfilled"}
"""A query answers for one kind of ship node only, so each kind is a stream with its own mark."""

RETURNS_STREAM: Final = "returns"
LISTINGS_STREAM: Final = "listings"
STOCK_STREAM: Final = "stock"

ACKNOWLEDGE_WITHIN_S: Final = 4 * 3600.0
"""Source: developer.walmart.com "acknowledge a created order" (quoted 2026-08)."""

FEED_ROWS_MAX: Final = 1_000
"""The published limit is 10,000 rows, but gateways were seen failing far below it (2026-08)."""

READ_BACK_MAX: Final = 50
"""One page of GET /v3/inventories."""


def _per_minute(name: str, calls: float) -> Budget:
    return Budget(name, rate=calls / 60, burst=calls, source=RATE_LIMITS)


def _per_hour(name: str, calls: float) -> Budget:
    return Budget(name, rate=calls / 3600, burst=calls, source=RATE_LIMITS)


BUDGETS: Final = (
    Budget("token", rate=1.0, burst=60, source="no limit is published; one login lasts 15 minutes, so a bound of ours"),
    _per_minute("orders_read", 5000),
    _per_minute("acknowledge", 60),
    _per_minute("shipping", 60),
    _per_minute("cancel", 60),
    _per_minute("returns", 50),
    _per_minute("inventory_read", 200),
    _per_minute("inventory_write", 200),
    _per_minute("inventories_list", 200),
    _per_minute("inventories_read", 200),
    _per_minute("inventories_write", 200),
    # Listed for /v3/wfs/inventory, the newer path of the same read.
    _per_minute("wfs_inventory", 100),
    _per_hour("feed_inventory", 10),
    _per_hour("feed_mp_inventory", 50),
    _per_minute("feeds_read", 5000),
    _per_minute("subscriptions_read", 50),
    _per_minute("subscriptions_create", 200),
    _per_minute("subscriptions_update", 5),
    _per_minute("event_types", 5),
)

MANIFEST: Final = Manifest(
    name="walmart",
    title="Walmart Marketplace (US)",
    capabilities=CHANNEL,
    topics=topics.TOPICS,
    streams=(
        Stream("orders", interval_s=60, overlap_s=300, page_max=200, backfill_days_max=179),
        Stream("orders_wfs", interval_s=300, overlap_s=600, page_max=200, backfill_days_max=179),
        Stream("orders_3pl", interval_s=300, overlap_s=600, page_max=200, backfill_days_max=179),
        Stream(RETURNS_STREAM, interval_s=900, overlap_s=900, page_max=200, backfill_days_max=179),
        Stream(LISTINGS_STREAM, interval_s=3600, page_max=50),
        Stream(STOCK_STREAM, interval_s=900, page_max=50),
    ),
    effects=(
        # Acknowledging twice answers like the first time, so a repeat is as good as a key.
        EffectKind(ACKNOWLEDGE, keyed=True),
        EffectKind(CONFIRM_SHIPMENT, alone=True),
        EffectKind(CANCEL),
    ),
    confirms=Confirms(
        effect=CONFIRM_SHIPMENT, channel="walmart", source="orders OpenAPI document, POST /shipping (2026-06)"
    ),
    budgets=BUDGETS,
    publish_batch_max=FEED_ROWS_MAX,
    read_back_batch_max=READ_BACK_MAX,
    quantity_meaning=QuantityMeaning.INPUT,
    # Walmart's guide says 15 min, 1 h, 2 h, then every 4 h; small inventory feeds finish in minutes.
    receipt_poll_s=(60.0, 300.0, 900.0, 3600.0, 7200.0, 14400.0),
    acknowledges_orders=True,
    acknowledge_within_s=ACKNOWLEDGE_WITHIN_S,
    replay_window_s=300.0,
    dedupe_by="source.eventId of a notification; content digest of an order or a return; sweep and page of stock",
    clock_quirks="orders carry epoch milliseconds; returns, reports and notifications ISO 8601",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "start": "https://developer.walmart.com/home/us-mp/",
        "order events": "https://developer.walmart.com/us-marketplace/docs/order-management-event",
        "purchase order created": "https://developer.walmart.com/us-marketplace/docs/purchase-order-po-created-event",
        "inventory": "https://developer.walmart.com/doc/us/us-mp/us-mp-inventory/",
    },
)
