"""Calls are spent where they matter, never beyond the vendor's quota, and over restarts."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sdk.errors import RateLimited, Transient
from connectors.sdk.manifest import Capability, TrackQuota
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.parcels import ParcelAsked, ParcelRow
from hub.ports.store import WriteSet
from hub.services.askers import askers
from hub.services.asking import close_old
from hub.services.moments import micros
from hub.services.parcel_rows import seen_of
from tests.support.parcels import NOW, Tracked, shipped
from tests.support.scans import scan
from tests.support.stores import Bench, opened
from tests.support.toy_carrier import AskingDesk, carrier_manifest

HOUR = 3_600.0
DAY = 24 * HOUR
HOURLY = TrackQuota(20, HOUR)


def number(place: int) -> str:
    return f"1Z879E9303{place:08d}"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(f"sqlite:///{tmp_path}/hub.db") as found:
        found.clock.advance(max(0, NOW - found.now) / 1_000_000)
        yield found


async def parcels(bench: Bench, count: int, milestone: str | None = "in_transit") -> Tracked:
    hub = Tracked(bench.store)
    for place in range(count):
        await hub.tell(shipped(f"s{place}", f"{place}", number(place), on="2026-11-19"))
        if milestone is not None:
            await hub.tell(scan(milestone, "2026-11-20T10:00:00Z", tracking_number=number(place)))
    return hub


async def test_a_quota_holds_over_restarts_and_keeps_some_for_trouble(bench: Bench) -> None:
    """Twenty calls an hour, whoever asks: fifteen for what moves, the last five for what is in trouble."""
    hub = await parcels(bench, 60)
    desk = AskingDesk(bench, quota=HOURLY)
    bench.clock.advance(6 * HOUR)
    for _ in range(20):
        await desk.asker.ask_due()
    assert len(desk.carrier.asked) == 15
    late = number(59)
    await hub.tell(scan("out_for_delivery", "2026-11-20T12:00:00Z", tracking_number=late))
    bench.clock.advance(50 * 60)
    await desk.asker.ask_due()
    assert desk.carrier.asked[15] == (late,)
    begun = bench.clock.monotonic()
    while bench.clock.monotonic() - begun < 5 * HOUR:
        bench.clock.advance(60)
        await desk.asker.ask_due()
    assert len(desk.carrier.asked) <= 16 + 6 * 20


async def test_what_matters_is_asked_first(bench: Bench) -> None:
    """Out for delivery, in trouble and due today before what merely moves; then whatever waits longest."""
    hub = await parcels(bench, 6)
    told = {"tracking_number": number(4), "estimated_delivery": "2026-11-20"}
    await hub.tell(scan("in_transit", "2026-11-20T11:00:00Z", **told))
    await hub.tell(scan("out_for_delivery", "2026-11-20T11:00:00Z", tracking_number=number(2)))
    await hub.tell(scan(None, "2026-11-20T11:00:00Z", tracking_number=number(5), condition="damaged", code_raw="D"))
    desk = AskingDesk(bench)
    bench.clock.advance(8 * HOUR)
    await desk.asker.ask_due()
    assert {each[0] for each in desk.carrier.asked[:3]} == {number(2), number(4), number(5)}


async def test_orphans_and_ended_parcels_cost_no_call(bench: Bench) -> None:
    """Nobody asks about a parcel that is none of ours; a delivery is asked about once more, then never."""
    hub = await parcels(bench, 1, "delivered")
    await hub.tell(scan("in_transit", "2026-11-20T10:00:00Z", tracking_number=number(7)))
    desk = AskingDesk(bench)
    bench.clock.advance(1.5 * DAY)
    for _ in range(3):
        await desk.asker.ask_due()
        bench.clock.advance(DAY)
    assert desk.carrier.asked == [(number(0),)]
    assert (await hub.parcel(number(0))).closed == "delivered"


async def test_a_number_nobody_knows_is_asked_less_and_less_and_then_no_more(bench: Bench) -> None:
    """Every two hours at first, twice a day later, and after ten days never; its scan opens it again."""
    hub = await parcels(bench, 1, None)
    desk = AskingDesk(bench)
    for _ in range(15 * 24):
        await desk.asker.ask_due()
        bench.clock.advance(HOUR)
    assert 20 <= len(desk.carrier.asked) <= 30
    assert (await hub.parcel(number(0))).closed == "not_found"
    await hub.tell(scan("in_transit", "2026-12-05T09:00:00Z", tracking_number=number(0)))
    assert (await hub.parcel(number(0))).closed == ""


async def test_pushes_come_first_and_asking_only_reconciles(bench: Bench) -> None:
    """A parcel that is told of by webhook is asked about once a day, one that is not every few hours."""
    hub = await parcels(bench, 2)
    await hub.tell(scan("in_transit", "2026-11-20T11:00:00Z", tracking_number=number(0)), origin="webhook")
    desk = AskingDesk(bench)
    for _ in range(26):
        await desk.asker.ask_due()
        bench.clock.advance(HOUR)
    asked = [each[0] for each in desk.carrier.asked]
    assert asked.count(number(0)) == 1
    assert asked.count(number(1)) >= 4


async def test_a_batch_the_vendor_refuses_is_asked_one_by_one(bench: Bench) -> None:
    """One bad number costs its batch nothing but a second call, and is left alone until tomorrow."""
    hub = await parcels(bench, 4)
    desk = AskingDesk(bench, track_batch_max=30)
    desk.carrier.bad = {number(2)}
    bench.clock.advance(6 * HOUR)
    done = await desk.asker.ask_due()
    assert (done.calls, done.answers) == (5, 3)
    assert (await hub.parcel(number(2))).poll_at == bench.now + round(DAY * 1_000_000)
    await desk.asker.ask_due()
    assert len(desk.carrier.asked) == 5


@pytest.mark.parametrize("error", [RateLimited("slow", retry_after_s=60.0), Transient("down")])
async def test_a_refusal_of_the_account_stops_the_round_and_loses_nothing(bench: Bench, error: Exception) -> None:
    """What was not answered stays due; the next round asks again."""
    await parcels(bench, 3)
    desk = AskingDesk(bench)
    desk.carrier.faults = deque([error])  # type: ignore[list-item]
    bench.clock.advance(6 * HOUR)
    done = await desk.asker.ask_due()
    assert (done.calls, done.answers) == (1, 0)
    bench.clock.advance(120)
    assert (await desk.asker.ask_due()).answers == 3


async def test_a_crash_in_the_middle_of_a_call_never_spends_twice(bench: Bench) -> None:
    """The call is counted before it is made; the parcel stays due and is asked about after the restart."""
    await parcels(bench, 1)
    desk = AskingDesk(bench, quota=TrackQuota(10, DAY))
    desk.carrier.faults = deque([asyncio.CancelledError()])  # type: ignore[list-item]
    bench.clock.advance(6 * HOUR)
    with pytest.raises(asyncio.CancelledError):
        await desk.asker.ask_due()
    done = await desk.asker.ask_due()
    assert (done.calls, done.left) == (1, 8)
    (counts,) = await bench.queries.parcel_counts()
    assert counts.due == 0


async def test_a_round_reads_no_more_parcels_than_fit_however_large_the_quota(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand calls a day of thirty numbers: what waits is read in parts, and all of it is asked about."""
    await parcels(bench, 40)
    desk = AskingDesk(bench, quota=TrackQuota(100_000, DAY), track_batch_max=30)
    read, limits = bench.queries.parcels_to_ask, []

    async def noted(carriers: Collection[str], limit: int) -> Sequence[ParcelRow]:
        limits.append(limit)
        return await read(carriers, limit)

    monkeypatch.setattr(bench.queries, "parcels_to_ask", noted)
    bench.clock.advance(6 * HOUR)
    done = await desk.asker.ask_due()
    assert (done.calls, done.parcels) == (2, 40)
    assert max(limits) <= 10_000


async def test_watches_are_asked_for_once_and_renewed_in_time(bench: Bench) -> None:
    """All at once, again before the fortnight ends, and never for a number the vendor cannot watch."""
    hub = await parcels(bench, 3)
    desk = AskingDesk(bench)
    desk.carrier.watch_life = timedelta(days=14)
    desk.carrier.bad = {number(1)}
    for _ in range(3):
        await desk.watcher.watch_due()
    assert len(desk.carrier.watched) == 1
    for _ in range(13):
        bench.clock.advance(DAY)
        await desk.watcher.watch_due()
    assert [len(each) for each in desk.carrier.watched] == [3, 2]
    assert (await hub.parcel(number(0))).watched_until is not None


async def test_parcels_past_every_memory_are_closed(bench: Bench) -> None:
    """After 120 days nothing is asked and nothing is open."""
    await parcels(bench, 2)
    assert await close_old(bench.store, bench.queries, bench.now) == 0
    bench.clock.advance(125 * DAY)
    assert await close_old(bench.store, bench.queries, bench.now) == 2
    assert await bench.queries.parcel_counts() == []


def test_a_carriers_own_account_comes_before_one_that_asks_all() -> None:
    """By carrier, then by company, then an aggregator; an account that may not call leaves its share to others."""
    plans = {
        name: AccountPlan(name, "toy", carrier_manifest(track_carriers=of), Mode.LIVE, AvailabilityPolicy(()))
        for name, of in (("agg", ()), ("ups-main", ("ups",)), ("usps-main", ("usps",)))
    }
    carriers = ["ups", "ups_mail_innovations", "dhl_express", ""]
    assert askers(plans, carriers) == {"ups": "ups-main", "ups_mail_innovations": "ups-main", "dhl_express": "agg"}
    assert askers(plans, carriers, able=lambda name: name != "ups-main")["ups"] == "agg"
    del plans["agg"]
    assert "dhl_express" not in askers(plans, carriers)
    assert askers(plans, ["usps"], Capability.WATCH) == {"usps": "usps-main"}


async def test_what_is_put_off_makes_room_for_what_is_due(bench: Bench) -> None:
    """Parcels watched since they were asked about are due a day later; those behind them are asked now."""
    hub = await parcels(bench, 10)
    desk = AskingDesk(bench, quota=HOURLY)
    bench.clock.advance(6 * HOUR)
    for _ in range(2):
        await desk.asker.ask_due()
    until = bench.now + round(14 * DAY * 1_000_000)
    for (name,) in desk.carrier.asked[:5]:
        row = await hub.parcel(name)
        await bench.write(WriteSet(asked=[ParcelAsked(row.id, watched_until=until)]))
    bench.clock.advance(5 * HOUR + 60)
    await desk.asker.ask_due()
    assert desk.carrier.asked[10:] == desk.carrier.asked[5:10]


async def test_nobody_asks_to_be_told_of_a_parcel_that_is_closed(bench: Bench) -> None:
    """A watch that ends after its parcel was given up is not renewed."""
    await parcels(bench, 2)
    desk = AskingDesk(bench)
    desk.carrier.watch_life = timedelta(days=14)
    await desk.watcher.watch_due()
    bench.clock.advance(125 * DAY)
    await close_old(bench.store, bench.queries, bench.now)
    await desk.watcher.watch_due()
    assert [len(each) for each in desk.carrier.watched] == [2]


@pytest.mark.parametrize(
    ("stated", "at"),
    [
        ("2026-11-21T04:00:00Z", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
def test_a_parcel_is_due_on_the_day_it_is_there(stated: str, at: datetime) -> None:
    """By eight in the evening in Los Angeles is today there, although it is tomorrow in Greenwich."""
    state = json.dumps({"estimated_delivery": stated, "offset_min": -480})
    row = ParcelRow("p", number(0), 0, "ups", "", 0, "in_transit", expected_at=micros(at), state=state)
    assert seen_of(row, NOW).expected_on == date(2026, 11, 20)
