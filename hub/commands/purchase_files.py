"""Files of purchase orders for `trunkline purchase-orders import`: CSV with a row per line, or JSONL."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from hub.commands.common import EXIT_USAGE, CommandError, Json, plain_cell, quantity

_ORDER = ("number", "supplier", "supplier_name", "location", "currency", "expected_at", "note")
_LINE = ("line", "sku", "supplier_sku", "gtin", "title", "quantity", "uom", "eaches_per_unit", "unit_cost")
COLUMNS = (*_ORDER, *_LINE)
_NEEDED = {"number", "supplier", "location", "sku", "quantity"}
_COUNTS = ("quantity", "eaches_per_unit")
_FAULTS_SHOWN = 5

Blame = Callable[[int, str], None]


def orders_in(name: str, raw: bytes) -> Iterator[tuple[str, Json]]:
    """(where, body) of each order.

    Raises:
        CommandError: The file's form has faults; it is refused whole, every fault by line.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"{name} is not UTF-8 ({error.reason})") from None
    shown = Path(name).name if name != "-" else "standard input"
    faults: list[str] = []
    read = _from_jsonl if text.lstrip().startswith("{") else _from_csv
    found = list(read(text, lambda line, fault: faults.append(f"{shown}:{line}: {fault}")))
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise _refused("; ".join(faults[:_FAULTS_SHOWN]) + more)
    yield from ((f"{shown}:{line}", body) for line, body in found)


def _refused(fault: str) -> CommandError:
    return CommandError(f"importing purchase orders: {fault}", exit_code=EXIT_USAGE)


def _from_jsonl(text: str, blame: Blame) -> Iterator[tuple[int, Json]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            body = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            blame(number, str(error))
            continue
        if isinstance(body, dict) and body.get("number"):
            yield number, body
        else:
            blame(number, "no JSON object with a `number`")


def _from_csv(text: str, blame: Blame) -> Iterator[tuple[int, Json]]:
    reader = csv.DictReader(io.StringIO(text))
    columns = set(reader.fieldnames or ())
    if missing := sorted(_NEEDED - columns):
        blame(1, f"column {', '.join(missing)} missing")
        return
    if unknown := sorted(columns - set(COLUMNS)):
        blame(1, f"unknown column {', '.join(unknown)}; known: {', '.join(COLUMNS)}")
        return
    orders: dict[str, tuple[int, Json]] = {}
    for row in reader:
        cells = {column: plain_cell(cell).strip() for column, cell in row.items() if isinstance(cell, str)}
        if any(cells.values()):
            _row(reader.line_num, {name: cell for name, cell in cells.items() if cell}, orders, blame)
    yield from orders.values()


def _row(number: int, cells: dict[str, str], orders: dict[str, tuple[int, Json]], blame: Blame) -> None:
    if empty := sorted(name for name in ("number", "sku", "quantity") if name not in cells):
        blame(number, f"{', '.join(empty)} must not be empty")
        return
    _, body = orders.setdefault(cells["number"], (number, {"lines": []}))
    for name in _ORDER:
        if name in cells and body.setdefault(name, cells[name]) != cells[name]:
            blame(number, f"{name} is {cells[name]!r} here and {body[name]!r} in an earlier row of this order")
    line: Json = {name: cells[name] for name in _LINE if name in cells}
    if "line" in line:
        line["number"] = line.pop("line")
    try:
        line |= {name: quantity(line[name]) for name in _COUNTS if name in line}
    except argparse.ArgumentTypeError as error:
        blame(number, str(error))
        return
    body["lines"].append(line)
