"""A shipment laid over its order names the order's lines, holds what it states, and never more than is left."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.orders.echoes import Parcels, echoes
from hub.orders.facts import SHIPPED, Move
from hub.orders.noticed import shipments_noticed
from hub.orders.shipped import Unplaceable, laid_over, units_of
from hub.orders.telling import tellings

SKUS = ("MUG", "BOX", "TEA")
LINES = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=4)
PACKED = st.lists(
    st.lists(st.tuples(st.sampled_from(SKUS), st.integers(0, 4)), min_size=1, max_size=3), min_size=1, max_size=3
)


def _order(lines: list[tuple[str, int, int]]) -> tuple[dict[str, Any], dict[str, int]]:
    rows = [{"id": f"l{place}", "sku": sku, "quantity": units} for place, (sku, units, _) in enumerate(lines)]
    return {"lines": rows}, {f"l{place}": min(units, left) for place, (_, units, left) in enumerate(lines)}


@given(lines=LINES, packed=PACKED)
def test_what_is_laid_over_is_what_was_stated(
    lines: list[tuple[str, int, int]], packed: list[list[tuple[str, int]]]
) -> None:
    """Units per SKU are those stated, per line at most those left; otherwise it is refused, and then rightly."""
    order, left = _order(lines)
    packages = [{"lines": [{"sku": sku, "quantity": units} for sku, units in load]} for load in packed]
    stated = Counter[str]()
    for load in packed:
        for sku, units in load:
            stated[sku] += units
    room = Counter[str]()
    for line in order["lines"]:
        room[line["sku"]] += left[line["id"]]
    fits = any(stated.values()) and all(units <= room[sku] for sku, units in stated.items() if units)
    told = {"order": "1", "packages": packages}
    if not fits:
        with pytest.raises(Unplaceable):
            laid_over(told, order, left, {}, lambda _: None)
        return
    shipment = laid_over(told, order, left, {}, lambda _: None)
    placed = units_of(shipment["packages"])
    assert all(units <= left[line] for line, units in placed.items())
    skus = {line["id"]: line["sku"] for line in order["lines"]}
    found = Counter[str]()
    for line, units in placed.items():
        found[skus[line]] += units
    assert found == +stated
    assert len({package["id"] for package in shipment["packages"]}) == len(packed)


@given(
    before=st.dictionaries(st.sampled_from("123"), st.tuples(st.sampled_from("AB"), st.integers(1, 2))),
    after=st.dictionaries(st.sampled_from("123"), st.tuples(st.sampled_from("AB"), st.integers(1, 2))),
)
def test_saying_what_changed_says_everything_once(before: dict[str, Any], after: dict[str, Any]) -> None:
    """New packages are confirmed, changed ones corrected, missing ones taken back, equal ones passed over."""

    def shipment(state: dict[str, tuple[str, int]]) -> dict[str, Any]:
        packages = [
            {"id": one, "tracking_number": f"{number}{one}", "lines": [{"line_id": "a", "quantity": units}]}
            for one, (number, units) in state.items()
        ]
        return {"state": "shipped", "packages": packages}

    said = {telling.name: telling.word for telling in tellings(shipment(before), shipment(after))}
    expected = {one: "confirm" for one in after if one not in before}
    expected |= {one: "cancel" for one in before if one not in after}
    expected |= {one: "correct" for one in after if one in before and after[one] != before[one]}
    assert said == expected


@pytest.mark.parametrize("ours", [True, False])
def test_only_a_shipment_of_ours_has_echoes(ours: bool) -> None:
    """Two fulfilments of a channel under one number are two; beside a shipment of ours both are its echo."""
    move = (Move("a", SHIPPED, "", 1),)
    told = {"shipment/3pl:w": move, "shipment/f1": move, "shipment/f2": move}
    parcels = {key: Parcels(ours and key == "shipment/3pl:w", ("1Z1",)) for key in told}
    assert echoes(told, parcels) == (frozenset({"shipment/f1", "shipment/f2"}) if ours else frozenset())


def test_goods_on_their_way_to_us_are_no_customers_shipment() -> None:
    """An inbound notice tells of purchase orders."""
    assert (
        list(shipments_noticed({"kind": "inbound", "orders": [{"purchase_order_number": "1"}], "packages": []})) == []
    )
