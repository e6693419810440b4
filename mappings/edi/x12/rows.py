"""A set's bytes as rows of text, one per segment."""

from __future__ import annotations

from mappings.edi import binary
from mappings.edi.locating import spans
from mappings.edi.model import Separators

BLANKS = " \t\r\n\0"


def text_of(raw: bytes) -> tuple[str, bool]:
    """X12 names no encoding: UTF-8 where it is valid, Latin-1 where not. Says also whether it was UTF-8."""
    try:
        return raw.decode("utf-8"), True
    except UnicodeDecodeError:
        return raw.decode("latin-1"), False


def rows_of(raw: bytes, separators: Separators, *, binary_met: bool = False) -> list[str | list[str]]:
    """Every segment that is not empty, blanks around it and line ends inside it taken away.

    A line end inside a segment is a wrapped line unless it is the terminator. A binary segment is a
    list already, its data one text of the same bytes in Latin-1.
    """
    if binary_met:
        return _rows_with_binary(raw, separators)
    text, utf8 = text_of(raw)
    mark = separators.segment if utf8 else separators.segment_bytes.decode("latin-1")
    folded = "\n" in text or "\r" in text
    if folded:
        for line_end in "\r\n":
            if line_end != mark:
                text = text.replace(line_end, "")
    rows: list[str | list[str]] = text.split(mark)  # type: ignore[assignment]
    if not rows[-1]:
        rows.pop()
    # The smallest row tells at once whether any is empty or begins with a blank.
    if rows and (str(min(rows)) < "!" or (folded and f" {mark}" in text)):
        return [row for each in rows if (row := str(each).strip(BLANKS))]
    return rows


def _rows_with_binary(raw: bytes, separators: Separators) -> list[str | list[str]]:
    found: list[str | list[str]] = []
    for start, end in spans(raw, separators):
        data = binary.begin_of_data(raw, start, separators)
        if data is None or sum(data) > end:
            text = text_of(raw[start:end])[0]
            found.append(text if "\n" not in text else text.replace("\r", "").replace("\n", ""))
        else:
            head = raw[start : data[0] - 1].decode("latin-1").split(separators.element)
            found.append([*head, raw[data[0] : end].decode("latin-1")])
    return found
