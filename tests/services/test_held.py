"""Held orders go on by themselves when what they wait for has come, and only those are touched."""

from __future__ import annotations

from pathlib import Path

from hub.orders.allocation import OVERSOLD
from hub.services.adjust import AdjustLine, CountLine
from hub.services.held import HeldOrders
from tests.support.inward import Running, running
from tests.support.orders import line, order


async def _sell(hub: Running, name: str, units: int) -> None:
    await hub.deliver((order(name, [line("a", "MUG", units)]),), f"k{name}")


async def _holds(hub: Running) -> dict[str, tuple[str, ...]]:
    rows, _ = await hub.queries.orders()
    return {row.source_id: row.holds for row in rows}


async def test_an_oversold_order_is_freed_when_stock_arrives(tmp_path: Path) -> None:
    """A shortage that shrinks is stated anew; one that is gone ends the hold; the ledger does not move."""
    async with running(tmp_path / "hub.db") as hub:
        held = HeldOrders(hub.queries, hub.apply)
        await hub.adjust.report([CountLine("MUG", "east", 2)], key="s", actor="t")
        await _sell(hub, "1", 2)
        await _sell(hub, "2", 3)
        assert await _holds(hub) == {"1": (), "2": (OVERSOLD,)}
        await held.oversold()
        await hub.adjust.adjust([AdjustLine("MUG", "east", 1)], key="a", actor="t")
        await held.oversold()
        (row,) = (await hub.queries.orders(held=True))[0]
        assert "2 short" in row.document
        await hub.adjust.adjust([AdjustLine("MUG", "east", 2)], key="b", actor="t")
        before = await hub.buckets("MUG")
        assert (await held.oversold()).applied == 1
        assert await _holds(hub) == {"1": (), "2": ()}
        assert await hub.buckets("MUG") == before
        assert await hub.queries.verify() == []


async def test_orders_whose_stock_stands_still_are_left_alone(tmp_path: Path) -> None:
    """Looking again costs a read, not a unit of work, while nothing moved."""
    async with running(tmp_path / "hub.db") as hub:
        held = HeldOrders(hub.queries, hub.apply)
        await _sell(hub, "1", 1)
        await held.oversold()
        (before,) = (await hub.queries.orders(held=True))[0]
        assert (await held.oversold()).applied == 0
        (after,) = (await hub.queries.orders(held=True))[0]
        assert after == before
