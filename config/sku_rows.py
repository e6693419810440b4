"""Lines of the catalogue file as columns and cells, whatever its format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from config.faults import suggestion

COLUMNS: Final = ("sku", "gtin", "title", "brand", "tags", "packs", "components", "aliases")
_JSON_SUFFIXES: Final = (".jsonl", ".ndjson", ".json")


class RowFault(Exception):
    """What is wrong with a line or a cell, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


Row = Mapping[str, Any] | RowFault


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """(line, row) pairs; a line that cannot be read is a `RowFault`, and reading goes on where it can."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _json_rows(file) if path.suffix.lower() in _JSON_SUFFIXES else _csv_rows(file)
    except FileNotFoundError:
        yield 0, RowFault("does not exist", "create it, or correct `skus` in the configuration")
    except UnicodeDecodeError:
        yield _undecodable_line(path), RowFault("is not UTF-8 text", "save the file as UTF-8")
    except OSError as error:
        yield 0, RowFault(f"cannot be read ({error.strerror})", "check its path and permissions")


def _undecodable_line(path: Path) -> int:
    """The line that is not UTF-8; the reader itself decodes in blocks and cannot tell."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0


def _csv_rows(file: TextIO) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(file, strict=True)
    header: Sequence[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield line, RowFault(f"is no CSV ({error})", "check the quotes in this line and the ones after it")
            return
        if any(cell.strip() for cell in cells):
            if header is None:
                header = [cell.strip().lower() for cell in cells]
                yield from ((line, fault) for fault in _header_faults(header))
                if "sku" not in header:
                    return
            else:
                yield line, _csv_row(header, cells)
        line = reader.line_num + 1
    if header is None:
        yield 0, RowFault("is empty", f"start it with the line {','.join(COLUMNS)}")


def _header_faults(header: Sequence[str]) -> Iterator[RowFault]:
    for name in header:
        if name not in COLUMNS:
            yield RowFault(f"has an unknown column {name!r}", suggestion(name, COLUMNS))
    if len(set(header)) != len(header):
        yield RowFault("names a column twice", "keep one of them")
    if "sku" not in header:
        yield RowFault("has no column `sku`", f"start the file with {','.join(COLUMNS)}, separated by commas")


def _csv_row(header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells where the first line names {len(header)} columns"
        return RowFault(problem, "quote cells that hold a comma")
    return {name: cell for name, cell in zip(header, cells, strict=True) if name in COLUMNS}


def _json_rows(file: TextIO) -> Iterator[tuple[int, Row]]:
    empty = True
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        empty = False
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield number, RowFault("is no JSON", "write one JSON object per line")
            continue
        if not isinstance(row, dict):
            yield number, RowFault("is no JSON object", "write one JSON object per line")
            continue
        for name in row:
            if name not in COLUMNS:
                yield number, RowFault(f"has an unknown field {name!r}", suggestion(name, COLUMNS))
        yield number, {name: cell for name, cell in row.items() if name in COLUMNS}
    if empty:
        yield 0, RowFault("is empty", 'write lines such as {"sku": "MUG"}')
