"""When a stated day is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hub.ports.store import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_NO_DAY = "9999-12-31"


def due_at(text: str) -> Micros:
    """A canonical day or instant in microseconds since the epoch: a day lasts to its end, UTC.

    Raises:
        ValueError: neither, or an instant without an offset.
        OverflowError: the last day of the calendar has no end.
    """
    if len(text) == 10:
        moment = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    else:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"{text!r} has no offset")
    return (moment - _EPOCH) // _TICK


def told_for(text: str | None) -> Micros | None:
    """The same of what somebody told us. The last day of the calendar is how systems write that there is none."""
    return None if text is None or text.startswith(_NO_DAY) else due_at(text)
