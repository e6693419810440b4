"""What was read is written back byte for byte; what is written anew can be read, or is refused with its place."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mappings.edi import (
    Composite,
    NotWritable,
    Repeated,
    Segment,
    Separators,
    TransactionSet,
    encode,
    read,
    rewrite,
    write,
)
from tests.support.interchanges import EDIFACT, X12, codes, samples, sets_of

ODD = [
    X12,
    EDIFACT,
    b"\xef\xbb\xbf" + X12.replace(b"~", b"~\r\n") + b"\r\n\x1a",
    b"header\n" + X12 + b"\n\nbetween\n" + EDIFACT + b"behind",
    X12[:-20],
    X12[:200] + X12,
    X12.replace(b"GE*1*17~", b"GE*1*17~junk~TA1*1~"),
]


@pytest.mark.parametrize("source", ODD)
def test_unchanged_input_is_written_back_equal(source: bytes) -> None:
    """Whole, wrapped, damaged, with bytes before, between and behind: from memory and from a file."""
    assert b"".join(write(read(source))) == source
    assert b"".join(write(read(io.BytesIO(source)))) == source


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_published_files_are_written_back_equal(path: Path) -> None:
    """Every published interchange comes back as it was."""
    source = path.read_bytes()
    assert b"".join(write(read(source))) == source


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_rewritten_set_keeps_its_surroundings(end: str) -> None:
    """Only the set's bytes differ; its trailer counts what is there now and line ends stay what they were."""
    source = X12.replace(b"~", b"~" + end.encode())

    def without_lines(found: TransactionSet) -> None:
        rewrite(found, [each for each in found.segments if each.tag != "PO1"])

    changed = b"".join(write(read(source), edit=without_lines))
    line = f"PO1*1*12*EA*9.95**UP*012345678905~{end}".encode()
    assert changed == source.replace(line, b"").replace(b"SE*5", b"SE*4")
    assert codes(changed) == set()


def test_values_with_separators_are_escaped_in_edifact() -> None:
    """Release characters are put where they must be, and reading gives the text back."""

    def add(found: TransactionSet) -> None:
        text = ["FTX", "AAI", "", "", Composite(("50% + 2: 'yes'?", "second", ""))]
        rewrite(found, [*found.segments[:3], text, *found.segments[3:]])

    changed = b"".join(write(read(EDIFACT), edit=add))
    assert b"FTX+AAI+++50% ?+ 2?: ?'yes?'??:second'" in changed
    assert sets_of(changed)[0].segments[3].components(4) == ["50% + 2: 'yes'?", "second"]
    assert codes(changed) == set()


def test_a_rewritten_set_stays_in_its_character_set() -> None:
    """Text beyond ASCII is written in the encoding it was read with, or refused where that lacks a character."""
    source = EDIFACT.replace(b"Half", "Hälfte".encode("latin-1"))
    assert b"".join(write(read(source), edit=lambda found: rewrite(found, list(found.segments)))) == source

    def add_polish(found: TransactionSet) -> None:
        rewrite(found, [*found.segments[:-1], ["FTX", "zł"], found.segments[-1]])

    with pytest.raises(NotWritable, match="'ł' is not in iso8859-1"):
        b"".join(write(read(source), edit=add_polish))


def test_values_with_separators_are_refused_in_x12() -> None:
    """X12 has no escape: the place is named, or the partner's substitute is written."""
    separators = Separators("*", ">", "~", repetition="^")
    with pytest.raises(NotWritable, match="segment 2 element 1: '~' separates"):
        encode([["REF", "IA"], ["MSG", "a~b"]], separators)
    assert encode([["MSG", "a~b\nc", ""]], separators, substitute=" ") == b"MSG*a b c~"
    row = ["AK4", Composite(("8", "2")), Repeated((Composite(("A", "")), "B"))]
    assert encode([row], separators, line_end=b"\n") == b"AK4*8>2*A^B~\n"
    with pytest.raises(NotWritable, match="no repetition"):
        encode([["X", Repeated(("A", "B"))]], Separators("*", ">", "~"))
    with pytest.raises(NotWritable, match="segment 1: 'ł' is not in latin-1"):
        encode([["X", "ł"]], separators, charset="latin-1")


def test_segments_of_another_set_are_written_as_received() -> None:
    """A segment that was read goes out with its composites and release characters as they were."""
    segment: Segment = sets_of(EDIFACT)[0].segments[3]
    assert encode([segment], segment.separators) == b"FTX+AAI+++Half price?: 5?+1 pcs??'"


def test_what_could_not_be_kept_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing refuses to pretend when reading had to let bytes go."""
    monkeypatch.setattr("mappings.edi.cursor.SPAN_MAX", 50_000)
    source = X12.replace(b"GE*1", b"junk~" * 100_000 + b"GE*1")
    with pytest.raises(NotWritable, match="too long to keep"):
        b"".join(write(read(io.BytesIO(source))))
