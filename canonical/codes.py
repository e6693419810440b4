"""The closed lists of the canonical model.

A vendor's code that fits nowhere becomes `unknown` (a tracking milestone: null) and stays beside it in
`*_raw`; it is never turned into a plausible neighbour.
"""

from __future__ import annotations

from typing import Literal

OrderKind = Literal["retail", "wholesale", "dropship"]
OrderState = Literal["pending", "open", "held", "cancelled", "closed"]
PaymentState = Literal["unknown", "pending", "authorized", "paid", "partially_refunded", "refunded", "voided"]
FulfillmentState = Literal["unfulfilled", "partial", "fulfilled", "not_required"]
FulfilledBy = Literal["merchant", "channel"]
"""`channel` lines (FBA, WFS, marketplace-fulfilled) never touch merchant locations."""
CollectedBy = Literal["merchant", "channel"]
"""Who owes a tax to the authority; tax the marketplace collects is no part of `totals.tax`."""

CancellationReason = Literal[
    "customer", "inventory", "fraud", "declined", "price", "address", "duplicate", "timeout", "channel", "seller",
    "other", "unknown",
]  # fmt: skip
CancellationParty = Literal["buyer", "seller", "channel", "unknown"]
Restock = Literal["none", "sellable", "damaged"]
ReturnState = Literal["requested", "approved", "in_transit", "received", "closed", "rejected"]
ReturnReason = Literal[
    "unwanted", "defective", "damaged", "wrong_item", "not_as_described", "size", "color", "style", "late",
    "missing_parts", "not_delivered", "price", "ordered_by_mistake", "other", "unknown",
]  # fmt: skip
Disposition = Literal["sellable", "damaged", "missing", "unknown"]

ShipmentState = Literal["created", "shipped", "delivered", "cancelled"]
WeightUnit = Literal["g", "kg", "oz", "lb"]

Milestone = Literal[
    "unknown", "label_created", "picked_up", "in_transit", "out_for_delivery", "delivery_attempted",
    "available_for_pickup", "delivered", "returning", "returned", "failed", "cancelled",
]  # fmt: skip
"""`unknown` only when the carrier says that it knows nothing; a code that moves nothing is null."""
Condition = Literal[
    "delayed", "weather", "exception", "held", "address_problem", "refused", "damaged", "undeliverable", "lost",
    "misrouted", "customs_hold", "customs_docs", "customs_cleared", "payment_due", "signature_required",
    "return_requested", "handed_to_partner", "seized_or_destroyed", "partial", "stale",
]  # fmt: skip
"""Stands beside the milestone and never moves it."""
Precision = Literal["instant", "minute", "date"]

StockBucket = Literal["on_hand", "reserved", "incoming", "quarantine"]
MovementReason = Literal[
    "received", "shipped", "returned", "sold", "transfer", "damaged", "expired", "lost", "found", "count",
    "quality_hold", "quality_release", "correction", "other", "unknown",
]  # fmt: skip
ListingState = Literal["active", "inactive", "ended", "blocked", "unknown"]

PurchaseOrderState = Literal[
    "draft", "sent", "acknowledged", "partially_acknowledged", "rejected", "in_transit", "partially_received",
    "received", "invoiced", "cancelled", "closed",
]  # fmt: skip
AcknowledgementState = Literal["accepted", "accepted_with_changes", "rejected", "unknown"]
LineStatus = Literal[
    "accepted", "backordered", "rescheduled", "quantity_changed", "price_changed", "substituted", "held", "deleted",
    "rejected", "unknown",
]  # fmt: skip
LineChange = Literal["add", "remove", "quantity", "price", "date", "replace", "unknown"]
ShipNoticeKind = Literal["customer", "transfer", "inbound"]
PackageLevel = Literal["shipment", "order", "tare", "pack", "item", "unknown"]
InvoiceKind = Literal["invoice", "credit", "debit"]
GroupState = Literal["accepted", "accepted_with_errors", "partial", "rejected"]
"""What became of a functional group or a transaction set."""
ProblemLevel = Literal["warning", "rejected"]
