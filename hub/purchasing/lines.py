"""Which line of our order a line of somebody's document is about, and what it counts in eaches.

Works on the stored JSON of the order's lines. An answer repeats our line numbers and is taken at its word, unless the
article it names is another line's: who leaves the numbers out counts the lines of the answer. Ship notices, invoices
and receipts often number their own lines, so there the article decides and the number only between equals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from canonical.quantities import UnknownUnit, eaches
from hub.purchasing.told import ANSWER, ToldLine

Json = Mapping[str, Any]


def lines_for(
    lines: Sequence[Json], told: ToldLine, kind: str, substitutes: Mapping[str, frozenset[str]]
) -> list[Json]:
    """The line of ours; several where an article stands on several and no number tells which; none for strangers.

    Args:
        substitutes: By line number, ids of what the supplier said comes instead.
    """
    numbered = [line for line in lines if told.number is not None and _number(line["number"]) == _number(told.number)]
    same = [line for line in lines if _is_about(line, told, substitutes)]
    if kind == ANSWER:
        if numbered and (numbered[0] in same or not same or _substitutes(told)):
            return numbered[:1]
        return same[:1]
    if same:
        return [line for line in same if line in numbered][:1] or same
    nameless = not told.items and told.gtin is None
    return numbered[:1] if nameless else []


def _substitutes(told: ToldLine) -> bool:
    return any(part.status == "substituted" for part in told.parts)


def _is_about(line: Json, told: ToldLine, substitutes: Mapping[str, frozenset[str]]) -> bool:
    if told.sku is not None and told.sku == line.get("sku"):
        return True
    if told.gtin is not None and line.get("gtin") and _bare(told.gtin) == _bare(line["gtin"]):
        return True
    names = {line.get(name) for name in ("sku", "supplier_sku", "channel_sku")} - {None}
    return bool((names | substitutes.get(line["number"], frozenset())) & {*told.items})


def _number(text: str) -> str:
    """Partners pad our numbers, or lose their zeros."""
    return text.strip().lstrip("0") or "0"


def _bare(gtin: str) -> str:
    return gtin.lstrip("0")


def count(line: Json, quantity: str | None, uom: str | None, *, instead: bool = False) -> int | None:
    """Eaches of a stated quantity; None where it is not stated or its unit has no size we know.

    Args:
        instead: It is of another article than the line's, whose packs say nothing of it.
    """
    if quantity is None:
        return None
    try:
        return eaches(Decimal(quantity), uom, None if instead else _packs(line))
    except (UnknownUnit, ValueError, InvalidOperation):
        return None


def _packs(line: Json) -> dict[str, int]:
    """Eaches per unit: the article's, and before them the one the line was ordered in."""
    properties = line.get("properties") or {}
    packs = dict(properties.get("packs") or {})
    if properties.get("uom_stated"):
        packs[properties["uom_stated"]] = int(properties["eaches_per_unit"])
    return packs


def wanted(line: Json) -> int:
    """Eaches of a line that we still want: ordered less cancelled."""
    return max(0, int(line["quantity"]) - int(line.get("cancelled_quantity") or 0))
