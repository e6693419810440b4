"""The inward flow on PostgreSQL: two hubs race for the last units, and the world's truth comes out."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from connectors.sdk.clock import SystemClock
from hub.ports.queries import Queries
from hub.ports.store import InboxItem, NewInput, SkuRow, Store
from hub.services.adjust import Adjust, CountLine
from hub.services.apply import Apply
from hub.services.interpret import route
from hub.services.interpreted import Interpreted
from hub.storage import open_store
from tests.support.orders import at, document, facts, instant, line, order, plan
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.world import World

SKUS = ("MUG", "BOX")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


async def opened(url: str) -> tuple[Store, Queries]:
    store, queries = await open_store(url, key=bytes(range(32)), clock=SystemClock())
    assert store is not None
    await store.replace_catalogue([SkuRow(sku) for sku in SKUS], "v1")
    return store, queries


async def work(store: Store, apply: Apply, mail: dict[str, tuple[object, ...]]) -> int:
    """Claim and apply until nothing is left; units oversold."""
    oversold = 0
    while items := await store.claim_inbox(3):
        pairs = [(item, Interpreted(item.seq, facts(mail[item.ordering_key], "shop"))) for item in items]  # type: ignore[arg-type]
        oversold += sum((await apply.apply(pairs)).oversold.values())
    return oversold


async def until_quiet(
    queries: Queries, hands: Sequence[tuple[Store, Apply]], mail: dict[str, tuple[object, ...]]
) -> int:
    """Work side by side until nothing waits any more, not even for a later try after a conflict; units oversold."""
    oversold = 0
    for _ in range(200):
        oversold += sum(await asyncio.gather(*[work(store, apply, mail) for store, apply in hands]))
        if all(not status.inward.pending for status in await queries.status()):
            break
        await asyncio.sleep(0.3)
    return oversold


def inputs(names: list[str]) -> list[NewInput]:
    return [NewInput("shop", "toy", "webhook", "orders", name, name, b"{}", "d", at(0)) for name in names]


async def test_two_hubs_never_lose_an_update(server: PostgresServer) -> None:
    """64 orders for 10 units, applied by two stores side by side: 64 counted, 54 held, ledger whole."""
    async with server.database() as url:
        first, queries = await opened(url)
        second, others = await opened(url)
        try:
            await Adjust(first, {"east"}).report([CountLine("MUG", "east", 10, at(0))], key="s", actor="t")
            names = [str(number) for number in range(64)]
            await first.receive(inputs(names))
            mail = {name: (order(name, [line("a", "MUG", 1)]),) for name in names}
            plans = {"shop": plan()}
            hands = [(first, Apply(first, plans)), (second, Apply(second, plans))] * 4
            oversold = await until_quiet(queries, hands, mail)
            (row,) = await queries.positions_at(["MUG"], None)
            assert (row.on_hand, row.reserved) == (10, 64)
            held, _ = await queries.orders(held=True, limit=100)
            assert (len(held), oversold) == (54, 54)
            assert await queries.verify() == []
        finally:
            for one in (first, queries, second, others):
                await one.close()


async def test_the_truth_comes_out_of_any_mail(server: PostgresServer) -> None:
    """Shuffled, repeated and concurrent payloads end as the world is."""
    chance = random.Random(7)
    world = World(dict.fromkeys(SKUS, 100))
    for _ in range(30):
        sold = chance.choice(list(world.orders.values())) if world.orders else None
        if sold is None or chance.random() < 0.3:
            world.place([(chance.choice(SKUS), chance.randint(1, 3)), (chance.choice(SKUS), 1)])
        elif chance.random() < 0.5:
            world.ship(sold, chance.randint(1, 2))
        elif chance.random() < 0.5:
            world.cancel(sold, 1, whole=False, refunded=chance.random() < 0.5)
        else:
            world.come_back(sold, 1, chance.choice(["sellable", "damaged"]), "refund")
    payloads = world.mail * 2
    chance.shuffle(payloads)
    async with server.database() as url:
        store, queries = await opened(url)
        try:
            counts = [CountLine(sku, "east", 100, at(0)) for sku in SKUS]
            await Adjust(store, {"east"}).report(counts, key="s", actor="t")
            names = (f"m{number}" for number in itertools.count())
            mail = {next(names): payload for payload in payloads}
            await store.receive(inputs(list(mail)))
            await until_quiet(queries, [(store, Apply(store, {"shop": plan()}))] * 3, mail)
            found = {sku: await queries.positions_at([sku], None) for sku in SKUS}
            for sku, (row,) in found.items():
                assert (row.on_hand, row.reserved, row.quarantine) == world.expected(sku)
            assert await queries.verify() == []
        finally:
            await store.close()
            await queries.close()


@asynccontextmanager
async def no_order_is_stored(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """While this is open a unit that stores an order has read everything and stands still before it writes."""
    blocker = await asyncpg.connect(url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE")
            yield blocker
    finally:
        await blocker.close()


async def side_by_side(url: str, storing: Awaitable[object], telling: Awaitable[object]) -> None:
    """Both units at once: the first has looked, seen nothing of the second, and is held before its write."""
    async with no_order_is_stored(url) as blocker:
        stored = asyncio.ensure_future(storing)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass"
        for _ in range(200):
            if await blocker.fetchval(waiting):
                break
            await asyncio.sleep(0.02)
        told = asyncio.ensure_future(telling)
        await asyncio.wait({told}, timeout=0.5)
    await asyncio.gather(stored, told)


async def two_claimed(first: Store, second: Store, rows: list[NewInput]) -> tuple[InboxItem, InboxItem]:
    """The first input held by one hub, the second by the other."""
    await first.receive(rows)
    (one,) = await first.claim_inbox(1)
    (two,) = await second.claim_inbox(1)
    return one, two


async def test_what_is_told_of_an_order_of_the_same_moment_is_not_lost(server: PostgresServer) -> None:
    """The cancellation comes on a lane of its own while its order is being stored: nothing stays reserved."""
    async with server.database() as url:
        first, queries = await opened(url)
        second, others = await opened(url)
        try:
            await Adjust(first, {"east"}).report([CountLine("MUG", "east", 10, at(0))], key="s", actor="t")
            one, two = await two_claimed(first, second, inputs(["order", "gone"]))
            ordered = facts((order("1", [line("a", "MUG", 2)]),), "shop")
            gone = facts((document("order_cancellation", "c1", "1", version=2, at=instant(2)),), "shop")
            plans = {"shop": plan()}
            await side_by_side(
                url,
                Apply(first, plans).apply([(one, Interpreted(one.seq, ordered))]),
                Apply(second, plans).apply([(two, Interpreted(two.seq, gone))]),
            )
            (row,) = await queries.positions_at(["MUG"], None)
            assert (row.on_hand, row.reserved) == (10, 0)
            assert await queries.verify() == []
        finally:
            for each in (first, queries, second, others):
                await each.close()


async def test_a_person_is_forgotten_in_an_order_of_the_same_moment(server: PostgresServer) -> None:
    """The request comes while the order is being stored: nobody stands beside it afterwards."""
    async with server.database() as url:
        first, queries = await opened(url)
        second, others = await opened(url)
        try:
            asked = NewInput("shop", "toy", "webhook", "forget", "f", "f", b'{"orders": ["1"]}', "d", at(0))
            one, two = await two_claimed(first, second, [*inputs(["order"]), asked])
            buyer = {"buyer": {"name": "Ada Example"}}
            ordered = facts((order("1", [line("a", "MUG", 2)], **buyer),), "shop")
            plans = {"shop": plan()}
            forgetting = route(two, plans["shop"])
            assert forgetting is not None
            await side_by_side(
                url,
                Apply(first, plans).apply([(one, Interpreted(one.seq, ordered))]),
                Apply(second, plans, queries=others).apply([(two, forgetting)]),
            )
            ((row,), _) = await queries.orders()
            assert await queries.personal(row.id) is None
        finally:
            for each in (first, queries, second, others):
                await each.close()
