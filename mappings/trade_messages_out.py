"""Functions for EDIFACT messages on their way out: segments and groups as JSON, in the shape they are read in.

Source: UN/EDIFACT directories D.93A to D.10B and the EANCOM guides (lengths of D.96A), general knowledge (2026-11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, Final

from mappings.arithmetic import BadArgument, decimal_of, text_of
from mappings.trade import listed
from mappings.trade_outward import (
    code_out,
    compact_day,
    compact_time,
    ids_out,
    in_units,
    lines_told,
    unit_out,
)

_CENT: Final = Decimal("0.01")
_NAME_MAX: Final = 35
_TEXT_MAX: Final = 70
_PARTS_MAX: Final = 5
_NUMBERS: Final = frozenset({"EN", "SRV", "UP", "UK", "EO"})
"""7143 of a number that stands in LIN itself: GTIN and its narrower forms, all told as EN but SRV."""
_AGENCIES: Final = MappingProxyType({"14": "9", "UL": "9", "9": "9"})
"""3055 by the qualifier an id has elsewhere: GS1."""
_RESPONSES: Final = MappingProxyType(
    {"accepted": "5", "rejected": "7", "deleted": "2", "backordered": "3", "quantity_changed": "3",
     "price_changed": "3", "substituted": "3", "held": "3", "rescheduled": "24"}
)  # fmt: skip
"""1229 of a line that is answered."""


def message_dates(stated: Any = None) -> list[dict[str, Any]]:
    """DTM segments of the times stated, by qualifier: a date as 102, an instant to the minute, UTC, as 203."""
    found = []
    for code, value in (stated or {}).items():
        day, clock = compact_day(value), compact_time(value)
        if day:
            found.append({"01": {"01": code, "02": day + (clock or ""), "03": "203" if clock else "102"}})
    return found


def message_references(stated: Any = None) -> list[dict[str, Any]]:
    """RFF groups of references by qualifier."""
    return [{"RFF": {"01": {"01": code, "02": str(value)}}} for code, value in (stated or {}).items() if value]


def message_text(text: Any = None) -> list[dict[str, Any]]:
    """An FTX segment of a note (AAI), five times 70 characters; what is longer goes on in the next one."""
    parts = _pieces(text, _TEXT_MAX)
    runs = [parts[at : at + _PARTS_MAX] for at in range(0, len(parts), _PARTS_MAX)]
    return [{"01": "AAI", "04": _composite(run)} for run in runs]


def message_parties(document: Any = None, addresses: Any = None, ids: Any = None) -> list[dict[str, Any]]:
    """NAD groups of a document.

    Args:
        document: the canonical document; parties it echoes (`attributes.parties`) keep their ids.
        addresses: by role (3035) the field an address stands in.
        ids: by role an identity of the profile (`qualifier`, `id`), or an id of ours.
    """
    found = document if document.__class__ is dict else {}
    echoed = (found.get("attributes") or {}).get("parties") or {}
    roles = dict.fromkeys([*(ids or {}), *(addresses or {}), *echoed])
    parties = (
        _party(role, found.get((addresses or {}).get(role)) or {}, echoed.get(role) or (ids or {}).get(role))
        for role in roles
    )
    return [{"NAD": each} for each in parties if len(each) > 1]


def _party(role: str, address: dict[str, Any], known: Any) -> dict[str, Any]:
    identity = known if known.__class__ is dict else {"id": known}
    found: dict[str, Any] = {"01": role}
    if identity.get("id"):
        found["02"] = {"01": identity["id"], "03": _AGENCIES.get(identity.get("qualifier") or "", "92")}
    name = [each for each in (address.get("name"), address.get("company")) if each]
    street = [each for each in (address.get("line1"), address.get("line2"), address.get("line3")) if each]
    if name:
        found["04"] = _composite([piece for each in name for piece in _pieces(each, _NAME_MAX)][:_PARTS_MAX])
    if street:
        found["05"] = _composite([piece for each in street for piece in _pieces(each, _NAME_MAX)][:4])
    places = {"06": "city", "08": "postal_code", "09": "country"}
    found |= {at: address[key] for at, key in places.items() if address.get(key)}
    return found | ({"07": {"01": address["region"]}} if address.get("region") else {})


def _pieces(text: Any, width: int) -> list[str]:
    whole = " ".join(str(text or "").split())
    return [whole[at : at + width].strip() for at in range(0, len(whole), width)]


def _composite(parts: list[str]) -> dict[str, str]:
    return {f"{at:02d}": part for at, part in enumerate(parts, 1)}


def article_out(line: Any = None, terms: Any = None) -> dict[str, Any]:
    """`lin`, the composite of LIN03, and `pia`, the segments of the other ids, as the partner wants them.

    Without an article number of its own the line is named by PIA 5, with one they are additional (PIA 1).
    """
    ids = ids_out(line, terms) or {}
    main = next((code for code in ids if code in _NUMBERS), None)
    others = [{"01": value, "02": code} for code, value in ids.items() if code != main][:_PARTS_MAX]
    found: dict[str, Any] = {}
    if main is not None:
        found["lin"] = {"01": ids[main], "02": "SRV" if main == "SRV" else "EN"}
    if others:
        function = "1" if main is not None else "5"
        found["pia"] = [{"01": function, **{f"{at:02d}": each for at, each in enumerate(others, 2)}}]
    return found


def message_quantity(
    code: Any = None, quantity: Any = None, line: Any = None, units: Any = None
) -> dict[str, Any] | None:
    """A QTY segment in the unit the line was ordered in; pieces are told without a unit."""
    if quantity is None or quantity == "":
        return None
    stated = line if line.__class__ is dict else {}
    unit = unit_out((stated.get("properties") or {}).get("uom_stated") or stated.get("uom"), units)
    told = {"01": str(code), "02": in_units(quantity, stated)}
    return {"01": told if unit in ("EA", "PCE") else {**told, "03": unit}}


def responded(line: Any = None, partner: Any = None) -> dict[str, Any]:
    """What an ORDRSP says of a line: `action` (1229), `quantities`, `dates` and `substitutes`.

    A line has one action: what its decisions have in common, else changed, its parts told by quantities (21 ordered,
    113 accepted, 83 to follow).

    Raises:
        BadArgument: no decision, decisions that do not add up, or a word the partner has no code for.
    """
    stated = line if line.__class__ is dict else {}
    told = [each["told"] for each in lines_told(stated.get("acknowledged"), stated)]
    terms = partner if partner.__class__ is dict else {}
    own, units = (terms.get("outward") or {}).get("line_status"), terms.get("units")
    actions = list(dict.fromkeys(code_out(each.get("status"), own, dict(_RESPONSES)) for each in told))
    sums = {name: _sum(told, statuses) for name, statuses in _PARTS.items()}
    quantities = [message_quantity("21", stated.get("quantity"), stated, units)]
    if actions != ["5"]:
        quantities += [message_quantity(code, sums[code], stated, units) for code in _PARTS]
    dates = [message_dates({"67": each.get("expected_at")}) for each in told]
    substitutes = [
        each["channel_sku"] for each in told if each.get("status") == "substituted" and each.get("channel_sku")
    ]
    found: dict[str, Any] = {
        "action": actions[0] if len(actions) == 1 else "3",
        "quantities": [each for each in quantities if each is not None],
        "dates": next((each for each in dates if each), []),
    }
    if substitutes:
        found["substitutes"] = [{"01": "3", "02": {"01": substitutes[0], "02": "SA"}}]
    return found


_PARTS: Final = MappingProxyType(
    {"113": frozenset({"accepted", "quantity_changed", "price_changed", "substituted", "rescheduled"}),
     "83": frozenset({"backordered"})}
)  # fmt: skip


def _sum(told: list[dict[str, Any]], statuses: frozenset[str]) -> str | None:
    found = [decimal_of(each["quantity"]) for each in told
             if each.get("status") in statuses and each.get("quantity") is not None]  # fmt: skip
    return text_of(sum(found, Decimal())) if found else None


def invoiced(invoice: Any = None) -> dict[str, Any]:
    """Amounts of an INVOIC: `items`, `tax`, `total`, and the groups of `allowances`.

    Each line is rounded to the cent, half away from zero, and then they are summed.

    Raises:
        BadArgument: a line without price or quantity, or a stated total that is not lines less discounts plus charges
            and tax.
    """
    found = invoice if invoice.__class__ is dict else {}
    totals = found.get("totals") or {}
    lines = [_line_amount(each) for each in listed(found.get("lines"))]

    def part(name: str) -> Decimal:
        return decimal_of((totals.get(name) or {}).get("amount") or "0")

    items = sum(lines, Decimal())
    tax = Decimal() if totals.get("tax_included") else part("tax")
    total = items - part("discount") + part("fees") + part("shipping") + tax
    stated = (totals.get("grand_total") or {}).get("amount")
    if stated is not None and decimal_of(stated) != total:
        raise BadArgument("the lines, charges, discounts and tax do not add up to the stated total")
    told = {"items": text_of(items), "total": text_of(total)}
    charges = (("A", part("discount")), ("C", part("fees") + part("shipping")))
    allowances = [{"ALC": {"01": kind}, "MOA_loop": [_money("8", amount)]} for kind, amount in charges if amount]
    return told | ({"tax": text_of(tax)} if tax else {}) | {"allowances": allowances}


def _money(code: str, amount: Decimal) -> dict[str, Any]:
    return {"MOA": {"01": {"01": code, "02": text_of(amount)}}}


def line_amount(line: Any = None) -> str:
    """What a line costs as it is written, to the cent."""
    return text_of(_line_amount(line if line.__class__ is dict else {}))


def _line_amount(line: dict[str, Any]) -> Decimal:
    quantity, price = in_units(line.get("quantity"), line), (line.get("unit_price") or {}).get("amount")
    if quantity is None or price is None:
        raise BadArgument("every line of an invoice needs a quantity and a unit price")
    return (decimal_of(quantity) * decimal_of(price)).quantize(_CENT, ROUND_HALF_UP)


MESSAGES_OUT: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "message_dates": message_dates, "message_references": message_references, "message_text": message_text,
        "message_parties": message_parties, "article_out": article_out, "message_quantity": message_quantity,
        "responded": responded, "invoiced": invoiced,
        "line_amount": line_amount,
    }
)  # fmt: skip
"""By the name after `$`."""
