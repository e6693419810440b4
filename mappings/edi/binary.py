"""Segments that carry binary data: BIN (length, data) and BDS (filter, length, data).

The data may hold any byte, separators included, so its end is found by counting.
Source: ASC X12 005010, segments BIN and BDS; element 784 is the length in bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mappings.edi.model import Separators

_FIELDS_BEFORE_DATA = {b"BIN": 2, b"BDS": 3}
_HEAD_MAX = 64


def end_of_data(raw: bytes, start: int, separators: Separators) -> int | None:
    """Where the data of a binary segment starting at `start` ends; None when it is none or its length is no number.

    The answer may lie beyond `raw` when not all of the data is there.
    """
    begin = begin_of_data(raw, start, separators)
    return None if begin is None else begin[0] + begin[1]


def begin_of_data(raw: bytes, start: int, separators: Separators) -> tuple[int, int] | None:
    """Where the data begins and how many bytes it says it has."""
    if separators.release is not None:
        return None
    fields = _FIELDS_BEFORE_DATA.get(raw[start : start + 3])
    if fields is None:
        return None
    mark = separators.element.encode("latin-1")
    position = start
    for _ in range(fields):
        found = raw.find(mark, position, start + _HEAD_MAX)
        if found < 0:
            return None
        before, position = raw[position:found], found + 1
    return (position, int(before)) if before.isdigit() else None
