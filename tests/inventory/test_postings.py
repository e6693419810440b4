"""Differences between two stands of a line are posted once, in the right bucket, at the right place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.inventory.postings import Expected, count, damage, line_changes, postings, purchase_changes
from hub.orders.wanted import NONE, Wanted
from hub.ports.store import Bucket, Position

PARTS = (("MUG", "east", 2), ("BOX", "east", 1))


def totals(changes: list[tuple[str, str, str, Bucket, int]]) -> dict[tuple[str, str, str], int]:
    sums: dict[tuple[str, str, str], int] = {}
    for _, sku, location, bucket, delta in changes:
        key = (sku, location, bucket.value)
        sums[key] = sums.get(key, 0) + delta
    return {key: units for key, units in sums.items() if units}


def test_a_fall_of_the_reservation_is_shipping_first_then_cancelling() -> None:
    """Three held, two leave, one is cancelled: each is named for what it is, kits in units of their parts."""
    changes = line_changes(PARTS, Wanted(3), Wanted(0, {"": 2}))
    reserved = {(one.reason, one.sku): one.delta for one in changes if one.bucket is Bucket.RESERVED}
    assert reserved == {
        ("shipped", "MUG"): -4,
        ("shipped", "BOX"): -2,
        ("cancelled", "MUG"): -2,
        ("cancelled", "BOX"): -1,
    }
    assert totals(changes)["MUG", "east", "on_hand"] == -4


places = st.dictionaries(st.sampled_from(["", "east", "west"]), st.integers(1, 5), max_size=3)
stands = st.builds(Wanted, st.integers(0, 9), places, places, places)


@given(stands, stands, stands)
def test_changes_compose(first: Wanted, second: Wanted, third: Wanted) -> None:
    """Going over any stand in between posts the same totals as going directly; going back undoes all."""
    parts = PARTS[:1]
    direct = totals(line_changes(parts, first, third))
    stepwise = totals(line_changes(parts, first, second) + line_changes(parts, second, third))
    assert direct == stepwise
    assert totals(line_changes(parts, first, second) + line_changes(parts, second, first)) == {}
    assert line_changes(parts, first, first) == []


def test_rows_of_one_event_have_one_key_each() -> None:
    """Two lines of one SKU in one order add up: the key (event, SKU, location, bucket) stays unique."""
    changes = line_changes(PARTS, NONE, Wanted(1)) + line_changes(PARTS, NONE, Wanted(4, {"": 1}))
    rows = postings("order:shop:1:1", "ord_1", 5, changes, Position)
    keys = [(row.event, row.sku, row.location, row.bucket) for row in rows]
    assert len(keys) == len(set(keys))
    assert {(row.event, row.sku, row.delta) for row in rows if row.bucket is Bucket.RESERVED} == {
        ("order:shop:1:1/placed", "MUG", 10),
        ("order:shop:1:1/placed", "BOX", 5),
    }


def test_a_count_moves_the_position_to_what_was_counted_plus_what_moved_since() -> None:
    """As of its time; an older count is ignored, an equal one is silent, the first one is always kept."""
    row = count("report:1", "", Position("MUG", "east", 10), 7, 100, -2)
    assert row is not None
    assert (row.delta, row.counted, row.effective_at) == (-5, True, 100)
    counted = Position("MUG", "east", 5, counted_at=100)
    assert count("report:2", "", counted, 9, 99, 0) is None
    assert count("report:3", "", counted, 5, 200, 0) is None
    assert count("report:4", "", Position("MUG", "east"), 0, 1, 0) is not None


def test_what_is_in_the_count_already_is_written_without_effect() -> None:
    """A movement from before the count stands beside its opposite; one from after it counts."""
    changes = line_changes(PARTS[:1], Wanted(1), Wanted(0, {"": 1}))
    counted = Position("MUG", "east", 5, counted_at=100)
    for moment, effect in ((100, 0), (101, -2)):
        rows = postings("e", "", moment, changes, lambda _sku, _place: counted)
        assert sum(row.delta for row in rows if row.bucket is Bucket.ON_HAND) == effect
        assert sum(row.delta for row in rows if row.bucket is Bucket.RESERVED) == -2
        assert len({(row.event, row.bucket) for row in rows}) == len(rows)


def test_purchases_arrive_out_of_what_was_promised() -> None:
    """Acknowledged becomes incoming, received moves it on hand, more than promised is simply there."""
    none, promised = Expected(), Expected(10)
    assert totals(purchase_changes("MUG", "east", none, promised)) == {("MUG", "east", "incoming"): 10}
    some = purchase_changes("MUG", "east", promised, Expected(10, 4))
    assert totals(some) == {("MUG", "east", "incoming"): -4, ("MUG", "east", "on_hand"): 4}
    over = purchase_changes("MUG", "east", Expected(10, 4), Expected(10, 12))
    assert totals(over) == {("MUG", "east", "incoming"): -6, ("MUG", "east", "on_hand"): 8}
    fewer = purchase_changes("MUG", "east", promised, Expected(6))
    assert [(one.reason, one.delta) for one in fewer] == [("acknowledged", -4)]
    assert totals(damage("MUG", "east", 3)) == {("MUG", "east", "on_hand"): -3, ("MUG", "east", "quarantine"): 3}
