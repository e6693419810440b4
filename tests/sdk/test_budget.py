"""Budgets keep the vendor's limit, believe its headers, serve the urgent first and never wait for ever."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sdk.budget import BudgetBook, Priority, spending
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import RateLimited
from connectors.sdk.manifest import Budget


def book(rate: float = 2.0, burst: float = 10.0, **given: float) -> tuple[BudgetBook, ManualClock]:
    clock = ManualClock()
    return BudgetBook(clock, [Budget("calls", rate, burst)], **given), clock


async def take_until_told(budgets: BudgetBook, priority: Priority, times: int = 100) -> int:
    """How many units can be had without waiting."""
    for taken in range(times):
        try:
            await budgets.take("calls", priority=priority, wait_max_s=0)
        except RateLimited:
            return taken
    return times


async def test_the_published_rate_is_kept() -> None:
    """Over any stretch no more is spent than burst plus rate times time."""
    budgets, clock = book(rate=2, burst=10)
    for _ in range(50):
        await budgets.take("calls", priority=Priority.URGENT)
    assert clock.monotonic() == pytest.approx(20)


@settings(deadline=None)
@given(
    rate=st.floats(0.1, 50),
    burst=st.floats(1, 100),
    costs=st.lists(st.floats(0.1, 20), min_size=1, max_size=40),
    priorities=st.lists(st.sampled_from(list(Priority)), min_size=40, max_size=40),
)
def test_no_order_of_calls_beats_the_limit(
    rate: float, burst: float, costs: list[float], priorities: list[Priority]
) -> None:
    """Whatever is asked for, spending stays under burst plus rate times time plus one dear call."""

    async def spend() -> None:
        clock = ManualClock()
        budgets = BudgetBook(clock, [Budget("calls", rate, burst)], wait_max_s=math.inf)
        spent = 0.0
        for units, priority in zip(costs, priorities, strict=False):
            await budgets.take("calls", units, priority=priority)
            spent += units
            assert spent <= burst + rate * clock.monotonic() + max(costs) + 1e-6

    asyncio.run(spend())


async def test_a_long_wait_is_told_at_once() -> None:
    """The error carries the wait, and nothing was spent."""
    budgets, clock = book(rate=1, burst=10, wait_max_s=3)
    await budgets.take("calls", 10, priority=Priority.URGENT)
    with pytest.raises(RateLimited) as caught:
        await budgets.take("calls", 5, priority=Priority.URGENT)
    assert caught.value.retry_after_s == pytest.approx(5)
    assert clock.monotonic() == 0
    assert budgets.snapshot()["calls"].tokens == pytest.approx(0)


async def test_a_reserve_is_kept_for_urgent_work() -> None:
    """Live work leaves a tenth of the bucket, which urgent work may take."""
    budgets, _ = book(burst=10)
    assert await take_until_told(budgets, Priority.LIVE) == 9
    assert await take_until_told(budgets, Priority.URGENT) == 1


async def test_replays_get_a_quarter() -> None:
    """Over a minute of replay alone no more than a quarter of the limit is spent."""
    budgets, clock = book(rate=4, burst=40)
    spent = 0
    with spending(Priority.REPLAY):
        while clock.monotonic() < 60:
            try:
                await budgets.take("calls", wait_max_s=0)
                spent += 1
            except RateLimited:
                clock.advance(0.25)
    assert spent <= 40 * 0.25 + 60 * 4 * 0.25 + 1
    assert await take_until_told(budgets, Priority.LIVE) >= 30


async def test_urgent_overtakes_waiting_work() -> None:
    """Who waits longer still goes later when another is more urgent."""
    budgets, clock = book(rate=1, burst=1, wait_max_s=100)
    await budgets.take("calls", priority=Priority.URGENT)
    order: list[str] = []

    async def work(name: str, priority: Priority) -> None:
        await budgets.take("calls", priority=priority)
        order.append(name)

    gate = asyncio.Event()

    class Stepping(ManualClock):
        """Nobody's clock moves until everyone has asked."""

        async def sleep(self, seconds: float) -> None:
            await gate.wait()
            await asyncio.sleep(0)
            await super().sleep(seconds)

    clock.__class__ = Stepping
    tasks = [
        asyncio.create_task(work("replay", Priority.REPLAY)),
        asyncio.create_task(work("live", Priority.LIVE)),
        asyncio.create_task(work("urgent", Priority.URGENT)),
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert budgets.snapshot()["calls"].waiting == 3
    gate.set()
    await asyncio.gather(*tasks)
    assert order[0] == "urgent"
    assert order[-1] == "replay"


async def test_a_cancelled_waiter_spends_nothing() -> None:
    """Neither tokens nor its place in the queue remain."""
    budgets, clock = book(rate=1, burst=1, wait_max_s=100)
    await budgets.take("calls", priority=Priority.URGENT)

    class Stuck(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    clock.__class__ = Stuck
    task = asyncio.create_task(budgets.take("calls"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    state = budgets.snapshot()["calls"]
    assert (state.waiting, state.in_flight) == (0, 1)


async def test_the_vendor_is_believed() -> None:
    """What it says remains counts, less what is still under way; a new limit and rate replace ours."""
    budgets, clock = book(rate=2, burst=10)
    async with budgets.spend("calls", 4):
        budgets.learn("calls", remaining=900, limit=1000, restore_rate=50)
        state = budgets.snapshot()["calls"]
        assert (state.burst, state.rate, state.tokens) == (1000, 50, 896)
    clock.advance(1)
    assert budgets.snapshot()["calls"].tokens == pytest.approx(946)


async def test_nothing_left_holds_until_the_reset() -> None:
    """Zero remaining with a time to wait stops even urgent work until then."""
    budgets, _ = book()
    budgets.learn("calls", remaining=0, reset_after_s=30)
    with pytest.raises(RateLimited) as caught:
        await budgets.take("calls", priority=Priority.URGENT)
    assert caught.value.retry_after_s == pytest.approx(30)


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -1.0])
async def test_nonsense_is_not_learnt(nonsense: float) -> None:
    """A header that makes no sense changes nothing."""
    budgets, _ = book()
    before = budgets.snapshot()["calls"]
    budgets.learn("calls", remaining=nonsense, limit=nonsense, restore_rate=nonsense, reset_after_s=nonsense)
    assert budgets.snapshot()["calls"] == before


async def test_refusals_without_a_wait_hold_longer_each_time() -> None:
    """1, 2, 4 … up to a minute, and from the start again after a success."""
    budgets, _ = book()
    assert [budgets.refused("calls", None) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    budgets.granted("calls")
    assert budgets.refused("calls", None) == 1
    assert budgets.refused("calls", 90_000) == 86_400


async def test_after_a_refusal_the_vendors_own_wait_is_all_of_it() -> None:
    """A large budget does not have to fill its urgent reserve again before usual work may go on."""
    budgets, clock = book(rate=83, burst=5000)
    budgets.refused("calls", 1.0)
    await budgets.take("calls", priority=Priority.LIVE)
    assert clock.monotonic() == pytest.approx(1.0, abs=0.1)
    budgets.learn("calls", remaining=0)
    await budgets.take("calls", priority=Priority.LIVE)
    assert clock.monotonic() < 4.0


async def test_an_unlimited_budget_still_obeys_holds() -> None:
    """The default budget has no rate, yet a refusal stops it."""
    budgets, clock = book()
    for _ in range(1000):
        await budgets.take()
    assert clock.monotonic() == 0
    budgets.hold("default", 5)
    await budgets.take()
    assert clock.monotonic() == pytest.approx(5)


async def test_a_call_dearer_than_the_bucket_waits_for_a_full_one() -> None:
    """It goes through instead of waiting for ever, and its debt is paid before the next."""
    budgets, clock = book(rate=1, burst=10, wait_max_s=100)
    await budgets.take("calls", 25, priority=Priority.URGENT)
    assert clock.monotonic() == 0
    await budgets.take("calls", 1, priority=Priority.URGENT)
    assert clock.monotonic() == pytest.approx(16)


async def test_a_misspelt_budget_is_an_error() -> None:
    """Spending from a budget nobody declared names those there are."""
    budgets, _ = book()
    with pytest.raises(ValueError, match="calls, default"):
        await budgets.take("cals")


def test_a_senseless_budget_is_refused() -> None:
    """A rate of zero would wait for ever."""
    with pytest.raises(ValueError, match="above zero"):
        BudgetBook(ManualClock(), [Budget("calls", 0, 10)])
