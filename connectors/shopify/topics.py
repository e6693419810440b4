"""Every webhook topic this connector knows and what it is good for.

Source: Shopify Admin GraphQL schema 2026-10, enum WebhookSubscriptionTopic, and the mandatory
compliance topics of shopify.dev/docs/apps/build/compliance/privacy-law-compliance, read 2026-11-20.
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Control, Topic

ORDER: Final = "order"
ORDERS: Final = "orders"
INVENTORY: Final = "inventory"
LISTINGS: Final = "listings"
RETURNS: Final = "returns"
FULFILLMENTS: Final = "fulfillments"
BULK: Final = "bulk"

READS: Final = (ORDER, ORDERS, INVENTORY, LISTINGS, RETURNS, FULFILLMENTS, BULK)
"""Names of reads: what polls and resolved hints are stored under. `bulk` is one line, or an array
of lines, of a bulk operation's result."""

# The body is the whole REST resource: mapped as it came.
_MAPPED: Final = (
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "orders/delete",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "inventory_levels/update",
    "inventory_levels/connect",
    "inventory_items/delete",
    "products/create",
    "products/update",
)

# The body is a fragment without the order or item itself: the current state is read instead.
_HINTS: Final = (
    "orders/edited",
    "fulfillment_orders/cancellation_request_accepted",
    "fulfillment_orders/cancellation_request_rejected",
    "fulfillment_orders/cancellation_request_submitted",
    "fulfillment_orders/cancelled",
    "fulfillment_orders/fulfillment_request_accepted",
    "fulfillment_orders/fulfillment_request_rejected",
    "fulfillment_orders/fulfillment_request_submitted",
    "fulfillment_orders/fulfillment_service_failed_to_complete",
    "fulfillment_orders/hold_released",
    "fulfillment_orders/line_items_prepared_for_local_delivery",
    "fulfillment_orders/line_items_prepared_for_pickup",
    "fulfillment_orders/manually_reported_progress_stopped",
    "fulfillment_orders/merged",
    "fulfillment_orders/moved",
    "fulfillment_orders/order_routing_complete",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/progress_reported",
    "fulfillment_orders/rescheduled",
    "fulfillment_orders/scheduled_fulfillment_order_ready",
    "fulfillment_orders/split",
    "returns/approve",
    "returns/cancel",
    "returns/close",
    "returns/decline",
    "returns/process",
    "returns/reopen",
    "returns/request",
    "returns/update",
    "inventory_levels/disconnect",
    "inventory_items/create",
    "inventory_items/update",
)

# Known, and of no consequence for orders or stock. A deleted product tells of its items one by one
# (inventory_items/delete); the listings stream watches its own bulk operations.
_IGNORED: Final = (
    "orders/link_requested",
    "orders/risk_assessment_changed",
    "orders/shopify_protect_eligibility_changed",
    "products/delete",
    "locations/activate",
    "locations/create",
    "locations/deactivate",
    "locations/delete",
    "locations/update",
    "app/scopes_update",
    "bulk_operations/finish",
    "draft_orders/create",
    "draft_orders/delete",
    "draft_orders/update",
)

_CONTROL: Final = (
    Topic("app/uninstalled", control=Control.UNINSTALLED),
    Topic("customers/data_request", control=Control.DATA_REQUEST, orders="orders_requested"),
    Topic("customers/redact", control=Control.REDACT_ORDERS, orders="orders_to_redact"),
    Topic("shop/redact", control=Control.REDACT_ACCOUNT),
)

TOPICS: Final[tuple[Topic, ...]] = (
    *(Topic(name) for name in (*READS, *_MAPPED)),
    *(Topic(name, hint=True) for name in _HINTS),
    *(Topic(name, ignored=True) for name in _IGNORED),
    *_CONTROL,
)

# Compliance topics are configured with the app, and the API has no name for them; drafts nobody needs.
_NOT_SUBSCRIBED: Final = frozenset(
    {
        "customers/data_request",
        "customers/redact",
        "shop/redact",
        "draft_orders/create",
        "draft_orders/delete",
        "draft_orders/update",
        "orders/link_requested",
        "orders/risk_assessment_changed",
        "orders/shopify_protect_eligibility_changed",
        "products/delete",
    }
)


def enum_name(topic: str) -> str:
    """`orders/create` as the API spells it: `ORDERS_CREATE`."""
    return topic.upper().replace("/", "_")


SUBSCRIBED: Final[tuple[str, ...]] = tuple(
    topic.name for topic in TOPICS if topic.name not in READS and topic.name not in _NOT_SUBSCRIBED
)
"""Topics the connector keeps a subscription for, in a fixed order."""
