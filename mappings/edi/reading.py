"""Reading: interchanges of both syntaxes out of one source, whatever lies between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from mappings.edi.cursor import SPAN_MAX
from mappings.edi.edifact.reading import interchange_at as edifact_at
from mappings.edi.locating import BLANK
from mappings.edi.model import Interchange
from mappings.edi.problems import VALUE_MAX, Code, Level, Problem
from mappings.edi.seen import SeenNumbers
from mappings.edi.traversal import Traversal
from mappings.edi.window import Window
from mappings.edi.x12.reading import interchange_at as x12_at

_BEGINNING = re.compile(rb"ISA[^0-9A-Za-z \r\n]|UNA(?s:.{6})[ \t\r\n]*U[\r\n]*N[\r\n]*B|UNB[^0-9A-Za-z \r\n]")
_LOOKBACK = 32
"""Bytes at the end of what is in memory that could begin a header cut in two."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SET = re.compile(rb"(?<![0-9A-Za-z])(?:(ST)([^0-9A-Za-z\s])\d{3}\2|(UNH)[^0-9A-Za-z\s])")
"""Where a set begins among bytes that no header introduces."""


def read(source: bytes | BinaryIO) -> Iterator[Interchange]:
    """Interchanges in order; nothing when there is none. Never raises over content.

    One pass: taking the next interchange finishes the one before, and only then are its `problems`
    complete. A file is read by chunks and memory does not grow with it. All work is done in the
    caller's thread while iterating; run it in a thread of its own when the source is large.
    """
    window = Window(source)
    position = 0
    last: tuple[Interchange, Traversal] | None = None
    numbers = SeenNumbers()
    while True:
        lead, let_go, opened = _next(window, position)
        if last is not None:
            _follow(last, lead, let_go, position)
            lead, let_go = b"", 0
        if opened is None:
            return
        interchange = opened[0]
        if lead or let_go:
            interchange.lead = lead
            interchange.lossless = not let_go
            _tell_outside(interchange, lead, let_go, position)
        parties = (interchange.sender, interchange.receiver, interchange.control, interchange.test)
        if numbers.again(repr(parties)):
            text = f"interchange {interchange.control} comes twice in this file"
            interchange.problems.append(
                Problem(Code.INTERCHANGE_DUPLICATE, Level.INTERCHANGE, text, value=interchange.control)
            )
        yield interchange
        for group in interchange.groups:
            for _ in group.sets:
                pass
        last, position = opened, opened[1].cursor.done


def _next(window: Window, position: int) -> tuple[bytes, int, tuple[Interchange, Traversal] | None]:
    """What stands before the next interchange, how much of it was let go, and the interchange."""
    window.keep = begin = position
    let_go, scan = 0, position
    while True:
        match = _BEGINNING.search(window.data, scan - window.base)
        if match is not None:
            start = match.start() + window.base
            opened = (x12_at if match[0].startswith(b"I") else edifact_at)(window, start)
            if opened is not None:
                lead = window.slice(begin, start)
                window.keep = opened[1].cursor.done
                return lead, let_go, opened
            scan = start + 1
            continue
        scan = max(scan, window.end - _LOOKBACK)
        if scan - begin > SPAN_MAX:
            let_go += scan - begin
            begin = window.keep = scan
        if not window.more():
            return window.slice(begin, window.end), let_go, None


def _follow(last: tuple[Interchange, Traversal], trail: bytes, let_go: int, position: int) -> None:
    """Bytes behind an interchange belong to its last piece."""
    interchange, traversal = last
    traversal.keep(trail)
    traversal.settle()
    interchange.lossless = interchange.lossless and not let_go
    _tell_outside(interchange, trail, let_go, position)


def _tell_outside(interchange: Interchange, stray: bytes, let_go: int, position: int) -> None:
    rest = stray.removeprefix(_BYTE_ORDER_MARK).strip(BLANK)
    if rest or let_go:
        text = f"{len(rest) + let_go} bytes outside any interchange"
        value, tag = rest[:VALUE_MAX].decode("latin-1"), None
        if (found := _SET.search(rest)) is not None:
            tag = "ST" if found[1] else "UNH"
            text += ", sets among them"
        interchange.problems.append(
            Problem(Code.DATA_OUTSIDE, Level.INTERCHANGE, text, tag=tag, value=value, offset=position)
        )
