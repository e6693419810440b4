"""Goods on their way: shipments as stated by whoever ships, and the carrier's own events."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from canonical.codes import Condition, Milestone, Precision, ShipmentState
from canonical.documents.base import DocumentBase
from canonical.scalars import Attributes, Code, DateOrInstant, Flag, FreeText, LocalTime, Measured, Text, UtcOffset
from canonical.values import MeasuredValue, Place, PostalAddress, Value, Weight


class PackageLine(MeasuredValue):
    """Units of one order line in one package; a decimal only with its `uom`."""

    line_id: Text | None = None
    sku: Text | None = None
    channel_sku: Text | None = None
    gtin: Text | None = None
    quantity: Measured
    uom: Text | None = None
    lot: Text | None = None
    serials: tuple[Text, ...] = ()
    properties: Attributes = Field(default_factory=dict)


class Package(Value):
    """`id` is unique within the shipment; `carrier_raw` is the word the channel used."""

    id: Text | None = None
    sscc: Text | None = None
    tracking_number: Text | None = None
    tracking_url: Text | None = None
    carrier: Code | None = None
    carrier_raw: FreeText | None = None
    service: Text | None = None
    weight: Weight | None = None
    lines: tuple[PackageLine, ...] = ()


class Shipment(DocumentBase):
    """`order` is the vendor's order id, `ship_from` one of our locations."""

    PERSONAL: ClassVar[tuple[str, ...]] = ("ship_to",)

    type: Literal["shipment"] = "shipment"
    order: Text
    number: Text | None = None
    state: ShipmentState
    state_raw: FreeText | None = None
    ship_from: Text | None = None
    ship_from_raw: FreeText | None = None
    shipped_at: DateOrInstant | None = None
    delivered_at: DateOrInstant | None = None
    updated_at: DateOrInstant | None = None
    estimated_delivery: DateOrInstant | None = None
    packages: tuple[Package, ...] = ()
    ship_to: PostalAddress = None


class TrackingUpdate(DocumentBase):
    """One carrier event, or with `current` the carrier's latest-status block.

    `parcel` is the carrier's own parcel id, because tracking numbers are recycled. `milestone` null
    moves nothing. `at` is null where the zone of `local_time` is not known; `precision` is `minute`
    only where the format has no seconds. A parcel's state is the fold of its events by event time.
    `tracking_number` is null only in a not-found answer that does not repeat the number asked for.
    """

    PERSONAL: ClassVar[tuple[str, ...]] = ("signed_by",)

    type: Literal["tracking_update"] = "tracking_update"
    carrier: Code
    carrier_raw: FreeText | None = None
    tracking_number: Text | None = None
    parcel: Text | None = None
    milestone: Milestone | None = None
    condition: Condition | None = None
    action_required: Flag = False
    code_raw: FreeText | None = None
    text_raw: FreeText | None = None
    at: DateOrInstant | None = None
    local_time: LocalTime | None = None
    utc_offset: UtcOffset | None = None
    precision: Precision = "instant"
    current: Flag = False
    location: Place | None = None
    estimated_delivery: DateOrInstant | None = None
    signed_by: Text | None = None
