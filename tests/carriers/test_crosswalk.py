"""Each channel is told of a carrier in its own words, and what it calls a carrier is understood."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, get_args

import pytest

from canonical.codes import Milestone
from connectors.amazon.carriers import CANONICAL as AMAZON_CODES
from mappings import SHIPPED
from mappings.carriers import CHANNELS, CarrierName, Crosswalk, progress_word

CROSSWALK = Crosswalk()
WALMART = Path(__file__).resolve().parents[2] / "mappings" / "walmart" / "carriers.csv"


@pytest.mark.parametrize(
    ("channel", "carrier", "code"),
    [
        ("shopify", "ups_mail_innovations", "UPS"),
        ("amazon", "fedex_smartpost", "FedEx SmartPost"),
        ("ebay", "ontrac", "ONTRACK"),
        ("walmart", "lasership", "LS"),
        ("walmart", "dhl_ecommerce", "DHL Ecommerce - US"),
        ("scac", "estes", "EXLA"),
    ],
)
def test_a_known_carrier_goes_by_the_channels_name(channel: str, carrier: str, code: str) -> None:
    """Spelled as the channel's list has it, and under names the carrier used to have too."""
    told = CROSSWALK.told(channel, carrier, number="1")
    assert (told.code, told.is_other) == (code, False)


def test_other_carriers_take_the_channels_other_form() -> None:
    """With the carrier's name, and the page that shows the parcel where there is one."""
    url = "https://www.speedeedelivery.com/track/?tracking=SP%2F1"
    assert CROSSWALK.told("shopify", "speedee", number="SP/1") == CarrierName(
        None, "Spee-Dee Delivery", True, url, False
    )
    assert CROSSWALK.told("amazon", "veho", number="1") == CarrierName("Other", "Veho", True, None, False)
    assert CROSSWALK.told("ebay", "house_fleet", number="1").code == "Other"
    assert CROSSWALK.told("walmart", "veho", number="1").lacks_url
    assert not CROSSWALK.told("walmart", "speedee", number="1").lacks_url


def test_a_raw_word_serves_where_no_carrier_is_known() -> None:
    """It is looked up first and passed on as it is otherwise."""
    assert CROSSWALK.told("walmart", "unknown", number="1", raw="laser ship").code == "LS"
    told = CROSSWALK.told("amazon", None, number="1", raw="Bob's Bikes")
    assert (told.code, told.name) == ("Other", "Bob's Bikes")


@pytest.mark.parametrize(
    ("channel", "word", "carrier"),
    [
        ("shopify", "UPS", "ups"),
        ("shopify", "Lone Star Overnight", "lso"),
        ("walmart", "FEDEXSP", "fedex_ground_economy"),
        ("ebay", "FedEx", "fedex"),
        ("easypost", "DHLExpress", "dhl_express"),
        ("shipengine", "stamps_com", "usps"),
        ("aftership", "dhl-global-mail", "dhl_ecommerce"),
        ("scac", "FDEN", "fedex"),
        ("amazon", "united parcel", None),
        ("amazon", None, None),
    ],
)
def test_a_channels_word_is_understood(channel: str, word: str | None, carrier: str | None) -> None:
    """In any spelling; an unknown word is nobody."""
    assert CROSSWALK.read(channel, word) == carrier


def test_every_word_told_is_read_back() -> None:
    """A carrier told to a channel and read again is the carrier, or the one whose word it shares."""
    for row in CROSSWALK.carriers:
        for channel, word in row.names.items():
            code = CROSSWALK.read(channel, word)
            assert code is not None
            assert CROSSWALK.told(channel, code, number="1").code == word


def test_codes_of_channels_mappings_are_in_the_table() -> None:
    """A carrier that a channel's own table gives, and the crosswalk has a word of that channel for, agrees."""
    with WALMART.open() as file:
        for row in csv.DictReader(file):
            known = CROSSWALK.read("walmart", row["vendor"])
            mine = CROSSWALK.carrier(row["canonical"])
            assert known is None or mine is None or mine.code == known or row["vendor"] == "FDX", row
    for code, word in AMAZON_CODES.items():
        row = CROSSWALK.carrier(code)
        known = CROSSWALK.read("amazon", word)
        assert row is None or known is None or row.code.split("_")[0] == known.split("_")[0], (code, word)


def test_operators_rows_win() -> None:
    """A name changed, one taken away, a carrier added; a column nobody knows is refused by name."""
    own = Crosswalk({"ups": {"shopify": "UPS Europe"}, "ontrac": {"ebay": ""}, "house_fleet": {"walmart": "House"}})
    assert own.told("shopify", "ups", number="1").code == "UPS Europe"
    assert own.told("ebay", "ontrac", number="1").is_other
    assert own.told("walmart", "house_fleet", number="1") == CarrierName("House", "House Fleet", False, None, False)
    assert CROSSWALK.told("shopify", "ups", number="1").code == "UPS"
    with pytest.raises(ValueError, match=r"carrier ups: no such column: shopfy"):
        Crosswalk({"ups": {"shopfy": "UPS"}})


def test_services_go_by_the_channels_name() -> None:
    """By carrier where the channel distinguishes, for all carriers where it does not."""
    assert CROSSWALK.service("scac", "fedex", "Ground") == "FDEG"
    assert CROSSWALK.service("walmart", "ups", "next day") == "OneDay"
    assert CROSSWALK.service("ebay", "ups", "ground") is None
    assert CROSSWALK.service("walmart", "ups", None) is None
    assert set(CHANNELS) >= {"scac", "walmart"}


@pytest.mark.parametrize("channel", ["easypost", "shippo", "shipengine", "aftership"])
def test_aggregators_mappings_agree_with_the_table(channel: str) -> None:
    """A word both know is one carrier, and every carrier a mapping gives is in the table."""
    with (SHIPPED / channel / "carriers.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            assert CROSSWALK.carrier(row["canonical"]) is not None, row
            known = CROSSWALK.read(channel, row["vendor"])
            assert known is None or known.split("_")[0] == row["canonical"].split("_")[0], row


@pytest.mark.parametrize(
    ("milestone", "condition", "word"),
    [
        ("delivered", None, "DELIVERED"),
        ("in_transit", None, "IN_TRANSIT"),
        ("in_transit", "weather", "DELAYED"),
        (None, "delayed", "DELAYED"),
        ("out_for_delivery", "delayed", "OUT_FOR_DELIVERY"),
        ("in_transit", "damaged", "IN_TRANSIT"),
        ("cancelled", None, None),
        (None, None, None),
    ],
)
def test_progress_is_told_in_the_channels_words(milestone: Any, condition: Any, word: str | None) -> None:
    """A delay is news while the parcel is under way; a channel without words is told nothing."""
    assert progress_word("shopify", milestone, condition) == word
    assert progress_word("walmart", milestone, condition) is None


def test_every_milestone_has_a_word_or_a_reason() -> None:
    """Shopify is told of all but a cancelled parcel."""
    silent = {name for name in get_args(Milestone) if progress_word("shopify", name) is None}
    assert silent == {"cancelled"}
