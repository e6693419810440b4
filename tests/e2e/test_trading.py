"""A retailer, a warehouse and a supplier trade with the hub over three transports, from raw bytes to the ledger."""

from __future__ import annotations

from pathlib import Path

from tests.support.running_hub import until
from tests.support.trading_floor import floor


async def test_a_retailers_order_goes_all_the_way_round(tmp_path: Path) -> None:
    """850 reserves, 855 answers, 940 goes to the warehouse, its 945 becomes 856 and 810; every file is acknowledged."""
    async with floor(tmp_path) as world:
        await world.count(TEA=100, MUG=20)
        number = await world.retailer.sell([("TEA", 12), ("MUG", 3)])
        assert number is not None
        order = world.retailer.order(number)

        async def known() -> bool:
            return number in await world.orders()

        await until(known, 20, "the order")

        async def answered() -> bool:
            return bool(order.answered)

        await until(answered, 20, "an 855")
        assert order.accepted == {"1": 12, "2": 3}

        async def shipped() -> bool:
            return bool(order.shipped) and bool(order.billed)

        await until(shipped, 40, f"856 and 810; {world.warehouse.orders()}")
        assert order.shipped == order.billed == {"1": 12, "2": 3}

        async def gone() -> bool:
            return await world.position("TEA") == (88, 0, 0) and await world.position("MUG") == (17, 0, 0)

        await until(gone, 20)
        await world.retailer.settle()
        await world.warehouse.settle()
        assert world.complaints() == []
        assert await world.failures() == []
        assert await world.hub.queries.verify() == []
