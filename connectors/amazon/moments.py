"""Instants in the spelling of Amazon's parameters and payloads."""

from __future__ import annotations

from datetime import UTC, datetime


def text(at: datetime) -> str:
    """UTC with milliseconds, rounded down: `2026-05-15T08:25:43.511Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(value: object) -> datetime | None:
    """An aware instant with any precision; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
