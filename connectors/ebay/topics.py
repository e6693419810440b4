"""Names of eBay's inputs: reads and notification topics, and the payload each read is kept as.

- `order`: one order as GET /sell/fulfillment/v1/order/{orderId} gives it, bare.
- `orders`: a page of the same, `{"orders": [...]}`; for `normalize` alone, polls keep single orders.
- `returns`: `{"members": [...]}`, members of GET /post-order/v2/return/search; polls keep one member each.
- `cancellation`: one member of GET /post-order/v2/cancellation/search, bare (a hint: the order is read).
- `inventory` and `listings`: one SKU, `{"inventoryItems": [item], "offers": [offer, ...]}`: the item of
  GET /sell/inventory/v1/inventory_item and its offers of GET /sell/inventory/v1/offer; or, for listings
  the Inventory API does not see, `{"tradingItems": [{"itemId", "sku", "variationSku", "title",
  "quantity", "quantityAvailable", "quantitySold", "price", "currency", "listingStatus"}]}`.

A listing's `listing_id` is eBay's listingId and its `variant_id` the offerId (null when made through
Trading); pushes and reads are addressed with the two and `channel_sku`.

Source: commerce/notification v1.6.2 GET /topic and its release notes up to 1.6.7 (read 2026-11);
sell/fulfillment v1.20.7, sell/inventory 1.18.4 OpenAPI documents (2025-11).
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Control, Topic

ORDER: Final = "order"
ORDERS: Final = "orders"
RETURNS: Final = "returns"
INVENTORY: Final = "inventory"
LISTINGS: Final = "listings"
CANCELLATION: Final = "cancellation"
ORDER_CONFIRMATION: Final = "ORDER_CONFIRMATION"
AUTHORIZATION_REVOCATION: Final = "AUTHORIZATION_REVOCATION"
ACCOUNT_DELETION: Final = "MARKETPLACE_ACCOUNT_DELETION"
UNREADABLE: Final = "unreadable"

READS: Final = (ORDER, ORDERS, RETURNS, INVENTORY, LISTINGS)
HINTS: Final = (ORDER_CONFIRMATION, AUTHORIZATION_REVOCATION, CANCELLATION)
IGNORED: Final = (
    "ITEM_AVAILABILITY",
    "ITEM_PRICE_REVISION",
    "ITEM_MARKED_SHIPPED",
    "PRIORITY_LISTING_REVISION",
)
WANTED: Final = (ORDER_CONFIRMATION, AUTHORIZATION_REVOCATION, ACCOUNT_DELETION)
"""Topics worth a subscription: those that lead to a read or that eBay obliges an application to take."""

PEOPLE: Final = ("notification.data.username", "notification.data.userId")
"""Where a deletion notice names the person; an order's `buyer.channel_id` is one of the two."""

TOPICS: Final[tuple[Topic, ...]] = (
    *(Topic(name) for name in READS),
    *(Topic(name, hint=True) for name in HINTS),
    *(Topic(name, ignored=True) for name in IGNORED),
    Topic(ACCOUNT_DELETION, control=Control.REDACT_BUYER, people=PEOPLE),
)
