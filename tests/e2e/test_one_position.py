"""One position for every channel: what is sold, cancelled or counted anywhere is soon shown everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.market import MARKET, SHOP, market
from tests.support.running_hub import until


@pytest.mark.parametrize("webhooks", [True, False], ids=["webhooks", "polling-only"])
async def test_a_sale_here_lowers_the_number_there_and_a_cancellation_raises_it(tmp_path: Path, webhooks: bool) -> None:
    """Both directions within seconds, by webhook and by polling alone; the ledger adds up afterwards."""
    async with market(tmp_path, webhooks=webhooks) as world:
        await world.count(MUG=10, BOX=5)
        await world.shown("MUG", 10)
        await world.shown("BOX", 5)
        first = await world.shopify.sell([("MUG", 3)])
        assert first is not None
        await world.shown("MUG", 7)
        second = await world.walmart.sell([("MUG", 2), ("BOX", 1)])
        assert second is not None
        await world.shown("MUG", 5)
        await world.shown("BOX", 4)
        await world.shopify.cancel(first)
        await world.shown("MUG", 8)
        await world.walmart.cancel(second)
        await world.shown("MUG", 10)
        await world.shown("BOX", 5)
        known = {(order.account, order.source_id, order.state) for order in await world.orders()}
        assert known == {(SHOP, first, "cancelled"), (MARKET, second, "cancelled")}
        assert await world.hub.queries.verify() == []
        assert world.shopify.defects == world.walmart.defects == []


async def test_a_shipment_takes_from_stock_once(tmp_path: Path) -> None:
    """Shipping turns reserved into gone: what is shown stays the same, on hand falls."""
    async with market(tmp_path) as world:
        await world.count(MUG=10)
        await world.shown("MUG", 10)
        order = await world.shopify.sell([("MUG", 4)])
        assert order is not None
        await world.shown("MUG", 6)
        await world.shopify.ship(order)

        async def gone() -> bool:
            (position,) = await world.hub.queries.positions_at(["MUG"], None)
            return (position.on_hand, position.reserved, position.available) == (6, 0, 6)

        await until(gone)
        await world.shown("MUG", 6)


async def test_the_last_unit_is_sold_once_and_what_is_oversold_is_told(tmp_path: Path) -> None:
    """Two channels sell the last unit in the same moment: both orders are kept, the shortfall is known and counted."""
    async with market(tmp_path) as world:
        await world.count(MUG=1)
        await world.shown("MUG", 1)
        assert await world.shopify.sell([("MUG", 1)])
        assert await world.walmart.sell([("MUG", 1)])
        await world.shown("MUG", 0)

        async def both() -> bool:
            return len(await world.orders()) == 2

        await until(both)
        assert await world.available("MUG") == -1
        async with world.http.get(world.hub.url + "/metrics") as answer:
            text = await answer.text()
        (line,) = [row for row in text.splitlines() if row.startswith("trunkline_oversold_units_total{")]
        assert float(line.rpartition(" ")[2]) == 1


async def test_a_kit_follows_its_parts_and_a_buffer_is_kept(tmp_path: Path) -> None:
    """A kit shows what its scarcest part allows, a buffer is held back, and selling the kit takes its parts."""
    catalogue = "sku,components\nMUG,\nBOX,\nSET,MUG:2;BOX:1\n"
    buffered = {MARKET: {"availability": {"locations": ["main"], "buffer": 2}}}
    async with market(tmp_path, ["MUG", "BOX", "SET"], catalogue=catalogue, accounts=buffered) as world:
        await world.count(MUG=9, BOX=50)
        await world.shown("SET", 4, at=[SHOP])
        await world.shown("MUG", 7, at=[MARKET])
        assert await world.shopify.sell([("SET", 2)])
        await world.shown("MUG", 5, at=[SHOP])
        await world.shown("SET", 2, at=[SHOP])
        await world.shown("BOX", 48, at=[SHOP])
        await world.shown("MUG", 3, at=[MARKET])
