"""What channels that show a parcel's progress call where it is.

Source: Admin GraphQL 2026-01, FulfillmentEventStatus. Amazon, eBay and Walmart follow parcels by
themselves and are told nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from canonical.codes import Condition, Milestone

_TABLE: Final = Path(__file__).resolve().parent / "milestones.csv"
_STILL_COMING: Final = frozenset({None, "label_created", "picked_up", "in_transit"})
"""Milestones over which a delay is the news; whoever waits at the door knows more than that."""


def progress_word(channel: str, milestone: Milestone | None, condition: Condition | None = None) -> str | None:
    """The channel's word, or null where it has none: then it is told nothing.

    A cancelled parcel has no word, because its fulfilment is cancelled instead.
    """
    table = _table()
    late = table.get((channel, f"+{condition}")) if milestone in _STILL_COMING else None
    return late or table.get((channel, milestone or ""))


@cache
def _table() -> Mapping[tuple[str, str], str]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["channel"], row["state"]): row["word"] for row in csv.DictReader(file)}
