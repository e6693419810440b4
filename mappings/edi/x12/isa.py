"""The interchange header: which separators it declares, and whether it can be believed.

Source: ASC X12.5, interchange control structure. ISA has 16 elements of fixed width, 106 bytes with its
terminator; the separators are the bytes at fixed places. Headers with trimmed or widened elements occur
in practice, so they are read by counting separators, and said to be of the wrong width.
"""

from __future__ import annotations

from typing import NamedTuple

from mappings.edi.locating import BLANK
from mappings.edi.model import Separators
from mappings.edi.window import Window

WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
LENGTH = 106
SEPARATOR_AT = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_COMPONENT_AT, _TERMINATOR_AT, _REPETITION_AT = 104, 105, 82
LONGEST = 512
"""Bytes a tolerated header may have, what follows it up to the next tag included."""
_NEXT_TAGS = (b"GS", b"TA1", b"IEA", b"ISB", b"ST")
REPETITION_SINCE = "00402"


class Header(NamedTuple):
    """`size` is the header's bytes, terminator included; `elements` are as received, line ends taken out."""

    separators: Separators
    elements: list[str]
    size: int
    exact: bool


def begins(window: Window, at: int) -> bool:
    """Whether a header of exact width stands at an offset; cheap, and never true of text by chance."""
    window.ensure(at + LENGTH)
    raw = window.slice(at, at + LENGTH)
    return _exact(raw)


def _exact(raw: bytes) -> bool:
    if len(raw) < LENGTH or raw[:3] != b"ISA":
        return False
    mark = raw[3]
    return (
        not (_wordlike(mark) or mark in BLANK)
        and all(raw[at] == mark for at in SEPARATOR_AT)
        and raw.count(mark, 0, LENGTH) == 16
    )


def read(raw: bytes) -> Header | None:
    """The header that `raw` begins with; None when no sixteen elements can be made out."""
    if _exact(raw) and raw[_COMPONENT_AT] not in BLANK:
        terminator = _terminator(raw[_TERMINATOR_AT:])
        if terminator and not _wordlike(terminator[0]) and terminator != b" ":
            return _header(raw, _COMPONENT_AT, terminator, _TERMINATOR_AT, exact=True)
    return _tolerant(raw[:LONGEST])


def _tolerant(raw: bytes) -> Header | None:
    """Count sixteen separators; component separator and terminator stand before the next segment's tag."""
    if raw[:3] != b"ISA" or len(raw) < 4 or _wordlike(raw[3]) or raw[3] in BLANK:
        return None
    mark = raw[3:4]
    at = 2
    for _ in range(16):
        at = raw.find(mark, at + 1)
        if at < 0:
            return None
    component = at + 1
    follows = [found for tag in _NEXT_TAGS if (found := raw.find(tag + mark, component + 1)) >= 0]
    stop = min(follows, default=len(raw))
    between = raw[component + 1 : stop]
    start = component + 1 + len(between) - len(between.lstrip(b" \t\0"))
    terminator = _terminator(raw[start:stop])
    if component >= len(raw) or raw[component] in BLANK or not terminator or _wordlike(terminator[0]):
        return None
    return _header(raw, component, terminator, start, exact=False)


def _header(raw: bytes, component_at: int, terminator: bytes, at: int, *, exact: bool) -> Header:
    text = raw[: component_at + 1].decode("latin-1")
    if terminator not in {b"\n", b"\r"}:
        text = text.replace("\r", "").replace("\n", "")
    mark = text[3]
    elements = text.split(mark, 16)[1:]
    component = raw[component_at : component_at + 1].decode("latin-1")
    separators = Separators(
        element=mark,
        component=component,
        segment=_decoded(terminator),
        repetition=_repetition(elements, mark, component, terminator),
        segment_bytes=terminator,
    )
    return Header(separators, elements, at + len(terminator), exact)


def _repetition(elements: list[str], mark: str, component: str, terminator: bytes) -> str | None:
    """ISA11 separates repetitions from version 00402 on, unless it is a letter, a digit or blank."""
    given, version = elements[10], elements[11].strip()
    usable = len(given) == 1 and not given.isalnum() and not given.isspace() and given not in {mark, component}
    if not usable or given.encode("latin-1") == terminator or version < REPETITION_SINCE:
        return None
    return given


def _terminator(raw: bytes) -> bytes:
    """The terminator at the start of `raw`: one byte, or one character of UTF-8."""
    if not raw or raw[0] < 0x80:
        return raw[:1]
    for size in (2, 3, 4):
        try:
            raw[:size].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return raw[:size]
    return raw[:1]


def _decoded(terminator: bytes) -> str:
    try:
        return terminator.decode("utf-8")
    except UnicodeDecodeError:
        return terminator.decode("latin-1")


def _wordlike(byte: int) -> bool:
    """Letters, digits and the blank separate nothing."""
    return (byte < 0x80 and chr(byte).isalnum()) or byte == 0x20
