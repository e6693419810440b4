"""A published number is computed when it is sent, told per item, and never older than the last."""

from collections import deque

import pytest

from connectors.sdk.contract import Page
from connectors.sdk.errors import AuthFailed, Conflict, InDoubt, RateLimited, Rejected, TargetMissing, Transient
from hub.ports.accounts import Mode
from hub.ports.store import LevelState, ListingRow, ReadSet, StoreUnavailable, WriteSet
from hub.services import answers, intents
from tests.support.toy_channel import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_due_number_is_sent_and_verified(desk: Desk) -> None:
    """Dirty → sent → accepted → verified by reading; the lag is observed and every call is a row."""
    await desk.list_sku("MUG", 7)
    desk.clock.advance(2.0)
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 7}
    assert desk.level("MUG").state is LevelState.ACCEPTED
    assert desk.telemetry.lags == [("shop", "out", 2.0)]
    await desk.verify_after(3.0)
    level = desk.level("MUG")
    assert (level.state, level.verified_quantity, level.shown_quantity) == (LevelState.VERIFIED, 7, 7)
    assert [(row.kind, row.outcome) for row in desk.store.tables.attempts] == [("publish", "ok"), ("read_back", "ok")]


async def test_a_burst_costs_two_calls_at_most(desk: Desk) -> None:
    """A hundred changes, some while a push is in flight, end in the newest number with two calls."""
    await desk.list_sku("MUG", 100)
    await desk.publish_all()
    desk.vendor.calls.clear()
    for _ in range(60):
        await desk.move("MUG", -1)
    burst = deque([True])

    def sell_more() -> None:
        if burst and burst.popleft():
            for _ in range(40):
                desk.dirty("MUG")

    desk.vendor.on_publish = sell_more
    await desk.publish_all()
    assert desk.vendor.count("publish") <= 2
    assert desk.vendor.shown["MUG"] == 40
    assert desk.level("MUG").dirty_seq == desk.level("MUG").sent_seq


async def test_zeroes_go_first(desk: Desk) -> None:
    """What stops an oversale is at the head of the batch, then what shrinks."""
    for sku, stock in (("MANY", 50), ("LESS", 9), ("NONE", 3)):
        await desk.list_sku(sku, stock)
    await desk.publish_all()
    desk.vendor.pushes.clear()
    await desk.move("MANY", 1)
    await desk.move("LESS", -1)
    await desk.move("NONE", -3)
    await desk.publish_all()
    assert [(item.ref.listing_id, item.quantity, item.urgent) for item in desk.vendor.pushes] == [
        ("NONE", 0, True),
        ("LESS", 8, True),
        ("MANY", 51, False),
    ]


async def test_batches_keep_to_the_vendors_limit(desk: Desk) -> None:
    """Twenty-five listings leave in three calls."""
    for number in range(25):
        await desk.list_sku(f"S{number}", number)
    await desk.publish_all()
    assert desk.vendor.count("publish") == 3
    assert len(desk.vendor.shown) == 25


async def test_one_refused_item_holds_nobody(desk: Desk) -> None:
    """Rejected is parked with its reason; the other nine are accepted in the same call."""
    for number in range(10):
        await desk.list_sku(f"S{number}", 5)
    desk.vendor.item_faults["S3"] = Rejected("not sold here", code="BAD_ITEM")
    desk.vendor.item_faults["S4"] = TargetMissing("no such listing")
    await desk.publish_all()
    assert desk.vendor.count("publish") == 1
    assert len(desk.vendor.shown) == 8
    assert sorted(desk.open_failures()) == [
        ("availability", "S3#", "Rejected"),
        ("availability", "S4#", "TargetMissing"),
    ]
    assert desk.level("S3").state is LevelState.REJECTED


async def test_a_refused_number_is_tried_again_when_it_changes(desk: Desk) -> None:
    """A parked level is not dead: a new position sends it, and success resolves its failure."""
    await desk.list_sku("MUG", 5)
    desk.vendor.item_faults["MUG"] = Rejected("too many")
    await desk.publish_all()
    desk.vendor.item_faults.clear()
    await desk.move("MUG", -1)
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 4}
    assert desk.open_failures() == []


async def test_a_call_refused_as_a_whole_is_split(desk: Desk) -> None:
    """One bad listing that makes the vendor refuse the call is found by halving; the rest is sent."""
    for number in range(8):
        await desk.list_sku(f"S{number}", 5)
    good = desk.vendor.publish

    async def all_or_nothing(items):  # type: ignore[no-untyped-def]
        if any(item.ref.listing_id == "S5" for item in items):
            desk.vendor.calls.append(("publish", 0.0))
            raise Rejected("entry invalid", code="BAD_ENTRY")
        return await good(items)

    desk.vendor.publish = all_or_nothing  # type: ignore[method-assign]
    await desk.publish_all()
    assert sorted(desk.vendor.shown) == [f"S{n}" for n in range(8) if n != 5]
    assert desk.open_failures() == [("availability", "S5#", "Rejected")]
    assert desk.vendor.count("publish") <= 7


async def test_transient_goes_on_the_schedule_with_the_same_key(desk: Desk) -> None:
    """A retry of the same number keeps its key; a retry of another number gets a fresh one."""
    await desk.list_sku("MUG", 5)
    desk.vendor.faults["publish"] = deque([Transient("reset"), Transient("reset"), None])
    await desk.publish_all()
    level = desk.level("MUG")
    assert (level.state, level.attempts) == (LevelState.DIRTY, 1)
    assert (await desk.publisher.publish_due()).done == 0, "nothing is due before its time"
    desk.clock.advance(2.5)
    await desk.publish_all()
    assert desk.vendor.pushes[0].key == desk.vendor.pushes[1].key
    await desk.move("MUG", -1)
    await desk.publish_all()
    assert desk.vendor.pushes[2].key != desk.vendor.pushes[1].key
    assert desk.vendor.shown == {"MUG": 4}


async def test_rate_limited_rests_the_lane_and_burns_nothing(desk: Desk) -> None:
    """Retry-After is obeyed to the second, whatever is due meanwhile."""
    await desk.list_sku("MUG", 5)
    desk.vendor.faults["publish"] = deque([RateLimited("slow down", retry_after_s=40.0)])
    assert (await desk.publisher.publish_due()).wait_s == pytest.approx(40.0)
    desk.clock.advance(39.0)
    await desk.move("MUG", -1)
    await desk.publisher.publish_due()
    assert desk.vendor.count("publish") == 1
    desk.clock.advance(1.0)
    await desk.publish_all()
    assert desk.vendor.count("publish") == 2
    assert desk.vendor.shown == {"MUG": 4}
    assert desk.level("MUG").attempts == 0


async def test_auth_failed_holds_the_account_and_alerts_once(desk: Desk) -> None:
    """Nothing more is asked until the credentials are mended; then everything goes on by itself."""
    await desk.list_sku("MUG", 5)
    await desk.list_sku("CUP", 6)
    desk.vendor.down = AuthFailed("token revoked")
    for _ in range(5):
        await desk.publisher.publish_due()
    assert desk.vendor.count("publish") == 1
    assert desk.accounts.row("shop").held == "credentials: token revoked"
    assert desk.level("MUG").attempts == 0
    desk.vendor.down = None
    await desk.accounts.resume("shop", "alice")
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 5, "CUP": 6}


async def test_conflict_is_read_and_redone_with_a_new_key(desk: Desk) -> None:
    """A stale compare value costs one reading and one more call, in the same round."""
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    await desk.verify_after(3.0)
    desk.vendor.compares = True
    desk.vendor.shown["MUG"] = 4
    await desk.move("MUG", -2)
    first, rows = len(desk.vendor.pushes), len(desk.store.tables.attempts)
    await desk.publish_all()
    assert [row.kind for row in desk.store.tables.attempts[rows:]] == ["publish", "read_back", "publish"]
    stale, redone = desk.vendor.pushes[first:]
    assert (stale.expected, redone.expected) == (5, 4)
    assert stale.key != redone.key
    assert desk.vendor.shown == {"MUG": 3}
    assert desk.level("MUG").state is LevelState.ACCEPTED


async def test_conflict_without_end_is_spaced_out(desk: Desk) -> None:
    """After three redos the schedule takes over: four calls, not a loop."""
    await desk.list_sku("MUG", 5)
    desk.vendor.shown["MUG"] = 1
    desk.vendor.item_faults["MUG"] = Conflict("moved again")
    await desk.publisher.publish_due()
    assert desk.vendor.count("publish") == 4
    level = desk.level("MUG")
    assert (level.state, level.attempts) == (LevelState.DIRTY, 1)
    assert level.due_at > desk.now()


async def test_a_lost_answer_is_harmless(desk: Desk) -> None:
    """The vendor applied it and the answer was lost: the number is absolute, so it is sent again."""
    await desk.list_sku("MUG", 5)

    def applies_and_dies() -> None:
        desk.vendor.shown["MUG"] = desk.vendor.pushes[-1].quantity

    desk.vendor.on_publish = applies_and_dies
    desk.vendor.faults["publish"] = deque([InDoubt("no answer")])
    await desk.publish_all()
    assert desk.level("MUG").attempts == 1
    desk.clock.advance(5.0)
    await desk.publish_all()
    await desk.verify_after(3.0)
    assert desk.level("MUG").state is LevelState.VERIFIED


async def test_a_crash_in_flight_is_found_by_reading(desk: Desk) -> None:
    """The process dies between the call and its note: the level stands as sent and is read back."""
    await desk.list_sku("MUG", 5)

    def dies() -> None:
        desk.store.fail = "power cut"

    desk.vendor.deaf = True
    desk.vendor.on_publish = dies
    with pytest.raises(StoreUnavailable):
        await desk.publisher.publish_due()
    desk.store.fail = None
    desk.vendor.on_publish, desk.vendor.deaf = None, False
    desk.vendor.shown["MUG"] = 99
    assert desk.level("MUG").state is LevelState.SENT
    await desk.verify_after(120.0)
    assert desk.level("MUG").state is LevelState.DRIFTED
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 5}


async def test_a_newer_change_is_never_lost_to_an_older_answer(desk: Desk) -> None:
    """Dirty while a push is in flight stays dirty when its answer comes, whether good or bad."""
    await desk.list_sku("MUG", 5)
    once = deque([True])

    def changes() -> None:
        if once and once.popleft():
            desk.dirty("MUG")

    for fault in (None, Transient("reset"), Rejected("no")):
        await desk.move("MUG", 1)
        once.append(True)
        desk.vendor.on_publish = changes
        desk.vendor.faults["publish"] = deque([fault])
        await desk.publisher.publish_due()
        level = desk.level("MUG")
        assert level.dirty_seq > level.sent_seq, fault
        desk.vendor.on_publish = None
        desk.clock.advance(100.0)
        await desk.publish_all()


async def test_shadow_mode_computes_and_sends_nothing() -> None:
    """The number is recorded; the vendor hears nothing."""
    desk = Desk(mode=Mode.SHADOW)
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    assert desk.vendor.calls == []
    level = desk.level("MUG")
    assert (level.sent_quantity, level.state) == (5, LevelState.NEW)


async def test_paused_sends_nothing_and_catches_up(desk: Desk) -> None:
    """Changes while paused are one push after resuming."""
    await desk.list_sku("MUG", 5)
    await desk.accounts.pause("shop", "alice")
    for _ in range(5):
        await desk.move("MUG", 1)
        assert (await desk.publisher.publish_due()).blocked
    assert desk.vendor.calls == []
    await desk.accounts.resume("shop", "alice")
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 10}
    assert [entry.action for entry in desk.store.tables.audit] == ["account.paused", "account.resumed"]


async def test_what_stands_already_is_read_instead_of_written(desk: Desk) -> None:
    """Equal to what was verified: no write, one reading, because the channel may have sold meanwhile."""
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    await desk.verify_after(3.0)
    await desk.move("MUG", 2)
    await desk.move("MUG", -2)
    await desk.publish_all()
    assert desk.vendor.count("publish") == 1
    desk.vendor.shown["MUG"] = 4
    await desk.verify_after(90.0)
    await desk.publish_all()
    assert desk.vendor.shown == {"MUG": 5}


async def test_an_unmapped_channel_location_gets_no_invented_number(desk: Desk) -> None:
    """A place none of our locations stands behind is left alone and says so."""
    await desk.list_sku("MUG", 5, location="elsewhere")
    await desk.publish_all()
    assert desk.vendor.calls == []
    assert "not mapped" in (desk.level("MUG", "elsewhere").error or "")


async def test_a_sku_whose_stock_nobody_stated_is_not_zeroed(desk: Desk) -> None:
    """A shop that is connected before its stock was counted in keeps its numbers; the first count is published."""
    desk.store.seed_sku("MUG")
    await desk.store.run(ReadSet(), lambda _: WriteSet(listings=[ListingRow("shop", "MUG", "", "MUG", "MUG")]))
    desk.vendor.shown["MUG"] = 12
    await desk.publish_all()
    assert (desk.vendor.calls, desk.vendor.shown) == ([], {"MUG": 12})
    level = desk.level("MUG")
    assert (level.state, level.dirty_seq) == (LevelState.NEW, level.sent_seq)
    assert "nobody has stated" in (level.error or "")
    await desk.move("MUG", 0)
    await desk.publish_all()
    assert (desk.vendor.shown, desk.level("MUG").error) == ({"MUG": 0}, None)


async def test_many_numbers_are_planned_and_noted_part_by_part(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the parts of a round, every number goes out once and has its answer."""
    monkeypatch.setattr(intents, "PART", 3)
    monkeypatch.setattr(answers, "PART", 2)
    for number in range(10):
        await desk.list_sku(f"S{number}", number + 1)
    await desk.publish_all()
    assert desk.vendor.count("publish") == 1
    assert desk.vendor.shown == {f"S{number}": number + 1 for number in range(10)}
    assert {desk.level(f"S{number}").state for number in range(10)} == {LevelState.ACCEPTED}


async def test_an_item_the_answer_forgets_is_sent_again(desk: Desk) -> None:
    """An answer that leaves an item out is no acceptance of it."""
    await desk.list_sku("MUG", 5)
    await desk.list_sku("CUP", 6)
    good = desk.vendor.publish

    async def forgetful(items):  # type: ignore[no-untyped-def]
        return [result for result in await good(items) if result.item.ref.listing_id != "CUP"]

    desk.vendor.publish = forgetful  # type: ignore[method-assign]
    await desk.publisher.publish_due()
    assert desk.level("MUG").state is LevelState.ACCEPTED
    assert desk.level("CUP").state is LevelState.DIRTY


async def test_a_vendor_down_for_an_hour_costs_lag_only(desk: Desk) -> None:
    """Bounded calls while down, no level parked, and everything is caught up afterwards."""
    for number in range(30):
        await desk.list_sku(f"S{number}", 10)
    desk.vendor.down = Transient("connection refused")
    sold = 0
    for second in range(3_600):
        if second % 60 == 0:
            await desk.move(f"S{sold % 30}", -1)
            sold += 1
            await desk.poller.poll("orders")
        await desk.tick()
    assert 3 <= desk.vendor.count("publish") <= 120
    assert desk.vendor.count("fetch") <= 60
    desk.vendor.down = None
    desk.vendor.pages["start"] = Page((), {"at": "start"}, more=False)
    recovery = 0
    while recovery < 900 and not all(row.state is LevelState.VERIFIED for row in desk.store.tables.levels.values()):
        if recovery % 60 == 0:
            await desk.poller.poll("orders")
        await desk.tick()
        recovery += 1
    assert desk.open_failures() == []
    assert sum(number or 0 for number in desk.vendor.shown.values()) == 300 - sold
    assert recovery < 300, "caught up within minutes, not on the next step of the schedule"
