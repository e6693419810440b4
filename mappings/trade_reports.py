"""Functions for reports and answers: CONTRL, 820, 824, 852, 861, 214.

Elements are read as in `mappings.trade`. All are pure, and give nothing for shapes they do not know.
Source: ASC X12 004010 and ISO 9735 (CONTRL), general knowledge (2026-11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from mappings.arithmetic import decimal_of, text_of
from mappings.scantimes import scanned
from mappings.trade import element, gtin, objects, pairs, product_id
from mappings.trade_lines import allocations
from mappings.trade_messages import component

_DIGITS_MAX: Final = 9
_OFFSETS: Final = MappingProxyType(
    {"UT": "+00:00", "GM": "+00:00", "ES": "-05:00", "ED": "-04:00", "CS": "-06:00", "CD": "-05:00", "MS": "-07:00",
     "MD": "-06:00", "PS": "-08:00", "PD": "-07:00"}
)  # fmt: skip
"""X12 element 623 where it names one offset. ET, CT, MT, PT and LT leave it open, and it stays open."""
_STOCK: Final = ("QA", "QE", "QP", "QC", "QO", "QI", "QH")
_QUESTIONED: Final = ((6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17), (18, 19, 20))
"""Places of quantity, unit and condition (element 412) in RCD."""


def report_sets(payload: Any = None) -> list[dict[str, Any]]:
    """Messages a CONTRL speaks of (UCM), within groups (UCF) or not: `kind`, `control`, `action`, `errors`.

    A segment's error is told by its elements (UCD) where it has any; element positions are `3` or `3:2`.
    """
    whole = payload if payload.__class__ is dict else {}
    loops = [*objects(whole.get("UCM_loop")), *(
        inner for group in objects(whole.get("UCF_loop")) for inner in objects(group.get("UCM_loop"))
    )]  # fmt: skip
    found = []
    for loop in loops:
        said = loop.get("UCM")
        control, kind = element(said, "01"), component(next(iter(objects(said)), {}).get("02"))
        if control and kind:
            errors = [*_own_error(said), *_segment_errors(loop.get("UCS_loop"))]
            found.append({"kind": kind, "control": control, "action": element(said, "03"), "errors": errors})
    return found


def _own_error(said: Any) -> list[dict[str, Any]]:
    code = element(said, "04")
    return [{"code": code, "segment": element(said, "05") or None}] if code else []


def _segment_errors(loops: Any) -> Iterator[dict[str, Any]]:
    for loop in objects(loops):
        place, code = element(loop.get("UCS"), "01"), element(loop.get("UCS"), "02")
        where = {"position": int(place) if place.isascii() and place.isdigit() and len(place) <= _DIGITS_MAX else None}
        elements = [(element(each, "01"), each.get("02")) for each in objects(loop.get("UCD"))]
        for said, at in elements:
            inner = component(at, "02")
            yield {**where, "code": said or None, "element": component(at) + (f":{inner}" if inner else "") or None}
        if not elements:
            yield {**where, "code": code or None}


def advice_errors(loops: Any = None) -> list[dict[str, str]]:
    """Errors of an 824 (TED with its notes), each with the reference it is about (OTI03)."""
    found = []
    for loop in objects(loops):
        about = element(loop.get("OTI"), "03")
        for each in objects(loop.get("TED_loop")):
            said = each.get("TED")
            notes = [element(note, "02") for note in objects(each.get("NTE"))]
            message = " ".join(part for part in (element(said, "02"), *notes) if part)
            told = {"code": element(said, "01"), "message": message, "reference": about, "value": element(said, "07")}
            found.append({key: value for key, value in told.items() if value})
    return found


def advised_sets(loops: Any = None) -> list[dict[str, str]] | None:
    """Sets of ours an 824 speaks of (OTI08 to 10), with the reference of each."""
    names = (("group", "08"), ("set", "09"), ("kind", "10"), ("reference", "03"))
    told = [{name: element(loop.get("OTI"), at) for name, at in names} for loop in objects(loops)]
    found = [{name: value for name, value in each.items() if value} for each in told if each["group"] or each["set"]]
    return found or None


def adjustments(payload: Any = None) -> list[dict[str, str]]:
    """Adjustments of an 820 (ADX) wherever they stand: `code` (element 426), `amount`, `reference` (ADX04)."""
    found = []
    for each in _every(payload, "ADX"):
        told = {"code": element(each, "02"), "amount": element(each, "01"), "reference": element(each, "04")}
        found.append({key: value for key, value in told.items() if value})
    return found


def _every(value: Any, tag: str) -> Iterator[dict[str, Any]]:
    """Every segment of a tag, in order, through the loops; loops of a grammar are not deep."""
    for item in objects(value):
        for name, inner in item.items():
            if name == tag:
                yield from objects(inner)
            elif name.endswith("_loop"):
                yield from _every(inner, tag)


def activity(payload: Any = None) -> list[dict[str, Any]]:
    """An 852 place by place: `place` (N104 or N102, absent when none is named), `items`, `sold`.

    Each item is its LIN with its activity `told` (ZA01 to ZA02) and its `unit`. In a file that names a place before its
    items a place behind an item heads the items after it; else, and where activity follows it, it is the item's own.
    Quantities by store (SDQ) are those stores'.
    """
    whole = payload if payload.__class__ is dict else {}
    heads = [_place(loop) for loop in objects(whole.get("N1_loop"))]
    now = next((each for each in heads if each), None)
    rows: dict[str | None, list[dict[str, Any]]] = {}
    headed = now is not None
    for loop in objects(whole.get("LIN_loop")):
        following = None
        stated: list[tuple[str | None, dict[str, Any]]] = []
        for told in objects(loop.get("ZA_loop")):
            own = next((at for each in objects(told.get("N1")) if (at := _place({"N1": each}))), None)
            following = own if headed and own else following
            stated.append((now if headed or own is None else own, told))
        for inner in objects(loop.get("N1_loop")):
            following = _place(inner) if not inner.get("ZA") else following
            stated += [(_place(inner), {"ZA": each, "SDQ": inner.get("SDQ")}) for each in objects(inner.get("ZA"))]
        _take(rows, loop, stated)
        now = following or now
    return [
        {"items": [each for each in items if each["stock"]], "sold": _sold(items)} | ({"place": place} if place else {})
        for place, items in rows.items()
    ]


def _place(loop: dict[str, Any]) -> str | None:
    return element(loop.get("N1"), "04") or element(loop.get("N1"), "02") or None


def _take(
    rows: dict[str | None, list[dict[str, Any]]],
    line: dict[str, Any],
    stated: list[tuple[str | None, dict[str, Any]]],
) -> None:
    """One item's activity into its places."""
    by_place: dict[str | None, dict[str, str]] = {}
    unit = ""
    for place, each in stated:
        said = each.get("ZA")
        code, quantity = element(said, "01"), element(said, "02")
        unit = unit or element(said, "03")
        if code and quantity:
            by_place.setdefault(place, {}).setdefault(code, quantity)
        for shares in allocations(each.get("SDQ")) or ():
            if code:
                by_place.setdefault(shares["location_id"], {}).setdefault(code, shares["quantity"])
    for where, told in by_place.items():
        item = {"LIN": line.get("LIN"), "told": told, "unit": unit, "stock": any(code in told for code in _STOCK)}
        rows.setdefault(where, []).append(item)


def _sold(items: list[dict[str, Any]]) -> dict[str, str] | None:
    """Quantities sold (QS) less returned by consumers (QU), by the item's best id."""
    found: dict[str, Decimal] = {}
    for each in items:
        name = _name(each["LIN"])
        quantity = decimal_of(each["told"].get("QS") or "0") - decimal_of(each["told"].get("QU") or "0")
        if name and ("QS" in each["told"] or "QU" in each["told"]):
            found[name] = found.get(name, Decimal()) + quantity
    return {name: text_of(quantity) for name, quantity in found.items()} or None


def _name(line: Any) -> str | None:
    ids = pairs(next(iter(objects(line)), None), 2)
    usual = product_id(ids, "buyer") or product_id(ids, "seller")
    return usual or next((gtin(each) or each for each in (ids or {}).values()), None)


def each_id(ids: Any = None) -> str | None:
    """The first id a line states, whatever its qualifier."""
    return next(iter(ids.values()), None) if ids.__class__ is dict else None


def questioned(segment: Any = None, terms: Any = None) -> str:
    """Sum of the quantities of an 861 line (RCD) in question because they are damaged; "0" without any.

    Args:
        segment: the RCD.
        terms: the partner's `receipt_condition` table; without one 01 and 07 are damaged.
    """
    meant = terms if terms.__class__ is dict else {"01": "damaged", "07": "damaged"}
    found = [
        decimal_of(element(segment, f"{much:02d}") or "0")
        for much, _, why in _QUESTIONED
        if meant.get(element(segment, f"{why:02d}")) == "damaged"
    ]
    return text_of(sum(found, Decimal()))


def conditions(segment: Any = None) -> dict[str, str] | None:
    """Quantities in question of an 861 line by condition code (element 412)."""
    found: dict[str, str] = {}
    for much, _, why in _QUESTIONED:
        code, quantity = element(segment, f"{why:02d}"), element(segment, f"{much:02d}")
        if code and quantity:
            found.setdefault(code, quantity)
    return found or None


def status_time(segment: Any = None) -> dict[str, str] | None:
    """When a status of a 214 (AT7) was: as `$scanned`. A time code that leaves the offset open gives no `at`."""
    day, clock, code = (element(segment, at) for at in ("05", "06", "07"))
    if len(day) not in (6, 8) or not day.isdigit():
        return None
    full = day if len(day) == 8 else f"20{day}"
    when = f"{full[:4]}-{full[4:6]}-{full[6:]}"
    if len(clock) >= 4 and clock.isdigit():
        when += f"T{clock[:2]}:{clock[2:4]}" + (f":{clock[4:6]}" if len(clock) >= 6 else "")
    return scanned(when, _OFFSETS.get(code))


REPORT_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "report_sets": report_sets, "advice_errors": advice_errors, "advised_sets": advised_sets,
        "adjustments": adjustments, "activity": activity,
        "each_id": each_id, "questioned": questioned, "conditions": conditions, "status_time": status_time,
    }
)  # fmt: skip
"""By the name after `$`."""
