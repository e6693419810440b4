"""What is on order from suppliers: every way of the match in units, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.console.html import Markup, Piece, table, tag

_WAYS = ("ordered", "acknowledged", "shipped", "received", "invoiced")
_GONE = frozenset({"cancelled", "rejected"})


def purchases(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Nothing at all where nothing has been ordered: many sellers never do."""
    if not rows:
        return Markup("")
    headings = ["Number", "Supplier", "State", "Expected", *(way.capitalize() for way in _WAYS), "Differences"]
    return table("Purchase orders, newest first", headings, [_row(row) for row in rows], empty="")


def _row(row: Mapping[str, Any]) -> list[Piece]:
    differences = row["differences"]
    told = tag("span", len(differences), title="; ".join(differences), class_="bad") if differences else None
    state = tag("span", row["state"], class_="bad") if row["state"] in _GONE else row["state"]
    expected = (row["expected_at"] or "")[:10] or None
    return [tag("strong", row["number"]), row["supplier"], state, expected, *(row[way] for way in _WAYS), told]
