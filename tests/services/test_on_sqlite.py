"""The inward flow on a real database: the same truth, after restarts, under racers, with its own tools."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.sdk.clock import SystemClock
from hub.ports.store import NewInput, ReadSet, State, WriteSet
from hub.services.adjust import AdjustLine, AdjustmentRefused, CountLine, KeyReused
from hub.services.interpret import route
from hub.services.interpreted import Interpreted, Refusal
from hub.services.quantities import quantify
from hub.services.stock import UnknownStock
from tests.support.inward import SKUS, Running, running
from tests.support.orders import at, document, facts, input_plan, line, order, plan, report
from tests.support.world import World


@pytest.mark.parametrize("seed", range(4))
async def test_the_truth_survives_restarts_and_repeats(tmp_path: Path, seed: int) -> None:
    """Mail in any order, twice, over three restarts: positions are the world's and equal their postings."""
    chance = random.Random(seed)
    world = World(dict.fromkeys(SKUS, 100))
    for _ in range(25):
        sold = chance.choice(list(world.orders.values())) if world.orders else None
        act = chance.randrange(4)
        if sold is None or act == 0:
            world.place([(chance.choice(SKUS), chance.randint(1, 3)) for _ in range(chance.randint(1, 3))])
        elif act == 1:
            world.ship(sold, chance.randint(1, 3))
        elif act == 2:
            world.cancel(sold, chance.randint(1, 2), whole=chance.random() < 0.3)
        else:
            world.come_back(sold, 1, chance.choice(["sellable", "damaged"]), "refund")
    mail = world.mail * 2
    chance.shuffle(mail)
    numbers = itertools.count()
    for part in range(3):
        async with running(tmp_path / "hub.db") as hub:
            counts = [CountLine(sku, "east", 100, at(0)) for sku in SKUS]
            await hub.adjust.report(counts, key="start", actor="test")
            for payload in mail[part::3]:
                await hub.deliver(payload, f"m{next(numbers)}")
    async with running(tmp_path / "hub.db") as hub:
        for payload in reversed(world.mail):
            await hub.deliver(payload, f"m{next(numbers)}")
        for sku in SKUS:
            assert await hub.buckets(sku) == world.expected(sku), f"seed {seed}"
        assert await hub.queries.verify() == []


async def test_racers_for_the_last_units_never_lose_an_update(tmp_path: Path) -> None:
    """64 orders at once for 10 units: every one is counted, exactly 54 units are named as oversold."""
    async with running(tmp_path / "hub.db", plan(), plan("other")) as hub:
        await hub.adjust.report([CountLine("MUG", "east", 10)], key="start", actor="test")

        async def race(number: int) -> int:
            account = ("shop", "other")[number % 2]
            payload = (order(str(number), [line("a", "MUG", 1)], account=account),)
            new = NewInput(account, "toy", "webhook", "orders", f"k{number}", f"o{number}", b"{}", "d", at(0))
            await hub.store.receive([new])
            (item,) = await hub.store.claim_inbox(1)
            payload = (order(str(item.seq), [line("a", "MUG", 1)], account=item.account),)
            outcome = await hub.apply.apply([(item, Interpreted(item.seq, facts(payload, item.account)))])
            return sum(outcome.oversold.values())

        oversold = await asyncio.gather(*[race(number) for number in range(64)])
        assert await hub.buckets("MUG") == (10, 64, 0)
        assert sum(oversold) >= 54
        held, _ = await hub.queries.orders(held=True, limit=100)
        assert len(held) == 54
        assert await hub.queries.verify() == []
        explained = await hub.stock.explain("MUG", "shop")
        assert explained["quantity"] == 0


async def test_requests_are_applied_once_per_key(tmp_path: Path) -> None:
    """A repeated request changes nothing, another one under its key is refused, faults come all at once."""
    async with running(tmp_path / "hub.db") as hub:
        lines = [AdjustLine("MUG", "east", 5), AdjustLine("MUG", "east", -2), AdjustLine("BOX", "west", 1)]
        first = await hub.adjust.adjust(lines, key="k", actor="ada")
        again = await hub.adjust.adjust(lines, key="k", actor="ada")
        assert (first.changed, again.changed, again.repeated) == (2, 0, True)
        assert await hub.buckets("MUG") == (3, 0, 0)
        with pytest.raises(KeyReused):
            await hub.adjust.adjust(lines[:1], key="k", actor="ada")
        bad = [AdjustLine("NOPE", "east", 1), AdjustLine("SET", "east", 1)]
        with pytest.raises(AdjustmentRefused) as refused:
            await hub.adjust.adjust(bad, key="k2", actor="ada")
        assert len(refused.value.faults) == 2
        with pytest.raises(AdjustmentRefused) as refused:
            await hub.adjust.adjust([AdjustLine("MUG", "moon", 0)], key="k3", actor="ada")
        assert len(refused.value.faults) == 2
        future = SystemClock().now() + timedelta(days=1)
        early = [CountLine("MUG", "east", 1, round(future.timestamp() * 10**6))]
        with pytest.raises(AdjustmentRefused):
            await hub.adjust.report(early, key="k4", actor="ada")
        entries, _ = await hub.queries.audit()
        assert [entry["action"] for entry in entries] == ["stock.adjusted"]


async def test_every_step_of_a_number_can_be_shown_now_and_then(tmp_path: Path) -> None:
    """Explain gives numbered steps and the postings behind them, for an instant in the past too."""
    async with running(tmp_path / "hub.db", plan(), input_plan()) as hub:
        await hub.adjust.report([CountLine("MUG", "east", 10), CountLine("BOX", "east", 3)], key="s", actor="t")
        before = SystemClock().now()
        await asyncio.sleep(0.01)
        for account in ("shop", "market"):
            await hub.deliver((order("1", [line("a", "MUG", 2)], account=account),), f"{account}1", account)
        now = await hub.stock.explain("MUG", "shop")
        assert now["quantity"] == 6
        assert [step["step"] for step in now["steps"]] == ["available", "pool", "buffer", "share", "minimum"]
        assert [step["number"] for step in now["steps"]] == [1, 2, 3, 4, 5]
        assert [row["reason"] for row in now["postings"]] == ["placed", "placed", "counted"]
        assert (await hub.stock.explain("MUG", "market"))["quantity"] == 8
        assert (await hub.stock.explain("MUG", "shop", before))["quantity"] == 10
        assert (await hub.stock.explain("SET", "shop"))["quantity"] == 3
        for sku, account in (("NOPE", "shop"), ("MUG", "nowhere")):
            with pytest.raises(UnknownStock):
                await hub.stock.explain(sku, account)
        shown = await hub.stock.show("MUG")
        assert shown["total"]["available"] == 6


async def test_an_explained_number_is_the_number_that_is_sent(tmp_path: Path) -> None:
    """Units inside the account's own kits: the channel subtracts the kits, not their parts."""
    async with running(tmp_path / "hub.db", input_plan()) as hub:
        await hub.adjust.report([CountLine("MUG", "east", 10), CountLine("BOX", "east", 9)], key="s", actor="t")
        await hub.deliver((order("1", [line("a", "SET", 1), line("b", "MUG", 1)], account="market"),), "o1", "market")
        for sku in ("MUG", "BOX", "SET"):
            explained = (await hub.stock.explain(sku, "market"))["quantity"]
            assert explained == await _sent(hub, sku), sku


async def _sent(hub: Running, sku: str) -> int:
    """What publishing would send for it, from a unit of work of its own."""
    listing = document("listing", sku, listing_id=sku, item_id=sku, channel_sku=sku, state="active", account="market")
    await hub.deliver((listing,), f"list-{sku}", "market")
    ((level,), _) = await hub.queries.levels(sku=sku)
    found: list[int | None] = []

    def decide(state: State) -> WriteSet:
        sent = quantify(input_plan(), state)(level)
        found.append(sent[0] if not isinstance(sent, str) else None)
        return WriteSet()

    await hub.store.run(ReadSet(positions={sku}, own_open={("market", sku)}), decide)
    assert found[-1] is not None
    return found[-1]


async def test_people_are_kept_apart_and_can_be_forgotten(tmp_path: Path) -> None:
    """An account's redaction shreds the people of its orders and of their documents, and of no other account."""
    async with running(tmp_path / "hub.db", plan(), plan("other")) as hub:
        buyer = {"name": "Ada Example"}
        for account in ("shop", "other"):
            placed = order("1", [line("a", "MUG", 1)], account=account, buyer=buyer)
            assert "Ada" not in facts([placed], account)[0].document  # type: ignore[union-attr]
            await hub.deliver((placed,), f"{account}-order", account)
        note = document("refund", "r1", "1", note="for Ada Example")
        await hub.deliver((note,), "shop-refund")
        orders, _ = await hub.queries.orders()
        ids = {row.account: row.id for row in orders}
        assert await hub.queries.personal(ids["shop"]) is not None
        assert await hub.queries.personal(note.id) is not None
        new = NewInput("shop", "toy", "webhook", "forget-all", "f", "f", b"{}", "d", at(0))
        await hub.store.receive([new])
        (item,) = await hub.store.claim_inbox(1)
        routed = route(item, plan())
        assert routed is not None
        await hub.apply.apply([(item, routed)])
        assert await hub.queries.personal(ids["shop"]) is None
        assert await hub.queries.personal(note.id) is None
        assert await hub.queries.personal(ids["other"]) is not None


async def test_one_person_is_forgotten_in_every_order_and_nobody_else(tmp_path: Path) -> None:
    """A deletion notice shreds the orders of that buyer, by either of the names it gives, on that account alone."""
    async with running(tmp_path / "hub.db", plan(), plan("other")) as hub:
        people = {"11": "ada_x", "12": "u-77", "13": "bob_y"}
        for number, name in people.items():
            await hub.deliver((order(number, [], buyer={"name": "Ada Example", "channel_id": name}),), number)
        await hub.deliver((order("14", [], buyer={"channel_id": "ada_x"}),), "14", account="other")
        parked = {"21": b'{"order": 5, "buyer": "ada_x"}', "22": b'{"order": 6, "buyer": "ada_xy"}'}
        for name, body in parked.items():
            await hub.store.receive([NewInput("shop", "toy", "webhook", "orders", name, name, body, "d", at(0))])
            (item,) = await hub.store.claim_inbox(1)
            await hub.apply.apply([(item, Interpreted(item.seq, refusal=Refusal("MappingError", "", "", "no")))])
        payload = b'{"who": {"name": "ada_x", "id": "u-77"}}'
        new = NewInput("shop", "toy", "webhook", "forget-person", "f", "f", payload, "d", at(0))
        await hub.store.receive([new])
        (item,) = await hub.store.claim_inbox(1)
        routed = route(item, plan())
        assert routed is not None
        await hub.apply.apply([(item, routed)])
        rows, _ = await hub.queries.orders()
        kept = {row.source_id for row in rows if await hub.queries.personal(row.id) is not None}
        assert kept == {"13", "14"}
        inputs, _ = await hub.queries.inputs(account="shop")
        left = {row.ordering_key: row.payload for row in inputs if b"ada" in row.payload}
        assert left == {"22": parked["22"]}, "what could not be applied names people too"


async def test_a_complete_report_zeroes_what_it_does_not_list(tmp_path: Path) -> None:
    """A warehouse's whole count leaves nothing standing that it did not find, there and nowhere else."""
    async with running(tmp_path / "hub.db", plan(stock_source=True)) as hub:
        lines = [
            CountLine("MUG", "east", 5, at(0)),
            CountLine("BOX", "east", 4, at(0)),
            CountLine("BOX", "west", 3, at(0)),
        ]
        await hub.adjust.report(lines, key="s", actor="t")
        await hub.deliver((report("r1", [{"sku": "MUG", "on_hand": 7}], at=5, complete=True),), "r1")
        assert await hub.buckets("MUG") == (7, 0, 0)
        assert await hub.buckets("BOX") == (0, 0, 0)
        assert sum(row.on_hand for row in await hub.queries.positions_at(["BOX"], None)) == 3
        assert await hub.queries.verify() == []
