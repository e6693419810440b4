"""An operator's own carriers, and other names for known ones, are read with their lines and reach every message."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from config import ConfigurationInvalid
from mappings.carriers import Crosswalk

CARRIERS = """\
locations:
  east:
accounts: {}
carriers:
  city_bikes: {name: City Bikes, tracking_url: "https://bikes.example/{number}", ebay: CityBikes}
  ontrac: {ebay: ONTRAC}
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "config" / "hub.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_own_carriers_and_other_names_go_over_the_shipped_table(tmp_path: Path) -> None:
    """A new code is a new carrier; one that is known keeps what is not restated."""
    table = Crosswalk(config.load(_file(tmp_path, CARRIERS), {}).carriers)
    bikes = table.told("ebay", "city_bikes", number="7")
    assert (bikes.code, bikes.is_other, bikes.url) == ("CityBikes", False, "https://bikes.example/7")
    assert table.told("walmart", "city_bikes", number="7").is_other
    assert table.told("ebay", "ontrac", number="7").code == "ONTRAC"
    assert table.told("amazon", "ontrac", number="7").code == Crosswalk().told("amazon", "ontrac", number="7").code
    assert table.read("", "City Bikes") == "city_bikes"


def test_without_the_section_the_shipped_table_stands(tmp_path: Path) -> None:
    """Nothing has to be written."""
    assert config.load(_file(tmp_path, "locations:\n  east:\naccounts: {}\n"), {}).carriers == {}


@pytest.mark.parametrize(
    ("line", "named"),
    [("  ontrac: {etsy: X}", "carriers.ontrac.etsy"), ("  On Trac: {ebay: X}", "carriers.On Trac")],
)
def test_a_channel_or_code_there_is_not_is_named_with_its_line(tmp_path: Path, line: str, named: str) -> None:
    """A word for a channel nobody tells would never be said."""
    with pytest.raises(ConfigurationInvalid) as refused:
        config.load(_file(tmp_path, f"locations:\n  east:\naccounts: {{}}\ncarriers:\n{line}\n"), {})
    (fault,) = refused.value.faults
    assert (fault.line, fault.key) == (5, named)


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("ftp://bikes.example/{number}", "is no http or https URL"),
        ("https://bikes.example/", "{number} is missing"),
        ("bikes.example/{number}", "is no http or https URL"),
        ("https://me:word@bikes.example/{number}", "user name or password"),
    ],
)
def test_a_page_that_shows_no_parcel_is_refused(tmp_path: Path, page: str, problem: str) -> None:
    """Channels hand the address to customers: it must be one, and lead to their parcel."""
    line = f'  city_bikes: {{name: City Bikes, tracking_url: "{page}"}}'
    with pytest.raises(ConfigurationInvalid) as refused:
        config.load(_file(tmp_path, f"locations:\n  east:\naccounts: {{}}\ncarriers:\n{line}\n"), {})
    (fault,) = refused.value.faults
    assert (fault.line, fault.key) == (5, "carriers.city_bikes.tracking_url")
    assert problem in fault.problem


def test_a_page_may_take_the_number_in_its_query(tmp_path: Path) -> None:
    """As many carriers' pages do."""
    line = '  city_bikes: {tracking_url: "https://bikes.example/track?n={number}&l=en"}'
    found = config.load(_file(tmp_path, f"locations:\n  east:\naccounts: {{}}\ncarriers:\n{line}\n"), {})
    assert found.carriers["city_bikes"]["tracking_url"] == "https://bikes.example/track?n={number}&l=en"
