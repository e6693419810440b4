"""Stock stated by others corrects the position where it may, and proves or questions numbers elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.orders.facts import StockFacts
from hub.ports.accounts import AvailabilityPolicy
from hub.ports.store import InboxState, LevelState, StoreConflict
from hub.services.extract import facts_of
from hub.services.interpreted import Interpreted, Refusal
from hub.services.moments import happened, micros
from tests.support.memory_store import MemoryStore
from tests.support.orders import Hub, at, document, facts, line, manifest, order, plan, report, shipment


def counting(**changes: object) -> Hub:
    return Hub(plan(stock_source=True, **changes))


async def test_a_count_is_correct_as_of_its_time() -> None:
    """on hand := counted + what moved after the count, whichever arrives first."""
    for count_first in (True, False):
        hub = counting()
        hub.stock("MUG", 10)
        await hub.deliver(order("1", [line("a", "MUG", 2)]))
        steps = [report("r", [{"sku": "MUG", "on_hand": 20}], at=5), shipment("s", "1", [("a", 2)], version=7)]
        for step in steps if count_first else reversed(steps):
            await hub.deliver(step)
        assert hub.buckets("MUG") == (18, 0, 0)
        assert hub.store.differences() == []


async def test_an_older_count_never_overwrites_a_newer_one() -> None:
    """Counts arriving out of order leave the newest standing; the same count twice changes nothing."""
    hub = counting()
    hub.stock("MUG", 10)
    await hub.deliver(report("r2", [{"sku": "MUG", "on_hand": 7}], at=9))
    await hub.deliver(report("r1", [{"sku": "MUG", "on_hand": 12}], at=5))
    await hub.deliver(report("r2", [{"sku": "MUG", "on_hand": 7}], at=9))
    assert hub.buckets("MUG") == (7, 0, 0)


async def test_a_count_and_a_later_equal_correction_both_apply() -> None:
    """Two counts with the same number at different times are two facts (no key made from a quantity)."""
    hub = counting()
    hub.stock("MUG", 10)
    for moment, counted in ((2, 5), (4, 8), (6, 5)):
        await hub.deliver(report(f"r{moment}", [{"sku": "MUG", "on_hand": counted}], at=moment))
    assert hub.buckets("MUG") == (5, 0, 0)


async def test_lots_add_up_and_two_views_of_one_pile_do_not() -> None:
    """Lines of one item are lots; different items of one SKU show the same units."""
    hub = counting()
    hub.stock("MUG", 0)
    await hub.deliver(report("r1", [{"sku": "MUG", "on_hand": 4}, {"sku": "MUG", "on_hand": 6}], at=2))
    assert hub.buckets("MUG") == (10, 0, 0)
    views = [{"sku": "MUG", "item_id": "i1", "on_hand": 9}, {"sku": "MUG", "item_id": "i2", "on_hand": 8}]
    await hub.deliver(report("r2", views, at=3))
    assert hub.buckets("MUG") == (8, 0, 0)


async def test_untracked_and_unmapped_are_not_zero() -> None:
    """A null level and an unknown location correct nothing."""
    hub = counting()
    hub.stock("MUG", 10)
    await hub.deliver(report("r1", [{"sku": "MUG"}], at=2))
    await hub.deliver(report("r2", [{"sku": "MUG", "on_hand": 0}], at=3, location=None, location_raw="L9"))
    assert hub.buckets("MUG") == (10, 0, 0)


async def listed(hub: Hub, sent: int) -> tuple[str, str, str]:
    await hub.deliver(document("listing", "p1", listing_id="p1", item_id="i1", channel_sku="MUG", state="active"))
    key = ("shop", "i1", "L1")
    level = hub.store.tables.levels[key]
    hub.store.tables.levels[key] = replace(
        level, state=LevelState.ACCEPTED, sent_seq=level.dirty_seq, sent_quantity=sent, sent_at=at(3)
    )
    return key


async def test_our_own_number_coming_back_is_verification() -> None:
    """An echo is recognised by its value and verifies the push; it never corrects stock."""
    hub = counting()
    hub.stock("MUG", 10)
    key = await listed(hub, sent=10)
    await hub.deliver(report("r1", [{"item_id": "i1", "available": 10, "on_hand": 10}], at=4))
    level = hub.store.tables.levels[key]
    assert (level.state, level.verified_quantity) == (LevelState.VERIFIED, 10)
    assert hub.buckets("MUG") == (10, 0, 0)


async def test_a_sellers_new_count_is_taken_over_not_overwritten() -> None:
    """Where the account counts stock, another number waits for the reading that says what is on hand."""
    hub = counting()
    hub.stock("MUG", 10)
    hub.plans["other"] = plan("other")
    await hub.deliver(order("1", [line("a", "MUG", 2)], account="other"), account="other")
    key = await listed(hub, sent=8)
    await hub.deliver(report("r1", [{"item_id": "i1", "available": 8, "on_hand": 8}], at=4))
    await hub.deliver(report("r2", [{"item_id": "i1", "available": 50}], at=5))
    level = hub.store.tables.levels[key]
    assert (level.state, level.shown_quantity) == (LevelState.VERIFIED, 8)
    await hub.deliver(report("r3", [{"item_id": "i1", "available": 50, "on_hand": 50}], at=6))
    assert hub.buckets("MUG") == (52, 2, 0)
    assert hub.store.tables.levels[key].dirty_seq > hub.store.tables.levels[key].sent_seq


async def test_another_number_is_looked_at_again_not_overwritten() -> None:
    """A shop that just sold shows less than it was sent: its order gets time, then it is read back."""
    hub = Hub(plan(policy=AvailabilityPolicy(("east",), buffer=2)))
    hub.stock("MUG", 10)
    key = await listed(hub, sent=8)
    await hub.deliver(report("r1", [{"item_id": "i1", "available": 8}], at=4))
    await hub.deliver(report("r0", [{"item_id": "i1", "available": 3}], at=2))
    assert hub.store.tables.levels[key].state is LevelState.VERIFIED
    await hub.deliver(report("r2", [{"item_id": "i1", "available": 7}], at=5))
    level = hub.store.tables.levels[key]
    assert (level.state, level.shown_quantity) == (LevelState.ACCEPTED, 7)
    assert level.dirty_seq == level.sent_seq
    assert hub.buckets("MUG") == (10, 0, 0)


async def test_a_number_turned_dirty_beside_its_report_is_due_at_once() -> None:
    """An order and the report of what it took, applied together: publishing does not wait for a second look."""
    hub = Hub(plan(policy=AvailabilityPolicy(("east",), buffer=2)))
    hub.stock("MUG", 10)
    key = await listed(hub, sent=8)
    await hub.deliver(report("r1", [{"item_id": "i1", "available": 8}], at=4))
    sale, shown = order("1", [line("a", "MUG", 1)]), report("r2", [{"item_id": "i1", "available": 7}], at=5)
    outcome = await hub.deliver_each([[shown], [sale]])
    level = hub.store.tables.levels[key]
    assert level.dirty_seq > level.sent_seq
    assert level.due_at <= hub.clock
    assert level.shown_quantity == 7
    assert len(outcome.lags_s) == 2


async def test_what_was_known_already_is_not_late() -> None:
    """An order read again by an overlapping poll says nothing about how long news take."""
    hub = Hub()
    hub.stock("MUG", 10)
    sale = order("1", [line("a", "MUG", 1)])
    assert len((await hub.deliver(sale)).lags_s) == 1
    assert (await hub.deliver(sale)).lags_s == []


async def test_an_old_offer_read_for_the_first_time_is_not_late() -> None:
    """A listing is dated by the offer: its age is no lag, also where the number it shows is news."""
    hub = Hub()
    hub.stock("MUG", 10)
    old = document("listing", "l1", listing_id="l1", channel_sku="MUG", state="active", fulfilled_by="merchant")
    outcome = await hub.deliver(old)
    assert (outcome.applied, outcome.lags_s) == (1, [])
    assert hub.store.tables.lags == {}


async def test_without_a_reading_another_number_is_drift() -> None:
    """A channel that cannot be read back gets its number again after a grace period."""
    hub = Hub(plan(manifest=manifest(capabilities=frozenset())))
    hub.stock("MUG", 10)
    key = await listed(hub, sent=10)
    await hub.deliver(report("r1", [{"item_id": "i1", "available": 10}], at=4))
    outcome = await hub.deliver(report("r2", [{"item_id": "i1", "available": 7}], at=5))
    level = hub.store.tables.levels[key]
    assert level.state is LevelState.DRIFTED
    assert level.dirty_seq > level.sent_seq
    assert level.due_at > hub.clock
    assert outcome.drifted == {"shop": 3}


async def test_a_shop_that_counts_and_is_published_to_gets_other_channels_units_on_top() -> None:
    """What such a shop calls on hand lacks the units other channels hold; buffered shops correct nothing."""
    for buffer, expected in ((0, 16), (2, 10)):
        policy = AvailabilityPolicy(("east",), buffer=buffer)
        hub = Hub(plan(stock_source=True, policy=policy), plan("other", locations={}))
        hub.stock("MUG", 10)
        await hub.deliver(order("9", [line("a", "MUG", 1)], account="other"), account="other")
        await listed(hub, sent=9)
        await hub.deliver(report("r1", [{"item_id": "i1", "available": 9, "on_hand": 9}], at=4))
        await hub.deliver(report("r2", [{"item_id": "i1", "available": 15, "on_hand": 15}], at=5))
        assert hub.buckets("MUG")[0] == expected


async def test_a_listing_brings_held_orders_back() -> None:
    """A listing for an unknown SKU settles the orders that waited for it, and only then is done."""
    hub = Hub()
    hub.stock("OURS", 5, aliases=(("shop", "CH-1"),))
    hub.store.tables.catalogue.clear()
    await hub.deliver(order("1", [line("a", "CH-1", 2)]))
    assert hub.row("1").holds == ("unknown-sku",)
    hub.store.seed_sku("OURS", aliases=(("shop", "CH-1"),))
    await hub.deliver(document("listing", "p1", listing_id="p1", channel_sku="CH-1", state="active"))
    assert hub.row("1").holds == ()
    assert hub.buckets("OURS") == (5, 2, 0)
    assert all(row.state is InboxState.DONE for row in hub.store.tables.inbox.values())


async def test_a_movement_is_posted_once_and_its_new_version_by_the_difference() -> None:
    """Warehouse documents are idempotent by their own id."""
    hub = Hub()
    hub.stock("MUG", 10)
    change = [{"sku": "MUG", "bucket": "on_hand", "delta": -3, "reason": "damaged"}]
    moved = {"sku": "MUG", "bucket": "quarantine", "delta": 3, "reason": "damaged"}
    for version, lines in ((1, change), (1, change), (2, [*change, moved])):
        await hub.deliver(document("stock_movement", "m1", version=version, location="east", lines=lines))
    assert hub.buckets("MUG") == (7, 0, 3)
    receipt = document(
        "warehouse_receipt", "w1", number="W1", location="east",
        lines=[{"channel_sku": "MUG", "quantity": 5, "damaged_quantity": 1}],
    )  # fmt: skip
    await hub.deliver(receipt)
    await hub.deliver(receipt)
    assert hub.buckets("MUG") == (12, 0, 4)


async def test_what_cannot_be_placed_is_parked_whole() -> None:
    """A movement of an unknown SKU or place posts nothing and names what to mend; neighbours go on."""
    hub = Hub()
    hub.stock("MUG", 10)
    bad = [{"sku": "MUG", "bucket": "on_hand", "delta": 1}, {"sku": "NOPE", "bucket": "on_hand", "delta": 1}]
    good = [{"sku": "MUG", "bucket": "on_hand", "delta": 5}]
    outcome = await hub.deliver_each(
        [
            [document("stock_movement", "m1", location="east", lines=bad)],
            [document("stock_movement", "m2", location="east", lines=good)],
            [document("stock_movement", "m3", location="moon", lines=good)],
        ]
    )
    assert hub.buckets("MUG") == (15, 0, 0)
    assert sorted(error for _, error, _ in outcome.failures) == ["UnknownLocation", "UnknownSku"]
    states = [row.state for row in hub.store.tables.inbox.values()]
    assert states == [InboxState.FAILED, InboxState.DONE, InboxState.FAILED]


class Faulty(MemoryStore):
    """Fails every unit that writes the order named."""

    def __init__(self, error: Exception, poison: str) -> None:
        super().__init__(lambda: at(1000))
        self.error = error
        self.poison = poison

    def _write(self, writes: object) -> None:
        if any(row.source_id == self.poison for row in writes.orders):  # type: ignore[attr-defined]
            raise self.error
        super()._write(writes)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [TypeError("a bug"), LookupError("gone"), StoreConflict("moving")])
async def test_one_bad_input_never_blocks_its_neighbours(error: Exception) -> None:
    """A failing batch is applied one by one; the culprit alone is parked or tried later."""
    hub = Hub()
    hub.store = Faulty(error, "2")
    hub.apply._store = hub.store
    hub.stock("MUG", 10)
    await hub.deliver_each([[order(str(number), [line("a", "MUG", 1)])] for number in (1, 2, 3)])
    assert hub.buckets("MUG") == (10, 2, 0)
    states = [row.state for row in hub.store.tables.inbox.values()]
    later = InboxState.PENDING if isinstance(error, StoreConflict) else InboxState.FAILED
    assert states == [InboxState.DONE, later, InboxState.DONE]


async def test_a_refused_input_is_parked_and_its_replay_ends_the_failure() -> None:
    """A mapping error is a failure with its path; the same input applied later resolves it."""
    hub = Hub()
    hub.stock("MUG", 10)
    item = await hub.item()
    refusal = Refusal("MappingError", "missing", "lines[2].quantity", "no quantity")
    await hub.apply.apply([(item, Interpreted(item.seq, refusal=refusal))])
    (failure,) = hub.store.tables.failures.values()
    assert (failure.path, failure.reference, failure.state.value) == ("lines[2].quantity", str(item.seq), "open")
    again = replace(item, attempts=1)
    done = Interpreted(item.seq, facts([order("1", [line("a", "MUG", 1)])], "shop"))
    await hub.apply.apply([(again, done)])
    (failure,) = hub.store.tables.failures.values()
    assert failure.state.value == "resolved"


async def test_location_ids_match_bare_and_as_uri() -> None:
    """A listing everywhere has one row per mapped place; a report naming the bare id meets the right one."""
    places = {"gid://x/Location/1": "east", "gid://x/Location/2": "east"}
    hub = Hub(plan(locations=places))
    hub.stock("MUG", 10)
    await hub.deliver(document("listing", "p1", listing_id="i1", item_id="i1", channel_sku="MUG"))
    assert {key[2] for key in hub.store.tables.levels} == set(places)
    key = ("shop", "i1", "gid://x/Location/2")
    for one in places:
        level = hub.store.tables.levels["shop", "i1", one]
        hub.store.tables.levels["shop", "i1", one] = replace(
            level, state=LevelState.ACCEPTED, sent_seq=level.dirty_seq, sent_quantity=5, sent_at=at(3)
        )
    await hub.deliver(report("r1", [{"item_id": "i1", "available": 5}], at=4, location_raw="2"))
    verified = [one for one, level in hub.store.tables.levels.items() if level.state is LevelState.VERIFIED]
    assert verified == [key]


async def test_the_channels_own_warehouse_never_replaces_our_offer() -> None:
    """An SKU sold both ways has two rows, and only the merchant's gets a number."""
    hub = Hub(plan(locations={}))
    hub.stock("MUG", 10)
    await hub.deliver(document("listing", "a", listing_id="MUG", channel_sku="MUG", location_raw="node-1"))
    await hub.deliver(
        document("listing", "b", listing_id="MUG", channel_sku="MUG", location_raw="THEIRS", fulfilled_by="channel")
    )
    assert set(hub.store.tables.listings) == {("shop", "MUG", ""), ("shop", "MUG", "THEIRS")}
    assert set(hub.store.tables.levels) == {("shop", "MUG", "")}


async def test_a_mere_date_takes_effect_when_it_was_told_and_not_before_a_count_of_that_day() -> None:
    """What left on the day of a count, told without an hour, is not swallowed by the count; an older date stays old."""
    told = micros(datetime(2026, 11, 21, 17, 40, tzinfo=UTC))
    day = happened(date(2026, 11, 21), told)
    counted = micros(datetime(2026, 11, 21, 17, 33, tzinfo=UTC))
    assert day == told > counted
    assert happened(date(2026, 11, 1), told) == micros(datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert happened(datetime(2026, 11, 21, 8, tzinfo=UTC), told) == micros(datetime(2026, 11, 21, 8, tzinfo=UTC))
    assert happened(None, told) is None


async def test_a_count_that_states_no_hour_is_of_the_moment_it_was_told() -> None:
    """A snapshot dated by its day holds what moved earlier that day: neither a sale nor a delivery counts twice."""
    hub = counting()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    await hub.deliver(shipment("s", "1", [("a", 2)], version=7))
    arrived = [{"sku": "MUG", "bucket": "on_hand", "delta": 30, "reason": "received"}]
    await hub.deliver(document("stock_movement", "m", version=8, location="east", lines=arrived))
    counted = report("r", [{"sku": "MUG", "on_hand": 38}], at=9, as_of="2026-11-20")
    told = facts_of(counted, "shop", at(9))
    assert told is not None
    item = await hub.item()
    await hub.apply.apply([(item, Interpreted(item.seq, (told,)))])
    assert hub.buckets("MUG") == (38, 0, 0)


async def test_what_is_dated_by_its_file_alone_is_of_the_moment_it_was_told() -> None:
    """A movement without a day of its own, in a file that states no hour, is not of the first moment of that day."""
    moved = document("stock_movement", "m", location="east", lines=[{"sku": "MUG", "bucket": "on_hand", "delta": 1}])
    dated = moved.model_copy(update={"source": moved.source.model_copy(update={"occurred_at": date(2026, 11, 20)})})
    told = facts_of(dated, "shop", at(9))
    assert isinstance(told, StockFacts)
    assert told.document.occurred_at == at(9)


async def test_a_count_from_a_clock_that_is_hours_ahead_swallows_nothing() -> None:
    """A place that states its time in the wrong zone: what leaves after its count was heard still leaves."""
    hub = counting()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    await hub.deliver(report("r", [{"sku": "MUG", "on_hand": 12}], at=1000 + 5 * 60))
    assert hub.buckets("MUG") == (12, 2, 0)
    hub.clock = at(1060)
    await hub.deliver(shipment("s", "1", [("a", 2)], version=1059))
    assert hub.buckets("MUG") == (10, 0, 0)


async def test_a_kit_is_taken_in_by_its_components() -> None:
    """Nothing sells from a kit's own stock: goods named by it are parked, not put where nobody finds them."""
    hub = Hub()
    for sku in ("MUG", "BOX"):
        hub.stock(sku, 1)
    hub.store.seed_sku("SET", components=(("MUG", 1), ("BOX", 1)))
    lines = [{"channel_sku": "SET", "quantity": 5}]
    outcome = await hub.deliver(document("warehouse_receipt", "w", number="W", location="east", lines=lines))
    assert [code for _, _, code in outcome.failures] == ["kit"]
    assert ("SET", "east") not in hub.store.tables.positions


async def test_a_level_nobody_can_count_is_named_and_the_others_stand() -> None:
    """A snapshot in cases of unknown size: what is counted is corrected, the rest is a failure and not silence."""
    hub = counting()
    for sku in ("MUG", "BOX"):
        hub.stock(sku, 10)
    levels = [{"sku": "MUG", "on_hand": 7}, {"sku": "BOX", "on_hand": "2.5", "uom": "CA"}]
    outcome = await hub.deliver(report("r", levels, at=9))
    assert [code for _, _, code in outcome.failures] == ["unknown_unit"]
    (failure,) = hub.store.tables.failures.values()
    assert failure.message.startswith("2.5 CA of BOX: nobody knows how many that is")
    assert (hub.buckets("MUG")[0], hub.buckets("BOX")[0]) == (7, 10)
