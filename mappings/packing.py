"""The packing tree of a ship notice: HL levels as packages with what lies in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mappings.trade import element, objects, sscc

_LEVELS: Final = {"S": "shipment", "O": "order", "T": "tare", "P": "pack", "I": "item", "Q": "pack"}
"""HL03. Source: X12 element 735; Q is a pack within a pack in the retail guides."""
_PACKS: Final = ("tare", "pack")


def packages(levels: Any = None) -> list[dict[str, Any]]:
    """Tares and packs of a ship notice, outer ones first, and per order one package without a number for loose items.

    Each has `id` and `parent` (HL01), `level`, `level_raw`, `sscc`, `tracking`, `order` (PRF01), `PO4` and `items`, the
    item levels in it as they are in the payload. Where a pack stands below its item (structure 0002) it holds what
    its own SN1 says, or all of the item when it is the item's only pack; else the item is left loose.
    """
    return list(_walk(objects(levels), None, None))


def packed_orders(levels: Any = None) -> list[dict[str, str]]:
    """Purchase orders a ship notice names (PRF01) as `number`, each once, in order."""
    return [{"number": number} for number in dict.fromkeys(_orders_in(objects(levels)))]


def _orders_in(levels: list[Any]) -> Iterator[str]:
    for each in levels:
        if number := element(each.get("PRF"), "01"):
            yield number
        yield from _orders_in(objects(each.get("HL_loop")))


def _walk(levels: list[Any], order: str | None, around: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    loose: list[Any] = []
    for each in levels:
        yield from _one(each, order, around, loose)
    if loose and around is None:
        yield _package({"HL": {"01": "loose"}}, "unknown", order, None, loose)


def _one(
    each: dict[str, Any], order: str | None, around: dict[str, Any] | None, loose: list[Any]
) -> Iterator[dict[str, Any]]:
    kind = _LEVELS.get(element(each.get("HL"), "03"), "unknown")
    below = objects(each.get("HL_loop"))
    order = element(each.get("PRF"), "01") or order
    if kind == "item":
        packs = [one for one in below if _LEVELS.get(element(one.get("HL"), "03")) in _PACKS]
        if packs and around is None:
            yield from _packs_of_item(each, packs, order, loose)
        elif around is not None:
            around["items"].append(each)
        else:
            loose.append(each)
        return
    if kind in _PACKS:
        package = _package(each, kind, order, around, [])
        yield package
        yield from _walk(below, order, package)
        return
    # Shipment, order and whatever a partner invents are no packages; items right below them are loose.
    inner: list[Any] = []
    for one in below:
        yield from _one(one, order, around, inner)
    if inner:
        yield _package(each, kind, order, None, inner)


def _packs_of_item(
    item: dict[str, Any], packs: list[Any], order: str | None, loose: list[Any]
) -> Iterator[dict[str, Any]]:
    stated = all(pack.get("SN1") for pack in packs)
    for pack in packs:
        own = {**item, "SN1": pack["SN1"]} if stated else item
        yield _package(pack, "pack", order, None, [own] if stated or len(packs) == 1 else [])
    if not stated and len(packs) > 1:
        loose.append(item)


def _package(
    each: dict[str, Any], kind: str, order: str | None, around: dict[str, Any] | None, items: list[Any]
) -> dict[str, Any]:
    head = each.get("HL")
    marks = [mark for mark in objects(each.get("MAN")) if element(mark, "02")]
    found = {
        "id": element(head, "01") or None,
        "parent": around.get("id") if around else None,
        "level": kind,
        "level_raw": element(head, "03") or None,
        "order": order,
        "sscc": sscc(next((element(mark, "02") for mark in marks if element(mark, "01") in ("GM", "AA", "AI")), None)),
        "tracking": next((element(mark, "02") for mark in marks if element(mark, "01") == "CP"), None),
        "PO4": each.get("PO4"),
        "items": items,
    }
    return {name: value for name, value in found.items() if value is not None}
