"""The rate and burst of every operation the sandbox serves, and buckets that keep them.

Source: usage plans in selling-partner-api-models (2026-08). A bucket belongs to an operation, a
selling partner and an application; busy sellers are granted more than the published numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from connectors.amazon.fake.replies import over_quota
from connectors.sdk.ports import Clock

PUBLISHED: Final[dict[str, tuple[float, int]]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2.0, 10),
    "getListingsItem": (5.0, 10),
    "searchListingsItems": (5.0, 5),
    "patchListingsItem": (5.0, 5),
    "getFeeds": (0.0222, 10),
    "createFeed": (0.0083, 15),
    "getFeed": (2.0, 15),
    "cancelFeed": (2.0, 15),
    "createFeedDocument": (0.5, 15),
    "getFeedDocument": (0.0222, 10),
    "getReports": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReport": (2.0, 15),
    "cancelReport": (0.0222, 10),
    "getReportDocument": (0.0167, 15),
    "getInventorySummaries": (2.0, 2),
    "getSubscription": (1.0, 5),
    "createSubscription": (1.0, 5),
    "getSubscriptionById": (1.0, 5),
    "deleteSubscriptionById": (1.0, 5),
    "getDestinations": (1.0, 5),
    "createDestination": (1.0, 5),
    "getDestination": (1.0, 5),
    "deleteDestination": (1.0, 5),
    "getMarketplaceParticipations": (0.016, 15),
    "createRestrictedDataToken": (1.0, 10),
    "listTransactions": (0.5, 10),
}
"""Operation → (requests a second, burst)."""

FEEDS_IN_WINDOW_MAX: Final = 5
FEED_WINDOW_S: Final = 300.0
"""JSON_LISTINGS_FEED alone: five feeds in five minutes. Source: changelog of 2025-05."""


@dataclass
class Buckets:
    """`grant` multiplies rate and burst alike, as usage plans of busy sellers do."""

    clock: Clock
    grant: float = 1.0
    _held: dict[str, tuple[float, float]] = field(default_factory=dict)
    _feeds: list[float] = field(default_factory=list)

    def rate(self, operation: str) -> str:
        """What `x-amzn-RateLimit-Limit` says."""
        return f"{PUBLISHED[operation][0] * self.grant:g}"

    def take(self, operation: str) -> None:
        """Spend one request.

        Raises:
            Refusal: 429; the bucket is empty.
        """
        rate, burst = (each * self.grant for each in PUBLISHED[operation])
        now = self.clock.monotonic()
        tokens, since = self._held.get(operation, (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        if tokens < 1.0:
            self._held[operation] = (tokens, now)
            raise over_quota(self.rate(operation))
        self._held[operation] = (tokens - 1.0, now)

    def take_feed(self) -> None:
        """One JSON_LISTINGS_FEED of the window."""
        now = self.clock.monotonic()
        self._feeds = [at for at in self._feeds if now - at < FEED_WINDOW_S]
        if len(self._feeds) >= FEEDS_IN_WINDOW_MAX * self.grant:
            raise over_quota()
        self._feeds.append(now)
