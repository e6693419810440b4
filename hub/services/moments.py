"""Instants as rows keep them: microseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from canonical import instant_of
from connectors.sdk.ports import Clock
from hub.ports.store import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
SECOND: Micros = 1_000_000
_A_DAY_EVERYWHERE = timedelta(hours=36)
"""From a date's first moment in UTC until that day has ended in the last time zone."""


def micros(moment: datetime) -> Micros:
    """From an aware datetime; exact, no float on the way."""
    return (moment - _EPOCH) // _TICK


def happened(value: date | None, received_at: Micros) -> Micros | None:
    """When something took effect. Of a mere date: when it was told, at the latest when that day was over everywhere.

    A count of the same day must not swallow what left or arrived after it, as the first moment of the day would; nor
    may what moved earlier that day be taken for later than a count that states no hour.
    """
    if value is None or isinstance(value, datetime):
        return None if value is None else micros(value)
    return min(received_at, micros(instant_of(value) + _A_DAY_EVERYWHERE))


def moment(at: Micros) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def stated(text: str, zone: tzinfo | None = None) -> datetime:
    """The instant an ISO 8601 text states, in UTC. `zone` is that of a text without an offset; None refuses it.

    Raises:
        ValueError: No such text, no offset, or outside the years 1 to 9999 once in UTC, where a stored
            instant could never be shown again.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text!r} has no offset")
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


def now(clock: Clock) -> Micros:
    return micros(clock.now())


def after(at: Micros, seconds: float) -> Micros:
    """`seconds` later than `at`."""
    return at + round(seconds * SECOND)


def seconds_between(earlier: Micros, later: Micros) -> float:
    """Never negative: a clock that was set back shows as no time at all."""
    return max(0.0, (later - earlier) / SECOND)
