"""Which of two states of one thing is newer. Vendors give instants, numbers, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation


def compare(new: str, stored: str) -> int:
    """-1 when `new` is older than `stored`, 0 when equal, 1 when newer.

    Numbers compare as numbers, instants as instants, whatever their notation, and what has dots between its
    parts (a partner's files: when, which file, which set) part by part, as far as its parts are numbers.
    Where the two cannot be compared (one is missing, or of another kind) the one that arrived later counts
    as newer: refusing it would lose a change for ever, while a repeat is corrected by the next one.
    """
    if new == stored:
        return 0
    a, b = _number(new), _number(stored)
    if a is not None and b is not None:
        return (a > b) - (a < b)
    c, d = _instant(new), _instant(stored)
    if c is not None and d is not None:
        return (c > d) - (c < d)
    e, f = _dotted(new), _dotted(stored)
    return _by_parts(e, f) if e is not None and f is not None else 1


def _number(text: str) -> Decimal | None:
    if not text or not (text[0].isdigit() or text[0] == "-") or "T" in text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dotted(text: str) -> list[str] | None:
    parts = text.split(".")
    return parts if len(parts) > 2 and parts[0].isdecimal() else None


def _by_parts(new: list[str], stored: list[str]) -> int:
    """A partner may name files and sets by letters (EDIFACT does): those have no order, the time before them has."""
    for one, other in zip(new, stored, strict=False):
        if one == other:
            continue
        if not (one.isdecimal() and other.isdecimal()):
            return 1
        if int(one) != int(other):
            return 1 if int(one) > int(other) else -1
    return (len(new) > len(stored)) - (len(new) < len(stored))
