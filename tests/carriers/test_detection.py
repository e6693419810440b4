"""Every published valid number is found among its carrier's candidates, and no published wrong one is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.carriers import Override, candidates, identify
from mappings.carriers.checkdigits import luhn, mod7, mod10, mod_37_36, s10

HERE = Path(__file__).resolve()
PUBLISHED = json.loads((HERE.parent / "published_numbers.json").read_text())
VALID = [(row["format"], number) for row in PUBLISHED for number in row["valid"]]
INVALID = [(row["format"], number) for row in PUBLISHED for number in row["invalid"]]
CURRENT = HERE.parents[2] / ".." / "shared" / "specs" / "carriers" / "tracking_number_data" / "couriers"


def formats(number: str) -> set[str]:
    return {candidate.format for candidate in candidates(number)}


@pytest.mark.parametrize(("name", "number"), VALID)
def test_a_valid_number_is_a_candidate_of_its_format(name: str, number: str) -> None:
    """However it is spaced."""
    assert name in formats(number)


@pytest.mark.parametrize(("name", "number"), INVALID)
def test_an_invalid_number_is_no_candidate_of_its_format(name: str, number: str) -> None:
    """A wrong check digit, shape or country is refused by the format it was published against."""
    assert name not in formats(number)


@pytest.mark.parametrize("name", [row["format"] for row in PUBLISHED])
def test_one_wrong_digit_of_a_checked_number_is_noticed(name: str) -> None:
    """Changing the check digit of a valid number takes the format away."""
    for number in next(row["valid"] for row in PUBLISHED if row["format"] == name):
        (found,) = (candidate for candidate in candidates(number) if candidate.format == name)
        text = "".join(number.split())
        if not found.is_checked or name in {"fedex_astra_32", "s10"} or not text[-1].isdigit():
            continue
        assert name not in formats(text[:-1] + str((int(text[-1]) + 1) % 10))


@pytest.mark.skipif(not CURRENT.is_dir(), reason="the published data is not beside the project")
def test_the_table_holds_every_published_format() -> None:
    """No number that is published with the formats is missing here."""
    stated = [
        number
        for path in sorted(CURRENT.glob("*.json"))
        for format_ in json.loads(path.read_text())["tracking_numbers"]
        for number in format_["test_numbers"]["valid"]
    ]
    assert sorted(stated) == sorted(number for _, number in VALID)
    assert all(candidates(number) for number in stated)


@given(st.text(max_size=80))
def test_anything_may_be_asked(text: str) -> None:
    """Detection answers for every text, and for none twice differently."""
    assert candidates(text) == candidates(text)


@pytest.mark.parametrize(
    ("computed", "expected"),
    [
        (mod10("5R8939035756712", evens=1, odds=2), "7"),
        (mod7("331881001"), "4"),
        (luhn("7992739871"), "3"),
        (s10("12345678"), "5"),
        (mod_37_36("09980000020033"), "F"),
    ],
)
def test_check_digits(computed: str, expected: str) -> None:
    """Worked examples of the algorithms."""
    assert len(computed) == 1
    assert computed == expected


def test_what_was_stated_comes_before_what_a_number_looks_like() -> None:
    """Label, override, stated carrier and detection decide in that order."""
    number = "1Z5R89390357567127"
    assert identify(number, label="ups_surepost", stated="fedex").carrier == "ups_surepost"
    assert identify(number, stated="fedex", overrides=[Override("1Z.*", "ups_mi")]).carrier == "ups_mi"
    stated = identify(number, stated="fedex")
    assert (stated.carrier, stated.ground) == ("fedex", "stated")
    assert stated.warning is not None
    assert "looks like one of ups" in stated.warning
    found = identify(number, stated="unknown")
    assert (found.carrier, found.ground, found.warning) == ("ups", "number", None)


def test_a_number_of_several_carriers_is_not_guessed() -> None:
    """Twelve digits that pass two carriers' check digits are nobody's until somebody says so."""
    both = next(
        text for n in range(100_000_000_000, 100_000_002_000)
        if {"fedex_12", "purolator_numeric"} <= formats(text := str(n))
    )  # fmt: skip
    identity = identify(both)
    assert (identity.carrier, identity.ground) == (None, "ambiguous")
    assert {"fedex", "purolator"} <= {candidate.carrier for candidate in identity.candidates}


def test_a_number_nobody_knows_is_accepted_with_a_warning() -> None:
    """The stated carrier stands."""
    identity = identify("HOUSE-0001", stated="local_courier")
    assert (identity.carrier, identity.candidates) == ("local_courier", ())
    assert identity.warning is not None
    assert identify("HOUSE-0001").ground == "unknown"


def test_a_post_number_under_another_carrier_raises_no_doubt() -> None:
    """Parcels that a post delivers for somebody else bear the post's number."""
    assert identify("9400111206206406260787", stated="dhl_ecommerce").warning is None
    assert identify("RB123456785GB").carrier == "royal_mail"
    assert identify("RB123456785FR").carrier == "post_fr"
