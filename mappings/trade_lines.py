"""Functions for lines of trade: ids of an EDIFACT line, and lines shared out over a retailer's stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from mappings.arithmetic import decimal_of, text_of
from mappings.trade import element, listed, objects


def articles(line: Any = None, further: Any = None) -> dict[str, str] | None:
    """Ids by qualifier of an EDIFACT line: LIN's own number and those of its PIA segments."""
    stated = [each.get("03") for each in objects(line)[:1]]
    stated += [each.get(f"{at:02d}") for each in objects(further) for at in range(2, 7)]
    found: dict[str, str] = {}
    for each in stated:
        if number := element(each, "01"):
            found.setdefault(element(each, "02") or "EN", number)
    return found or None


def places(loops: Any = None) -> list[dict[str, str]] | None:
    """Places and their quantities of an EDIFACT line split over stores (LOC and QTY), in stated units."""
    found = [
        {"location_id": place, "quantity": quantity}
        for loop in objects(loops)
        for where, much in zip(objects(loop.get("LOC"))[:1], objects(loop.get("QTY"))[:1], strict=False)
        if (place := element(where.get("02"), "01")) and (quantity := element(much.get("01"), "02"))
    ]
    return found or None


def allocations(segments: Any = None) -> list[dict[str, str]] | None:
    """Stores and their quantities from SDQ, in stated units: up to ten pairs in a segment from element 03 on."""
    found = [
        {"location_id": store, "quantity": quantity}
        for segment in objects(segments)
        for at in range(3, 23, 2)
        if (store := element(segment, f"{at:02d}")) and (quantity := element(segment, f"{at + 1:02d}"))
    ]
    return found or None


def stores(lines: Any = None, mode: Any = None) -> list[dict[str, str]]:
    """One item per order to make: where the partner explodes SDQ the stores of all lines, and one without a store for
    lines that name none; else one without a store."""
    if mode != "explode":
        return [{}]
    shares = [allocations(line.get("SDQ")) or () for line in objects(lines)]
    names = dict.fromkeys(each["location_id"] for share in shares for each in share)
    found = [{"store": name} for name in names]
    return found if found and all(shares) else [*found, {}]


def lines_for(lines: Any = None, store: Any = None, mode: Any = None) -> list[Any]:
    """Lines of an order; for a store those allocated to it, with its quantity as the ordered one.

    Args:
        mode: `explode` leaves to the order without a store the lines that name none.
    """
    if store is not None:
        return list(_of_store(objects(lines), store))
    return [line for line in objects(lines) if not allocations(line.get("SDQ"))] if mode == "explode" else listed(lines)


def _of_store(lines: list[dict[str, Any]], store: str) -> Iterator[dict[str, Any]]:
    for line in lines:
        shares = [each["quantity"] for each in allocations(line.get("SDQ")) or () if each["location_id"] == store]
        if shares and line.get("PO1").__class__ is dict:
            head = {**line["PO1"], "02": text_of(sum((decimal_of(share) for share in shares), Decimal()))}
            yield {**{name: value for name, value in line.items() if name != "SDQ"}, "PO1": head}


LINE_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {"articles": articles, "places": places, "allocations": allocations, "stores": stores, "lines_for": lines_for}
)
"""By the name after `$`."""
