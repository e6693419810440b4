"""`trunkline edi inspect` shows what is in a partner's file and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import command
from tests.support.interchanges import EDIFACT, X12


def test_a_file_is_shown_as_a_tree_with_its_problems(tmp_path: Path) -> None:
    """Segments in order under their set; a problem stands under its segment with the code it is told with."""
    file = tmp_path / "orders.edi"
    file.write_bytes(X12.replace(b"SE*5", b"SE*6") + EDIFACT)
    lines = command("edi", "inspect", str(file)).out.splitlines()
    assert lines[0].startswith("interchange 1: x12 00401, control 000000001, ZZ:INVENTEDBUYER → ZZ:INVENTEDSELLER")
    trailer = next(number for number, line in enumerate(lines) if line.split()[:2] == ["5", "SE"])
    assert "set_count at SE[5] element 1" in lines[trailer + 1]
    assert lines[trailer + 1].endswith("[AK502 4]")
    assert sum("!!" in line for line in lines) == 1
    assert any(line.startswith("interchange 2: edifact UNOC:3") for line in lines)


def test_a_file_is_shown_as_json(tmp_path: Path) -> None:
    """One array of interchanges, segments with position, offset and elements; from standard input as well."""
    file = tmp_path / "orders.edi"
    file.write_bytes(X12 + EDIFACT.replace(b"UNZ+1", b"UNZ+2"))
    shown = command("edi", "inspect", "--json", str(file)).json
    assert [each["syntax"] for each in shown] == ["x12", "edifact"]
    line = shown[0]["groups"][0]["sets"][0]["segments"][2]
    assert (line["tag"], line["position"], line["elements"][:2]) == ("PO1", 3, ["1", "12"])
    assert X12[line["offset"] :].startswith(b"PO1*1*12")
    (problem,) = shown[1]["problems"]
    assert (problem["code"], problem["told_as"]) == ("interchange_count", ["CONTRL 29"])
    brief = json.loads(command("edi", "inspect", "--json", "--brief", "-", stdin=X12).out)
    assert "segments" not in brief[0]["groups"][0]["sets"][0]


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("content", [b"", b"hello", b"ISA*00*"])
def test_a_file_without_an_interchange_ends_with_2(tmp_path: Path, content: bytes, form: tuple[str, ...]) -> None:
    """The reason is told in one line, and nothing else is."""
    file = tmp_path / "orders.edi"
    file.write_bytes(content)
    done = command("edi", "inspect", *form, str(file))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "no interchange in it" in done.err


def test_what_a_file_holds_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters are shown as escapes."""
    file = tmp_path / "orders.edi"
    file.write_bytes(X12.replace(b"4500001", b"45\x1b[2J01"))
    out = command("edi", "inspect", str(file)).out
    assert "\x1b" not in out
    assert "\\x1b[2J" in out
