"""The operations the sandbox serves: name, method, path.

Source: selling-partner-api-models (2026-08).
"""

from __future__ import annotations

from connectors.amazon.fake.account_wire import AccountWire
from connectors.amazon.fake.fba_wire import FbaWire
from connectors.amazon.fake.feeds_wire import FeedsWire
from connectors.amazon.fake.listings_wire import ListingsWire
from connectors.amazon.fake.notices_wire import NoticesWire
from connectors.amazon.fake.orders_wire import OrdersWire
from connectors.amazon.fake.reports_wire import ReportsWire
from connectors.amazon.fake.routes import Route


def orders(wire: OrdersWire) -> list[Route]:
    base, confirmation = "/orders/2026-01-01/orders", "/orders/v0/orders/{order}/shipmentConfirmation"
    return [
        ("searchOrders", "GET", base, wire.search),
        ("getOrder", "GET", f"{base}/{{order}}", wire.read),
        ("confirmShipment", "POST", confirmation, wire.confirm),
    ]


def listings(wire: ListingsWire) -> list[Route]:
    """A SKU may hold an encoded slash; all that is left of the path is the SKU."""
    base = "/listings/2021-08-01/items/{seller}"
    one = f"{base}/{{sku:.+}}"
    return [
        ("searchListingsItems", "GET", base, wire.search),
        ("getListingsItem", "GET", one, wire.read),
        ("patchListingsItem", "PATCH", one, wire.patch),
    ]


def feeds(wire: FeedsWire) -> list[Route]:
    base = "/feeds/2021-06-30"
    return [
        ("getFeeds", "GET", f"{base}/feeds", wire.find),
        ("createFeed", "POST", f"{base}/feeds", wire.create),
        ("getFeed", "GET", f"{base}/feeds/{{feed}}", wire.read),
        ("cancelFeed", "DELETE", f"{base}/feeds/{{feed}}", wire.cancel),
        ("createFeedDocument", "POST", f"{base}/documents", wire.create_document),
        ("getFeedDocument", "GET", f"{base}/documents/{{document}}", wire.read_document),
    ]


def reports(wire: ReportsWire) -> list[Route]:
    base = "/reports/2021-06-30"
    return [
        ("getReports", "GET", f"{base}/reports", wire.find),
        ("createReport", "POST", f"{base}/reports", wire.create),
        ("getReport", "GET", f"{base}/reports/{{report}}", wire.read),
        ("cancelReport", "DELETE", f"{base}/reports/{{report}}", wire.cancel),
        ("getReportDocument", "GET", f"{base}/documents/{{document}}", wire.read_document),
    ]


def notices(wire: NoticesWire) -> list[Route]:
    base = "/notifications/v1"
    destinations, kind = f"{base}/destinations", f"{base}/subscriptions/{{kind}}"
    return [
        ("getDestinations", "GET", destinations, wire.list_destinations),
        ("createDestination", "POST", destinations, wire.create_destination),
        ("getDestination", "GET", f"{destinations}/{{number}}", wire.read_destination),
        ("deleteDestination", "DELETE", f"{destinations}/{{number}}", wire.delete_destination),
        ("getSubscription", "GET", kind, wire.read_subscription),
        ("createSubscription", "POST", kind, wire.create_subscription),
        ("getSubscriptionById", "GET", f"{kind}/{{number}}", wire.read_subscription_by_id),
        ("deleteSubscriptionById", "DELETE", f"{kind}/{{number}}", wire.delete_subscription),
    ]


def business(wire: AccountWire, fba: FbaWire) -> list[Route]:
    """The account's own affairs, and the goods Amazon holds for it."""
    return [
        ("getInventorySummaries", "GET", "/fba/inventory/v1/summaries", fba.summaries),
        ("getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", wire.participations),
        ("createRestrictedDataToken", "POST", "/tokens/2021-03-01/restrictedDataToken", wire.restricted_token),
        ("listTransactions", "GET", "/finances/2024-06-19/transactions", wire.transactions),
    ]
