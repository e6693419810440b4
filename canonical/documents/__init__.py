"""Every document of the model, and the union of them told apart by `type`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Discriminator

from canonical.documents.aftersale import (
    CancelledLine,
    OrderCancellation,
    Refund,
    RefundAmounts,
    RefundLine,
    Return,
    ReturnLine,
    ReturnTracking,
)
from canonical.documents.answers import (
    AcknowledgedGroup,
    AcknowledgedSet,
    AdviceError,
    ApplicationAdvice,
    FunctionalAcknowledgement,
    Reference,
    Remittance,
    SetError,
)
from canonical.documents.base import DocumentBase
from canonical.documents.logistics import (
    Invoice,
    InvoiceLine,
    NoticeLine,
    NoticeOrder,
    NoticePackage,
    ShipNotice,
    WarehouseOrder,
    WarehouseOrderLine,
    WarehouseReceipt,
    WarehouseReceiptLine,
)
from canonical.documents.order import Buyer, Discount, Order, OrderLine, Requested, Shipping, Tax, Totals
from canonical.documents.purchase import (
    LineAcknowledgement,
    OrderAcknowledgement,
    OrderChange,
    OrderChangeLine,
    PurchaseOrder,
    PurchaseOrderLine,
    Supplier,
)
from canonical.documents.shipment import Package, PackageLine, Shipment, TrackingUpdate
from canonical.documents.stock import Availability, Listing, StockLevel, StockMovement, StockMovementLine, StockReport

Document = Annotated[
    Order
    | OrderCancellation
    | Refund
    | Return
    | Shipment
    | TrackingUpdate
    | StockReport
    | StockMovement
    | Listing
    | PurchaseOrder
    | OrderChange
    | OrderAcknowledgement
    | ShipNotice
    | Invoice
    | WarehouseOrder
    | WarehouseReceipt
    | FunctionalAcknowledgement
    | ApplicationAdvice
    | Remittance
    | Availability,
    Discriminator("type"),
]
"""Any canonical document."""

_ALL: Final[tuple[type[DocumentBase], ...]] = (
    Order, OrderCancellation, Refund, Return, Shipment, TrackingUpdate, StockReport, StockMovement, Listing,
    PurchaseOrder, OrderChange, OrderAcknowledgement, ShipNotice, Invoice, WarehouseOrder, WarehouseReceipt,
    FunctionalAcknowledgement, ApplicationAdvice, Remittance, Availability,
)  # fmt: skip

DOCUMENT_TYPES: Final[Mapping[str, type[DocumentBase]]] = MappingProxyType(
    {str(cls.model_fields["type"].default): cls for cls in _ALL}
)
"""Class by the value of `type`, in the order in which the model describes them."""

__all__ = [
    "DOCUMENT_TYPES", "AcknowledgedGroup", "AcknowledgedSet", "AdviceError", "ApplicationAdvice", "Availability",
    "Buyer", "CancelledLine", "Discount", "Document", "DocumentBase", "FunctionalAcknowledgement", "Invoice",
    "InvoiceLine", "LineAcknowledgement", "Listing", "NoticeLine", "NoticeOrder", "NoticePackage", "Order",
    "OrderAcknowledgement", "OrderCancellation", "OrderChange", "OrderChangeLine", "OrderLine", "Package",
    "PackageLine", "PurchaseOrder", "PurchaseOrderLine", "Reference", "Refund", "RefundAmounts", "RefundLine",
    "Remittance", "Requested", "Return", "ReturnLine", "ReturnTracking", "SetError", "ShipNotice", "Shipment",
    "Shipping", "StockLevel", "StockMovement", "StockMovementLine", "StockReport", "Supplier", "Tax", "Totals",
    "TrackingUpdate", "WarehouseOrder", "WarehouseOrderLine", "WarehouseReceipt", "WarehouseReceiptLine",
]  # fmt: skip
