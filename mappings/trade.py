"""Functions for documents of trade: qualified ids, packs and units, implied decimals, dates of X12 and EDIFACT.

They read segments as JSON, elements by two-digit position (docs/edi.md). All are pure; nothing arrives as None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from canonical import instant_text
from canonical.quantities import EACHES_PER_UNIT
from mappings.arithmetic import BadArgument, decimal_of, text_of
from mappings.countries import alpha2
from mappings.functions import instant

PRODUCT_IDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "buyer": ("IN", "BP", "SK", "CB"),
        "seller": ("VN", "VP", "VC", "VA", "SA"),
        "gtin": ("UK", "EN", "UP", "UA", "UI", "EO", "SRV"),
    }
)
"""Qualifiers by kind, the best first, unless a partner says otherwise. Source: X12 element 235 and EDIFACT 7143."""
_UNITS: Final = MappingProxyType({"EACH": "EA", "PCS": "PCE", "DZN": "DZ", "DOZ": "DZ", "NAR": "EA", "NMB": "EA"})
_DATE_FORMATS: Final = MappingProxyType(
    {"101": "%y%m%d", "102": "%Y%m%d", "201": "%y%m%d%H%M", "203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S"}
)
"""EDIFACT 2379: how the text of a DTM is written."""
_DIGITS: Final = MappingProxyType({"101": 6, "102": 8, "201": 10, "203": 12, "204": 14})
_DAY_ONLY: Final = ("101", "102")
_DAY: Final = re.compile(r"(?:\d\d)?\d{6}")
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)?\d{0,2}")
_GTIN: Final = re.compile(r"\d{8}|\d{11,14}")
_PAIR_END: Final = 31


def first(*values: Any) -> Any:
    """The first that is there and not blank."""
    for value in values:
        if value is not None and value != "" and value != [] and not (value.__class__ is str and value.isspace()):
            return value
    return None


def listed(value: Any) -> list[Any]:
    """Nothing, one or several as a list."""
    if value is None:
        return []
    return value if value.__class__ is list else [value]


def element(segment: Any, position: str) -> str:
    """Text of an element, of the first segment where several came; "" when absent or in parts."""
    for each in listed(segment)[:1]:
        found = each.get(position) if each.__class__ is dict else None
        return found.strip() if found.__class__ is str else ""
    return ""


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects among nothing, one or several."""
    return [each for each in listed(value) if each.__class__ is dict]


def pairs(segment: Any = None, start: Any = None, end: Any = None) -> dict[str, str] | None:
    """Ids by qualifier, from pairs of elements.

    Args:
        segment: The segment as an object.
        start: Position of the first qualifier.
        end: Position of the last id; the segment's end when not given.
    """
    if segment.__class__ is not dict:
        return None
    found: dict[str, str] = {}
    for at in range(int(start or 0), int(end or _PAIR_END), 2):
        qualifier, value = segment.get(f"{at:02d}"), segment.get(f"{at + 1:02d}")
        if qualifier.__class__ is str and value.__class__ is str and value.strip():
            found.setdefault(qualifier, value.strip())
    return found or None


def keyed(items: Any = None, key: Any = None, value: Any = None) -> dict[str, Any] | None:
    """One element of each segment by another one, the first of equal keys: references by qualifier."""
    found: dict[str, Any] = {}
    for item in listed(items):
        if item.__class__ is dict and item.get(key).__class__ is str and item.get(value) is not None:
            found.setdefault(item[key], item[value])
    return found or None


def product_id(ids: Any = None, kind: Any = None, terms: Any = None) -> str | None:
    """The id of a kind (`buyer`, `seller`, `gtin`) by the partner's order of qualifiers, else the usual one."""
    if ids.__class__ is not dict:
        return None
    stated = terms.get(kind) if terms.__class__ is dict else None
    order = stated or PRODUCT_IDS.get(kind)
    if order is None:
        raise BadArgument("a kind of product id is buyer, seller or gtin")
    found = next((ids[qualifier] for qualifier in order if qualifier in ids), None)
    return gtin(found) if kind == "gtin" else found


def gtin(value: Any = None) -> str | None:
    """An article number of 8 or 12 to 14 digits; one of 11 gets its lost leading zero back. Nothing for other text."""
    text = value.strip() if value.__class__ is str else ""
    if not _GTIN.fullmatch(text):
        return None
    if len(text) == 11:
        return f"0{text}" if check_digit(text[:-1]) == text[-1] else None
    return text


def check_digit(digits: str) -> str:
    """GS1's check digit: weights 3 and 1 from the right. Source: GS1 General Specifications, section 7.9 (2026)."""
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def sscc(value: Any = None) -> str | None:
    """A pallet's or carton's number without its application identifier 00; other text stays as it is."""
    text = value.strip() if value.__class__ is str else ""
    return text[2:] if len(text) == 20 and text.startswith("00") and text.isdigit() else text or None


def implied(value: Any = None, places: Any = None) -> str | None:
    """A figure whose decimal point is understood (X12 type N2): `749850` is `7498.50`. A written point is obeyed."""
    if value is None or value == "":
        return None
    number = decimal_of(value)
    if isinstance(value, str) and "." in value:
        return text_of(number)
    return text_of(number.scaleb(-int(places or 0)))


def day(date: Any = None, time: Any = None, zone: Any = None) -> str | None:
    """A date of X12 with its time of day, which counts only where its zone is known: else it stays a date.

    Args:
        date: `20261120`, or `261120` for years from 2000 to 2079 and 1980 to 1999.
        time: `1130`, `113005` or with hundredths.
        zone: IANA name or offset.
    """
    if date is None or date == "":
        return None
    if date.__class__ is not str or not _DAY.fullmatch(date):
        raise BadArgument("a date is written CCYYMMDD or YYMMDD")
    full = date if len(date) == 8 else ("20" if date < "80" else "19") + date
    when = f"{full[:4]}-{full[4:6]}-{full[6:]}"
    clock = _TIME.fullmatch(time) if time.__class__ is str else None
    if clock is None or not zone:
        return instant(when)
    return instant(f"{when}T{clock[1]}:{clock[2]}:{clock[3] or '00'}", zone)


def moment(stated: Any = None, zone: Any = None) -> str | None:
    """The time of an EDIFACT DTM: its composite of qualifier, text and format. Nothing for formats that are no time.

    Senders write `199910060000` and call it 102: digits that are another format's are read as that one.
    """
    text, form = element(stated, "02"), element(stated, "03") or "102"
    if not text or form not in _DATE_FORMATS:
        return None
    if text.isdigit() and len(text) != _DIGITS[form]:
        form = next((other for other, digits in _DIGITS.items() if digits == len(text) and other != "201"), form)
    try:
        # Python would read a missing zero into the text.
        found = datetime.strptime(text if len(text) == _DIGITS[form] else "", _DATE_FORMATS[form]).replace(tzinfo=UTC)
    except ValueError:
        raise BadArgument("the date is not written as its format code says") from None
    if form in _DAY_ONLY or not zone:
        return found.date().isoformat()
    return instant(instant_text(found).removesuffix("Z"), zone)


def unit(code: Any = None, terms: Any = None) -> str | None:
    """Our code of a partner's unit: the partner's own table first, then common spellings; capitals."""
    if code.__class__ is not str or not code.strip():
        return None
    stated = code.strip()
    if terms.__class__ is dict and terms.get(stated):
        return str(terms[stated])
    return _UNITS.get(stated.upper(), stated.upper())


def pack_of(code: Any = None, po4: Any = None, packs: Any = None) -> int | None:
    """Eaches in one unit as the document's PO4 states it, else as the partner's `packs`; nothing for single units.

    PO401 counts inner packs, or eaches where there are none; PO414 is the eaches of an inner pack.
    """
    if code.__class__ is not str or code in EACHES_PER_UNIT:
        return None
    outer = element(po4, "01")
    if outer:
        number = decimal_of(outer) * decimal_of(element(po4, "14") or "1")
        if number > 0 and number == number.to_integral_value():
            return int(number)
    found = packs.get(code) if packs.__class__ is dict else None
    return int(found) if found else None


def measured(quantity: Any = None, code: Any = None, pack: Any = None) -> int | str | None:
    """Eaches where the unit's size is known, else the decimal as stated: its `uom` says of what."""
    if quantity is None or quantity == "":
        return None
    number = decimal_of(quantity)
    found = _in_eaches(number, code, pack)
    return text_of(number) if found is None else found


def measured_unit(quantity: Any = None, code: Any = None, pack: Any = None) -> str | None:
    """The unit `measured` leaves the quantity in: EA, or the stated one."""
    if quantity is None or quantity == "":
        return code or None
    return code if _in_eaches(decimal_of(quantity), code, pack) is None and code else "EA"


def _in_eaches(number: Decimal, code: Any, pack: Any) -> int | None:
    unit_code = code if code.__class__ is str else "EA"
    factor = int(pack) if pack else EACHES_PER_UNIT.get(unit_code)
    if factor is None:
        return None
    result = number * factor
    return int(result) if result == result.to_integral_value() else None


def place_country(code: Any = None) -> str | None:
    """Alpha-2 of a country as partners write it; nothing for what is no country, as an address can do without."""
    return alpha2(code.strip()) if code.__class__ is str and code.strip() else None


def party_ids(loops: Any = None) -> dict[str, dict[str, str]] | None:
    """Ids of the parties by their role (N101), for documents that must echo them; no names."""
    found: dict[str, dict[str, str]] = {}
    for loop in objects(loops):
        role, number = (element(loop.get("N1"), at) for at in ("01", "04"))
        if role and number:
            found.setdefault(role, {"qualifier": element(loop.get("N1"), "03"), "id": number})
    return found or None


def damaged(exceptions: Any = None, terms: Any = None) -> str:
    """Sum of the exceptions of a receipt (W13) that mean damage; "0" without any."""
    meant = terms if terms.__class__ is dict else {"01": "damaged"}
    every = objects(exceptions)
    found = [element(each, "01") or "0" for each in every if meant.get(element(each, "03")) == "damaged"]
    return text_of(sum((decimal_of(each) for each in found), Decimal()))


def level(loops: Any = None, name: Any = None, terms: Any = None) -> dict[str, str] | None:
    """Sum and unit of the quantities (QTY) that a partner's qualifiers call by this name: available, on_hand, …"""
    meant = terms if terms.__class__ is dict else {"33": "available", "17": "on_hand", "63": "incoming"}
    stated = [loop.get("QTY") for loop in objects(loops)]
    found = [each for each in stated if meant.get(element(each, "01")) == name and element(each, "02")]
    if not found:
        return None
    measure = objects(found[0])[0].get("03")
    total = sum((decimal_of(element(each, "02")) for each in found), Decimal())
    return {"quantity": text_of(total), "unit": element(measure, "01") or element(found[0], "03") or "EA"}


TRADE_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "first": first, "pairs": pairs, "keyed": keyed, "product_id": product_id, "gtin": gtin, "sscc": sscc,
        "implied": implied, "day": day, "moment": moment, "unit": unit, "pack_of": pack_of, "measured": measured,
        "measured_unit": measured_unit, "place_country": place_country, "party_ids": party_ids,
        "level": level, "damaged": damaged, }
)  # fmt: skip
"""By the name after `$`."""
