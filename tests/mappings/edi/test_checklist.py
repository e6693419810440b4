"""Each way a real file was found broken gets the standard's exact code, at the exact place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.edi.acknowledge import Status, acknowledge, judge_all
from mappings.edi.reading import read
from tests.support.edi_answers import ORDER, SHIPPING_ORDER, STAMP, among, answered, judged, x12, x12_set

SAMPLES = Path(__file__).resolve().parents[3] / ".." / "shared" / "samples" / "edi"
BEG, PO1, CTT = ORDER


def test_control_numbers_that_differ_in_header_and_trailer() -> None:
    """ST/SE, GS/GE and ISA/IEA that disagree give AK502 3, AK905 4 and TA1 001 in one answer."""
    broken = x12([x12_set("940", SHIPPING_ORDER, end="0002")], group="OW", group_end="8", end="000000043")
    assert among(answered(broken), "TA1", "AK5", "AK9") == [
        "TA1*000000042*261121*1130*R*001",
        "AK5*R*3",
        "AK9*R*1*1*0*4",
    ]


def test_wrong_segment_count() -> None:
    """SE01 that does not count its segments gives AK502 4 and rejects the set, not its neighbour."""
    broken = x12([x12_set("850", ORDER, count=12), x12_set("850", ORDER, "0002")])
    assert among(answered(broken), "AK2", "AK5", "AK9") == [
        "AK2*850*0001",
        "AK5*R*4",
        "AK2*850*0002",
        "AK5*A",
        "AK9*P*2*2*1",
    ]


def test_wrong_counts_of_sets_and_groups() -> None:
    """GE01 gives AK905 5, IEA01 gives TA1 021; a good set in a rejected group is not called accepted."""
    broken = x12([x12_set("940", SHIPPING_ORDER)], group="OW", declared=2, groups=2)
    assert among(answered(broken), "TA1", "AK2", "AK5", "AK9") == ["TA1*000000042*261121*1130*R*021", "AK9*R*2*1*0*5"]


def test_a_set_without_trailer() -> None:
    """A set whose SE is missing gives AK502 2; the next set is still read and taken."""
    broken = x12([["ST*850*0001", *ORDER], x12_set("850", ORDER, "0002")])
    assert among(answered(broken), "AK2", "AK5", "AK9") == [
        "AK2*850*0001",
        "AK5*R*2",
        "AK2*850*0002",
        "AK5*A",
        "AK9*P*2*2*1",
    ]


def test_a_garbled_set_header() -> None:
    """A set kind nobody knows gives AK502 1 or 6, and the rest of the group stands."""
    broken = x12([x12_set("8X0", ORDER), x12_set("850", ORDER, "0002")])
    told = among(answered(broken), "AK5", "AK9")
    assert told[0] in {"AK5*R*1", "AK5*R*6", "AK5*R*6*1"}
    assert told[1:] == ["AK5*A", "AK9*P*2*2*1"]


@pytest.mark.parametrize(("version", "code"), [("004010", "7"), ("005010", "23")])
def test_a_set_number_used_twice_in_a_group(version: str, code: str) -> None:
    """The second set of one number is refused: 23 since 005010, 7 before, which had no better word."""
    twice = x12([x12_set("850", ORDER), x12_set("850", ORDER)], version=version)
    assert among(answered(twice), "AK5") == ["AK5*A", f"AK5*R*{code}"]


@pytest.mark.parametrize(("version", "code"), [("004010", "6"), ("005010", "19")])
def test_a_group_number_used_twice(version: str, code: str) -> None:
    """The second group of one number is refused as a whole."""
    one = x12([x12_set("850", ORDER)], version=version, groups=2).decode()
    start, end = one.index("GS*"), one.index("IEA*")
    twice = (one[:end] + one[start:end] + one[end:]).encode()
    assert among(answered(twice), "AK9") == ["AK9*A*1*1*1", f"AK9*R*1*1*0*{code}"]


def test_an_interchange_that_comes_twice() -> None:
    """The second delivery of one interchange number in a file is refused with TA1 025."""
    once = x12([x12_set("850", ORDER)])
    first, second = judge_all(read(once + b"\r\n" + once))
    assert (first.status, second.status) == (Status.ACCEPTED, Status.REJECTED)
    answer = acknowledge(second, STAMP)
    assert answer is not None
    assert b"TA1*000000042*261121*1130*R*025~" in answer


def test_versions_are_chosen_by_the_group() -> None:
    """Groups of several versions in one interchange are each read with their own grammar."""
    old, new = x12([x12_set("850", ORDER)]).decode(), x12([x12_set("850", ORDER)], version="005010").decode()
    newer = new[new.index("GS*") : new.index("IEA*")].replace("*7*X*", "*8*X*").replace("GE*1*7", "GE*1*8")
    both = old.replace("IEA*1*", newer + "IEA*2*").encode()
    told = answered(both)
    assert among(told, "AK1") == ["AK1*PO*7", "AK1*PO*8*005010"]
    assert [line.rsplit("*", 1)[1] for line in among(told, "GS")] == ["004010", "005010"]


def test_an_unknown_version_is_refused_as_a_group() -> None:
    """GS08 without a grammar gives AK905 2."""
    assert among(answered(x12([x12_set("850", ORDER)], version="003050")), "AK9") == ["AK9*R*1*1*0*2"]


@pytest.mark.parametrize(
    ("body", "ak3", "ak4", "ak5"),
    [
        ([BEG, "QQ9*1", PO1, CTT], ["AK3*QQ9*3**1"], [], "AK5*E*5"),
        ([BEG, "W05*N*1", PO1, CTT], ["AK3*W05*3**6"], [], "AK5*E*5"),
        ([PO1, CTT], ["AK3*BEG*2**3"], [], "AK5*R*5"),
        ([BEG, BEG, PO1, CTT], ["AK3*BEG*3**5"], [], "AK5*R*5"),
        ([BEG, PO1, "BEG*00*SA*PO-2**20261101", CTT], ["AK3*BEG*4*PO1*7"], [], "AK5*R*5"),
        (["BEG**SA*PO-1**20261101", PO1, CTT], ["AK3*BEG*2**8"], ["AK4*1*353*1"], "AK5*R*5"),
        (["BEG*00*SA*PO-1**20261131", PO1, CTT], ["AK3*BEG*2**8"], ["AK4*5*373*8*20261131"], "AK5*R*5"),
        ([BEG, "PO1*1*12**7.25**VN", CTT], ["AK3*PO1*3*PO1*8"], ["AK4*7*234*2"], "AK5*R*5"),
        ([BEG, "PO1*1*a dozen*EA*7.25**VN*MUG", CTT], ["AK3*PO1*3*PO1*8"], ["AK4*2*330*6*a dozen"], "AK5*R*5"),
        ([BEG, "PO1*1*12*DZN*7.25**VN*MUG", CTT], ["AK3*PO1*3*PO1*8"], ["AK4*3*355*5*DZN"], "AK5*E*5"),
        ([BEG, "CTT*1", PO1], ["AK3*PO1*3**3", "AK3*PO1*4*CTT*7"], [], "AK5*R*5"),
        ([BEG, "N1*ST**92", PO1, CTT], ["AK3*N1*3*N1*8"], ["AK4*4*67*2"], "AK5*R*5"),
        ([BEG, "TD3*TL*ABCD*1******SEAL*XTRA", PO1, CTT], ["AK3*TD3*3**8"], ["AK4*10*24*10*XTRA"], "AK5*R*5"),
        ([BEG, "SAC*A***100", PO1, CTT], ["AK3*SAC*3*SAC*8"], ["AK4*2*1300*2"], "AK5*R*5"),
        ([BEG, "NTE*GEN*HELLO", PO1, CTT], ["AK3*NTE*3**6"], [], "AK5*E*5"),
        ([BEG, "PO4**24**9*9*9*9*9*9*9*9*9*9*9*9*9*9*9*9", PO1, CTT], ["AK3*PO4*3**7"], [], "AK5*R*5"),
    ],
)
def test_content_is_told_by_segment_and_element(body: list[str], ak3: list[str], ak4: list[str], ak5: str) -> None:
    """Every kind of defect inside a set gives its own AK304 or AK403 at its segment and element."""
    told = answered(x12([x12_set("850", body)]))
    found = among(told, "AK3", "AK4", "AK5")
    assert [line for line in found if line[:3] == "AK3"][: len(ak3)] == ak3
    assert [line for line in found if line[:3] == "AK4"][: len(ak4)] == ak4
    assert found[-1] == ak5


def test_a_loop_that_comes_too_often() -> None:
    """The eleventh party of a shipping order is one more than the ten it may have: AK304 4 at its segment."""
    body = [SHIPPING_ORDER[0], *[f"N1*ST*PLACE {number}" for number in range(1, 12)], *SHIPPING_ORDER[1:]]
    told = answered(x12([x12_set("940", body)], group="OW"))
    assert among(told, "AK3", "AK5") == ["AK3*N1*13*N1*4", "AK5*R*5"]


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        (["HL*1**S", "HL*2*1*O"], []),
        (["HL*1**S", "HL*2*7*O"], ["AK4*2*734*7*7"]),
        (["HL*1**S", "HL*1*1*O"], ["AK4*1*628*7*1"]),
        (["HL*1**S", "HL*2**S"], ["AK4*3*735*7*S"]),
        (["HL*2*1*O", "HL*1**S"], ["AK4*2*734*7*1"]),
    ],
)
def test_levels_of_a_ship_notice_must_hang_together(levels: list[str], told: list[str]) -> None:
    """An id used twice, a parent not met before and a second shipment refuse the notice at that element."""
    lines = answered(x12([x12_set("856", ["BSN*00*S-1*20261121*1130", *levels])], group="SH"))
    assert among(lines, "AK4", "AK5") == [*told, "AK5*R*5" if told else "AK5*A"]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.edi")), ids=lambda path: path.stem)
def test_every_public_sample_is_judged_and_answered(path: Path) -> None:
    """No real file makes judging or answering fail, and every answer is itself a whole interchange."""
    for verdict in judge_all(read(path.read_bytes())):
        answer = acknowledge(verdict, STAMP)
        if answer is None:
            continue
        (back,) = judge_all(read(answer))
        assert [problem for _, problem in back.problems] == []
        assert acknowledge(back, STAMP) is None


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not here")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("940_bad_se01", ["AK5*R*4*5", "AK9*R*1*1*0"]),
        ("940_wrong_counts", ["TA1*000003438*101127*1719*R*021", "AK9*R*2*1*0*5"]),
        ("856_libedi_bad", ["AK5*R*3*5"]),
        ("850_gozer_walmart", ["AK5*R*4", "AK9*R*1*1*0"]),
    ],
)
def test_known_bad_samples_get_their_codes(name: str, told: list[str]) -> None:
    """The samples known to be broken are told so with the codes their publishers expect."""
    (verdict,) = judge_all(read((SAMPLES / "x12" / f"{name}.edi").read_bytes()))
    answer = acknowledge(verdict, STAMP)
    assert answer is not None
    mark = "\n" if b"\n" in answer else "~"
    lines = answer.decode().replace("\n", mark).split(mark)
    assert set(told) <= set(lines)


def test_the_verdict_counts_what_is_taken() -> None:
    """Only sets that are good by themselves, in a group that is not rejected, are taken."""
    verdict = judged(x12([x12_set("850", ORDER, count=9), x12_set("850", ORDER, "0002")]))
    (group,) = verdict.groups
    assert (group.status, group.received, group.accepted) == (Status.PARTIAL, 2, 1)
    assert [group.takes(each) for each in group.sets] == [False, True]
