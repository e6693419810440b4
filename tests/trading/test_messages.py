"""A partner that speaks EDIFACT trades as the others do: its files answered by CONTRL, ours settled by its CONTRL."""

from __future__ import annotations

import pytest

from mappings.edi.partners import find_partner
from tests.support.edi_answers import message
from tests.support.exchange import Desk, answer

ORDERS = (
    "BGM+220+4501+9", "DTM+137:20261120:102", "LIN+1++4000001000005:EN", "QTY+21:12", "PRI+AAA:3,95", "UNS+S",
    "CNT+2:1",
)  # fmt: skip


@pytest.fixture
def retailer(quick: Desk) -> Desk:
    quick.partner = find_partner("edifact-retailer")
    return quick


def interchange(*messages: list[str], control: int = 77) -> bytes:
    """From the retailer to us."""
    head = f"UNB+UNOC:3+4000002000004:14+4000001000005:14+261120:1200+{control}'"
    body = "".join(f"{segment}'" for each in messages for segment in each)
    return f"{head}{body}UNZ+{len(messages)}+{control}'".encode("latin-1")


async def test_a_message_becomes_an_input_and_is_acknowledged(retailer: Desk) -> None:
    """An ORDERS that is good and one that miscounts: the first is taken, CONTRL says so of both."""
    inputs = await retailer.trade(interchange(message("ORDERS", ORDERS), message("ORDERS", ORDERS, "2", count=3)))
    assert [(item.topic, item.ordering_key) for item in inputs] == [("ORDERS", "po:4501")]
    (told,) = await retailer.sent()
    assert "UNB+UNOC:3+4000001000005:14+4000002000004:14+" in told
    assert "UCI+77+4000002000004:14+4000001000005:14+" in told
    assert "UCM+1+ORDERS:D:96A:UN:EAN008+7'" in told
    assert "UCM+2+ORDERS:D:96A:UN:EAN008+4" in told


async def test_our_answer_is_a_message_that_a_contrl_settles(retailer: Desk) -> None:
    """An ORDRSP by the profile, what it expects, and that expectation met."""
    assert retailer.partner is not None
    await retailer.ask(answer("4501"), kind=retailer.partner.set_named("855"))
    await retailer.work()
    (sent,) = await retailer.sent()
    assert "UNH+1+ORDRSP:D:96A:UN'BGM+231+S-4501+29'" in sent
    assert "RFF+ON:4501'" in sent
    waiting, _ = await retailer.bench.queries.expectations()
    assert len(waiting) == 1
    number = sent.split("'")[0].rpartition("+")[2]
    told = [f"UCI+{number}+4000001000005:14+4000002000004:14+8", "UCM+1+ORDRSP:D:96A:UN+7"]
    reply = message("CONTRL", told)
    reply[0] = "UNH+1+CONTRL:2:2:UN"
    await retailer.trade(interchange(reply, control=78))
    still, _ = await retailer.bench.queries.expectations()
    assert still == []
    assert await retailer.failures() == []
