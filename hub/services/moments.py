"""Instants as rows keep them: microseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.sdk.ports import Clock
from hub.ports.store import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
SECOND: Micros = 1_000_000


def micros(moment: datetime) -> Micros:
    """From an aware datetime; exact, no float on the way."""
    return (moment - _EPOCH) // _TICK


def moment(at: Micros) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def now(clock: Clock) -> Micros:
    return micros(clock.now())


def after(at: Micros, seconds: float) -> Micros:
    """`seconds` later than `at`."""
    return at + round(seconds * SECOND)


def seconds_between(earlier: Micros, later: Micros) -> float:
    """Never negative: a clock that was set back shows as no time at all."""
    return max(0.0, (later - earlier) / SECOND)
