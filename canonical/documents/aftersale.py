"""What happens to an order afterwards: cancellations, refunds, returns. `order` is the vendor's order id."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from canonical.codes import CancellationParty, CancellationReason, Disposition, Restock, ReturnReason, ReturnState
from canonical.documents.base import DocumentBase
from canonical.scalars import Attributes, Code, DateOrInstant, FreeText, Quantity, Text
from canonical.values import Money, Value


class CancelledLine(Value):
    """Eaches of one order line."""

    line_id: Text
    sku: Text | None = None
    channel_sku: Text | None = None
    quantity: Quantity


class OrderCancellation(DocumentBase):
    """`lines` empty means the whole order."""

    type: Literal["order_cancellation"] = "order_cancellation"
    order: Text
    lines: tuple[CancelledLine, ...] = ()
    reason: CancellationReason = "unknown"
    reason_raw: FreeText | None = None
    requested_by: CancellationParty = "unknown"
    at: DateOrInstant | None = None


class RefundLine(Value):
    """Eaches refunded. `restock` says whether, and how, they went back to `location` (ours)."""

    line_id: Text
    sku: Text | None = None
    channel_sku: Text | None = None
    quantity: Quantity
    restock: Restock = "none"
    restock_raw: FreeText | None = None
    location: Text | None = None
    location_raw: FreeText | None = None
    amount: Money | None = None
    tax: Money | None = None


class RefundAmounts(Value):
    """Positive amounts given back. `adjustment` is what belongs to no line and no shipping."""

    items: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    fees: Money | None = None
    adjustment: Money | None = None
    total: Money | None = None


class Refund(DocumentBase):
    PERSONAL: ClassVar[tuple[str, ...]] = ("note",)

    type: Literal["refund"] = "refund"
    order: Text
    lines: tuple[RefundLine, ...] = ()
    amounts: RefundAmounts = RefundAmounts()
    reason: ReturnReason | None = None
    reason_raw: FreeText | None = None
    at: DateOrInstant | None = None
    note: FreeText | None = None


class ReturnLine(Value):
    """Eaches coming back."""

    line_id: Text | None = None
    sku: Text | None = None
    channel_sku: Text | None = None
    quantity: Quantity
    reason: ReturnReason = "unknown"
    reason_raw: FreeText | None = None
    disposition: Disposition = "unknown"
    disposition_raw: FreeText | None = None
    location: Text | None = None
    location_raw: FreeText | None = None
    properties: Attributes = Field(default_factory=dict)


class ReturnTracking(Value):
    carrier: Code | None = None
    carrier_raw: FreeText | None = None
    tracking_number: Text


class Return(DocumentBase):
    """`rma` is the number the buyer was given."""

    PERSONAL: ClassVar[tuple[str, ...]] = ("note",)

    type: Literal["return"] = "return"
    order: Text
    rma: Text | None = None
    state: ReturnState
    state_raw: FreeText | None = None
    lines: tuple[ReturnLine, ...]
    tracking: tuple[ReturnTracking, ...] = ()
    requested_at: DateOrInstant | None = None
    updated_at: DateOrInstant | None = None
    note: FreeText | None = None
