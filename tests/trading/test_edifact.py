"""EDIFACT trades by the same rules: ORDERS in and CONTRL out, ORDRSP out and CONTRL in."""

from __future__ import annotations

import pytest

from mappings.edi.partners import find_partner
from tests.support.exchange import Desk, answer

US, THEM = "4000001000005:14", "4000002000004:14"


def orders(number: str = "PO1", control: str = "REF1", quantity: int = 12) -> bytes:
    body = (
        f"UNH+1+ORDERS:D:96A:UN'BGM+220+{number}+9'DTM+137:20261120:102'NAD+BY+{THEM.split(':', maxsplit=1)[0]}::9'"
        f"LIN+1++4000000000006:EN'QTY+21:{quantity}'UNS+S'UNT+8+1'"
    )
    return f"UNB+UNOC:3+{THEM}+{US}+261120:1200+{control}'{body}UNZ+1+{control}'".encode()


def contrl(interchange: str, action: str = "7", code: str = "", message: str = "") -> bytes:
    """CONTRL about one interchange of ours."""
    first = f"UCI+{interchange}+{US}+{THEM}+{action}{'+' + code if code else ''}'{message}"
    count = 3 + message.count("'")
    return f"UNB+UNOC:3+{THEM}+{US}+261120:1300+C1'UNH+1+CONTRL:D:3:UN'{first}UNT+{count}+1'UNZ+1+C1'".encode()


@pytest.fixture
def edifact(quick: Desk) -> Desk:
    quick.partner = find_partner("edifact-retailer")
    return quick


async def test_orders_are_taken_once_and_answered_with_contrl(edifact: Desk) -> None:
    """The message is an input; again it has no effect; another content under the number is parked."""
    inputs = await edifact.trade(orders())
    assert [(item.topic, item.ordering_key) for item in inputs] == [("ORDERS", "po:PO1")]
    (answered,) = await edifact.sent()
    assert f"UCI+REF1+{THEM}+{US}+7'" in answered
    await edifact.trade(orders())
    await edifact.trade(orders(quantity=99))
    states = [await edifact.states(row) for row in await edifact.files("in")]
    assert states == [["taken"], ["again"], ["parked"]]
    assert len(await edifact.sent()) == 2
    await edifact.trade(orders(control="REF2"))
    assert [await edifact.states(row) for row in await edifact.files("in")][-1] == ["again"]


@pytest.mark.parametrize(
    ("told", "state", "code"),
    [
        (contrl("1"), "met", ""),
        (contrl("1", "4", "13"), "failed", "CONTRL 13"),
        (contrl("1", message="UCM+1+ORDRSP:D:96A:UN+4+12'UCS+3+13'"), "failed", "CONTRL 12"),
        (contrl("1", message="UCM+1+ORDRSP:D:96A:UN+7'"), "met", ""),
    ],
)
async def test_contrl_settles_what_we_sent(edifact: Desk, told: bytes, state: str, code: str) -> None:
    """By interchange, or by message within it."""
    await edifact.ask(answer(), "ORDRSP")
    await edifact.work()
    assert await edifact.failures() == []
    ((awaited,), _) = await edifact.bench.queries.expectations()
    assert (awaited.kind, awaited.reference) == ("CONTRL", "1 ORDRSP 1")
    await edifact.trade(told)
    ((settled,), _) = await edifact.bench.queries.expectations(state=None)
    assert settled.state == state
    assert [failure.code for failure in await edifact.failures()] == ([code] if code else [])
