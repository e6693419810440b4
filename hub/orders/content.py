"""An order's stored JSON: reading its lines back, comparing two copies, finishing one.

Works on plain dicts, because what is stored was validated when it was mapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.orders.allocation import NO_LOCATION, OVERSOLD, UNKNOWN_SKU
from hub.orders.articles import other_names
from hub.orders.facts import LineFacts

Json = dict[str, Any]
Hold = tuple[str, str | None]
"""(name, reason)"""

OURS = frozenset({OVERSOLD, UNKNOWN_SKU, NO_LOCATION})
"""holds the hub sets and lifts itself; all others come with the order"""

REDACTED = "redacted"
"""attribute of an order whose person asked to be forgotten: later copies bring nothing back"""
_REDACTED_MARK = '"redacted":true'


def load(text: str) -> Json:
    document: Json = orjson.loads(text)
    return document


def dump(document: Json) -> str:
    return orjson.dumps(document).decode()


def is_redacted(text: str) -> bool:
    # Nearly no order has the mark, and to find that out `in` takes four times as long.
    return text.rfind(_REDACTED_MARK) >= 0 and load(text)["attributes"].get(REDACTED) is True


def lines_in(document: Json) -> tuple[LineFacts, ...]:
    """The same facts the order's own lines gave when it was first read."""
    return tuple(
        LineFacts(
            line["id"],
            line.get("channel_sku") or line.get("sku") or "",
            line["quantity"],
            line.get("cancelled_quantity", 0),
            line.get("fulfilled_quantity", 0),
            line.get("returned_quantity", 0),
            line.get("fulfilled_by", "merchant") == "merchant" and line.get("requires_shipping", True),
            line.get("ship_from") or line.get("ship_from_raw"),
            other_names(line.get("channel_sku") or "", (line.get("properties") or {}).get("ids"), line.get("gtin")),
        )
        for line in document["lines"]
    )


def channel_holds(document: Json) -> list[Hold]:
    return [(hold["name"], hold.get("reason")) for hold in document.get("holds", ()) if hold["name"] not in OURS]


def same(one: Json, other: Json) -> bool:
    """Equal in all the channel says: where it came from and what the hub added is left out."""
    return _said(one) == _said(other)


def _said(document: Json) -> Json:
    said = {key: value for key, value in document.items() if key not in {"source", "id", "holds", "lines", "state"}}
    said["attributes"] = {key: value for key, value in document.get("attributes", {}).items() if key != REDACTED}
    state = document.get("state")
    said["state"] = "open" if state == "held" else state
    said["holds"] = channel_holds(document)
    said["lines"] = [{key: value for key, value in line.items() if key != "sku"} for line in document.get("lines", ())]
    return said


def same_document(one: str, other: str) -> bool:
    """Equal but for where they came from; for documents other than orders."""
    if one == other:
        return True
    first, second = load(one), load(other)
    return {**first, "source": None, "id": None} == {**second, "source": None, "id": None}


def finish(
    document: Json, order_id: str, state: str, skus: Mapping[str, str], holds: Sequence[Hold], *, redacted: bool
) -> str:
    """The text to store: our id, our SKUs, every hold, and `held` where one stands on an open order."""
    document["id"] = order_id
    document["state"] = state
    for line in document["lines"]:
        sku = skus.get(line["id"])
        if sku is not None:
            line["sku"] = sku
    document["holds"] = [{"name": name, "reason": reason} for name, reason in holds]
    if redacted:
        document["attributes"] = {**document.get("attributes", {}), REDACTED: True}
    return dump(document)
