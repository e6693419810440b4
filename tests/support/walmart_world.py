"""A Walmart connector on a scripted network or on its sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import respx

from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, ListingRef, PushItem
from connectors.sdk.ports import Secret
from connectors.walmart.connector import WalmartConnector
from connectors.walmart.sandbox import MAIN_NODE, WalmartSandbox

BASE = "http://127.0.0.1:1"
CREDENTIALS = {"client_id": "id", "client_secret": "client-secret", "webhook_secret": "hook-secret"}


def context(
    *,
    clock: ManualClock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    base_url: str = BASE,
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    locations: Mapping[str, str] | None = None,
    public_url: str | None = None,
) -> AccountContext:
    given = CREDENTIALS if credentials is None else credentials
    return AccountContext(
        account="test",
        base_url=base_url,
        auth_url=None,
        credentials={name: Secret(value) for name, value in given.items()},
        options=options or {},
        locations=locations or {},
        public_url=public_url,
        clock=clock or ManualClock(),
        ids=SeededIds(1),
        jitter=FixedJitter(0.5),
        tokens=MemoryTokens(),
        transport=transport,
    )


@dataclass
class Wire:
    """A connector whose calls go to `routes`; the token endpoint already answers."""

    connector: WalmartConnector
    routes: respx.Router
    clock: ManualClock


@asynccontextmanager
async def scripted(**changes: Any) -> AsyncIterator[Wire]:
    clock = ManualClock()
    routes = respx.Router(base_url=BASE, assert_all_called=False)
    token = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 900}
    routes.post("/v3/token", name="token").respond(json=token)
    ctx = context(clock=clock, transport=httpx.MockTransport(routes.async_handler), **changes)
    connector = WalmartConnector(ctx)
    try:
        yield Wire(connector, routes, clock)
    finally:
        await connector.close()


@dataclass
class World:
    """A connector and the sandbox it talks to, on one clock."""

    connector: WalmartConnector
    sandbox: WalmartSandbox
    clock: ManualClock

    def ref(self, sku: str, node: str | None = MAIN_NODE) -> ListingRef:
        return ListingRef(sku, sku, node)


@asynccontextmanager
async def opened(*, options: Mapping[str, Any] | None = None) -> AsyncIterator[World]:
    clock = ManualClock()
    async with WalmartSandbox(seed=7, clock=clock) as sandbox:
        sandbox.hang_s = 0.05
        section = sandbox.account_section()
        ctx = context(
            clock=clock,
            base_url=section["base_url"],
            credentials=section["credentials"],
            options=section["options"] if options is None else options,
            locations=section["locations"],
        )
        connector = WalmartConnector(ctx)
        try:
            yield World(connector, sandbox, clock)
        finally:
            await connector.close()
        assert not sandbox.defects


def item(ref: ListingRef, quantity: int, version: int = 1, *, urgent: bool = False) -> PushItem:
    return PushItem(ref, quantity, version, f"{ref.channel_sku}-{ref.location}-{version}", urgent=urgent)
