"""Replays are counted first, paced, audited, and change nothing the second time."""

import json
from collections import deque

import pytest

from connectors.sdk.errors import InDoubt, Rejected
from hub.ports.store import FailureState, InboxResult, InboxState, NewFailure, NewInput, OutboxState, ReadSet, WriteSet
from hub.services.replay import FailureFilter, Replayer
from tests.support.toy_channel import Desk


class Parked(Desk):
    """A desk with something parked of every kind."""

    def __init__(self) -> None:
        super().__init__()
        self.replayer = Replayer({"shop": self.plan}, self.store, self.queries, self.clock, self.telemetry)  # type: ignore[arg-type]

    async def fail_everything(self) -> "Parked":
        await self.list_sku("MUG", 5)
        self.vendor.item_faults["MUG"] = Rejected("no")
        await self.publish_all()
        self.effect_id = await self.effect("o1", "a0")
        self.vendor.faults["send"] = deque([Rejected("no")])
        await self.dispatcher.send_due()
        await self.park_inputs(1)
        self.vendor.item_faults.clear()
        return self

    async def park_inputs(self, count: int) -> None:
        for number in range(count):
            await self.store.receive(
                [NewInput("shop", "toy", "webhook", "t", f"i{number}", f"i{number}", b"{}", "", 0)]
            )
        for item in await self.store.claim_inbox(1_000):
            failure = NewFailure("shop", "inbound", str(item.seq), "MappingError", "", "lines[0].sku", "no sku", "f")
            result = InboxResult(item.seq, InboxState.FAILED, attempts=1)
            writes = WriteSet(inbox=[result], failures=[failure])
            await self.store.run(ReadSet(), lambda _, owed=writes: owed)  # type: ignore[misc]


@pytest.fixture
async def desk() -> Parked:
    return await Parked().fail_everything()


async def test_a_dry_run_counts_and_changes_nothing(desk: Parked) -> None:
    """Count and kind first."""
    before = dict(desk.store.tables.failures)
    outcome = await desk.replayer.replay(FailureFilter(), actor="alice", dry_run=True)
    assert outcome.as_json()["by_kind"] == {"availability": 1, "effect": 1, "inbound": 1}
    assert desk.store.tables.failures == before
    assert desk.store.tables.audit == []


async def test_every_kind_goes_its_own_way_again(desk: Parked) -> None:
    """Input is mapped again, the effect is sent, the level is computed anew and never the old number."""
    await desk.move("MUG", 4)
    await desk.replayer.replay(FailureFilter(), actor="alice")
    assert len(await desk.store.claim_inbox(10)) == 1
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 9}
    await desk.dispatcher.send_due()
    assert desk.outbox(desk.effect_id).state is OutboxState.DONE
    (entry,) = desk.store.tables.audit
    assert (entry.actor, entry.action) == ("alice", "failures.replayed")
    assert json.loads(entry.detail)["done"]["count"] == 3


async def test_twice_changes_nothing_more(desk: Parked) -> None:
    """The second replay finds nothing open."""
    first = await desk.replayer.replay(FailureFilter(), actor="alice")
    tables = (dict(desk.store.tables.levels), dict(desk.store.tables.effects), dict(desk.store.tables.failures))
    ids = tuple(desk.store.tables.failures)
    for which in (FailureFilter(), FailureFilter(ids=ids)):
        assert (await desk.replayer.replay(which, actor="alice")).count == 0
    assert first.count == 3
    assert tables == (desk.store.tables.levels, desk.store.tables.effects, desk.store.tables.failures)


@pytest.mark.parametrize(
    ("which", "count"),
    [
        (FailureFilter(kind="effect"), 1),
        (FailureFilter(error="MappingError"), 1),
        (FailureFilter(account="other"), 0),
        (FailureFilter(older_than_s=60.0), 0),
        (FailureFilter(account="shop", kind="availability", error="Rejected"), 1),
    ],
)
async def test_the_filter_decides(desk: Parked, which: FailureFilter, count: int) -> None:
    """Only what is meant is touched."""
    assert (await desk.replayer.replay(which, actor="alice")).count == count
    states = [row.state for row in desk.store.tables.failures.values()]
    assert states.count(FailureState.REPLAYED) == count


async def test_effects_take_a_quarter_of_the_budget_at_most() -> None:
    """Forty replayed effects on a budget of four a second are spread over forty seconds or more."""
    desk = Parked()
    desk.vendor.faults["send"] = deque([Rejected("no")] * 40)
    for number in range(40):
        await desk.effect(f"o{number}", f"a{number}")
    while (await desk.dispatcher.send_due()).again:
        pass
    sent = len(desk.vendor.sent)
    await desk.replayer.replay(FailureFilter(kind="effect"), actor="alice")
    for second in range(1, 41):
        while (await desk.dispatcher.send_due()).again:
            pass
        assert len(desk.vendor.sent) - sent <= 1 + second * 0.25 * 4.0
        desk.clock.advance(1.0)


async def test_cancel_takes_back_what_is_not_due_yet() -> None:
    """What has not begun is open again and waits for the operator; what is done stays done."""
    desk = Parked()
    desk.vendor.faults["send"] = deque([Rejected("no")] * 20)
    for number in range(20):
        await desk.effect(f"o{number}", f"a{number}")
    await desk.dispatcher.send_due()
    await desk.replayer.replay(FailureFilter(), actor="alice")
    desk.clock.advance(5.0)
    while (await desk.dispatcher.send_due()).again:
        pass
    done = sum(row.state is OutboxState.DONE for row in desk.store.tables.effects.values())
    assert 0 < done < 20
    assert await desk.replayer.cancel(actor="alice") == 20 - done
    desk.clock.advance(1_000.0)
    await desk.dispatcher.send_due()
    assert sum(row.state is OutboxState.FAILED for row in desk.store.tables.effects.values()) == 20 - done
    assert len(desk.open_failures()) == 20 - done


async def test_in_doubt_is_settled_before_it_is_sent_again() -> None:
    """A replay never turns a question into a second shipment."""
    desk = Parked()
    number = await desk.effect("o1", "a0")
    failure = NewFailure("shop", "effect", str(number), "InDoubt", "", "confirm", "unknown", "f")
    desk.store.tables.effects[number] = desk.outbox(number)
    from dataclasses import replace

    desk.store.tables.effects[number] = replace(desk.outbox(number), state=OutboxState.FAILED)
    await desk.store.run(ReadSet(), lambda _: WriteSet(failures=[failure]))
    desk.vendor.applied["a0"] = object()  # type: ignore[assignment]
    await desk.replayer.replay(FailureFilter(), actor="alice")
    await desk.dispatcher.send_due()
    assert desk.vendor.sent == []
    assert desk.outbox(number).state is OutboxState.DONE


async def test_discard_gives_up_and_frees_the_key(desk: Parked) -> None:
    """The effect behind a discarded one goes on; nothing discarded is run again."""
    behind = await desk.effect("o1", "a1")
    outcome = await desk.replayer.discard(FailureFilter(), actor="alice")
    assert outcome.count == 3
    await desk.dispatcher.send_due()
    assert desk.outbox(desk.effect_id).state is OutboxState.CANCELLED
    assert desk.outbox(behind).state is OutboxState.DONE
    assert (await desk.replayer.replay(FailureFilter(), actor="alice")).count == 0


async def test_stored_inputs_can_be_run_again(desk: Parked) -> None:
    """With today's mapping, a stored input is claimed once more; a forgotten payload is skipped."""
    outcome = await desk.replayer.rerun("shop", topics=(), since=None, actor="alice")
    assert outcome.count == 1
    assert len(await desk.store.claim_inbox(10)) == 1
    await desk.store.prune(payloads_before=2**60, attempts_before=0, personal_due=0)
    again = await desk.replayer.rerun("shop", topics=(), since=None, actor="alice")
    assert (again.count, again.skipped) == (0, 1)


async def test_unreplayable_failures_are_counted_apart() -> None:
    """A stuck stream is mended by the next poll, not by a replay; it says so."""
    desk = Parked()
    failure = NewFailure("shop", "inbound", "stream:orders", "Transient", "cursor_repeated", "orders", "stuck", "f")
    await desk.store.run(ReadSet(), lambda _: WriteSet(failures=[failure]))
    outcome = await desk.replayer.replay(FailureFilter(), actor="alice")
    assert (outcome.count, outcome.skipped) == (0, 1)


async def test_doubt_is_what_an_unkeyed_silence_leaves() -> None:
    """Control: without an answer the effect really is in doubt, so the tests above test something."""
    desk = Parked()
    number = await desk.effect("o1", "a0")
    desk.vendor.faults["send"] = deque([InDoubt("no answer")])
    await desk.dispatcher.send_due()
    assert desk.outbox(number).state is OutboxState.IN_DOUBT
