"""What the eBay connector can do, at which speed and under which names."""

from __future__ import annotations

from typing import Final

from connectors.ebay import settings, topics
from connectors.sdk.manifest import CHANNEL, Budget, Confirms, EffectKind, Manifest, QuantityMeaning, Stream

CALL_LIMITS: Final = "developer.ebay.com/develop/api/sell/api_call_limits, read 2026-11"
NOT_VERIFIED: Final = "the page's row was cut off when read (2026-11): a bound of ours, below what the page used to say"
OAUTH_LIMITS: Final = "developer.ebay.com/api-docs/static/oauth-rate-limits.html, read 2026-11"

CONFIRM_SHIPMENT: Final = "confirm_shipment"
CANCEL: Final = "cancel_order"
REFUND: Final = "refund_order"

ORDERS_STREAM: Final = "orders"
CANCELLATIONS_STREAM: Final = "cancellations"
RETURNS_STREAM: Final = "returns"
LISTINGS_STREAM: Final = "listings"
STOCK_STREAM: Final = "stock"

ORDERS_PAGE_MAX: Final = 199
"""200 rows is eBay's limit and more fails; a later page also asks for the last row of the one before it."""

PRICE_QUANTITY_MAX: Final = 25
"""SKUs in one bulk call. Source: sell/inventory 1.18.4, bulkUpdatePriceQuantity and error 25727 (2025-11)."""

HISTORY_DAYS: Final = 729
"""Orders older than two years are not given; a day less keeps clear of the edge."""


def _per_day(name: str, calls: float, source: str, *, burst: float = 100) -> Budget:
    """eBay counts calls per application and day, starting at midnight Pacific: spread, with room for a burst."""
    return Budget(name, rate=calls / 86_400, burst=burst, source=source)


BUDGETS: Final = (
    _per_day("token", 50_000, OAUTH_LIMITS, burst=60),
    _per_day("app_token", 1_000, OAUTH_LIMITS, burst=20),
    _per_day("fulfillment", 2_500_000, NOT_VERIFIED, burst=500),
    _per_day("inventory", 2_000_000, NOT_VERIFIED, burst=1_000),
    _per_day("trading", 1_500_000, NOT_VERIFIED, burst=200),
    _per_day("post_order", 200_000, NOT_VERIFIED, burst=200),
    # 10,000 together. Keys are asked for on the word of strangers, so they may not spend the rest.
    _per_day("notification", 8_000, CALL_LIMITS, burst=200),
    _per_day("public_key", 2_000, CALL_LIMITS, burst=40),
)

MANIFEST: Final = Manifest(
    name="ebay",
    title="eBay",
    capabilities=CHANNEL,
    topics=topics.TOPICS,
    streams=(
        Stream(ORDERS_STREAM, interval_s=60, overlap_s=300, page_max=ORDERS_PAGE_MAX, backfill_days_max=HISTORY_DAYS),
        Stream(CANCELLATIONS_STREAM, interval_s=300, page_max=200, backfill_days_max=HISTORY_DAYS),
        Stream(RETURNS_STREAM, interval_s=900, page_max=200, backfill_days_max=HISTORY_DAYS),
        # Offers have no list: a sweep costs a call per SKU, so it is made a few times a day.
        Stream(LISTINGS_STREAM, interval_s=21_600, page_max=100),
        Stream(STOCK_STREAM, interval_s=21_600, page_max=100),
    ),
    # Nothing at eBay takes an idempotency key.
    effects=(EffectKind(CONFIRM_SHIPMENT, alone=True), EffectKind(CANCEL), EffectKind(REFUND)),
    confirms=Confirms(
        effect=CONFIRM_SHIPMENT, channel="ebay", source="sell/fulfillment v1.20.7, createShippingFulfillment (2025-11)"
    ),
    budgets=BUDGETS,
    publish_batch_max=4 * PRICE_QUANTITY_MAX,
    read_back_batch_max=PRICE_QUANTITY_MAX,
    quantity_meaning=QuantityMeaning.AVAILABLE,
    acknowledges_orders=False,
    dedupe_by=(
        "notificationId of a notification; order id, lastModifiedDate and content digest of an order; id and content "
        "digest of a cancellation or return; SKU and sweep of stock"
    ),
    clock_quirks="times are UTC with milliseconds; a range that ends in eBay's future is refused (30850)",
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "start": "https://developer.ebay.com/develop/apis/restful-apis/sell-apis",
        "orders": "https://developer.ebay.com/api-docs/sell/fulfillment/overview.html",
        "stock": "https://developer.ebay.com/api-docs/sell/static/inventory/bulk-updates.html",
        "notifications": "https://developer.ebay.com/api-docs/commerce/notification/overview.html",
        "cancellations and returns": "https://developer.ebay.com/devzone/post-order/index.html",
    },
)
