"""An EDIFACT interchange is answered with a CONTRL that names what is wrong by segment, element and component."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappings.edi import acknowledge, judge_all, read
from mappings.edi.grammar.profile import STANDARD
from tests.support.edi_answers import STAMP, answered, edifact, message

ORDER = ("BGM+220+PO-1+9", "DTM+137:20261101:102", "LIN+1++4000001000005:EN", "QTY+21:12", "UNS+S", "CNT+2:1")


def body(source: bytes, detail: str = "every") -> list[str]:
    """Segments of the answer between UNH and UNT."""
    return answered(source, replace(STANDARD, detail=detail))[2:-2]


def test_a_good_interchange() -> None:
    """The envelope is exchanged, UCI keeps the original parties, and each message is acknowledged."""
    assert answered(edifact([message("ORDERS", ORDER)])) == [
        "UNB+UNOC:3+4000002000004:14+4000001000005:14+261121:1230+501",
        "UNH+1+CONTRL:D:3:UN",
        "UCI+77+4000001000005:14+4000002000004:14+7",
        "UCM+1+ORDERS:D:96A:UN:EAN008+7",
        "UNT+4+1",
        "UNZ+1+501",
    ]


def test_one_bad_message_does_not_take_the_other_along() -> None:
    """Partial acceptance: the interchange is acknowledged, the bad message alone is rejected."""
    bad = [*ORDER[:1], *ORDER[2:]]
    assert body(edifact([message("ORDERS", bad), message("ORDERS", ORDER, "2")])) == [
        "UCI+77+4000001000005:14+4000002000004:14+7",
        "UCM+1+ORDERS:D:96A:UN:EAN008+4",
        "UCS+3+13",
        "UCM+2+ORDERS:D:96A:UN:EAN008+7",
    ]


def test_only_errors_when_the_partner_wants_no_more() -> None:
    """`detail: errors` names no message that is fine."""
    assert body(edifact([message("ORDERS", ORDER)]), "errors") == ["UCI+77+4000001000005:14+4000002000004:14+7"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({3: "LIN+2++++x"}, ["UCS+5", "UCD+21+6"]),
        ({3: "QTY+:12"}, ["UCS+5", "UCD+13+2:1"]),
        ({1: "DTM"}, ["UCS+3", "UCD+13+2"]),
        ({4: "UNS+9"}, ["UCS+6", "UCD+21+2"]),
        ({2: "QTY+21:12", 3: "LIN+1"}, ["UCS+4+15"]),
    ],
)
def test_places_are_counted_as_the_standard_counts(change: dict[int, str], told: list[str]) -> None:
    """UNH is segment 1, a segment's tag is element 1 of it, components count from 1."""
    lines = [change.get(at, line) for at, line in enumerate(ORDER)]
    assert body(edifact([message("ORDERS", lines)]))[2:] == told


def test_wrong_counts_and_references() -> None:
    """UNT01 gives 29 for its message, UNZ02 gives 28 for the interchange, which is then rejected whole."""
    assert body(edifact([message("ORDERS", ORDER, count=3)]))[1] == "UCM+1+ORDERS:D:96A:UN:EAN008+4+29"
    assert body(edifact([message("ORDERS", ORDER)], end="78")) == ["UCI+77+4000001000005:14+4000002000004:14+4+28"]


def test_an_unknown_message_is_refused() -> None:
    """A message type without a grammar is not supported."""
    assert body(edifact([message("IFTMIN", ORDER)]))[1] == "UCM+1+IFTMIN:D:96A:UN:EAN008+4+14"


def test_released_characters_survive() -> None:
    """A reference with special characters is quoted with them released again."""
    source = (
        edifact([message("ORDERS", ORDER)]).replace(b":1130+77'", b":1130+7?+7'").replace(b"UNZ+1+77", b"UNZ+1+7?+7")
    )
    assert body(source)[0].startswith("UCI+7?+7+")


@pytest.mark.parametrize("stated", ["UNOA5435656:1", "UNOA:", "UNOA:33", "UNOÄ:3", "XXXX:3"])
def test_a_syntax_nobody_could_read_is_answered_in_the_usual_one(stated: str) -> None:
    """The answer to a garbled UNB01 is itself an interchange that can be read."""
    file = f"UNB+{stated}+4000002000004:14+4000001000005:14+261121:1130+77'UNZ+0+77'".encode()
    for verdict in judge_all(read(file)):
        answer = acknowledge(verdict, STAMP)
        assert answer is not None
        assert answer.startswith(b"UNB+UNOA:3+")
        assert len(list(read(answer))) == 1
