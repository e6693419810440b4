"""A circuit breaker per account: a vendor that is down is asked rarely, and nothing is used up on it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

WINDOW_S = 60.0
CALLS_MIN = 20
FAILED_SHARE = 0.5
PROBE_FIRST_S = 30.0
PROBE_MAX_S = 600.0
GOOD_PROBES = 3
ALERT_AFTER_S = 12 * 3_600.0
DISABLE_AFTER_S = 5 * 86_400.0


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"
    """open, and at least one probe came back good"""


@dataclass(slots=True)
class Breaker:
    """Counts calls of one account. Instants are monotonic seconds, given by the caller.

    Opens when at least half of at least 20 calls within 60 s failed. While open one probe is let
    through after 30 s, then after twice as long up to 10 min when it fails; three good probes
    close it. A refusal for quota or credentials is an answer, not a failure, and is not counted.
    """

    circuit: Circuit = Circuit.CLOSED
    failing_since: float | None = None
    """first failure with no good call since"""
    _calls: deque[tuple[float, bool]] = field(default_factory=deque)
    _failed: int = 0
    _probe_wait_s: float = PROBE_FIRST_S
    _probe_at: float = 0.0
    _probe_out: bool = False
    _good: int = 0

    def wait_s(self, now: float) -> float:
        """Seconds until a call may go out; 0.0 means now."""
        if self.circuit is Circuit.CLOSED:
            return 0.0
        if self._probe_out:
            return max(self._probe_wait_s, 1.0)
        return max(0.0, self._probe_at - now)

    def admit(self, now: float) -> bool:
        """Take the right to make one call. While open that call is the probe, and there is one at a time."""
        if self.circuit is Circuit.CLOSED:
            return True
        if self._probe_out or now < self._probe_at:
            return False
        self._probe_out = True
        return True

    def withdraw(self) -> None:
        """The admitted call was not made, or ended without telling whether the vendor is up."""
        self._probe_out = False

    def record(self, *, good: bool, now: float) -> bool:
        """Note how a call ended; True when the circuit changed."""
        if good:
            self.failing_since = None
        elif self.failing_since is None:
            self.failing_since = now
        if self.circuit is Circuit.CLOSED:
            return self._count(good, now)
        if not self._probe_out:
            # A straggler from before the circuit opened says nothing about now.
            return False
        self._probe_out = False
        return self._probed(good, now)

    def failing_for_s(self, now: float) -> float:
        """How long every call has failed; 0.0 while any succeeded last."""
        return 0.0 if self.failing_since is None else max(0.0, now - self.failing_since)

    def _count(self, good: bool, now: float) -> bool:
        self._calls.append((now, good))
        self._failed += not good
        while self._calls and self._calls[0][0] <= now - WINDOW_S:
            self._failed -= not self._calls.popleft()[1]
        total = len(self._calls)
        if total < CALLS_MIN or self._failed < FAILED_SHARE * total:
            return False
        self.circuit = Circuit.OPEN
        self._calls.clear()
        self._failed = 0
        self._good = 0
        self._probe_wait_s = PROBE_FIRST_S
        self._probe_at = now + PROBE_FIRST_S
        return True

    def _probed(self, good: bool, now: float) -> bool:
        before = self.circuit
        if good:
            self._good += 1
            self._probe_wait_s = PROBE_FIRST_S
            self.circuit = Circuit.CLOSED if self._good >= GOOD_PROBES else Circuit.PROBING
        else:
            self._good = 0
            self._probe_wait_s = min(self._probe_wait_s * 2.0, PROBE_MAX_S)
            self.circuit = Circuit.OPEN
        self._probe_at = now + self._probe_wait_s
        return self.circuit is not before
