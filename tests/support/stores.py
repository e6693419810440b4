"""Stores of both engines for tests, and small rows to fill them with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.sdk.clock import ManualClock
from hub.ports.queries import Queries
from hub.ports.store import (
    Allocation,
    Bucket,
    InboxItem,
    ListingRow,
    NewEffect,
    NewInput,
    OrderRow,
    Posting,
    ReadSet,
    State,
    WriteSet,
)
from hub.storage import open_store
from hub.storage.instants import now_of
from hub.storage.postgres.connection import PostgresSettings

KEY = b"a key for tests, 32 bytes long.."
QUICK = PostgresSettings(lease_s=4.0, heartbeat_s=0.2, connect_s=60.0, acquire_s=60.0, lock_s=30.0)
"""A dead process is found in seconds; a living one on a machine that is busy elsewhere is not taken for dead."""


@dataclass
class Bench:
    """An open store with its queries; `again` closes and opens it as a new process would."""

    url: str
    store: Any
    queries: Queries
    clock: ManualClock = field(default_factory=ManualClock)

    @property
    def now(self) -> int:
        return now_of(self.clock)

    @property
    def sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    async def write(self, writes: WriteSet, reads: ReadSet | None = None) -> WriteSet:
        return await self.store.run(reads or ReadSet(), lambda _: writes)

    async def read(self, reads: ReadSet) -> State:
        seen: list[State] = []

        def look(state: State) -> WriteSet:
            seen.append(state)
            return WriteSet()

        await self.store.run(reads, look)
        return seen[-1]

    async def close(self) -> None:
        await self.queries.close()
        await self.store.close()

    async def again(self) -> None:
        await self.close()
        store, self.queries = await open_store(self.url, key=KEY, clock=self.clock, postgres=QUICK)
        self.store = store


@asynccontextmanager
async def opened(url: str, clock: ManualClock | None = None) -> AsyncIterator[Bench]:
    clock = clock or ManualClock()
    store, queries = await open_store(url, key=KEY, clock=clock, postgres=QUICK)
    assert store is not None
    bench = Bench(url, store, queries, clock)
    try:
        yield bench
    finally:
        await bench.close()


async def execute(bench: Bench, *statements: str) -> None:
    """What somebody with the database's own tools could do."""
    for statement in statements:
        if bench.sqlite:
            await bench.store._writer.submit(lambda db, s=statement: db.execute(s))
        else:
            await bench.store._pool.execute(statement)


def given(number: int, *, lane: str | None = None, account: str = "shop", at: int = 0, body: bytes = b"{}") -> NewInput:
    """An input whose dedupe key is its number."""
    return NewInput(
        account, "toy", "webhook", "orders/create", f"event:{number}", lane or f"order:{number}", body, "digest", at
    )


def order(number: int, *, rev: int = 0, account: str = "shop", **changes: Any) -> OrderRow:
    fields: dict[str, Any] = {
        "id": f"order_{number:06d}", "account": account, "source_id": str(number), "version": f"v{rev}",
        "number": f"#{number}", "state": "open", "placed_at": number, "updated_at": number, "document": "{}",
        "rev": rev,
    }  # fmt: skip
    return OrderRow(**{**fields, **changes})


def holding(sku: str, units: int, location: str = "main") -> tuple[Allocation, ...]:
    return (Allocation("1", ((sku, location, 1),), reserved=units, sku=sku),)


def posting(event: str, sku: str, delta: int, bucket: Bucket = Bucket.ON_HAND, **changes: Any) -> Posting:
    fields: dict[str, Any] = {"location": "main", "reason": "test", "effective_at": 1}
    return Posting(**{"event": event, "sku": sku, "bucket": bucket, "delta": delta, **fields, **changes})


def listing(name: str, sku: str | None, account: str = "shop", **changes: Any) -> ListingRow:
    fields: dict[str, Any] = {"location": "", "channel_sku": sku or name}
    return ListingRow(**{"account": account, "listing_id": name, "sku": sku, **fields, **changes})


def effect(name: str, *, key: str = "order", account: str = "shop", due_at: int = 0) -> NewEffect:
    return NewEffect(account, "confirm", key, name, "{}", "{}", 1, due_at)


def lanes(items: Sequence[InboxItem]) -> list[str]:
    return [item.ordering_key for item in items]


async def stock(bench: Bench, sku: str, units: int) -> None:
    await bench.write(WriteSet(postings=[posting(f"count:{sku}", sku, units)]))
