"""The one way out: every call to a vendor passes its account's gate and leaves an attempt row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from connectors.sdk.budget import Priority, spending
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited
from connectors.sdk.ports import Clock
from hub.delivery.breaker import ALERT_AFTER_S, DISABLE_AFTER_S
from hub.delivery.gate import Gate
from hub.delivery.schedule import refusal_hold_s
from hub.ports.store import Attempt
from hub.ports.telemetry import Telemetry
from hub.services import moments
from hub.services.accounts import Accounts

_log = structlog.get_logger(__name__)
T = TypeVar("T")

STOPPING_WAIT_S = 60.0
"""Longer than any drain: what meets a stopping hub waits for the next start."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is about. `lane` is what rests after a refusal; `kind` is a short, closed word."""

    lane: str
    kind: str
    what: str
    reference: str = ""
    direction: str = "out"
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Called(Generic[T]):
    """How a call ended: either `value` or `error`. `probe`: it was made while the circuit was open."""

    value: T | None
    error: ConnectorError | None
    attempt: Attempt
    probe: bool = False


class VendorCalls:
    """All calls of one account. For one event loop; tasks may call at the same time.

    `stopping`: the hub is draining, so the gate is shut for everything not yet begun.
    """

    def __init__(
        self,
        account: str,
        gate: Gate,
        accounts: Accounts,
        clock: Clock,
        telemetry: Telemetry,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.account = account
        self._stopping = stopping
        self.gate = gate
        self._accounts = accounts
        self._clock = clock
        self._telemetry = telemetry
        self._alerted = False

    def wait_s(self, lane: str) -> float:
        """Seconds until a call of this lane may go out; 0.0 means now. A held account is not asked here."""
        if self._stopping():
            return STOPPING_WAIT_S
        return self.gate.wait_s(lane, self._clock.monotonic())

    async def make(
        self,
        target: Target,
        call: Callable[[], Awaitable[T]],
        *,
        inside: Callable[[T], ConnectorError | None] | None = None,
    ) -> Called[T] | None:
        """Make one call, or None when the gate is shut (nothing was sent, nothing is burned).

        Args:
            target: What for; goes into the attempt row.
            call: The connector's method, bound.
            inside: Finds the error an answer carries item by item that speaks for the whole vendor.
        """
        began = self._clock.monotonic()
        if self._stopping() or not self.gate.admit(target.lane, began):
            return None
        probe = self.gate.probing
        started_at = moments.now(self._clock)
        reported = False
        error: ConnectorError | None = None
        value: T | None = None
        try:
            with spending(target.priority) if target.priority is not None else nullcontext():
                value = await call()
            spoken = inside(value) if inside else None
            self._report(target, spoken)
            reported = True
        except ConnectorError as raised:
            error = raised
            self._report(target, error)
            reported = True
        finally:
            if not reported:
                # Cancelled, or a bug in the connector: the call says nothing about the vendor.
                self.gate.breaker.withdraw()
        duration_us = round((self._clock.monotonic() - began) * 1_000_000)
        return Called(value, error, self._attempt(target, error, started_at, duration_us), probe)

    def _report(self, target: Target, error: ConnectorError | None) -> None:
        now = self._clock.monotonic()
        waited = self.gate.waited_s
        changed = self.gate.report(target.lane, error, now)
        if isinstance(error, RateLimited):
            self._telemetry.rate_limit_wait(self.account, self.gate.waited_s - waited)
            _log.info("lane.held", account=self.account, lane=target.lane, seconds=self._held_s(target, error))
        if isinstance(error, AuthFailed):
            self._accounts.hold(self.account, f"{error.reason.value}: {error.message}")
        if changed:
            self._accounts.note_circuit(self.account, self.gate.breaker.circuit)
            self._telemetry.circuit(self.account, is_open=self.gate.probing)
        self._long_outage(now)

    def _held_s(self, target: Target, error: RateLimited) -> float:
        return round(refusal_hold_s(error.retry_after_s, self.gate.lane(target.lane).bare_refusals), 3)

    def _long_outage(self, now: float) -> None:
        """Half a day without one good call is for a person; five days stop the account."""
        failing_s = self.gate.breaker.failing_for_s(now)
        if failing_s >= DISABLE_AFTER_S:
            self._accounts.hold(self.account, "every call has failed for five days")
        elif failing_s >= ALERT_AFTER_S and not self._alerted:
            self._alerted = True
            _log.error("account.failing_long", account=self.account, hours=round(failing_s / 3_600.0, 1))
        elif failing_s == 0.0:
            self._alerted = False

    def _attempt(self, target: Target, error: ConnectorError | None, started_at: int, duration_us: int) -> Attempt:
        outcome = "ok" if error is None else _outcome(error)
        self._telemetry.attempt(self.account, target.direction, target.kind, outcome)
        return Attempt(
            account=self.account,
            direction=target.direction,
            kind=target.kind,
            target=target.what,
            started_at=started_at,
            duration_us=duration_us,
            outcome=outcome,
            code="" if error is None else error.code,
            status=None if error is None else error.status,
            correlation_id=None if error is None else error.correlation_id,
            reference=target.reference,
        )


_OUTCOMES = {
    "Transient": "transient",
    "RateLimited": "rate_limited",
    "AuthFailed": "auth_failed",
    "Rejected": "rejected",
    "TargetMissing": "target_missing",
    "InDoubt": "in_doubt",
    "Conflict": "conflict",
}


def _outcome(error: ConnectorError) -> str:
    return _OUTCOMES.get(type(error).__name__, "failed")
