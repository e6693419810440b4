"""Four channels, one position: what happens at any of them is soon shown by the other three."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.sdk.sandbox import Sandbox
from hub.bootstrap import Hub
from tests.support.ports import free_port
from tests.support.running_hub import running_hub, until

CHANNELS = tuple(name for name in registry.names() if registry.get(name).manifest.is_channel)


@dataclass(frozen=True)
class Shops:
    """The hub and a sandbox of every channel, by the channel's name."""

    hub: Hub
    sandboxes: Mapping[str, Any]

    async def shown(self, sku: str, units: int) -> None:
        """Wait until every channel shows so many."""

        async def everywhere() -> bool:
            return all(sandbox.shown(sku) == units for sandbox in self.sandboxes.values())

        try:
            await until(everywhere)
        except AssertionError:
            seen = {name: sandbox.shown(sku) for name, sandbox in self.sandboxes.items()}
            raise AssertionError(f"{sku} should be {units} everywhere: {seen}") from None

    async def position(self, sku: str, on_hand: int, reserved: int) -> None:
        """Wait until the hub holds so many."""

        async def reached() -> bool:
            (found,) = await self.hub.queries.positions_at([sku], None)
            return (found.on_hand, found.reserved) == (on_hand, reserved)

        await until(reached, what=f"{sku}: {on_hand} on hand, {reserved} reserved")

    async def states(self) -> dict[tuple[str, str], str]:
        rows, _ = await self.hub.queries.orders(limit=100)
        return {(row.account, row.source_id): row.state for row in rows}


@asynccontextmanager
async def shops(folder: Path, on_hand: int) -> AsyncIterator[Shops]:
    """Everything started and MUG counted once; every channel shows the number before the test begins."""
    async with AsyncExitStack() as stack:
        sandboxes: dict[str, Sandbox] = {}
        sections: dict[str, Any] = {}
        for name in CHANNELS:
            build = registry.get(name).sandbox
            assert build is not None
            sandbox = sandboxes[name] = await stack.enter_async_context(build(seed=1))
            sandbox.stock("MUG", 0)
            sections[name] = sandbox.account_section() | {"poll": {"orders": "1s", "returns": "1s"}}
        port = free_port()
        settings = {"listen": f"127.0.0.1:{port}", "public_url": f"http://127.0.0.1:{port}"}
        hub = await stack.enter_async_context(running_hub(folder, sections, ["MUG"], settings))
        line = {"sku": "MUG", "location": "main", "on_hand": on_hand}
        await hub.acts.report([line], key="count", actor="test")
        world = Shops(hub, sandboxes)
        await world.shown("MUG", on_hand)
        yield world
        assert await hub.queries.verify() == []
        assert {name: sandbox.defects for name, sandbox in sandboxes.items() if sandbox.defects} == {}


def test_all_four_are_there() -> None:
    """A channel left out of the registry would leave this module green and empty."""
    assert CHANNELS == ("amazon", "ebay", "shopify", "walmart")


async def test_a_sale_anywhere_lowers_the_others_and_its_cancellation_raises_them(tmp_path: Path) -> None:
    """In turn at each channel: sold units are reserved and gone everywhere, cancelled ones are back everywhere."""
    async with shops(tmp_path, 40) as world:
        left, sold = 40, {}
        for units, name in enumerate(CHANNELS, 1):
            order = await world.sandboxes[name].sell([("MUG", units)])
            assert order is not None
            sold[name] = order
            left -= units
            await world.shown("MUG", left)
            await world.position("MUG", 40, 40 - left)
        assert set(await world.states()) == set(sold.items())
        for units, name in enumerate(CHANNELS, 1):
            await world.sandboxes[name].cancel(sold[name])
            left += units
            await world.shown("MUG", left)
        await world.position("MUG", 40, 0)
        assert set((await world.states()).values()) == {"cancelled"}


async def test_what_ships_anywhere_leaves_the_shelf_once(tmp_path: Path) -> None:
    """Shipped in each channel's own pages: reserved units are gone from the shelf, no channel's number moves."""
    async with shops(tmp_path, 20) as world:
        for gone, name in enumerate(CHANNELS, 1):
            order = await world.sandboxes[name].sell([("MUG", 1)])
            await world.shown("MUG", 20 - gone)
            await world.sandboxes[name].ship(order)
            await world.position("MUG", 20 - gone, 0)
            await world.shown("MUG", 20 - gone)


async def test_a_return_is_known_and_puts_nothing_back_by_itself(tmp_path: Path) -> None:
    """A shopper sends a unit back: the hub knows the return; stock waits until somebody has seen the goods."""
    async with shops(tmp_path, 20) as world:
        told = [name for name in CHANNELS if hasattr(world.sandboxes[name], "open_return")]
        assert told == ["amazon", "ebay", "walmart"]
        for name in told:
            order = await world.sandboxes[name].sell([("MUG", 1)])
            await world.shown("MUG", 19 - told.index(name))
            await world.sandboxes[name].ship(order)
            await world.position("MUG", 19 - told.index(name), 0)
            await world.sandboxes[name].open_return(order)

        async def known() -> bool:
            rows, _ = await world.hub.queries.documents(type="return")
            return {row.account for row in rows} == set(told)

        await until(known, what="a return of each")
        await world.shown("MUG", 17)
