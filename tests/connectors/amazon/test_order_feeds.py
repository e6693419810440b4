"""Cancelling and refunding by feed: refused where it may not be, believed when proven, never paid twice."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from connectors.amazon import order_feeds
from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import ConnectorError, InDoubt, RateLimited, Rejected, Transient
from tests.support.amazon_seller import Seller, effect, selling, show_order, xml_report
from tests.support.amazon_wire import US, fault

ACK, ADJUST = "POST_ORDER_ACKNOWLEDGEMENT_DATA", "POST_PAYMENT_ADJUSTMENT_DATA"
PAST_LAG_S = order_feeds.LIST_LAG.total_seconds() + 1


def cancellation(*lines: dict[str, Any], reason: str = "inventory", **more: Any) -> Effect:
    return effect("cancel_order", {"type": "order_cancellation", "reason": reason, "lines": list(lines), **more})


def money(amount: str, currency: str | None = "USD") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def refund(*lines: dict[str, Any], **more: Any) -> Effect:
    return effect("refund_order", {"type": "refund", "lines": list(lines), **more})


def line(amount: str | None = "5.00", **more: Any) -> dict[str, Any]:
    return {"line_id": "101", "quantity": 1, "amount": None if amount is None else money(amount), **more}


def shows(seller: Seller, *, cancels: bool = True, **changes: Any) -> dict[str, Any]:
    """The order; with `cancels` it is cancelled once a feed was made."""
    shown = show_order(seller.wire, **changes)
    seller.desk.report = xml_report()
    if cancels:
        create = seller.desk.creates.side_effect

        def made(request: httpx.Request) -> httpx.Response:
            try:
                answer: httpx.Response = create(request)  # type: ignore[misc, operator]
            finally:
                if seller.desk.feeds:
                    shown["fulfillment"] = {"fulfillmentStatus": "CANCELLED"}
            return answer

        seller.desk.creates.mock(side_effect=made)
    return shown


def sent_xml(seller: Seller) -> ET.Element:
    (upload,) = seller.desk.uploads
    return ET.fromstring(upload.read())


async def test_a_cancellation_is_a_feed_proven_by_the_order() -> None:
    """Every line of an order when none is named; then once more nothing is sent."""
    async with selling() as seller:
        shows(seller)
        seller.desk.statuses = ("IN_QUEUE", "IN_PROGRESS", "DONE")
        result = await seller.effects.send(cancellation())
        assert result.vendor_id == "feed-1"
        (made,) = seller.wire.bodies("/feeds/2021-06-30/feeds")
        assert (made["feedType"], made["marketplaceIds"]) == (ACK, [US])
        assert seller.desk.uploads[0].headers["content-type"] == "text/xml; charset=UTF-8"
        assert sent_xml(seller).findtext("Message/OrderAcknowledgement/Item/CancelReason") == "NoInventory"
        assert (await seller.effects.send(cancellation())).note == "Amazon already had this cancellation"
        assert await seller.effects.settle(cancellation()) is Settlement.APPLIED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": "unknown"}, "no_reason"),
        ({"lines": [{"line_id": "101", "quantity": 1}]}, "partial_line"),
        ({"lines": [{"line_id": "404", "quantity": 1}]}, "no_such_line"),
    ],
)
async def test_a_cancellation_that_cannot_be_told_is_refused(body: dict[str, Any], code: str) -> None:
    """Amazon cancels whole lines for one of its reasons."""
    async with selling() as seller:
        shows(seller)
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(effect("cancel_order", {"reason": "inventory", **body}))
        assert caught.value.code == code
        assert not seller.desk.uploads


async def test_amazons_own_reason_is_kept() -> None:
    """A raw reason of Amazon's list goes through as it is."""
    async with selling() as seller:
        shows(seller)
        await seller.effects.send(cancellation(reason="unknown", reason_raw="MerchandiseNotReceived"))
        assert sent_xml(seller).findtext("Message/OrderAcknowledgement/Item/CancelReason") == "MerchandiseNotReceived"


async def test_what_is_shipped_or_amazons_is_not_cancelled() -> None:
    """Units that left cannot be cancelled; an FBA order is Amazon's business."""
    async with selling() as seller:
        shown = shows(seller)
        shown["orderItems"][0]["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 1}
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(cancellation())
        assert caught.value.code == "already_shipped"
        shown["fulfillment"] = {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"}
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(cancellation())
        assert caught.value.code == "fulfilled_by_amazon"


async def test_lines_that_are_cancelled_already_are_left_out() -> None:
    """Only what is left is named."""
    async with selling() as seller:
        shown = shows(seller)
        executed = {"cancellationExecution": {"cancelledBy": "BUYER"}}
        shown["orderItems"].append(
            {"orderItemId": "102", "quantityOrdered": 1, "product": {}, "cancellation": executed}
        )
        await seller.effects.send(cancellation())
        assert [row.text for row in sent_xml(seller).iter("AmazonOrderItemCode")] == ["101"]


async def test_a_refusal_in_the_report_is_the_answer() -> None:
    """DONE with an error: refused with Amazon's code, and settling says the same."""
    async with selling() as seller:
        shows(seller, cancels=False)
        seller.desk.report = xml_report(("18028", "The order is shipped."), successful=0)
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(cancellation())
        assert caught.value.code == "18028"


async def test_a_feed_that_changes_nothing_is_doubt_and_is_sent_again_later() -> None:
    """DONE without a word, yet the order stands: not believed; half an hour on it may be sent once more."""
    async with selling() as seller:
        shows(seller, cancels=False)
        with pytest.raises(InDoubt) as caught:
            await seller.effects.send(cancellation())
        assert caught.value.code == "not_shown_yet"
        assert await seller.effects.settle(cancellation()) is Settlement.UNKNOWN
        seller.wire.clock.advance(1_801)
        assert await seller.effects.settle(cancellation()) is Settlement.NOT_APPLIED


async def test_a_slow_feed_is_doubt_and_settles_when_it_ends() -> None:
    """Waited for half a minute, then left to be asked for; never sent twice meanwhile."""
    async with selling() as seller:
        shows(seller, cancels=False)
        seller.desk.statuses = ("IN_QUEUE",)
        sent = refund(line())
        with pytest.raises(InDoubt) as caught:
            await seller.effects.send(sent)
        assert caught.value.code == "feed_pending"
        assert sum(seller.wire.clock.slept) == sum(order_feeds.WAITS_S)
        assert await seller.effects.settle(sent) is Settlement.UNKNOWN
        seller.desk.statuses = ("DONE",)
        assert await seller.effects.settle(sent) is Settlement.APPLIED
        assert seller.desk.creates.call_count == 1


@pytest.mark.parametrize(("kind", "feed_type"), [("cancel_order", ACK), ("refund_order", ADJUST)])
async def test_a_lost_answer_is_doubt_and_the_feed_is_found(kind: str, feed_type: str) -> None:
    """createFeed has no key: doubt at once, then the list tells; the feed is not made again."""
    async with selling() as seller:
        shows(seller)
        sent = cancellation() if kind == "cancel_order" else refund(line())
        seller.desk.lose = 1
        with pytest.raises(InDoubt):
            await seller.effects.send(sent)
        assert await seller.effects.settle(sent) is Settlement.APPLIED
        assert [row["feedType"] for row in seller.desk.feeds.values()] == [feed_type]


async def test_absence_counts_only_after_the_list_had_time_to_show_it() -> None:
    """A list may lag: at first unknown, minutes later not applied."""
    async with selling() as seller:
        shows(seller, cancels=False)
        sent = refund(line())
        seller.desk.drop = 1
        with pytest.raises(InDoubt):
            await seller.effects.send(sent)
        assert await seller.effects.settle(sent) is Settlement.UNKNOWN
        seller.wire.clock.advance(PAST_LAG_S)
        assert await seller.effects.settle(sent) is Settlement.NOT_APPLIED


async def test_feeds_of_another_program_leave_a_refund_in_doubt() -> None:
    """Two feeds fit: nobody can say which is ours, so a person decides."""
    async with selling() as seller:
        shows(seller, cancels=False)
        sent = refund(line())
        seller.desk.lose = 1
        with pytest.raises(InDoubt):
            await seller.effects.send(sent)
        seller.desk.made(ADJUST)
        seller.wire.clock.advance(PAST_LAG_S)
        assert await seller.effects.settle(sent) is Settlement.UNKNOWN


async def test_one_feed_is_never_taken_for_another_whose_answer_was_lost_too() -> None:
    """Two refunds lose their answers at once and one feed is there: whose it is nobody can say, so neither is paid
    again nor called paid."""
    async with selling() as seller:
        shows(seller, cancels=False)
        there, gone = refund(line()), effect("refund_order", {"type": "refund", "lines": [line("7.00")]}, "e-2")
        seller.desk.lose = 1
        with pytest.raises(InDoubt):
            await seller.effects.send(there)
        seller.desk.drop = 1
        with pytest.raises(InDoubt):
            await seller.effects.send(gone)
        seller.wire.clock.advance(PAST_LAG_S)
        assert await seller.effects.settle(gone) is Settlement.UNKNOWN
        assert await seller.effects.settle(there) is Settlement.UNKNOWN


async def test_a_feed_made_long_afterwards_is_somebody_elses() -> None:
    """Ours was sent half an hour before: it never arrived, whatever another program makes meanwhile."""
    async with selling() as seller:
        shows(seller, cancels=False)
        sent = refund(line())
        seller.desk.drop = 1
        with pytest.raises(InDoubt):
            await seller.effects.send(sent)
        seller.wire.clock.advance(1_800)
        seller.desk.made(ADJUST)
        assert await seller.effects.settle(sent) is Settlement.NOT_APPLIED


async def test_trouble_with_reading_a_feed_that_was_made_is_doubt() -> None:
    """A spent budget for the report must not look like "nothing was carried out"."""
    async with selling() as seller:
        shows(seller, cancels=False)
        seller.desk.results.mock(return_value=httpx.Response(429, json=fault("QuotaExceeded")))
        with pytest.raises(InDoubt):
            await seller.effects.send(refund(line()))


async def test_a_feed_that_is_not_found_yet_is_doubt_and_no_refusal() -> None:
    """Read right after it was made it may be unknown; a 404 then refuses nothing."""
    async with selling() as seller:
        shows(seller, cancels=False)
        seller.desk.states.mock(return_value=httpx.Response(404, json=fault("NotFound")))
        with pytest.raises(InDoubt):
            await seller.effects.send(refund(line()))


async def test_before_a_feed_is_made_trouble_is_no_doubt() -> None:
    """Budget or upload: nothing was carried out, so the engine may simply try again."""
    async with selling() as seller:
        shows(seller, cancels=False)
        seller.desk.dead_uploads = 99
        with pytest.raises(Transient):
            await seller.effects.send(refund(line()))
        seller.desk.dead_uploads = 0
        seller.desk.refuse = httpx.Response(429, json=fault("QuotaExceeded"))
        with pytest.raises(RateLimited):
            await seller.effects.send(refund(line()))


@pytest.mark.parametrize(
    ("status", "report", "kind", "code"),
    [
        ("CANCELLED", None, Transient, "feed_cancelled"),
        ("FATAL", None, InDoubt, "feed_unclear"),
        ("FATAL", xml_report(("5000", "XML Parsing Error"), successful=0), Rejected, "5000"),
        ("DONE", None, InDoubt, "feed_unclear"),
        ("DONE", b"<html>", InDoubt, "feed_unclear"),
        ("DONE", xml_report(successful=0), InDoubt, "feed_unclear"),
    ],
)
async def test_how_a_feed_may_end(status: str, report: bytes | None, kind: type[ConnectorError], code: str) -> None:
    """Only DONE with a report that counts a success is a yes."""
    async with selling() as seller:
        shows(seller, cancels=False)
        seller.desk.statuses, seller.desk.report = (status,), report
        with pytest.raises(kind) as caught:
            await seller.effects.send(refund(line()))
        assert caught.value.code == code


async def test_after_a_restart_a_refund_is_repeated_only_when_none_can_have_been_made() -> None:
    """No feed of that type in days: not applied. Any: unknown, unless a report refuses this very order."""
    async with selling() as seller:
        shows(seller, cancels=False)
        sent = refund(line())
        after = seller.restarted()
        assert await after.effects.settle(sent) is Settlement.UNKNOWN, "a list may lag behind the last moments"
        seller.wire.clock.advance(PAST_LAG_S)
        assert await after.effects.settle(sent) is Settlement.NOT_APPLIED
        seller.desk.made(ADJUST)
        seller.desk.statuses = ("IN_PROGRESS",)
        assert await after.effects.settle(sent) is Settlement.UNKNOWN
        seller.desk.statuses = ("DONE",)
        assert await after.effects.settle(sent) is Settlement.UNKNOWN
        seller.desk.report = xml_report(("18021", "refused"), order_id="701-9999999-9999999")
        assert await after.effects.settle(sent) is Settlement.UNKNOWN
        seller.desk.report = xml_report(("18021", "refused"))
        with pytest.raises(Rejected) as caught:
            await after.effects.settle(sent)
        assert caught.value.code == "18021"


async def test_a_refund_is_told_with_its_sum() -> None:
    """The feed's id and what was given back."""
    async with selling() as seller:
        shows(seller, cancels=False)
        result = await seller.effects.send(refund(line("5.00", tax=money("0.40"))))
        assert (result.vendor_id, result.note) == ("feed-1", "5.40 USD")
        assert await seller.effects.settle(refund(line("5.00", tax=money("0.40")))) is Settlement.APPLIED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"lines": [line(None)]}, "no_amount"),
        ({"lines": [line("0")]}, "no_amount"),
        ({"lines": [line("-1")]}, "bad_amount"),
        ({"lines": [line("much")]}, "bad_amount"),
        ({"lines": [{**line(), "line_id": "404"}]}, "no_such_line"),
        ({"lines": [line()], "amounts": {"total": money("9.99")}}, "amounts_differ"),
        ({"lines": [line(tax=money("1", "EUR"))]}, "currency"),
        ({"lines": [{**line(), "amount": money("1", None)}]}, "currency"),
        ({"lines": [{**line(), "quantity": "1.5"}]}, "bad_quantity"),
    ],
)
async def test_a_refund_that_does_not_add_up_is_refused(body: dict[str, Any], code: str) -> None:
    """Money is exact or not sent."""
    async with selling() as seller:
        shows(seller, cancels=False)
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(effect("refund_order", body))
        assert caught.value.code == code
        assert not seller.desk.uploads


async def test_a_refund_of_a_single_line_may_come_as_sums() -> None:
    """Items, tax, shipping and an adjustment told for the order alone; the order's currency fills in."""
    async with selling() as seller:
        shown = shows(seller, cancels=False)
        shown["proceeds"] = {"grandTotal": {"amount": "5980", "currencyCode": "JPY"}}
        shown["orderItems"][0]["fulfillment"] = {"quantityFulfilled": 2, "quantityUnfulfilled": 0}
        sums = {"items": money("5000", None), "tax": money("500", None), "adjustment": money("80", None)}
        await seller.effects.send(effect("refund_order", {"amounts": sums | {"total": money("5580", None)}}))
        root = sent_xml(seller)
        told = [(row.findtext("Type"), row.findtext("Amount")) for row in root.iter("Component")]
        assert told == [("Principal", "5000"), ("Tax", "500"), ("Goodwill", "80")]
        assert root.find(".//QuantityCancelled") is None, "what was shipped is not cancelled"
