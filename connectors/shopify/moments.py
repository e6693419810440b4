"""Instants in the spelling Shopify's search syntax and our cursors use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.sdk.instants import read_instant


def text(at: datetime) -> str:
    """Whole seconds, UTC, rounded down: Shopify's timestamps have no fractions."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def read(value: Any) -> datetime | None:
    """An aware instant, or None for anything else."""
    return read_instant(value)


def since_filter(at: datetime) -> str:
    """Everything changed at that second or later, in search syntax."""
    return f"updated_at:>='{text(at)}'"
