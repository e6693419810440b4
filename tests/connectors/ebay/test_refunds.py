"""Money goes back once: the request is eBay's, a known refund is not asked for twice, doubt is not a no."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.ebay import moments, refunding
from connectors.ebay.manifest import REFUND
from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import InDoubt, Rejected, Transient
from tests.support.ebay_wire import ORDER_PATH, Wire, fault, order, scripted

NUMBER = "12-15199-57289"
PATH = f"{ORDER_PATH}/{NUMBER}/issue_refund"
PAID = {"pricingSummary": {"total": {"value": "40.00", "currency": "USD"}}}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def effect(**body: Any) -> Effect:
    return Effect("1", REFUND, f"order:{NUMBER}", "k", {"order": NUMBER, **body})


def shown(amount: str, at: str, **more: Any) -> dict[str, Any]:
    row = {"refundId": "R1", "refundDate": at, "amount": {"value": amount, "currency": "USD"}, **more}
    return PAID | {"paymentSummary": {"refunds": [row]}}


async def _sent(wire: Wire, wanted: Effect, **changes: Any) -> Any:
    wire.routes.get(f"{ORDER_PATH}/{NUMBER}").respond(json=order(NUMBER, **(PAID | changes)))
    wire.routes.post(PATH).respond(json={"refundId": "R9", "refundStatus": "PENDING"})
    return await wire.connector.send(wanted)


async def test_an_order_is_refunded_as_a_whole_or_by_line() -> None:
    """One amount for the order, or one per line; the reason in eBay's words, the id of what was made."""
    async with scripted() as wire:
        made = await _sent(wire, effect(reason="damaged", amounts={"total": usd("12.30")}))
        assert made.vendor_id == "R9"
        lines = [{"line_id": "101", "quantity": 2, "amount": usd("5.00")}, {"line_id": "102", "quantity": 1}]
        await _sent(wire, effect(reason_raw="BUYER_CANCEL", lines=lines, amounts={"total": usd("5.00")}))
        assert wire.bodies(PATH) == [
            {
                "reasonForRefund": "ITEM_NOT_AS_DESCRIBED",
                "orderLevelRefundAmount": {"value": "12.30", "currency": "USD"},
            },
            {
                "reasonForRefund": "BUYER_CANCEL",
                "refundItems": [{"lineItemId": "101", "refundAmount": {"value": "5.00", "currency": "USD"}}],
            },
        ]


@pytest.mark.parametrize(
    ("body", "changes", "code"),
    [
        ({}, {}, "no_amount"),
        ({"amounts": {"total": usd("0")}}, {}, "no_amount"),
        ({"amounts": {"total": usd("much")}}, {}, "no_amount"),
        ({"amounts": {"total": {"amount": "5.00", "currency": "EUR"}}}, {}, "currency"),
        ({"lines": [{"line_id": "999", "quantity": 1, "amount": usd("5.00")}]}, {}, "unknown_line"),
        (
            {"lines": [{"line_id": "101", "quantity": 1, "amount": usd("5.00")}], "amounts": {"total": usd("9.00")}},
            {},
            "mixed_amounts",
        ),
        ({"amounts": {"total": usd("5.00")}}, {"orderPaymentStatus": "PENDING"}, "not_paid"),
    ],
)
async def test_what_cannot_be_said_is_not_sent(body: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    """Refused with its reason before anything reaches eBay."""
    async with scripted() as wire:
        with pytest.raises(Rejected) as refused:
            await _sent(wire, effect(**body), **changes)
        assert refused.value.code == code
        assert wire.bodies(PATH) == []


async def test_a_refund_that_is_there_is_not_made_again() -> None:
    """The same amount not older than ours is ours; an older one of the same amount is another refund."""
    async with scripted() as wire:
        now = wire.clock.now()
        wanted = effect(amounts={"total": usd("12.3")}, at=moments.text(now))
        before = shown("12.30", moments.text(now - timedelta(hours=1)))
        failed = shown("12.30", moments.text(now), refundStatus="FAILED")
        for changes in (before, failed):
            await _sent(wire, wanted, paymentSummary=changes["paymentSummary"])
        assert len(wire.bodies(PATH)) == 2
        there = shown("12.30", moments.text(now + timedelta(seconds=5)))
        made = await _sent(wire, wanted, paymentSummary=there["paymentSummary"])
        assert (made.vendor_id, len(wire.bodies(PATH))) == ("R1", 2)


async def test_the_same_sum_for_another_line_is_another_refund() -> None:
    """Two lines given back one after the other, five dollars each: the second is not taken for the first."""
    async with scripted() as wire:
        now = wire.clock.now()
        paid = {"refundId": "R1", "refundDate": moments.text(now), "amount": {"value": "5.00", "currency": "USD"}}
        rows = order()["lineItems"]
        rows[0]["refunds"] = [{"refundId": "R1", "amount": paid["amount"]}]
        changes = {"paymentSummary": {"refunds": [paid]}, "lineItems": rows}

        def wanted(line: str) -> Effect:
            return effect(lines=[{"line_id": line, "quantity": 1, "amount": usd("5.0")}], at=moments.text(now))

        assert (await _sent(wire, wanted("101"), **changes)).vendor_id == "R1"
        assert wire.bodies(PATH) == []
        assert (await _sent(wire, wanted("102"), **changes)).vendor_id == "R9"
        assert len(wire.bodies(PATH)) == 1


async def test_doubt_is_settled_by_reading_and_not_too_soon() -> None:
    """Seen: applied. Not seen yet: nobody knows. Not seen long after: not applied. Without a time: never a no."""
    async with scripted() as wire:
        now = wire.clock.now()
        wanted = effect(amounts={"total": usd("12.30")}, at=moments.text(now))
        empty = order(NUMBER, **PAID)
        later = now + refunding.SEEN_WITHIN + timedelta(seconds=1)
        there = order(NUMBER, **shown("12.30", moments.text(now)))
        assert refunding.settle(there, wanted.body, now) is Settlement.APPLIED
        assert refunding.settle(empty, wanted.body, now) is Settlement.UNKNOWN
        assert refunding.settle(empty, wanted.body, later) is Settlement.NOT_APPLIED
        timeless = effect(amounts={"total": usd("12.30")})
        assert refunding.settle(there, timeless.body, later) is Settlement.UNKNOWN
        wire.routes.get(f"{ORDER_PATH}/{NUMBER}").respond(json=empty)
        wire.routes.post(PATH).mock(side_effect=httpx.ReadTimeout("late"))
        with pytest.raises(InDoubt):
            await wire.connector.send(wanted)


async def test_ebays_refusals_are_told_apart() -> None:
    """Refunded already and an open case are final; a refund still being worked off is for later; FAILED is no yes."""
    async with scripted() as wire:
        wire.routes.get(f"{ORDER_PATH}/{NUMBER}").respond(json=order(NUMBER, **PAID))
        wanted = effect(amounts={"total": usd("12.30")})
        for number, expected in ((34917, Rejected), (34916, Rejected), (34922, Transient), (215120, Rejected)):
            wire.routes.post(PATH).respond(409 if number == 34917 else 400, json=fault(number))
            with pytest.raises(expected) as refused:
                await wire.connector.send(wanted)
            assert refused.value.code == str(number)
        wire.routes.post(PATH).respond(json={"refundStatus": "FAILED"})
        with pytest.raises(Rejected):
            await wire.connector.send(wanted)


def test_amounts_keep_their_digits() -> None:
    """No exponent and no lost zero on the way to eBay."""
    body = refunding.body_of(order(NUMBER, **PAID), {"amounts": {"total": {"amount": Decimal(10), "currency": "USD"}}})
    assert body["orderLevelRefundAmount"] == {"value": "10", "currency": "USD"}
