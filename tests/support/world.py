"""A small world of orders with a known truth, told in payloads that may be lost, repeated and reordered.

The truth is a dict per order line; what the hub should end with is computed from it and from
nothing the hub does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from canonical import Document
from tests.support.orders import document, line, order, refund, returned, shipment

Payload = tuple[Document, ...]


@dataclass
class Line:
    """Units of one line, as they really are."""

    sku: str
    quantity: int
    cancelled: int = 0
    shipped: int = 0
    sellable: int = 0
    damaged: int = 0

    @property
    def open(self) -> int:
        return self.quantity - self.cancelled - self.shipped

    @property
    def out(self) -> int:
        """Shipped and not back."""
        return self.shipped - self.sellable - self.damaged


@dataclass
class Sold:
    """One order and every document about it so far."""

    name: str
    lines: dict[str, Line]
    version: int = 1
    cancelled: bool = False
    documents: list[Document] = field(default_factory=list)


class World:
    """Changes happen one per minute. `mail` is everything ever sent, in order."""

    def __init__(self, stock: dict[str, int], account: str = "shop") -> None:
        self.stock = dict(stock)
        self.account = account
        self.orders: dict[str, Sold] = {}
        self.mail: list[Payload] = []
        self.minute = 1

    def place(self, lines: list[tuple[str, int]]) -> None:
        name = str(len(self.orders) + 1)
        named = {f"{name}-{number}": Line(sku, units) for number, (sku, units) in enumerate(lines)}
        self.orders[name] = Sold(name, named)
        self._tell(self.orders[name])

    def ship(self, sold: Sold, units: int) -> None:
        moved = [(name, min(units, one.open)) for name, one in sold.lines.items() if one.open > 0]
        if sold.cancelled or not moved:
            return
        for name, count in moved:
            sold.lines[name].shipped += count
        self._tell(sold, shipment(self._name("s"), sold.name, moved, version=self._next(), account=self.account))

    def cancel(self, sold: Sold, units: int, *, whole: bool, refunded: bool = False) -> None:
        """Units that never left: told by a cancellation, or by a refund that restocks them."""
        moved = [
            (name, one.open if whole else min(units, one.open)) for name, one in sold.lines.items() if one.open > 0
        ]
        if sold.cancelled or not moved:
            return
        sold.cancelled = whole and not any(one.shipped for one in sold.lines.values())
        for name, count in moved:
            sold.lines[name].cancelled += count
        named = [{"line_id": name, "quantity": count} for name, count in moved]
        if refunded:
            back = [(name, count, "sellable") for name, count in moved]
            self._tell(sold, refund(self._name("f"), sold.name, back, version=self._next(), account=self.account))
            return
        fields: dict[str, Any] = {} if sold.cancelled else {"lines": named}
        name = self._name("c")
        self._tell(
            sold,
            document("order_cancellation", name, sold.name, version=self._next(), account=self.account, **fields),
        )

    def come_back(self, sold: Sold, units: int, how: str, told_by: str) -> None:
        """Goods return: told by a refund, a return, or both for the same units."""
        moved = [(name, min(units, one.out), how) for name, one in sold.lines.items() if one.out > 0]
        if not moved:
            return
        for name, count, _ in moved:
            one = sold.lines[name]
            one.sellable += count if how == "sellable" else 0
            one.damaged += count if how == "damaged" else 0
        at = {"version": self._next(), "account": self.account}
        told = [refund(self._name("f"), sold.name, moved, **at)]
        if told_by == "both":
            # Every earlier return has a twin refund too, so that the two sums tell the same units.
            told.append(returned(self._name("t"), sold.name, moved, **at))
        self._tell(sold, *told)

    def _next(self) -> int:
        self.minute += 1
        return self.minute

    def _name(self, prefix: str) -> str:
        return f"{prefix}{self.minute + 1}"

    def _tell(self, sold: Sold, *documents: Document) -> None:
        sold.documents += documents
        sold.version = self.minute
        state = self.state(sold)
        self.mail += [(one,) for one in documents]
        self.mail += [(state,), (state, *sold.documents)]
        self.minute += 1

    def state(self, sold: Sold) -> Document:
        lines = [
            line(
                name,
                one.sku,
                one.quantity,
                cancelled_quantity=one.cancelled,
                fulfilled_quantity=one.shipped,
                returned_quantity=one.sellable + one.damaged,
            )
            for name, one in sold.lines.items()
        ]
        state = "cancelled" if sold.cancelled else "open"
        return order(sold.name, lines, version=sold.version, account=self.account, state=state)

    def expected(self, sku: str) -> tuple[int, int, int]:
        """(on hand, reserved, quarantine) once everything was heard."""
        lines = [one for sold in self.orders.values() for one in sold.lines.values() if one.sku == sku]
        on_hand = self.stock[sku] - sum(one.shipped - one.sellable for one in lines)
        return on_hand, sum(one.open for one in lines), sum(one.damaged for one in lines)
