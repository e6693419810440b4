"""What a partner says of what we sent, read out of its sets; garbled ones say nothing and never raise."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hub.trading.replies import ACCEPTED, PARTIAL, REJECTED, WITH_ERRORS, replies_of, ta1_reply
from mappings.edi import Separators

X12, EDIFACT = Separators("*", ">", "~"), Separators("+", ":", "'", None, "?")


def rows(text: str, mark: str = "*") -> list[list[str]]:
    return [segment.split(mark) for segment in text.split("~")]


def test_a_997_names_sets_with_segment_element_and_code() -> None:
    """AK3 and AK4 become places people can find; the partner's copy of the value is not kept."""
    refused = "AK2*855*0002~AK3*PO1*5**8~AK4*2*330*7*ADA INVENTED~AK3*CTT*9**3~AK5*R*5"
    text = f"AK1*PR*7~AK2*855*0001~AK5*A~{refused}~AK9*P*2*2*1*5"
    (reply,) = replies_of("997", rows(text), X12)
    assert (reply.functional_id, reply.group, reply.state) == ("PR", "7", PARTIAL)
    assert [(one.control, one.state) for one in reply.sets] == [("0001", ACCEPTED), ("0002", REJECTED)]
    assert [one.text for one in reply.sets[1].complaints] == [
        "PO1[5] element 2: invalid code (7)",
        "CTT[9]: mandatory segment missing (3)",
        "set: segments in error (5)",
    ]
    assert reply.complaints[0].message == "set count wrong"
    assert "ADA" not in repr(reply)


def test_a_999_says_the_same_in_its_own_words() -> None:
    """IK3 to IK5; several groups in one file are several replies."""
    text = "AK1*PR*7~AK2*855*0001~IK3*PO1*5**8~IK4*2*330*7~IK5*E~AK9*E*1*1*1~AK1*SH*8~AK9*A*1*1*1"
    first, second = replies_of("999", rows(text), X12)
    assert first.sets[0].state == WITH_ERRORS
    assert (second.functional_id, second.group, second.state, second.sets) == ("SH", "8", ACCEPTED, ())


def test_contrl_speaks_of_an_interchange_and_its_messages() -> None:
    """Action 4 refuses, 7 and 8 do not; UCS and UCD are its message's."""
    text = "UCI+9+US:14+THEM:14+8~UCM+1+ORDRSP:D:96A:UN+4+12~UCS+3+13~UCD+12+2:1"
    (reply,) = replies_of("CONTRL", rows(text, "+"), EDIFACT)
    assert (reply.interchange, reply.state, reply.sets[0].kind, reply.sets[0].state) == (
        "9",
        ACCEPTED,
        "ORDRSP",
        REJECTED,
    )
    assert [one.place for one in reply.sets[0].complaints] == ["message", "segment 3", "element 2:1"]


@pytest.mark.parametrize(("letter", "state"), [("A", ACCEPTED), ("E", WITH_ERRORS), ("R", REJECTED), ("", REJECTED)])
def test_a_ta1_speaks_of_the_envelope(letter: str, state: str) -> None:
    """What is no acceptance is a refusal."""
    reply = ta1_reply(["TA1", "000000001", "261120", "1200", letter, "006"])
    assert reply is not None
    assert (reply.interchange, reply.state) == ("000000001", state)
    assert ta1_reply(["TA1"]) is None


def test_advice_names_documents() -> None:
    """824 by numbers and by reference, 820 by invoice."""
    (told,) = replies_of("824", rows("BGN*00*1~OTI*TR*IV*INV1*****7*0003*810~TED*024*NO SUCH ITEM"), X12)
    (one,) = told.sets
    assert (told.group, one.kind, one.control, one.reference, one.state) == ("7", "810", "0003", "INV1", REJECTED)
    assert "NO SUCH" not in repr(told)
    paid = replies_of("820", rows("RMR*IV*INV1**90*100~RMR*IV*INV2**50~RMR*PO*X"), X12)
    assert [reply.about for reply in paid] == ["810 INV1", "810 INV2"]
    assert [(each.reference, each.complaints[0].message) for reply in paid for each in reply.sets] == [
        ("INV1", "paid in part"),
        ("INV2", "paid"),
    ]


@pytest.mark.parametrize(
    ("code", "state"), [("TA", ACCEPTED), ("IC", WITH_ERRORS), ("TE", WITH_ERRORS), ("GP", PARTIAL), ("TR", REJECTED)]
)
def test_an_advice_of_a_change_is_no_refusal(code: str, state: str) -> None:
    """The second letter of OTI01: taken, taken with content of the partner's own, taken in part, refused."""
    (told,) = replies_of("824", rows(f"OTI*{code}*IV*INV1"), X12)
    assert told.sets[0].state == state


@pytest.mark.parametrize(
    ("amounts", "said"), [("100*100.00", "paid"), ("98*100.00*2.00", "paid"), ("90*100", "paid in part"), ("*", "paid")]
)
def test_an_invoice_is_paid_when_the_amounts_say_so(amounts: str, said: str) -> None:
    """By value, however they are written, a discount taken included."""
    (paid,) = replies_of("820", rows(f"RMR*IV*INV1**{amounts}"), X12)
    assert paid.sets[0].complaints[0].message == said


@given(
    kind=st.sampled_from(["997", "999", "CONTRL", "824", "820", "850"]),
    found=st.lists(
        st.lists(
            st.sampled_from(
                ["AK1", "AK2", "AK3", "AK4", "AK5", "AK9", "UCI", "UCM", "UCS", "OTI", "TED", "RMR", "", "1"]
            )
        ),
        max_size=12,
    ),
)
def test_no_shape_of_an_answer_raises(kind: str, found: list[list[str]]) -> None:
    """Segments in any order, with any elements missing."""
    for reply in replies_of(kind, found, X12):
        assert reply.state in {ACCEPTED, WITH_ERRORS, REJECTED, PARTIAL}
