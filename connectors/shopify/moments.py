"""Instants in the spelling Shopify's search syntax and our cursors use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def text(at: datetime) -> str:
    """Whole seconds, UTC, rounded down: Shopify's timestamps have no fractions."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def read(value: Any) -> datetime | None:
    """An aware instant, or None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def since_filter(at: datetime) -> str:
    """Everything changed at that second or later, in search syntax."""
    return f"updated_at:>='{text(at)}'"
