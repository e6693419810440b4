"""Channels that deliver at least once: they repeat until acknowledged, duplicate, and reorder."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from bench import payloads


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook. `version` 0 is the order placed, 1 the same order cancelled."""

    number: int
    version: int
    skus: tuple[tuple[str, int], ...]

    @property
    def event(self) -> str:
        return f"event-{self.number}-{self.version}"

    @property
    def topic(self) -> str:
        return "orders/cancelled" if self.version else "orders/create"

    def body(self) -> bytes:
        return payloads.body(self.number, self.skus, version=self.version * 60, cancelled=bool(self.version))


@dataclass
class Senders:
    """Sends over `lanes` connections until told to stop; `drain` sends the rest until all is acknowledged."""

    url: str
    secret: str
    shop: str
    skus: Sequence[str]
    rng: random.Random
    lanes: int = 2
    acked: set[Delivery] = field(default_factory=set)
    acknowledgements: int = 0
    refusals: int = 0
    duplicates: int = 0
    _numbers: int = 0
    _waiting: deque[Delivery] = field(default_factory=deque)
    _closing: bool = False

    def made(self) -> Delivery:
        self._numbers += 1
        lines = tuple((sku, self.rng.randint(1, 3)) for sku in self.rng.sample(list(self.skus), 3))
        return Delivery(self._numbers, 0, lines)

    def _next(self) -> Delivery | None:
        """Mostly new orders; some are cancelled, and one in ten cancellations overtakes its order."""
        if self._waiting and (self._closing or len(self._waiting) > 20 or self.rng.random() < 0.3):
            self._waiting.rotate(self.rng.randint(0, 3))
            return self._waiting.popleft()
        if self._closing:
            return None
        placed = self.made()
        if self.rng.random() < 0.2:
            cancelled = Delivery(placed.number, 1, placed.skus)
            first, second = (cancelled, placed) if self.rng.random() < 0.1 else (placed, cancelled)
            self._waiting.append(second)
            return first
        return placed

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            await asyncio.gather(*(self._lane(session) for _ in range(self.lanes)))

    def close(self) -> None:
        """Make nothing new; what waits is still delivered."""
        self._closing = True

    async def _lane(self, session: aiohttp.ClientSession) -> None:
        while (delivery := self._next()) is not None:
            await self._until_acknowledged(session, delivery)
            if self.rng.random() < 0.1:
                self.duplicates += 1
                await self._send(session, delivery)

    async def _until_acknowledged(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        while not await self._send(session, delivery):
            self.refusals += 1
            await asyncio.sleep(self.rng.uniform(0.005, 0.05))
        self.acked.add(delivery)

    async def _send(self, session: aiohttp.ClientSession, delivery: Delivery) -> bool:
        body = delivery.body()
        headers = payloads.headers(delivery.topic, body, delivery.event, secret=self.secret, shop=self.shop)
        try:
            async with session.post(self.url, data=body, headers=headers) as answer:
                if answer.status == 200:
                    self.acknowledgements += 1
                    return True
                assert answer.status == 503, f"unexpected answer {answer.status}: {await answer.text()}"
                return False
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def expected_reserved(self) -> dict[str, int]:
        """SKU → units that must be reserved once everything acknowledged is applied."""
        cancelled = {delivery.number for delivery in self.acked if delivery.version}
        reserved = dict.fromkeys(self.skus, 0)
        for delivery in self.acked:
            if delivery.version == 0 and delivery.number not in cancelled:
                for sku, quantity in delivery.skus:
                    reserved[sku] += quantity
        return reserved
