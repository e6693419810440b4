"""What we answer a partner about its order: line by line, from what allocation decided. Pure.

A substitute is never invented and a date never promised: a line is taken, taken in part, backordered or refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from canonical import EACHES_PER_UNIT
from hub.orders.deal import ACCEPTED, Amendment, find_line
from hub.ports.store import Allocation, OrderRow

Json = dict[str, Any]
Kill = Literal["none", "line", "order"]

UNKNOWN_ARTICLE: Final = "unknown_article"
OUT_OF_STOCK: Final = "out_of_stock"
ORDER_NOT_WHOLE: Final = "order_not_whole"
_CHANGED: Final = {"quantity": "quantity_changed", "price": "price_changed", "date": "rescheduled", "remove": "deleted"}


class Part(NamedTuple):
    """What becomes of some units of one line; a line's parts add up to what was ordered."""

    status: str
    quantity: int
    reason: str = ""
    """why it is rejected, for partners that have a code for each"""


class Line(NamedTuple):
    """A line to be decided. Quantities in eaches; `unit` is how many of them the ordered unit holds."""

    id: str
    quantity: int
    cancelled: int
    known: bool
    short: int
    unit: int = 1


def lines_of(row: OrderRow, document: Mapping[str, Any], short: Mapping[str, int]) -> list[Line]:
    """The order's lines as allocation left them; one without a place is an article nobody here knows."""
    placed = {allocation.line_id for allocation in row.allocations}
    return [
        Line(
            line["id"],
            line["quantity"],
            line.get("cancelled_quantity", 0),
            line["id"] in placed or line.get("cancelled_quantity", 0) >= line["quantity"],
            short.get(line["id"], 0),
            eaches_per_unit(line),
        )
        for line in document["lines"]
    ]


def eaches_per_unit(line: Mapping[str, Any]) -> int:
    """How many eaches the unit holds in which the partner ordered the line."""
    stated = (line.get("properties") or {}).get("eaches_per_unit")
    return int(stated or EACHES_PER_UNIT.get(line.get("uom") or "EA") or 1)


def decide(lines: Sequence[Line], kill: Kill) -> dict[str, tuple[Part, ...]]:
    """Decisions by line id. `kill`: `line` takes a line whole or not at all, `order` the whole order."""
    found = {line.id: _parts(line, whole=kill != "none") for line in lines}
    if kill == "order" and not all(_taken_whole(parts) for parts in found.values()):
        return {line.id: _refused(line, found[line.id]) for line in lines}
    return found


def withdrawn(lines: Sequence[Line]) -> dict[str, tuple[Part, ...]]:
    """The same of an order that was taken back before it was answered."""
    return {line.id: (Part("deleted", line.quantity),) for line in lines}


def _parts(line: Line, *, whole: bool) -> tuple[Part, ...]:
    open_units = max(0, line.quantity - line.cancelled)
    deleted = (Part("deleted", line.quantity - open_units),) if line.cancelled else ()
    if not line.known:
        return (Part("rejected", line.quantity, UNKNOWN_ARTICLE),)
    if not open_units:
        return deleted or (Part(ACCEPTED, 0),)
    there = max(0, open_units - line.short) // line.unit * line.unit
    if there == open_units:
        return (Part(ACCEPTED, there), *deleted)
    if whole:
        return (Part("rejected", open_units, OUT_OF_STOCK), *deleted)
    accepted = (Part(ACCEPTED, there),) if there else ()
    return (*accepted, Part("backordered", open_units - there), *deleted)


def _refused(line: Line, parts: Sequence[Part]) -> tuple[Part, ...]:
    """A line of an order refused whole, by its own fault or that of another."""
    own = next((part.reason for part in parts if part.reason), ORDER_NOT_WHOLE)
    return (Part("rejected", line.quantity, own),)


def _taken_whole(parts: Sequence[Part]) -> bool:
    return all(part.status in {ACCEPTED, "deleted"} for part in parts)


def refused_units(decisions: Mapping[str, Sequence[Part]]) -> dict[str, int]:
    """Units of each line that we refuse and so hold no longer."""
    sums = {
        name: sum(part.quantity for part in parts if part.status == "rejected") for name, parts in decisions.items()
    }
    return {name: units for name, units in sums.items() if units}


def state_of(decisions: Mapping[str, Sequence[Part]]) -> str:
    """What the answer says of the order as a whole."""
    statuses = {part.status for parts in decisions.values() for part in parts}
    if statuses <= {ACCEPTED}:
        return "accepted"
    return "rejected" if statuses <= {"rejected", "deleted"} and statuses else "accepted_with_changes"


def shortage(row: OrderRow, available: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Ordered units of each line that are not there: the stock missing where it stands, given to its lines in order."""
    missing = {key: max(0, -units) for key, units in available.items()}
    found: dict[str, int] = {}
    # Lines placed last took what was left, so they miss what is missing.
    for allocation in reversed(row.allocations):
        units = _short_of(allocation, missing)
        if units:
            found[allocation.line_id] = units
    return found


def _short_of(allocation: Allocation, missing: dict[tuple[str, str], int]) -> int:
    units = 0
    for sku, location, each in allocation.parts:
        lacking = min(missing.get((sku, location), 0), allocation.reserved * each)
        units = max(units, -(-lacking // each))
        missing[sku, location] = missing.get((sku, location), 0) - lacking
    return units


def answer_lines(document: Mapping[str, Any], decisions: Mapping[str, Sequence[Part]]) -> list[Json]:
    """Lines of an order_acknowledgement: the partner's own, to be echoed, each with its decisions."""
    return [_answered(line, [_told(part) for part in decisions[line["id"]]]) for line in document["lines"]]


def change_lines(document: Mapping[str, Any], amendment: Amendment) -> list[Json]:
    """Lines of the answer to a change: what the line is now, and whether the change was made."""
    told: list[Json] = []
    for change, verdict in zip(amendment.lines, amendment.verdicts, strict=True):
        line = find_line(document["lines"], change) or _unknown(change)
        status = _CHANGED.get(change["change"], ACCEPTED) if verdict == ACCEPTED else "rejected"
        # What is refused is the change; what the line holds now stands beside it.
        answered = _answered(line, [{"status": status, "quantity": line["quantity"], "uom": "EA"}])
        answered["properties"] |= _asked(change) | {"verdict": verdict}
        told.append(answered)
    return told


def _asked(change: Mapping[str, Any]) -> Json:
    """What the partner asked for, in our word and its own."""
    asked = {"change": change["change"]} if change["change"] != "unknown" else {}
    return asked | ({"change_raw": change["change_raw"]} if change.get("change_raw") else {})


def change_state(amendment: Amendment) -> str:
    verdicts = set(amendment.verdicts)
    if verdicts <= {ACCEPTED}:
        return "accepted"
    return "accepted_with_changes" if ACCEPTED in verdicts else "rejected"


def whole_lines(document: Mapping[str, Any], status: str) -> list[Json]:
    """The same for every line of an order: what becomes of its being taken back or stated anew."""
    return [
        _answered(line, [{"status": status, "quantity": line["quantity"], "uom": "EA"}]) for line in document["lines"]
    ]


def _unknown(change: Mapping[str, Any]) -> Json:
    names = ("id", "channel_sku", "gtin", "uom", "unit_price", "properties")
    return {name: change.get(name) for name in names} | {"quantity": change.get("quantity") or 0}


def _told(part: Part) -> Json:
    told = {"status": part.status, "quantity": part.quantity, "uom": "EA"}
    return told | ({"status_raw": part.reason} if part.reason else {})


def _answered(line: Mapping[str, Any], acknowledged: list[Json]) -> Json:
    return {
        "number": line["id"],
        "sku": line.get("sku"),
        "channel_sku": line.get("channel_sku"),
        "gtin": line.get("gtin"),
        "title": line.get("title"),
        "quantity": line["quantity"],
        "uom": "EA",
        "unit_cost": line.get("unit_price"),
        "price_uom": line.get("price_uom"),
        "acknowledged": acknowledged,
        "properties": echoed(line),
    }


def echoed(line: Mapping[str, Any]) -> Json:
    """Properties a partner gets back: its ids in its order, its unit, its price basis."""
    stated = line.get("properties") or {}
    found: Json = {name: stated[name] for name in ("ids", "price_basis") if stated.get(name)}
    found["uom_stated"] = stated.get("uom_stated") or line.get("uom") or "EA"
    unit = eaches_per_unit(line)
    return found | ({"eaches_per_unit": unit} if unit > 1 else {})
