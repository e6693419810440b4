"""Instants as vendors write them: ISO 8601 in any precision, with an offset or meant as UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def read_instant(value: object) -> datetime | None:
    """An aware instant in UTC from an ISO 8601 text; None for anything else. Without an offset it is taken as UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        # An empty date with an offset (0001-01-01T00:00:00+02:00) lies before everything UTC can count.
        return None


def from_epoch(seconds: float) -> datetime | None:
    """The instant this many seconds after 1970; None beyond the years a date can have."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def write_millis(at: datetime) -> str:
    """UTC with milliseconds, rounded down: `2026-05-15T08:25:43.511Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
