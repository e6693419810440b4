"""Whatever a file holds, judging, answering and showing it as JSON end without an exception, within bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.edi.acknowledge import acknowledge, judge, judge_all
from mappings.edi.grammar import grammar_for, loops
from mappings.edi.grammar.profile import STANDARD
from mappings.edi.grammar.validation import PROBLEMS_MAX
from mappings.edi.reading import read
from tests.support.edi_answers import ORDER, STAMP, edifact, judged, message, x12, x12_set

NOTICE = [
    "BSN*00*S-1*20261121*1130",
    "HL*1**S",
    "HL*2*1*O",
    "PRF*PO-1",
    "HL*3*2*I",
    "LIN**VN*MUG",
    "SN1**3*EA",
    "CTT*3",
]
MESSAGE = ["BGM+220+PO-1+9", "DTM+137:20261101:102", "LIN+1++4000001000005:EN", "QTY+21:12", "UNS+S", "CNT+2:1"]
WHOLE = (
    x12([x12_set("850", ORDER), x12_set("850", ORDER, "0002")]),
    x12([x12_set("856", NOTICE)], group="SH", version="005010"),
    edifact([message("ORDERS", MESSAGE)]),
)
PIECE = st.sampled_from(
    [b"*", b"~", b"+", b"'", b":", b"^", b">", b"?", b"ST*", b"SE", b"HL*", b"\x00", b"\xff", b"9" * 40]
)


@given(
    source=st.sampled_from(WHOLE), cuts=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 9), PIECE), max_size=8)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_is_told_never_raised(source: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    """Bytes cut out and put in anywhere give a verdict, an answer that reads back whole, and JSON."""
    for at, length, piece in cuts:
        source = source[:at] + piece + source[at + length :]
    for interchange in read(source):
        shown: list[str] = []

        def show(_: object, each: object, __: object, shown: list[str] = shown) -> None:
            grammar = grammar_for(each.kind, each.version)  # type: ignore[attr-defined]
            if grammar is not None:
                shown.append(json.dumps(loops(each, grammar)))  # type: ignore[arg-type]

        answer = acknowledge(judge(interchange, STANDARD, show), STAMP)
        if answer is not None:
            assert len(list(judge_all(read(answer)))) == 1


def test_problems_of_a_set_are_bounded() -> None:
    """A set of nothing but nonsense is told up to the limit, and refused."""
    verdict = judged(x12([x12_set("850", [ORDER[0], *["QQ9*1"] * (PROBLEMS_MAX * 2)])]))
    (each,) = verdict.groups[0].sets
    assert len(each.told) == PROBLEMS_MAX


@pytest.mark.parametrize("count", ["9" * 5_000, "-1", "1.0", "٣"])
def test_a_line_count_that_is_no_count(count: str) -> None:
    """CTT01 may hold anything; it is told, and by the standard profile kept from the partner."""
    verdict = judged(x12([x12_set("850", [*ORDER[:2], f"CTT*{count}"])]))
    (each,) = verdict.groups[0].sets
    assert list(each.told) == []
    assert {problem.tag for problem in each.kept} == {"CTT"}


def test_shapes_beyond_the_limit_are_judged_all_the_same() -> None:
    """A segment in more shapes than are remembered is still judged right."""
    grammar = grammar_for("850", "004010")
    assert grammar is not None
    rule = grammar.segments["PO1"]
    assert rule is not None
    separators = next(iter(read(WHOLE[0]))).separators
    for number in range(2_000):
        mask = [bool(number >> bit & 1) for bit in range(11)]
        row = ["1", "12", "EA", "7.25", ""] + [
            text for given in mask[:10] for text in (("VN", "MUG") if given else ("", ""))
        ]
        assert rule.check(row, separators) == []
        assert [flaw.element for flaw in rule.check([*row[:1], "x", *row[2:]], separators)] == [2]
