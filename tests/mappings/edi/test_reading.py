"""Interchanges are read whatever their separators, line ends and damage are; every defect is a typed problem."""

from __future__ import annotations

import io

import pytest

from mappings.edi import Code, Level, Party, judge_all, read
from mappings.edi.acknowledge import Status
from tests.support.interchanges import (
    EDIFACT,
    END,
    GS,
    MESSAGE,
    ORDER,
    UNB,
    X12,
    codes,
    isa,
    read_whole,
    sets_of,
    texts,
)


def test_a_good_x12_interchange_tells_who_what_and_which_version() -> None:
    """Header, group and set are typed, and nothing is found wrong."""
    ((interchange, (found,), problems),) = read_whole(X12)
    assert problems == []
    assert (interchange.sender, interchange.receiver) == (Party("ZZ", "INVENTEDBUYER"), Party("ZZ", "INVENTEDSELLER"))
    assert (interchange.control, interchange.version, interchange.test) == ("000000001", "00401", False)
    assert (found.kind, found.control, found.version, len(found.segments)) == ("850", "0001", "004010", 5)
    line = found.segments[2]
    assert (line.tag, line.position, line.value(1), line.value(7), line.value(99)) == (
        "PO1", 3, "1", "012345678905", "",
    )  # fmt: skip
    assert X12[line.offset :].startswith(b"PO1*1*12")


def test_a_good_edifact_interchange_resolves_release_characters() -> None:
    """A released separator is text; components are split where they are not released."""
    ((interchange, (found,), problems),) = read_whole(EDIFACT)
    assert problems == []
    assert (interchange.sender.id, interchange.control, interchange.charset) == ("4000000000006", "REF1", "iso8859-1")
    assert (found.kind, found.version, found.implementation) == ("ORDERS", "D.96A", "EAN008")
    text = found.segments[3]
    assert text.value(4) == "Half price: 5+1 pcs?"
    assert found.segments[2].components(1) == ["137", "20261120", "102"]
    assert EDIFACT[found.segments[4].offset :].startswith(b"LIN+1")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "  \n", "\n\t\t", " "])
def test_line_ends_and_indents_around_terminators_are_no_data(end: str) -> None:
    """Segments are the same with any line end after the terminator, and nothing is found wrong."""
    wrapped = X12.decode().replace("~", "~" + end).encode()
    assert list(texts(sets_of(wrapped)[0])) == list(texts(sets_of(X12)[0]))
    assert codes(wrapped) == set()


@pytest.mark.parametrize("width", [80, 79, 7])
def test_wrapped_lines_are_joined(width: int) -> None:
    """A line broken at any column, inside a segment or a tag, means nothing."""
    body = X12[106:].decode()
    lines = "\r\n".join(body[at : at + width] for at in range(0, len(body), width))
    wrapped = X12[:106] + lines.encode()
    assert list(texts(sets_of(wrapped)[0])) == list(texts(sets_of(X12)[0]))
    assert codes(wrapped) == set()


@pytest.mark.parametrize(
    ("element", "component", "terminator"),
    [
        ("|", "<", "\n"),
        ("^", ":", "\r"),
        ("~", ">", "*"),
        ("*", "`", "\x05"),
        ("\x1d", "\x1f", "\x1c"),
        ("*", ">", "…"),
    ],
)
def test_each_interchange_has_its_own_separators(element: str, component: str, terminator: str) -> None:
    """Separators come from the header, control characters and multi-byte terminators too; two may differ in a file."""
    marks = str.maketrans({"*": element, ">": component, "~": terminator})
    other = X12.decode().replace("000000001", "000000002").translate(marks).encode()
    for source in (X12 + other, other + X12):
        found = sets_of(source)
        assert [each.segments[1].value(3) for each in found] == ["4500001", "4500001"]
        assert codes(source) == set()


def test_prelude_and_missing_last_terminator_are_tolerated() -> None:
    """A byte order mark, blanks and a carrier's header before ISA, and no terminator at the very end."""
    assert codes(b"\xef\xbb\xbf\r\n \0" + X12) == set()
    assert codes(b"VAN HEADER 123\r\n" + X12) == {Code.DATA_OUTSIDE}
    assert codes(X12[:-1]) == set()
    assert codes(EDIFACT[:-1]) == set()


def test_a_header_of_other_width_is_read_and_told() -> None:
    """Sixteen separators make a header; which element has the wrong width is said."""
    trimmed = X12.replace(b"INVENTEDBUYER  ", b"INVENTEDBUYER")
    ((interchange, (found,), problems),) = read_whole(trimmed)
    (problem,) = problems
    assert (problem.code, problem.element_position, problem.answer.ta1) == (Code.HEADER_WIDTH, 6, "022")
    assert interchange.separators.segment == "~"
    assert found.problems == []


@pytest.mark.parametrize(
    ("version", "repeats", "means"), [("00501", "^", "^"), ("00401", "^", None), ("00501", "U", None)]
)
def test_isa11_separates_repetitions_from_00402_on(version: str, repeats: str, means: str | None) -> None:
    """Only a character that can separate does, and only where the version has repetitions."""
    (interchange,) = read(isa(version=version, repeats=repeats).encode() + X12[106:])
    assert interchange.separators.repetition == means


def test_repetitions_and_components_are_split_when_asked() -> None:
    """Elements stay as received until their parts are wanted."""
    source = (isa(version="00501", repeats="^") + GS + "ST*997*0001~AK3*NM1*A1>A2^B1**8~SE*3*0001~" + END).encode()
    segment = sets_of(source)[0].segments[1]
    assert segment.raw(2) == "A1>A2^B1"
    assert segment.repetitions(2) == ["A1>A2", "B1"]
    assert (segment.components(2), segment.components(2, 2), segment.components(9)) == (["A1", "A2"], ["B1"], [])


@pytest.mark.parametrize("mark", ["T", "P"])
def test_test_data_is_marked(mark: str) -> None:
    """ISA15 says whether the data is a test."""
    (interchange,) = read(isa(test=mark).encode() + X12[106:])
    assert interchange.test is (mark == "T")


def test_ta1_is_kept_beside_the_groups() -> None:
    """TA1 before, between or without groups belongs to the interchange."""
    ta1 = "TA1*000000009*261120*1200*A*000~"
    alone = (isa() + ta1 + "IEA*0*000000001~").encode()
    before, after = (
        (isa() + ta1 + GS + ORDER + END).encode(),
        (isa() + GS + ORDER + "GE*1*17~" + ta1 + END[8:]).encode(),
    )
    for source in (alone, before, after):
        ((interchange, _, problems),) = read_whole(source)
        assert interchange.acknowledgements == [["TA1", "000000009", "261120", "1200", "A", "000"]]
        assert problems == []


BINARY_DATA = "a~b*c\nSE*1~~"


def test_binary_data_is_as_long_as_it_says() -> None:
    """Terminators, separators and even a trailer inside binary data are data."""
    source = (isa() + GS + f"ST*275*0001~BIN*{len(BINARY_DATA)}*{BINARY_DATA}~SE*3*0001~" + END).encode()
    ((_, (found,), problems),) = read_whole(source)
    assert problems == []
    assert found.segments[1].elements == ["12", BINARY_DATA]
    assert source[found.segments[2].offset :].startswith(b"SE*3")


@pytest.mark.parametrize("length", ["1a", "", "²", "9" * 5000, "99999999999"])
def test_a_binary_length_that_cannot_be_is_told(length: str) -> None:
    """The data then ends at the terminator."""
    for charset in ("utf-8", "latin-1"):
        source = (isa() + GS + f"ST*275*0001~BIN*{length}*DATA~SE*3*0001~" + END).encode(charset)
        assert codes(source) == {Code.BINARY_LENGTH}


DAMAGE = [
    ("SE*5*0001~", "SE*6*0001~", {Code.SET_COUNT: (Level.SET, "ak502", "4")}),
    ("SE*5*0001~", "SE*5*0002~", {Code.SET_CONTROL_MISMATCH: (Level.SET, "ak502", "3")}),
    ("SE*5*0001~", "", {Code.SET_UNFINISHED: (Level.SET, "ak502", "2")}),
    ("ST*850*0001", "ST*85*0001", {Code.SET_KIND: (Level.SET, "ak502", "6")}),
    ("GE*1*17~", "GE*2*17~", {Code.GROUP_COUNT: (Level.GROUP, "ak905", "5")}),
    ("GE*1*17~", "GE*1*18~", {Code.GROUP_CONTROL_MISMATCH: (Level.GROUP, "ak905", "4")}),
    ("GE*1*17~", "", {Code.GROUP_UNFINISHED: (Level.GROUP, "ak905", "3")}),
    ("IEA*1", "IEA*3", {Code.INTERCHANGE_COUNT: (Level.INTERCHANGE, "ta1", "021")}),
    ("IEA*1*000000001", "IEA*1*000000002", {Code.INTERCHANGE_CONTROL_MISMATCH: (Level.INTERCHANGE, "ta1", "001")}),
    ("IEA*1*000000001~", "", {Code.INTERCHANGE_UNFINISHED: (Level.INTERCHANGE, "ta1", "023")}),
    ("*261120*1200*U", "*261320*1200*U", {Code.INTERCHANGE_DATE: (Level.INTERCHANGE, "ta1", "014")}),
    ("*261120*1200*U", "*261120*2560*U", {Code.INTERCHANGE_TIME: (Level.INTERCHANGE, "ta1", "015")}),
    ("*0*P*>", "*0*X*>", {Code.TEST_INDICATOR: (Level.INTERCHANGE, "ta1", "020")}),
    (
        ORDER,
        ORDER + ORDER,
        {Code.SET_DUPLICATE: (Level.SET, "ak502", "23"), Code.GROUP_COUNT: (Level.GROUP, "ak905", "5")},
    ),
    (ORDER, "N1*ST~" + ORDER, {Code.SEGMENT_OUTSIDE: (Level.SEGMENT, "ta1", "022")}),
]


@pytest.mark.parametrize(("good", "bad", "expected"), DAMAGE)
def test_each_defect_of_an_x12_envelope_has_its_code(
    good: str, bad: str, expected: dict[Code, tuple[Level, str, str]]
) -> None:
    """One defect gives one problem (and its consequence), with the level and the code the partner is told."""
    ((_, _, problems),) = read_whole(X12.decode().replace(good, bad).encode())
    assert {problem.code for problem in problems} == set(expected)
    for problem in problems:
        level, field, code = expected[problem.code]
        assert (problem.level, getattr(problem.answer, field)) == (level, code)


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        ("UNT+8+1'", "UNT+9+1'", Code.SET_COUNT),
        ("UNT+8+1'", "UNT+8+2'", Code.SET_CONTROL_MISMATCH),
        ("UNT+8+1'", "", Code.SET_UNFINISHED),
        ("UNZ+1+REF1'", "UNZ+2+REF1'", Code.INTERCHANGE_COUNT),
        ("UNZ+1+REF1'", "UNZ+1+REF2'", Code.INTERCHANGE_CONTROL_MISMATCH),
        ("UNZ+1+REF1'", "", Code.INTERCHANGE_UNFINISHED),
        ("261120:1200+REF1", "261320:1200+REF1", Code.INTERCHANGE_DATE),
    ],
)
def test_each_defect_of_an_edifact_envelope_has_its_code(good: str, bad: str, code: Code) -> None:
    """As with X12: one defect, one problem."""
    assert codes(EDIFACT.decode().replace(good, bad).encode()) == {code}


def test_edifact_groups_are_counted_as_groups() -> None:
    """UNZ counts groups where there are any, UNE the messages of its group."""
    group = "UNG+ORDERS+A+B+261120:1200+7+UN+D:96A'" + MESSAGE + "UNE+1+7'"
    source = (UNB + group + "UNZ+1+REF1'").encode()
    ((_, (found,), problems),) = read_whole(source)
    assert problems == []
    assert found.kind == "ORDERS"
    assert codes(source.replace(b"UNE+1", b"UNE+4")) == {Code.GROUP_COUNT}


def test_edifact_without_una_may_put_each_segment_on_a_line() -> None:
    """A sender that has no apostrophes separates by line ends."""
    source = (UNB + "UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'UNT+3+1'UNZ+1+REF1'").replace("'", "\n").encode()
    assert codes(source) == set()
    assert [segment.tag for segment in sets_of(source)[0].segments] == ["UNH", "BGM", "UNT"]


def test_text_in_another_character_set_than_declared_is_told_and_read() -> None:
    """UTF-8 under a single-byte declaration is read as what it is."""
    source = EDIFACT.replace(b"Half", "Hälfte".encode())
    ((_, (found,), problems),) = read_whole(source)
    assert {problem.code for problem in problems} == {Code.CHARSET_DIFFERS}
    assert found.segments[3].value(4).startswith("Hälfte")
    declared = EDIFACT.replace(b"Half", "Hälfte".encode("latin-1"))
    assert codes(declared) == set()
    assert sets_of(declared)[0].segments[3].value(4).startswith("Hälfte")


def test_reading_goes_on_behind_damage() -> None:
    """An interchange that breaks off does not take the next ones along, whatever their separators."""
    second = X12.decode().replace("000000001", "000000002")
    third = second.replace("000000002", "000000003").replace("*", "|").replace("~", "\n").encode()
    broken = X12[: X12.index(b"CTT")]
    for source in (
        broken + second.encode() + third,
        broken + third + second.encode(),
        broken + EDIFACT + b"xx" + third,
    ):
        found = sets_of(source)
        assert found[0].problems[0].code is Code.SET_UNFINISHED
        assert len(found) >= 2
        assert found[-1].problems == []


@pytest.mark.parametrize("upto", [b"GS*", b"ST*", b"BEG*", b"GE*", b"IEA*"])
def test_another_interchange_may_begin_anywhere(upto: bytes) -> None:
    """Behind a header, inside a set, behind a trailer: with other separators, directly or after a line end."""
    marks = str.maketrans({"*": "|", "~": "!"})
    other = X12.decode().replace("000000001", "000000002").translate(marks).encode()
    for between in (b"", b"\r\n", b"-- \n"):
        for following in (other, EDIFACT):
            first, second = read_whole(X12[: X12.index(upto)] + between + following)
            assert Code.INTERCHANGE_UNFINISHED in {problem.code for problem in first[2]}
            assert [len(second[1]), second[2]] == [1, []]


def test_numbers_used_twice_are_told() -> None:
    """An interchange or group that comes twice in one file is a duplicate."""
    assert codes(X12 + X12) == {Code.INTERCHANGE_DUPLICATE}
    twice = (isa() + GS + ORDER + "GE*1*17~" + GS + ORDER + "GE*1*17~IEA*2*000000001~").encode()
    assert codes(twice) == {Code.GROUP_DUPLICATE}


def test_nothing_is_found_in_what_is_no_interchange() -> None:
    """Empty input, text and a header alone that cannot be made out give nothing, and no exception."""
    for source in (b"", b"hello", b"ISA", b"ISA*00*", b"UNA", b"UNB+", b"VISA*1*2", b"\xff" * 5000):
        assert list(read(source)) == []


def test_a_file_is_read_by_chunks_as_bytes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a chunk ends, the same sets, offsets and problems come out."""
    source = (X12 + X12.replace(b"000000001", b"000000002") + EDIFACT) * 2
    expected = [(found.raw, found.offset, found.problems) for found in sets_of(source)]
    for chunk in (1, 7, 64, 333):
        monkeypatch.setattr("mappings.edi.window.CHUNK", chunk)
        monkeypatch.setattr("mappings.edi.cursor._STEP", chunk + 20)
        assert [(f.raw, f.offset, f.problems) for f in sets_of(io.BytesIO(source))] == expected  # type: ignore[arg-type]


def test_a_set_that_never_ends_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: the set is cut and told, and what follows is read."""
    monkeypatch.setattr("mappings.edi.cursor.SPAN_MAX", 50_000)
    monkeypatch.setattr("mappings.edi.x12.checks.SPAN_MAX", 50_000)
    endless = (isa() + GS + "ST*850*0001~" + "N1*ST~" * 100_000).encode() + X12.replace(b"000000001", b"000000002")
    found = sets_of(io.BytesIO(endless))  # type: ignore[arg-type]
    assert found[0].problems[0].code is Code.SET_TOO_LARGE
    assert len(found[0].raw) < 200_000
    assert found[-1].problems == []


@pytest.mark.parametrize(("source", "tag"), [(X12, "ST"), (EDIFACT, "UNH")])
def test_sets_outside_any_interchange_are_named(source: bytes, tag: str) -> None:
    """Bytes whose header is gone are a problem of the interchange before them, which says that sets are lost."""
    (verdict,) = judge_all(read(source + source[3:].replace(b"UNB+", b"+")))
    assert verdict.status is Status.ACCEPTED
    (problem,) = verdict.kept
    assert (problem.code, problem.tag) == (Code.DATA_OUTSIDE, tag)
    assert "sets among them" in problem.message
    (verdict,) = judge_all(read(source + b"\r\nST. LOUIS, 12 FILES\x1a"))
    assert [each.tag for each in verdict.kept] == [None]
