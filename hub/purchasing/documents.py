"""A purchase order as it is stored, and what its supplier is sent: JSON of canonical documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import canonical
from hub.purchasing.stand import LineStanding, Standing

Json = dict[str, Any]
PURCHASE_ORDER = "purchase_order"
_MILLISECOND = 1000


def first(asked: Mapping[str, Any], at: int, at_text: str) -> Json:
    """The new order's document; `asked` is a checked request, `at` its instant in microseconds."""
    number = asked["number"]
    return {
        "type": PURCHASE_ORDER,
        "id": canonical.document_id(PURCHASE_ORDER, at // _MILLISECOND, "", PURCHASE_ORDER, number),
        "source": {"connector": "hub", "kind": PURCHASE_ORDER, "id": number, "version": "0", "occurred_at": at_text},
        "number": number,
        "supplier": {"id": asked["supplier"], "name": asked.get("supplier_name")},
        "state": "draft" if asked.get("draft") else "sent",
        "revision": "0",
        "placed_at": at_text,
        "updated_at": at_text,
        "expected_at": asked.get("expected_at"),
        "currency": asked.get("currency"),
        "location": asked["location"],
        "lines": list(asked["lines"]),
        "ship_to": asked.get("ship_to"),
        "note": asked.get("note"),
    }


def revised(order: Mapping[str, Any], lines: Sequence[Json], revision: str, at_text: str) -> Json:
    source = {**order["source"], "version": revision}
    return {**order, "lines": list(lines), "revision": revision, "updated_at": at_text, "source": source}


def standing_in(order: Mapping[str, Any], stands: Standing, at_text: str | None) -> Json:
    """The order with what became of its lines."""
    lines = [_line(line, stands.lines[line["number"]]) for line in order["lines"]]
    return {**order, "state": stands.state, "lines": lines, "updated_at": at_text}


def _line(line: Mapping[str, Any], stand: LineStanding) -> Json:
    acknowledged = [
        {
            "quantity": units,
            "status": part.status,
            "expected_at": part.expected_at,
            "unit_price": None if part.price is None else {"amount": part.price, "currency": _currency(line)},
            "channel_sku": part.item,
        }
        for part, units in stand.parts
    ]
    return {**line, "acknowledged": acknowledged, "shipped_quantity": stand.total_shipped,
            "received_quantity": stand.total_received}  # fmt: skip


def _currency(line: Mapping[str, Any]) -> str | None:
    return (line.get("unit_cost") or {}).get("currency")


def change(order: Mapping[str, Any], told: Sequence[Json], revision: str, at_text: str, *, cancels: bool) -> Json:
    """What an order's supplier is told of a change (860): each line as it is from now on."""
    number = order["number"]
    attributes: Json = {"order_date": order["placed_at"][:10]}
    if cancels:
        attributes["purpose"] = "01"
    return {
        "type": "order_change",
        "id": canonical.document_id("order_change", 0, "", PURCHASE_ORDER, number, revision),
        "source": {"connector": "hub", "kind": "order_change", "id": f"{number}:{revision}", "version": revision,
                   "occurred_at": at_text},
        "attributes": attributes,
        "purchase_order_number": number,
        "number": f"{number}:{revision}",
        "revision": revision,
        "at": at_text,
        "lines": list(told),
    }  # fmt: skip
