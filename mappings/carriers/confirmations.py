"""What each channel can be told of a shipment, and what the hub does where it cannot: the contract table as data.

Rows that are not `built` are prepared for channels to come.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).resolve().parent / "confirmations.csv"
_HEADINGS: Final = {
    "channel": "Channel",
    "call": "Told by",
    "one_message_holds": "One message holds",
    "partial": "Part of an order",
    "several_parcels_of_one_line": "Several parcels of one line",
    "untracked": "Untracked",
    "other_carrier": "A carrier it has no name for",
    "correction": "Correction",
    "cancellation": "Taken back",
    "where_it_cannot": "Where it cannot",
}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One row; `no` in a column of abilities means that the channel has no call for it."""

    channel: str
    built: bool
    call: str
    one_message_holds: str
    partial: str
    several_parcels_of_one_line: str
    untracked: str
    other_carrier: str
    correction: str
    cancellation: str
    where_it_cannot: str
    source: str


@cache
def confirmations() -> tuple[Confirmation, ...]:
    """The table, in the order it is shown."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [field.name for field in fields(Confirmation) if field.name != "built"]
    return tuple(Confirmation(built=row["built"] == "yes", **{name: row[name] for name in names}) for row in rows)


def as_markdown() -> str:
    """The table as the page about shipments shows it."""
    lines = ["| " + " | ".join(_HEADINGS.values()) + " |", "|" + "---|" * len(_HEADINGS)]
    for row in confirmations():
        cells = [str(getattr(row, name)) for name in _HEADINGS]
        if not row.built:
            cells[0] += " (prepared)"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
