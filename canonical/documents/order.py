"""The order: a demand on stock, from a storefront, a marketplace or a retailer's purchase order."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from canonical.codes import CollectedBy, FulfilledBy, FulfillmentState, OrderKind, OrderState, PaymentState
from canonical.documents.base import DocumentBase
from canonical.scalars import Attributes, Code, Currency, DateOrInstant, DecimalText, Flag, FreeText, Quantity, Text
from canonical.values import Hold, Money, PostalAddress, Value


class Buyer(Value):
    """`channel_id` is the channel's id of the customer."""

    name: Text | None = None
    company: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    channel_id: Text | None = None


class Discount(Value):
    """A positive amount taken off. `rate` is a fraction: "0.10" is ten per cent."""

    code: Text | None = None
    title: FreeText | None = None
    amount: Money | None = None
    rate: DecimalText | None = None


class Tax(Value):
    """`rate` is a fraction. Tax collected by the channel is listed here and not part of `totals.tax`."""

    code: Text | None = None
    title: FreeText | None = None
    amount: Money | None = None
    rate: DecimalText | None = None
    collected_by: CollectedBy = "merchant"


class Shipping(Value):
    """`price` is before `discount`; `method` is what the buyer chose, `service` the carrier's product."""

    method: Text | None = None
    service: Text | None = None
    carrier: Code | None = None
    carrier_raw: FreeText | None = None
    price: Money | None = None
    discount: Money | None = None
    tax: Money | None = None


class Totals(Value):
    """As placed and as the channel states them, never recomputed.

    `items` and `shipping` are before discounts, `discount` is positive and includes discounts on
    shipping. `residual` is what the channel's own parts leave unexplained, null when nothing.
    `tax_included`: prices contain the tax already.
    """

    items: Money | None = None
    discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    fees: Money | None = None
    tip: Money | None = None
    grand_total: Money | None = None
    residual: Money | None = None
    tax_included: Flag | None = None


class Requested(Value):
    """What the buyer or retailer asks for."""

    ship_by: DateOrInstant | None = None
    deliver_by: DateOrInstant | None = None
    not_before: DateOrInstant | None = None
    cancel_after: DateOrInstant | None = None
    service: Text | None = None
    carrier: Code | None = None
    carrier_raw: FreeText | None = None


class OrderLine(Value):
    """One line, quantities in eaches and as ordered.

    `id` is the vendor's line id, `sku` ours (null until resolved). `total` is quantity × unit_price −
    discount, without tax and shipping; `unit_price` is exact or null, per `price_uom` where the
    channel prices another unit than eaches. `ship_from` is one of our locations.
    """

    id: Text
    sku: Text | None = None
    channel_sku: Text | None = None
    listing_id: Text | None = None
    gtin: Text | None = None
    title: FreeText | None = None
    quantity: Quantity
    cancelled_quantity: Quantity = 0
    fulfilled_quantity: Quantity = 0
    returned_quantity: Quantity = 0
    uom: Text | None = None
    unit_price: Money | None = None
    price_uom: Text | None = None
    discount: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    fulfilled_by: FulfilledBy = "merchant"
    requires_shipping: Flag = True
    ship_from: Text | None = None
    ship_from_raw: FreeText | None = None
    state_raw: FreeText | None = None
    properties: Attributes = Field(default_factory=dict)


class Order(DocumentBase):
    """`lines` is required, so that a payload whose lines moved elsewhere is an error, not an empty order.

    A read that really has none says so with `attributes.partial` and never shrinks what is known.
    """

    PERSONAL: ClassVar[tuple[str, ...]] = ("buyer", "ship_to", "bill_to", "final_destination", "note")

    type: Literal["order"] = "order"
    number: Text
    kind: OrderKind = "retail"
    state: OrderState
    state_raw: FreeText | None = None
    payment_state: PaymentState = "unknown"
    payment_state_raw: FreeText | None = None
    fulfillment_state: FulfillmentState = "unfulfilled"
    fulfillment_state_raw: FreeText | None = None
    placed_at: DateOrInstant | None = None
    updated_at: DateOrInstant | None = None
    cancelled_at: DateOrInstant | None = None
    currency: Currency | None = None
    lines: tuple[OrderLine, ...]
    shipping: tuple[Shipping, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    totals: Totals = Totals()
    requested: Requested = Requested()
    purchase_order_number: Text | None = None
    holds: tuple[Hold, ...] = ()
    tags: tuple[FreeText, ...] = ()
    buyer: Buyer | None = None
    ship_to: PostalAddress = None
    bill_to: PostalAddress = None
    final_destination: PostalAddress = None
    """the buyer's own address where `ship_to` is a forwarding hub of the channel"""
    note: FreeText | None = None
