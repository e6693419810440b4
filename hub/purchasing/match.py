"""The four-way match of a purchase order: ordered, acknowledged, shipped, received and invoiced side by side.

The tolerance is zero: every unit and every price that differs is named, as soon as both sides of it are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.purchasing.stand import LineStanding, Price, Standing
from hub.purchasing.standing import REFUSED

Json = dict[str, Any]


def rows(order: Mapping[str, Any], stands: Standing) -> list[Json]:
    """One row per line of ours. Quantities are eaches, prices as stated, in the line's currency."""
    return [_row(line, stands.lines[line["number"]]) for line in order["lines"]]


def strangers(stands: Standing) -> list[Json]:
    """Lines of documents that are not on the order."""
    return [
        {
            "document": told.kind,
            "account": told.account,
            "source_id": told.source_id,
            "line": one.number,
            "items": list(one.items) or ([one.gtin] if one.gtin else []),
            "quantity": one.quantity,
            "uom": one.uom,
        }
        for told, one in stands.strangers
    ]


def _row(line: Mapping[str, Any], stand: LineStanding) -> Json:
    cost = (line.get("unit_cost") or {}).get("amount")
    told = {price.amount for price in stand.answer_prices}
    invoiced = {price.amount for price in stand.invoice_prices}
    return {
        "number": line["number"],
        "sku": line.get("sku"),
        "ordered": stand.wanted,
        "acknowledged": stand.acknowledged if stand.answered else None,
        "shipped": stand.total_shipped,
        "received": stand.total_received,
        "damaged": stand.damaged,
        "invoiced": stand.invoiced,
        "incoming": sum(stand.incoming().values()),
        "unit_cost": cost,
        "acknowledged_prices": sorted(told),
        "invoiced_prices": sorted(invoiced),
        "differences": [*_quantities(stand), *_prices(line, cost, stand)],
    }


def _quantities(stand: LineStanding) -> Iterator[Json]:
    acknowledged = stand.acknowledged
    if stand.answered and acknowledged != stand.wanted:
        yield _difference("acknowledged", stand.wanted, acknowledged, "as ordered")
    for part, units in stand.parts:
        if part.status in REFUSED and units:
            yield {"kind": part.status, "units": units, "text": f"{units} {part.status} by the supplier"}
        elif part.status in ("held", "unknown") and units:
            yield {"kind": part.status, "units": units, "text": f"{units} {part.status}: neither promised nor refused"}
        elif part.status == "substituted":
            text = f"{units} substituted by {part.item or 'an article not named'}"
            if part.sku is None and part.item:
                text += ", which is no SKU of ours"
            yield {"kind": "substituted", "units": units, "text": text}
    expected = acknowledged if stand.answered else stand.wanted
    if stand.total_shipped and stand.total_shipped != expected:
        yield _difference(
            "shipped", expected, stand.total_shipped, "as acknowledged" if stand.answered else "as ordered"
        )
    if stand.total_received and stand.total_received != (stand.total_shipped or expected):
        basis = "as shipped" if stand.total_shipped else "as acknowledged" if stand.answered else "as ordered"
        yield _difference("received", stand.total_shipped or expected, stand.total_received, basis)
    if stand.damaged:
        yield {"kind": "damaged", "units": stand.damaged, "text": f"{stand.damaged} received damaged"}
    if stand.invoiced and stand.invoiced != stand.total_received:
        yield _difference("invoiced", stand.total_received, stand.invoiced, "as received")
    for text in stand.unread:
        yield {"kind": "unit", "units": None, "text": f"{text}: how many eaches that is, is not known"}


def _difference(kind: str, expected: int, found: int, basis: str) -> Json:
    off = found - expected
    text = f"{found} {kind}, {expected} {basis}: {abs(off)} {'more' if off > 0 else 'fewer'}"
    return {"kind": kind, "units": off, "text": text}


def _prices(line: Mapping[str, Any], cost: str | None, stand: LineStanding) -> Iterator[Json]:
    if cost is None:
        return
    ordered = Price(cost, line.get("price_uom"), (line.get("unit_cost") or {}).get("currency"))
    for word, prices in (("acknowledged", stand.answer_prices), ("invoiced", stand.invoice_prices)):
        for price in dict.fromkeys(prices):
            found = _price(word, ordered, price)
            if found is not None:
                yield found


def _price(word: str, ordered: Price, price: Price) -> Json | None:
    """What differs between a price and the one ordered at; None when nothing does."""
    if price.currency and ordered.currency and price.currency != ordered.currency:
        text = f"{word} in {price.currency}, ordered in {ordered.currency}"
        return {"kind": "currency", "units": None, "text": text}
    unit, other = ordered.uom or "EA", price.uom or "EA"
    if other != unit:
        text = f"{word} {price.amount} per {other}, ordered {ordered.amount} per {unit}: not comparable"
        return {"kind": "price_unit", "units": None, "text": text}
    off = Decimal(price.amount) - Decimal(ordered.amount)
    if not off:
        return None
    text = f"{price.amount} {word}, {ordered.amount} ordered: {off:+f} per unit"
    return {"kind": f"{word}_price", "units": None, "text": text}
