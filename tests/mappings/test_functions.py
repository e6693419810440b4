"""Our own functions are exact and pure, and refuse what they cannot do exactly."""

# ruff: noqa: E501 - one row of a table per line
from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.arithmetic import BadArgument, dabs, dadd, dcmp, ddiv_exact, dmul, dneg, dsub, dsum
from mappings.countries import alpha2
from mappings.functions import blank, country, eaches, instant, money

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (dadd("1.10", "2.2"), "3.30"),
        (dadd("1", None, 2), "3"),
        (dadd(None, None), None),
        (dadd(), None),
        (dsum(None), "0"),
        (dsum([]), "0"),
        (dsum("1.10"), "1.10"),
        (dsum(["0.1", "0.2", None]), "0.3"),
        (dsub("1.00", "0.10", "0.05"), "0.85"),
        (dsub(None, "1"), None),
        (dsub("1", None), "1"),
        (dmul("12.30", 3), "36.90"),
        (dmul("1", None), None),
        (dmul(), None),
        (ddiv_exact("9.99", 3), "3.33"),
        (ddiv_exact("10.00", 3), None),
        (ddiv_exact("10.00", 4), "2.50"),
        (ddiv_exact("1.00", 8), "0.125"),
        (ddiv_exact("1.00", -8), "-0.125"),
        (ddiv_exact("1", "0.4"), "2.5"),
        (ddiv_exact("1", "0.3"), None),
        (ddiv_exact("1", 0), None),
        (ddiv_exact("1", str(2**40)), None),
        (ddiv_exact(None, 2), None),
        (dneg("0.00"), "0.00"),
        (dneg("1.50"), "-1.50"),
        (dabs("-1.50"), "1.50"),
        (dabs(None), None),
        (dcmp("1.0", "1.00"), 0),
        (dcmp("2", "10"), -1),
        (dcmp(None, "1"), None),
        (dadd("1e3", "1"), "1001"),
        (dadd("0.1", 2.0), "2.1"),
    ],
)
def test_decimal_functions(found: Any, wanted: Any) -> None:
    """Results keep their scale, and nothing in gives nothing out, except for a sum of nothing."""
    assert found == wanted


@pytest.mark.parametrize(
    "value", ["abc", "", "1,5", "NaN", "Infinity", "1e999999", "1e-50", "9" * 41, 0.5, [], {}, True]
)
def test_what_is_no_exact_decimal_is_refused(value: Any) -> None:
    """Text that is no figure, inexact numbers and absurd sizes are refused, without showing the value."""
    with pytest.raises(BadArgument) as refused:
        dadd(value, "1")
    assert "abc" not in str(refused.value)


@given(st.lists(AMOUNTS, max_size=8))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    """A sum equals the sum of the decimals, whatever they are."""
    assert Decimal(dsum([str(amount) for amount in amounts])) == sum(amounts, Decimal(0))


@given(AMOUNTS, st.integers(min_value=1, max_value=1000))
def test_a_quotient_is_exact_or_null(amount: Decimal, quantity: int) -> None:
    """Multiplying an exact quotient gives the amount again; null is given only when that cannot be."""
    quotient = ddiv_exact(str(amount), quantity)
    if quotient is not None:
        assert Decimal(quotient) * quantity == amount
    else:
        assert (amount * 10**14) % quantity != 0


@pytest.mark.parametrize(
    ("value", "zone", "wanted"),
    [
        ("2026-11-20T17:23:00Z", None, "2026-11-20T17:23:00Z"),
        ("2026-11-20T12:23:00-05:00", None, "2026-11-20T17:23:00Z"),
        ("2026-11-20T12:23:00-0500", None, "2026-11-20T17:23:00Z"),
        ("2026-11-20 12:23:00.250-05:00", None, "2026-11-20T17:23:00.250Z"),
        ("2026-11-20T12:23:00.000Z", None, "2026-11-20T12:23:00Z"),
        ("2026-11-20T12:23:00", "America/New_York", "2026-11-20T17:23:00Z"),
        ("2026-07-20T12:23:00", "America/New_York", "2026-07-20T16:23:00Z"),
        ("2026-11-20T12:23", "+05:30", "2026-11-20T06:53:00Z"),
        ("2026-11-20", None, "2026-11-20"),
        ("20261120", None, "2026-11-20"),
        (1795195380000, None, "2026-11-20T17:23:00Z"),
        ("1795195380123", None, "2026-11-20T17:23:00.123Z"),
        (0, None, "1970-01-01T00:00:00Z"),
        (-1000, None, "1969-12-31T23:59:59Z"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_instants(value: Any, zone: str | None, wanted: str | None) -> None:
    """ISO with offset, naive with a zone, and milliseconds become UTC; a date stays a date."""
    assert instant(value, zone) == wanted


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("2026-11-20T12:23:00", None),
        ("2026-11-20T12:23:00", "Nowhere/Town"),
        ("2026-11-20T12:23:00", "../etc/passwd"),
        ("2026-11-20T12:23:00", 5),
        ("2026-13-01", None),
        ("20261301", None),
        ("2026-11-20T25:00:00Z", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        ("1795195380", None),
        (True, None),
        (1.5, None),
        (10**20, None),
        ([], None),
    ],
)
def test_times_that_cannot_be_known_are_refused(value: Any, zone: Any) -> None:
    """A naive time without a zone, an unknown zone, and what is no time are errors, never guesses."""
    with pytest.raises(BadArgument):
        instant(value, zone)


def test_money_blank_country_eaches() -> None:
    """Each gives null for nothing, the exact thing otherwise, and refuses the rest."""
    assert money("12.30", "USD") == {"amount": "12.30", "currency": "USD"}
    assert money(5, "") == {"amount": "5", "currency": None}
    assert money("1.5e1") == {"amount": "15", "currency": None}
    assert money(None, "USD") is None
    assert money("", "USD") is None
    assert [blank(value) for value in ("", " \t", None, "x", 0, False)] == [None, None, None, "x", 0, False]
    assert [country(value) for value in ("USA", "us", " Germany ", "Côte d'Ivoire", "", None)] == [
        "US", "US", "DE", "CI", None, None,
    ]  # fmt: skip
    assert eaches("2", "DZ") == 24
    assert eaches(3, None) == 3
    assert eaches("2.0", "CA", 12) == 24
    assert eaches(2, "CA", {"CA": "6"}) == 12
    assert eaches(None, "EA") is None
    for wrong in (lambda: country("Atlantis"), lambda: country(5), lambda: eaches(1, "CA"), lambda: eaches("1.5", "EA"),
                  lambda: eaches(1, 5), lambda: eaches(1, "CA", "0"), lambda: money({}, "USD"), lambda: money("ten e", "USD")):  # fmt: skip
        with pytest.raises(BadArgument):
            wrong()


def test_every_country_has_both_codes_and_a_name() -> None:
    """249 countries and Kosovo, each found by alpha-2, alpha-3 and name."""
    assert alpha2("GBR") == alpha2("United Kingdom") == alpha2("gb") == "GB"
    from mappings.countries import _BY_WORD

    assert len(set(_BY_WORD.values())) == 250
