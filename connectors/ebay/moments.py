"""Instants in the spelling of eBay's filters, cursors and Post-Order bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime


def text(at: datetime) -> str:
    """UTC with milliseconds, rounded down: `2026-05-15T08:25:43.511Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(value: object) -> datetime | None:
    """An aware instant, from a text or Post-Order's `{"value": text}`; None for anything else."""
    if isinstance(value, Mapping):
        value = value.get("value")
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
