"""The inward use cases over a real SQLite file, with the catalogue of MUG, BOX and the kit SET."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from canonical import Document
from connectors.sdk.clock import SystemClock
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import NewInput, SkuRow, Store
from hub.services.adjust import Adjust
from hub.services.apply import Apply
from hub.services.interpreted import Interpreted
from hub.services.stock import Stock
from hub.storage import open_store
from tests.support.orders import at, facts, plan

KEY = bytes(range(32))
SKUS = ("MUG", "BOX")


@dataclass
class Running:
    store: Store
    queries: Queries
    apply: Apply
    adjust: Adjust
    stock: Stock

    async def deliver(self, payload: tuple[Document, ...], name: str, account: str = "shop") -> None:
        await self.store.receive([NewInput(account, "toy", "webhook", "orders", name, name, b"{}", "d", at(0))])
        for item in await self.store.claim_inbox(100):
            await self.apply.apply([(item, Interpreted(item.seq, facts(payload, account)))])

    async def buckets(self, sku: str) -> tuple[int, int, int]:
        rows = [row for row in await self.queries.positions_at([sku], None) if row.location == "east"]
        return (rows[0].on_hand, rows[0].reserved, rows[0].quarantine) if rows else (0, 0, 0)


@asynccontextmanager
async def running(path: Path, *plans: AccountPlan) -> AsyncIterator[Running]:
    store, queries = await open_store(f"sqlite:///{path}", key=KEY, clock=SystemClock())
    assert store is not None
    known = {one.account: one for one in plans or (plan(),)}
    rows = [SkuRow(sku) for sku in SKUS] + [SkuRow("SET", components=(("MUG", 2), ("BOX", 1)))]
    await store.replace_catalogue(rows, "v1")
    try:
        yield Running(
            store, queries, Apply(store, known, queries=queries), Adjust(store, {"east", "west"}), Stock(queries, known)
        )
    finally:
        await store.close()
        await queries.close()
