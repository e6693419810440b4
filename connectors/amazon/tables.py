"""Tab-separated reports as rows: by the header's names, in whatever alphabet the store says.

Cells are not quoted. A row with more cells than the header, or none under a name that must be there, is odd: it is
kept as it came, for somebody to look at. Cells missing at the end are empty ones.

Source: developer-docs.amazon.com/sp-api "retrieve a report" (read 2026-11): honour the charset of the download's
Content-Type; reports are not always UTF-8.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

LEGACY: Final = "cp1252"
"""For bytes that are not UTF-8 and whose store names no charset."""

Row = Mapping[str, str]


class NotATable(ValueError):
    """The bytes are no report with a header."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A row that does not fit. `line` is its number in the report, the header being 1."""

    line: int
    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class Table:
    """A report, read. `rows` and `odd` together are every line that is not blank."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)
    odd: tuple[Odd, ...] = ()


def read(content: bytes, content_type: str, required: Collection[str] = ()) -> Table:
    """A report.

    Args:
        content_type: As the store gave it; its charset counts, its type does not.
        required: Columns without which a row says nothing.

    Raises:
        NotATable: No header, or one that lacks a required column: rows could not be told apart from noise.
    """
    lines = decode(content, content_type).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    columns = tuple(name.strip() for name in lines[0].split("\t"))
    if not any(columns):
        raise NotATable("the report has no header")
    lacking = sorted(name for name in required if name not in columns)
    if lacking:
        raise NotATable(f"the report has no column {', '.join(lacking)}")
    rows: list[Row] = []
    odd: list[Odd] = []
    for number, text in enumerate(lines[1:], 2):
        if not text.strip():
            continue
        cells = text.split("\t")
        problem = _problem(cells, columns, required)
        if problem is not None:
            odd.append(Odd(number, text, problem))
            continue
        row: dict[str, str] = {}
        for name, cell in zip(columns, cells, strict=False):
            if name:
                row.setdefault(name, cell.strip())
        rows.append(row)
    return Table(columns, tuple(rows), tuple(odd))


def decode(content: bytes, content_type: str) -> str:
    """The text in the charset its store names, else as UTF-8, else as Windows always wrote it."""
    header = Message()
    header["content-type"] = content_type
    named = header.get_content_charset()
    for charset in (named, "utf-8-sig"):
        if charset is None or not _known(charset):
            continue
        try:
            return content.decode(charset).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return content.decode(LEGACY, "replace")


def _problem(cells: list[str], columns: tuple[str, ...], required: Collection[str]) -> str | None:
    if any(cell.strip() for cell in cells[len(columns) :]):
        return f"{len(cells)} cells under {len(columns)} columns"
    for name in required:
        place = columns.index(name)
        if place >= len(cells) or not cells[place].strip():
            return f"nothing under {name}"
    return None


def _known(charset: str) -> bool:
    try:
        codecs.lookup(charset)
    except LookupError:
        return False
    return True
