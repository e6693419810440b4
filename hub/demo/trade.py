"""The demo's trade: a retailer orders what lies at the warehouse, and the supplier is asked for more in time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.bootstrap import Hub
from hub.bootstrap.buying import Buying
from hub.demo.catalogue import TRADED, Good
from hub.demo.partners import LOCATION, account_of

_CANCEL_SHARE = 0.08
_REFILL_UNITS = 200
_PATIENCE_S = 4.0
_COST = "4.00"


@dataclass(slots=True)
class Trade:
    """Live trade over the partners' sandboxes, and the tally of it.

    `opening` and `received` count units at the warehouse; what has left is in the warehouse's own book.
    """

    partners: Mapping[str, Any]
    hub: Hub
    rng: random.Random
    rate_per_s: float
    received: Counter[str] = field(default_factory=Counter)
    sales: int = 0
    cancelled: int = 0
    bought: list[str] = field(default_factory=list)
    _arrived: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for partner in self.partners.values():
            partner.letters.patience_s = _PATIENCE_S

    @property
    def retailer(self) -> Any:
        return self.partners[account_of("retailer")]

    @property
    def warehouse(self) -> Any:
        return self.partners[account_of("warehouse")]

    @property
    def supplier(self) -> Any:
        return self.partners[account_of("supplier")]

    async def open(self) -> None:
        """The warehouse is filled, and the hub is told of yesterday's count: partners' papers state days only."""
        as_of = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        lines = [{"sku": good.sku, "location": LOCATION, "on_hand": good.stock, "as_of": as_of} for good in TRADED]
        await self.hub.acts.report(lines, key="demo-opening-trade", actor="demo")
        for good in TRADED:
            self.warehouse.stock(good.sku, good.stock)

    async def run(self, stop: asyncio.Event) -> None:
        """Order until told to stop."""
        while not stop.is_set():
            await self._order()
            await self._refill()
            self.goods_in()
            try:
                await asyncio.wait_for(stop.wait(), self.rng.expovariate(self.rate_per_s))
            except TimeoutError:
                continue

    async def _order(self) -> None:
        goods = self.rng.sample(TRADED, self.rng.choice((1, 1, 2)))
        number = await self.retailer.sell([(good.sku, self.rng.randint(2, 24)) for good in goods])
        self.sales += 1
        if self.rng.random() < _CANCEL_SHARE:
            await self.retailer.cancel(number)
            self.cancelled += 1

    async def _refill(self) -> None:
        """One order at a time for each SKU that runs low."""
        for good in TRADED:
            if self.warehouse.shown(good.sku) < good.restock_below and not self._coming(good):
                number = f"DEMO{len(self.bought) + 1:04d}"
                body = {
                    "number": number,
                    "supplier": account_of("supplier"),
                    "location": LOCATION,
                    "lines": [{"sku": good.sku, "quantity": _REFILL_UNITS, "unit_cost": _COST}],
                }
                await Buying(self.hub.acts).create(body, "demo")
                self.bought.append(f"{number}:{good.sku}")

    def _coming(self, good: Good) -> bool:
        return any(
            sku == good.sku and number not in self._arrived
            for number, _, sku in (each.partition(":") for each in self.bought)
        )

    def goods_in(self) -> None:
        """What the supplier has sent arrives at the warehouse, which tells of it."""
        for number, _, sku in (each.partition(":") for each in self.bought):
            lines = self.supplier.sent(number)
            if lines and number not in self._arrived:
                self._arrived.add(number)
                units = sum(units for _, units in lines)
                self.warehouse.deliver(number, [(sku, units)])
                self.received[sku] += units

    async def is_settled(self) -> bool:
        """Every file is acknowledged, every order has ended one way or another, and both books agree."""
        self.goods_in()
        if self.letters_waiting:
            return False
        if any(order["state"] == "open" for order in self.warehouse.orders()):
            return False
        return not await self.differences()

    @property
    def letters_waiting(self) -> int:
        """Files of the partners that the hub has not accepted yet."""
        return sum(partner.letters.waiting for partner in self.partners.values())

    def orders(self) -> set[tuple[str, str]]:
        """(account, purchase order number) of everything the retailer ordered, withdrawn or not."""
        return {(account_of("retailer"), str(order["id"])) for order in self.retailer.orders()}

    async def differences(self) -> dict[str, int]:
        """SKU → units on hand at the hub beyond (+) or short of (−) what the warehouse counts on its shelves."""
        there = {position.sku: position.on_hand for position in await self._positions()}
        wrong = {good.sku: there.get(good.sku, 0) - self.warehouse.shown(good.sku) for good in TRADED}
        return {sku: units for sku, units in wrong.items() if units}

    def oversold(self) -> int:
        """Units promised to the retailer beyond what there was to promise."""
        promised: Counter[str] = Counter()
        for each in self.retailer.orders():
            order = self.retailer.order(each["id"])
            said = order.shipped if order.state == "withdrawn" else order.accepted
            for line, sku, _ in order.lines:
                promised[sku] += int(said.get(line, 0))
        return sum(max(0, promised[good.sku] - good.stock - self.received[good.sku]) for good in TRADED)

    async def _positions(self) -> list[Any]:
        found = await self.hub.queries.positions_at([good.sku for good in TRADED], None)
        return [position for position in found if position.location == LOCATION]

    def complaints(self) -> list[str]:
        """What the partners found wrong with our files."""
        return [f"{account}: {sentence}" for account, each in self.partners.items() for sentence in each.complaints]

    def summary(self) -> dict[str, Any]:
        return {
            "orders": self.sales,
            "withdrawn": self.cancelled,
            "shipments": sum(order["state"] == "shipped" for order in self.warehouse.orders()),
            "purchase_orders": len(self.bought),
            "received_units": sum(self.received.values()),
            "sets": {account: dict(sorted(each.counts.items())) for account, each in self.partners.items()},
            "complaints": self.complaints(),
        }
