"""Refunds: whole or in part, per line, in exact amounts; units that never left are cancelled with them.

Source: OrderAdjustment.xsd (release 1.9): an AdjustedItem has a reason, price components with a currency, and
QuantityCancelled, a positive number; developer-docs.amazon.com/sp-api "feed type values" (read 2026-11):
refunds and partial cancellations are POST_PAYMENT_ADJUSTMENT_DATA.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from xml.etree import ElementTree as ET

from connectors.amazon import xmlfeeds
from connectors.amazon.order_reading import line_for, line_id, lines_of, open_units, quantity_of, rows_in
from connectors.sdk.errors import Rejected

REASONS: Final[Mapping[str, str]] = {
    "wrong_item": "DifferentItem",
    "not_delivered": "CouldNotShip",
    "price": "PriceError",
    "unwanted": "CustomerReturn",
    "defective": "CustomerReturn",
    "damaged": "CustomerReturn",
    "not_as_described": "CustomerReturn",
    "size": "CustomerReturn",
    "color": "CustomerReturn",
    "style": "CustomerReturn",
    "late": "CustomerReturn",
    "missing_parts": "CustomerReturn",
    "ordered_by_mistake": "CustomerReturn",
}
"""Canonical reason → AdjustmentReason; any other is GeneralAdjustment."""

GENERAL: Final = "GeneralAdjustment"
AMAZON_REASONS: Final = frozenset(
    {
        "NoInventory", "CustomerReturn", GENERAL, "CouldNotShip", "DifferentItem", "Abandoned", "CustomerCancel",
        "PriceError", "ProductOutofStock", "CustomerAddressIncorrect", "Exchange", "Other", "CarrierCreditDecision",
        "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "TransactionRecord", "Undeliverable",
        "RefusedDelivery",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One line's money going back: (component, amount), each above zero. `cancelled` units never left."""

    line: str
    components: tuple[tuple[str, Decimal], ...]
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What one refund gives back, in one currency."""

    currency: str
    reason: str
    lines: tuple[Adjusted, ...]

    @property
    def total(self) -> Decimal:
        return sum((amount for line in self.lines for _, amount in line.components), Decimal(0))


def plan(order: Mapping[str, Any], refund: Mapping[str, Any]) -> RefundPlan:
    """A canonical refund laid out over the order's lines.

    What belongs to no line (shipping, an adjustment, tax or items told as one sum for a single line) stands with
    the first.

    Raises:
        Rejected: No line or no amount, sums that do not add up, or several currencies.
    """
    rows = rows_in(refund, "lines") or _only_line(order)
    if not rows:
        raise Rejected("the refund names no line; Amazon gives money back per line", code="no_lines")
    amounts = refund.get("amounts")
    sums = amounts if isinstance(amounts, Mapping) else {}
    purse = _Purse(order)
    adjusted = [_adjusted(order, row, purse) for row in rows]
    first = [*adjusted[0].components]
    first += _sums(sums, purse, alone=len(rows) == 1, told={name for name, _ in first})
    adjusted[0] = Adjusted(adjusted[0].line, tuple(first), adjusted[0].cancelled)
    if any(not line.components for line in adjusted):
        raise Rejected("a line of the refund has no amount", code="no_amount")
    made = RefundPlan(purse.currency(), reason_of(refund), tuple(adjusted))
    total = purse.take(sums.get("total"))
    if total is not None and total != made.total:
        raise Rejected(f"the refund's total is {total}, its parts are {made.total}", code="amounts_differ")
    return made


def document(order_id: str, seller_id: str, made: RefundPlan, key: str) -> bytes:
    """The feed that gives the money back. Each item bears a reference of ours, the same for the same `key`."""
    content = ET.Element("OrderAdjustment")
    xmlfeeds.leaf(content, "AmazonOrderID", order_id)
    for line in made.lines:
        item = ET.SubElement(content, "AdjustedItem")
        xmlfeeds.leaf(item, "AmazonOrderItemCode", line.line)
        xmlfeeds.leaf(item, "MerchantAdjustmentItemID", _reference(key, line.line))
        xmlfeeds.leaf(item, "AdjustmentReason", made.reason)
        prices = ET.SubElement(item, "ItemPriceAdjustments")
        for name, amount in line.components:
            component = ET.SubElement(prices, "Component")
            xmlfeeds.leaf(component, "Type", name)
            xmlfeeds.leaf(component, "Amount", f"{amount:f}", currency=made.currency)
        if line.cancelled:
            xmlfeeds.leaf(item, "QuantityCancelled", str(line.cancelled))
    return xmlfeeds.envelope("OrderAdjustment", seller_id, content)


def reason_of(refund: Mapping[str, Any]) -> str:
    raw = str(refund.get("reason_raw") or "")
    return raw if raw in AMAZON_REASONS else REASONS.get(str(refund.get("reason") or ""), GENERAL)


def _reference(key: str, line: str) -> str:
    return hashlib.blake2b(f"{key}|{line}".encode(), digest_size=16).hexdigest()


class _Purse:
    """Amounts of one currency. One that names none is in the order's own."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._currencies: set[str] = set()
        self._own = _currency_of(order)

    def take(self, money: object) -> Decimal | None:
        """An amount above zero; None for none, or for zero.

        Raises:
            Rejected: No amount, or one below zero.
        """
        if money is None:
            return None
        holder = money if isinstance(money, Mapping) else {}
        try:
            amount = Decimal(str(holder.get("amount")))
        except InvalidOperation as error:
            raise Rejected("an amount of the refund is no number", code="bad_amount") from error
        if not amount.is_finite() or amount < 0:
            raise Rejected("an amount of the refund is below zero", code="bad_amount")
        if holder.get("currency"):
            self._currencies.add(str(holder["currency"]))
        return amount or None

    def currency(self) -> str:
        """Raises: Rejected: Several, none, or another than the order's."""
        found = self._currencies | ({self._own} if self._own else set())
        if len(found) != 1:
            told = ", ".join(sorted(found)) or "none"
            raise Rejected(f"a refund is in the order's one currency; told are: {told}", code="currency")
        return found.pop()


def _adjusted(order: Mapping[str, Any], row: Mapping[str, Any], purse: _Purse) -> Adjusted:
    line = line_for(order, row)
    named = (("Principal", purse.take(row.get("amount"))), ("Tax", purse.take(row.get("tax"))))
    unsent = open_units(line) if row.get("quantity") is not None else 0
    units = min(quantity_of(row), unsent) if unsent else 0
    return Adjusted(line_id(line), tuple((name, amount) for name, amount in named if amount is not None), units)


def _sums(sums: Mapping[str, Any], purse: _Purse, *, alone: bool, told: set[str]) -> list[tuple[str, Decimal]]:
    parts = [("Shipping", "shipping"), ("Goodwill", "adjustment")]
    if alone:
        parts = [("Principal", "items"), ("Tax", "tax"), *parts]
    found = []
    for component, name in parts:
        amount = purse.take(sums.get(name))
        if amount is not None and component not in told:
            found.append((component, amount))
    return found


def _only_line(order: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A refund without lines is for the line of an order that has one alone."""
    lines = lines_of(order)
    return [{"line_id": line_id(lines[0])}] if len(lines) == 1 else []


def _currency_of(order: Mapping[str, Any]) -> str | None:
    proceeds = order.get("proceeds")
    total = proceeds.get("grandTotal") if isinstance(proceeds, Mapping) else None
    code = total.get("currencyCode") if isinstance(total, Mapping) else None
    return str(code) if code else None
