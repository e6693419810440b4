"""What is derived from an order is exact, and null where it cannot be."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical import (
    Money,
    Order,
    OrderLine,
    UnknownUnit,
    eaches,
    exact_unit_price,
    fulfillment_of,
    is_cancelled,
    open_quantity,
    remaining_quantity,
    residual,
    with_residual,
)
from tests.support.canonical_examples import money, order


def _with_totals(**parts: Any) -> Order:
    blank = dict.fromkeys(order()["totals"])
    return Order.model_validate(order() | {"totals": blank | parts})


def test_parts_that_add_up_leave_nothing() -> None:
    """73.80 − 3.00 + 5.00 + 4.26 is the grand total, so the residual is null."""
    assert residual(Order.model_validate(order())) is None
    document = Order.model_validate(order())
    assert with_residual(document) is document


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ({"items": money("10.00"), "grand_total": money("10.01")}, "0.01"),
        ({"items": money("10.00"), "grand_total": money("9.990")}, "-0.010"),
        ({"items": money("10.00"), "tax": money("1.60"), "grand_total": money("10.00"), "tax_included": True}, None),
        ({"items": money("10.00"), "tax": money("1.60"), "grand_total": money("10.00"), "tax_included": False},
         "-1.60"),
        ({"items": money("10.00"), "discount": money("2.00"), "fees": money("0.50"), "tip": money("1"),
          "grand_total": money("9.50")}, None),
        ({"items": money("10.00")}, None),
        ({"grand_total": money("10.00")}, None),
        ({"items": money("10.00"), "shipping": money("1.00", "EUR"), "grand_total": money("12.00")}, None),
        ({"items": money("10", None), "grand_total": money("11", None)}, "1"),
    ],
)  # fmt: skip
def test_residual(parts: dict[str, Any], left: str | None) -> None:
    """The unexplained rest is exact, signed, and null where parts are missing or in several currencies."""
    found = residual(_with_totals(**parts))
    assert (None if found is None else str(found.amount)) == left
    assert with_residual(_with_totals(**parts)).totals.residual == found


@given(
    total=st.decimals(-(10**28) + 1, 10**28 - 1, places=4),
    items=st.decimals(-(10**28) + 1, 10**28 - 1, places=2),
)
def test_residual_is_exact(total: Decimal, items: Decimal) -> None:
    """However long the amounts, items plus residual is the total."""
    document = _with_totals(items=Money(amount=items), grand_total=Money(amount=total))
    found = residual(document)
    wide = Context(prec=60)
    assert wide.add(items, found.amount if found else Decimal(0)) == total


@pytest.mark.parametrize(
    ("amount", "quantity", "price"),
    [("9.99", 3, "3.33"), ("10.00", 3, None), ("2", 3, None),
     ("20.00", 7, None), ("1.00", 8, "0.125"), ("10.00", 2, "5.00"), ("100", 40, "2.5"),
     ("0.00", 7, "0.00"), ("5", 0, None), ("-9.99", 3, "-3.33"), ("300", 1, "300")],
)  # fmt: skip
def test_unit_price_divides_or_is_null(amount: str, quantity: int, price: str | None) -> None:
    """A unit price times the quantity is the line's amount to the last digit, or there is none."""
    found = exact_unit_price(Decimal(amount), quantity)
    assert (None if found is None else format(found, "f")) == price


@pytest.mark.parametrize(
    ("quantity", "unit", "packs", "result"),
    [(3, None, None, 3), (3, "EA", None, 3), (2, "DZ", None, 24), (2, "PR", {}, 4), (2, "CA", {"CA": 12}, 24),
     (Decimal("0.5"), "DZ", None, 6), (Decimal("4.00"), "PCE", None, 4), (1, "DZ", {"DZ": 13}, 13)],
)  # fmt: skip
def test_units_become_eaches(
    quantity: Decimal | int, unit: str | None, packs: dict[str, int] | None, result: int
) -> None:
    """Fixed units and the item's own packs convert; the item's table wins."""
    assert eaches(quantity, unit, packs) == result


def test_unknown_units_are_never_guessed() -> None:
    """A unit in no table, or a broken pack, is an error."""
    with pytest.raises(UnknownUnit, match="CA"):
        eaches(1, "CA", {"PL": 480})
    with pytest.raises(ValueError, match="whole"):
        eaches(Decimal("0.5"), "EA")


def _line(**fields: Any) -> OrderLine:
    return OrderLine(**{"id": "1", "quantity": 5, **fields})


def test_open_and_remaining_never_go_below_zero() -> None:
    """Channels that cancel or ship more than was ordered leave nothing open."""
    assert open_quantity(_line(cancelled_quantity=1, fulfilled_quantity=2)) == 2
    assert remaining_quantity(_line(cancelled_quantity=1)) == 4
    assert open_quantity(_line(cancelled_quantity=4, fulfilled_quantity=4)) == 0
    assert remaining_quantity(_line(cancelled_quantity=9)) == 0


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([], "not_required"),
        ([{}], "unfulfilled"),
        ([{"fulfilled_quantity": 5}, {}], "partial"),
        ([{"fulfilled_quantity": 2}], "partial"),
        ([{"fulfilled_quantity": 5}, {"cancelled_quantity": 5}], "fulfilled"),
        ([{"requires_shipping": False}], "not_required"),
        ([{"cancelled_quantity": 5}], "not_required"),
    ],
)
def test_fulfilment_folds_lines(lines: list[dict[str, Any]], state: str) -> None:
    """The order's fulfilment follows from what its lines still want."""
    assert fulfillment_of([_line(**fields) for fields in lines]) == state


def test_cancelled_means_a_time_or_nothing_left() -> None:
    """An order is cancelled by its time or by all of its lines, and an empty partial read is not."""
    base = Order.model_validate(order())
    assert not is_cancelled(base)
    assert not is_cancelled(Order.model_validate(order() | {"lines": []}))
    assert is_cancelled(Order.model_validate(order() | {"cancelled_at": "2026-11-20"}))
    assert is_cancelled(base.model_copy(update={"lines": tuple(_line(cancelled_quantity=5) for _ in range(2))}))
