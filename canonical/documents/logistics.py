"""Documents of warehouses and retailers: ship notices, invoices, warehouse orders and receipts."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from canonical.codes import InvoiceKind, PackageLevel, ShipmentState, ShipNoticeKind
from canonical.documents.base import DocumentBase
from canonical.documents.order import Totals
from canonical.scalars import Attributes, Code, Currency, DateOrInstant, FreeText, Measured, Text
from canonical.values import MeasuredValue, Money, PostalAddress, Value, Weight


class NoticeLine(MeasuredValue):
    id: Text | None = None
    sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    quantity: Measured
    uom: Text | None = None
    lot: Text | None = None
    properties: Attributes = Field(default_factory=dict)


class NoticePackage(Value):
    """A node of the packing tree: `parent` is the `id` of the package it stands in.

    Items without a pack hang in one package whose `sscc` is null.
    """

    id: Text
    parent: Text | None = None
    level: PackageLevel = "unknown"
    level_raw: FreeText | None = None
    sscc: Text | None = None
    tracking_number: Text | None = None
    purchase_order_number: Text | None = None
    weight: Weight | None = None
    lines: tuple[NoticeLine, ...] = ()


class NoticeOrder(Value):
    purchase_order_number: Text
    order: Text | None = None


class ShipNotice(DocumentBase):
    """Goods announced. `number` is the notice's own number; the location fields are ours."""

    PERSONAL: ClassVar[tuple[str, ...]] = ("ship_from", "ship_to")

    type: Literal["ship_notice"] = "ship_notice"
    kind: ShipNoticeKind = "customer"
    number: Text
    state: ShipmentState
    state_raw: FreeText | None = None
    bill_of_lading: Text | None = None
    carrier: Code | None = None
    carrier_raw: FreeText | None = None
    scac: Text | None = None
    shipped_at: DateOrInstant | None = None
    expected_at: DateOrInstant | None = None
    from_location: Text | None = None
    to_location: Text | None = None
    orders: tuple[NoticeOrder, ...] = ()
    packages: tuple[NoticePackage, ...] = ()
    ship_from: PostalAddress = None
    ship_to: PostalAddress = None


class InvoiceLine(MeasuredValue):
    """`unit_price` is per `uom`."""

    number: Text | None = None
    sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    title: FreeText | None = None
    quantity: Measured | None = None
    uom: Text | None = None
    unit_price: Money | None = None
    price_uom: Text | None = None
    total: Money | None = None
    properties: Attributes = Field(default_factory=dict)


class Invoice(DocumentBase):
    PERSONAL: ClassVar[tuple[str, ...]] = ("ship_to", "bill_to", "remit_to")

    type: Literal["invoice"] = "invoice"
    number: Text
    kind: InvoiceKind = "invoice"
    kind_raw: FreeText | None = None
    invoiced_on: DateOrInstant | None = None
    due_on: DateOrInstant | None = None
    purchase_order_number: Text | None = None
    currency: Currency | None = None
    lines: tuple[InvoiceLine, ...] = ()
    totals: Totals = Totals()
    ship_to: PostalAddress = None
    bill_to: PostalAddress = None
    remit_to: PostalAddress = None


class WarehouseOrderLine(MeasuredValue):
    id: Text | None = None
    sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    quantity: Measured
    uom: Text | None = None
    lot: Text | None = None
    properties: Attributes = Field(default_factory=dict)


class WarehouseOrder(DocumentBase):
    """An instruction to a warehouse to ship; `location` is ours."""

    PERSONAL: ClassVar[tuple[str, ...]] = ("ship_to", "note")

    type: Literal["warehouse_order"] = "warehouse_order"
    number: Text
    purchase_order_number: Text | None = None
    location: Text | None = None
    location_raw: FreeText | None = None
    ship_by: DateOrInstant | None = None
    deliver_by: DateOrInstant | None = None
    carrier: Code | None = None
    carrier_raw: FreeText | None = None
    service: Text | None = None
    lines: tuple[WarehouseOrderLine, ...]
    ship_to: PostalAddress = None
    note: FreeText | None = None


class WarehouseReceiptLine(MeasuredValue):
    """`quantity` is what arrived in good order, `damaged_quantity` comes on top of it."""

    line_id: Text | None = None
    sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    quantity: Measured
    damaged_quantity: Measured = 0
    uom: Text | None = None
    lot: Text | None = None
    properties: Attributes = Field(default_factory=dict)


class WarehouseReceipt(DocumentBase):
    """What a warehouse took in; `reference` names the announcement, `location` is ours."""

    type: Literal["warehouse_receipt"] = "warehouse_receipt"
    number: Text
    reference: Text | None = None
    purchase_order_number: Text | None = None
    received_on: DateOrInstant | None = None
    location: Text | None = None
    location_raw: FreeText | None = None
    lines: tuple[WarehouseReceiptLine, ...]
