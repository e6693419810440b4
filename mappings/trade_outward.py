"""Functions for documents of trade on their way out: units and ids as the partner has them, figures that hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, Final

from mappings.arithmetic import BadArgument, decimal_of, text_of
from mappings.trade import check_digit, gtin, listed

_CENT: Final = Decimal("0.01")
_INSTANT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?.*")
_PAIRS_MAX: Final = 10
_IDS_OUT: Final = MappingProxyType({"IN": "buyer", "VN": "seller", "UP": "gtin"})


def compact_day(value: Any = None) -> str | None:
    """CCYYMMDD of a canonical date or instant."""
    found = _INSTANT.fullmatch(value) if value.__class__ is str else None
    return "".join(found.groups()[:3]) if found else None


def compact_time(value: Any = None) -> str | None:
    """HHMM of a canonical instant, in UTC; nothing for a date."""
    found = _INSTANT.fullmatch(value) if value.__class__ is str else None
    return f"{found[4]}{found[5]}" if found and found[4] else None


def code_out(word: Any = None, own: Any = None, usual: Any = None) -> str:
    """A partner's code of our word: its own table, else the standard's.

    Raises:
        BadArgument: neither has one; `unknown` never has.
    """
    for table in (own, usual):
        if table.__class__ is dict and word.__class__ is str and table.get(word):
            return str(table[word])
    known = ", ".join(sorted({*(own or {}), *(usual or {})}))
    raise BadArgument(f"there is no code for this word; known are {known}")


def with_pairs(segment: Any = None, start: Any = None, ids: Any = None) -> dict[str, Any]:
    """A segment with ids written behind it, qualifier and id in turn, ten at most."""
    found = dict(segment or {})
    for at, (qualifier, value) in enumerate(list((ids or {}).items())[:_PAIRS_MAX]):
        place = int(start or 0) + 2 * at
        found |= {f"{place:02d}": qualifier, f"{place + 1:02d}": value}
    return found


def ids_out(line: Any = None, terms: Any = None) -> dict[str, str] | None:
    """Ids of a line as the partner wants them: those it sent, echoed in its order; else ours by its list.

    Args:
        line: a canonical line.
        terms: the profile's `product_ids`.
    """
    if line.__class__ is not dict:
        return None
    echoed = (line.get("properties") or {}).get("ids")
    if echoed:
        return dict(echoed)
    wanted = (terms.get("out") if terms.__class__ is dict else None) or _IDS_OUT
    digits = terms.get("gtin_digits") if terms.__class__ is dict else None
    own = {
        "buyer": line.get("channel_sku"),
        # Where our SKU has a place of its own, the seller is somebody else.
        "seller": line.get("supplier_sku") or (None if "sku" in wanted.values() else line.get("sku")),
        "sku": line.get("sku"),
        "gtin": _sized(line.get("gtin"), digits),
    }
    found = {str(qualifier): str(own[kind]) for qualifier, kind in wanted.items() if own.get(kind)}
    return found or None


def _sized(number: Any, digits: Any) -> str | None:
    """An article number in the partner's width; zeros in front are given up or added, never a digit."""
    found = gtin(number)
    if found is None or not digits:
        return found
    bare = found.lstrip("0")
    return bare.rjust(int(digits), "0") if len(bare) <= int(digits) else found


def unit_out(code: Any = None, terms: Any = None) -> str:
    """The partner's code of our unit: its own table read backwards, else the same."""
    stated = code or "EA"
    table = terms if terms.__class__ is dict else {}
    return str(next((theirs for theirs, ours in table.items() if ours == stated), stated))


def in_units(quantity: Any = None, line: Any = None) -> str | None:
    """A quantity in the unit the partner ordered in: eaches divided by the line's `properties.eaches_per_unit`.

    Raises:
        BadArgument: it is no whole number of them, which the partner could not read.
    """
    if quantity is None or quantity == "":
        return None
    number = decimal_of(quantity)
    pack = (line.get("properties") or {}).get("eaches_per_unit") if line.__class__ is dict else None
    if not pack:
        return text_of(number)
    units, rest = divmod(number, decimal_of(pack))
    if rest:
        raise BadArgument("the quantity is no whole number of the unit it was ordered in")
    return text_of(units)


def sscc_out(value: Any = None, digits: Any = None) -> str | None:
    """A carton's number with 18 digits, or 20 with its application identifier.

    Raises:
        BadArgument: not 18 digits, or the check digit is wrong: a label nobody can receive.
    """
    if value is None or value == "":
        return None
    text = str(value)
    if len(text) != 18 or not text.isdigit():
        raise BadArgument("an SSCC has 18 digits")
    if check_digit(text[:-1]) != text[-1]:
        raise BadArgument("the check digit of the SSCC is wrong")
    return text if str(digits) == "18" else f"00{text}"


def each_party(parties: Any = None) -> list[dict[str, str]]:
    """N1 segments of the parties a document echoes (`attributes.parties`): role, qualifier and id."""
    found = parties.items() if parties.__class__ is dict else ()
    return [
        {"01": role, "03": each.get("qualifier") or "92", "04": each["id"]} for role, each in found if each.get("id")
    ]


def each_reference(references: Any = None) -> list[dict[str, str]]:
    """REF segments of the references a document echoes (`attributes.references`)."""
    found = references.items() if references.__class__ is dict else ()
    return [{"01": qualifier, "02": value} for qualifier, value in found]


def address_loops(document: Any = None, addresses: Any = None, ids: Any = None) -> list[dict[str, Any]]:
    """N1 loops of a document: `head`, `more`, `lines` and `place` are the elements of N1, N2, N3 and N4.

    Args:
        document: the canonical document; parties it echoes (`attributes.parties`) keep their ids.
        addresses: by role (N101) the field an address stands in.
        ids: by role our id of the party.
    """
    found = document if document.__class__ is dict else {}
    echoed = (found.get("attributes") or {}).get("parties") or {}
    roles = dict.fromkeys([*(addresses or {}), *(ids or {}), *echoed])
    loops = (
        _address_loop(role, found.get((addresses or {}).get(role)), echoed.get(role), (ids or {}).get(role))
        for role in roles
    )
    return [loop for loop in loops if loop is not None]


def _address_loop(role: str, address: Any, echoed: Any, own: Any) -> dict[str, Any] | None:
    stated, known = address or {}, echoed or {}
    number = known.get("id") or own
    company = stated.get("company")
    name = stated.get("name") or company
    if not number and not name:
        return None
    head = {"01": role, "02": name, "03": (known.get("qualifier") or "92") if number else None, "04": number}
    loop: dict[str, Any] = {"head": head}
    if company and company != name:
        loop["more"] = [{"01": company}]
    if stated.get("line1"):
        loop["lines"] = [{"01": stated["line1"], "02": stated.get("line2")}]
        if stated.get("line3"):
            loop["lines"].append({"01": stated["line3"]})
    if stated.get("city"):
        fields = ("city", "region", "postal_code", "country")
        loop["place"] = {f"{at:02d}": stated.get(each) for at, each in enumerate(fields, 1)}
    return loop


def two_ids(ids: Any = None) -> dict[str, str] | None:
    """The first two ids: a warehouse's line has room for no more before its other elements."""
    return dict(list(ids.items())[:2]) if ids.__class__ is dict else None


def units_in_all(lines: Any = None) -> str:
    """Sum of the lines' quantities as they are written."""
    return text_of(sum((decimal_of(in_units(line.get("quantity"), line) or "0") for line in listed(lines)), Decimal()))


def lines_told(told: Any = None, line: Any = None) -> list[dict[str, Any]]:
    """The decisions on a line, each beside its line.

    Raises:
        BadArgument: there is none, or their quantities do not add up to the line's.
    """
    decisions = listed(told)
    if not decisions:
        raise BadArgument("every line of an answer needs a decision")
    ordered = line.get("quantity") if line.__class__ is dict else None
    quantities = [each.get("quantity") for each in decisions]
    if ordered is not None and None not in quantities:
        total = sum((decimal_of(each) for each in quantities), Decimal())
        changed = any(each.get("status") == "quantity_changed" for each in decisions)
        if total != decimal_of(ordered) and not changed:
            raise BadArgument("the quantities of a line's decisions do not add up to the ordered one")
    return [{"told": each, "line": line} for each in decisions]


def charges(totals: Any = None) -> list[dict[str, str]]:
    """SAC segments of an invoice: discounts, shipping and fees, with two understood decimals.

    Source: X12 element 1300; C310 discount, D240 freight, F050 other charges.
    """
    stated = totals if totals.__class__ is dict else {}
    kinds = (("discount", "A", "C310"), ("shipping", "C", "D240"), ("fees", "C", "F050"))
    amounts = [(kind, code, cents((stated.get(name) or {}).get("amount"))) for name, kind, code in kinds]
    return [{"01": kind, "02": code, "05": amount} for kind, code, amount in amounts if amount not in (None, "0")]


def sscc18(extension: str, prefix: str, serial: int) -> str:
    """A new SSCC with its check digit. The caller keeps `serial` unique: a number may not be used again for a year.

    Args:
        extension: one digit, the owner's choice.
        prefix: the GS1 company prefix, 6 to 12 digits.
        serial: fills what the prefix leaves of 16 digits.

    Raises:
        ValueError: digits that are none, or a serial number too long for the room left.
    """
    room = 16 - len(prefix)
    if not (extension.isdigit() and len(extension) == 1 and prefix.isdigit() and 6 <= len(prefix) <= 12):
        raise ValueError("an SSCC is made from one digit and a company prefix of 6 to 12 digits")
    if not 0 <= serial < 10**room:
        raise ValueError(f"the serial number has room for {room} digits beside this prefix")
    body = f"{extension}{prefix}{serial:0{room}d}"
    return body + check_digit(body)


def cents(amount: Any = None) -> str | None:
    """An amount with two understood decimals (X12 type N2). Raises `BadArgument` for fractions of a cent."""
    if amount is None or amount == "":
        return None
    number = decimal_of(amount)
    if number != number.quantize(_CENT):
        raise BadArgument("an amount with two understood decimals has no fractions of a cent")
    return text_of((number * 100).quantize(Decimal(1)))


def balanced_total(invoice: Any = None) -> str:
    """The total an invoice must state: extended lines rounded to the cent, less discounts, plus charges and tax.

    Lines are extended as they are written, in stated units, and summed before rounding, half a cent away from zero.

    Raises:
        BadArgument: the document states another total, or a line without price or quantity.
    """
    document = invoice if invoice.__class__ is dict else {}
    total = Decimal()
    for line in listed(document.get("lines")):
        quantity, price = in_units(line.get("quantity"), line), (line.get("unit_price") or {}).get("amount")
        if quantity is None or price is None:
            raise BadArgument("every line of an invoice needs a quantity and a unit price")
        total += decimal_of(quantity) * decimal_of(price)
    totals = document.get("totals") or {}

    def part(name: str) -> Decimal:
        return decimal_of((totals.get(name) or {}).get("amount") or "0")

    found = total.quantize(_CENT, ROUND_HALF_UP)
    found += part("fees") + part("shipping") + (Decimal() if totals.get("tax_included") else part("tax"))
    found -= part("discount")
    stated = (totals.get("grand_total") or {}).get("amount")
    if stated is not None and decimal_of(stated) != found:
        raise BadArgument("the lines, charges, discounts and tax do not add up to the stated total")
    return text_of(found)


TRADE_OUTWARD: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "compact_day": compact_day, "compact_time": compact_time, "with_pairs": with_pairs, "ids_out": ids_out,
        "unit_out": unit_out, "in_units": in_units, "sscc_out": sscc_out, "cents": cents,
        "balanced_total": balanced_total, "each_party": each_party, "each_reference": each_reference,
        "lines_told": lines_told, "code_out": code_out, "address_loops": address_loops, "two_ids": two_ids,
        "units_in_all": units_in_all, "charges": charges,
    }
)  # fmt: skip
"""By the name after `$`."""
