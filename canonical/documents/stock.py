"""Stock as systems that count state it, and listings as channels show them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from canonical.codes import FulfilledBy, ListingState, MovementReason, StockBucket
from canonical.documents.base import DocumentBase
from canonical.scalars import (
    Attributes,
    DateOrInstant,
    Flag,
    FreeText,
    Instant,
    Quantity,
    SignedMeasured,
    SignedQuantity,
    Text,
)
from canonical.values import MeasuredValue, Money


class StockLevel(MeasuredValue):
    """Levels of one SKU. Null is untracked or not stated, never zero; oversold channels state less than zero.

    `item_id` is the vendor's inventory item. A decimal only with its `uom`.
    """

    sku: Text | None = None
    channel_sku: Text | None = None
    item_id: Text | None = None
    gtin: Text | None = None
    on_hand: SignedMeasured | None = None
    available: SignedMeasured | None = None
    reserved: SignedMeasured | None = None
    incoming: SignedMeasured | None = None
    damaged: SignedMeasured | None = None
    uom: Text | None = None
    properties: Attributes = Field(default_factory=dict)


class StockReport(DocumentBase):
    """Levels at one location, as of an instant. `complete` means that SKUs not listed are zero.

    An unknown location is null with `location_raw`.
    """

    type: Literal["stock_report"] = "stock_report"
    location: Text | None = None
    location_raw: FreeText | None = None
    as_of: DateOrInstant | None = None
    levels: tuple[StockLevel, ...]
    complete: Flag = False


class StockMovementLine(MeasuredValue):
    """A change of one bucket, negative when units leave it."""

    sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    bucket: StockBucket
    delta: SignedMeasured
    uom: Text | None = None
    reason: MovementReason = "unknown"
    reason_raw: FreeText | None = None
    lot: Text | None = None
    properties: Attributes = Field(default_factory=dict)


class StockMovement(DocumentBase):
    type: Literal["stock_movement"] = "stock_movement"
    location: Text | None = None
    location_raw: FreeText | None = None
    lines: tuple[StockMovementLine, ...]
    reference: Text | None = None
    at: DateOrInstant | None = None


class Listing(DocumentBase):
    """A channel's offer. `quantity` is what it shows, null when it does not track stock."""

    type: Literal["listing"] = "listing"
    listing_id: Text
    variant_id: Text | None = None
    item_id: Text | None = None
    channel_sku: Text | None = None
    sku: Text | None = None
    gtin: Text | None = None
    title: FreeText | None = None
    state: ListingState = "unknown"
    state_raw: FreeText | None = None
    price: Money | None = None
    quantity: SignedQuantity | None = None
    fulfilled_by: FulfilledBy = "merchant"
    marketplace: Text | None = None
    location: Text | None = None
    location_raw: FreeText | None = None


class Availability(DocumentBase):
    """Outbound: what a listing should show, computed from the position at `position_version`."""

    type: Literal["availability"] = "availability"
    account: Text
    listing_id: Text
    sku: Text
    location: Text | None = None
    quantity: Quantity
    position_version: Quantity
    computed_at: Instant
