"""Where the lines of a purchase order stand, in eaches, and what of them is still to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from hub.ports.store import Micros
from hub.purchasing.told import Part, Told, ToldLine

Units = list[tuple[int, Micros | None]]
"""(quantity, when it is due; None: nobody has named a day)"""


class Price(NamedTuple):
    """A price as somebody stated it: per unit, None being eaches, in a currency that may not be said."""

    amount: str
    uom: str | None = None
    currency: str | None = None


class Due(NamedTuple):
    """Units still to come. `at` None: nobody has named a day."""

    sku: str
    quantity: int
    at: Micros | None


@dataclass(slots=True)
class LineStanding:
    """One line, in eaches. `sku` is the article ordered, by-SKU tables hold substitutes too.

    `answered`: an answer has spoken for it. `parts` are the answer's, quantities in eaches. `shipped`, `received`
    and `invoiced` are sums over documents; received counts damaged units too.
    """

    number: str
    sku: str
    wanted: int
    answered: bool = False
    parts: list[tuple[Part, int]] = field(default_factory=list)
    promised: dict[str, Units] = field(default_factory=dict)
    shipped: dict[str, int] = field(default_factory=dict)
    on_the_way: dict[str, Units] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    invoiced: int = 0
    answer_prices: list[Price] = field(default_factory=list)
    invoice_prices: list[Price] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """what was said of the line and could not be counted"""
    over: bool = False
    """nothing more is expected, whatever was promised"""

    @property
    def acknowledged(self) -> int:
        return sum(units for promises in self.promised.values() for units, _ in promises)

    @property
    def total_shipped(self) -> int:
        return sum(self.shipped.values())

    @property
    def total_received(self) -> int:
        return sum(self.received.values())

    def due(self) -> list[Due]:
        """What is still to come, per SKU the earliest first, undated last."""
        coming: list[Due] = []
        if self.over:
            return coming
        for sku in dict.fromkeys([*self.promised, *self.on_the_way]):
            units = dated(self.promised.get(sku, []), self.on_the_way.get(sku, []))
            coming += [Due(sku, left, at) for left, at in without(units, self.received.get(sku, 0))]
        return coming

    def incoming(self) -> dict[str, int]:
        """By SKU, units still to come."""
        units: dict[str, int] = {}
        for one in self.due():
            units[one.sku] = units.get(one.sku, 0) + one.quantity
        return units


@dataclass(slots=True)
class Standing:
    """The whole order. `strangers` are lines of documents that fit no line of ours."""

    state: str
    lines: dict[str, LineStanding]
    strangers: list[tuple[Told, ToldLine]]


def when(one: tuple[int, Micros | None]) -> tuple[bool, Micros]:
    return one[1] is None, one[1] or 0


def dated(promised: Units, shipped: Units) -> Units:
    """Promises, the first of them dated by the notices of what is on its way; more shipped than promised comes too."""
    queue = list(promised)
    units: Units = []
    for quantity, at in shipped:
        left = quantity
        while left and queue:
            first, day = queue.pop(0)
            taken = min(left, first)
            units.append((taken, day if at is None else at))
            left -= taken
            if first > taken:
                queue.insert(0, (first - taken, day))
        if left:
            units.append((left, at))
    return sorted(units, key=when) + queue


def without(units: Units, received: int) -> Units:
    left: Units = []
    for quantity, at in units:
        taken = min(received, quantity)
        received -= taken
        if quantity > taken:
            left.append((quantity - taken, at))
    return left
