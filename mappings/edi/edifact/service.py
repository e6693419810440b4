"""Service characters and character sets of an EDIFACT interchange: UNA, or what UNB implies.

Source: ISO 9735-1:2002 (syntax version 4) and ISO 9735:1988 (versions 1 to 3). UNA is nine characters:
component, element, decimal mark, release, repetition (a space before version 4), terminator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mappings.edi.model import Separators

LONGEST = 1024
"""Bytes UNA and UNB together may have."""

CHARSETS: Mapping[str, str] = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOW": "utf-8",
    "UNOX": "utf-8",
    "UNOY": "utf-8",
}
"""Syntax identifier to encoding; one that is not listed (IATB) is read as ASCII."""

_VERSION_WITH_REPETITION = "4"
_CONTROL_SET = ("\x1d", "\x1f", "\x1c")
"""Element, component and terminator of level B, for lines that carry control characters (ISO 9735:1988, 7.2)."""


class Service(NamedTuple):
    """`una` is its nine bytes or none; `header_at` is where UNB begins behind it."""

    separators: Separators
    una: bytes
    header_at: int


def read(raw: bytes) -> Service | None:
    """The service characters of an interchange that `raw` begins with; None when it begins with neither UNA nor UNB."""
    if raw[:3] == b"UNA":
        return _advised(raw)
    return _implied(raw)


def _advised(raw: bytes) -> Service | None:
    if len(raw) < 9:
        return None
    component, element, decimal, release, repetition, segment = tuple(raw[3:9].decode("latin-1"))
    marks = (component, element, segment)
    if (
        any(mark.isalnum() or mark == " " for mark in marks)
        or component.isspace()
        or element.isspace()
        or len(set(marks)) < len(marks)
    ):
        return None
    at = 9
    while at < len(raw) and raw[at] in b" \t\r\n":
        at += 1
    return Service(
        Separators(
            element=element,
            component=component,
            segment=segment,
            repetition=_mark(repetition, marks),
            release=_mark(release, marks),
            decimal=decimal,
        ),
        raw[:9],
        at,
    )


def _mark(given: str, others: tuple[str, ...]) -> str | None:
    """A character that may be declared unused with a space."""
    return None if given.isalnum() or given.isspace() or given in others else given


def _implied(raw: bytes) -> Service | None:
    text = raw[:LONGEST].decode("latin-1").replace("\r", "").replace("\n", "")
    if text[:3] != "UNB" or len(text) < 9 or not text[4:8].isalpha():
        return None
    element, component = text[3], text[8]
    if element == component or any(mark.isalnum() or mark.isspace() for mark in (element, component)):
        return None
    if element == _CONTROL_SET[0]:
        segment, release = _CONTROL_SET[2], None
    else:
        segment, release = _terminator(raw[:LONGEST]), "?"
    repetition = "*" if text[9:10] == _VERSION_WITH_REPETITION and "*" not in (element, component, segment) else None
    return Service(Separators(element, component, segment, repetition, release), b"", 0)


def _terminator(raw: bytes) -> str:
    """An apostrophe; a line end for files whose sender put one segment on a line instead."""
    line_end = raw.find(b"\n")
    apostrophe = raw.find(b"'")
    following = raw[line_end + 1 : line_end + 4]
    if line_end > 0 and (apostrophe < 0 or apostrophe > line_end) and following in {b"UNH", b"UNG"}:
        return "\r" if raw[line_end - 1 : line_end] == b"\r" else "\n"
    return "'"
