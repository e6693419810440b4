"""Names of Amazon's inputs: reads and notification types, and the payload each read is kept as.

- `order`: one order of Orders 2026-01-01, as in `orders[i]` of searchOrders, bare.
- `order_summary`: an ORDER_CHANGE notification as received, for when the order itself may not be read yet.
- `listing`: one item of searchListingsItems or getListingsItem: `sku`, `summaries`, `attributes`,
  `fulfillmentAvailability`.
- `stock`: `{"items": [items as above], "read_at"}`, a page of numbers.
- `fba_stock`: `{"payload": {…}, "read_at"}`, a page of getInventorySummaries.
- `return_fbm`, `return_fba`: one row of the returns report, an object of its columns.
- `refund`: one transaction of finances 2024-06-19.

A listing's `listing_id` is `<marketplace>|<sku>|<fulfilment channel>`: the same SKU sold from our own shelf
(`DEFAULT`) and by Amazon (`AMAZON_NA`, …) is two listings, and only the first is ever published to.

Source: notification types of amzn/selling-partner-api-models schemas/notifications (2026-08-05);
developer-docs.amazon.com/sp-api "notification type values" (read 2026-11).
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Topic

ORDER: Final = "order"
ORDER_SUMMARY: Final = "order_summary"
LISTING: Final = "listing"
STOCK: Final = "stock"
FBA_STOCK: Final = "fba_stock"
RETURN_FBM: Final = "return_fbm"
RETURN_FBA: Final = "return_fba"
REFUND: Final = "refund"
READS: Final = (ORDER, ORDER_SUMMARY, LISTING, STOCK, FBA_STOCK, RETURN_FBM, RETURN_FBA, REFUND)

ORDER_CHANGE: Final = "ORDER_CHANGE"
MFN_QUANTITY: Final = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"
LISTING_STATUS: Final = "LISTINGS_ITEM_STATUS_CHANGE"
LISTING_ISSUES: Final = "LISTINGS_ITEM_ISSUES_CHANGE"
FBA_INVENTORY: Final = "FBA_INVENTORY_AVAILABILITY_CHANGES"
TRANSACTION: Final = "TRANSACTION_UPDATE"
FEED_FINISHED: Final = "FEED_PROCESSING_FINISHED"
REPORT_FINISHED: Final = "REPORT_PROCESSING_FINISHED"
HINTS: Final = (ORDER_CHANGE, MFN_QUANTITY, LISTING_STATUS, LISTING_ISSUES, FBA_INVENTORY, TRANSACTION, FEED_FINISHED)

IGNORED: Final = (
    # The returns stream asks for its own reports by id, and a report of the hub's is nobody else's.
    REPORT_FINISHED,
    # Hourly totals per ASIN, without a SKU: the FBA stock stream reads the numbers themselves.
    "ITEM_INVENTORY_EVENT_CHANGE",
    "ITEM_SALES_EVENT_CHANGE",
    # Multi-channel fulfilment orders are placed by others; what they take shows in the FBA numbers.
    "FULFILLMENT_ORDER_STATUS",
    "FBA_OUTBOUND_SHIPMENT_STATUS",
    "ANY_OFFER_CHANGED",
    "B2B_ANY_OFFER_CHANGED",
    "BRANDED_ITEM_CONTENT_CHANGE",
    "DATA_KIOSK_QUERY_PROCESSING_FINISHED",
    "DETAIL_PAGE_TRAFFIC_EVENT",
    "FEE_PROMOTION",
    "ITEM_PRODUCT_TYPE_CHANGE",
    "PRICING_HEALTH",
    "PRODUCT_TYPE_DEFINITIONS_CHANGE",
    "SHIPMENT_TRACKING_MILESTONE_CHANGED",
)
UNKNOWN: Final = "unknown_notification"
"""No topic of the manifest: what arrives under it is parked where an operator sees it."""

SUBSCRIBED: Final = (ORDER_CHANGE, FBA_INVENTORY, TRANSACTION, FEED_FINISHED)
"""Types Amazon delivers to a queue and that lead to a read. The LISTINGS_ITEM types go to EventBridge alone;
a rule there may put them into the same queue. Source: "notification type values" (read 2026-11)."""

TOPICS: Final[tuple[Topic, ...]] = (
    *(Topic(name) for name in READS),
    *(Topic(name, hint=True) for name in HINTS),
    *(Topic(name, ignored=True) for name in IGNORED),
)
