"""Lost for a while, repeated, reordered, batched or cut short by a crash: the ledger ends as the world is."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.inventory import published_quantity
from hub.services.interpreted import Interpreted
from tests.support.orders import Hub, facts, input_plan, plan, report
from tests.support.world import World

SKUS = ("MUG", "BOX")
UNITS = st.integers(1, 3)


class Ledger(RuleBasedStateMachine):
    """The hub against a dict: rules change the world, deliver its mail in any order, kill the hub."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(dict.fromkeys(SKUS, 100))
        self.hub = Hub(plan(stock_source=True))
        for sku in SKUS:
            self.hub.stock(sku, 100)
        self.seen = 0

    def run(self, work: Any) -> Any:
        return asyncio.run(work)

    @rule(lines=st.lists(st.tuples(st.sampled_from(SKUS), UNITS), min_size=1, max_size=3))
    def place(self, lines: list[tuple[str, int]]) -> None:
        self.world.place(lines)

    @precondition(lambda self: self.world.orders)
    @rule(which=st.randoms(use_true_random=False), units=UNITS)
    def ship(self, which: Any, units: int) -> None:
        self.world.ship(which.choice(list(self.world.orders.values())), units)

    @precondition(lambda self: self.world.orders)
    @rule(which=st.randoms(use_true_random=False), units=UNITS, how=st.sampled_from(["part", "whole", "refund"]))
    def cancel(self, which: Any, units: int, how: str) -> None:
        sold = which.choice(list(self.world.orders.values()))
        self.world.cancel(sold, units, whole=how == "whole", refunded=how == "refund")

    @precondition(lambda self: self.world.orders)
    @rule(which=st.randoms(use_true_random=False), units=UNITS, how=st.sampled_from(["sellable", "damaged"]))
    def come_back(self, which: Any, units: int, how: str) -> None:
        sold = which.choice(list(self.world.orders.values()))
        self.world.come_back(sold, units, how, "both" if int(sold.name) % 2 else "refund")

    @precondition(lambda self: self.world.mail)
    @rule(which=st.randoms(use_true_random=False), count=st.integers(1, 4))
    def deliver(self, which: Any, count: int) -> None:
        """Any mail ever sent, several in one batch, possibly again."""
        self.run(self.hub.deliver_each([which.choice(self.world.mail) for _ in range(count)]))

    @precondition(lambda self: self.world.mail)
    @rule(which=st.randoms(use_true_random=False), committed=st.booleans())
    def crash(self, which: Any, committed: bool) -> None:
        """The process dies holding an input, before or after its commit; the input comes back or is done."""

        async def die() -> None:
            item = await self.hub.item()
            payload = facts(which.choice(self.world.mail), "shop")
            if committed:
                await self.hub.apply.apply([(item, Interpreted(item.seq, payload))])
            self.hub.store.crash()
            for again in await self.hub.store.claim_inbox(10):
                await self.hub.apply.apply([(again, Interpreted(again.seq, payload))])

        self.run(die())

    @rule()
    def catch_up_and_count(self) -> None:
        """Once everything was heard, a true count changes nothing."""
        self.hear_all()
        for sku in SKUS:
            level = {"sku": sku, "on_hand": self.world.expected(sku)[0]}
            self.world.minute += 1
            self.run(self.hub.deliver(report(f"r{self.world.minute}", [level], at=self.world.minute)))
        self.world.minute += 1
        self.matches()

    def hear_all(self) -> None:
        self.run(self.hub.deliver_each(list(reversed(self.world.mail))))

    def matches(self) -> None:
        for sku in SKUS:
            assert self.hub.buckets(sku) == self.world.expected(sku)

    @invariant()
    def the_ledger_holds(self) -> None:
        """Positions are their postings, reservations are what orders hold, and no number is negative."""
        assert self.hub.store.differences() == []
        for sku in SKUS:
            rows_ = self.hub.store.tables.orders.values()
            lines = [one for row in rows_ for one in row.allocations if one.sku == sku]
            assert self.hub.buckets(sku)[1] == sum(one.reserved for one in lines)
            assert all(min(one.reserved, one.shipped, one.restocked) >= 0 for one in lines)
            assert all(one.restocked <= one.shipped for one in lines)
            rows = [self.hub.store.position(sku, "east")]
            for account in (plan(), input_plan()):
                assert published_quantity(account, sku, rows).quantity >= 0

    def teardown(self) -> None:
        self.hear_all()
        self.matches()
        count = len(self.hub.store.tables.postings)
        self.hear_all()
        assert len(self.hub.store.tables.postings) == count


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
