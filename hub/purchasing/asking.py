"""What an operator asks of a purchase order, checked whole: a new one, or changes to its lines.

Works on the JSON of requests and of the stored order. Quantities are eaches; prices are decimal texts per stated unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from hub.purchasing.days import due_at

Json = dict[str, Any]

LINES_MAX: Final = 1000
QUANTITY_MAX: Final = 2**53 - 1
CHANGES: Final = ("add", "remove", "quantity", "price", "date", "replace")
_NUMBER: Final = re.compile(r"[!-~](?:[ -~]{0,20}[!-~])?")
_LINE_NUMBER: Final = re.compile(r"[A-Za-z0-9]{1,11}")
_UNIT: Final = re.compile(r"[A-Z0-9]{2,3}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_PRICE: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")


class PurchaseRefused(ValueError):
    """The whole request is refused and nothing of it was stored; `faults` name line and field."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Changed:
    """A request worked out: the order's lines as they become, and what the supplier is told of each."""

    lines: list[Json]
    told: list[Json]


def checked(given: Mapping[str, Any], locations: Sequence[str]) -> Json:
    """A new order's request with its defaults.

    Raises:
        PurchaseRefused: every fault at once.
    """
    faults: list[str] = []
    number = str(given.get("number") or "").strip()
    if not _NUMBER.fullmatch(number):
        faults.append("number: 1 to 22 printable characters, no blank at either end")
    if not str(given.get("supplier") or "").strip():
        faults.append("supplier: the name of an EDI account, or who the order is with")
    if given.get("location") not in locations:
        known = ", ".join(sorted(locations)) or "none"
        faults.append(f"location: {given.get('location')!r} is not one of ours ({known})")
    if given.get("currency") is not None and not _CURRENCY.fullmatch(str(given["currency"])):
        faults.append("currency: an ISO 4217 code such as USD")
    faults += _day_fault("expected_at", given.get("expected_at"))
    lines = given.get("lines") or []
    if not lines or len(lines) > LINES_MAX:
        faults.append(f"lines: between 1 and {LINES_MAX}, this order has {len(lines)}")
    numbered = [_numbered(line, at) for at, line in enumerate(lines, 1)]
    for at, line in enumerate(numbered, 1):
        faults += [f"line {at}: {fault}" for fault in _line_faults(line)]
    faults += _repeated([line["number"] for line in numbered])
    if faults:
        raise PurchaseRefused(faults)
    currency = given.get("currency")
    return {**given, "number": number, "supplier": str(given["supplier"]).strip(),
            "lines": [_line(line, currency) for line in numbered]}  # fmt: skip


def changed(order: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> Changed:
    """Work changes into the order's lines.

    Raises:
        PurchaseRefused: a line that is not there or is changed twice, nothing left of the order, a value that is none.
    """
    lines = {line["number"]: dict(line) for line in order["lines"]}
    faults: list[str] = []
    said: list[Json] = []
    if not changes or len(changes) > LINES_MAX:
        faults.append(f"lines: between 1 and {LINES_MAX} changes, this request has {len(changes)}")
    faults += _repeated([str(change.get("number") or "") for change in changes if change.get("number")])
    for at, change in enumerate(changes, 1):
        try:
            said.append(_change(order, lines, change))
        except ValueError as error:
            faults.append(f"change {at}: {error}")
    if not faults and not any(_left(line) for line in lines.values()):
        faults.append("nothing would be left of the order; cancel it instead")
    if len(lines) > LINES_MAX:
        faults.append(f"lines: at most {LINES_MAX} on one order")
    if faults:
        raise PurchaseRefused(faults)
    return Changed(list(lines.values()), said)


def _change(order: Mapping[str, Any], lines: dict[str, Json], change: Mapping[str, Any]) -> Json:
    """Work one change in; what the supplier is told of it. Raises `ValueError` with the fault."""
    what = change.get("change")
    if what not in CHANGES:
        raise ValueError(f"change: one of {', '.join(CHANGES)}, not {what!r}")
    if what == "add":
        line = _added(order, lines, change)
    else:
        number = str(change.get("number") or "")
        if number not in lines:
            raise ValueError(f"number: the order has no line {number!r} (lines: {', '.join(lines)})")
        line = lines[number]
        before = _left(line)
        if not before and what != "replace":
            raise ValueError(f"number: line {number} has been cancelled; add a line instead")
        _CHANGING[what](line, change, order.get("currency"))
        if what == "quantity":
            said = told(line)
            return {**said, "change": what, "properties": {**said["properties"], "quantity_before": before}}
    return {**told(line), "change": what}


def told(line: Mapping[str, Any], *, taken_back: bool = False) -> Json:
    """What a supplier is told of a line as it is now; how it changed stands beside it as `change`.

    Args:
        taken_back: Nothing of it is wanted any more.
    """
    left = 0 if taken_back else _left(line)
    return {
        "id": line["number"],
        "sku": line["sku"],
        "supplier_sku": line.get("supplier_sku"),
        "channel_sku": line["sku"],
        "gtin": line.get("gtin"),
        "title": line.get("title"),
        "quantity": left,
        "unit_price": line.get("unit_cost"),
        "price_uom": line.get("price_uom"),
        "requested_at": (line.get("properties") or {}).get("expected_at"),
        "properties": _spoken(line) | _to_come(line, left),
    }


def _to_come(line: Mapping[str, Any], left: int) -> Json:
    """Eaches left to receive, where some are here: a unit that was begun is still to come."""
    received = int(line.get("received_quantity") or 0)
    if not received:
        return {}
    pack = int((line.get("properties") or {}).get("eaches_per_unit") or 1)
    return {"left_to_receive": -(-max(0, left - received) // pack) * pack}


def _added(order: Mapping[str, Any], lines: dict[str, Json], change: Mapping[str, Any]) -> Json:
    highest = max((int(number) for number in lines if number.isdigit()), default=0)
    given = {**change, "number": str(change.get("number") or highest + 1)}
    given.pop("change")
    faults = _line_faults(given)
    if given["number"] in lines:
        faults.append(f"number: the order has a line {given['number']} already")
    if faults:
        raise ValueError("; ".join(faults))
    line = _line(given, order.get("currency"))
    lines[line["number"]] = line
    return line


def _remove(line: Json, _change: Mapping[str, Any], _currency: str | None) -> None:
    line["cancelled_quantity"] = line["quantity"]


def _requantify(line: Json, change: Mapping[str, Any], _currency: str | None) -> None:
    faults = _quantity_faults(change.get("quantity"), (line.get("properties") or {}).get("eaches_per_unit"))
    if faults:
        raise ValueError("; ".join(faults))
    line["quantity"], line["cancelled_quantity"] = change["quantity"], 0


def _reprice(line: Json, change: Mapping[str, Any], currency: str | None) -> None:
    faults = _price_faults(change.get("unit_cost"), needed=True)
    if faults:
        raise ValueError("; ".join(faults))
    line["unit_cost"] = {"amount": str(change["unit_cost"]), "currency": currency}


def _redate(line: Json, change: Mapping[str, Any], _currency: str | None) -> None:
    if change.get("expected_at") is None:
        raise ValueError("expected_at: a day such as 2026-12-01, or an instant")
    faults = _day_fault("expected_at", change["expected_at"])
    if faults:
        raise ValueError("; ".join(faults))
    line["properties"] = {**(line.get("properties") or {}), "expected_at": change["expected_at"]}


def _replace(line: Json, change: Mapping[str, Any], currency: str | None) -> None:
    """The line is now as stated, whole; only its number stays."""
    given = {key: value for key, value in change.items() if key != "change"} | {"number": line["number"]}
    faults = _line_faults(given)
    if faults:
        raise ValueError("; ".join(faults))
    fresh = _line(given, currency)
    line.clear()
    line.update(fresh)


_CHANGING: Final = {
    "remove": _remove,
    "quantity": _requantify,
    "price": _reprice,
    "date": _redate,
    "replace": _replace,
}


def _left(line: Mapping[str, Any]) -> int:
    return max(0, int(line["quantity"]) - int(line.get("cancelled_quantity") or 0))


def _spoken(line: Mapping[str, Any]) -> Json:
    properties = line.get("properties") or {}
    return {name: properties[name] for name in ("uom_stated", "eaches_per_unit") if name in properties}


def packed(line: Mapping[str, Any], packs: Mapping[str, int]) -> Json:
    """A line, or a change, with its article's packs; a unit named without its size has the article's."""
    known: Json = {"packs": dict(packs)} if packs else {}
    if line.get("uom") in packs and line.get("eaches_per_unit") is None:
        known["eaches_per_unit"] = packs[line["uom"]]
    return {**line, **known}


# --- lines -----------------------------------------------------------------------------------


def _numbered(line: Mapping[str, Any], at: int) -> Json:
    return {**line, "number": str(line.get("number") or at)}


def _line(given: Mapping[str, Any], currency: str | None) -> Json:
    """A line as it is stored; a unit with its pack stays beside the eaches."""
    properties: Json = {}
    if given.get("uom"):
        properties |= {"uom_stated": given["uom"], "eaches_per_unit": given["eaches_per_unit"]}
    if given.get("packs"):
        properties |= {"packs": dict(given["packs"])}
    if given.get("expected_at"):
        properties |= {"expected_at": given["expected_at"]}
    cost = given.get("unit_cost")
    return {
        "number": given["number"],
        "sku": given["sku"],
        "supplier_sku": given.get("supplier_sku"),
        "channel_sku": given["sku"],
        "gtin": given.get("gtin"),
        "title": given.get("title"),
        "quantity": given["quantity"],
        "unit_cost": None if cost is None else {"amount": str(cost), "currency": currency},
        "price_uom": given.get("uom"),
        "properties": properties,
    }


def _line_faults(line: Mapping[str, Any]) -> list[str]:
    faults: list[str] = []
    if not _LINE_NUMBER.fullmatch(str(line.get("number") or "")):
        faults.append("number: 1 to 11 letters and digits")
    if not str(line.get("sku") or "").strip():
        faults.append("sku: which article of ours")
    unit, pack = line.get("uom"), line.get("eaches_per_unit")
    if (unit is None) != (pack is None):
        faults.append("uom and eaches_per_unit: both, or neither where eaches are ordered")
    elif unit is not None and not (_UNIT.fullmatch(str(unit)) and _is_pack(pack)):
        faults.append("uom: a code such as CA, with eaches_per_unit of 1 or more")
        pack = None
    faults += _quantity_faults(line.get("quantity"), pack)
    faults += _price_faults(line.get("unit_cost"), needed=False)
    return faults + _day_fault("expected_at", line.get("expected_at"))


def _quantity_faults(quantity: Any, pack: Any) -> list[str]:
    if not _whole(quantity) or not 1 <= quantity <= QUANTITY_MAX:
        return ["quantity: a whole number of eaches, 1 or more"]
    if _whole(pack) and quantity % pack:
        return [f"quantity: {quantity} eaches are no whole number of units of {pack}"]
    return []


def _price_faults(price: Any, *, needed: bool) -> list[str]:
    if price is None and not needed:
        return []
    try:
        fits = isinstance(price, str) and _PRICE.fullmatch(price) is not None and Decimal(price) >= 0
    except InvalidOperation:
        fits = False
    return [] if fits else ['unit_cost: a decimal as text, such as "12.50"']


def _day_fault(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    try:
        due_at(value)
    except (ValueError, TypeError, OverflowError):
        return [f"{name}: a day such as 2026-12-01, or an instant with its offset"]
    return []


def _repeated(numbers: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    twice = [number for number in numbers if number in seen or seen.add(number)]  # type: ignore[func-returns-value]
    return [f"line {number} is named twice" for number in dict.fromkeys(twice)]


def _is_pack(value: Any) -> bool:
    return _whole(value) and value >= 1


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
