"""Published rates, one bucket per operation as Amazon counts them.

Source: x-amzn usage plans of amzn/selling-partner-api-models, 2026-08-05. Amazon counts per operation,
selling partner and application, grants more to busy sellers, and says so in `x-amzn-RateLimit-Limit`.
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget

PUBLISHED: Final = "amzn/selling-partner-api-models usage plans, 2026-08-05"
OURS: Final = "no limit is published: a bound of ours"


def plan(operation: str, rate: float, burst: float) -> Budget:
    return Budget(operation, rate=rate, burst=burst, source=PUBLISHED)


COMMON: Final = (
    # One login lasts an hour, so this is far above need and far below anything that would look like an attack.
    Budget("token", rate=1.0, burst=20, source=OURS),
    Budget("grantless_token", rate=1.0, burst=20, source=OURS),
    Budget("document", rate=10.0, burst=50, source=OURS),
    plan("createRestrictedDataToken", 1.0, 10),
    plan("getMarketplaceParticipations", 0.016, 15),
)
"""What every flavour of the connector calls."""

SELLER: Final = (
    *COMMON,
    plan("searchOrders", 0.0056, 20),
    plan("getOrder", 0.5, 30),
    plan("confirmShipment", 2.0, 10),
    plan("patchListingsItem", 5.0, 5),
    plan("getListingsItem", 5.0, 10),
    plan("searchListingsItems", 5.0, 5),
    plan("createFeedDocument", 0.5, 15),
    plan("createFeed", 0.0083, 15),
    plan("cancelFeed", 2.0, 15),
    plan("getFeed", 2.0, 15),
    plan("getFeeds", 0.0222, 10),
    plan("getFeedDocument", 0.0222, 10),
    plan("createReport", 0.0167, 15),
    plan("getReport", 2.0, 15),
    plan("getReports", 0.0222, 10),
    plan("getReportDocument", 0.0167, 15),
    plan("getInventorySummaries", 2.0, 2),
    plan("listTransactions", 0.5, 10),
    plan("createDestination", 1.0, 5),
    plan("getDestinations", 1.0, 5),
    plan("createSubscription", 1.0, 5),
    plan("getSubscription", 1.0, 5),
    plan("deleteSubscriptionById", 1.0, 5),
)
