"""A hub as a process: Ctrl-C, SIGTERM, a second start on the same data, a socket where paths are long."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from hub import bootstrap
from tests.rig.hub_process import HubProcess
from tests.support import folders
from tests.support.cli import Operator
from tests.support.running_hub import deliver, until


def _hub(folder: Path) -> HubProcess:
    hub = HubProcess(folder, {"shop-us": folders.shopify()}, "sku\nMUG\nBOX\n", hub={"log": {"level": "info"}})
    hub.configure()
    return hub


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
async def test_it_ends_in_order_mid_traffic_and_starts_again(tmp_path: Path, number: signal.Signals) -> None:
    """Asked to end while webhooks come in: exit 0, no traceback, and the second start has all that was acknowledged."""
    hub = _hub(tmp_path)
    acknowledged: set[int] = set()

    async def send(http: aiohttp.ClientSession) -> None:
        for order in range(1, 5_000):
            try:
                if await deliver(http, hub.url, order, [("MUG", 1)]) == 200:
                    acknowledged.add(order)
            except (aiohttp.ClientError, OSError):
                return

    try:
        await hub.start()
        async with aiohttp.ClientSession() as http:
            sending = asyncio.create_task(send(http))

            async def some() -> bool:
                return len(acknowledged) > 20

            await until(some)
            hub.signal(number)
            assert await asyncio.to_thread(hub.wait) == 0, hub.tail()
            await sending
        assert "Traceback" not in hub.tail()
        assert not bootstrap.socket_path(hub.config).exists()
        await hub.start()
        operator = Operator(hub.config)

        async def all_there() -> bool:
            orders = (await asyncio.to_thread(operator, "orders", "list", "--limit", "5000", "--json")).json
            return {int(order["number"][1:]) for order in orders} == acknowledged

        await until(all_there)
        assert (await asyncio.to_thread(operator, "stock", "verify")).code == 0
        assert hub.stop() == 0
    finally:
        if hub.running:
            hub.kill()


async def test_commands_reach_a_hub_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    """The socket is found elsewhere by both sides; it may be opened by its owner only, and is gone afterwards."""
    hub = _hub(tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5))
    try:
        await hub.start()
        socket = bootstrap.socket_path(hub.config)
        assert socket.stat().st_mode & 0o077 == 0
        done = await asyncio.to_thread(Operator(hub.config), "stock", "set", "MUG", "main", "3")
        assert done.code == 0, done.err
        assert hub.stop() == 0
        assert not socket.exists()
    finally:
        if hub.running:
            hub.kill()


async def test_after_kill_9_commands_go_straight_to_the_database(tmp_path: Path) -> None:
    """The socket file a killed hub leaves neither hangs nor fails a command, and the next hub replaces it."""
    hub = _hub(tmp_path)
    try:
        await hub.start()
        hub.kill()
        assert bootstrap.socket_path(hub.config).exists()
        operator = Operator(hub.config)
        done = await asyncio.to_thread(operator, "stock", "set", "MUG", "main", "3")
        assert done.code == 0, done.err
        await hub.start()
        done = await asyncio.to_thread(operator, "stock", "adjust", "MUG", "main", "1")
        assert done.code == 0, done.err
        shown = await asyncio.to_thread(operator, "stock", "show", "MUG", "--json")
        assert shown.json["total"]["on_hand"] == 4
        assert hub.stop() == 0
    finally:
        if hub.running:
            hub.kill()
