"""The usage plans of the vendor interfaces.

Source: usage plans in the vendor models and tokens_2021-03-01 (2026-08).
"""

from __future__ import annotations

from typing import Final

from connectors.amazon.fake.rates import Buckets
from connectors.amazon.fake.replies import over_quota

RATES: Final[dict[str, tuple[float, int]]] = {
    "createRestrictedDataToken": (1.0, 10),
    "getMarketplaceParticipations": (0.016, 15),
    "getTransaction": (10.0, 20),
}
"""Operations with rates of their own; every other vendor operation has 10 a second and a burst of 10."""


class VendorBuckets(Buckets):
    """The usage plans of the vendor interfaces."""

    def rate(self, operation: str) -> str:
        return f"{RATES.get(operation, (10.0, 10))[0] * self.grant:g}"

    def take(self, operation: str) -> None:
        rate, burst = (each * self.grant for each in RATES.get(operation, (10.0, 10)))
        now = self.clock.monotonic()
        tokens, since = self._held.get(operation, (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        if tokens < 1.0:
            self._held[operation] = (tokens, now)
            raise over_quota(self.rate(operation))
        self._held[operation] = (tokens - 1.0, now)
