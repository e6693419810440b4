"""One gate per account: credentials, quota and breaker decide together whether a call may go out."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.sdk.errors import AuthFailed, InDoubt, RateLimited, Transient
from hub.delivery.breaker import Breaker, Circuit
from hub.delivery.schedule import refusal_hold_s

RECOVERED_AFTER_S = 30.0
"""A good call after at least this long without one: what waits for its next try need not wait longer."""


@dataclass(slots=True)
class Lane:
    """Work of one kind for one account: a refusal for quota rests the lane, not the account."""

    held_until: float = 0.0
    bare_refusals: int = 0


@dataclass(slots=True)
class Gate:
    """What is known of one account's vendor. Instants are monotonic seconds.

    Used by one event loop; every method is synchronous, so tasks never see it half changed.
    """

    breaker: Breaker = field(default_factory=Breaker)
    lanes: dict[str, Lane] = field(default_factory=dict)
    waited_s: float = 0.0
    """seconds of rest the vendor's limits have asked for, in all"""
    recoveries: int = 0
    """outages that ended"""

    def lane(self, name: str) -> Lane:
        return self.lanes.setdefault(name, Lane())

    def wait_s(self, lane: str, now: float) -> float:
        """Seconds until a call of this lane may go out; 0.0 means now."""
        return max(self.lane(lane).held_until - now, self.breaker.wait_s(now), 0.0)

    def admit(self, lane: str, now: float) -> bool:
        """Take the right to make one call in this lane; answer it with `report`."""
        if self.lane(lane).held_until > now:
            return False
        return self.breaker.admit(now)

    @property
    def probing(self) -> bool:
        """True while the circuit is not closed: what fails now was a probe and burns no attempt."""
        return self.breaker.circuit is not Circuit.CLOSED

    def report(self, lane: str, error: Exception | None, now: float) -> bool:
        """Note how an admitted call ended; True when the circuit changed."""
        resting = self.lane(lane)
        if isinstance(error, RateLimited):
            if error.retry_after_s is None:
                resting.bare_refusals += 1
            hold = refusal_hold_s(error.retry_after_s, resting.bare_refusals)
            resting.held_until = max(resting.held_until, now + hold)
            self.waited_s += hold
            self.breaker.withdraw()
            return False
        resting.bare_refusals = 0
        if isinstance(error, AuthFailed):
            self.breaker.withdraw()
            return False
        good = not isinstance(error, Transient | InDoubt)
        if good and self.breaker.failing_for_s(now) >= RECOVERED_AFTER_S:
            self.recoveries += 1
        return self.breaker.record(good=good, now=now)
