"""What a set is about, and what may come only once."""

from __future__ import annotations

import pytest

from hub.trading.naming import Naming, business_key, group_key, interchange_key, naming_of
from mappings.edi import Party, Separators


def named(kind: str, text: str, mark: str = "*") -> Naming:
    rows = [segment.split(mark) for segment in text.split("~")]
    return naming_of(kind, rows, Separators(mark, ":", "~"))


@pytest.mark.parametrize(
    ("kind", "text", "lane", "business"),
    [
        ("850", "BEG*00*SA*PO1*R2*20261120", "po:PO1", "850|PO1|R2|00"),
        ("850", "BEG*01*SA*PO1**20261120", "po:PO1", "850|PO1||01"),
        ("850", "BEG*05*SA*PO1**20261120", "po:PO1", ""),
        ("860", "BCH*04*SA*PO1**3*20261120", "po:PO1", "860|PO1|3|04"),
        ("860", "BCH*04*SA*PO1***20261120", "po:PO1", ""),
        ("855", "BAK*00*AC*PO1*20261120", "po:PO1", ""),
        ("865", "BCA*00*AC*PO1", "po:PO1", ""),
        ("856", "BSN*00*S1*20261120*1200*0001~PRF*PO1", "po:PO1", "856|S1|00"),
        ("856", "BSN*00*S1*20261120*1200~PRF*PO1~PRF*PO2", "shipment:S1", "856|S1|00"),
        ("856", "BSN*05*S1*20261120*1200~PRF*PO1", "po:PO1", ""),
        ("810", "BIG*20261120*I1**PO1", "po:PO1", "810|I1|"),
        ("810", "BIG*20261120*I1", "invoice:I1", "810|I1|"),
        ("945", "W06*F*OUR1*20261120*S1**PO1", "depositor:OUR1", "945|S1|OUR1|F"),
        ("945", "W06*F*OUR1*20261120", "depositor:OUR1", ""),
        ("944", "W17*F*20261120*R1*OUR1", "receipt:OUR1", "944|R1|F"),
        ("947", "W15*20261120*A1*W1", "adjustment:W1", "947|W1"),
        ("846", "BIA*00*DD*REF1*20261120", "inventory", ""),
        ("832", "BCT*PC*1", "832", ""),
        ("850", "BEG", "po:", ""),
    ],
)
def test_x12(kind: str, text: str, lane: str, business: str) -> None:
    """By the numbers the sets carry; without a number only the content tells them apart."""
    found = named(kind, text)
    assert (found.lane, found.business) == (lane, business)


@pytest.mark.parametrize(
    ("kind", "text", "lane", "business"),
    [
        ("ORDERS", "BGM+220+PO1+9", "po:PO1", "ORDERS|PO1|9"),
        ("ORDERS", "BGM+220+PO1:1+9", "po:PO1", "ORDERS|PO1|9"),
        ("ORDERS", "BGM+220+PO1+5", "po:PO1", ""),
        ("ORDRSP", "BGM+231+A1+29~RFF+ON:PO1", "po:PO1", ""),
        ("ORDCHG", "BGM+230+C1+4~RFF+ON:PO1", "po:PO1", ""),
        ("DESADV", "BGM+351+S1+9~RFF+ON:PO1", "po:PO1", "DESADV|S1|9"),
        ("INVOIC", "BGM+380+I1+9", "INVOIC:I1", "INVOIC|I1|9"),
        ("INVRPT", "BGM+35+R1+9", "inventory", ""),
    ],
)
def test_edifact(kind: str, text: str, lane: str, business: str) -> None:
    """BGM in the places of both syntax generations, the order by RFF."""
    found = named(kind, text, "+")
    assert (found.lane, found.business) == (lane, business)


def test_a_released_mark_is_part_of_a_number() -> None:
    """Two orders whose numbers differ behind it are two, and their answers find them."""
    rows = [["UNH", "1", "ORDERS:D:96A:UN"], ["BGM", "220", "2026?:1", "9"], ["RFF", "ON:A?+B"]]
    marks = Separators("+", ":", "'", None, "?")
    found = naming_of("ORDERS", rows, marks)
    assert (found.lane, found.business, found.reference) == ("po:2026:1", "ORDERS|2026:1|9", "2026:1")
    assert naming_of("ORDRSP", rows, marks).lane == "po:A+B"


def test_keys_keep_partners_tests_and_counts_apart() -> None:
    """Test and production, the two directions, two documents of one number never share a key; counts have none."""
    us, them = Party("ZZ", "US"), Party("ZZ", "THEM")
    assert interchange_key(us, them, "1", test=True) != interchange_key(us, them, "1", test=False)
    assert interchange_key(us, them, "1", test=False) != interchange_key(them, us, "1", test=False)
    assert group_key(us, "PO", "1", test=False) != group_key(us, "PC", "1", test=False)
    order = named("850", "BEG*00*SA*PO1**20261120")
    assert business_key(order, "d", "850", test=True) != business_key(order, "d", "850", test=False)
    assert business_key(order, "d", "850", test=False) == business_key(order, "other", "850", test=False)
    answer = named("855", "BAK*00*AC*PO1")
    assert business_key(answer, "d", "855", test=False) != business_key(answer, "other", "855", test=False)
    assert business_key(named("846", "BIA*00*DD*REF1"), "d", "846", test=False) == ""
