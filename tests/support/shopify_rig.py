"""A connector opened on a fake shop, with one clock for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, ListingRef, PushItem
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Secret
from connectors.shopify.connector import Shopify, open_account
from connectors.shopify.sandbox import ShopifySandbox


@dataclass
class ShopRig:
    sandbox: Any
    connector: Shopify
    clock: ManualClock

    def ref(self, sku: str) -> ListingRef:
        item = self.sandbox.shop.by_sku[sku]
        return ListingRef(str(item.id), sku, str(self.sandbox.shop.main.id), str(item.variant))

    def push(self, sku: str, quantity: int, *, expected: int | None = None, key: str = "") -> PushItem:
        return PushItem(self.ref(sku), quantity, 1, key or f"key-{sku}-{quantity}", expected)

    def calls(self, fragment: str) -> int:
        """How many GraphQL requests held this text; the sandbox keeps their documents."""
        return sum(fragment in document for document in self.sandbox.documents)


def context(
    clock: ManualClock,
    *,
    base_url: str | None = None,
    transport: Any = None,
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    locations: Mapping[str, str] | None = None,
) -> AccountContext:
    chosen = credentials if credentials is not None else {"access_token": "shpat_test", "webhook_secret": "hush-hush"}
    return AccountContext(
        account="shop-us",
        base_url=base_url,
        auth_url=None,
        credentials={name: Secret(value) for name, value in chosen.items()},
        options=options if options is not None else {"shop": "example.myshopify.com"},
        locations=locations if locations is not None else {"gid://shopify/Location/1": "main"},
        public_url=None,
        clock=clock,
        ids=SeededIds(1),
        jitter=FixedJitter(0.5),
        tokens=MemoryTokens(),
        transport=transport,
    )


class _Noted(ShopifySandbox):
    """Keeps the documents it was sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.documents: list[str] = []
        answer = self._server.answer

        def noted(body: Any) -> dict[str, Any]:
            self.documents.append(str(body.get("query")))
            return answer(body)

        self._server.answer = noted  # type: ignore[method-assign]


@asynccontextmanager
async def opened(*, seed: int = 3) -> AsyncIterator[ShopRig]:
    """A running shop and a connector on it; a failure inside the fake itself fails the test."""
    clock = ManualClock()
    sandbox = _Noted(seed=seed, faults=Faults(seed=seed), clock=clock)
    sandbox.hang_s, sandbox.pace = 0.05, 100_000.0
    await sandbox.start()
    section = sandbox.account_section()
    ctx = context(
        clock,
        base_url=section["base_url"],
        credentials=section["credentials"],
        options=section["options"],
        locations=section["locations"],
    )
    connector = open_account(ctx)
    try:
        yield ShopRig(sandbox, connector, clock)
    finally:
        await connector.close()
        await sandbox.stop()
    assert not sandbox.defects, sandbox.defects
