"""Files of purchase orders for `trunkline purchase-orders import`: CSV with a row per line, or JSONL."""

from __future__ import annotations

import argparse

from hub.commands.common import Json, quantity
from hub.commands.statements import Blame, Form, Stated

_ORDER = ("number", "supplier", "supplier_name", "location", "currency", "expected_at", "note")
_LINE = ("line", "sku", "supplier_sku", "gtin", "title", "quantity", "uom", "eaches_per_unit", "unit_cost")
COLUMNS = (*_ORDER, *_LINE)
_NEEDED = frozenset({"number", "supplier", "location", "sku", "quantity"})
_COUNTS = ("quantity", "eaches_per_unit")


def _row(number: int, cells: dict[str, str], orders: Stated, blame: Blame) -> None:
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


FORM = Form("importing purchase orders", COLUMNS, _NEEDED, "number", _row)
