"""Names of Walmart's inputs: reads and notification events.

Source: GET /v3/webhooks/eventTypes of the notifications OpenAPI document (read 2026-06), the pages
"purchase order (PO) created event" and "order management event" (read 2026-11).
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Topic

ORDER: Final = "order"
ORDERS: Final = "orders"
RETURNS: Final = "returns"
INVENTORY: Final = "inventory"
LISTINGS: Final = "listings"
FEED: Final = "feed"
RETURN_EVENT: Final = "RETURN_EVENT"
UNREADABLE: Final = "unreadable"

READS: Final = (ORDER, ORDERS, RETURNS, INVENTORY, LISTINGS, FEED)
ORDER_EVENTS: Final = ("PO_CREATED", "PO_LINE_AUTOCANCELLED", "ORDER_UPDATES", "INTENT_TO_CANCEL")
STOCK_EVENTS: Final = ("INVENTORY_OOS",)
IGNORED_EVENTS: Final = ("OFFER_UNPUBLISHED", "OFFER_PUBLISHED", "BUY_BOX_CHANGED", "REPORT_STATUS")

TOPICS: Final[tuple[Topic, ...]] = (
    *(Topic(name) for name in READS),
    *(Topic(name, hint=True) for name in (*ORDER_EVENTS, RETURN_EVENT, *STOCK_EVENTS)),
    *(Topic(name, ignored=True) for name in IGNORED_EVENTS),
)


def topic_of(event_type: str) -> str:
    """The topic of an event type. Walmart's list of return events grows, so they share one topic."""
    return RETURN_EVENT if event_type.startswith("RETURN_") else event_type


def wanted(event_type: str) -> bool:
    """Is this event worth a subscription? Only those that lead to a read."""
    return event_type in (*ORDER_EVENTS, *STOCK_EVENTS) or event_type.startswith("RETURN_")
