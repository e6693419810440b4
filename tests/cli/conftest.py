"""One hub in a process of its own, with two orders and one parked payload, for the reading commands."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bench import payloads
from tests.rig.hub_process import HubProcess
from tests.support import folders
from tests.support.cli import Operator
from tests.support.running_hub import deliver


@dataclass(frozen=True)
class Shop:
    """A running hub and somebody at its command line."""

    hub: HubProcess
    run: Operator


def unmappable(number: int) -> bytes:
    """An order whose first quantity is no number."""
    order = payloads.order(number, [("MUG", 1)])
    order["line_items"][0]["quantity"] = "a few"
    return json.dumps(order).encode()


async def _traffic(hub: HubProcess) -> None:
    async with aiohttp.ClientSession() as http:
        assert await deliver(http, hub.url, 1, [("MUG", 2), ("BOX", 1)]) == 200
        assert await deliver(http, hub.url, 2, [("MUG", 1)], body=unmappable(2)) == 200
        assert await deliver(http, hub.url, 3, [("MUG", 1)]) == 200


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("shop")
    accounts = {"shop-us": folders.shopify(), "market": folders.walmart(mode="shadow")}
    hub = HubProcess(folder, accounts, "sku,components\nMUG,\nBOX,\nSET,MUG:1;BOX:1\n")
    hub.configure()
    asyncio.run(hub.start())
    try:
        made = Shop(hub, Operator(hub.config))
        assert made.run("stock", "set", "MUG", "main", "50").code == 0
        assert made.run("stock", "set", "BOX", "main", "20").code == 0
        asyncio.run(_traffic(hub))
        deadline = time.monotonic() + 90
        while made.run("status", "--json").json["inbox_pending"] or not made.run("failures", "list", "--json").json:
            assert time.monotonic() < deadline, hub.tail()
            time.sleep(0.1)
        yield made
    finally:
        if hub.running:
            assert hub.stop() == 0, hub.tail()
