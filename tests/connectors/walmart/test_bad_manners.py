"""Against a sandbox that misbehaves in every way at once nothing is lost, doubled or raised unclassified."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import ConnectorError, InDoubt
from connectors.sdk.faults import FAULT_PROFILES
from tests.support.walmart_world import World, item, opened

SEEDS = (1, 2)
SKUS = tuple(f"S{number}" for number in range(8))


async def ship_once(world: World, number: str) -> None:
    """As the engine does: a refusal for the weather is tried again, a doubt is settled first."""
    package = {"tracking_number": f"1Z{number}", "carrier": "ups", "lines": [{"line_id": "1", "quantity": 1}]}
    effect = Effect("e", "confirm_shipment", number, "k", {"order": number, "packages": [package]})
    doubted = False
    while True:
        world.clock.advance(20)
        try:
            if doubted and await world.connector.settle(effect) is Settlement.APPLIED:
                return
            await world.connector.send(effect)
        except InDoubt:
            doubted = True
        except ConnectorError:
            continue
        else:
            return


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_order_is_found_and_every_parcel_confirmed_once(seed: int) -> None:
    chance = random.Random(seed)
    async with opened() as world:
        sandbox, cursor = world.sandbox, None
        sandbox.slow_s = sandbox.hang_s = 0.01
        for name, rate in FAULT_PROFILES["bad-manners"].items():
            sandbox.faults.set(name, rate * 2)
        for sku in SKUS:
            sandbox.stock(sku, 100)
        sold: list[str] = []
        seen: set[str] = set()

        async def pull() -> None:
            nonlocal cursor
            page = await world.connector.fetch("orders", cursor, 5)
            seen.update(envelope.ordering_key for envelope in page.envelopes)
            cursor = json.loads(json.dumps(page.cursor))

        for step in range(40):
            world.clock.advance(30)
            number = await sandbox.sell([(chance.choice(SKUS), 1)])
            assert number
            sold.append(number)
            items = [item(world.ref(sku), 100 + step, step) for sku in chance.sample(SKUS, 3)]
            for call in (pull(), world.connector.publish(items), world.connector.fetch("listings", None, 5)):
                try:
                    await call
                except ConnectorError:
                    continue
            if step % 4 == 0:
                await ship_once(world, number)
        assert sum(sandbox.faults.counts.values()) > 20, "nothing misbehaved, so nothing is proven"
        sandbox.faults.calm()
        for _ in range(60):
            world.clock.advance(60)
            await pull()
        assert seen == {f"order:{number}" for number in sold}
        shipped: list[Any] = [order for order in sandbox.orders() if order["state"] == "shipped"]
        assert [order["id"] for order in shipped] == sold[::4]
        for order in sandbox.book.all():
            assert sum(part.units for part in order.lines[0].parts) == 1
