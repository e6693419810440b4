"""Answers follow the partner's profile, are the same bytes each time, and never answer an acknowledgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from mappings.edi.acknowledge import Stamp, Status, acknowledge, judge, judge_all
from mappings.edi.grammar.profile import STANDARD
from mappings.edi.grammar.strictness import Action, Class
from mappings.edi.reading import read
from tests.support.edi_answers import ORDER, STAMP, among, answered, edifact, judged, message, x12, x12_set

BEG, PO1, CTT = ORDER
GOOD = x12([x12_set("850", ORDER), x12_set("850", ORDER, "0002")])
FAR_OFF = x12([x12_set("850", [BEG, "PO1*1*12*DZN*7.25**VN*MUG", CTT])])


def test_a_good_group_is_answered_whole() -> None:
    """A 997 names the group and each set, with addresses exchanged and the numbers given."""
    assert answered(GOOD) == [
        "ISA*00*          *00*          *ZZ*HUB            *ZZ*RETAILER       *261121*1230*U*00401*000000501*0*P*>",
        "GS*FA*HUBAPP*RETAPP*20261121*1230*77*X*004010",
        "ST*997*0001",
        "AK1*PO*7",
        "AK2*850*0001",
        "AK5*A",
        "AK2*850*0002",
        "AK5*A",
        "AK9*A*2*2*2",
        "SE*8*0001",
        "GE*1*77",
        "IEA*1*000000501",
    ]


def test_the_same_verdict_gives_the_same_bytes() -> None:
    """A resend is the same file: nothing in the answer comes from a clock or a counter."""
    assert acknowledge(judged(GOOD), STAMP) == acknowledge(judged(GOOD), STAMP)


def test_only_errors_are_told_when_the_partner_wants_no_more() -> None:
    """`detail: errors` leaves out the sets that are fine."""
    told = answered(GOOD, replace(STANDARD, detail="errors"))
    assert among(told, "AK2", "AK5", "AK9") == ["AK9*A*2*2*2"]


def test_a_999_where_it_is_agreed() -> None:
    """`form: 999` tells the same with IK segments and its own guide, with ST03 and GS08 echoed."""
    order = x12([["ST*850*0001*GUIDE", BEG, "PO1*1*12*DZN*7.25**VN*MUG", CTT, "SE*5*0001"]], version="005010")
    told = answered(order, replace(STANDARD, form="999"))
    assert told[1:-3] == [
        "GS*FA*HUBAPP*RETAPP*20261121*1230*77*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*PO*7*005010",
        "AK2*850*0001*GUIDE",
        "IK3*PO1*3*PO1*8",
        "IK4*3*355*5*DZN",
        "IK5*E*5",
        "AK9*E*1*1*1",
    ]
    assert told[0].split("*")[11:13] == ["^", "00501"]


@pytest.mark.parametrize(
    ("action", "ak5", "ak9"),
    [
        ("reject", "AK5*R*5", "AK9*R*1*1*0"),
        ("accept", "AK5*E*5", "AK9*E*1*1*1"),
        ("ignore", "AK5*A", "AK9*A*1*1*1"),
    ],
)
def test_each_class_of_problems_has_its_own_setting(action: str, ak5: str, ak9: str) -> None:
    """One defect is refused, told or kept as the profile says, and validation lists it in every case."""
    actions = dict(STANDARD.actions) | {Class.ELEMENT_LENGTH: Action(action)}
    profile = replace(STANDARD, actions=actions)
    assert among(answered(FAR_OFF, profile), "AK5", "AK9") == [ak5, ak9]
    assert [problem.value for _, problem in judged(FAR_OFF, profile).problems] == ["DZN"]


@pytest.mark.parametrize(
    ("ta1", "asks", "good", "sent"),
    [
        ("requested", "0", True, False),
        ("requested", "1", True, True),
        ("requested", "0", False, True),
        ("always", "0", True, True),
        ("rejected", "1", True, False),
        ("rejected", "0", False, True),
        ("never", "1", False, False),
    ],
)
def test_when_a_ta1_is_sent(ta1: str, asks: str, good: bool, sent: bool) -> None:
    """ISA14, the outcome and the profile decide together."""
    source = x12([x12_set("850", ORDER)], asks=asks, end="000000042" if good else "000000043")
    told = among(answered(source, replace(STANDARD, ta1=ta1)), "TA1")
    assert told == ([f"TA1*000000042*261121*1130*{'A*000' if good else 'R*001'}"] if sent else [])


def test_acknowledgements_are_never_answered() -> None:
    """997, 999, CONTRL and an interchange of TA1 alone get no answer, whatever is wrong with them."""
    functional = x12([x12_set("997", ["AK1*PO*7", "AK9*A*1*1"])], group="FA")
    lines = x12([]).decode().split("~")
    alone = "~".join([lines[0], "TA1*000000501*261121*1230*A*000", "IEA*0*000000042", ""]).encode()
    control = edifact([message("CONTRL", ["UCI+77+A:14+B:14+8"])])
    for source in (functional, alone, control):
        verdicts = list(judge_all(read(source)))
        assert len(verdicts) == 1
        assert acknowledge(verdicts[0], STAMP) is None


def test_a_set_under_the_wrong_group_is_told_and_taken() -> None:
    """A purchase order sent under IN is a purchase order; its sender is told."""
    assert among(answered(x12([x12_set("850", ORDER)], group="IN")), "AK1", "AK5") == ["AK1*IN*7", "AK5*E*6"]


def test_a_set_that_is_not_agreed_is_refused() -> None:
    """A profile that names its sets gets no other; codes it narrows are told at their place."""
    profile = replace(STANDARD, sets=frozenset({"810"}))
    assert among(answered(GOOD, profile), "AK5") == ["AK5*R*1", "AK5*R*1"]
    narrowed = replace(STANDARD, codes={"850": {"BEG01": frozenset({"05"})}})
    assert among(answered(GOOD, narrowed), "AK4")[0] == "AK4*1*353*7*00"


def test_a_version_the_partner_speaks_is_taken() -> None:
    """An older version is read with the nearest grammar when it is agreed."""
    old = x12([x12_set("850", ORDER)], version="004030VICS")
    assert among(answered(old), "AK9") == ["AK9*R*1*1*0*2"]
    assert among(answered(old, replace(STANDARD, versions=("004030",))), "AK9") == ["AK9*A*1*1*1"]


def test_bad_values_cannot_break_the_answer() -> None:
    """A value with the answer's own separators or control characters in it is not copied."""
    odd = x12([x12_set("850", [BEG, "PO1*1*1\x07*EA*7.25**VN*MUG", "PO1*2*a^b*EA*1**VN*MUG"])], version="004010")
    assert among(answered(odd), "AK4") == ["AK4*2*330*6", "AK4*2*330*6*a^b"]
    newer = odd.replace(b"004010", b"005010").replace(b"*U*00401*", b"*^*00501*")
    assert among(answered(newer), "AK4") == ["AK4*2*330*6", "AK4*2>>2*330*12", "AK4*2*330*6*a"]


def test_test_data_is_answered_as_test_data() -> None:
    """ISA15 comes back as it was sent."""
    assert answered(x12([x12_set("850", ORDER)], usage="T"))[0].split("*")[15] == "T"


def test_unsound_separators_are_not_written_back() -> None:
    """A file whose terminator is a letter or several bytes is answered with the usual separators."""
    odd = GOOD.replace(b"~", "…".encode())
    verdict = judge(next(iter(read(odd))))
    answer = acknowledge(verdict, STAMP)
    assert answer is not None
    assert answer.endswith(b"IEA*1*000000501~")


@pytest.mark.parametrize(("interchange", "group"), [(0, 1), (1, 0), (1_000_000_000, 1)])
def test_control_numbers_have_nine_digits(interchange: int, group: int) -> None:
    """A number that no envelope can carry is refused before anything is written."""
    with pytest.raises(ValueError, match="control number"):
        Stamp(interchange, group, datetime(2026, 11, 21))  # noqa: DTZ001 - an envelope's time has no zone


def test_sets_are_handed_over_with_their_verdict() -> None:
    """The caller sees each set while its segments are at hand, so that one pass serves both."""
    seen: list[tuple[str, int, Status]] = []
    interchange = next(iter(read(GOOD)))
    judge(
        interchange, STANDARD, lambda _, each, verdict: seen.append((each.control, len(each.segments), verdict.status))
    )
    assert seen == [("0001", 5, Status.ACCEPTED), ("0002", 5, Status.ACCEPTED)]


@pytest.mark.parametrize(
    ("version", "ak1", "code"),
    [("21", "AK1*PO*7", "7"), ("4010", "AK1*PO*7", "7"), ("005010", "AK1*PO*7*005010", "23")],
)
def test_a_version_nobody_knows_is_answered_as_004010(version: str, ak1: str, code: str) -> None:
    """Elements and codes that came with 005010 stand in an answer of that release alone, whatever GS08 says."""
    twice = x12([x12_set("850", ORDER), x12_set("850", ORDER)], version="005010").replace(
        b"*X*005010~", f"*X*{version}~".encode()
    )
    told = answered(twice, replace(STANDARD, versions=("",)))
    assert ak1 in told
    assert f"AK5*R*{code}" in told


def test_group_numbers_of_an_answer_start_again_after_the_last() -> None:
    """A second group behind number 999999999 is number 1, as the envelope has nine digits."""
    order = x12([x12_set("850", ORDER)])
    other = (
        order[order.index(b"GS*") : order.index(b"IEA*")]
        .replace(b"*RETAPP*", b"*OTHER*")
        .replace(b"*7*X*", b"*8*X*")
        .replace(b"GE*1*7~", b"GE*1*8~")
    )
    both = order.replace(b"IEA*1*", other + b"IEA*2*")
    answer = acknowledge(judged(both), replace(STAMP, group=999_999_999))
    assert answer is not None
    assert [row.split(b"*")[6] for row in answer.split(b"~") if row.startswith(b"GS*")] == [b"999999999", b"1"]
