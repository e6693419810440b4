"""`normalize edi`: documents of the sets that can be taken, a line per problem, exit 2 when anything was refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli import main
from tests.support.edi_answers import edifact, message, x12, x12_set

ORDER = ("BEG*00*SA*PO-1**20261101", "PO1*1*12*EA*7.25**VN*MUG", "CTT*1")
CASES = ("BEG*00*SA*PO-2**20261101", "PO1*1*12*CA*7.25**VN*MUG", "CTT*1")


def run(folder: Path, content: bytes, *arguments: str, kind: str = "-") -> int:
    file = folder / "in.edi"
    file.write_bytes(content)
    return main(["normalize", "edi", kind, str(file), *arguments])


def test_good_sets_become_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every set of every group, in the order of the file."""
    content = x12([x12_set("850", ORDER), x12_set("850", (*ORDER[:1], *ORDER[1:]), "0002")])
    assert run(tmp_path, content) == 0
    documents = json.loads(capsys.readouterr().out)
    assert [document["number"] for document in documents] == ["PO-1", "PO-1"]
    assert documents[0]["source"]["connector"] == "edi"
    assert documents[0]["source"]["version"] < documents[1]["source"]["version"]


def test_a_set_that_cannot_be_mapped_leaves_its_neighbours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case of unknown size refuses that order alone, naming the line."""
    assert run(tmp_path, x12([x12_set("850", CASES), x12_set("850", ORDER, "0002")])) == 2
    told = capsys.readouterr()
    assert [document["number"] for document in json.loads(told.out)] == ["PO-1"]
    assert "set 850 0001" in told.err
    assert "lines[0].quantity" in told.err
    assert "the unit 'CA' has no pack size" in told.err


def test_the_partners_packs_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the document leaves open the partner's profile may answer."""
    profile = tmp_path / "partner.yaml"
    profile.write_text("packs: {CA: 12}\ncurrency: USD\n", encoding="utf-8")
    assert run(tmp_path, x12([x12_set("850", CASES)]), "--partner", str(profile)) == 0
    (line,) = json.loads(capsys.readouterr().out)[0]["lines"]
    assert (line["quantity"], line["unit_price"]) == (144, {"amount": "7.25", "currency": "USD"})


def test_counts_warn_and_control_numbers_reject(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong count is a warning on the document, a wrong control number refuses the set."""
    content = x12([x12_set("850", ORDER, count=9), x12_set("850", ORDER, "0002", end="0003")], declared=7)
    assert run(tmp_path, content) == 2
    told = capsys.readouterr()
    (document,) = json.loads(told.out)
    assert {problem["code"] for problem in document["source"]["problems"]} >= {"AK502 4", "AK905 5"}
    assert "[AK502 3]" in told.err


def test_test_data_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ISA15 T stands on every document."""
    assert run(tmp_path, x12([x12_set("850", ORDER)], usage="T")) == 0
    assert json.loads(capsys.readouterr().out)[0]["source"]["test"] is True


def test_only_one_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A kind named is a filter; one that no mapping reads is bad usage."""
    content = x12([x12_set("850", ORDER)])
    assert run(tmp_path, content, kind="860") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(tmp_path, content, kind="851") == 2
    assert "no mapping reads '851'; known are" in capsys.readouterr().err


def test_what_is_no_file_of_a_partner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing readable, and a profile for another connector, are usage errors."""
    assert run(tmp_path, b"hello") == 2
    assert "holds no interchange" in capsys.readouterr().err
    assert main(["normalize", "shopify", "orders/create", "-", "--partner", "big-box"]) == 2
    assert "--partner is for edi" in capsys.readouterr().err


def test_a_set_no_document_can_carry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A request for routing is read, and refused by name: it is no unknown set, and no document says what it says."""
    routing = ("BGN*00*R-1*20261121", "LX*1", "OID**PO-1**CTN*4*G*80")
    assert run(tmp_path, x12([x12_set("753", routing)], group="RF")) == 2
    told = capsys.readouterr()
    assert json.loads(told.out) == []
    assert "set 753 0001: [no_document] 753 (routing request) is read and acknowledged" in told.err


def test_messages_of_every_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of two syntaxes and four kinds gives a document of each, in its order."""
    notice = ("BGM+351+DA-1+9", "DTM+11:20261120:102", "CPS+1", "LIN+1++4000001000005:EN", "QTY+12:5")
    bill = ("BGM+380+I-1+9", "DTM+137:20261120:102", "LIN+1", "QTY+47:2", "PRI+AAA:3,95", "UNS+S", "MOA+77:7,90")
    count = ("BIA*00*SI*R-1*20261120", "LIN**VN*MUG", "QTY*33*4*EA")
    content = x12([x12_set("846", count)], group="IB") + edifact(
        [message("DESADV", notice), message("INVOIC", bill, "2"), message("CONTRL", ("UCI+9+A:1+B:1+7",), "3")]
    )
    assert run(tmp_path, content) == 0
    documents = json.loads(capsys.readouterr().out)
    assert [each["type"] for each in documents] == [
        "stock_report", "ship_notice", "invoice", "functional_acknowledgement",
    ]  # fmt: skip
    assert documents[2]["totals"]["grand_total"]["amount"] == "7.90"


def test_a_separator_in_a_note_costs_no_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is accepted with errors is mapped: a sender without composites writes its component separator as text."""
    noted = (ORDER[0], "N9*L1*NOTE", "MSG*CALL > 10 MINUTES AHEAD", "N1*ST*ATTN> BOB*92*0012", *ORDER[1:])
    assert run(tmp_path, x12([x12_set("850", noted)])) == 0
    told = capsys.readouterr()
    (order,) = json.loads(told.out)
    assert (order["note"], order["ship_to"]["name"]) == ("CALL > 10 MINUTES AHEAD", "ATTN> BOB")
    assert "AK403 13" in told.err


@pytest.mark.parametrize(
    ("stated", "lines"),
    [
        (("N3*1 MAIN ST*SUITE 400", "N3*DOCK 4"), ["1 MAIN ST", "SUITE 400", "DOCK 4"]),
        (("N3*1 MAIN ST", "N3*SUITE 400*DOCK 4"), ["1 MAIN ST", "SUITE 400", "DOCK 4"]),
        (("N3*1 MAIN ST", "N3*SUITE 400"), ["1 MAIN ST", "SUITE 400", None]),
        (("N3*1 MAIN ST*SUITE 400",), ["1 MAIN ST", "SUITE 400", None]),
    ],
)
def test_no_line_of_an_address_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stated: tuple[str, ...], lines: list[str | None]
) -> None:
    """Three lines may stand in two N3 in either way."""
    body = (ORDER[0], "N1*ST*A BUYER", *stated, "N4*SPRINGFIELD*IL*62701", *ORDER[1:])
    assert run(tmp_path, x12([x12_set("850", body)])) == 0
    (order,) = json.loads(capsys.readouterr().out)
    assert [order["ship_to"][name] for name in ("line1", "line2", "line3")] == lines


def test_a_line_shipped_not_at_all_may_say_so_by_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A 945 with an empty W1203 says what was shipped by W1202 less W1204, and costs the other lines nothing."""
    body = ("W06*F*SO-1*20261120*SH-1", "LX*1", "W12*CP*12**12*EA**VN*MUG", "W12*CP*12**2*EA**VN*CUP", "W03*10")
    assert run(tmp_path, x12([x12_set("945", body)], group="SW")) == 0
    (shipment,) = json.loads(capsys.readouterr().out)
    assert [line["quantity"] for line in shipment["packages"][0]["lines"]] == [0, 10]


def test_no_part_of_a_free_text_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An FTX carries up to five lines; each FTX is a line of the note."""
    body = ["BGM+220+4501+9", "DTM+137:20261120:102", "FTX+DEL+++RING TWICE:THEN CALL", "FTX+AAI+++DOCK 4",
            "LIN+1++4000001000005:EN", "QTY+21:12", "UNS+S"]  # fmt: skip
    assert run(tmp_path, edifact([message("ORDERS", body)])) == 0
    (order,) = json.loads(capsys.readouterr().out)
    assert order["note"] == "RING TWICE THEN CALL\nDOCK 4"
