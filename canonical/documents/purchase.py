"""Orders between businesses: our purchase orders, changes and answers to them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from canonical.codes import AcknowledgementState, LineChange, LineStatus, PurchaseOrderState
from canonical.documents.base import DocumentBase
from canonical.scalars import Attributes, Currency, DateOrInstant, FreeText, Measured, Quantity, Text
from canonical.values import MeasuredValue, Money, PostalAddress, Value


class Supplier(Value):
    """`id` is the supplier's key in our books or on the wire."""

    id: Text | None = None
    name: Text | None = None


class LineAcknowledgement(MeasuredValue):
    """What becomes of part of a line; several together cover it."""

    quantity: Measured | None = None
    uom: Text | None = None
    status: LineStatus
    status_raw: FreeText | None = None
    expected_at: DateOrInstant | None = None
    unit_price: Money | None = None
    channel_sku: Text | None = None


class PurchaseOrderLine(MeasuredValue):
    """`number` is the line's number on the order. Quantities in eaches, or decimals with their `uom`."""

    number: Text | None = None
    sku: Text | None = None
    supplier_sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    title: FreeText | None = None
    quantity: Measured | None = None
    uom: Text | None = None
    unit_cost: Money | None = None
    price_uom: Text | None = None
    acknowledged: tuple[LineAcknowledgement, ...] = ()
    shipped_quantity: Measured = 0
    received_quantity: Measured = 0
    cancelled_quantity: Measured = 0
    properties: Attributes = Field(default_factory=dict)


class PurchaseOrder(DocumentBase):
    """Our order to a supplier, or a change to it; the higher `revision` stands. `location` is ours."""

    PERSONAL: ClassVar[tuple[str, ...]] = ("supplier_address", "ship_to", "bill_to", "note")

    type: Literal["purchase_order"] = "purchase_order"
    number: Text
    supplier: Supplier | None = None
    state: PurchaseOrderState
    state_raw: FreeText | None = None
    revision: Text | None = None
    placed_at: DateOrInstant | None = None
    updated_at: DateOrInstant | None = None
    expected_at: DateOrInstant | None = None
    currency: Currency | None = None
    location: Text | None = None
    location_raw: FreeText | None = None
    lines: tuple[PurchaseOrderLine, ...]
    supplier_address: PostalAddress = None
    ship_to: PostalAddress = None
    bill_to: PostalAddress = None
    note: FreeText | None = None


class OrderChangeLine(Value):
    """One change of one line; quantities are eaches, because an order change is a demand."""

    id: Text
    change: LineChange
    change_raw: FreeText | None = None
    sku: Text | None = None
    supplier_sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    title: FreeText | None = None
    quantity: Quantity | None = None
    uom: Text | None = None
    unit_price: Money | None = None
    price_uom: Text | None = None
    requested_at: DateOrInstant | None = None
    properties: Attributes = Field(default_factory=dict)


class OrderChange(DocumentBase):
    """Names its order by `order` (the vendor's id) or by `purchase_order_number`."""

    PERSONAL: ClassVar[tuple[str, ...]] = ("ship_to", "note")

    type: Literal["order_change"] = "order_change"
    order: Text | None = None
    purchase_order_number: Text | None = None
    number: Text | None = None
    revision: Text | None = None
    at: DateOrInstant | None = None
    lines: tuple[OrderChangeLine, ...] = ()
    ship_to: PostalAddress = None
    note: FreeText | None = None


class OrderAcknowledgement(DocumentBase):
    type: Literal["order_acknowledgement"] = "order_acknowledgement"
    number: Text
    purchase_order_number: Text | None = None
    order: Text | None = None
    state: AcknowledgementState
    state_raw: FreeText | None = None
    at: DateOrInstant | None = None
    lines: tuple[PurchaseOrderLine, ...] = ()
