"""Items, nodes and what is reserved on them.

`inputQty` is what the seller sent, `reservedQty` what is ordered and not shipped, `availToSellQty`
the difference. What shipping does to `inputQty` is not documented; here the units leave both, as
they leave the shelf. (Were only the reservation released, every seller who sends numbers once a
day would be oversold by each shipment.)

Source: Walmart inventory OpenAPI document (2026-06).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from connectors.sdk.ports import Clock

LATE = timedelta(seconds=3)
"""How far reads may lag behind writes, when they do."""


@dataclass
class Shelf:
    """One item at one node. `before` is the number until the last change, for reads that lag."""

    input: int = 0
    reserved: int = 0
    before: int | None = None

    @property
    def available(self) -> int:
        return max(0, self.input - self.reserved)

    def put(self, amount: int) -> None:
        self.before = self.input
        self.input = amount


@dataclass
class Item:
    sku: str
    title: str
    price: Decimal
    wfs: bool
    modified: datetime
    shelves: dict[str, Shelf] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return sum(shelf.available for shelf in self.shelves.values())


class Stockroom:
    """All items of one seller. The first node is the virtual default."""

    def __init__(self, clock: Clock, nodes: Iterable[str], wfs_node: str) -> None:
        self.clock = clock
        self.nodes = list(nodes)
        self.wfs_node = wfs_node
        self.items: dict[str, Item] = {}

    @property
    def default_node(self) -> str:
        return self.nodes[0]

    def set(self, sku: str, amount: int, *, title: str = "", wfs: bool = False, node: str | None = None) -> Item:
        """Make or set an item as the seller would in Seller Center."""
        item = self.items.get(sku)
        if item is None:
            price = Decimal("9.99") + len(self.items) % 40
            item = self.items[sku] = Item(sku, title or sku, price, wfs, self.clock.now())
        place = self.wfs_node if item.wfs else node or self.default_node
        item.shelves.setdefault(place, Shelf()).put(amount)
        item.title = title or item.title
        item.modified = self.clock.now()
        return item

    def is_fresh(self, item: Item) -> bool:
        """Changed so lately that a read may still miss it."""
        return self.clock.now() - item.modified < LATE

    def own(self) -> list[Item]:
        return [item for item in self.items.values() if not item.wfs]

    def reserve(self, sku: str, amount: int) -> str | None:
        """Reserve at the first node that has enough; gives the node."""
        item = self.items.get(sku)
        if item is None:
            return None
        for node, shelf in item.shelves.items():
            if shelf.available >= amount:
                shelf.reserved += amount
                item.modified = self.clock.now()
                return node
        return None

    def release(self, sku: str, node: str, amount: int, *, shipped: bool) -> None:
        """End a reservation: shipped units leave the node, cancelled ones become available again."""
        item = self.items[sku]
        shelf = item.shelves[node]
        shelf.reserved -= amount
        if shipped:
            shelf.input = max(0, shelf.input - amount)
        item.modified = self.clock.now()
