"""The engine over the embedded database: what it writes outward is what the database holds."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.sdk.clock import SeededJitter, SystemClock, SystemIds
from connectors.sdk.contract import Page
from connectors.sdk.errors import InDoubt, Rejected
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.queries import Queries
from hub.ports.store import Bucket, ListingRow, NewEffect, Posting, ReadSet, SkuRow, Store, WriteSet
from hub.services import moments
from hub.services.replay import FailureFilter
from hub.storage import migrate, open_store
from hub.workers.engine import Engine, Surroundings
from tests.support.toy_channel import MANIFEST, ToyChannel, Witness
from tests.workers.test_engine import Mapper

PLAN = AccountPlan("shop", "toy", MANIFEST, Mode.LIVE, AvailabilityPolicy(("main",)))


class Rig:
    def __init__(self, store: Store, queries: Queries, clock: SystemClock) -> None:
        self.store, self.queries, self.clock = store, queries, clock
        self.vendor = ToyChannel(clock)  # type: ignore[arg-type]
        self.vendor.pages["start"] = self.vendor.pages["end"] = Page([], {"at": "end"}, more=False)
        self.telemetry = Witness()
        around = Surroundings(store, queries, Mapper(), clock, SystemIds(), SeededJitter(), self.telemetry)
        self.engine = Engine({"shop": PLAN}, {"shop": self.vendor}, around)  # type: ignore[dict-item]
        self.moves = 0

    async def move(self, sku: str, delta: int) -> None:
        self.moves += 1
        now = moments.now(self.clock)
        posting = Posting(f"e{self.moves}", sku, "main", Bucket.ON_HAND, delta, "test", now)
        await self.store.run(ReadSet(), lambda _: WriteSet(postings=[posting], dirty={sku: now}))
        self.engine.wakes.dirtied()

    async def states(self) -> dict[str, str]:
        rows, _ = await self.queries.levels(account="shop")
        return {row.listing_id: row.state.value for row in rows}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Rig]:
    url = f"sqlite:///{folder}/hub.db"
    await migrate.upgrade(url)
    clock = SystemClock()
    store, queries = await open_store(url, key=bytes(32), clock=clock)
    assert store is not None
    rig = Rig(store, queries, clock)
    await store.replace_catalogue([SkuRow("MUG"), SkuRow("CUP")], "digest")
    listings = [ListingRow("shop", sku, "", sku, sku) for sku in ("MUG", "CUP")]
    await store.run(ReadSet(), lambda _: WriteSet(listings=listings))
    await rig.engine.start()
    try:
        yield rig
    finally:
        await rig.engine.stop(5.0)
        await queries.close()
        await store.close()


async def eventually(condition, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    for _ in range(round(seconds / 0.02)):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"did not happen within {seconds} s")


async def test_numbers_and_effects_go_out_and_are_noted(tmp_path: Path) -> None:
    """Published, verified, refused, replayed; effects done and settled; attempts, failures and audit stored."""
    async with opened(tmp_path) as rig:
        rig.vendor.item_faults["CUP"] = Rejected("not sold here", code="BAD")
        await rig.move("MUG", 5)
        await rig.move("CUP", 7)

        async def settled() -> bool:
            return await rig.states() == {"MUG": "verified", "CUP": "rejected"}

        await eventually(settled)
        assert rig.vendor.shown == {"MUG": 5}
        failures, _ = await rig.queries.failures(account="shop")
        assert [(row.kind, row.reference, row.error, row.code) for row in failures] == [
            ("availability", "CUP#", "Rejected", "BAD")
        ]
        rig.vendor.item_faults.clear()
        assert (await rig.engine.replayer.replay(FailureFilter(), actor="alice")).count == 1
        rig.engine.wakes.everything()

        async def shown() -> bool:
            return rig.vendor.shown == {"MUG": 5, "CUP": 7}

        await eventually(shown)
        assert (await rig.queries.failures(account="shop"))[0] == []

        rig.vendor.faults["send"] = deque([InDoubt("no answer"), None])
        now = moments.now(rig.clock)
        effects = [NewEffect("shop", "keyed", "o1", f"a{n}", "{}", "{}", now, now) for n in range(3)]
        await rig.store.run(ReadSet(), lambda _: WriteSet(effects=effects))
        rig.engine.wakes.effects_for(["shop"])

        async def done() -> bool:
            rows, _ = await rig.queries.effects(account="shop")
            return [row.state.value for row in rows] == ["done"] * 3

        await eventually(done)
        assert [effect.idempotency_key for effect in rig.vendor.sent] == ["a0", "a0", "a1", "a2"]
        attempts, _ = await rig.queries.attempts(account="shop")
        assert {"publish", "read_back", "keyed"} <= {row.kind for row in attempts}
        (status,) = await rig.queries.status()
        assert (status.failures, status.outward.pending) == (0, 0)


async def test_holds_survive_a_restart(tmp_path: Path) -> None:
    """An account held by one process is still held by the next, until an operator resumes it."""
    async with opened(tmp_path) as rig:
        rig.engine.accounts.hold("shop", "credentials: expired")
    async with opened(tmp_path) as rig:
        assert rig.engine.accounts.row("shop").held == "credentials: expired"
        await rig.move("MUG", 5)
        await asyncio.sleep(0.2)
        assert rig.vendor.calls == []
        await rig.engine.accounts.resume("shop", "alice")
        rig.engine.wakes.everything()

        async def shown() -> bool:
            return rig.vendor.shown.get("MUG") == 5

        await eventually(shown)
