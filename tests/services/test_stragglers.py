"""One silent call delays its own levels and nobody else's, and no level is ever in two calls at once."""

from __future__ import annotations

import asyncio

import pytest

from hub.ports.store import LevelState
from hub.services.rounds import Round
from hub.services.stragglers import LATE_MAX, Stragglers
from tests.support.toy_channel import Desk
from tests.support.waiting import until


async def test_a_hanging_call_does_not_hold_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other SKUs go out beside it; its own new number waits for its answer and then goes."""
    monkeypatch.setattr("hub.services.stragglers.PATIENCE_S", 0.01)
    desk = Desk()
    answered = asyncio.Event()
    publish, hung = desk.vendor.publish, []

    async def silent(items):  # type: ignore[no-untyped-def]
        if any(item.ref.channel_sku == "SLOW" for item in items) and not hung:
            hung.append(items)
            await answered.wait()
        return await publish(items)

    monkeypatch.setattr(desk.vendor, "publish", silent)
    await desk.list_sku("SLOW", 5)
    await desk.publisher.publish_due()
    assert desk.level("SLOW").state is LevelState.SENT
    # Whoever answers is waited for, however busy this machine is.
    monkeypatch.setattr("hub.services.stragglers.PATIENCE_S", 60.0)
    await desk.list_sku("QUICK", 7)
    await desk.move("SLOW", -1)
    await desk.publisher.publish_due()
    assert desk.level("QUICK").state is LevelState.ACCEPTED
    assert (desk.level("SLOW").sent_quantity, len(hung)) == (5, 1)
    answered.set()
    await until(lambda: all(task.done() for task in desk.publisher.late._busy))
    await desk.publisher.publish_due()
    assert (desk.level("SLOW").state, desk.level("SLOW").sent_quantity) == (LevelState.ACCEPTED, 4)


async def test_what_late_work_raises_is_raised_by_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails in silence because it took long."""
    monkeypatch.setattr("hub.services.stragglers.PATIENCE_S", 0.0)
    late = Stragglers()

    async def fail() -> Round:
        await asyncio.sleep(0.001)
        raise LookupError("late")

    assert (await late.run([("a", "1", "")], fail())).wait_s is not None
    with pytest.raises(LookupError):
        await until(lambda: late.reap().wait_s is None)
    assert late.keys == frozenset()


async def test_late_work_is_bounded_and_ends_with_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the newest is waited for; abandoned work is cancelled."""
    monkeypatch.setattr("hub.services.stragglers.PATIENCE_S", 0.0)
    late = Stragglers()
    for number in range(LATE_MAX):
        await late.run([("a", str(number), "")], asyncio.sleep(60, Round()))
    waited = asyncio.create_task(late.run([("a", "last", "")], asyncio.sleep(60, Round())))
    await asyncio.sleep(0.01)
    assert not waited.done()
    waited.cancel()
    await asyncio.gather(waited, return_exceptions=True)
    assert late.keys == frozenset()
    await late.finish()
