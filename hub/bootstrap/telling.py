"""Tells several listeners the same telemetry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.ports.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Both:
    """`Telemetry` that passes everything on, in order."""

    listeners: Sequence[Telemetry]

    def lag(self, account: str, direction: str, seconds: float) -> None:
        for listener in self.listeners:
            listener.lag(account, direction, seconds)

    def attempt(self, account: str, direction: str, kind: str, outcome: str) -> None:
        for listener in self.listeners:
            listener.attempt(account, direction, kind, outcome)

    def rate_limit_wait(self, account: str, seconds: float) -> None:
        for listener in self.listeners:
            listener.rate_limit_wait(account, seconds)

    def duplicates(self, account: str, count: int) -> None:
        for listener in self.listeners:
            listener.duplicates(account, count)

    def rejected(self, account: str, reason: str) -> None:
        for listener in self.listeners:
            listener.rejected(account, reason)

    def oversold(self, account: str, units: int) -> None:
        for listener in self.listeners:
            listener.oversold(account, units)

    def drift(self, account: str, units: int) -> None:
        for listener in self.listeners:
            listener.drift(account, units)

    def replayed(self, account: str, kind: str, outcome: str, count: int) -> None:
        for listener in self.listeners:
            listener.replayed(account, kind, outcome, count)

    def circuit(self, account: str, *, is_open: bool) -> None:
        for listener in self.listeners:
            listener.circuit(account, is_open=is_open)

    def unknown_codes(self, account: str, count: int) -> None:
        for listener in self.listeners:
            listener.unknown_codes(account, count)

    def odd_numbers(self, account: str, count: int) -> None:
        for listener in self.listeners:
            listener.odd_numbers(account, count)
