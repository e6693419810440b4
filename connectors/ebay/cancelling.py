"""Cancelling: a buyer's open request is approved, otherwise the seller cancels. Whole orders only.

Source: developer.ebay.com Post-Order "check cancellation eligibility", "create cancellation request",
"approve" (2.7.8 and 2.8.0, read 2026-11): up to 30 days after the sale; approving is not supported in
eBay's sandbox; EU and UK sellers' calls are signed besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ebay import moments
from connectors.ebay.api import Api
from connectors.ebay.orders import cancel_state, lines_of
from connectors.ebay.wire import rows_of
from connectors.sdk.contract import EffectResult, Settlement
from connectors.sdk.errors import Rejected
from connectors.sdk.queries import escaped
from connectors.sdk.whole import whole

PATH: Final = "/cancellation"
CANCELED: Final = "CANCELED"
IN_PROGRESS: Final = "IN_PROGRESS"
OPEN_STATES: Final = frozenset({"REQUESTED", "CANCEL_REQUESTED", "PENDING"})
PAID_STATES: Final = frozenset({"PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED"})

REASONS: Final[Mapping[str, str]] = {
    "inventory": "OUT_OF_STOCK_OR_CANNOT_FULFILL",
    "customer": "BUYER_ASKED_CANCEL",
    "address": "ADDRESS_ISSUES",
    "declined": "ORDER_UNPAID",
    "timeout": "ORDER_UNPAID",
}
"""Canonical reason → `cancelReason` of a seller's cancellation."""


def reason_of(cancellation: Mapping[str, Any]) -> str:
    """Raises: Rejected: The reason is none of eBay's."""
    raw = str(cancellation.get("reason_raw") or "")
    found = raw if raw in REASONS.values() else REASONS.get(str(cancellation.get("reason") or ""))
    if found is None:
        known = ", ".join(REASONS)
        raise Rejected(f"eBay needs a reason for a cancellation, one of: {known}", code="no_reason")
    return found


def refuse_part(order: Mapping[str, Any], cancellation: Mapping[str, Any]) -> None:
    """Raises: Rejected: Less than the whole order is to be cancelled."""
    wanted = rows_of(cancellation, "lines")
    if not wanted:
        return
    asked = {str(row.get("line_id")): whole(row.get("quantity")) for row in wanted}
    whole_order = {str(line.get("lineItemId")): whole(line.get("quantity")) for line in lines_of(order)}
    if asked != whole_order:
        message = "eBay cancels whole orders only; refund the line instead"
        raise Rejected(message, code="partial_cancellation")


def buyers_request(order: Mapping[str, Any]) -> str | None:
    """The id of a buyer's request that waits for the seller's answer."""
    for row in _requests(order):
        waiting = str(row.get("cancelRequestState") or "").upper() in OPEN_STATES
        if waiting and str(row.get("cancelInitiator") or "").upper() == "BUYER" and row.get("cancelRequestId"):
            return str(row["cancelRequestId"])
    return None


def settle(order: Mapping[str, Any]) -> Settlement:
    """Whether the order was cancelled. A request that still waits for our answer has not had it."""
    state = cancel_state(order)
    if state == CANCELED:
        return Settlement.APPLIED
    if state == IN_PROGRESS:
        # With no request of the buyer's waiting, what is under way is the seller's cancellation.
        return Settlement.NOT_APPLIED if buyers_request(order) else Settlement.APPLIED
    return Settlement.NOT_APPLIED


async def cancel(api: Api, order: Mapping[str, Any], cancellation: Mapping[str, Any]) -> EffectResult:
    """Carry a cancellation out.

    Raises:
        Rejected: Part of an order, no reason, or eBay does not allow it (any more).
        InDoubt: The answer was lost.
    """
    refuse_part(order, cancellation)
    if settle(order) is Settlement.APPLIED:
        return EffectResult(str(order["orderId"]), note="eBay already had this cancellation")
    waiting = buyers_request(order)
    if waiting is not None:
        path = f"{PATH}/{escaped(waiting)}/approve"
        answer = await api.post_order("POST", path, kind="cancellations.approve", write=True, signed=True)
        return EffectResult(waiting, answer.correlation_id, "approved the buyer's request")
    reason = reason_of(cancellation)
    legacy = str(order.get("legacyOrderId") or order["orderId"])
    await _check(api, legacy)
    answer = await api.post_order(
        "POST", PATH, kind="cancellations.create", json=body_of(order, legacy, reason), write=True, signed=True
    )
    made = answer.json_or_none()
    number = made.get("cancelId") if isinstance(made, Mapping) else None
    return EffectResult(str(number) if number else legacy, answer.correlation_id)


def body_of(order: Mapping[str, Any], legacy: str, reason: str) -> dict[str, Any]:
    body: dict[str, Any] = {"legacyOrderId": legacy, "cancelReason": reason, "buyerPaid": paid(order)}
    paid_at = _paid_at(order)
    return body | {"buyerPaidDate": {"value": paid_at}} if body["buyerPaid"] and paid_at else body


def paid(order: Mapping[str, Any]) -> bool:
    return str(order.get("orderPaymentStatus") or "") in PAID_STATES


async def _check(api: Api, legacy: str) -> None:
    """Ask before the fact: a refusal here says why, one of the cancellation itself often does not."""
    answer = await api.post_order(
        "POST", f"{PATH}/check_eligibility", kind="cancellations.check", json={"legacyOrderId": legacy}
    )
    body = answer.json()
    if not isinstance(body, Mapping) or body.get("eligible") is not False:
        return
    status = body.get("eligibilityStatus")
    why = f"{status}: " if status else ""
    reasons = body.get("failureReason")
    told = ", ".join(str(each) for each in reasons) if isinstance(reasons, list) else str(reasons or "no reason given")
    raise Rejected(f"eBay does not let this order be cancelled: {why}{told}", **answer.facts("not_eligible"))


def _requests(order: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return rows_of(order.get("cancelStatus"), "cancelRequests")


def _paid_at(order: Mapping[str, Any]) -> str | None:
    summary = order.get("paymentSummary")
    dates = (moments.read(payment.get("paymentDate")) for payment in rows_of(summary, "payments"))
    known = [at for at in dates if at is not None]
    return moments.text(min(known)) if known else None
