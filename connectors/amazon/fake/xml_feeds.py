"""Working off the two XML feeds that are left for orders: cancelling and refunding.

Source: feed type values page (2026-11): POST_ORDER_ACKNOWLEDGEMENT_DATA with StatusCode Failure and a
CancelReason cancels, POST_PAYMENT_ADJUSTMENT_DATA refunds; element names are those of the published
OrderAcknowledgement, OrderAdjustment and ProcessingReport schemas of the XML feeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connectors.amazon.fake.feeds_wire import Outcome
from connectors.amazon.fake.orderbook import Line, Order, OrderBook
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

XML: Final = "text/xml; charset=UTF-8"
CANCEL_REASONS: Final = frozenset(
    {
        "NoInventory", "ShippingAddressUndeliverable", "CustomerExchange", "BuyerCanceled", "GeneralAdjustment",
        "CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "CustomerReturn",
        "MerchandiseNotReceived",
    }
)  # fmt: skip
REFUND_REASONS: Final = frozenset(
    {
        "NoInventory", "CustomerReturn", "GeneralAdjustment", "CouldNotShip", "DifferentItem", "Abandoned",
        "CustomerCancel", "PriceError", "ProductOutofStock", "CustomerAddressIncorrect", "Exchange", "Other",
        "CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "TransactionRecord",
        "Undeliverable", "RefusedDelivery",
    }
)  # fmt: skip


class _Refused(ValueError):
    """A message that takes no effect; the text goes into the report."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money given back, as the finances API lists it later."""

    order: str
    amount: Decimal
    currency: str
    at: datetime


class XmlFeeds:
    """`changed` hears of every cancelled order."""

    def __init__(
        self, book: OrderBook, seller: str, clock: Clock, faults: Faults, changed: Callable[[str, Order], None]
    ) -> None:
        self._book = book
        self._seller = seller
        self._clock = clock
        self._faults = faults
        self._changed = changed
        self.refunds: list[Refunded] = []

    def cancel(self, number: str, content: bytes, noop: bool) -> Outcome:
        return self._work(number, content, noop, "OrderAcknowledgement", self._cancelled)

    def refund(self, number: str, content: bytes, noop: bool) -> Outcome:
        return self._work(number, content, noop, "OrderAdjustment", self._refunded)

    def _work(
        self, number: str, content: bytes, noop: bool, kind: str, act: Callable[[ET.Element, bool], None]
    ) -> Outcome:
        try:
            root = _parsed(content)
        except (ET.ParseError, ValueError):
            return Outcome("FATAL", _report(number, 0, [(0, "The document is not well-formed.")]), XML)
        if _local(root) != "AmazonEnvelope" or _text(root, "MessageType") != kind:
            return Outcome("FATAL", _report(number, 0, [(0, f"An AmazonEnvelope of {kind} is wanted.")]), XML)
        if _text(root, "Header", "MerchantIdentifier") != self._seller:
            return Outcome("FATAL", _report(number, 0, [(0, "MerchantIdentifier is another seller's.")]), XML)
        failed: list[tuple[int, str]] = []
        messages = list(_children(root, "Message"))
        for index, message in enumerate(messages, 1):
            stated = _text(message, "MessageID")
            at = int(stated) if stated.isdecimal() else index
            body = next(_children(message, kind), None)
            refusal = f"The message has no {kind}." if body is None else self._refusal(act, body, noop)
            if refusal:
                failed.append((at, refusal))
        return Outcome("DONE", _report(number, len(messages), failed), XML)

    def _refusal(self, act: Callable[[ET.Element, bool], None], body: ET.Element, noop: bool) -> str:
        """Carry a message out; "" when it took effect."""
        if self._faults.hit("partial_failure"):
            return "An internal error has occurred. Please try again."
        try:
            act(body, noop)
        except _Refused as refused:
            return str(refused)
        return ""

    def _order(self, body: ET.Element) -> Order:
        order = self._book.orders.get(_text(body, "AmazonOrderID"))
        if order is None:
            raise _Refused("The AmazonOrderID is not one of this seller's orders.")
        return order

    def _cancelled(self, body: ET.Element, noop: bool) -> None:
        order = self._order(body)
        status = _text(body, "StatusCode")
        if status == "Success":
            return
        if status != "Failure":
            raise _Refused("StatusCode is Success or Failure.")
        if not order.merchant or order.status == "PENDING":
            raise _Refused(f"The order cannot be cancelled by the seller: {order.status}.")
        numbers, reasons = set(), set()
        for item in _children(body, "Item"):
            if order.line(_text(item, "AmazonOrderItemCode")) is None:
                raise _Refused("AmazonOrderItemCode is not one of the order's items.")
            numbers.add(_text(item, "AmazonOrderItemCode"))
            reasons.add(_text(item, "CancelReason"))
        if reasons - CANCEL_REASONS:
            raise _Refused("CancelReason is missing or unknown.")
        if noop:
            return
        reason = min(reasons, default="NoInventory")
        if not self._book.cancel(order, "MERCHANT", reason, self._clock.now(), numbers):
            raise _Refused("Nothing of the order is left to cancel.")
        self._changed("cancelled", order)

    def _refunded(self, body: ET.Element, noop: bool) -> None:
        order = self._order(body)
        moves: list[tuple[Line, Decimal, int]] = []
        for item in _children(body, "AdjustedItem"):
            line = order.line(_text(item, "AmazonOrderItemCode"))
            if line is None:
                raise _Refused("AmazonOrderItemCode is not one of the order's items.")
            if not _text(item, "MerchantAdjustmentItemID"):
                raise _Refused("MerchantAdjustmentItemID is required.")
            if _text(item, "AdjustmentReason") not in REFUND_REASONS:
                raise _Refused("AdjustmentReason is missing or unknown.")
            moves.append((line, _amount(item, order.market.currency), _dropped(item, line)))
        if not moves:
            raise _Refused("AdjustedItem is required.")
        if order.pending:
            raise _Refused("An order without an authorised payment has nothing to refund.")
        for line, amount, _ in moves:
            if amount <= 0 or line.refunded + amount > line.amount + order.tax(line):
                raise _Refused("The adjustment exceeds what was paid.")
        if noop:
            return
        now = self._clock.now()
        order.touch(now)
        for line, amount, units in moves:
            line.refunded += amount
            if units:
                self._book.drop(line, units)
        total = sum((amount for _, amount, _ in moves), Decimal(0))
        self.refunds.append(Refunded(order.number, total, order.market.currency, now))
        self._changed("refunded", order)


def _dropped(item: ET.Element, line: Line) -> int:
    """QuantityCancelled: units that will not be sent."""
    stated = _text(item, "QuantityCancelled")
    if not stated:
        return 0
    if not stated.isdecimal() or not 1 <= int(stated) <= line.open:
        raise _Refused("QuantityCancelled exceeds what is left to send.")
    return int(stated)


def _amount(item: ET.Element, currency: str) -> Decimal:
    total = Decimal(0)
    components = [each for block in _children(item, "ItemPriceAdjustments") for each in _children(block, "Component")]
    if not components:
        raise _Refused("ItemPriceAdjustments is required.")
    for component in components:
        amount = next(_children(component, "Amount"), None)
        if amount is None or amount.get("currency") != currency or not _text(component, "Type"):
            raise _Refused("A component has a Type and an Amount in the order's currency.")
        total += _number(amount.text or "")
    return total


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise _Refused("An Amount is no number.") from None
    if not number.is_finite():
        raise _Refused("An Amount is no number.")
    return number


def _report(number: str, processed: int, failed: list[tuple[int, str]]) -> bytes:
    results = "".join(
        f"<Result><MessageID>{at}</MessageID><ResultCode>Error</ResultCode>"
        f"<ResultMessageCode>25</ResultMessageCode><ResultDescription>{escape(text)}</ResultDescription></Result>"
        for at, text in failed
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Header><DocumentVersion>1.02</DocumentVersion></Header>'
        "<MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID><ProcessingReport>"
        f"<DocumentTransactionID>{number}</DocumentTransactionID><StatusCode>Complete</StatusCode><ProcessingSummary>"
        f"<MessagesProcessed>{processed}</MessagesProcessed>"
        f"<MessagesSuccessful>{processed - len([at for at, _ in failed if at])}</MessagesSuccessful>"
        f"<MessagesWithError>{len(failed)}</MessagesWithError><MessagesWithWarning>0</MessagesWithWarning>"
        f"</ProcessingSummary>{results}</ProcessingReport></Message></AmazonEnvelope>"
    ).encode()


def _parsed(content: bytes) -> ET.Element:
    text = content.decode("utf-8-sig")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("the document has a document type")
    return ET.fromstring(text)  # noqa: S314  # document types refused above, the size by the server


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _children(node: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in node if _local(child) == name)


def _text(node: ET.Element, *path: str) -> str:
    for name in path:
        found = next(_children(node, name), None)
        if found is None:
            return ""
        node = found
    return (node.text or "").strip()
