"""Notifications as Amazon words them, half in Pascal case and half in camel case.

Source: schemas/notifications of selling-partner-api-models (2026-08) and the example messages there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.amazon.fake.feeds_wire import Feed
from connectors.amazon.fake.orderbook import Order
from connectors.amazon.fake.replies import iso
from connectors.amazon.fake.reports_wire import Report
from connectors.amazon.fake.stockroom import MERCHANT, Listing

APPLICATION: Final = "amzn1.sellerapps.app.sandbox"
ORDER_CHANGE: Final = "ORDER_CHANGE"
FEED_FINISHED: Final = "FEED_PROCESSING_FINISHED"
REPORT_FINISHED: Final = "REPORT_PROCESSING_FINISHED"
QUANTITY_CHANGE: Final = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"
FBA_CHANGE: Final = "FBA_INVENTORY_AVAILABILITY_CHANGES"
CAMEL: Final[Mapping[str, str]] = {FEED_FINISHED: "2020-09-04", REPORT_FINISHED: "2020-09-04"}
"""Types whose envelope is camel case, with the version it states."""
OLD_STATUSES: Final = {
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
}
"""ORDER_CHANGE keeps the words of the older Orders API."""


def enveloped(kind: str, payload: Mapping[str, Any], number: str, subscription: str, at: datetime) -> dict[str, Any]:
    """The whole message; `number` is its NotificationId."""
    stated = {
        "ApplicationId": APPLICATION,
        "SubscriptionId": subscription,
        "PublishTime": iso(at),
        "NotificationId": number,
    }
    version = CAMEL.get(kind, "1.0")
    body = {
        "NotificationVersion": version,
        "NotificationType": kind,
        "PayloadVersion": version,
        "EventTime": iso(at),
        "Payload": payload,
        "NotificationMetadata": stated,
    }
    if kind not in CAMEL:
        return body
    camel = {_lowered(name): value for name, value in body.items()}
    return camel | {"notificationMetadata": {_lowered(name): value for name, value in stated.items()}}


def order_change(order: Order, seller: str, kind: str, reason: str, at: datetime) -> dict[str, Any]:
    shipped = sum(line.shipped for line in order.lines)
    summary = {
        "MarketplaceId": order.market.id,
        "OrderStatus": OLD_STATUSES[order.status],
        "PurchaseDate": iso(order.created),
        "DestinationPostalCode": None if order.pending else order.person[4],
        "FulfillmentType": "MFN" if order.merchant else "AFN",
        "OrderType": "StandardOrder",
        "NumberOfItemsShipped": shipped,
        "NumberOfItemsUnshipped": sum(line.open for line in order.lines),
        "EarliestShipDate": iso(order.created + timedelta(hours=1)),
        "LatestShipDate": iso(order.created + timedelta(days=2)),
        "OrderPrograms": [] if order.merchant else ["Prime"],
        "ShippingPrograms": [],
        "OrderItems": [
            {
                "OrderItemId": line.number,
                "SellerSKU": line.sku,
                "SupplySourceId": None,
                "OrderItemStatus": "Shipped" if line.shipped >= line.units else "Unshipped",
                "Quantity": line.units,
                "QuantityShipped": line.shipped,
                "IsBuyerRequestedCancel": line.request is not None,
            }
            for line in order.lines
        ],
    }
    change = {
        "NotificationLevel": "OrderLevel",
        "SellerId": seller,
        "AmazonOrderId": order.number,
        "OrderChangeType": kind,
        "OrderChangeTrigger": {"TimeOfOrderChange": iso(at), "ChangeReason": reason},
        "Summary": summary,
    }
    return {"OrderChangeNotification": change}


def feed_finished(feed: Feed, seller: str) -> dict[str, Any]:
    stated = {
        "sellerId": seller,
        "accountId": f"amzn1.merchant.o.{seller}",
        "feedId": feed.number,
        "feedType": feed.kind,
        "processingStatus": feed.status,
    }
    result = {"resultFeedDocumentId": feed.result.number} if feed.result is not None else {}
    return {"feedProcessingFinishedNotification": stated | result}


def report_finished(report: Report, seller: str) -> dict[str, Any]:
    stated = {
        "sellerId": seller,
        "accountId": f"amzn1.merchant.o.{seller}",
        "reportId": report.number,
        "reportType": report.kind,
        "processingStatus": report.status,
    }
    document = {"reportDocumentId": report.document.number} if report.document is not None else {}
    return {"reportProcessingFinishedNotification": stated | document}


def quantity_change(listing: Listing, seller: str) -> dict[str, Any]:
    return {
        "SellerId": seller,
        "FulfillmentChannelCode": MERCHANT,
        "Sku": listing.sku,
        "Quantity": listing.available or 0,
    }


def fba_change(listing: Listing, seller: str) -> dict[str, Any]:
    stock = {
        "InboundQuantityBreakdown": {"Working": 0, "Shipped": 0, "Receiving": 0},
        "Fulfillable": listing.fba or 0,
        "Unfulfillable": 0,
        "Researching": 0,
        "ReservedQuantityBreakdown": {"WarehouseProcessing": 0, "WarehouseTransfer": 0, "PendingCustomerOrder": 0},
        "FutureSupplyBuyable": 0,
        "PendingCustomerOrderInTransit": 0,
    }
    market = {"MarketplaceId": listing.market.id, "ItemName": listing.title, "FulfillmentInventory": stock}
    return {
        "SellerId": seller,
        "FNSKU": f"X{listing.asin[1:]}",
        "ASIN": listing.asin,
        "SKU": listing.sku,
        "FulfillmentInventoryByMarketplace": [market | {"Stores": []}],
    }


def _lowered(name: str) -> str:
    return name[0].lower() + name[1:]
