"""The grammars are whole, agree with the published tables, and judge values and conditions as the standard does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mappings.edi.grammar import grammar_for
from mappings.edi.grammar.messages import messages
from mappings.edi.grammar.notes import Note
from mappings.edi.grammar.releases import RELEASES, release, release_of, x12_sets
from mappings.edi.grammar.rules import ElementRule
from mappings.edi.grammar.segments import Composite, SegmentRule
from mappings.edi.grammar.structure import Structure
from mappings.edi.model import Separators
from mappings.edi.problems import Code

SETS = (
    "850", "855", "856", "860", "865", "810", "846", "820", "824", "832", "852", "861",
    "940", "943", "944", "945", "947", "997", "999", "214", "753", "754",
)  # fmt: skip
MESSAGES = ("ORDERS", "ORDRSP", "ORDCHG", "DESADV", "INVOIC", "INVRPT", "RECADV", "CONTRL", "APERAK", "IFTSTA")
FACTS = Path(__file__).resolve().parents[3] / ".." / "shared" / "specs" / "edi" / "segments_4010.json"
STAR = Separators("*", ">", "~")


@pytest.mark.parametrize("version", ["004010", "004010VICS", "004010UCS", "005010", "005010X221"])
@pytest.mark.parametrize("kind", SETS)
def test_every_set_has_a_grammar_in_every_release(kind: str, version: str) -> None:
    """Each set is known under plain and industry versions, and names only segments its release knows."""
    grammar = grammar_for(kind, version)
    assert grammar is not None
    assert grammar.release == version[:6]
    assert grammar.structure.tags <= set(grammar.segments)
    assert grammar.counted <= grammar.structure.tags


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_message_has_a_grammar(kind: str) -> None:
    """Each message is known in any directory, and names only segments the dictionary knows."""
    grammar = grammar_for(kind, "D.96A")
    assert grammar is not None
    assert grammar.structure.tags <= set(grammar.segments)


def test_nothing_else_claims_a_grammar() -> None:
    """The lists above are all there is; an unknown kind has none, and none raises."""
    assert set(x12_sets()) == set(SETS)
    assert set(messages()) == set(MESSAGES)
    assert [grammar_for(kind, "004010") for kind in ("204", "", "85O", "ISA", "IFTMBC", "é")] == [None] * 6


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("004010", ("004010", True)),
        ("004010VICS", ("004010", True)),
        ("005010X222A1", ("005010", True)),
        ("004060", ("004010", False)),
        ("008010", ("005010", False)),
        ("003050", ("004010", False)),
        ("21", ("004010", False)),
        ("", ("004010", False)),
    ],
)
def test_the_group_version_selects_the_release(version: str, expected: tuple[str, bool]) -> None:
    """GS08 selects the nearest release that is not newer, and tells when it is not the one stated."""
    assert release_of(version) == expected


@pytest.mark.skipif(not FACTS.exists(), reason="the published tables are not here")
def test_segments_agree_with_the_published_tables() -> None:
    """Element numbers, requirement, type and length of every published segment stand in the tables as published."""
    ours = release(RELEASES[0]).segments
    for tag, facts in json.loads(FACTS.read_text()).items():
        rule = ours[tag]
        assert rule is not None, tag
        assert len(rule.places) == len(facts["el"]), tag
        for place, (number, requirement, kind, low, high) in zip(rule.places, facts["el"], strict=True):
            assert (place.rule.reference, place.mandatory) == (number, requirement == "M"), tag
            if isinstance(place.rule, ElementRule):
                assert (place.rule.kind, str(place.rule.low), str(place.rule.high)) == (kind, low, high), (tag, number)


@pytest.mark.parametrize(
    ("kind", "low", "high", "text", "flaw"),
    [
        ("R", 1, 4, "12.34", None),
        ("R", 1, 4, "-12.34", None),
        ("R", 1, 4, "12.345", Code.ELEMENT_LONG),
        ("R", 1, 4, "1,5", Code.ELEMENT_CHARACTER),
        ("R", 1, 4, ".", Code.ELEMENT_CHARACTER),
        ("R", 1, 4, "+1", Code.ELEMENT_CHARACTER),
        ("R", 1, 4, "१२", Code.ELEMENT_CHARACTER),
        ("N2", 1, 4, "1234", None),
        ("N2", 1, 4, "12.34", Code.ELEMENT_CHARACTER),
        ("DT", 8, 8, "20240229", None),
        ("DT", 8, 8, "20230229", Code.ELEMENT_DATE),
        ("DT", 8, 8, "240229", Code.ELEMENT_SHORT),
        ("DT", 6, 6, "240229", None),
        ("TM", 4, 8, "2359", None),
        ("TM", 4, 8, "235959", None),
        ("TM", 4, 8, "23595999", None),
        ("TM", 4, 8, "2400", Code.ELEMENT_TIME),
        ("TM", 4, 8, "12:00", Code.ELEMENT_TIME),
        ("AN", 2, 4, "A", Code.ELEMENT_SHORT),
        ("AN", 2, 4, "ABCDE", Code.ELEMENT_LONG),
        ("AN", 2, 4, "ABCD    ", None),
        ("AN", 2, 4, "AB\x07", Code.ELEMENT_CHARACTER),
        ("n", 1, 4, "1,25", None),
        ("a", 1, 4, "AB1", Code.ELEMENT_CHARACTER),
    ],
)
def test_values_are_judged_by_type_and_length(kind: str, low: int, high: int, text: str, flaw: Code | None) -> None:
    """Each type takes what the standard allows; neither sign nor decimal point counts as length."""
    assert ElementRule("1", kind, low, high).flaw(text) == flaw


@pytest.mark.parametrize(
    ("note", "present", "broken"),
    [
        ("P0304", "..xx", []),
        ("P0304", "..x.", [(Code.ELEMENT_CONDITION, 4)]),
        ("P0304", "..", []),
        ("R0203", "x", [(Code.ELEMENT_CONDITION, 2)]),
        ("R0203", "x.x", []),
        ("E0103", "x.x", [(Code.ELEMENT_EXCLUSION, 3)]),
        ("E0103", "x", []),
        ("C0302", ".xx", []),
        ("C0302", "..x", [(Code.ELEMENT_CONDITION, 2)]),
        ("C030405", "..x", [(Code.ELEMENT_CONDITION, 4), (Code.ELEMENT_CONDITION, 5)]),
        ("L010203", "x", [(Code.ELEMENT_CONDITION, 2)]),
        ("L010203", "x.x", []),
        ("L010203", ".x", []),
    ],
)
def test_conditions_between_elements(note: str, present: str, broken: list[tuple[Code, int]]) -> None:
    """Each kind of syntax note is broken where, and only where, the standard says."""
    assert list(Note.parse(note).broken([mark == "x" for mark in present])) == broken


@pytest.mark.parametrize("text", ["X0102", "P01", "P010", ""])
def test_a_note_that_is_none_is_refused(text: str) -> None:
    """A table with a mistyped note is refused when it is read, not when traffic meets it."""
    with pytest.raises(ValueError, match="no syntax note"):
        Note.parse(text)


@pytest.mark.parametrize("body", ["A1", "N1{N2", "N1}", "n1", "N1{N2*{}"])
def test_a_body_that_cannot_be_read_is_refused(body: str) -> None:
    """Braces that do not match and words that are no tags are faults of the table."""
    if body == "A1":
        assert Structure(body, "ST", "SE").tags == {"ST", "A1", "SE"}
        return
    with pytest.raises(ValueError, match=r"cannot read|not closed|not opened"):
        Structure(body, "ST", "SE")


@pytest.mark.parametrize("name", RELEASES)
def test_the_fast_way_never_calls_bad_good(name: str) -> None:
    """Whatever the one-match shortcut accepts, the element-by-element check accepts too, for values at every edge."""
    values = [
        "",
        "0",
        "A",
        "AB",
        "ABC",
        "1.5",
        "-3",
        "20261121",
        "20261131",
        "1130",
        "9" * 8,
        "x" * 30,
        "x" * 90,
        "é",
        "٣٣",
        "\x01",
    ]
    for rule in release(name).segments.values():
        if rule is None or any(isinstance(place.rule, Composite) for place in rule.places):
            continue
        for at in range(len(rule.places)):
            for value in values:
                row = ["" if place.mandatory is False else "AB" for place in rule.places]
                row[at] = value
                quick = SegmentRule(rule.tag, rule.places, rule.notes).check(row, STAR)
                assert bool(quick) == bool(slow_flaws(rule, row)), (rule.tag, at + 1, value)


def slow_flaws(rule: SegmentRule, row: list[str]) -> list[Code]:
    """The standard's rules once more, written without the shortcut."""
    found = [Code.ELEMENT_MISSING for place, text in zip(rule.places, row, strict=True) if place.mandatory and not text]
    for note in rule.notes:
        found += [code for code, _ in note.broken([bool(text) for text in row])]
    for place, text in zip(rule.places, row, strict=True):
        if text and isinstance(place.rule, ElementRule) and (flaw := place.rule.flaw(text)) is not None:
            found.append(flaw)
    return found
