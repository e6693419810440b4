"""Bearer tokens of a sandbox: given out, believed until they end, and refused too early on request."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from connectors.sdk.faults import ExpiredTokens, Faults
from connectors.sdk.ports import Clock


class BearerTokens:
    """What a vendor's login gave out. `life_s` is the vendor's."""

    def __init__(self, name: str, clock: Clock, faults: Faults, *, life_s: int) -> None:
        self._name = name
        self._clock = clock
        self._expired = ExpiredTokens(faults)
        self._ends: dict[str, datetime] = {}
        self.life_s = life_s

    def give(self) -> str:
        value = f"{self._name}-sandbox-token-{len(self._ends) + 1}"
        self._ends[value] = self._clock.now() + timedelta(seconds=self.life_s)
        self._expired.issued(value)
        return value

    def admits(self, request: web.Request) -> bool:
        """Whether the request carries a token that is good now."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        ends = self._ends.get(value)
        if scheme != "Bearer" or ends is None or ends <= self._clock.now():
            return False
        return not self._expired.refuses(value)
