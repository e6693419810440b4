"""Refunding: money back for an order or for single lines, once in effect.

eBay takes no key for it and works refunds off later, so what the order already shows is read first and
a lost answer is settled by reading: a refund of this very amount, not older than ours, is ours.

Source: sell/fulfillment v1.20.7 OpenAPI document (2025-11): issueRefund, IssueRefundRequest, Refund and
error ids 34900 to 34924; ReasonForRefundEnum page (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.ebay import moments
from connectors.ebay.api import Api
from connectors.ebay.cancelling import paid
from connectors.ebay.orders import PATH, lines_of
from connectors.ebay.wire import rows_of
from connectors.sdk.contract import EffectResult, Settlement
from connectors.sdk.errors import Rejected
from connectors.sdk.queries import escaped

FAILED: Final = "FAILED"
CLOCKS_APART: Final = timedelta(minutes=2)
SEEN_WITHIN: Final = timedelta(minutes=15)
"""A refund that was taken shows on its order well within this; before, not seeing it proves nothing."""

REASONS: Final[Mapping[str, str]] = {
    "unwanted": "BUYER_RETURN",
    "size": "BUYER_RETURN",
    "color": "BUYER_RETURN",
    "style": "BUYER_RETURN",
    "price": "BUYER_RETURN",
    "ordered_by_mistake": "BUYER_RETURN",
    "defective": "ITEM_NOT_AS_DESCRIBED",
    "damaged": "ITEM_NOT_AS_DESCRIBED",
    "wrong_item": "ITEM_NOT_AS_DESCRIBED",
    "not_as_described": "ITEM_NOT_AS_DESCRIBED",
    "missing_parts": "ITEM_NOT_AS_DESCRIBED",
    "not_delivered": "ITEM_NOT_RECEIVED",
    "late": "ITEM_NOT_RECEIVED",
}
"""Canonical reason → `reasonForRefund`; every other one is an adjustment."""
ADJUSTMENT: Final = "OTHER_ADJUSTMENT"
OWN_WORDS: Final = frozenset({*REASONS.values(), ADJUSTMENT, "BUYER_CANCEL", "SELLER_CANCEL", "SHIPPING_DISCOUNT"})


async def refund(api: Api, order: Mapping[str, Any], wanted: Mapping[str, Any]) -> EffectResult:
    """Carry a refund out.

    Raises:
        Rejected: No amount, another currency, more than one kind of amount, or eBay does not allow it.
        InDoubt: The answer was lost.
    """
    body = body_of(order, wanted)
    number = str(order["orderId"])
    if (known := _ours(order, wanted)) is not None:
        return EffectResult(known, note="eBay already had this refund")
    if not paid(order):
        raise Rejected("the order is not paid, so there is nothing to give back", code="not_paid")
    path = f"{PATH}/{escaped(number)}/issue_refund"
    answer = await api.send("POST", path, kind="orders.refund", budget="fulfillment", json=body, signed=True)
    made = answer.json_or_none()
    told: Mapping[str, Any] = made if isinstance(made, Mapping) else {}
    if str(told.get("refundStatus") or "").upper() == FAILED:
        raise Rejected("eBay took the refund and says that it failed", **answer.facts("refund_failed"))
    return EffectResult(str(told.get("refundId") or number), answer.correlation_id, "eBay pays it back later")


def settle(order: Mapping[str, Any], wanted: Mapping[str, Any], now: datetime) -> Settlement:
    """Whether the refund is there. Unknown while it may still come to light: money is not given twice."""
    if _ours(order, wanted) is not None:
        return Settlement.APPLIED
    at = moments.read(wanted.get("at"))
    return Settlement.NOT_APPLIED if at is not None and now - at > SEEN_WITHIN else Settlement.UNKNOWN


def body_of(order: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The request: amounts per line where the lines state them, else one for the whole order.

    Raises:
        Rejected: It cannot be said in eBay's words.
    """
    body: dict[str, Any] = {"reasonForRefund": reason_of(wanted)}
    lines = [row for row in rows_of(wanted, "lines") if row.get("amount") is not None]
    if not lines:
        return body | {"orderLevelRefundAmount": _money(order, _total(wanted), _stated(wanted))}
    known = {str(line.get("lineItemId")) for line in lines_of(order)}
    if strangers := [str(row.get("line_id")) for row in lines if str(row.get("line_id")) not in known]:
        raise Rejected(f"the order has no line {', '.join(strangers)}", code="unknown_line")
    items = [
        {"lineItemId": str(row["line_id"]), "refundAmount": _money(order, _amount(row["amount"]), row["amount"])}
        for row in lines
    ]
    total = _stated(wanted)
    if total is not None and _amount(total) != _sum(lines):
        message = "eBay refunds lines or the order, not both: the total is another than the sum of the lines"
        raise Rejected(message, code="mixed_amounts")
    return body | {"refundItems": items}


def reason_of(wanted: Mapping[str, Any]) -> str:
    raw = str(wanted.get("reason_raw") or "")
    return raw if raw in OWN_WORDS else REASONS.get(str(wanted.get("reason") or ""), ADJUSTMENT)


def _ours(order: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """The id of a refund the order shows that can only be this one; None when there is none, or no telling."""
    at = moments.read(wanted.get("at"))
    if at is None:
        return None
    lines = [row for row in rows_of(wanted, "lines") if row.get("amount") is not None]
    amount = _sum(lines) if lines else _total(wanted)
    for row in rows_of(order.get("paymentSummary"), "refunds"):
        made = moments.read(row.get("refundDate"))
        stated = row.get("amount")
        failed = str(row.get("refundStatus") or "").upper() == FAILED
        if failed or made is None or made < at - CLOCKS_APART or not isinstance(stated, Mapping):
            continue
        if _decimal(stated.get("value")) == amount and _of_these(order, row.get("refundId"), lines):
            return str(row.get("refundId") or order.get("orderId"))
    return None


def _of_these(order: Mapping[str, Any], refund_id: object, wanted: Sequence[Mapping[str, Any]]) -> bool:
    """False for a refund the order shows to be of other lines, or of other parts: one of the same sum, not this one."""
    shown: dict[str, Decimal] = {}
    for line in lines_of(order):
        for part in rows_of(line, "refunds"):
            stated = part.get("amount")
            value = _decimal(stated.get("value")) if isinstance(stated, Mapping) else None
            if refund_id and part.get("refundId") == refund_id and value is not None:
                number = str(line.get("lineItemId"))
                shown[number] = shown.get(number, Decimal(0)) + value
    asked: dict[str, Decimal] = {}
    for row in wanted:
        asked[str(row["line_id"])] = asked.get(str(row["line_id"]), Decimal(0)) + _amount(row["amount"])
    return not shown or not asked or shown == asked


def _stated(wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    amounts = wanted.get("amounts")
    total = amounts.get("total") if isinstance(amounts, Mapping) else None
    return total if isinstance(total, Mapping) else None


def _total(wanted: Mapping[str, Any]) -> Decimal:
    total = _stated(wanted)
    if total is None:
        raise Rejected("the refund states no amount: neither lines[].amount nor amounts.total", code="no_amount")
    return _amount(total)


def _sum(lines: Sequence[Mapping[str, Any]]) -> Decimal:
    return sum((_amount(row["amount"]) for row in lines), Decimal(0))


def _amount(money: object) -> Decimal:
    amount = _decimal(money.get("amount")) if isinstance(money, Mapping) else None
    if amount is None or amount <= 0:
        raise Rejected("an amount to refund is missing or not positive", code="no_amount")
    return amount


def _decimal(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if isinstance(value, str | int | Decimal) else None
    except InvalidOperation:
        return None


def _money(order: Mapping[str, Any], amount: Decimal, stated: Mapping[str, Any] | None) -> dict[str, str]:
    """An amount in eBay's shape, in the order's own currency."""
    paid_in = _currency(order)
    given = str((stated or {}).get("currency") or paid_in or "")
    if not given or (paid_in and given != paid_in):
        raise Rejected(f"the order was paid in {paid_in or 'an unknown currency'}, not {given}", code="currency")
    return {"value": format(amount, "f"), "currency": given}


def _currency(order: Mapping[str, Any]) -> str | None:
    summary = order.get("pricingSummary")
    total = summary.get("total") if isinstance(summary, Mapping) else None
    if not isinstance(total, Mapping):
        return None
    # A converted amount shows what the buyer paid in beside it. Refunds are in the order's own currency.
    return str(total.get("currency")) if total.get("currency") else None
