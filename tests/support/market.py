"""A whole world in one event loop: a Shopify shop, a Walmart seller account, and the hub between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from connectors import registry
from connectors.sdk.sandbox import Sandbox
from hub.bootstrap import Hub
from tests.support.ports import free_port
from tests.support.running_hub import running_hub, until

SHOP, MARKET = "shop-us", "market"


@dataclass(frozen=True)
class World:
    hub: Hub
    shopify: Sandbox
    walmart: Sandbox
    http: aiohttp.ClientSession

    @property
    def sandboxes(self) -> dict[str, Sandbox]:
        return {SHOP: self.shopify, MARKET: self.walmart}

    async def count(self, **on_hand: int) -> None:
        lines = [{"sku": sku, "location": "main", "on_hand": units} for sku, units in on_hand.items()]
        await self.hub.acts.report(lines, key=f"count-{on_hand}", actor="test")

    async def shown(self, sku: str, units: int, within_s: float = 90.0, *, at: Sequence[str] = (SHOP, MARKET)) -> None:
        """Wait until these channels show so many."""

        async def reached() -> bool:
            return all(self.sandboxes[account].shown(sku) == units for account in at)

        seen = {account: self.sandboxes[account].shown(sku) for account in at}
        await until(reached, within_s, f"{sku} at {units}; it was {seen}")

    async def orders(self, account: str | None = None) -> list[Any]:
        rows, _ = await self.hub.queries.orders(account=account, limit=500)
        return list(rows)

    async def available(self, sku: str) -> int:
        return sum(position.available for position in await self.hub.queries.positions_at([sku], None))


@asynccontextmanager
async def market(
    folder: Path,
    listed: Sequence[str] = ("MUG", "BOX"),
    *,
    catalogue: Sequence[str] | str | None = None,
    hub: Mapping[str, Any] | None = None,
    accounts: Mapping[str, Mapping[str, Any]] | None = None,
    webhooks: bool = True,
) -> AsyncIterator[World]:
    """Everything started. Orders are polled every second; stock rules are plain: all that is available is shown.

    Args:
        catalogue: The hub's SKUs where they are not those listed.
        accounts: Additions to the accounts' sections, by account.
        webhooks: Whether the channels can reach the hub.
    """
    async with AsyncExitStack() as stack:
        sandboxes: dict[str, Sandbox] = {}
        sections: dict[str, Any] = {}
        for account, name in ((SHOP, "shopify"), (MARKET, "walmart")):
            build = registry.get(name).sandbox
            assert build is not None
            sandbox = sandboxes[account] = await stack.enter_async_context(build(seed=1))
            for sku in listed:
                sandbox.stock(sku, 0)
            more = (accounts or {}).get(account, {})
            sections[account] = sandbox.account_section() | {"poll": {"orders": "1s"}, **more}
        port = free_port()
        settings = {"listen": f"127.0.0.1:{port}", **(hub or {})}
        if webhooks:
            settings["public_url"] = f"http://127.0.0.1:{port}"
        running = await stack.enter_async_context(running_hub(folder, sections, catalogue or listed, settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield World(running, sandboxes[SHOP], sandboxes[MARKET], http)
