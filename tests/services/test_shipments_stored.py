"""Shipments brought home on real databases: orders and parcels in any order, every parcel out and told once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.sdk.clock import SystemClock
from connectors.sdk.manifest import Confirms, EffectKind
from hub.ports.queries import Queries
from hub.ports.store import NewInput, SkuRow, Store, StoreUnavailable
from hub.ports.telemetry import Silence
from hub.services.adjust import Adjust, CountLine
from hub.services.apply import Apply
from hub.services.homecoming import run_orphans_again
from hub.services.interpret import route
from hub.services.interpreted import Interpreted
from hub.services.replay import FailureFilter, Replayer
from hub.storage import open_store
from tests.support.inward import running
from tests.support.orders import at, document, facts, line, manifest, order, plan, shipment
from tests.support.postgres import postgres_server

ORDERS = 20
PLANS = {
    "shop": plan(manifest=manifest(confirms=Confirms("confirm", "shopify"), effects=(EffectKind("confirm"),))),
    "3pl": plan("3pl", manifest=manifest(ships_for_others=True)),
}
Mail = dict[str, tuple[str, tuple[Any, ...]]]
"""lane -> (account, documents)"""


@asynccontextmanager
async def hubs(engine: str, folder: Path) -> AsyncIterator[tuple[list[Store], Queries]]:
    """Two of them over PostgreSQL; SQLite is for one process."""
    if engine == "sqlite":
        async with opened([f"sqlite:///{folder}/hub.db"]) as made:
            yield made
        return
    with postgres_server() as server:
        async with server.database() as url, opened([url, url]) as made:
            yield made


@asynccontextmanager
async def opened(urls: list[str]) -> AsyncIterator[tuple[list[Store], Queries]]:
    pairs = [await open_store(url, key=bytes(range(32)), clock=SystemClock()) for url in urls]
    stores = [store for store, _ in pairs if store is not None]
    await stores[0].replace_catalogue([SkuRow("MUG")], "v1")
    try:
        yield stores, pairs[0][1]
    finally:
        for store, queries in pairs:
            await queries.close()
            if store is not None:
                await store.close()


def world() -> Mail:
    """Per order: itself, a parcel of one of its two mugs told by the warehouse, the channel's word on that parcel."""
    mail: Mail = {}
    for number in range(ORDERS):
        name, tracking = str(number), f"1Z{number:04d}"
        packed = [{"tracking_number": tracking, "carrier": "ups", "lines": [{"sku": "MUG", "quantity": 1}]}]
        told = [{"tracking_number": tracking, "lines": [{"line_id": "a", "quantity": 1}]}]
        mail[f"o{name}"] = ("shop", (order(name, [line("a", "MUG", 2)]),))
        mail[f"s{name}"] = (
            "3pl",
            (document("shipment", f"w{name}", f"#{name}", version=3, account="3pl", state="shipped", packages=packed),),
        )
        mail[f"e{name}"] = ("shop", (shipment(f"f{name}", name, [], version=4, packages=told),))
    return mail


async def work(store: Store, apply: Apply, mail: Mail) -> None:
    """Claim and apply until nothing is left; what was parked and called again comes back by itself."""
    idle = 0
    while idle < 5:
        items = await store.claim_inbox(3)
        idle = 0 if items else idle + 1
        for item in items:
            account, documents = mail[item.ordering_key]
            await apply.apply([(item, Interpreted(item.seq, facts(documents, account)))])
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_every_parcel_leaves_once_and_is_told_once(engine: str, tmp_path: Path) -> None:
    """Shuffled and raced: no orphan stays, no echo ships again, at most one message per parcel."""
    mail, chance = world(), random.Random(5)
    lanes = list(mail)
    chance.shuffle(lanes)
    async with hubs(engine, tmp_path) as (stores, queries):
        await Adjust(stores[0], {"east"}).report([CountLine("MUG", "east", 100, at(0))], key="s", actor="t")
        await stores[0].receive(
            [NewInput(mail[lane][0], "toy", "webhook", "orders", lane, lane, b"{}", "d", at(0)) for lane in lanes]
        )
        waiting = True
        while waiting:
            hands = [(store, Apply(store, PLANS, queries=queries)) for store in (*stores, *stores)]
            await asyncio.gather(*[work(store, apply, mail) for store, apply in hands])
            # What collided too often comes again after a rest.
            waiting = any(status.inward.pending for status in await queries.status())
        (row,) = await queries.positions_at(["MUG"], None)
        assert (row.on_hand, row.reserved) == (100 - ORDERS, ORDERS)
        assert await queries.verify() == []
        assert (await queries.failures(limit=100))[0] == []
        effects, _ = await queries.effects(limit=200)
        numbers = [json.loads(one.body)["packages"][0]["tracking_number"] for one in effects]
        assert len(set(numbers)) == len(numbers) <= ORDERS
        assert numbers
        at_home, _ = await queries.documents(type="shipment", account="shop", limit=200)
        assert len(at_home) == 2 * ORDERS
        found = await queries.document(at_home[0].id)
        assert found == at_home[0]
        told = await queries.order_effects("shop", json.loads(effects[0].references)["order"])
        assert [one.id for one in told] == [effects[0].id]


async def test_an_orphan_left_by_a_process_that_died_is_run_again_by_the_next(tmp_path: Path) -> None:
    """It died between parking the shipment and looking for its order once more; an order still missing stays missed."""
    async with running(tmp_path / "hub.db", *PLANS.values()) as hub:
        await hub.adjust.report([CountLine("MUG", "east", 5, at(0))], key="s", actor="t")
        parcel = {"tracking_number": "1Z1", "carrier": "ups", "lines": [{"sku": "MUG", "quantity": 1}]}
        told = {
            name: (
                document("shipment", name, f"#{name}", version=3, account="3pl", state="shipped", packages=[parcel]),
            )
            for name in ("1", "2")
        }
        for name, documents in told.items():
            await hub.deliver(documents, f"w{name}", "3pl")

        # An order stored without a word to what waits for it, as in the instant before the death.
        def unheard(batch: object, names: object) -> None: ...

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hub.services.homecoming.call_waiting", unheard)
            await hub.deliver((order("1", [line("a", "MUG", 1)]),), "o")
        assert await hub.buckets("MUG") == (5, 1, 0)
        assert await run_orphans_again(hub.store, hub.queries) == 2
        for item in await hub.store.claim_inbox(10):
            name = item.ordering_key.removeprefix("w")
            await hub.apply.apply([(item, Interpreted(item.seq, facts(told[name], "3pl")))])
        assert await hub.buckets("MUG") == (4, 0, 0)
        (left,), _ = await hub.queries.failures()
        assert (left.error, left.path, "'#2'" in left.message) == ("OrphanShipment", "order", True)


async def test_a_discarded_orphan_stays_discarded_when_its_order_comes(tmp_path: Path) -> None:
    """Whoever gave it up may have stated the parcel anew; neither the order nor a start runs it again."""
    async with running(tmp_path / "hub.db", *PLANS.values()) as hub:
        await hub.adjust.report([CountLine("MUG", "east", 5, at(0))], key="s", actor="t")
        parcel = {"tracking_number": "1Z1", "carrier": "ups", "lines": [{"sku": "MUG", "quantity": 1}]}
        told = (document("shipment", "1", "#1", version=3, account="3pl", state="shipped", packages=[parcel]),)
        await hub.deliver(told, "w", "3pl")
        replayer = Replayer(PLANS, hub.store, hub.queries, SystemClock(), Silence())
        assert (await replayer.discard(FailureFilter(error="OrphanShipment"), actor="t")).count == 1
        await hub.deliver((order("1", [line("a", "MUG", 1)]),), "o")
        assert await run_orphans_again(hub.store, hub.queries) == 0
        assert list(await hub.store.claim_inbox(10)) == []
        assert await hub.buckets("MUG") == (5, 1, 0)


async def test_an_order_sought_in_vain_for_want_of_the_database_is_sought_later(tmp_path: Path) -> None:
    """The order came as its shipment was parked, and the second look failed: the next input has it taken."""
    async with running(tmp_path / "hub.db", *PLANS.values()) as hub:
        parcel = {"tracking_number": "1Z1", "carrier": "ups", "lines": [{"sku": "MUG", "quantity": 1}]}
        told = (document("shipment", "1", "#1", version=3, account="3pl", state="shipped", packages=[parcel]),)

        async def gone() -> None:
            raise StoreUnavailable("cut off")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hub.store, "settled", gone)
            with pytest.raises(StoreUnavailable):
                await hub.deliver(told, "w", "3pl")

        def unheard(batch: object, names: object) -> None: ...

        other = Apply(hub.store, {one.account: one for one in PLANS.values()}, queries=hub.queries)
        with pytest.MonkeyPatch.context() as patch:
            # By another process, which looked at what waits before it was written.
            patch.setattr("hub.services.homecoming.call_waiting", unheard)
            await hub.store.receive([NewInput("shop", "toy", "webhook", "orders", "o", "o", b"{}", "d", at(0))])
            (item,) = await hub.store.claim_inbox(1)
            await other.apply([(item, Interpreted(item.seq, facts((order("1", [line("a", "MUG", 1)]),), "shop")))])
        await hub.deliver((order("2", [line("a", "MUG", 1)]),), "p")
        (again,) = await hub.store.claim_inbox(10)
        assert again.ordering_key == "w"


async def test_a_person_is_forgotten_in_what_a_warehouse_told_too(tmp_path: Path) -> None:
    """The address in a warehouse's message goes with the order's person, and comes back with no repeat of it."""
    async with running(tmp_path / "hub.db", *PLANS.values()) as hub:
        parcel = {"tracking_number": "1Z1", "carrier": "ups", "lines": [{"sku": "MUG", "quantity": 1}]}
        fields = {"state": "shipped", "packages": [parcel], "ship_to": {"name": "Ada Example", "line1": "1 Way"}}
        told = (document("shipment", "w1", "#1", version=3, account="3pl", **fields),)
        await hub.deliver((order("1", [line("a", "MUG", 1)]),), "o")
        await hub.deliver(told, "w", "3pl")
        (row,), _ = await hub.queries.documents(type="shipment")
        assert "Ada" in (await hub.queries.personal(row.id) or "")
        await hub.store.receive(
            [NewInput("shop", "toy", "webhook", "forget", "f", "f", b'{"orders": ["1"]}', "d", at(0))]
        )
        (item,) = await hub.store.claim_inbox(1)
        found = route(item, PLANS["shop"])
        assert found is not None
        await hub.apply.apply([(item, found)])
        assert await hub.queries.personal(row.id) is None
        (heard,), _ = await hub.queries.inputs(account="3pl")
        assert heard.payload == b""
        await hub.deliver(told, "again", "3pl")
        assert await hub.queries.personal(row.id) is None
