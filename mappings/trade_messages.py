"""Functions for EDIFACT messages: qualified composites, parties, packages of a despatch advice, answers to lines.

Elements are read as in `mappings.trade`; a composite is an object of its components. All are pure, and give nothing for
shapes they do not know. Source: UN/EDIFACT directories D.93A to D.10B, EANCOM guides; general knowledge (2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from mappings.arithmetic import ddiv_exact, decimal_of
from mappings.scantimes import scanned
from mappings.trade import element, listed, objects

_FIGURE: Final = re.compile(r"-?\d*[.,]?\d*")
_TIMES: Final = MappingProxyType({"102": (8,), "203": (12,), "204": (14,), "303": (12,)})
"""2379 of times of a carrier, with the digits each has."""
_HOURS: Final = re.compile(r"[+-]\d\d")
_ACTIONS: Final = MappingProxyType({"2": "deleted", "5": "accepted", "7": "rejected", "24": "rescheduled"})
"""1229 of a line that is answered; 3 and 6 (changed) are told by what differs."""


def component(value: Any = None, at: str = "01") -> str:
    """Text of a component; a simple element is its own first one. "" when absent."""
    if value.__class__ is str:
        return value.strip() if at == "01" else ""
    return element(value, at)


def figure(value: Any = None) -> str | None:
    """A number whose decimal mark may be a comma, with a point. Other text stays as it is, to be refused."""
    text = value.strip() if value.__class__ is str else ""
    return (text.replace(",", ".") if _FIGURE.fullmatch(text) else text) or None


def qualified(segments: Any = None, wanted: Any = None) -> dict[str, str] | None:
    """The first composite (DTM, RFF, QTY, MOA, PRI: element 01) by qualifier, those wanted most first."""
    stated = [each.get("01") for each in objects(segments)]
    for code in listed(wanted):
        for each in stated:
            if component(each) == code:
                parts = each if each.__class__ is dict else {"01": each}
                return {at: part.strip() for at, part in parts.items() if part.__class__ is str and part.strip()}
    return None


def amount(segments: Any = None, wanted: Any = None) -> str | None:
    """The amount of a MOA by qualifier."""
    return figure((qualified(segments, wanted) or {}).get("02"))


def price(segments: Any = None, wanted: Any = None) -> dict[str, str] | None:
    """`amount` and `unit` of a PRI by qualifier, for one unit: a price for 100 is divided, where it divides."""
    found = qualified(segments, wanted) or {}
    stated, basis = figure(found.get("02")), figure(found.get("05"))
    if stated is None:
        return None
    one = stated if basis is None or basis == "1" else ddiv_exact(stated, basis)
    told = {"amount": one, "unit": found.get("06")}
    return {name: value for name, value in told.items() if value is not None} or None


def counted(segments: Any = None, wanted: Any = None) -> dict[str, str] | None:
    """`quantity` and `unit` of a QTY by qualifier; without a quantity nothing."""
    found = qualified(segments, wanted) or {}
    quantity = figure(found.get("02"))
    if quantity is None:
        return None
    return {"quantity": quantity} | ({"unit": found["03"]} if found.get("03") else {})


def party(loops: Any = None, roles: Any = None) -> dict[str, str] | None:
    """The party (NAD) of the first role met, as an address with `id` and `qualifier`.

    C058, the unstructured form, is read as name and lines where there is no name of its own.
    """
    stated = [each.get("NAD") for each in objects(loops)]
    for role in listed(roles):
        for nad in objects([one for each in stated for one in objects(each)]):
            if component(nad.get("01")) == role:
                return _address(nad) or None
    return None


def _address(nad: dict[str, Any]) -> dict[str, str]:
    name, street, loose = nad.get("04"), nad.get("05"), nad.get("03")
    found = {
        "id": component(nad.get("02")),
        "qualifier": component(nad.get("02"), "03"),
        "name": component(name) or component(loose),
        "company": component(name, "02"),
        "line1": component(street) or component(loose, "02"),
        "line2": component(street, "02") or component(loose, "03"),
        "line3": component(street, "03") or component(loose, "04"),
        "city": component(nad.get("06")),
        "region": component(nad.get("07")),
        "postal_code": component(nad.get("08")),
        "country": component(nad.get("09")),
    }
    return {key: value for key, value in found.items() if value}


def role_ids(loops: Any = None) -> dict[str, dict[str, str]] | None:
    """Ids of the parties by role (3035), for documents that must echo them; no names."""
    found: dict[str, dict[str, str]] = {}
    for loop in objects(loops):
        for nad in objects(loop.get("NAD")):
            role, number = component(nad.get("01")), component(nad.get("02"))
            if role and number:
                agency = component(nad.get("02"), "03")
                found.setdefault(role, {"id": number} | ({"qualifier": agency} if agency else {}))
    return found or None


def references(segments: Any = None) -> dict[str, str] | None:
    """References (RFF) by qualifier, the first of equal ones."""
    found: dict[str, str] = {}
    for each in objects(segments):
        code, value = component(each.get("01")), component(each.get("01"), "02")
        if code and value:
            found.setdefault(code, value)
    return found or None


def line_answers(loop: Any = None) -> list[dict[str, Any]]:
    """What an ORDRSP says of a line: `status`, `raw`, `quantity`, `unit`, `expected`, `substitute`.

    A changed line (1229 3 or 6) is told by what differs: a balance for later (QTY 83) is backordered beside what is
    accepted, another confirmed quantity (QTY 113) is a changed quantity, another article (PIA 3) a substitution. Where
    nothing of that is stated the status is `unknown`.
    """
    found: dict[str, Any] = loop if loop.__class__ is dict else {}
    action = component(element(found.get("LIN"), "02"))
    quantities = found.get("QTY")
    ordered, confirmed, later = (counted(quantities, code) for code in (["21"], ["113", "12"], ["83"]))
    expected = qualified(found.get("DTM"), ["67", "69", "2", "17", "10"])
    base = {"raw": action, "expected": expected}
    if substitute := _substitute(found.get("PIA")):
        return [{**base, "status": "substituted", "substitute": substitute, **(confirmed or ordered or {})}]
    if later is not None and decimal_of(later["quantity"]):
        told = [{**base, "status": "backordered", **later}]
        return [{"raw": action, "status": "accepted", **confirmed}, *told] if confirmed else told
    status = _ACTIONS.get(action, "unknown")
    if (
        action in ("3", "6")
        and ordered
        and confirmed
        and decimal_of(ordered["quantity"]) != decimal_of(confirmed["quantity"])
    ):
        status = "quantity_changed"
    stated = (ordered if status in ("rejected", "deleted") else confirmed) or confirmed or ordered or {}
    return [{**base, "status": status, **stated}]


def _substitute(further: Any) -> str:
    return next((number for each in objects(further) if element(each, "01") == "3"
                 for at in ("02", "03") if (number := component(each.get(at)))), "")  # fmt: skip


def stock_quantities(loop: Any = None) -> list[dict[str, Any]]:
    """Quantities of an INVRPT line as the QTY loops of an 846 have them, so that `$level` reads both.

    Those under INV are stock too unless 4501 says that they are a movement; of 145 (actual stock) and 17 (on hand),
    which mean the same, the first stated stands.
    """
    found: dict[str, Any] = loop if loop.__class__ is dict else {}
    stated = [quantity for each in objects(found.get("QTY_loop")) for quantity in objects(each.get("QTY"))]
    stated += [
        quantity
        for each in objects(found.get("INV_loop"))
        if not any(component(inv.get("01")) for inv in objects(each.get("INV")))
        for inner in objects(each.get("QTY_loop"))
        for quantity in objects(inner.get("QTY"))
    ]
    loops = [_quantity(each) for each in stated]
    codes = {each["QTY"]["01"] for each in loops}
    return [each for each in loops if each["QTY"]["01"] != "17" or "145" not in codes]


def _quantity(segment: dict[str, Any]) -> dict[str, Any]:
    value = segment.get("01")
    parts = {"01": component(value), "02": figure(component(value, "02")) or "", "03": component(value, "03")}
    return {"QTY": {at: part for at, part in parts.items() if part or at == "01"}}


def allowed(loops: Any = None, kind: Any = None) -> str | None:
    """Sum of the allowances (ALC `A`) or charges (`C`) of a message, MOA 8, 204 or 23; nothing when there is none."""
    found = [
        stated
        for loop in objects(loops)
        if element(loop.get("ALC"), "01") == kind
        for inner in objects(loop.get("MOA_loop"))
        if (stated := amount(inner.get("MOA"), ["8", "204", "23"])) is not None
    ]
    return format(sum((decimal_of(each) for each in found), Decimal()), "f") if found else None


def consignments(payload: Any = None) -> list[dict[str, Any]]:
    """Statuses of an IFTSTA: `number`, `code`, `reason`, `text`, `when`, `expected` (DTM), `place` and `city`."""
    whole = payload if payload.__class__ is dict else {}
    found = []
    for loop in [*objects(whole.get("CNI_loop")), {"STS_loop": whole.get("STS_loop")}]:
        stated = next((component(each.get("02")) for each in objects(loop.get("CNI"))), "")
        for each in objects(loop.get("STS_loop")):
            texts = [inner.get("RFF") for inner in objects(each.get("RFF_loop"))] + objects(each.get("RFF"))
            about = qualified([one for said in texts for one in objects(said)], ["CN", "AAS", "BM", "CU"]) or {}
            found.append({"number": stated or about.get("02"), **_status(each)})
    return found


def _status(loop: dict[str, Any]) -> dict[str, Any]:
    sts: dict[str, Any] = next(iter(objects(loop.get("STS"))), {})
    event, reason = sts.get("02"), sts.get("03")
    places = [each for inner in objects(loop.get("LOC_loop")) for each in objects(inner.get("LOC"))]
    at: dict[str, Any] = next(iter([*places, *objects(loop.get("LOC"))]), {})
    notes = [component(each.get("04")) for each in objects(loop.get("FTX"))]
    text = next((part for part in (*notes, component(event, "04"), component(reason, "04")) if part), None)
    return {
        "code": component(event) or component(sts.get("01")) or None, "reason": component(reason) or None, "text": text,
        "when": qualified(loop.get("DTM"), ["334", "7", "11", "35", "178", "137"]),
        "expected": qualified(loop.get("DTM"), ["17", "132"]),
        "place": component(at.get("02")) or None, "city": component(at.get("02"), "04") or None,
    }  # fmt: skip


def carrier_time(stated: Any = None) -> dict[str, str] | None:
    """A carrier's DTM as `$scanned` has it: with an offset (format 303) an instant, else the place's own time."""
    text, form = component(stated, "02"), component(stated, "03") or "102"
    digits = text[:14] if text[:14].isdigit() else text[:12]
    if form not in _TIMES or not digits.isdigit() or len(digits) not in _TIMES[form]:
        return None
    when = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    if len(digits) > 8:
        when += f"T{digits[8:10]}:{digits[10:12]}" + (f":{digits[12:14]}" if len(digits) == 14 else "")
    offset = text[12:] if form == "303" else ""
    return scanned(when, f"{offset}:00" if _HOURS.fullmatch(offset) else None)


MESSAGE_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "figure": figure, "qualified": qualified, "amount": amount, "counted": counted, "price": price, "party": party,
        "role_ids": role_ids, "references": references, "line_answers": line_answers,

        "consignments": consignments, "carrier_time": carrier_time,
        "stock_quantities": stock_quantities, "allowed": allowed,
    }
)  # fmt: skip
"""By the name after `$`."""
