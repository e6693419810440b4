"""The engine as a whole: fast when healthy, isolated when one vendor is sick, orderly when it stops."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from connectors.sdk.clock import SeededJitter, SystemClock, SystemIds
from connectors.sdk.contract import Page, PushItem, PushResult
from connectors.sdk.errors import AuthFailed
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.store import (
    Bucket,
    InboxItem,
    LevelState,
    ListingRow,
    NewEffect,
    OutboxState,
    Posting,
    ReadSet,
    WriteSet,
)
from hub.runtime.health import STORE
from hub.services import moments
from hub.services.interpret import Interpreted
from hub.workers import channel
from hub.workers.engine import PULLS_MAX, Engine, Surroundings
from tests.support.memory_queries import MemoryQueries
from tests.support.memory_store import MemoryStore
from tests.support.toy_channel import MANIFEST, ToyChannel, Witness
from tests.support.waiting import until


class Mapper:
    async def interpret(self, items: Sequence[InboxItem]) -> Sequence[Interpreted]:
        return [Interpreted(item.seq) for item in items]

    async def close(self) -> None:
        return None


class Rig:
    """An engine over toy vendors `a` and `b`, real time, a store in memory."""

    def __init__(self, role: str = "all") -> None:
        self.clock = SystemClock()
        self.store = MemoryStore(lambda: moments.now(self.clock))
        manifest = replace(MANIFEST, streams=(replace(MANIFEST.streams[0], interval_s=0.2),))
        policy = AvailabilityPolicy(("main",))
        self.plans = {name: AccountPlan(name, "toy", manifest, Mode.LIVE, policy) for name in "ab"}
        self.vendors = {name: ToyChannel(self.clock) for name in "ab"}  # type: ignore[arg-type]
        for vendor in self.vendors.values():
            vendor.pages["start"] = vendor.pages["end"] = Page([], {"at": "end"}, more=False)
        self.telemetry = Witness()
        around = Surroundings(
            self.store,
            MemoryQueries(self.store),  # type: ignore[arg-type]
            Mapper(),
            self.clock,
            SystemIds(),
            SeededJitter(),
            self.telemetry,
            role=role,
            public_url="https://hub.example.com",
        )
        self.engine = Engine(self.plans, self.vendors, around)  # type: ignore[arg-type]

    async def list_everywhere(self, sku: str, quantity: int) -> None:
        self.store.seed_sku(sku)
        rows = [ListingRow(account, sku, "", sku, sku) for account in "ab"]
        await self.store.run(ReadSet(), lambda _: WriteSet(listings=rows))
        await self.move(sku, quantity)

    async def move(self, sku: str, delta: int) -> None:
        now = moments.now(self.clock)
        posting = Posting(f"e{len(self.store.tables.postings)}", sku, "main", Bucket.ON_HAND, delta, "test", now)
        await self.store.run(ReadSet(), lambda _: WriteSet(postings=[posting], dirty={sku: now}))
        self.engine.wakes.dirtied()

    def shown(self, account: str, sku: str) -> int | None:
        return self.vendors[account].shown.get(sku)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishers look by themselves once in an hour only: what goes out was woken."""
    monkeypatch.setattr(channel, "LEVEL_RHYTHM", replace(channel.LEVEL_RHYTHM, idle_s=3_600.0))


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    await rig.engine.start()
    try:
        yield rig
    finally:
        await rig.engine.stop(5.0)


async def test_a_change_is_published_everywhere_within_a_moment(patient: None) -> None:
    """From commit to both channels by being woken, without waiting for any polling interval."""
    async with running(Rig()) as rig:
        await rig.list_everywhere("MUG", 5)
        await until(lambda: rig.shown("a", "MUG") == 5 and rig.shown("b", "MUG") == 5)
        await asyncio.sleep(0.1)
        await rig.move("MUG", -2)
        await until(lambda: rig.shown("a", "MUG") == 3 and rig.shown("b", "MUG") == 3)
        verified = lambda: all(row.state is LevelState.VERIFIED for row in rig.store.tables.levels.values())  # noqa: E731
        await until(verified)


async def test_a_vendor_that_hangs_costs_the_other_nothing(patient: None) -> None:
    """Account `a` never answers; `b` is woken and told as before."""
    rig = Rig()

    async def hangs(items: Sequence[PushItem]) -> Sequence[PushResult]:
        await asyncio.Event().wait()
        return []

    rig.vendors["a"].publish = hangs  # type: ignore[method-assign]
    await rig.engine.start()
    await rig.list_everywhere("MUG", 5)
    for number in range(5):
        await rig.move("MUG", -1)
        await until(lambda left=4 - number: rig.shown("b", "MUG") == left)
    assert rig.shown("a", "MUG") is None
    began = time.monotonic()
    await rig.engine.stop(4.0)
    assert time.monotonic() - began < 30, "the hanging call was cut short"


async def test_refused_credentials_hold_one_account_only() -> None:
    """`a` is held and asked no more; `b` goes on; resuming brings `a` up to date."""
    rig = Rig()
    rig.vendors["a"].down = AuthFailed("revoked")
    async with running(rig):
        await rig.list_everywhere("MUG", 5)
        await until(lambda: rig.shown("b", "MUG") == 5 and not rig.engine.accounts.may_call("a"))
        asked = len(rig.vendors["a"].calls)
        await rig.move("MUG", -1)
        await until(lambda: rig.shown("b", "MUG") == 4)
        assert len(rig.vendors["a"].calls) == asked
        rig.vendors["a"].down = None
        await rig.engine.accounts.resume("a", "alice")
        rig.engine.wakes.everything()
        await until(lambda: rig.shown("a", "MUG") == 4)


async def test_a_store_that_is_away_is_survived() -> None:
    """Readiness false while nothing can be written, then everything goes on by itself."""
    async with running(Rig()) as rig:
        await rig.list_everywhere("MUG", 5)
        await until(lambda: rig.shown("a", "MUG") == 5)
        rig.store.fail = "disk full"
        rig.engine.wakes.everything()
        await until(lambda: STORE in rig.engine.health.unready())
        rig.store.fail = None
        await rig.move("MUG", -1)
        await until(lambda: rig.shown("a", "MUG") == 4 and rig.shown("b", "MUG") == 4)
        await until(lambda: rig.engine.health.unready() == [])


async def test_a_drain_begins_nothing_and_finishes_what_it_has() -> None:
    """SIGTERM in the middle of a call: readiness false at once, that call is finished, the rest waits."""
    rig = Rig()
    begun, go = asyncio.Event(), asyncio.Event()
    good = rig.vendors["a"].send

    async def slow(effect):  # type: ignore[no-untyped-def]
        begun.set()
        await go.wait()
        return await good(effect)

    rig.vendors["a"].send = slow  # type: ignore[method-assign]
    now = moments.now(rig.clock)
    effects = [NewEffect("a", "confirm", "o1", f"a{n}", "{}", "{}", now, now) for n in range(2)]
    await rig.store.run(ReadSet(), lambda _: WriteSet(effects=effects))
    await rig.engine.start()
    await asyncio.wait_for(begun.wait(), 60)
    stop = asyncio.create_task(rig.engine.stop(60.0))
    await asyncio.sleep(0.05)
    assert "stopping" in rig.engine.health.unready()
    go.set()
    await asyncio.wait_for(stop, 60)
    states = [row.state for row in rig.store.tables.effects.values()]
    assert states == [OutboxState.DONE, OutboxState.PENDING]
    assert [vendor.closed for vendor in rig.vendors.values()] == [1, 1]


async def test_polls_and_subscriptions_run_by_the_clock() -> None:
    """Streams are read again and again, webhooks are subscribed once at the start."""
    async with running(Rig()) as rig:
        vendor = rig.vendors["a"]
        await until(lambda: vendor.count("fetch") >= 3 and vendor.count("ensure_subscriptions") == 1)


async def test_roles_split_the_work() -> None:
    """An intake process neither sends nor polls; an unknown role is refused by name."""
    async with running(Rig(role="intake")) as rig:
        await rig.list_everywhere("MUG", 5)
        await asyncio.sleep(0.3)
        assert rig.vendors["a"].calls == []
    with pytest.raises(ValueError, match="known: all, intake, worker, scheduler"):
        Rig(role="boss")


async def test_pull_reads_streams_again_and_refuses_what_cannot_be() -> None:
    """Names what it began; an account that is not there or a reach too far is an error, not silence."""
    async with running(Rig(role="worker")) as rig:
        assert rig.engine.pull("a", None) == ["orders"]
        await until(lambda: rig.vendors["a"].count("fetch") == 1)
        with pytest.raises(LookupError, match="configured: a, b"):
            rig.engine.pull("c", None)
        with pytest.raises(ValueError, match="last 30 days only"):
            rig.engine.pull("a", moments.moment(0))


async def test_pulls_of_an_account_are_bounded_and_one_that_fails_is_told() -> None:
    """However often it is asked for; the error of a reading nobody waits for stands in the log."""
    async with running(Rig(role="worker")) as rig:
        for _ in range(PULLS_MAX):
            rig.engine.pull("a", None)
        with pytest.raises(ValueError, match="are under way already"):
            rig.engine.pull("a", None)
        await until(lambda: rig.vendors["a"].count("fetch") == PULLS_MAX)
        await until(lambda: not rig.engine._pulls)
        rig.vendors["a"].down = ZeroDivisionError("a bug")  # type: ignore[assignment]
        with capture_logs() as logs:
            rig.engine.pull("a", None)
            await until(lambda: not rig.engine._pulls)
    assert [entry["job"] for entry in logs if entry["event"] == "pull.failed"] == ["pull:a"]
