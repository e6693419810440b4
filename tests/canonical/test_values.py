"""Values are exact or refused: no float becomes money, no blank becomes a name, no naive time an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from canonical import Address, Money, Problem, Source, StockLevel, instant_of, instant_text
from canonical.scalars import Attributes, DateOrInstant, Instant, LocalTime, Measured, Quantity


@pytest.mark.parametrize("text", ["12.30", "-0.00", "0", "0.0000001", "0.0000000", "9999999999999999999999.99"])
def test_money_keeps_its_digits(text: str) -> None:
    """The amount is written with exactly the digits it was read with, tiny ones without an exponent."""
    money = Money.model_validate_json(f'{{"amount":"{text}","currency":"USD"}}')
    assert money.amount.as_tuple() == Decimal(text).as_tuple()
    assert money.model_dump_json() == f'{{"amount":"{text}","currency":"USD"}}'


@pytest.mark.parametrize(
    "json", ["12.3", "12", '"1e3"', '"NaN"', '"Infinity"', '""', '" 1"', '"+1"', '"1,5"', "null", "true"]
)
def test_money_refuses_what_is_not_exact_text(json: str) -> None:
    """Numbers, exponents, blanks and locale forms are no amounts in JSON."""
    with pytest.raises(ValidationError) as caught:
        Money.model_validate_json(f'{{"amount":{json}}}')
    assert [error["loc"] for error in caught.value.errors()] == [("amount",)]


@pytest.mark.parametrize(
    "value", [1.5, 1, True, Decimal("NaN"), Decimal("Infinity"), Decimal(10) ** 28, Decimal("1E-19"), None]
)
def test_money_refuses_floats_from_python(value: Any) -> None:
    """From code only a Decimal or its text will do."""
    with pytest.raises(ValidationError):
        Money(amount=value, currency="USD")


def test_whatever_code_constructs_reads_back() -> None:
    """The largest and the finest amount code may build are written as text that is read again."""
    for amount in (Decimal("9" * 28 + "." + "9" * 18), Decimal("1E-18"), Decimal("1E+27")):
        money = Money(amount=amount)
        assert Money.model_validate_json(money.model_dump_json()) == money


@pytest.mark.parametrize("currency", ["usd", "US", "", "USDX", "€"])
def test_currency_is_iso_4217(currency: str) -> None:
    """A currency is three capital letters or null."""
    with pytest.raises(ValidationError):
        Money(amount="1", currency=currency)
    assert Money(amount="1").currency is None


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2026-11-20T17:23:00Z", "2026-11-20T17:23:00Z"),
        ("2026-11-20T17:23:00.000Z", "2026-11-20T17:23:00Z"),
        ("2026-11-20T17:23:00.120Z", "2026-11-20T17:23:00.120Z"),
        ("2026-11-20T17:23:00.000001Z", "2026-11-20T17:23:00.000001Z"),
        ("2026-11-20T17:23:00.120500Z", "2026-11-20T17:23:00.120500Z"),
        ("2026-11-20T12:23:00-05:00", "2026-11-20T17:23:00Z"),
        ("0999-01-02T03:04:05Z", "0999-01-02T03:04:05Z"),
    ],
)
def test_instants_are_written_in_utc(given: str, written: str) -> None:
    """Offsets are converted, the fraction is kept as precise as it is and dropped when zero."""
    adapter = TypeAdapter(Instant)
    read = adapter.validate_json(f'"{given}"')
    assert read == datetime.fromisoformat(given)
    assert adapter.dump_json(read).decode() == f'"{written}"'
    assert instant_text(read) == written


@pytest.mark.parametrize(
    "json",
    [
        '"2026-11-20T17:23:00"',
        '"2026-11-20"',
        '"1763659380"',
        "1763659380",
        '"2026-13-20T17:23:00Z"',
        '""',
        '"2026-11-20T17:23:00.1234567Z"',
    ],
)
def test_instants_need_an_offset(json: str) -> None:
    """A naive time, a date, an epoch or an impossible time is refused, never guessed."""
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_json(json)


def test_instants_from_code_are_aware() -> None:
    """An aware datetime of any zone becomes UTC; a naive one is refused."""
    adapter = TypeAdapter(Instant)
    zone = timezone(timedelta(hours=2))
    assert adapter.validate_python(datetime(2026, 11, 20, 19, 23, tzinfo=zone)).utcoffset() == timedelta(0)
    for value in (datetime(2026, 11, 20), date(2026, 11, 20), 5):  # noqa: DTZ001
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_a_pure_date_stays_a_date() -> None:
    """Where both are allowed, a date is not turned into midnight."""
    adapter = TypeAdapter(DateOrInstant)
    assert adapter.validate_json('"2026-06-19"') == date(2026, 6, 19)
    assert not isinstance(adapter.validate_json('"2026-06-19"'), datetime)
    assert adapter.dump_json(date(2026, 6, 19)) == b'"2026-06-19"'
    assert isinstance(adapter.validate_json('"2026-06-19T00:00:00Z"'), datetime)
    assert adapter.dump_json(adapter.validate_json('"2026-06-19T00:00:00Z"')) == b'"2026-06-19T00:00:00Z"'
    with pytest.raises(ValidationError):
        adapter.validate_json('"86400"')


def test_a_date_sorts_from_its_first_moment_in_a_zone() -> None:
    """`instant_of` keeps instants and starts a date at midnight of the zone it is given."""
    moment = datetime(2026, 6, 19, 5, tzinfo=UTC)
    assert instant_of(moment) == moment
    assert instant_of(date(2026, 6, 19)) == datetime(2026, 6, 19, tzinfo=UTC)
    assert instant_of(date(2026, 6, 19), timezone(timedelta(hours=-5))) == moment


@pytest.mark.parametrize("json", ["1.0", '"1"', "true", "-1", "1e3", str(2**53)])
def test_quantities_are_whole(json: str) -> None:
    """A quantity is a whole number from zero, never text, never a float that happens to be whole."""
    with pytest.raises(ValidationError):
        TypeAdapter(Quantity).validate_json(json)


def test_a_decimal_quantity_needs_its_unit() -> None:
    """Only beside a unit is a quantity a decimal, and it is text that keeps its scale."""
    level = StockLevel(channel_sku="ROPE", on_hand="2.50", uom="MTR")
    assert '"on_hand":"2.50"' in level.model_dump_json()
    assert StockLevel(channel_sku="MUG", on_hand=3).on_hand == 3
    with pytest.raises(ValidationError, match="uom"):
        StockLevel(channel_sku="ROPE", on_hand="2.50")
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Measured).validate_json("2.5")
    assert len(caught.value.errors()) == 1


@pytest.mark.parametrize("field", list(Address.model_fields))
@pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
def test_blank_is_no_address(field: str, blank: str) -> None:
    """Absent is null: a blank is refused in every field of an address."""
    with pytest.raises(ValidationError):
        Address(**{field: blank})


@pytest.mark.parametrize("country", ["USA", "us", "United States"])
def test_countries_are_alpha_2(country: str) -> None:
    """Only the two-letter code is a country."""
    with pytest.raises(ValidationError):
        Address(country=country)


@pytest.mark.parametrize("bad", ["NaN", "[1, Infinity]", '{"a": {"b": -Infinity}}'])
def test_attributes_are_json(bad: str) -> None:
    """What JSON does not have is refused in free JSON too, because it could not be written again."""
    adapter = TypeAdapter(Attributes)
    with pytest.raises(ValidationError):
        adapter.validate_json(f'{{"x": {bad}}}')
    with pytest.raises(ValidationError):
        adapter.validate_python({"x": object()})
    big = 123456789012345678901234567890
    assert adapter.validate_json(f'{{"x": [{big}, null, "y", 1.5]}}') == {"x": [big, None, "y", 1.5]}


@pytest.mark.parametrize("bad", ["2026-06-19T08:15:00Z", "8:15", ""])
def test_local_time_has_no_offset(bad: str) -> None:
    """The wall clock of a scan carries no offset; a date or minutes alone are fine."""
    adapter = TypeAdapter(LocalTime)
    assert [adapter.validate_python(text) for text in ("2026-06-19", "2026-06-19T08:15", "2026-06-19T08:15:30.5")]
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)


def test_values_are_frozen_and_hashable() -> None:
    """A value cannot be changed, and equal values are one key."""
    money = Money(amount="1.10", currency="USD")
    with pytest.raises(ValidationError):
        money.amount = Decimal(2)  # type: ignore[misc]
    assert len({money, Money(amount="1.10", currency="USD")}) == 1


def test_errors_do_not_show_the_input() -> None:
    """An error's text names field and rule and never repeats a value, which may be personal."""
    with pytest.raises(ValidationError) as caught:
        Address(name="Ines Example", country="Freedonia")
    assert "Freedonia" not in str(caught.value)
    assert "Ines" not in str(caught.value)


def test_problems_stay_with_the_source() -> None:
    """A warning about the input's envelope is carried by the source."""
    source = Source(
        connector="edi", kind="850", id="1", problems=[Problem(code="4", position="31", message="SE01 is 9, counted 8")]
    )
    assert source.problems[0].level == "warning"
