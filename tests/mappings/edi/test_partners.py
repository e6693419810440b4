"""A partner profile is read whole or refused with file, line and key; the shipped examples all hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.edi import read
from mappings.edi.grammar.profile import ProfileInvalid
from mappings.edi.partners import PartnerProfile, find_partner, read_partner, shipped_partners
from tests.support.interchanges import X12

WHOLE = """
name: Big Box
versions: ["005010"]
strictness: {counts: accept}
identities:
  us: {qualifier: ZZ, id: INVENTEDSELLER}
  them: {qualifier: ZZ, id: INVENTEDBUYER}
deadlines: {acknowledgement: 24h, sets: {"856": 30m}}
units: {CS: CA}
packs: {CA: 12}
tables:
  line_status: {inward: {"00": accepted}, outward: {accepted: "00"}}
transport: {folder: {path: in}}
"""


def read_text(folder: Path, text: str) -> PartnerProfile:
    path = folder / "partner.yaml"
    path.write_text(text, encoding="utf-8")
    return read_partner(path)


def test_a_whole_profile(tmp_path: Path) -> None:
    """Both halves, judging and agreement, come from one file, and spans of time are seconds."""
    partner = read_text(tmp_path, WHOLE)
    assert partner.name == "Big Box"
    assert partner.judging.versions == ("005010",)
    assert partner.agreed.deadlines.acknowledgement == 86_400
    assert partner.agreed.deadlines.sets == {"856": 1_800}
    assert partner.version_of("856") == "005010"
    assert partner.agreed.transport == {"folder": {"path": "in"}}
    assert partner.terms["inward"] == {"line_status": {"00": "accepted"}}
    assert partner.terms["packs"] == {"CA": 12}


def test_a_partner_is_known_by_both_addresses(tmp_path: Path) -> None:
    """Sender and receiver, with their qualifiers, decide whose file it is."""
    partner = read_text(tmp_path, WHOLE)
    (interchange,) = read(X12)
    assert partner.is_between(interchange.sender, interchange.receiver)
    assert not partner.is_between(interchange.receiver, interchange.sender)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("names: X", "partner.yaml:1: names: unknown key; did you mean name?"),
        ("name: X\nrole: shop", "partner.yaml:2: role: Input should be"),
        ("asn:\n  levles: SOI", "partner.yaml:2: asn.levles: unknown key; did you mean levels?"),
        ('asn: {structure: "0004", levels: SOPI}', "partner.yaml:1: asn: structure 0004 stands for SOI"),
        ("deadlines:\n  acknowledgement: 24", "partner.yaml:2: deadlines.acknowledgement: must be a span of time"),
        ("identities: {us: {id: A}}", "partner.yaml:1: identities.them: is missing"),
        ("identities: {us: {id: 12}, them: {id: A}}", "identities.us.id: must be text; quote numbers"),
        ("envelope: {element: '>'}", "envelope: element, component, segment and repetition must be four different"),
        ("envelope: {element: 'A'}", "envelope: letters, digits, blank and - . + cannot separate"),
        ("envelope: {repetition: '^'}", "envelope: repetition separates from version 00402 on only"),
        ("envelope: {syntax: edifact}", "envelope: version must be of the syntax"),
        ("envelope: {substitute: '*'}", "envelope: substitute must not be a separator"),
        ("tables: {line_status: {inward: {IA: fine}}}", "line_status has no word 'fine'"),
        ("packs: {CA: 0}", "partner.yaml:1: packs.CA: Input should be greater than 0"),
        ("time_zone: Mars/Base", "partner.yaml:1: time_zone: is no zone"),
        ("versions:\n  - 4010", "partner.yaml:1: versions: must be a list of texts"),
        ("name: A\nname: B", "partner.yaml:2: name: is given twice"),
        ("- a list", "partner.yaml:1: the file must hold a mapping"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    """No profile is taken in part."""
    with pytest.raises(ProfileInvalid) as caught:
        read_text(tmp_path, text)
    assert any(fault in each for each in caught.value.faults), caught.value.faults


def test_every_fault_is_told(tmp_path: Path) -> None:
    """One run names the faults of both halves, in the order of the file."""
    with pytest.raises(ProfileInvalid) as caught:
        read_text(tmp_path, "role: shop\nstrictness: {count: accept}\npacks: {CA: x}")
    assert [each.split(":")[1] for each in caught.value.faults] == ["1", "2", "3"]


@pytest.mark.parametrize("name", shipped_partners())
def test_shipped_examples_hold(name: str) -> None:
    """Each ships with identities, deadlines and a version for what it sends."""
    partner = find_partner(name)
    assert partner.agreed.identities is not None
    assert partner.agreed.deadlines.acknowledgement
    assert partner.judging.versions
    assert partner.judging.sets
    assert partner.version_of("997")


def test_seven_examples_ship() -> None:
    """Retailers of two kinds and syntaxes, marketplaces, a warehouse, a supplier."""
    assert shipped_partners() == (
        "big-box", "department-store", "direct-fulfilment", "edifact-retailer", "grocery-warehouse", "marketplace",
        "supplier",
    )  # fmt: skip


def test_an_unknown_name_lists_the_examples(tmp_path: Path) -> None:
    """A misspelt name is answered with those there are."""
    with pytest.raises(ProfileInvalid, match="shipped examples are big-box"):
        find_partner(str(tmp_path / "absent.yaml"))
