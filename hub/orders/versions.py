"""Which of two states of one thing is newer. Vendors give instants, numbers, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation


def compare(new: str, stored: str) -> int:
    """-1 when `new` is older than `stored`, 0 when equal, 1 when newer.

    Numbers compare as numbers, instants as instants, whatever their notation, and numbers with dots between
    them (a partner's files: when, which file, which set) part by part. Where the two
    cannot be compared (one is missing, or of another kind) the one that arrived later counts as
    newer: refusing it would lose a change for ever, while a repeat is corrected by the next one.
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
    if e is not None and f is not None:
        return (e > f) - (e < f)
    return 1


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


def _dotted(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    return tuple(map(int, parts)) if len(parts) > 2 and all(map(str.isdecimal, parts)) else None
