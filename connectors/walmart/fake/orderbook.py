"""Purchase orders and what may be done to them.

An order has no status: every line splits its units over statuses. Lines are acknowledged per order,
shipped and cancelled by units.

Source: Walmart orders OpenAPI document (2026-06); multi-line multi-quantity guide (2026-05).
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.walmart.fake.replies import millis, money, quantity
from connectors.walmart.fake.stockroom import Item

OPEN = ("Created", "Acknowledged")
LATE = timedelta(seconds=3)
"""How far reads may lag behind writes, when they do."""
TAX_RATE = Decimal("0.08")
PEOPLE = (
    ("Avery Example", "100 Sample St", "Springfield", "IL", "62701"),
    ("Robin Fictive", "7 Placeholder Ave", "Columbus", "OH", "43004"),
    ("Sam Invented", "12 Nowhere Rd", "Denver", "CO", "80014"),
)


@dataclass
class Part:
    """Units of a line in one status."""

    status: str
    units: int
    reason: str | None = None
    tracking: dict[str, Any] | None = None


@dataclass
class Line:
    number: str
    item: Item
    node: str
    units: int
    parts: list[Part]
    changed: datetime
    intent_to_cancel: bool = False
    refunds: list[dict[str, Any]] = field(default_factory=list)

    def count(self, *statuses: str) -> int:
        return sum(part.units for part in self.parts if part.status in statuses)

    def move(self, units: int, source: Sequence[str], target: Part, at: datetime) -> None:
        """Take units out of `source` statuses, first ones first, into `target`."""
        left = units
        for part in self.parts:
            if part.status in source and left:
                taken = min(part.units, left)
                part.units -= taken
                left -= taken
        if left:
            raise ValueError("fewer units than asked for; check `count` first")
        self.parts = [part for part in self.parts if part.units] + [target]
        self.changed = at


@dataclass
class Order:
    number: str
    customer_number: str
    person: tuple[str, str, str, str, str]
    lines: list[Line]
    ship_node_type: str
    created: datetime
    modified: datetime
    before: dict[str, Any] | None = None

    def line(self, number: str) -> Line | None:
        return next((line for line in self.lines if line.number == number), None)

    @property
    def state(self) -> str:
        """A word for people: what most of the order is in."""
        kinds = {part.status for line in self.lines for part in line.parts}
        live = kinds - {"Cancelled"}
        if not live:
            return "cancelled"
        return "open" if live & set(OPEN) else "shipped"

    def is_fresh(self, now: datetime) -> bool:
        """Changed so lately that a read may still miss it."""
        return now - self.modified < LATE

    def touch(self, at: datetime) -> None:
        self.before = self.to_json()
        self.modified = at

    def to_json(self) -> dict[str, Any]:
        name, street, city, state, code = self.person
        return {
            "purchaseOrderId": self.number,
            "customerOrderId": self.customer_number,
            "customerEmailId": f"{int(self.customer_number):032X}@relay.example.com",
            "orderType": "REGULAR",
            "orderDate": millis(self.created),
            "shippingInfo": {
                "phone": "5555550100",
                "estimatedDeliveryDate": millis(self.created + timedelta(days=6)),
                "estimatedShipDate": millis(self.created + timedelta(days=2)),
                "methodCode": "Standard",
                "postalAddress": {
                    "name": name,
                    "address1": street,
                    "address2": None,
                    "city": city,
                    "state": state,
                    "postalCode": code,
                    "country": "USA",
                    "addressType": "RESIDENTIAL",
                },
            },
            "orderLines": {"orderLine": [_line_json(line) for line in self.lines]},
            "shipNode": {"type": self.ship_node_type, "name": "Default", "id": self.lines[0].node},
        }


def _line_json(line: Line) -> dict[str, Any]:
    amount = line.item.price * line.units
    tax = (amount * TAX_RATE).quantize(Decimal("0.01"))
    body: dict[str, Any] = {
        "lineNumber": line.number,
        "item": {"productName": line.item.title, "sku": line.item.sku},
        "charges": {
            "charge": [
                {
                    "chargeType": "PRODUCT",
                    "chargeName": "ItemPrice",
                    "chargeAmount": money(amount),
                    "tax": {"taxName": "Tax1", "taxAmount": money(tax)},
                }
            ]
        },
        "orderLineQuantity": quantity(line.units),
        "statusDate": millis(line.changed),
        "orderLineStatuses": {"orderLineStatus": [_part_json(part) for part in line.parts]},
        "fulfillment": {"fulfillmentOption": "S2H", "shipMethod": "STANDARD", "shippingProgramType": None},
    }
    if line.intent_to_cancel:
        body["intentToCancel"] = "true"
    if line.refunds:
        body["refund"] = line.refunds[-1]
    return body


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "status": part.status,
        "statusQuantity": quantity(part.units),
        "cancellationReason": part.reason,
        "trackingInfo": part.tracking,
    }


class OrderBook:
    """All orders of one seller and the cursors handed out for lists of them."""

    def __init__(self, seed: int) -> None:
        self.orders: dict[str, Order] = {}
        self._next = 1_796_277_000_000 + (seed % 1000) * 1_000_000
        self._pages: dict[str, list[str]] = {}
        self._page_order: deque[str] = deque()

    def new(self, lines: Sequence[tuple[Item, str, int]], ship_node_type: str, now: datetime) -> Order:
        """A checkout becomes one purchase order; `lines` are (item, node, units)."""
        self._next += 1
        made = [
            Line(str(index), item, node, units, [Part("Created", units)], now)
            for index, (item, node, units) in enumerate(lines, 1)
        ]
        person = PEOPLE[self._next % len(PEOPLE)]
        order = Order(str(self._next), f"5{self._next}", person, made, ship_node_type, now, now)
        self.orders[order.number] = order
        return order

    def remember(self, cursor: str, numbers: list[str]) -> None:
        """Keep the rest of a list under its cursor; the oldest of many thousand are forgotten."""
        self._pages[cursor] = numbers
        self._page_order.append(cursor)
        while len(self._page_order) > 5_000:
            self._pages.pop(self._page_order.popleft(), None)

    def recall(self, cursor: str) -> list[str] | None:
        return self._pages.get(cursor)

    def all(self) -> Iterator[Order]:
        return iter(self.orders.values())

    @staticmethod
    def shipped_units(line: Line, tracking_number: str) -> int:
        return sum(
            part.units for part in line.parts if part.tracking and part.tracking["trackingNumber"] == tracking_number
        )


def snapshot(order: Order) -> Mapping[str, Any]:
    return copy.deepcopy(order.to_json())
