"""A set is JSON whose shape depends on its grammar alone, so that mappings can rely on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mappings.edi.grammar import grammar_for, loops
from mappings.edi.reading import read
from tests.support.edi_answers import edifact, message, x12, x12_set


def first(source: bytes) -> dict[str, Any]:
    """The JSON form of the first set of a file."""
    for interchange in read(source):
        for group in interchange.groups:
            for found in group.sets:
                grammar = grammar_for(found.kind, found.version)
                assert grammar is not None
                return loops(found, grammar)
    pytest.fail("the file holds no set")


def test_segments_and_loops_of_an_order() -> None:
    """Once is an object, repeatable an array, a loop an array under its name, an empty element absent."""
    body = [
        "BEG*00*SA*PO-1**20261101",
        "REF*DP*016",
        "N1*ST*STORE 12*92*0012",
        "N3*1 MAIN ST",
        "N1*BT*OFFICE",
        "PO1*1*12*EA*7.25**VN*MUG",
        "PID*F****A MUG",
        "SDQ*EA*92*0012*5*0034*7",
        "PO1*2*1*EA",
        "CTT*2",
    ]
    assert first(x12([x12_set("850", body)])) == {
        "ST": {"01": "850", "02": "0001"},
        "BEG": {"01": "00", "02": "SA", "03": "PO-1", "05": "20261101"},
        "REF": [{"01": "DP", "02": "016"}],
        "N1_loop": [
            {"N1": {"01": "ST", "02": "STORE 12", "03": "92", "04": "0012"}, "N3": [{"01": "1 MAIN ST"}]},
            {"N1": {"01": "BT", "02": "OFFICE"}},
        ],
        "PO1_loop": [
            {
                "PO1": {"01": "1", "02": "12", "03": "EA", "04": "7.25", "06": "VN", "07": "MUG"},
                "PID_loop": [{"PID": {"01": "F", "05": "A MUG"}}],
                "SDQ": [{"01": "EA", "02": "92", "03": "0012", "04": "5", "05": "0034", "06": "7"}],
            },
            {"PO1": {"01": "2", "02": "1", "03": "EA"}},
        ],
        "CTT_loop": [{"CTT": {"01": "2"}}],
        "SE": {"01": "12", "02": "0001"},
    }


@pytest.mark.parametrize("parents", [True, False])
def test_levels_of_a_ship_notice_form_a_tree(parents: bool) -> None:
    """HL02 says whose child a level is; a file without any HL02 is read by the order of its levels."""
    levels = [("1", "", "S"), ("2", "1", "O"), ("3", "2", "P"), ("4", "3", "I"), ("5", "2", "P"), ("6", "5", "I")]
    body = ["BSN*00*S-1*20261121*1130*0001"]
    body += [f"HL*{number}*{parent if parents else ''}*{level}" for number, parent, level in levels]
    found = first(x12([x12_set("856", [*body, "CTT*6"])], group="SH"))
    assert shape(found["HL_loop"]) == [("S", [("O", [("P", [("I", [])]), ("P", [("I", [])])])])]


def shape(levels: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(level["HL"]["03"], shape(level.get("HL_loop", []))) for level in levels]


def test_a_hostile_tree_can_still_be_written() -> None:
    """A chain of thousands of levels, and a level that is its own parent, give JSON of bounded depth."""
    chain = [f"HL*{number}*{number - 1 or ''}*I" for number in range(1, 5_000)]
    found = first(x12([x12_set("856", ["BSN*00*S-1*20261121*1130", *chain, "HL*A*A*I"])], group="SH"))
    assert '"HL_loop"' in json.dumps(found)
    assert {"HL": {"01": "A", "02": "A", "03": "I"}} in found["HL_loop"]


@pytest.mark.parametrize("head", ["HL*1^2**S", "HL*1>2**S", "HL*2*1^2*O", "HL*2*1>2*O", "HL***S", "HL*1**S^O"])
def test_a_level_whose_id_is_no_id_stands_at_the_root(head: str) -> None:
    """Parts where an id should be name nobody; nothing is lost and nothing raised."""
    found = first(x12([x12_set("856", ["BSN*00*S-1*20261121*1130", head, "HL*3*7*I"])], version="005010"))
    assert len(found["HL_loop"]) == 2


def test_composites_and_repetitions() -> None:
    """A composite is an object of its components, a repeated element an array; the rest is text."""
    body = ["BEG*00*SA*PO-1**20261101", "REF*DP*016^017", "PO1*1*1*EA", "SLN*1**I*2*EA>3*1.5"]
    found = first(x12([x12_set("850", body)], version="005010"))
    assert found["REF"] == [{"01": "DP", "02": ["016", "017"]}]
    assert found["PO1_loop"][0]["SLN_loop"][0]["SLN"]["05"] == {"01": "EA", "02": "3"}
    single = first(x12([x12_set("850", [*body[:1], *body[2:3], "SLN*1**I*2*EA*1.5"])]))
    assert single["PO1_loop"][0]["SLN_loop"][0]["SLN"]["05"] == {"01": "EA"}


def test_nothing_is_lost() -> None:
    """A segment without a place is kept aside with where it stood; one too many becomes an array."""
    beg = "BEG*00*SA*PO-1**20261101"
    found = first(x12([x12_set("850", [beg, beg, "ZZ9*x", "PO1*1*1*EA", "BEG*01"])]))
    assert [each["03"] for each in found["BEG"]] == ["PO-1", "PO-1"]
    assert found["_unplaced"] == [
        {"tag": "ZZ9", "position": 4, "after": "BEG", "01": "x"},
        {"tag": "BEG", "position": 6, "after": "PO1", "01": "01"},
    ]


def test_edifact_is_read_the_same_way() -> None:
    """Groups are loops, composites objects, release characters resolved."""
    body = [
        "BGM+220+PO-1+9",
        "DTM+137:20261101:102",
        "FTX+AAI+++Half price?: yes",
        "LIN+1++4000001000005:EN",
        "QTY+21:12",
        "UNS+S",
    ]
    found = first(edifact([message("ORDERS", body)]))
    assert found["BGM"] == {"01": {"01": "220"}, "02": {"01": "PO-1"}, "03": "9"}
    assert found["DTM"] == [{"01": {"01": "137", "02": "20261101", "03": "102"}}]
    assert found["FTX"][0]["04"] == {"01": "Half price: yes"}
    assert found["LIN_loop"] == [
        {"LIN": {"01": "1", "03": {"01": "4000001000005", "02": "EN"}}, "QTY": [{"01": {"01": "21", "02": "12"}}]}
    ]


def test_text_with_a_component_separator_in_it_is_text() -> None:
    """What X12 knows as one simple element is whole, so that a note or an id never becomes an object."""
    body = ["BEG*00*SA*PO-1**20261101", "N1*ST*ATTN> BOB", "PO1*1*1*EA***VN*MUG>1", "SLN*1**I*2*EA>3*1.5"]
    found = first(x12([x12_set("850", body)]))
    assert found["N1_loop"][0]["N1"]["02"] == "ATTN> BOB"
    assert found["PO1_loop"][0]["PO1"]["07"] == "MUG>1"
    assert found["PO1_loop"][0]["SLN_loop"][0]["SLN"]["05"] == {"01": "EA", "02": "3"}
