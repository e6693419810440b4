"""What a warehouse that ships for us is told of an order: which lines, how many, and what has changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, Literal

from hub.ports.store import OrderRow

Json = dict[str, Any]
Step = Literal["send", "change", "cancel"]

WAREHOUSE_ORDER: Final = "warehouse_order"
SENT: Final = "sent"
CANCELLED: Final = "cancelled"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS: Final = 12
_REFERENCE_MAX: Final = 30
"""X12 element 127, N902."""


def number_of(account: str, source_id: str, location: str) -> str:
    """Our number of the order at a warehouse (W0502), the same whenever it is asked for.

    Channels number their orders as they like, and two may choose the same; this one is ours alone and fits into the
    22 characters of the element. Source: X12 element 285, 004010.
    """
    name = f"{account}\x00{source_id}\x00{location}".encode()
    value = int.from_bytes(blake2b(name, digest_size=8).digest()) >> (64 - 5 * _DIGITS)
    digits = (_ALPHABET[(value >> 5 * place) & 31] for place in reversed(range(_DIGITS)))
    return "T" + "".join(digits)


def targets(row: OrderRow, location: str) -> dict[tuple[str, str], int]:
    """(line, SKU) -> units of it the warehouse has to ship in all, those that have left included."""
    found: dict[tuple[str, str], int] = {}
    for one in row.allocations:
        for sku, place, each in one.parts:
            if place == location:
                found[one.line_id, sku] = (one.reserved + one.shipped) * each
    return {key: units for key, units in found.items() if units}


def sent_targets(stored: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """The same as the warehouse was told last."""
    if stored["attributes"].get("state") != SENT:
        return {}
    return {(line["properties"]["line"], line["sku"]): line["quantity"] for line in stored["lines"]}


def has_left(row: OrderRow, location: str) -> bool:
    """Whether the warehouse has shipped any of it: it closes an order with its first advice."""
    return any(one.shipped for one in row.allocations if any(place == location for _, place, _ in one.parts))


def step(row: OrderRow, stored: Mapping[str, Any] | None, location: str, *, ready: bool) -> Step | None:
    """What is to be done about the order at one of our locations; None when the warehouse knows all there is."""
    wanted = targets(row, location)
    told = sent_targets(stored) if stored is not None else {}
    if not told:
        open_units = any(one.reserved for one in row.allocations)
        fit = ready and open_units and row.state == "open" and not row.holds and not has_left(row, location)
        return "send" if wanted and fit else None
    if wanted == told or has_left(row, location):
        return None
    return "change" if wanted else "cancel"


def lines_at(row: OrderRow, document: Mapping[str, Any], location: str) -> list[Json]:
    """Lines of the warehouse order. A kit's parts have numbers that are no line's, so they come back as its parts."""
    stated = {line["id"]: line for line in document["lines"]}
    kits = {one.line_id for one in row.allocations if any(sku != one.sku for sku, _, _ in one.parts)}
    return [
        {
            "id": f"{line}/{sku}"[:_REFERENCE_MAX] if line in kits else line,
            "sku": sku,
            "gtin": None if line in kits else stated.get(line, {}).get("gtin"),
            "quantity": units,
            "uom": "EA",
            "properties": {"line": line},
        }
        for (line, sku), units in targets(row, location).items()
    ]


def order_fields(document: Mapping[str, Any], lines: list[Json], location: str) -> Json:
    """What the warehouse order says beside its number: when, how and what; nobody's address."""
    requested = document.get("requested") or {}
    shipping: Json = next(iter(document.get("shipping") or ()), {})
    return {
        "purchase_order_number": document.get("purchase_order_number"),
        "location": location,
        "ship_by": requested.get("ship_by"),
        "deliver_by": requested.get("deliver_by"),
        "carrier": requested.get("carrier") or shipping.get("carrier"),
        "carrier_raw": requested.get("carrier_raw") or shipping.get("carrier_raw"),
        "service": requested.get("service") or shipping.get("service") or shipping.get("method"),
        "lines": lines,
    }
