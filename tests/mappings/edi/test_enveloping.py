"""What is written around sets is read back without a problem, and the same numbers give the same bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mappings.edi import Composite, NotWritable, OutgoingSet, Stamp, envelop, judge_all, read
from mappings.edi.acknowledge import Status
from mappings.edi.grammar.profile import STANDARD
from mappings.edi.partners import PartnerProfile, find_partner, shipped_partners
from mappings.edi.partners.model import Agreement

STAMP = Stamp(999_999_999, 999_999_999, datetime(2026, 11, 21, 9, 5))  # noqa: DTZ001 - an envelope's time has no zone
ORDER = OutgoingSet("850", [["BEG", "00", "SA", "PO-1", "", "20261121"], ["PO1", "1", "2", "EA"], ["CTT", "1"]])
INVOICE = OutgoingSet("810", [["BIG", "20261121", "I-1"], ["TDS", "100"]])
MESSAGE = OutgoingSet(
    "ORDERS",
    [["BGM", Composite(("220",)), "PO+1", "9"], ["DTM", Composite(("137", "20261121", "102"))], ["UNS", "S"]],
)


def partner(**terms: Any) -> PartnerProfile:
    agreed = {"identities": {"us": {"id": "US"}, "them": {"id": "THEM", "application": "THEMAPP"}}, **terms}
    return PartnerProfile(STANDARD, Agreement.model_validate(agreed))


@pytest.mark.parametrize("name", shipped_partners())
def test_every_example_writes_what_can_be_read(name: str) -> None:
    """Identities, separators, versions and counts of each shipped profile make a sound interchange."""
    profile = find_partner(name)
    edifact = profile.agreed.envelope.syntax == "edifact"
    sent = envelop([MESSAGE] if edifact else [ORDER, ORDER, INVOICE], profile, STAMP)
    (verdict,) = judge_all(read(sent.content))
    assert list(verdict.problems) == []
    assert verdict.status is Status.ACCEPTED
    assert verdict.receiver.id == profile.agreed.identities.them.id  # type: ignore[union-attr]


def test_groups_and_sets_are_numbered() -> None:
    """Neighbours of one kind share a group, group numbers start again at 1, and each set is named as a 997 names it."""
    sent = envelop([ORDER, ORDER, INVOICE], partner(), STAMP)
    assert [(each.functional_id, each.group, each.kind, each.control) for each in sent.sets] == [
        ("PO", "999999999", "850", "0001"),
        ("PO", "999999999", "850", "0002"),
        ("IN", "1", "810", "0001"),
    ]
    assert (sent.control, sent.groups) == ("999999999", 2)
    assert sent.content == envelop([ORDER, ORDER, INVOICE], partner(), STAMP).content


def test_the_header_has_its_width() -> None:
    """ISA is 106 bytes with its terminator, addresses padded, and the group carries the application ids."""
    content = envelop([ORDER], partner(envelope={"line_end": "\n"}), STAMP).content.decode()
    lines = content.split("\n")
    assert len(lines[0]) == 106
    assert lines[1] == "GS*PO*US*THEMAPP*20261121*0905*999999999*X*004010~"
    assert lines[-3:] == ["GE*1*999999999~", "IEA*1*999999999~", ""]


def test_text_a_partner_can_take() -> None:
    """Accents lose their marks, control characters become blanks, capitals where agreed, separators the substitute."""
    note = OutgoingSet("850", [*ORDER.rows[:1], ["N9", "ZZ", "Crème\nbrûlée * 2"], *ORDER.rows[1:]])
    content = envelop([note], partner(envelope={"uppercase": True, "substitute": "-"}), STAMP).content
    assert b"N9*ZZ*CREME BRULEE - 2~" in content


def test_edifact_escapes_and_marks_tests() -> None:
    """A separator in a value is released, the test flag is UNB11, and other separators are announced by UNA."""
    terms = {
        "envelope": {"syntax": "edifact", "version": "UNOC:3", "segment": "~"},
        "set_versions": {"ORDERS": "D.01B:EAN010"},
        "identities": {"us": {"id": "1"}, "them": {"id": "2"}, "usage": "T"},
    }
    content = envelop([MESSAGE], partner(**terms), STAMP).content
    assert content.startswith(b"UNA:+.? ~UNB+UNOC:3+1:ZZ+2:ZZ+261121:0905+999999999++++++1~")
    assert b"UNH+1+ORDERS:D:01B:UN:EAN010~BGM+220+PO?+1+9~" in content
    (interchange,) = read(content)
    assert interchange.test


@pytest.mark.parametrize(
    ("terms", "sets", "message"),
    [
        ({}, [], "at least one set"),
        ({}, [OutgoingSet("999999", [])], "no functional group is known for the set 999999"),
        ({"identities": None}, [ORDER], "has no identities"),
        ({"identities": {"us": {"id": "A" * 16}, "them": {"id": "B"}}}, [ORDER], "room for 2 and 15"),
        ({"identities": {"us": {"id": "A*B"}, "them": {"id": "B"}}}, [ORDER], "holds a separator"),
        ({}, [OutgoingSet("850", [["BEG", "00", "SA", "PO*1"]])], "separates and cannot stand in a value"),
        ({}, [OutgoingSet("850", [["BEG", "00", "SA", "日本"]])], "is not in ascii"),
        (
            {"envelope": {"syntax": "edifact", "version": "UNOC:3"}, "set_versions": {"ORDERS": "96A"}},
            [MESSAGE],
            "is no",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(terms: dict[str, Any], sets: list[OutgoingSet], message: str) -> None:
    """Nothing is sent that the partner would read otherwise than it was meant."""
    with pytest.raises(NotWritable, match=message):
        envelop(sets, partner(**terms), STAMP)


def test_the_profile_decides_the_version() -> None:
    """A set's own version wins over the first one agreed."""
    profile = partner(set_versions={"850": "004010VICS"})
    sent = envelop([ORDER], replace(profile, judging=replace(STANDARD, versions=("005010",))), STAMP)
    assert b"*X*004010VICS~" in sent.content


def test_letters_a_character_set_lacks_are_spelt_with_those_it_has() -> None:
    """The apostrophe of a telephone or a foreign letter in a name keeps no order from the warehouse."""
    note = OutgoingSet("850", [*ORDER.rows[:1], ["N9", "ZZ", "O’Brien – “Straße”, Łódź"], *ORDER.rows[1:]])
    assert b'N9*ZZ*O\'Brien - "Strasse", Lodz~' in envelop([note], partner(), STAMP).content
    terms = {"envelope": {"syntax": "edifact", "version": "UNOC:3"}, "set_versions": {"ORDERS": "D.01B"}}
    named = OutgoingSet("ORDERS", [["BGM", Composite(("220",)), "Müller’s Łódź", "9"], *MESSAGE.rows[1:]])
    assert "BGM+220+Müller?'s Lódz+9'".encode("latin-1") in envelop([named], partner(**terms), STAMP).content
