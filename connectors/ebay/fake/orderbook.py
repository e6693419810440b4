"""Orders as eBay shows them, and what becomes of them.

Source: sell/fulfillment v1.20.7 OpenAPI document (2025-11); production captures (2024-04 to 2026-06):
amounts are texts, a line's cost is the whole line's, tax that eBay collects stands beside the totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.ebay.fake.replies import iso, money

LATE: Final = timedelta(seconds=3)
"""How far reads may lag behind writes, when they do."""
TAX_RATE: Final = Decimal("0.08")
FEE_RATE: Final = Decimal("0.13")
SELLER: Final = "example_seller"
SELLER_ID: Final = "ExAmPlEsElLeR1"
PEOPLE: Final = (
    ("Avery Example", "100 Sample St", "Springfield", "IL", "62701-1234"),
    ("Robin Fictive", "7 Placeholder Ave", "Columbus", "OH", "43004"),
    ("Sam Invented", "12 Nowhere Rd", "Denver", "CO", "80014"),
)


@dataclass
class Line:
    number: str
    listing_id: str
    sku: str
    title: str
    price: Decimal
    units: int
    shipped: int = 0
    refunds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return self.price * self.units

    @property
    def tax(self) -> Decimal:
        return (self.amount * TAX_RATE).quantize(Decimal("0.01"))

    @property
    def status(self) -> str:
        return "FULFILLED" if self.shipped >= self.units else "IN_PROGRESS" if self.shipped else "NOT_STARTED"


@dataclass
class Fulfillment:
    id: str
    lines: list[tuple[str, int]]
    tracking: str | None
    carrier: str | None
    at: datetime


@dataclass
class Order:
    number: str
    person: tuple[str, str, str, str, str]
    username: str
    lines: list[Line]
    created: datetime
    modified: datetime
    cancel_state: str = "NONE_REQUESTED"
    cancelled: datetime | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    before: dict[str, Any] | None = None
    marketplace: str = "EBAY_US"
    paid: datetime | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def state(self) -> str:
        """A word for people."""
        if self.cancel_state == "CANCELED":
            return "cancelled"
        return "shipped" if all(line.status == "FULFILLED" for line in self.lines) else "open"

    @property
    def fulfillment_status(self) -> str:
        kinds = {line.status for line in self.lines}
        return kinds.pop() if len(kinds) == 1 else "IN_PROGRESS"

    @property
    def payment_status(self) -> str:
        if self.paid is None:
            return "PENDING"
        paid_back = sum((Decimal(row["amount"]["value"]) for row in self.refunds), Decimal(0))
        if not paid_back:
            return "PAID"
        return "FULLY_REFUNDED" if paid_back >= self.total else "PARTIALLY_REFUNDED"

    def line(self, number: object) -> Line | None:
        return next((line for line in self.lines if line.number == number), None)

    def is_fresh(self, now: datetime) -> bool:
        """Changed so lately that a read may still miss it."""
        return now - self.modified < LATE

    def touch(self, at: datetime) -> None:
        self.before = self.to_json()
        self.modified = at

    def to_json(self, *, listed: bool = False, base: str = "") -> dict[str, Any]:
        """`listed`: as in a page of orders, where the cancel requests are always missing."""
        fee = (self.total * FEE_RATE).quantize(Decimal("0.01"))
        tax = sum((line.tax for line in self.lines), Decimal(0))
        status: dict[str, Any] = {
            "cancelState": self.cancel_state,
            "cancelRequests": [] if listed else list(self.requests),
        }
        if self.cancelled is not None:
            status["cancelledDate"] = iso(self.cancelled)
        return {
            "orderId": self.number,
            "legacyOrderId": self.number,
            "creationDate": iso(self.created),
            "lastModifiedDate": iso(self.modified),
            "orderFulfillmentStatus": self.fulfillment_status,
            "orderPaymentStatus": self.payment_status,
            "sellerId": SELLER,
            "buyer": self._buyer(),
            "pricingSummary": {
                "priceSubtotal": money(self.total),
                "deliveryCost": money(Decimal(0)),
                "total": money(self.total),
            },
            "cancelStatus": status,
            "paymentSummary": {
                "totalDueSeller": money(self.total - fee),
                "refunds": list(self.refunds),
                "payments": [
                    {
                        "paymentMethod": "EBAY",
                        "paymentReferenceId": f"{self.number}_S",
                        "paymentDate": iso(self.paid),
                        "amount": money(self.total - fee),
                        "paymentStatus": "PAID",
                    }
                ]
                if self.paid is not None
                else [],
            },
            "fulfillmentStartInstructions": [self._instructions()],
            "fulfillmentHrefs": [
                f"{base}/sell/fulfillment/v1/order/{self.number}/shipping_fulfillment/{each.id}"
                for each in self.fulfillments
            ],
            "lineItems": [self._line(line) for line in self.lines],
            "ebayCollectAndRemitTax": True,
            "salesRecordReference": self.number[-5:],
            "totalFeeBasisAmount": money(self.total + tax),
            "totalMarketplaceFee": money(fee),
        }

    def _buyer(self) -> dict[str, Any]:
        name, street, city, state, code = self.person
        address = {
            "addressLine1": street,
            "city": city,
            "stateOrProvince": state,
            "postalCode": code,
            "countryCode": "US",
        }
        return {
            "username": self.username,
            "taxAddress": {"city": city, "stateOrProvince": state, "postalCode": code, "countryCode": "US"},
            "buyerRegistrationAddress": {
                "fullName": name,
                "contactAddress": address,
                "primaryPhone": {"phoneNumber": "5555550100"},
                "email": f"{self.username}@members.example.com",
            },
        }

    def _instructions(self) -> dict[str, Any]:
        buyer = self._buyer()["buyerRegistrationAddress"]
        return {
            "fulfillmentInstructionsType": "SHIP_TO",
            "minEstimatedDeliveryDate": iso(self.created + timedelta(days=4)),
            "maxEstimatedDeliveryDate": iso(self.created + timedelta(days=7)),
            # Present although the specification says "only if true".
            "ebaySupportedFulfillment": False,
            "shippingStep": {"shipTo": buyer | {"primaryPhone": {}}, "shippingServiceCode": "USPSGroundAdvantage"},
        }

    def _line(self, line: Line) -> dict[str, Any]:
        body: dict[str, Any] = {
            "lineItemId": line.number,
            "legacyItemId": line.listing_id,
            "sku": line.sku,
            "title": line.title,
            "lineItemCost": money(line.amount),
            "quantity": line.units,
            "soldFormat": "FIXED_PRICE",
            "listingMarketplaceId": self.marketplace,
            "purchaseMarketplaceId": self.marketplace,
            "lineItemFulfillmentStatus": line.status,
            "total": money(line.amount),
            "deliveryCost": {"shippingCost": money(Decimal(0))},
            "appliedPromotions": [],
            "taxes": [],
            "ebayCollectAndRemitTaxes": [
                {"taxType": "STATE_SALES_TAX", "amount": money(line.tax), "collectionMethod": "NET"}
            ],
            "properties": {"buyerProtection": True},
            "lineItemFulfillmentInstructions": {
                "minEstimatedDeliveryDate": iso(self.created + timedelta(days=4)),
                "maxEstimatedDeliveryDate": iso(self.created + timedelta(days=7)),
                "shipByDate": iso(self.created + timedelta(days=2)),
                "guaranteedDelivery": False,
            },
        }
        return body | ({"refunds": list(line.refunds)} if line.refunds else {})


class OrderBook:
    """All orders of one seller."""

    def __init__(self, seed: int) -> None:
        self.orders: dict[str, Order] = {}
        self._next = (seed % 90) * 1_000

    def new(
        self,
        lines: Sequence[tuple[str, str, str, Decimal, int]],
        now: datetime,
        *,
        marketplace: str = "EBAY_US",
        paid: bool = True,
    ) -> Order:
        """A checkout; `lines` are (listing, SKU, title, price, units)."""
        self._next += 1
        site = 10 + self._next % 15
        number = f"{site:02d}-{10_000 + self._next // 100_000:05d}-{self._next % 100_000:05d}"
        made = [
            Line(f"100{self._next:08d}{site:02d}{index:01d}", listing, sku, title, price, units)
            for index, (listing, sku, title, price, units) in enumerate(lines, 1)
        ]
        person = PEOPLE[self._next % len(PEOPLE)]
        order = Order(number, person, f"example_buyer{self._next}", made, now, now)
        order.marketplace, order.paid = marketplace, now if paid else None
        self.orders[number] = order
        return order

    def all(self) -> Iterator[Order]:
        return iter(self.orders.values())

    @staticmethod
    def fulfil(order: Order, made: Fulfillment, at: datetime) -> None:
        order.touch(at)
        order.fulfillments.append(made)
        for number, units in made.lines:
            line = order.line(number)
            if line is not None:
                line.shipped += units

    @staticmethod
    def refund(order: Order, amount: Decimal, lines: Sequence[tuple[Line, Decimal]], at: datetime) -> str:
        """Money back, paid at once; gives the refund's id."""
        refund_id = f"50{len(order.refunds) + 1:03d}{order.number[-5:]}"
        order.touch(at)
        order.refunds.append(
            {"refundId": refund_id, "refundDate": iso(at), "amount": money(amount), "refundStatus": "REFUNDED"}
        )
        for line, part in lines:
            line.refunds.append({"refundId": refund_id, "refundDate": iso(at), "amount": money(part)})
        return refund_id
