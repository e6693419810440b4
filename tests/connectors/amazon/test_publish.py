"""A number leaves by one way at a time, keeps the lead time, and is called taken only when Amazon took it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.amazon import bulk, feed_documents, open_feeds, publish
from connectors.amazon.feed_documents import message_id
from connectors.sdk.contract import PushItem, PushResult, PushState
from connectors.sdk.errors import AuthFailed, RateLimited, Rejected, TargetMissing, Transient
from tests.support.amazon_seller import Seller, item, listings_report, selling
from tests.support.amazon_wire import BASE, ITEMS_PATH, US, fault

CA = "A2EUQ1WTGCTBG2"
SMALL_FEEDS: dict[str, Any] = {"feed_from": 2}


def states(results: list[PushResult]) -> list[str]:
    return [result.state.value for result in results]


def invalid(code: str = "90000900", message: str = "The attributes are invalid.") -> dict[str, Any]:
    issues = [
        {"code": "18448", "message": "incomplete", "severity": "WARNING"},
        {"code": code, "message": message, "severity": "ERROR"},
    ]
    return {"sku": "any", "status": "INVALID", "submissionId": "s-1", "issues": issues}


async def in_feed(seller: Seller, *items: PushItem) -> str:
    """Send these as one feed that does not end; gives its id."""
    seller.desk.statuses = ("IN_PROGRESS",)
    results = await seller.publisher.publish(list(items))
    assert states(results) == ["pending"] * len(items)
    assert len({result.receipt for result in results}) == 1
    return str(results[0].receipt)


async def test_one_number_is_a_merge_of_one_attribute() -> None:
    """Golden shape: `merge` keeps lead time and restock date; path and keys are snake case, channel DEFAULT."""
    async with selling() as seller:
        results = await seller.publisher.publish([item("LAMP/1 %", 7)])
        assert states(results) == ["accepted"]
        (request,) = [call.request for call in seller.wire.routes["patch"].calls]
        assert request.method == "PATCH"
        assert request.url.raw_path.decode() == (f"{ITEMS_PATH}/LAMP%2F1%20%25?marketplaceIds={US}&issueLocale=en_US")
        assert seller.patched("LAMP/1 %") == [
            {
                "productType": "PRODUCT",
                "patches": [
                    {
                        "op": "merge",
                        "path": "/attributes/fulfillment_availability",
                        "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}],
                    }
                ],
            }
        ]


async def test_invalid_in_a_200_is_a_refusal_of_that_item_alone() -> None:
    """The error's code is told, not the warning's before it; the neighbour is taken."""
    async with selling() as seller:

        def by_sku(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=invalid() if request.url.path.endswith("/BAD") else {"status": "ACCEPTED"})

        seller.wire.routes["patch"].mock(side_effect=by_sku)
        bad, good = await seller.publisher.publish([item("BAD", 1), item("GOOD", 2)])
        assert isinstance(bad.error, Rejected)
        assert bad.error.code == "90000900"
        assert good.state is PushState.ACCEPTED


@pytest.mark.parametrize(
    ("body", "code"),
    [({"status": "VALID"}, "unexpected_status"), ({}, "unexpected_status"), (["ACCEPTED"], "unexpected_status")],
)
async def test_only_accepted_is_a_yes(body: Any, code: str) -> None:
    """A dry run's VALID, an empty or an odd body prove nothing: the number is sent again."""
    async with selling() as seller:
        seller.wire.routes["patch"].respond(json=body)
        with pytest.raises(Transient) as caught:
            await seller.publisher.publish([item("A", 1)])
        assert caught.value.code == code


async def test_invalid_without_an_issue_is_still_a_refusal() -> None:
    """Amazon need not say why."""
    async with selling() as seller:
        seller.wire.routes["patch"].respond(json={"status": "INVALID", "issues": None})
        (result,) = await seller.publisher.publish([item("A", 1)])
        assert isinstance(result.error, Rejected)


async def test_a_400_refuses_one_item_and_a_quota_all() -> None:
    """A refusal stands alone; a spent quota with nothing sent is the answer to the whole call."""
    async with selling() as seller:
        seller.wire.routes["patch"].respond(400, json=fault("InvalidInput", "no such SKU"))
        (result,) = await seller.publisher.publish([item("A", 1)])
        assert isinstance(result.error, Rejected)
        seller.wire.routes["patch"].respond(429, json=fault("QuotaExceeded"))
        with pytest.raises(RateLimited):
            await seller.publisher.publish([item("A", 1)])
        seller.wire.clock.advance(600)
        seller.wire.routes["patch"].respond(403, json=fault("Unauthorized"))
        with pytest.raises(AuthFailed):
            await seller.publisher.publish([item("A", 1)])


async def test_amazons_own_shelf_and_foreign_marketplaces_are_not_written_to() -> None:
    """Naming Amazon's channel in a write would turn the offer over; nothing is called."""
    async with selling() as seller:
        fba, foreign = await seller.publisher.publish(
            [item("A", 1, channel="AMAZON_NA"), item("B", 1, marketplace="A1PA6795UKMFR9")]
        )
        assert isinstance(fba.error, Rejected)
        assert fba.error.code == "fulfilled_by_amazon"
        assert isinstance(foreign.error, TargetMissing)
        assert not seller.wire.routes["patch"].called


async def test_of_two_numbers_for_one_place_the_newer_is_sent() -> None:
    """Both items share the newer one's fate."""
    async with selling() as seller:
        results = await seller.publisher.publish([item("A", 1, version=1), item("A", 5, version=2)])
        assert states(results) == ["accepted", "accepted"]
        assert [body["patches"][0]["value"][0]["quantity"] for body in seller.patched("A")] == [5]


async def test_one_call_serves_marketplaces_that_show_the_same_number() -> None:
    """Alike goes together, another number apart; refused together, each is asked by itself."""
    async with selling(options={"marketplace_ids": [US, CA]}) as seller:
        alike = [item("A", 4), item("A", 4, marketplace=CA)]
        assert states(await seller.publisher.publish(alike)) == ["accepted", "accepted"]
        (request,) = seller.wire.sent(f"{ITEMS_PATH}/A")
        assert request.url.params["marketplaceIds"] == f"{CA},{US}"
        await seller.publisher.publish([item("B", 1), item("B", 2, marketplace=CA)])
        assert len(seller.wire.sent(f"{ITEMS_PATH}/B")) == 2

        def only_here(request: httpx.Request) -> httpx.Response:
            here = request.url.params["marketplaceIds"] == US
            return httpx.Response(200, json={"status": "ACCEPTED"} if here else invalid())

        seller.wire.routes["patch"].mock(side_effect=only_here)
        assert states(await seller.publisher.publish(alike)) == ["accepted", "failed"]


async def test_many_numbers_are_one_feed_and_its_id_their_receipt() -> None:
    """Golden shape of document and feed; nothing is patched."""
    async with selling(options=SMALL_FEEDS) as seller:
        results = await seller.publisher.publish([item("A", 1), item("B/2", 0)])
        assert states(results) == ["pending", "pending"]
        assert {result.receipt for result in results} == {"feed-1"}
        assert seller.desk.documents == [
            {
                "header": {"sellerId": "A3SELLEREXMPL", "version": "2.0", "issueLocale": "en_US"},
                "messages": [
                    {
                        "messageId": message_id(sku),
                        "sku": sku,
                        "operationType": "PATCH",
                        "productType": "PRODUCT",
                        "patches": [
                            {
                                "op": "merge",
                                "path": "/attributes/fulfillment_availability",
                                "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}],
                            }
                        ],
                    }
                    for sku, quantity in (("A", 1), ("B/2", 0))
                ],
            }
        ]
        (upload,) = seller.desk.uploads
        assert upload.headers["content-type"] == "application/json; charset=UTF-8"
        assert "x-amz-access-token" not in upload.headers
        assert seller.wire.bodies("/feeds/2021-06-30/documents") == [{"contentType": "application/json; charset=UTF-8"}]
        assert seller.wire.bodies("/feeds/2021-06-30/feeds") == [
            {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [US], "inputFeedDocumentId": "doc-1"}
        ]
        assert not seller.wire.routes["patch"].called


async def test_urgent_numbers_never_wait_for_a_feed() -> None:
    """Zeroing goes out by PATCH at once, the rest of the batch by feed."""
    async with selling(options=SMALL_FEEDS) as seller:
        results = await seller.publisher.publish([item("A", 1), item("B", 2), item("Z", 0, urgent=True)])
        assert states(results) == ["pending", "pending", "accepted"]
        assert [row["sku"] for row in seller.desk.documents[0]["messages"]] == ["A", "B"]


async def test_urgent_numbers_beyond_a_minute_of_calls_go_by_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A buffer raised on a whole catalogue: the lowest go singly, lowest first, and a feed has the rest at once."""
    monkeypatch.setattr(publish, "SINGLY_MAX", 3)
    async with selling(options=SMALL_FEEDS) as seller:
        shrinking = [item(f"S{number}", number, urgent=True) for number in (9, 5, 1, 7, 0, 3)]
        results = await seller.publisher.publish([item("USUAL", 50), *shrinking])
        sent = [call.request.url.path.rpartition("/")[2] for call in seller.wire.routes["patch"].calls]
        assert sent == ["S0", "S1", "S3"]
        assert states(results) == ["pending", "pending", "pending", "accepted", "pending", "accepted", "accepted"]
        (document,) = seller.desk.documents
        assert [row["sku"] for row in document["messages"]] == ["S5", "S7", "S9", "USUAL"]


async def test_a_feed_does_not_wait_for_a_minute_of_single_calls() -> None:
    """The feed is made while the urgent numbers are still on their way."""
    async with selling(options=SMALL_FEEDS) as seller:
        made = asyncio.Event()

        async def after_the_feed(_: httpx.Request) -> httpx.Response:
            await asyncio.wait_for(made.wait(), 60)
            return httpx.Response(200, json={"status": "ACCEPTED"})

        create = seller.desk._create

        def noticed(request: httpx.Request) -> httpx.Response:
            made.set()
            return create(request)

        seller.desk.creates.mock(side_effect=noticed)
        seller.wire.routes["patch"].mock(side_effect=after_the_feed)
        results = await seller.publisher.publish([item("A", 1), item("B", 2), item("Z", 0, urgent=True)])
        assert states(results) == ["pending", "pending", "accepted"]


async def test_an_urgent_sku_goes_one_way_in_all_its_marketplaces() -> None:
    """Its usual number elsewhere does not leave by feed beside the call: no order is promised between the two."""
    async with selling(options={**SMALL_FEEDS, "marketplace_ids": [US, CA]}) as seller:
        usual = [item("A", 1), item("B", 2), item("Z", 4, marketplace=CA)]
        results = await seller.publisher.publish([*usual, item("Z", 0, urgent=True)])
        assert states(results) == ["pending", "pending", "accepted", "accepted"]
        assert [row["sku"] for row in seller.desk.documents[0]["messages"]] == ["A", "B"]


async def test_done_is_no_success_and_silence_is_consent() -> None:
    """Per message: an error refuses its SKU, a warning and no word at all leave it to the read-back."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2), item("C", 3)]
        await seller.publisher.publish(sent)
        seller.desk.report = listings_report(
            {"messageId": message_id("A"), "code": "18448", "severity": "WARNING", "message": "incomplete"},
            {"messageId": message_id("B"), "code": "90220", "severity": "ERROR", "message": "required"},
            # The SKU beside a message id is not what counts.
            {"messageId": 4, "sku": "C", "code": "90220", "severity": "ERROR", "message": "another feed's row"},
        )
        seller.desk.packed = True
        results = await seller.publisher.poll("feed-1", sent)
        assert states(results) == ["accepted", "failed", "accepted"]
        assert isinstance(results[1].error, Rejected)
        assert results[1].error.code == "90220"


async def test_a_report_is_understood_after_a_restart() -> None:
    """Message ids are made of SKUs: another process reads the same report the same way."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await seller.publisher.publish(sent)
        issue = {"messageId": message_id("B"), "code": "90220", "severity": "ERROR", "message": "required"}
        seller.desk.report = listings_report(issue)
        assert states(await seller.restarted().publisher.poll("feed-1", sent[1:])) == ["failed"]


@pytest.mark.parametrize("status", ["IN_QUEUE", "IN_PROGRESS", "SOMETHING_NEW"])
async def test_an_unfinished_feed_is_asked_for_again(status: str) -> None:
    """A status nobody documented counts as unfinished."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await seller.publisher.publish(sent)
        seller.desk.statuses = (status,)
        assert states(await seller.publisher.poll("feed-1", sent)) == ["pending", "pending"]


async def test_a_fatal_feeds_document_speaks_and_the_rest_is_sent_again() -> None:
    """Some, none or all of a FATAL feed may have been carried out."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await seller.publisher.publish(sent)
        seller.desk.statuses = ("FATAL",)
        seller.desk.report = listings_report(
            {"messageId": message_id("A"), "code": "90220", "severity": "ERROR", "message": "required"},
            {"code": "4002005", "severity": "ERROR", "message": "Attribute 'Merchant' is required"},
        )
        first, second = await seller.publisher.poll("feed-1", sent)
        assert isinstance(first.error, Rejected)
        assert isinstance(second.error, Transient)
        assert "4002005" in second.error.message
        seller.desk.report = None
        results = await seller.publisher.poll("feed-1", sent)
        assert all(isinstance(result.error, Transient) for result in results)


async def test_a_feed_refused_as_a_whole_is_no_success_although_done() -> None:
    """An issue without a message id and nothing accepted: every number is sent again."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await seller.publisher.publish(sent)
        seller.desk.report = listings_report({"code": "4000001", "severity": "ERROR", "message": "header"}, accepted=0)
        results = await seller.publisher.poll("feed-1", sent)
        assert [type(result.error) for result in results] == [Transient, Transient]


async def test_cancelled_lost_and_unreadable_feeds() -> None:
    """Cancelled or unknown: sent again. A report that is none: asked for again, nothing is called taken."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await seller.publisher.publish(sent)
        seller.desk.report = b"<html>"
        with pytest.raises(Transient) as caught:
            await seller.publisher.poll("feed-1", sent)
        assert caught.value.code == "report_unreadable"
        seller.desk.statuses = ("CANCELLED",)
        codes = [result.error.code for result in await seller.publisher.poll("feed-1", sent) if result.error]
        assert codes == ["feed_cancelled", "feed_cancelled"]
        codes = [result.error.code for result in await seller.publisher.poll("feed-9", sent) if result.error]
        assert codes == ["feed_unknown", "feed_unknown"]


async def test_a_feed_stuck_for_hours_is_given_up_and_its_skus_are_free() -> None:
    """The watchdog: the numbers are sent again by the other way instead of waiting for days."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await in_feed(seller, *sent)
        seller.wire.clock.advance((open_feeds.STUCK_AFTER + timedelta(minutes=1)).total_seconds())
        codes = [result.error.code for result in await seller.publisher.poll("feed-1", sent) if result.error]
        assert codes == ["feed_stuck", "feed_stuck"]
        assert states(await seller.publisher.publish([item("A", 3, version=2)])) == ["accepted"]


async def test_a_sku_in_an_unfinished_feed_is_held_and_sent_once_that_has_ended() -> None:
    """One write path per SKU: no order is promised between a queued feed and a later PATCH."""
    async with selling(options=SMALL_FEEDS) as seller:
        receipt = await in_feed(seller, item("A", 1), item("B", 2))
        newer = item("A", 9, version=2)
        (held,) = await seller.publisher.publish([newer])
        assert (held.state, held.receipt) == (PushState.PENDING, f"after:{receipt}")
        assert states(await seller.publisher.publish([item("C", 1)])) == ["accepted"], "others are not held up"
        assert states(await seller.publisher.poll(f"after:{receipt}", [newer])) == ["pending"]
        assert not seller.patched("A")
        seller.desk.statuses = ("DONE",)
        assert states(await seller.publisher.poll(f"after:{receipt}", [newer])) == ["accepted"]
        assert [body["patches"][0]["value"][0]["quantity"] for body in seller.patched("A")] == [9]


async def test_a_feed_that_ended_unasked_holds_nobody() -> None:
    """The engine never asks for a feed whose numbers were all replaced: the next push finds out itself."""
    async with selling(options=SMALL_FEEDS) as seller:
        await in_feed(seller, item("A", 1), item("B", 2))
        seller.desk.statuses = ("DONE",)
        seller.wire.clock.advance(open_feeds.LOOK_EVERY_S)
        assert states(await seller.publisher.publish([item("A", 9, version=2)])) == ["accepted"]


async def test_an_urgent_number_takes_its_feed_out_of_the_queue() -> None:
    """In the queue a feed can be cancelled, once it is processed it cannot."""
    async with selling(options=SMALL_FEEDS) as seller:
        sent = [item("A", 1), item("B", 2)]
        await in_feed(seller, *sent)
        zero = item("A", 0, version=2, urgent=True)
        assert states(await seller.publisher.publish([zero])) == ["pending"], "in progress: the feed may still win"
        assert not seller.desk.cancels.called
        seller.desk.statuses = ("IN_QUEUE",)
        assert states(await seller.publisher.publish([zero])) == ["accepted"]
        assert seller.desk.cancels.call_count == 1
        assert states(await seller.publisher.poll("feed-1", sent)) == ["failed", "failed"], "the others come again"


async def test_an_urgent_number_is_shown_at_once_and_sent_again_after_its_feed() -> None:
    """Whichever of the two wins, shoppers see the smaller number first and last."""
    async with selling(options=SMALL_FEEDS) as seller:
        receipt = await in_feed(seller, item("A", 9), item("B", 2))
        zero = item("A", 0, version=2, urgent=True)
        (held,) = await seller.publisher.publish([zero])
        assert (held.state, held.receipt) == (PushState.PENDING, f"after:{receipt}")
        assert [body["patches"][0]["value"][0]["quantity"] for body in seller.patched("A")] == [0]
        seller.desk.statuses = ("DONE",)
        assert states(await seller.publisher.poll(f"after:{receipt}", [zero])) == ["accepted"]
        assert [body["patches"][0]["value"][0]["quantity"] for body in seller.patched("A")] == [0, 0]


async def test_a_number_that_another_call_is_still_sending_is_never_overtaken() -> None:
    """Numbers sent again after a wait may take a minute: a newer one of the same SKU is not undone by them."""
    async with selling() as seller:
        asked, answer = asyncio.Event(), asyncio.Event()

        async def slow(_: httpx.Request) -> httpx.Response:
            if not asked.is_set():
                asked.set()
                await answer.wait()
            return httpx.Response(200, json={"status": "ACCEPTED"})

        seller.wire.routes["patch"].mock(side_effect=slow)
        older = asyncio.create_task(seller.publisher.poll(publish.SPENT, [item("A", 5), item("B", 5)]))
        await asked.wait()
        zero, usual = item("A", 0, version=2, urgent=True), item("A", 3, version=3)
        (held,) = await seller.publisher.publish([zero])
        assert (held.state, held.receipt) == (PushState.PENDING, publish.SPENT)
        assert [body["patches"][0]["value"][0]["quantity"] for body in seller.patched("A")] == [0], "shown at once"
        assert states(await seller.publisher.publish([usual])) == ["pending"]
        assert states(await seller.publisher.publish([item("C", 1)])) == ["accepted"], "others are not held up"
        answer.set()
        assert states(await older) == ["accepted", "accepted"]
        assert states(await seller.publisher.poll(publish.SPENT, [zero])) == ["accepted"]
        arrived = [body["patches"][0]["value"][0]["quantity"] for body in seller.patched("A")]
        assert arrived == [0, 5, 0], "the older one came late and is undone"


async def test_a_feed_that_ends_while_another_is_looked_at_stops_nothing() -> None:
    """Receipts are asked for beside the sending: one of the feeds a batch waits for is gone before its turn."""
    async with selling(options=SMALL_FEEDS) as seller:
        await in_feed(seller, item("A", 1), item("A2", 2))
        seller.wire.clock.advance(bulk.APART_S)
        await in_feed(seller, item("B", 1), item("B2", 2))
        state: Any = seller.desk.states.side_effect
        nested: list[str] = []

        async def look(request: httpx.Request) -> httpx.Response:
            if not nested:
                nested.append("feed-2")
                seller.desk.feeds["feed-2"]["processingStatus"] = "DONE"
                assert states(await seller.publisher.poll("feed-2", [item("B", 1)])) == ["accepted"]
            return state(request)  # type: ignore[no-any-return]

        seller.desk.states.mock(side_effect=look)
        results = await seller.publisher.publish([item("A", 9, version=2, urgent=True), item("B", 8, version=2)])
        assert states(results) == ["pending", "accepted"]


async def test_feeds_are_not_cancelled_all_the_time() -> None:
    """A busy seller's urgent numbers must not keep every feed from ending: the second one is waited for."""
    async with selling(options=SMALL_FEEDS) as seller:
        for expected in ("accepted", "pending"):
            await in_feed(seller, item("A", 1), item("B", 2))
            seller.desk.statuses = ("IN_QUEUE",)
            assert states(await seller.publisher.publish([item("A", 0, version=2, urgent=True)])) == [expected]
            seller.wire.clock.advance(bulk.APART_S)
        assert seller.desk.cancels.call_count == 1


async def test_after_a_restart_numbers_wait_for_feeds_that_were_under_way() -> None:
    """Nobody remembers what is in them; only what cannot wait passes, and they are never cancelled."""
    async with selling(options=SMALL_FEEDS) as seller:
        receipt = await in_feed(seller, item("A", 1), item("B", 2))
        after = seller.restarted()
        usual, urgent = await after.publisher.publish([item("A", 9, version=2), item("Z", 0, urgent=True)])
        assert (usual.state, usual.receipt) == (PushState.PENDING, f"after:{receipt}")
        assert urgent.state is PushState.ACCEPTED
        assert not seller.desk.cancels.called
        seller.desk.statuses = ("DONE",)
        assert states(await after.publisher.poll(f"after:{receipt}", [usual.item])) == ["accepted"]


async def test_feeds_that_cannot_be_listed_hold_nothing_up() -> None:
    """Reading back proves the numbers; a list that fails is tried again later."""
    async with selling() as seller:
        seller.wire.routes.get(f"{BASE}/feeds/2021-06-30/feeds").respond(400, json=fault("InvalidInput"))
        assert states(await seller.publisher.publish([item("A", 1)])) == ["accepted"]


async def test_a_lost_feed_is_found_and_not_made_twice() -> None:
    """createFeed is not idempotent: after a lost answer the list is read before another is made."""
    async with selling(options=SMALL_FEEDS) as seller:
        seller.desk.lose = 1
        results = await seller.publisher.publish([item("A", 1), item("B", 2)])
        assert states(results) == ["pending", "pending"]
        assert results[0].receipt == "feed-1"
        assert seller.desk.creates.call_count == 1


async def test_a_feed_that_never_arrived_may_be_sent_again() -> None:
    """Looked for twice, some time apart, before it is called lost."""
    async with selling(options=SMALL_FEEDS) as seller:
        seller.desk.drop = 1
        with pytest.raises(Transient) as caught:
            await seller.publisher.publish([item("A", 1), item("B", 2)])
        assert caught.value.code == "feed_lost"
        assert seller.desk.creates.call_count == 1
        assert 15.0 in seller.wire.clock.slept


async def test_an_address_that_ended_is_asked_for_again() -> None:
    """Presigned addresses live five minutes; a document may be made anew."""
    async with selling(options=SMALL_FEEDS) as seller:
        seller.desk.dead_uploads = 3
        assert states(await seller.publisher.publish([item("A", 1), item("B", 2)])) == ["pending", "pending"]
        assert seller.wire.bodies("/feeds/2021-06-30/feeds")[0]["inputFeedDocumentId"] == "doc-2"


async def test_few_numbers_wait_for_the_next_feed_together() -> None:
    """Feeds are a minute apart unless full: five small ones would be spent in a second."""
    async with selling(options=SMALL_FEEDS) as seller:
        await in_feed(seller, item("A", 1), item("B", 2))
        for name in ("C", "E", "G"):
            results = await seller.publisher.publish([item(name, 1), item(f"{name}2", 2)])
            assert [result.receipt for result in results] == [publish.SPENT] * 2
        seller.wire.clock.advance(bulk.APART_S)
        waiting = [item(name, 1) for name in ("C", "C2", "E", "E2", "G", "G2")]
        assert states(await seller.publisher.poll(publish.SPENT, waiting)) == ["pending"] * 6
        assert (seller.desk.creates.call_count, seller.patched("C")) == (2, [])


async def test_a_full_feed_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers worth a feed go at once, five times in five minutes."""
    monkeypatch.setattr(bulk, "FULL", 2)
    async with selling(options=SMALL_FEEDS) as seller:
        for name in "AB":
            await in_feed(seller, item(name, 1), item(f"{name}2", 2))
        assert seller.desk.creates.call_count == 2


async def test_when_feeds_are_spent_numbers_go_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five feeds in five minutes are all Amazon takes; the sixth batch goes out by PATCH."""
    monkeypatch.setattr(bulk, "FULL", 2)
    async with selling(options=SMALL_FEEDS) as seller:
        for number in range(5):
            await seller.publisher.publish([item(f"A{number}", 1), item(f"B{number}", 2)])
        results = await seller.publisher.publish([item("C", 1), item("D", 2)])
        assert states(results) == ["accepted", "accepted"]
        assert seller.desk.creates.call_count == 5
        seller.wire.clock.advance(300)
        assert states(await seller.publisher.publish([item("E", 1), item("F", 2)])) == ["pending", "pending"]


async def test_a_document_refused_as_a_whole_goes_singly() -> None:
    """A 400 of createFeed concerns the document: each number gets an answer of its own."""
    async with selling(options=SMALL_FEEDS) as seller:
        seller.desk.refuse = httpx.Response(400, json=fault("InvalidInput", "bad document"))
        assert states(await seller.publisher.publish([item("A", 1), item("B", 2)])) == ["accepted", "accepted"]


async def test_what_no_feed_takes_and_no_minute_carries_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With feeds spent a minute's worth goes singly; the rest is tried later and holds no urgent number back."""
    monkeypatch.setattr(publish, "SINGLY_MAX", 3)
    async with selling(options=SMALL_FEEDS) as seller:
        seller.desk.refuse = httpx.Response(429, json=fault("QuotaExceeded"))
        results = await seller.publisher.publish([item(f"S{number}", 1) for number in range(5)])
        assert states(results) == ["accepted"] * 3 + ["pending"] * 2
        waiting = [result.item for result in results if result.receipt == publish.SPENT]
        assert states(await seller.publisher.poll(publish.SPENT, waiting)) == ["accepted"] * 2, "few by now: singly"
        seller.wire.clock.advance(300)
        seller.desk.refuse = None
        before = seller.desk.creates.call_count
        many = [item(f"T{number}", 1) for number in range(5)]
        assert states(await seller.publisher.poll(publish.SPENT, many)) == ["pending"] * 5
        assert seller.desk.creates.call_count == before + 1, "all that waited go in one feed"


async def test_what_is_left_over_from_full_documents_goes_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed for one number more than fits would cost as much as the one before it."""
    monkeypatch.setattr(feed_documents, "MESSAGES_MAX", 4)
    async with selling(options=SMALL_FEEDS) as seller:
        results = await seller.publisher.publish([item(f"S{number}", 1) for number in range(5)])
        assert states(results) == ["pending"] * 4 + ["accepted"]
        assert seller.desk.creates.call_count == 1


async def test_a_vendor_that_is_down_is_not_asked_for_every_item() -> None:
    """After a few failures that are not the items' fault the rest is left for later."""
    async with selling() as seller:
        seller.wire.routes["patch"].respond(500)
        with pytest.raises(Transient):
            await seller.publisher.publish([item(f"S{number}", 1) for number in range(40)])
        assert seller.wire.routes["patch"].call_count < 40
