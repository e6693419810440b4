"""The published number follows the policy step by step, is never negative, and its parts add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.inventory import published_quantity
from hub.ports.accounts import AccountPlan, AvailabilityPolicy
from hub.ports.store import Position
from tests.support.orders import input_plan, plan


def at(location: str, on_hand: int, reserved: int = 0, sku: str = "MUG", version: int = 1) -> Position:
    return Position(sku, location, on_hand, reserved, version=version)


def quantity(policy: AvailabilityPolicy, *positions: Position) -> int:
    return published_quantity(plan(policy=policy), "MUG", positions).quantity


def test_stock_on_order_counts_only_where_the_policy_names_a_time() -> None:
    """What is due in time joins what is available, before anything is kept back; a kit's parts each have theirs."""
    due = {("MUG", "east"): 4, ("BOX", "east"): 9}
    rows = [Position("MUG", "east", 10, 3, incoming=6), Position("BOX", "east", 1)]
    sells = plan(policy=AvailabilityPolicy(("east",), buffer=1, incoming_within_s=86_400.0))
    fall = published_quantity(sells, "MUG", rows, due=due)
    assert fall.quantity == 10
    assert [(step.name, step.value) for step in fall.steps][:2] == [("available", 7), ("incoming", 11)]
    assert fall.steps[1].detail == "4 of 6 on order are due in time"
    assert published_quantity(sells, "SET", rows, [("MUG", 2), ("BOX", 1)], due=due).quantity == 4
    assert published_quantity(plan(), "MUG", rows, due=due).quantity == 7
    short = [Position("MUG", "east", 0, 9)]
    assert published_quantity(sells, "MUG", short, due={("MUG", "east"): 12}).quantity == 2


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, 7),
        ({"buffer": 2}, 5),
        ({"buffer": 9}, 0),
        ({"share": Decimal("0.5")}, 3),
        ({"share": Decimal("0.29"), "buffer": 0}, 2),
        ({"cap": 4}, 4),
        ({"minimum": 7}, 7),
        ({"minimum": 8}, 0),
        ({"cap": 4, "minimum": 5}, 0),
        ({"fixed": 99}, 99),
        ({"buffer": 1, "share": Decimal("0.5"), "cap": 2}, 2),
    ],
)
def test_each_step_of_the_policy(policy: dict[str, object], expected: int) -> None:
    """10 on hand, 3 reserved: never pushed from on hand, always from what is available."""
    assert quantity(AvailabilityPolicy(("east",), **policy), at("east", 10, 3)) == expected  # type: ignore[arg-type]


def test_shares_are_exact() -> None:
    """A third of a large pool is computed without a float's error."""
    assert quantity(AvailabilityPolicy(("east",), share=Decimal("0.1")), at("east", 10**15 + 9)) == 10**14


def test_the_pool_sums_its_locations_and_an_oversold_one_counts_against_it() -> None:
    """Units owed at one place are taken from the others' promise."""
    policy = AvailabilityPolicy(("east", "west"))
    assert quantity(policy, at("east", 5), at("west", 4), at("far", 100)) == 9
    assert quantity(policy, at("east", 5), at("west", 1, 4)) == 2


def test_a_kit_is_as_many_as_its_scarcest_part_at_one_place() -> None:
    """Parts in two warehouses make no kit."""
    two = plan(policy=AvailabilityPolicy(("east", "west")))
    parts = (("MUG", 2), ("BOX", 1))
    rows = [at("east", 7), at("east", 9, sku="BOX"), at("west", 8)]
    assert published_quantity(two, "SET", rows, parts).quantity == 3
    assert published_quantity(two, "SET", [], parts).quantity == 0


def test_a_channel_that_subtracts_its_own_orders_gets_them_added_back() -> None:
    """`input` channels: shoppers see exactly what may be sold, after the channel's own subtraction."""
    own = {("market", "MUG", "east"): 2, ("shop", "MUG", "east"): 9, ("market", "BOX", "east"): 9}
    fall = published_quantity(input_plan(), "MUG", [at("east", 10, 5)], (), own)
    assert fall.quantity == 7
    assert fall.steps[-1].name == "added_back"
    assert published_quantity(plan(), "MUG", [at("east", 10, 5)], (), own).quantity == 5


def test_steps_are_numbered_and_the_version_grows_with_any_position() -> None:
    """Explain shows every step; a change anywhere in the pool gives a higher version."""
    wide = plan(policy=AvailabilityPolicy(("east", "west"), buffer=1, cap=3))
    rows = [at("east", 5, version=3), at("west", 4, version=4)]
    fall = published_quantity(wide, "MUG", rows)
    names = ["available", "available", "pool", "buffer", "share", "cap", "minimum"]
    assert [(step.number, step.name) for step in fall.steps] == list(enumerate(names, 1))
    assert fall.version == 7
    assert published_quantity(wide, "MUG", [rows[0], at("west", 4, version=5)]).version == 8


WIDE = {"A": "east", "B": "west", "C": "east"}


def spread(policy: AvailabilityPolicy, rows: list[Position]) -> tuple[AccountPlan, dict[str, int]]:
    wide = plan(policy=policy, locations=WIDE)
    return wide, {place: published_quantity(wide, "MUG", rows, (), None, place).quantity for place in WIDE}


def test_the_account_s_number_is_spread_over_its_channel_locations() -> None:
    """In the account's order, each at most what its own place has; the rest stands at the first."""
    policy = AvailabilityPolicy(("east", "west"), buffer=1)
    assert spread(policy, [at("east", 3), at("west", 4)])[1] == {"A": 3, "B": 3, "C": 0}
    fixed = AvailabilityPolicy(("east", "west"), fixed=9)
    assert spread(fixed, [at("east", 3), at("west", 4)])[1] == {"A": 5, "B": 4, "C": 0}


policies = st.builds(
    AvailabilityPolicy,
    st.just(("east", "west", "far")),
    buffer=st.integers(0, 20),
    share=st.decimals(0, 1, places=2),
    cap=st.none() | st.integers(0, 50),
    minimum=st.integers(0, 10),
    fixed=st.none() | st.integers(0, 50),
)
amounts = st.tuples(st.integers(-20, 60), st.integers(0, 80))


@given(policies, amounts, amounts, amounts)
def test_every_number_is_non_negative_and_the_parts_add_up(
    policy: AvailabilityPolicy, east: tuple[int, int], west: tuple[int, int], far: tuple[int, int]
) -> None:
    """For any stock and policy: parts sum to the account's number, none below zero, none above its cap."""
    rows = [at("east", *east), at("west", *west), at("far", *far)]
    one = published_quantity(plan(policy=policy), "MUG", rows).quantity
    _, parts = spread(policy, rows)
    assert one >= 0
    assert all(part >= 0 for part in parts.values())
    assert sum(parts.values()) == one
    if policy.fixed is None:
        pooled = sum(on_hand - reserved for on_hand, reserved in (east, west, far))
        assert one <= max(0, pooled - policy.buffer)
        assert policy.cap is None or one <= policy.cap
