"""Bodies that acknowledge an order, of either programme.

Retail: each line is answered part by part; a line that is left out counts as refused, and a later
acknowledgement of a line replaces the earlier one. Direct: the whole order or nothing.

Source: vendorOrders model, OrderAcknowledgement; vendorDirectFulfillmentOrders_2021-12-28 model,
OrderAcknowledgementItem; developer-docs.amazon.com/sp-api "submit order acknowledgement", "submit an
acknowledgement" and the direct-fulfilment orders use case guide, codes 00, 02 and 03 (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.amazon.vendor.orders import Row, VendorOrder
from connectors.sdk.errors import Rejected

ACCEPTED: Final = "Accepted"
BACKORDERED: Final = "Backordered"
REFUSED: Final = "Rejected"
CODES: Final[Mapping[str, str]] = {
    "accepted": ACCEPTED,
    "backordered": BACKORDERED,
    "rescheduled": BACKORDERED,
    "rejected": REFUSED,
    "deleted": REFUSED,
}
"""Canonical line states Amazon can be told; any other has no word there."""

REASONS: Final = ("TemporarilyUnavailable", "InvalidProductIdentifier", "ObsoleteProduct")
DIRECT_CODES: Final[Mapping[str, tuple[str, str]]] = {
    ACCEPTED: ("00", "Shipping 100 percent of ordered product"),
    "InvalidProductIdentifier": ("02", "Canceled due to missing/invalid SKU"),
    REFUSED: ("03", "Canceled out of stock"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Units of one line, in eaches, and what is said of them."""

    code: str
    units: int
    expected_at: str | None = None
    reason: str | None = None


def retail(order: VendorOrder, document: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The body for a purchase order.

    Raises:
        Rejected: What is to be said does not fit the order as it stands.
    """
    items = [item for item in order.items if _amount(item)]
    if not items:
        raise Rejected(f"nothing of order {order.number} is left to acknowledge", code="nothing_ordered")
    acknowledgement = {
        "purchaseOrderNumber": order.number,
        "sellingParty": _required(order, "sellingParty"),
        "acknowledgementDate": at,
        "items": [_retail_item(item, said(item, document)) for item in items],
    }
    return {"acknowledgements": [acknowledgement]}


def direct(order: VendorOrder, document: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The body for a direct order: all of it, or none.

    Raises:
        Rejected: The document accepts a part, which this programme does not allow.
    """
    parts = [part for item in order.items for part in said(item, document)]
    codes = {part.code for part in parts}
    if not parts or len(codes) != 1 or BACKORDERED in codes:
        raise Rejected(
            f"order {order.number} must be accepted or refused as a whole; direct fulfilment knows no parts and no "
            "backorders",
            code="partial_acknowledgement",
        )
    (code,) = codes
    reason = next((part.reason for part in parts if part.reason in DIRECT_CODES), None)
    number, words = DIRECT_CODES[code if code == ACCEPTED else reason or REFUSED]
    acknowledgement = {
        "purchaseOrderNumber": order.number,
        "vendorOrderNumber": order.number,
        "acknowledgementDate": at,
        "acknowledgementStatus": {"code": number, "description": words},
        "sellingParty": _required(order, "sellingParty"),
        "shipFromParty": _required(order, "shipFromParty"),
        "itemAcknowledgements": [
            {
                **identified(item),
                "acknowledgedQuantity": {
                    "amount": _amount(item) if code == ACCEPTED else 0,
                    "unitOfMeasure": "Each",
                },
            }
            for item in order.items
        ],
    }
    return {"orderAcknowledgements": [acknowledgement]}


def said(item: Row, document: Mapping[str, Any]) -> list[Part]:
    """What the document says of one line. An order says yes to what was taken of it; an acknowledgement says it
    part by part.

    Raises:
        Rejected: The line is not ours to accept unasked, or what is said is more than was ordered.
    """
    number = str(item.get("itemSequenceNumber") or "")
    line = _line(document, number)
    ordered = _amount(item) * pack(item)
    if document.get("type") != "order_acknowledgement":
        return _taken(number, line, ordered)
    parts = [_part(number, each) for each in (line or {}).get("acknowledged") or ()]
    left = ordered - sum(part.units for part in parts)
    if left < 0:
        raise Rejected(f"line {number} acknowledges more than the {ordered} ordered", code="too_many")
    if left:
        parts.append(Part(REFUSED, left, reason=REASONS[0]))
    return parts


def _taken(number: str, line: Mapping[str, Any] | None, ordered: int) -> list[Part]:
    """Yes to what the order held when it was taken: what Amazon added since is reserved by nobody."""
    if line is None or line.get("sku") is None:
        why = "was not part of this order when it was taken" if line is None else "is no item of ours"
        raise Rejected(
            f"line {number} {why}; acknowledge this order with what becomes of each line", code="unknown_item"
        )
    quantity = line.get("quantity")
    known = quantity - int(line.get("cancelled_quantity") or 0) if isinstance(quantity, int) else ordered
    accepted = max(0, min(known, ordered))
    parts = [Part(ACCEPTED, accepted)] if accepted else []
    return parts + ([Part(REFUSED, ordered - accepted, reason=REASONS[0])] if ordered > accepted else [])


def pack(item: Row) -> int:
    """Eaches in one stated unit."""
    quantity = item.get("orderedQuantity")
    if not isinstance(quantity, Mapping) or str(quantity.get("unitOfMeasure") or "").upper() != "CASES":
        return 1
    size = quantity.get("unitSize")
    if not isinstance(size, int) or size < 1:
        raise Rejected("the order states cases without their size", code="case_size")
    return size


def stated(item: Row, units: int) -> dict[str, Any]:
    """Eaches in the unit the order uses.

    Raises:
        Rejected: They are no whole number of cases.
    """
    size = pack(item)
    if units % size:
        number = item.get("itemSequenceNumber")
        raise Rejected(f"line {number}: {units} units are no whole number of cases of {size}", code="broken_case")
    quantity = item.get("orderedQuantity")
    stated_unit = quantity.get("unitOfMeasure") if isinstance(quantity, Mapping) else None
    found: dict[str, Any] = {"amount": units // size, "unitOfMeasure": "Cases" if size > 1 else "Eaches"}
    if str(stated_unit or "").upper() == "CASES":
        found |= {"unitOfMeasure": "Cases", "unitSize": size}
    return found


def identified(item: Row) -> dict[str, str]:
    """A line's number and identifiers, as the order named them."""
    names = ("itemSequenceNumber", "amazonProductIdentifier", "buyerProductIdentifier", "vendorProductIdentifier")
    return {name: str(item[name]) for name in names if item.get(name) not in (None, "")}


def _retail_item(item: Row, parts: Sequence[Part]) -> dict[str, Any]:
    found: dict[str, Any] = {**identified(item), "orderedQuantity": stated(item, _amount(item) * pack(item))}
    # The cost must match what is invoiced; books go by their list price.
    found |= {name: item[name] for name in ("netCost", "listPrice") if item.get(name)}
    rows = []
    for part in parts:
        if part.code == BACKORDERED and item.get("isBackOrderAllowed") is False:
            number = item.get("itemSequenceNumber")
            raise Rejected(f"Amazon takes no backorder of line {number}", code="no_backorder")
        row: dict[str, Any] = {"acknowledgementCode": part.code, "acknowledgedQuantity": stated(item, part.units)}
        if part.expected_at and part.code != REFUSED:
            row["scheduledShipDate"] = part.expected_at
        if part.code == REFUSED:
            row["rejectionReason"] = part.reason or REASONS[0]
        rows.append(row)
    return found | {"itemAcknowledgements": rows}


def _part(number: str, said_of: Any) -> Part:
    status, units = said_of.get("status"), said_of.get("quantity")
    code = CODES.get(str(status))
    if code is None:
        raise Rejected(f"line {number}: Amazon has no word for {status!r}", code="unknown_status")
    if not isinstance(units, int) or isinstance(units, bool) or units < 1:
        raise Rejected(f"line {number}: {units!r} is no number of units", code="no_quantity")
    at = said_of.get("expected_at")
    if code == BACKORDERED and not at:
        raise Rejected(f"line {number}: a backorder needs the day it is expected", code="no_date")
    raw = said_of.get("status_raw")
    when = f"{at}T00:00:00Z" if isinstance(at, str) and len(at) == len("2026-11-21") else at
    return Part(code, units, when, raw if raw in REASONS else None)


def _line(document: Mapping[str, Any], number: str) -> Mapping[str, Any] | None:
    lines = document.get("lines") or ()
    return next((line for line in lines if str(line.get("id") or line.get("number")) == number), None)


def _amount(item: Row) -> int:
    quantity = item.get("orderedQuantity")
    amount = quantity.get("amount") if isinstance(quantity, Mapping) else None
    return amount if isinstance(amount, int) else 0


def _required(order: VendorOrder, name: str) -> Mapping[str, str]:
    party = order.party(name)
    if party is None:
        raise Rejected(f"order {order.number} names no {name}", code="no_party")
    return party
