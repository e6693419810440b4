"""The fake shop's books: locations, items, orders, and what trading does to them.

A placed order moves units from available to committed at once; shipping takes them out of committed;
cancelling gives them back. Physical stock is available plus committed plus damaged.
Source: shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps, read 2026-11-20.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from connectors.sdk.ports import Clock


@dataclass(slots=True)
class Location:
    id: int
    name: str
    active: bool = True


@dataclass(slots=True)
class Level:
    """Counts of one item at one location. `before` is what a read that lags still sees."""

    location: int
    available: int
    created_at: datetime
    updated_at: datetime
    committed: int = 0
    damaged: int = 0
    incoming: int = 0
    active: bool = True
    before: int | None = None

    @property
    def on_hand(self) -> int:
        return self.available + self.committed + self.damaged

    def set_available(self, quantity: int, now: datetime) -> None:
        self.before, self.available, self.updated_at = self.available, quantity, now


@dataclass(slots=True)
class Item:
    """A variant and its inventory item, one to one. `components` items sell through their parts."""

    id: int
    variant: int
    product: int
    sku: str
    title: str
    price: Decimal
    created_at: datetime
    updated_at: datetime
    tracked: bool = True
    components: bool = False
    levels: dict[int, Level] = field(default_factory=dict)

    @property
    def sellable(self) -> int:
        return sum(level.available for level in self.levels.values() if level.active)


@dataclass(slots=True)
class Line:
    id: int
    item: Item
    quantity: int
    price: Decimal
    cancelled: int = 0

    @property
    def current(self) -> int:
        return self.quantity - self.cancelled


@dataclass(slots=True)
class WorkLine:
    """A fulfilment order's line."""

    id: int
    line: Line
    total: int
    remaining: int


@dataclass(slots=True)
class Work:
    """A fulfilment order: what one location has to ship of one order."""

    id: int
    location: int
    lines: list[WorkLine]
    status: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Parcel:
    """A fulfilment. `lines` are (id, order line, quantity)."""

    id: int
    name: str
    location: int
    lines: list[tuple[int, Line, int]]
    created_at: datetime
    updated_at: datetime
    company: str | None = None
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    status: str = "SUCCESS"


@dataclass(slots=True)
class Repayment:
    """A refund. `lines` are (id, order line, quantity, restock type)."""

    id: int
    lines: list[tuple[int, Line, int, str]]
    location: int
    created_at: datetime
    amount: Decimal


@dataclass(slots=True)
class Order:
    id: int
    number: int
    created_at: datetime
    updated_at: datetime
    lines: list[Line]
    works: list[Work]
    person: int
    parcels: list[Parcel] = field(default_factory=list)
    refunds: list[Repayment] = field(default_factory=list)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def items_price(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal("0.00"))

    def shipped(self, line: Line) -> int:
        return sum(quantity for parcel in self.living() for _, each, quantity in parcel.lines if each is line)

    def living(self) -> Iterator[Parcel]:
        return (parcel for parcel in self.parcels if parcel.status == "SUCCESS")

    @property
    def state(self) -> str:
        if self.cancelled_at is not None:
            return "cancelled"
        if all(self.shipped(line) >= line.current for line in self.lines):
            return "shipped"
        return "partial" if any(self.living()) else "open"

    @property
    def financial(self) -> str:
        if not self.refunds:
            return "PAID"
        repaid = sum((refund.amount for refund in self.refunds), Decimal("0.00"))
        return "REFUNDED" if repaid >= self.items_price else "PARTIALLY_REFUNDED"


class Shop:
    """All of it. Changes return what they touched; telling the world is the sandbox's business."""

    def __init__(self, clock: Clock, chance: random.Random, domain: str) -> None:
        self.clock = clock
        self.chance = chance
        self.domain = domain
        self.id = 70_000_000_001
        self._numbers = itertools.count(1)
        self.locations: dict[int, Location] = {}
        self.items: dict[int, Item] = {}
        self.by_sku: dict[str, Item] = {}
        self.by_variant: dict[int, Item] = {}
        self.orders: dict[int, Order] = {}
        self.main = self.add_location("Main warehouse")

    def now(self) -> datetime:
        """Timestamps have whole seconds here."""
        return self.clock.now().replace(microsecond=0)

    def new_id(self, base: int) -> int:
        """Ids of the size real shops have, each used once."""
        return base + next(self._numbers) * 32_768

    def add_location(self, name: str) -> Location:
        place = Location(self.new_id(80_000_000_000), name)
        self.locations[place.id] = place
        return place

    def add_item(self, sku: str, title: str, price: str = "24.00") -> Item:
        now = self.now()
        item = Item(
            id=self.new_id(45_000_000_000_000),
            variant=self.new_id(43_000_000_000_000),
            product=self.new_id(7_000_000_000_000),
            sku=sku,
            title=title or sku,
            price=Decimal(price),
            created_at=now,
            updated_at=now,
        )
        item.levels[self.main.id] = Level(self.main.id, 0, now, now)
        self.items[item.id] = self.by_sku[sku] = self.by_variant[item.variant] = item
        return item

    def remove_item(self, item: Item) -> None:
        del self.items[item.id], self.by_sku[item.sku], self.by_variant[item.variant]

    def place(self, wanted: Sequence[tuple[str, int]]) -> Order | None:
        """A checkout; None when what is shown does not allow all of it."""
        totals: dict[str, int] = {}
        for sku, quantity in wanted:
            totals[sku] = totals.get(sku, 0) + quantity
        if not wanted or any(quantity < 1 for _, quantity in wanted):
            return None
        if any(sku not in self.by_sku or self.by_sku[sku].sellable < total for sku, total in totals.items()):
            return None
        now = self.now()
        lines = [
            Line(self.new_id(14_000_000_000_000), self.by_sku[sku], quantity, self.by_sku[sku].price)
            for sku, quantity in wanted
        ]
        number = 1001 + len(self.orders)
        order = Order(
            self.new_id(5_600_000_000_000),
            number,
            now,
            now,
            lines,
            self._route(lines, now),
            self.chance.randrange(10**6),
        )
        self.orders[order.id] = order
        return order

    def _route(self, lines: Sequence[Line], now: datetime) -> list[Work]:
        """Each line from the locations that have it, in their order; one fulfilment order per location."""
        works: dict[int, Work] = {}
        for line in lines:
            missing = line.quantity
            for level in line.item.levels.values():
                part = min(missing, max(0, level.available)) if level.active else 0
                if not part:
                    continue
                missing -= part
                level.set_available(level.available - part, now)
                level.committed += part
                work = works.setdefault(
                    level.location,
                    Work(self.new_id(6_700_000_000_000), level.location, [], "OPEN", now, now),
                )
                work.lines.append(WorkLine(self.new_id(15_000_000_000_000), line, part, part))
        return list(works.values())

    def cancel(self, order: Order, reason: str = "CUSTOMER") -> Repayment | None:
        """Everything not shipped goes back on sale and is paid back; a shipped order cannot be cancelled."""
        if order.cancelled_at is not None or any(order.living()):
            return None
        now = self.now()
        order.cancelled_at = order.closed_at = order.updated_at = now
        order.cancel_reason = reason
        refund = Repayment(self.new_id(900_000_000_000), [], order.works[0].location, now, order.items_price)
        for work in order.works:
            work.status, work.updated_at = "CLOSED", now
            for each in work.lines:
                level = each.line.item.levels[work.location]
                level.committed -= each.remaining
                level.set_available(level.available + each.remaining, now)
                refund.lines.append((self.new_id(590_000_000_000), each.line, each.remaining, "CANCEL"))
                each.line.cancelled += each.remaining
                each.remaining = 0
        order.refunds.append(refund)
        return refund

    def ship(
        self,
        order: Order,
        works: Sequence[tuple[Work, Sequence[tuple[WorkLine, int]]]],
        company: str | None,
        numbers: Sequence[str],
        urls: Sequence[str] = (),
    ) -> Parcel:
        """Units leave: the caller has checked that they are there."""
        now = self.now()
        name = f"{order.name}.{len(order.parcels) + 1}"
        parcel = Parcel(
            self.new_id(5_000_000_000_000), name, works[0][0].location, [], now, now, company, list(numbers), list(urls)
        )
        for work, parts in works:
            for each, quantity in parts:
                each.remaining -= quantity
                each.line.item.levels[work.location].committed -= quantity
                parcel.lines.append((self.new_id(16_000_000_000_000), each.line, quantity))
            work.updated_at = now
            work.status = "CLOSED" if all(each.remaining == 0 for each in work.lines) else "IN_PROGRESS"
        order.parcels.append(parcel)
        order.updated_at = now
        if order.state == "shipped":
            order.closed_at = now
        return parcel

    def unship(self, order: Order, parcel: Parcel) -> None:
        """A fulfilment is cancelled: its units wait again where they waited before."""
        now = self.now()
        parcel.status = "CANCELLED"
        parcel.updated_at = order.updated_at = now
        order.closed_at = None
        for _, line, quantity in parcel.lines:
            left = quantity
            for work in (each for each in order.works if each.location == parcel.location):
                for waiting in (each for each in work.lines if each.line is line):
                    back = min(left, waiting.total - waiting.remaining)
                    waiting.remaining += back
                    left -= back
                    line.item.levels[work.location].committed += back
                if work.status == "CLOSED" and any(each.remaining for each in work.lines):
                    work.status = "OPEN"
                work.updated_at = now
