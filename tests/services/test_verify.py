"""Reading back proves a number, tolerates late reads, finds drift and never gives up in silence."""

from collections import deque

import pytest

from connectors.sdk.errors import Rejected, Transient
from hub.ports.store import LevelState
from tests.support.toy_channel import Desk


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    return desk


async def test_a_late_read_is_no_drift(desk: Desk) -> None:
    """A replica that shows the old number for half a minute costs readings, not a second push."""
    desk.vendor.shown["MUG"] = 9
    for wait in (3.0, 7.0, 20.0):
        await desk.verify_after(wait)
        assert desk.level("MUG").state is LevelState.ACCEPTED
    desk.vendor.shown["MUG"] = 5
    await desk.verify_after(60.0)
    assert desk.level("MUG").state is LevelState.VERIFIED
    assert (desk.vendor.count("publish"), desk.vendor.count("read_back")) == (1, 4)
    assert desk.telemetry.drifts == []


async def test_readings_are_not_repeated_before_their_time(desk: Desk) -> None:
    """Between two ages of the schedule nothing is asked."""
    desk.vendor.shown["MUG"] = 9
    await desk.verify_after(3.0)
    for _ in range(6):
        await desk.verify_after(1.0)
    assert desk.vendor.count("read_back") == 1


async def test_a_lasting_difference_is_drift_and_sent_again(desk: Desk) -> None:
    """Somebody changed the number at the channel: ours is put back, and the units are counted."""
    desk.vendor.shown["MUG"] = 9
    for wait in (3.0, 7.0, 20.0, 60.0):
        await desk.verify_after(wait)
    assert desk.level("MUG").state is LevelState.DRIFTED
    assert desk.telemetry.drifts == [4]
    await desk.publish_all()
    await desk.verify_after(3.0)
    assert desk.vendor.shown["MUG"] == 5
    assert desk.level("MUG").state is LevelState.VERIFIED


async def test_what_did_not_hold_is_sent_again_as_another_write(desk: Desk) -> None:
    """Under its old key a vendor would only repeat its answer, and the number would stay wrong for ever."""
    for number in range(3):
        desk.vendor.shown["MUG"] = 9
        for wait in (3.0, 7.0, 20.0, 60.0):
            await desk.verify_after(wait)
        assert desk.level("MUG").attempts == number + 1
        for _ in range(200):
            await desk.tick()
            if len(desk.vendor.pushes) == number + 2:
                break
    keys = [push.key for push in desk.vendor.pushes]
    assert len(keys) == 4
    assert len(set(keys)) == 4


async def test_a_channel_that_accepts_and_does_nothing_is_seen(desk: Desk) -> None:
    """A no-op feed: pushes follow the schedule instead of a loop, and an operator sees it."""
    desk.vendor.deaf = True
    desk.vendor.shown["MUG"] = 9
    for _ in range(1_200):
        await desk.tick()
    assert ("availability", "MUG#", "Drifted") in desk.open_failures()
    assert desk.vendor.count("publish") <= 6
    desk.vendor.deaf = False
    for _ in range(4_000):
        await desk.tick()
    assert desk.level("MUG").state is LevelState.VERIFIED
    assert desk.open_failures() == []


async def test_a_listing_that_is_gone_is_parked_under_its_own_heading(desk: Desk) -> None:
    """Gone is believed only after the late-read window."""
    del desk.vendor.shown["MUG"]
    await desk.verify_after(3.0)
    assert desk.open_failures() == []
    await desk.verify_after(90.0)
    assert desk.open_failures() == [("availability", "MUG#", "TargetMissing")]


async def test_an_untracked_listing_is_parked(desk: Desk) -> None:
    """A number the channel does not track can never be proven, so nobody pretends."""
    desk.vendor.shown["MUG"] = None
    await desk.verify_after(3.0)
    assert desk.open_failures() == [("availability", "MUG#", "Rejected")]


async def test_a_reading_never_overrules_a_newer_push(desk: Desk) -> None:
    """Sent again between question and answer: the old answer changes no state."""
    good = desk.vendor.read_back

    async def slow(refs):  # type: ignore[no-untyped-def]
        shown = await good(refs)
        await desk.move("MUG", -1)
        await desk.publish_all()
        return shown

    desk.vendor.read_back = slow  # type: ignore[method-assign]
    await desk.verify_after(3.0)
    level = desk.level("MUG")
    assert (level.state, level.sent_quantity, level.verified_quantity) == (LevelState.ACCEPTED, 4, None)


async def test_a_reading_that_fails_changes_nothing(desk: Desk) -> None:
    """No answer is no evidence."""
    desk.vendor.faults["read_back"] = deque([Transient("reset")])
    await desk.verify_after(3.0)
    assert desk.level("MUG").state is LevelState.ACCEPTED
    await desk.verify_after(1.0)
    assert desk.level("MUG").state is LevelState.VERIFIED


async def test_queued_batches_follow_the_vendors_rhythm() -> None:
    """PENDING is asked for at the manifest's waits, and its items are answered one by one."""
    desk = Desk()
    desk.vendor.queued = True
    for sku in ("MUG", "CUP"):
        await desk.list_sku(sku, 5)
    await desk.publish_all()
    asked_at: list[float] = []
    queued = dict(desk.store.tables.levels)
    for _ in range(140):
        before = desk.vendor.count("poll_receipt")
        await desk.receipts.ask_due()
        if desk.vendor.count("poll_receipt") > before:
            asked_at.append(desk.clock.monotonic())
        desk.clock.advance(1.0)
    assert asked_at == [15.0, 75.0, 135.0]
    assert desk.store.tables.levels == queued, "what is only waited for is not written again"
    desk.vendor.queued = False
    desk.vendor.item_faults["CUP"] = Rejected("bad sku")
    desk.clock.advance(60.0)
    await desk.receipts.ask_due()
    assert desk.level("MUG").state is LevelState.ACCEPTED
    assert desk.open_failures() == [("availability", "CUP#", "Rejected")]
    assert desk.telemetry.lags[-1][2] == pytest.approx(200.0, abs=5.0)


async def test_a_failed_question_keeps_the_batch_queued() -> None:
    """An error on asking is not an answer about the items."""
    desk = Desk()
    desk.vendor.queued = True
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    desk.clock.advance(15.0)
    desk.vendor.faults["poll_receipt"] = deque([Transient("reset")])
    await desk.receipts.ask_due()
    level = desk.level("MUG")
    assert (level.state, level.receipt, level.attempts) == (LevelState.SENT, "batch-1", 0)


async def test_a_batch_that_never_answers_is_sent_again() -> None:
    """After a day the batch is taken for lost."""
    desk = Desk()
    desk.vendor.queued = True
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    desk.clock.advance(86_401.0)
    await desk.receipts.ask_due()
    assert desk.level("MUG").state is LevelState.DIRTY
