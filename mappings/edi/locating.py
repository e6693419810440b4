"""Byte offsets of segments, found again from the raw bytes when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mappings.edi import binary

if TYPE_CHECKING:
    from mappings.edi.model import Separators

BLANK = b" \t\r\n\0"


def spans(raw: bytes, separators: Separators) -> Iterator[tuple[int, int]]:
    """Start and end (terminator excluded) of every segment that is not empty, in order.

    Blanks and line ends around a segment are not part of it. A binary segment is as long as it says.
    """
    mark = separators.segment_bytes
    release = separators.release.encode("latin-1") if separators.release else b""
    position, size = 0, len(raw)
    while position < size:
        start = position
        data_end = binary.end_of_data(raw, _skip(raw, start), separators) or start
        if data_end > size:
            # Not all of the data is there: the length cannot be believed.
            data_end = start
        end = raw.find(mark, data_end)
        while release and end > 0 and _released(raw, end, start, release):
            end = raw.find(mark, end + 1)
        stop = size if end < 0 else end
        first = _skip(raw, start, stop)
        last = max(stop, data_end) if data_end > first else _trim(raw, first, stop)
        if last > first:
            yield first, last
        position = size if end < 0 else end + len(mark)


def offsets(raw: bytes, separators: Separators, base: int) -> list[int]:
    """Offset of every segment that is not empty; `base` is the offset of `raw` itself."""
    return [base + start for start, _ in spans(raw, separators)]


def _skip(raw: bytes, start: int, stop: int | None = None) -> int:
    stop = len(raw) if stop is None else stop
    while start < stop and raw[start] in BLANK:
        start += 1
    return start


def _trim(raw: bytes, start: int, stop: int) -> int:
    while stop > start and raw[stop - 1] in BLANK:
        stop -= 1
    return stop


def _released(raw: bytes, at: int, start: int, release: bytes) -> bool:
    count = 0
    while at - 1 - count >= start and raw[at - 1 - count : at - count] == release:
        count += 1
    return count % 2 == 1
