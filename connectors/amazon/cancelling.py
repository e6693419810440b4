"""Cancelling as the seller: lines of an order that is not shipped, whole lines only.

Source: OrderAcknowledgement.xsd (release 1.9): status Failure with a CancelReason per item, no quantity;
developer-docs.amazon.com/sp-api "feed type values" (read 2026-11). Units of a line are given back by a refund.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from connectors.amazon import order_reading, xmlfeeds
from connectors.amazon.order_reading import line_for, line_id, lines_of, open_units, ordered, quantity_of, rows_in
from connectors.sdk.errors import Rejected

REASONS: Final[Mapping[str, str]] = {
    "customer": "BuyerCanceled",
    "inventory": "NoInventory",
    "address": "ShippingAddressUndeliverable",
    "price": "GeneralAdjustment",
    "fraud": "GeneralAdjustment",
    "declined": "GeneralAdjustment",
    "duplicate": "GeneralAdjustment",
    "timeout": "GeneralAdjustment",
    "channel": "GeneralAdjustment",
    "seller": "GeneralAdjustment",
    "other": "GeneralAdjustment",
}
"""Canonical reason → CancelReason."""

AMAZON_REASONS: Final = frozenset(
    {
        "NoInventory", "ShippingAddressUndeliverable", "CustomerExchange", "BuyerCanceled", "GeneralAdjustment",
        "CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "CustomerReturn",
        "MerchandiseNotReceived",
    }
)  # fmt: skip

Line = Mapping[str, Any]


def reason_of(cancellation: Mapping[str, Any]) -> str:
    """Raises: Rejected: The reason is none of Amazon's."""
    raw = str(cancellation.get("reason_raw") or "")
    found = raw if raw in AMAZON_REASONS else REASONS.get(str(cancellation.get("reason") or ""))
    if found is None:
        known = ", ".join(REASONS)
        raise Rejected(f"Amazon needs a reason for a cancellation, one of: {known}", code="no_reason")
    return found


def wanted_lines(order: Mapping[str, Any], cancellation: Mapping[str, Any]) -> list[Line]:
    """Lines a cancellation speaks of; none named means the whole order.

    Raises:
        Rejected: Part of a line, or a line the order does not have.
    """
    named = rows_in(cancellation, "lines")
    if not named:
        return lines_of(order)
    found = []
    for row in named:
        line = line_for(order, row)
        if quantity_of(row) < ordered(line):
            message = "Amazon cancels whole lines only; give the units back with a refund instead"
            raise Rejected(message, code="partial_line")
        found.append(line)
    return found


def left_to_cancel(order: Mapping[str, Any], wanted: Sequence[Line]) -> list[Line]:
    """Those not cancelled yet."""
    if order_reading.status_of(order) == order_reading.CANCELLED:
        return []
    return [line for line in wanted if not order_reading.cancelled(line)]


def refuse_shipped(lines: Sequence[Line]) -> None:
    """Raises: Rejected: Units of a line have left."""
    shipped = [line_id(line) for line in lines if open_units(line) < ordered(line)]
    if shipped:
        raise Rejected(f"line {', '.join(shipped)} is shipped, in part at least", code="already_shipped")


def document(order_id: str, seller_id: str, lines: Sequence[Line], reason: str) -> bytes:
    """The feed that cancels these lines."""
    content = ET.Element("OrderAcknowledgement")
    xmlfeeds.leaf(content, "AmazonOrderID", order_id)
    xmlfeeds.leaf(content, "StatusCode", "Failure")
    for line in lines:
        item = ET.SubElement(content, "Item")
        xmlfeeds.leaf(item, "AmazonOrderItemCode", line_id(line))
        xmlfeeds.leaf(item, "CancelReason", reason)
    return xmlfeeds.envelope("OrderAcknowledgement", seller_id, content)
