"""Instants in the spelling of eBay's filters, cursors and Post-Order bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.sdk.instants import read_instant, write_millis


def text(at: datetime) -> str:
    """UTC with milliseconds, rounded down: `2026-05-15T08:25:43.511Z`."""
    return write_millis(at)


def read(value: object) -> datetime | None:
    """An aware instant, from a text or Post-Order's `{"value": text}`; None for anything else."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return read_instant(value)
