"""Buying over both real databases, from sets as a supplier sends them: stored, folded, found again, ledger whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectors.sdk.clock import SystemClock
from hub.ports.queries import Queries
from hub.ports.store import NewInput, SkuRow, Store, StoreConflict
from hub.purchasing.asking import PurchaseRefused
from hub.services.apply import Apply
from hub.services.interpret import interpret_item
from hub.services.purchasing import Purchasing
from hub.services.purchasing_receipts import Receipts
from hub.services.purchasing_views import PurchaseViews
from hub.storage import migrate, open_store
from mappings import MappingSet
from tests.support.buying import SUPPLIER, trading
from tests.support.orders import at, plan
from tests.support.postgres import PostgresServer, postgres_server

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "edi" / "fixtures"
PLANS = {"shop": plan(), SUPPLIER: trading(SUPPLIER, "supplier")}
ORDER = {
    "number": "OUR-1",
    "supplier": SUPPLIER,
    "location": "east",
    "expected_at": "2026-12-10",
    "ship_to": {"name": "Dock 4", "city": "Reno", "country": "US"},
    "lines": [{"sku": "MUG", "quantity": 24, "unit_cost": "4.10"}, {"sku": "BOX", "quantity": 6}],
}
CASES = {**ORDER, "number": "OUR-2", "lines": [{"sku": "MUG", "quantity": 24, "uom": "CA", "unit_cost": "48.00"}]}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def edi() -> MappingSet:
    return MappingSet.load("edi")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Store, Queries]]:
    await migrate.upgrade(url)
    store, queries = await open_store(url, key=bytes(range(32)), clock=SystemClock())
    assert store is not None
    await store.replace_catalogue([SkuRow("MUG", packs={"CA": 12}), SkuRow("BOX")], "v1")
    try:
        yield store, queries
    finally:
        await store.close()
        await queries.close()


async def hear(store: Store, edi: MappingSet, topic: str, name: str, number: int) -> None:
    """A set of the supplier's, received, claimed, mapped and applied like any other input."""
    payload = (FIXTURES / name).read_bytes()
    await store.receive([NewInput(SUPPLIER, "edi", "file", topic, f"{topic}{number}", "po:OUR-1", payload, "d", at(0))])
    for item in await store.claim_inbox(10):
        if item.topic == topic:
            await Apply(store, PLANS).apply([(item, interpret_item(item, PLANS[SUPPLIER], edi))])
        else:
            await store.release([item.seq])


async def life(store: Store, queries: Queries, edi: MappingSet) -> None:
    acts, views = Purchasing(store, PLANS, ("east",), queries), PurchaseViews(queries)
    assert not (await acts.create(ORDER, actor="ada")).repeated
    assert (await acts.create(ORDER, actor="ada")).repeated
    for number in (1, 2):
        # 24 of line 1: 20 accepted, 4 back-ordered; of line 2 a code that is nobody's.
        await hear(store, edi, "855", "855.json", number)
    shown = await views.order("OUR-1", at(0), personal=True)
    assert shown["state"] == "partially_acknowledged"
    assert shown["lines"][0]["acknowledged"] == 24
    assert shown["document"]["ship_to"]["city"] == "Reno"
    assert {one["set"]: one["state"] for one in shown["awaited"]} == {"855": "met", "856": "open"}
    receipts = Receipts(store, PLANS, ("east",))
    taken = {"receipt": "R-1", "lines": [{"sku": "MUG", "quantity": 21}]}
    await asyncio.gather(*(quietly(receipts, taken, f"k{number}") for number in range(3)))
    (mug,) = await queries.positions_at(["MUG"], None)
    assert (mug.on_hand, mug.incoming) == (21, 3)
    assert (await acts.cancel("OUR-1", key="c", actor="ada")).state == "cancelled"
    (mug,) = await queries.positions_at(["MUG"], None)
    assert (mug.on_hand, mug.incoming) == (21, 0)
    (listed,), _ = await views.orders(supplier=SUPPLIER, state="cancelled")
    assert (listed["number"], listed["revision"]) == ("OUR-1", "1")
    await acts.create(CASES, actor="ada")
    (line,) = (await views.order("OUR-2", at(0), personal=False))["document"]["lines"]
    assert line["properties"] == {"uom_stated": "CA", "eaches_per_unit": 12, "packs": {"CA": 12}}
    with pytest.raises(PurchaseRefused, match="no whole number of units of 12"):
        await acts.change("OUR-2", [{"change": "add", "sku": "MUG", "quantity": 5, "uom": "CA"}], key="p", actor="ada")
    outgoing, _ = await queries.inputs(account=SUPPLIER, topics=("outgoing",))
    assert len(outgoing) == 3
    assert not await queries.verify()
    assert await queries.audit_intact()


async def quietly(receipts: Receipts, taken: dict[str, object], key: str) -> None:
    """One receipt told by several at once: one counts, the others repeat it, or lose a race and ask again."""
    for _ in range(5):
        try:
            await receipts.receive("OUR-1", taken, key=key, actor="ada")
        except StoreConflict:
            continue
        return


async def test_a_life_on_sqlite(tmp_path: Path, edi: MappingSet) -> None:
    """From the order to its cancellation, duplicates and racing receipts included."""
    async with opened(f"sqlite:///{tmp_path / 'hub.db'}") as (store, queries):
        await life(store, queries, edi)


async def test_a_life_on_postgresql(server: PostgresServer, edi: MappingSet) -> None:
    """The same on the other engine."""
    async with server.database() as url, opened(url) as (store, queries):
        await life(store, queries, edi)
