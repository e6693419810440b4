"""What the Amazon connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.amazon import settings, topics
from connectors.amazon.budgets import SELLER
from connectors.sdk.manifest import CHANNEL, Capability, Confirms, EffectKind, Manifest, QuantityMeaning, Stream

CONFIRM_SHIPMENT: Final = "confirm_shipment"
CANCEL: Final = "cancel_order"
REFUND: Final = "refund_order"

ORDERS_STREAM: Final = "orders"
LATE_STREAM: Final = "orders_late"
NOTIFICATIONS_STREAM: Final = "notifications"
LISTINGS_STREAM: Final = "listings"
STOCK_STREAM: Final = "stock"
FBA_STREAM: Final = "fba_stock"
RETURNS_STREAM: Final = "returns"

ORDERS_PAGE_MAX: Final = 100
"""Source: orders_2026-01-01, searchOrders: maxResultsPerPage 1 to 100 (2026-08)."""

LISTINGS_PAGE_MAX: Final = 20
"""Source: listingsItems_2021-08-01, searchListingsItems: pageSize and identifiers at most 20 (2026-08)."""

FEED_MESSAGES_MAX: Final = 25_000
"""Source: listings-feed-schema-v2, messages (2026-08)."""

HISTORY_DAYS: Final = 729
"""Orders older than two years are not given; a day less keeps clear of the edge."""

MANIFEST: Final = Manifest(
    name="amazon",
    title="Amazon (Selling Partner API)",
    # Amazon calls nobody: notifications arrive in a queue, which is a stream.
    capabilities=CHANNEL - {Capability.WEBHOOKS},
    topics=topics.TOPICS,
    streams=(
        # One call in three minutes is all that is granted for good; the queue is what makes orders quick.
        Stream(ORDERS_STREAM, interval_s=180, overlap_s=3600, page_max=ORDERS_PAGE_MAX, backfill_days_max=HISTORY_DAYS),
        # Begins a sweep once a day; looks more often, for it reads only what the bucket can spare.
        Stream(LATE_STREAM, interval_s=900, page_max=ORDERS_PAGE_MAX),
        Stream(NOTIFICATIONS_STREAM, interval_s=5, page_max=10),
        # Twenty items a call; a catalogue read from a report comes in larger steps.
        Stream(LISTINGS_STREAM, interval_s=21_600, page_max=500),
        Stream(STOCK_STREAM, interval_s=21_600, page_max=500),
        Stream(FBA_STREAM, interval_s=3_600, page_max=50),
        Stream(RETURNS_STREAM, interval_s=21_600, page_max=1_000, backfill_days_max=60),
    ),
    effects=(
        # The package reference is ours and naming it again edits that package, so a repeat changes nothing.
        EffectKind(CONFIRM_SHIPMENT, keyed=True, alone=True),
        EffectKind(CANCEL),
        EffectKind(REFUND),
    ),
    # A package confirmed again under its own reference is edited to what it is now, whatever changed.
    confirms=Confirms(
        effect=CONFIRM_SHIPMENT,
        channel="amazon",
        correct=CONFIRM_SHIPMENT,
        corrects_lines=True,
        source="ordersV0, confirmShipment (2026-08)",
    ),
    budgets=SELLER,
    # Every effect reads its order first; a search or a feed costs minutes of its bucket and is never replayed.
    replay_budgets=("getOrder", "confirmShipment", "patchListingsItem"),
    publish_batch_max=FEED_MESSAGES_MAX,
    read_back_batch_max=LISTINGS_PAGE_MAX,
    quantity_meaning=QuantityMeaning.AVAILABLE,
    receipt_poll_s=(15.0, 30.0, 60.0, 60.0, 60.0, 60.0, 300.0, 900.0),
    acknowledges_orders=False,
    dedupe_by=(
        "NotificationId of a notification; order id, lastUpdatedTime and content digest of an order; content digest of "
        "a listing, a return or a refund; SKU and sweep of stock"
    ),
    clock_quirks=(
        "times are UTC, with milliseconds in orders 2026-01-01 and without in v0; an end of range of the last two "
        "minutes is refused; page tokens live 24 h, those of FBA inventory 30 s"
    ),
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "start": "https://developer-docs.amazon.com/sp-api/docs/connecting-to-the-selling-partner-api",
        "orders": "https://developer-docs.amazon.com/sp-api/docs/orders-api",
        "listings": "https://developer-docs.amazon.com/sp-api/docs/listings-items-api",
        "feeds": "https://developer-docs.amazon.com/sp-api/docs/feeds-api",
        "notifications": "https://developer-docs.amazon.com/sp-api/docs/notifications-api",
    },
)
