"""Shoppers and a stock room: they buy what each channel shows, change their minds, and refill shelves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sdk.sandbox import Sandbox
from hub.api.backend import Acts
from hub.demo.catalogue import GOODS, RESTOCK_UNITS, parts_of
from hub.demo.packing import Packing

_CANCEL_SHARE = 0.05
_SHIP_SHARE = 0.3
_SHIPPED_THERE_SHARE = 0.4


@dataclass(slots=True)
class Traffic:
    """Live traffic over all sandboxes, and the tally of what it did to stock.

    `taken` counts units of plain SKUs that shoppers hold (sold and not cancelled); `received`
    counts units that came in beyond the opening stock.
    """

    sandboxes: Mapping[str, Sandbox]
    acts: Acts
    rng: random.Random
    rate_per_s: float
    packing: Packing
    taken: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    sales: int = 0
    cancelled: int = 0
    _open: list[tuple[str, str, list[tuple[str, int]]]] = field(default_factory=list)
    _restocks: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Buy until told to stop."""
        while not stop.is_set():
            await self._step()
            try:
                await asyncio.wait_for(stop.wait(), self.rng.expovariate(self.rate_per_s))
            except TimeoutError:
                continue

    async def _step(self) -> None:
        account = self.rng.choice(sorted(self.sandboxes))
        await self._buy(account)
        if self._open and self.rng.random() < _CANCEL_SHARE:
            await self._cancel()
        elif self._open and self.rng.random() < _SHIP_SHARE:
            await self._ship()
        await self._restock()

    async def _buy(self, account: str) -> None:
        goods = self.rng.sample(GOODS, self.rng.choice((1, 1, 1, 2, 3)))
        lines = [(good.sku, self.rng.choice((1, 1, 2)) if good.stock > 50 else 1) for good in goods]
        order = await self.sandboxes[account].sell(lines)
        if order is None:
            return
        self.sales += 1
        self._count(lines, 1)
        self._open.append((account, order, lines))
        del self._open[:-50]

    def _count(self, lines: list[tuple[str, int]], sign: int) -> None:
        for sku, quantity in lines:
            for part, units in parts_of(sku).items():
                self.taken[part] += sign * quantity * units

    async def _cancel(self) -> None:
        account, order, lines = self._open.pop(self.rng.randrange(len(self._open)))
        await self.sandboxes[account].cancel(order)
        self.cancelled += 1
        self._count(lines, -1)

    async def _ship(self) -> None:
        """In the channel's own pages, or from our own warehouse, which only the hub is told of."""
        account, order, lines = self._open.pop(0)
        if self.rng.random() < _SHIPPED_THERE_SHARE:
            await self.sandboxes[account].ship(order)
        else:
            await self.packing.ship(self.acts, self.rng, account, order, lines)

    async def _restock(self) -> None:
        """Goods come in when a shelf runs low; the numbered edition is never refilled."""
        for good in GOODS:
            left = good.stock + self.received[good.sku] - self.taken[good.sku]
            if good.restock_below and left < good.restock_below:
                self._restocks += 1
                line = {"sku": good.sku, "location": "main", "delta": RESTOCK_UNITS, "reason": "received"}
                await self.acts.adjust([line], key=f"demo-restock-{self._restocks}", actor="demo")
                self.received[good.sku] += RESTOCK_UNITS

    def expected(self) -> dict[str, int]:
        """Units of each plain SKU that must be available when everything has settled."""
        return {
            good.sku: good.stock + self.received[good.sku] - self.taken[good.sku] for good in GOODS if not good.parts
        }
