"""A partner's file is validated and answered from the command line, with no hub and no configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli import main
from tests.support.edi_answers import ORDER, x12, x12_set


@pytest.fixture
def order(tmp_path: Path) -> Path:
    path = tmp_path / "order.edi"
    path.write_bytes(x12([x12_set("850", ORDER, count=9), x12_set("850", ORDER, "0002")]))
    return path


def test_validation_says_what_is_refused_and_why(order: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each problem stands under its set with the action and the standard's code; exit 2 for a refusal."""
    assert main(["edi", "validate", str(order)]) == 2
    told = capsys.readouterr().out
    assert "group 7 PO 004010: partially accepted, 1 of 2 sets taken" in told
    assert "reject [AK502 4] SE[5] element 1: SE01 says 9" in told
    assert told.rstrip().endswith("850 0002: accepted")


def test_validation_as_json(order: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs: every problem with class, action and place, every set with whether it is taken."""
    assert main(["edi", "validate", "--json", str(order)]) == 2
    (interchange,) = json.loads(capsys.readouterr().out)
    (group,) = interchange["groups"]
    assert [(each["control"], each["taken"]) for each in group["sets"]] == [("0001", False), ("0002", True)]
    (problem,) = group["sets"][0]["problems"]
    assert (problem["code"], problem["class"], problem["action"]) == ("set_count", "counts", "reject")


def test_a_partner_may_be_more_lenient(order: Path, tmp_path: Path) -> None:
    """The same file is taken when the profile says that counts do not matter."""
    profile = tmp_path / "partner.yaml"
    profile.write_text("strictness: {counts: accept}\n", encoding="utf-8")
    assert main(["edi", "validate", "--partner", str(profile), str(order)]) == 0


def test_an_answer_is_written_as_bytes(order: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The acknowledgement goes to standard output with the control numbers given."""
    assert main(["edi", "ack", "--control", "9001", "--group", "31", str(order)]) == 0
    answer = capsysbinary.readouterr().out
    assert answer.startswith(b"ISA*00*")
    assert b"AK5*R*4~AK2*850*0002~AK5*A~AK9*P*2*2*1~" in answer
    assert answer.endswith(b"GE*1*31~IEA*1*000009001~")


@pytest.mark.parametrize("verb", ["validate", "ack"])
def test_a_file_that_is_none_is_refused(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such file, and a file without an interchange: one line on stderr and exit 2."""
    other = tmp_path / "note.txt"
    other.write_text("Dear partner,\n", encoding="utf-8")
    for path, why in ((tmp_path / "none.edi", "No such file"), (other, "holds no interchange")):
        assert main(["edi", verb, str(path)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert why in told.err
        assert len(told.err.splitlines()) == 1


def test_a_profile_with_faults_is_refused(order: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All faults of the profile are told in one line, and the file is not judged."""
    profile = tmp_path / "partner.yaml"
    profile.write_text("strictness: {count: accept}\nsets: 850\n", encoding="utf-8")
    assert main(["edi", "validate", "--partner", str(profile), str(order)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert "did you mean counts?" in told.err
    assert "sets: must be a list" in told.err


def test_a_file_of_acknowledgements_needs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written for a 997, and the reason is said."""
    path = tmp_path / "ack.edi"
    path.write_bytes(x12([x12_set("997", ["AK1*PO*7", "AK9*A*1*1*1"])], group="FA"))
    assert main(["edi", "ack", str(path)]) == 0
    told = capsys.readouterr()
    assert (told.out, "nothing in it is to be acknowledged" in told.err) == ("", True)
