"""What the Shopify connector says of itself."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import CHANNEL, Budget, Confirms, EffectKind, Manifest, QuantityMeaning, Stream
from connectors.shopify.settings import CREDENTIALS, OPTIONS
from connectors.shopify.topics import TOPICS

ORDERS: Final = "orders"
STOCK: Final = "stock"
LISTINGS: Final = "listings"
CONFIRM_SHIPMENT: Final = "confirm_shipment"
CORRECT_SHIPMENT: Final = "correct_shipment"
CANCEL_SHIPMENT: Final = "cancel_shipment"
GRAPHQL: Final = "graphql"
OVERLAP_S: Final = 300.0

SCOPES_REQUIRED: Final = (
    "read_orders",
    "read_products",
    "read_locations",
    "read_inventory",
    "write_inventory",
    "read_returns",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
)
"""What reading orders and stock, publishing and confirming shipments needs.

Source: the scopes stated per field in the Admin GraphQL schema 2026-10.
"""

MANIFEST: Final = Manifest(
    name="shopify",
    title="Shopify",
    capabilities=CHANNEL,
    topics=TOPICS,
    streams=(
        # Without read_all_orders a shop shows the last 60 days. Source: Order, Admin GraphQL 2026-10.
        Stream(ORDERS, interval_s=60, overlap_s=OVERLAP_S, page_max=100, backfill_days_max=60),
        Stream(STOCK, interval_s=900, overlap_s=OVERLAP_S, page_max=250),
        Stream(LISTINGS, interval_s=3600, overlap_s=OVERLAP_S, page_max=250),
    ),
    effects=(
        EffectKind(CONFIRM_SHIPMENT, alone=True),
        EffectKind(CORRECT_SHIPMENT, alone=True),
        EffectKind(CANCEL_SHIPMENT, alone=True),
    ),
    confirms=Confirms(
        effect=CONFIRM_SHIPMENT,
        channel="shopify",
        correct=CORRECT_SHIPMENT,
        cancel=CANCEL_SHIPMENT,
        several_numbers=True,
        source="fulfillmentCreate, fulfillmentTrackingInfoUpdate, fulfillmentCancel, Admin GraphQL 2026-10",
    ),
    budgets=(
        # Points of the standard plan; a shop's own numbers come with every answer and replace these.
        Budget(GRAPHQL, rate=100, burst=2000, source="shopify.dev/docs/api/admin-graphql/rate-limits, 2026-11-20"),
    ),
    publish_batch_max=250,
    read_back_batch_max=100,
    quantity_meaning=QuantityMeaning.AVAILABLE,
    replay_window_s=4 * 3600.0,
    dedupe_by="topic and X-Shopify-Event-Id; without one X-Shopify-Webhook-Id, without both the body's digest",
    clock_quirks="deliveries carry no signed time; X-Shopify-Triggered-At orders them, updatedAt has whole seconds",
    credentials=CREDENTIALS,
    options=OPTIONS,
    docs={
        "api": "https://shopify.dev/docs/api/admin-graphql/2026-10",
        "webhooks": "https://shopify.dev/docs/apps/build/webhooks",
        "limits": "https://shopify.dev/docs/api/usage/limits",
        "idempotency": "https://shopify.dev/docs/api/usage/idempotent-requests",
        "bulk": "https://shopify.dev/docs/api/usage/bulk-operations/queries",
    },
)
