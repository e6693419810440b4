"""The inbox worker applies what waits, lets no bad input stop the rest, and hands back what it drops."""

import asyncio
from collections.abc import Sequence

import pytest

from hub.ports.store import InboxItem, InboxResult, InboxState, NewInput, ReadSet, StoreUnavailable, WriteSet
from hub.runtime.wake import Wakes
from hub.services.batch import Outcome
from hub.services.interpret import Interpreted
from hub.workers.hints import Hints
from hub.workers.inbox import InboxWorker
from tests.support.toy_channel import Desk, envelope


class Mapper:
    """Topics decide: `orders/changed` is a hint, `poison` raises."""

    async def interpret(self, items: Sequence[InboxItem]) -> Sequence[Interpreted]:
        return [Interpreted(item.seq, hint=item.topic == "orders/changed") for item in items]

    async def close(self) -> None:
        return None


class Applier:
    """Finishes inputs; raises for poison and whenever the store is away."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.batches: list[int] = []

    async def apply(self, pairs: Sequence[tuple[InboxItem, Interpreted]]) -> Outcome:
        self.batches.append(len(pairs))
        if any(item.topic == "poison" for item, _ in pairs):
            raise RuntimeError("unforeseen")
        done = [InboxResult(item.seq, InboxState.DONE) for item, _ in pairs]
        await self.desk.store.run(ReadSet(), lambda _: WriteSet(inbox=done))
        return Outcome(applied=len(done), dirty={"MUG"}, effects={"shop"})


class Rig:
    def __init__(self) -> None:
        self.desk = Desk()
        self.wakes = Wakes(["shop"])
        self.applier = Applier(self.desk)
        self.hints = Hints({"shop": self.desk.resolver}, self.desk.store, self.wakes)
        self.worker = InboxWorker(self.desk.store, Mapper(), self.applier, self.hints, self.wakes)  # type: ignore[arg-type]

    async def receive(self, *names: str, topic: str = "orders/create", key: str = "") -> None:
        await self.desk.store.receive(
            [NewInput("shop", "toy", "webhook", topic, name, key or name, b"{}", "", 0) for name in names]
        )

    def states(self) -> list[InboxState]:
        return [row.state for row in self.desk.store.tables.inbox.values()]


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_backlog_goes_in_batches_of_a_hundred(rig: Rig) -> None:
    """Never more at once; whoever is concerned is woken."""
    await rig.receive(*(f"o{number}" for number in range(250)))
    while (await rig.worker.step()).again:
        pass
    assert rig.applier.batches == [100, 100, 50]
    assert set(rig.states()) == {InboxState.DONE}
    assert rig.wakes.levels["shop"].is_set
    assert rig.wakes.effects["shop"].is_set


async def test_one_poisonous_input_is_parked_and_the_rest_goes_on(rig: Rig) -> None:
    """Something unforeseen in one input: it is kept with its reason, its neighbours are applied."""
    await rig.receive("o1", "o2")
    await rig.receive("bad", topic="poison")
    await rig.receive("o3")
    while (await rig.worker.step()).again:
        pass
    assert rig.states() == [InboxState.DONE, InboxState.DONE, InboxState.FAILED, InboxState.DONE]
    assert [error for *_, error in rig.desk.open_failures()] == ["RuntimeError"]


async def test_a_store_that_goes_away_loses_nothing(rig: Rig) -> None:
    """Claimed rows are handed back, at the latest by the next round, and applied once."""
    await rig.receive("o1")
    good = rig.applier.apply

    async def fails(pairs: Sequence[tuple[InboxItem, Interpreted]]) -> Outcome:
        rig.desk.store.fail = "disk full"
        return await good(pairs)

    rig.applier.apply = fails  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await rig.worker.step()
    rig.desk.store.fail = None
    rig.applier.apply = good  # type: ignore[method-assign]
    await rig.worker.step()
    assert rig.states() == [InboxState.DONE]


async def test_a_release_that_fails_unforeseen_is_made_up_for(rig: Rig) -> None:
    """Whatever broke the handing back, the loop that is started again hands the rows back first."""
    await rig.receive("bad", topic="poison")
    release, run = rig.desk.store.release, rig.desk.store.run

    async def breaks(*_: object) -> None:
        raise RuntimeError("the driver lost its place")

    rig.desk.store.release = breaks  # type: ignore[method-assign]
    rig.desk.store.run = breaks  # type: ignore[method-assign,assignment]
    with pytest.raises(RuntimeError):
        await rig.worker.step()
    rig.desk.store.release, rig.desk.store.run = release, run  # type: ignore[method-assign]
    await rig.worker.step()
    assert rig.states() == [InboxState.FAILED]


async def test_a_cancelled_batch_is_released(rig: Rig) -> None:
    """A drain that cuts a batch short leaves its rows for the next process."""
    await rig.receive("o1")

    async def hangs(pairs: object) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    rig.applier.apply = hangs  # type: ignore[method-assign]
    task = asyncio.create_task(rig.worker.step())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(await rig.desk.store.claim_inbox(10)) == 1


async def test_a_slow_hint_holds_nobody_but_its_own_key(rig: Rig) -> None:
    """While the vendor thinks about one order, others are applied; what is behind it on its key waits."""
    answer = asyncio.Event()

    async def slow(_envelope: object) -> Sequence[object]:
        await answer.wait()
        return [envelope("o9@2")]

    rig.desk.vendor.resolve = slow  # type: ignore[method-assign,assignment]
    await rig.receive("hint", topic="orders/changed", key="o9")
    await rig.receive("behind", key="o9")
    await rig.receive("other")
    while (await rig.worker.step()).again:
        pass
    assert rig.states() == [InboxState.PENDING, InboxState.PENDING, InboxState.DONE]
    answer.set()
    async with asyncio.timeout(60):
        while InboxState.PENDING in rig.states():
            await rig.worker.step()
            await asyncio.sleep(0.001)
    assert set(rig.states()) == {InboxState.DONE}


async def test_hints_stop_with_the_hub(rig: Rig) -> None:
    """A hint under way at the end of a drain is given back."""

    async def never(_envelope: object) -> Sequence[object]:
        await asyncio.Event().wait()
        return []

    rig.desk.vendor.resolve = never  # type: ignore[method-assign,assignment]
    await rig.receive("hint", topic="orders/changed")
    await rig.worker.step()
    await asyncio.sleep(0.01)
    await rig.hints.stop()
    assert len(await rig.desk.store.claim_inbox(10)) == 1


async def test_too_many_hints_wait_in_the_store(rig: Rig) -> None:
    """Memory holds a hundred per account; the rest stays on the schedule."""

    async def never(_envelope: object) -> Sequence[object]:
        await asyncio.Event().wait()
        return []

    rig.desk.vendor.resolve = never  # type: ignore[method-assign,assignment]
    await rig.receive(*(f"h{number}" for number in range(130)), topic="orders/changed")
    while (await rig.worker.step()).again:
        pass
    claimed = [row for row in rig.desk.store.tables.inbox.values() if row.claimed]
    assert len(claimed) == 100
    await rig.hints.stop()


async def test_a_hint_nobody_can_resolve_is_parked() -> None:
    """A topic that only points, on an account that cannot read: visible, not stuck."""
    rig = Rig()
    rig.hints = Hints({}, rig.desk.store, rig.wakes)
    rig.worker = InboxWorker(rig.desk.store, Mapper(), rig.applier, rig.hints, rig.wakes)  # type: ignore[arg-type]
    await rig.receive("hint", topic="orders/changed")
    await rig.worker.step()
    assert [error for *_, error in rig.desk.open_failures()] == ["NoResolver"]
