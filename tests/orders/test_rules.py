"""Versions, people, tallies and wanted stands, each rule on its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.orders import content, people, tally
from hub.orders.allocation import Need, place
from hub.orders.facts import BY_SKU, SHIPPED, LineFacts, Move
from hub.orders.versions import compare
from hub.orders.wanted import NONE, wanted
from tests.support.orders import plan


@pytest.mark.parametrize(
    ("new", "stored", "expected"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T09:59:59.999Z", 1),
        ("2026-11-20T10:00:00-05:00", "2026-11-20T14:00:00Z", 1),
        ("2026-11-20T10:00:00Z", "2026-11-20T05:00:00-05:00", 0),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00.5Z", -1),
        ("9", "10", -1),
        ("10", "10.0", 0),
        ("18446744073709551617", "18446744073709551616", 1),
        ("", "", 0),
        ("", "5", 1),
        ("x", "2026-11-20", 1),
        ("2026-11-21", "2026-11-20T23:00:00Z", 1),
        ("20261120120000.000000009.0001", "20261120120000.000000010.0001", -1),
        ("20261120120000.0000000REF2.0ME000001", "20261120130000.0000000REF1.0ME000001", -1),
        ("20261120130000.0000000REF1.0ME000001", "20261120120000.0000000REF2.0ME000001", 1),
        ("20261120120000.0000000REF1.0ME000001", "20261120120000.0000000REF2.0ME000001", 1),
    ],
)
def test_versions_compare_by_what_they_are(new: str, stored: str, expected: int) -> None:
    """Instants as instants in any notation, numbers as numbers of any size, files by time; the rest by arrival."""
    assert compare(new, stored) == expected


@given(st.datetimes(), st.datetimes())
def test_instants_are_ordered(one: object, other: object) -> None:
    """Comparing is antisymmetric on instants."""
    a, b = one.isoformat() + "Z", other.isoformat() + "Z"  # type: ignore[attr-defined]
    assert compare(a, b) == -compare(b, a)


FULL = {"name": "Ada Example", "line1": "1 Sample St", "line2": "Flat 2", "city": "Town", "country": "US"}


def merged(stored: object, new: object) -> object:
    found = people.merged(json.dumps({"ship_to": stored}), json.dumps({"ship_to": new}))
    assert found is not None
    return json.loads(found)["ship_to"]


@pytest.mark.parametrize(
    "stripped", [None, {"city": "Town", "country": "US", "line1": None}, {"city": "OTHER"}, {"line1": "1 Sample St"}]
)
def test_a_stripped_copy_changes_nothing(stripped: object) -> None:
    """Part of what is known, or nothing deliverable, never overwrites a fuller address."""
    assert merged(FULL, stripped) == FULL


def test_a_real_change_replaces_and_a_first_copy_is_kept() -> None:
    """A deliverable address replaces the old one whole; contact fields join."""
    moved = {"line1": "9 Other Rd", "city": "Ville", "country": "US"}
    assert merged(FULL, moved) == moved
    assert merged({"city": "Town", "line1": None}, {"country": "US"}) == {
        "city": "Town",
        "line1": None,
        "country": "US",
    }
    buyer = people.merged('{"buyer":{"name":"Ada","phone":"1"}}', '{"buyer":{"name":"Ada B","phone":null}}')
    assert json.loads(buyer or "") == {"buyer": {"name": "Ada B", "phone": "1"}}
    assert people.merged(None, None) is None
    assert people.merged("{}", None) == "{}"


def lines(*rows: tuple[str, str, int]) -> tuple[LineFacts, ...]:
    return tuple(LineFacts(name, sku, units, 0, 0, 0, True, None) for name, sku, units in rows)


def test_moves_that_name_only_a_sku_fill_its_lines_in_order() -> None:
    """A warehouse that knows no line ids still ships the right ones, each up to its quantity."""
    known = lines(("a", "MUG", 2), ("b", "BOX", 1), ("c", "MUG", 2))
    told = tally.with_document(tally.EMPTY, "shipment/1", (Move(BY_SKU + "MUG", SHIPPED, "", 3),))
    sums = tally.told_per_line(told, known)
    assert (sums["a"].shipped, sums["b"].shipped, sums["c"].shipped) == ({"": 2}, {}, {"": 1})


def test_a_tally_survives_storage() -> None:
    """Dump and load are inverse, and an equal tally is an equal text."""
    told = tally.with_document(tally.EMPTY, "shipment/1", (Move("a", SHIPPED, "west", 3),))
    full = tally.Tally(told.told, {"a": tally.Posted({"west": 3}, {}, {"": 1})})
    assert tally.load(tally.dump(full)) == full
    assert tally.dump(tally.load(tally.dump(full))) == tally.dump(full)


units = st.integers(0, 6)


@given(units, units, units, units, st.booleans(), st.lists(st.tuples(st.sampled_from(["x", ""]), units), max_size=3))
def test_wanted_never_exceeds_what_was_ordered(
    quantity: int, cancelled: int, fulfilled: int, back: int, gone: bool, shipped: list[tuple[str, int]]
) -> None:
    """Whatever a channel claims, reserved plus shipped stays within ordered, and nothing is negative."""
    line = LineFacts("a", "MUG", quantity, cancelled, fulfilled, back, True, None)
    told = tally.Told(0, False, dict(shipped), {"": back}, {"x": back}, {"": back})
    want = wanted(line, gone, told)
    left = sum(want.shipped.values())
    returned = sum(want.sellable.values()) + sum(want.damaged.values())
    assert want.reserved >= 0
    assert want.reserved + left <= quantity
    assert returned <= left
    assert all(one > 0 for one in (*want.shipped.values(), *want.sellable.values(), *want.damaged.values()))
    assert wanted(line._replace(stocked=False), gone, told) is NONE


def test_lines_of_one_order_do_not_take_the_same_unit_twice() -> None:
    """Two lines of a scarce SKU are placed on what the other leaves."""
    wide = plan(locations={"A": "east", "B": "west"}, routing=("east", "west"))
    stock = {("MUG", "east"): 1, ("MUG", "west"): 1}
    needs = [Need(name, "MUG", (("MUG", 1),), 1, None) for name in "ab"]
    assert place(needs, wide, ("east", "west"), lambda *key: stock[key]) == {"a": "east", "b": "west"}


def test_equal_content_is_told_apart_from_where_it_came_from() -> None:
    """Source, our id, our SKUs, our holds and the held state are not what the channel says."""
    line = {"id": "a", "sku": None, "quantity": 1}
    told = {"id": "1", "source": {"digest": "x"}, "state": "open", "lines": [line], "attributes": {}, "holds": []}
    ours = {
        **told, "id": "2", "source": {}, "state": "held", "lines": [{**line, "sku": "MUG"}],
        "attributes": {"redacted": True}, "holds": [{"name": "oversold", "reason": "x"}],
    }  # fmt: skip
    assert content.same(told, ours)
    assert not content.same(told, {**told, "state": "cancelled"})
    assert not content.same(told, {**told, "holds": [{"name": "high-value", "reason": None}]})
    assert not content.is_redacted(content.dump({**told, "attributes": {"x": {"redacted": True}}}))
