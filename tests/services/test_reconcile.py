"""Second looks find what the first ones missed, and shadowed numbers wake up once."""

from collections import deque
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.sdk.contract import Page
from connectors.sdk.errors import Transient
from hub.ports.accounts import Mode
from hub.ports.store import LevelState, OutboxState
from tests.support.toy_channel import Desk, envelope


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    for number in range(12):
        await desk.list_sku(f"S{number}", 5)
    await desk.publish_all()
    desk.clock.advance(3.0)
    await desk.verifier.verify_due()
    assert all(row.state is LevelState.VERIFIED for row in desk.store.tables.levels.values())
    return desk


async def test_a_sweep_finds_what_changed_behind_our_back(desk: Desk) -> None:
    """Every settled number is compared; a difference is drift, sent again and verified."""
    desk.vendor.shown["S7"] = 55
    desk.clock.advance(3_600.0)
    swept = await desk.reconciler.sweep_levels()
    assert (swept.compared, swept.finished) == (12, True)
    assert desk.telemetry.drifts == [50]
    await desk.publish_all()
    assert desk.vendor.shown["S7"] == 5


async def test_a_sweep_leaves_work_in_flight_alone(desk: Desk) -> None:
    """A level that is due has a push of its own coming; it is not judged."""
    await desk.move("S1", 3)
    swept = await desk.reconciler.sweep_levels()
    assert swept.compared == 11


async def test_a_sweep_stops_when_the_vendor_does_not_answer(desk: Desk) -> None:
    """No answer is no evidence, and no reason to go on asking."""
    desk.vendor.down = Transient("refused")
    swept = await desk.reconciler.sweep_levels()
    assert (swept.compared, swept.finished) == (0, False)
    assert desk.vendor.count("read_back") == 3 + 1


async def test_a_recount_stores_what_was_missed(desk: Desk) -> None:
    """Orders no webhook and no poll has brought are counted and become input."""
    desk.vendor.pages = {
        "start": Page([envelope("o1"), envelope("o2")], {"at": "p2"}, more=True),
        "p2": Page([envelope("o3")], {"at": "end"}, more=False),
        "end": Page([], {"at": "end"}, more=False),
    }
    await desk.poller.poll("orders")
    desk.vendor.pages["p2"] = Page([envelope("o3"), envelope("lost")], {"at": "end"}, more=False)
    counted = await desk.reconciler.recount("orders", timedelta(hours=48))
    assert (counted.seen, counted.missed, counted.finished) == (4, 1, True)
    calls = [row for row in desk.store.tables.attempts if row.kind == "recount_orders"]
    assert [row.outcome for row in calls] == ["ok", "ok"], "every call is a row"
    assert (await desk.reconciler.recount("orders", timedelta(hours=48))).missed == 0


async def test_what_was_taken_up_meanwhile_is_not_made_due(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An effect seen waiting and sent before the outage's end is told of it: it stands as the dispatcher left it."""
    effect = await desk.effect("o1", "a0")
    desk.vendor.faults["send"] = deque([Transient("refused")])
    await desk.dispatcher.send_due()
    seen, _ = await desk.queries.effects(account="shop", state="pending")
    desk.clock.advance(3_600.0)
    (claimed,) = await desk.store.claim_effects("shop", 10)
    assert claimed.id == effect

    async def as_it_was(**_: object) -> tuple[object, None]:
        return [replace(row, due_at=row.due_at + 10**12) for row in seen], None

    monkeypatch.setattr(desk.queries, "effects", as_it_was)
    assert await desk.reconciler.catch_up() == 0
    assert desk.outbox(effect).state is OutboxState.SENDING


async def test_subscriptions_are_mended_and_noted(desk: Desk) -> None:
    """One call, one attempt row, one line per change."""
    changes = await desk.reconciler.heal_subscriptions("https://hub.example.com/webhooks/shop")
    assert changes == ["orders/create -> https://hub.example.com/webhooks/shop"]
    assert desk.store.tables.attempts[-1].kind == "subscribe"


async def test_shadowed_numbers_are_sent_once_the_account_is_live() -> None:
    """What was computed in shadow mode becomes due, computed anew, when the mode changes."""
    desk = Desk(mode=Mode.SHADOW)
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    assert await desk.reconciler.wake_shadowed() == 0
    live = Desk()
    live.store.tables = desk.store.tables
    assert await live.reconciler.wake_shadowed() == 1
    await live.publish_all()
    assert live.vendor.shown == {"MUG": 5}
    assert await live.reconciler.wake_shadowed() == 0


def _restarted(before: Desk, **policy: int) -> Desk:
    """The same hub and channel, started again with another configuration."""
    after = Desk(**policy)
    after.store.tables, after.vendor.shown = before.store.tables, before.vendor.shown
    after.clock.advance(60.0)
    return after


async def test_another_policy_is_told_to_the_channel_without_a_sale(desk: Desk) -> None:
    """After a start with another cap every number is computed anew; one that stays the same is not sent again."""
    assert await desk.reconciler.follow_policy() == 0, "the first start has nothing to compare with"
    capped = _restarted(desk, cap=3)
    assert await capped.reconciler.follow_policy() == 12
    await capped.publish_all()
    assert set(capped.vendor.shown.values()) == {3}
    assert await capped.reconciler.follow_policy() == 0
    capped.clock.advance(10.0)
    await capped.verifier.verify_due()
    same = _restarted(capped, cap=3, minimum=1)
    same.clock.advance(60.0)
    assert await same.reconciler.follow_policy() == 12
    await same.publish_all()
    assert same.vendor.count("publish") == 0
    assert all(row.dirty_seq == row.sent_seq for row in same.store.tables.levels.values())
