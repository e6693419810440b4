"""The four-way match of a purchase order: ordered, acknowledged, shipped, received and invoiced side by side.

The tolerance is zero: every unit and every price that differs is named, as soon as both sides of it are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.purchasing.standing import REFUSED, LineStanding, Standing

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
    told = {part.price for part, _ in stand.parts if part.price is not None}
    invoiced = {price for price, _ in stand.invoice_prices}
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
    for part, _ in stand.parts:
        if part.price is not None and Decimal(part.price) != Decimal(cost):
            yield _price("acknowledged_price", cost, part.price)
    unit = line.get("price_uom") or "EA"
    for price, uom in stand.invoice_prices:
        if (uom or "EA") != unit:
            text = f"invoiced {price} per {uom or 'EA'}, ordered {cost} per {unit}: not comparable"
            yield {"kind": "price_unit", "units": None, "text": text}
        elif Decimal(price) != Decimal(cost):
            yield _price("invoiced_price", cost, price)


def _price(kind: str, cost: str, price: str) -> Json:
    off = Decimal(price) - Decimal(cost)
    text = f"{price} {'acknowledged' if kind.startswith('ack') else 'invoiced'}, {cost} ordered: {off:+f} per unit"
    return {"kind": kind, "units": None, "text": text}
