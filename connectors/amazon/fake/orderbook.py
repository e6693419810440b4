"""Orders as the Orders API 2026-01-01 shows them, and what becomes of them.

Source: orders_2026-01-01 model (2026-08): only ids, times, channel and items are always there; every
other part is returned when its dataset is named in `includedData`, the status too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.amazon.fake.marketplaces import Marketplace
from connectors.amazon.fake.replies import iso, money

DATASETS: Final = (
    "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX",
    "PAYMENT", "FULFILLMENT_ORDERS",
)  # fmt: skip
STATUSES: Final = (
    "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE",
)  # fmt: skip
LATE: Final = timedelta(seconds=3)
"""How far reads may lag behind writes, when they do."""
TAX_RATE: Final = Decimal("0.08")
PEOPLE: Final = (
    ("Avery Example", "100 Sample St", "Springfield", "IL", "62701-1234"),
    ("Robin Fictive", "7 Placeholder Ave", "Columbus", "OH", "43004"),
    ("Sam Invented", "12 Nowhere Rd", "Denver", "CO", "80014"),
)


@dataclass
class Line:
    number: str
    sku: str
    asin: str
    title: str
    price: Decimal
    units: int
    shipped: int = 0
    dropped: int = 0
    """Units given back without having been sent."""
    refunded: Decimal = Decimal(0)
    request: dict[str, str] | None = None
    """The buyer asked to cancel."""
    execution: dict[str, str] | None = None
    """It was cancelled."""

    @property
    def amount(self) -> Decimal:
        return self.price * self.units

    @property
    def open(self) -> int:
        return 0 if self.execution else self.units - self.shipped - self.dropped


@dataclass
class Package:
    """One of the seller's packages; `reference` is the seller's own, unique within an order."""

    reference: str
    carrier: str
    service: str
    tracking: str
    shipped: datetime
    made: datetime
    lines: dict[str, int]


@dataclass
class Order:
    number: str
    market: Marketplace
    person: tuple[str, str, str, str, str]
    lines: list[Line]
    created: datetime
    updated: datetime
    merchant: bool
    pending: bool = True
    clears: datetime | None = None
    """When the payment is authorised."""
    packages: dict[str, Package] = field(default_factory=dict)
    before: dict[str, Any] | None = None

    @property
    def status(self) -> str:
        if all(line.execution for line in self.lines):
            return "CANCELLED"
        if self.pending:
            return "PENDING"
        left = sum(line.open for line in self.lines)
        gone = sum(line.shipped for line in self.lines)
        return "UNSHIPPED" if not gone else "PARTIALLY_SHIPPED" if left else "SHIPPED"

    @property
    def state(self) -> str:
        """A word for people."""
        return {"CANCELLED": "cancelled", "SHIPPED": "shipped"}.get(self.status, "open")

    @property
    def total(self) -> Decimal:
        return sum((line.amount + self.tax(line) for line in self.lines), Decimal(0))

    def tax(self, line: Line) -> Decimal:
        return (line.amount * TAX_RATE).quantize(self.market.smallest)

    def line(self, number: object) -> Line | None:
        return next((line for line in self.lines if line.number == number), None)

    def is_fresh(self, now: datetime) -> bool:
        """Changed so lately that a read may still miss it."""
        return now - self.updated < LATE

    def touch(self, at: datetime) -> None:
        self.before = self.to_json(DATASETS)
        self.updated = at

    def to_json(self, included: Collection[str], *, role: bool = True) -> dict[str, Any]:
        """`role` False: an application without the role for personal data gets none, without a word."""
        told = not self.pending
        body: dict[str, Any] = {
            "orderId": self.number,
            "createdTime": iso(self.created),
            "lastUpdatedTime": iso(self.updated),
            "programs": [] if self.merchant else ["PRIME"],
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": self.market.id,
                "marketplaceName": self.market.name,
            },
            "orderItems": [self._item(line, included) for line in self.lines],
        }
        if "BUYER" in included and told:
            alias = self.number.replace("-", "")[-9:]
            body["buyer"] = {"buyerEmail": f"{alias}@marketplace.example.com"} | (
                {"buyerName": self.person[0]} if role else {}
            )
        if "RECIPIENT" in included and told and self.merchant and role:
            body["recipient"] = {"deliveryAddress": self._address()}
        if "PROCEEDS" in included and told:
            body["proceeds"] = {"grandTotal": money(self.total, self.market.currency)}
        if "PAYMENT" in included and told:
            paid = {"paymentMethod": "STANDARD", "paymentAmount": money(self.total, self.market.currency)}
            body["payment"] = {"paymentExecutions": [paid]}
        if "FULFILLMENT" in included:
            body["fulfillment"] = self._fulfillment()
        if "PACKAGES" in included and self.merchant and self.packages:
            body["packages"] = [_package(each) for each in self.packages.values()]
        return body

    def _address(self) -> dict[str, str]:
        name, street, city, state, code = self.person
        return {
            "name": name,
            "addressLine1": street,
            "city": city,
            "stateOrRegion": state,
            "postalCode": code,
            "countryCode": self.market.country,
            "phone": "+1 555-555-0100",
            "addressType": "RESIDENTIAL",
        }

    def _fulfillment(self) -> dict[str, Any]:
        made = self.created
        return {
            "fulfillmentStatus": self.status,
            "fulfilledBy": "MERCHANT" if self.merchant else "AMAZON",
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": _window(made + timedelta(hours=1), made + timedelta(days=2)),
            "deliverByWindow": _window(made + timedelta(days=3), made + timedelta(days=6)),
        }

    def _item(self, line: Line, included: Collection[str]) -> dict[str, Any]:
        currency = self.market.currency
        condition = {"conditionType": "NEW", "conditionSubtype": "NEW", "conditionNote": ""}
        product: dict[str, Any] = {
            "asin": line.asin,
            "title": line.title,
            "sellerSku": line.sku,
            "condition": condition,
        }
        if not self.pending:
            product["price"] = {"unitPrice": money(line.price, currency)}
        body: dict[str, Any] = {
            "orderItemId": line.number,
            "quantityOrdered": line.units,
            "programs": [],
            "product": product,
        }
        if "PROCEEDS" in included and not self.pending:
            tax = self.tax(line)
            body["proceeds"] = {
                "proceedsTotal": money(line.amount + tax, currency),
                "breakdowns": [
                    {"type": "ITEM", "subtotal": money(line.amount, currency)},
                    {
                        "type": "TAX",
                        "subtotal": money(tax, currency),
                        "detailedBreakdowns": [{"subtype": "ITEM", "value": money(tax, currency)}],
                    },
                ],
            }
        if "TAX" in included and not self.pending:
            collector = {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}
            body["tax"] = {"taxCollections": [collector]}
        if "CANCELLATION" in included and (line.request or line.execution):
            found = {"cancellationRequest": line.request, "cancellationExecution": line.execution}
            body["cancellation"] = {name: value for name, value in found.items() if value}
        if "FULFILLMENT" in included:
            body["fulfillment"] = {"quantityFulfilled": line.shipped, "quantityUnfulfilled": line.open}
        return body


class OrderBook:
    """All orders of one seller."""

    def __init__(self, seed: int) -> None:
        self.orders: dict[str, Order] = {}
        self._unpaid: dict[str, Order] = {}
        self._next = (seed % 90) * 1_000

    def new(
        self,
        lines: Sequence[tuple[str, str, str, Decimal, int]],
        market: Marketplace,
        now: datetime,
        *,
        merchant: bool,
        clears: datetime,
    ) -> Order:
        """A checkout whose payment is not authorised before `clears`; lines are (SKU, ASIN, title, price, units)."""
        self._next += 1
        number = f"{113 + self._next % 4}-{1_000_000 + self._next % 9_000_000:07d}-{7_000_000 + self._next:07d}"
        made = [
            Line(f"{60_000_000_000_000 + self._next * 100 + index}", *facts) for index, facts in enumerate(lines, 1)
        ]
        person = PEOPLE[self._next % len(PEOPLE)]
        order = Order(number, market, person, made, now, now, merchant, clears=clears)
        self.orders[number] = self._unpaid[number] = order
        return order

    def all(self) -> Iterator[Order]:
        return iter(self.orders.values())

    def due(self, now: datetime) -> list[Order]:
        """Orders whose payment has been authorised by now and that still say PENDING, in the order of that."""
        found = []
        for number, each in list(self._unpaid.items()):
            if not each.pending or each.clears is None:
                del self._unpaid[number]
            elif each.clears <= now:
                found.append(each)
        return sorted(found, key=lambda each: each.clears or now)

    @property
    def waits(self) -> bool:
        """Whether a payment is still to come."""
        return any(each.pending and each.clears is not None for each in self._unpaid.values())

    @staticmethod
    def clear(order: Order, at: datetime) -> None:
        """The payment is authorised: the order may be shipped."""
        order.touch(at)
        order.pending = False
        order.clears = None

    @staticmethod
    def cancel(order: Order, by: str, reason: str, at: datetime, numbers: Collection[str] = ()) -> bool:
        """Cancel whole lines, all open ones when none is named; False when nothing was left to cancel."""
        chosen = [line for line in order.lines if line.open and (not numbers or line.number in numbers)]
        chosen = [line for line in chosen if not line.shipped]
        if not chosen:
            return False
        order.touch(at)
        order.clears = None
        for line in chosen:
            line.execution = {"cancelledBy": by, "cancelReason": reason}
        return True

    @staticmethod
    def drop(line: Line, units: int) -> None:
        """Give units of a line up; the last of them cancels it."""
        line.dropped += units
        if not line.open and not line.shipped:
            line.execution = {"cancelledBy": "MERCHANT", "cancelReason": "GeneralAdjustment"}

    @staticmethod
    def pack(order: Order, package: Package, at: datetime) -> None:
        """Add a package, or put it in place of the one with its reference."""
        order.touch(at)
        replaced = order.packages.get(package.reference)
        for number, units in (replaced.lines if replaced else {}).items():
            line = order.line(number)
            if line is not None:
                line.shipped -= units
        order.packages[package.reference] = package
        for number, units in package.lines.items():
            line = order.line(number)
            if line is not None:
                line.shipped += units


def _package(package: Package) -> dict[str, Any]:
    return {
        "packageReferenceId": package.reference,
        "createdTime": iso(package.made),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.carrier,
        "shipTime": iso(package.shipped),
        "shippingService": package.service,
        "trackingNumber": package.tracking,
        "packageItems": [{"orderItemId": number, "quantity": units} for number, units in package.lines.items()],
    }


def _window(earliest: datetime, latest: datetime) -> dict[str, str]:
    return {"earliestDateTime": iso(earliest), "latestDateTime": iso(latest)}
