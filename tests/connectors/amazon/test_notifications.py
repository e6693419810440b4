"""A notification is read whatever its case and wrapping, and leads to what stands at Amazon now."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from connectors.amazon import notifications, topics
from connectors.amazon.manifest import MANIFEST
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import RateLimited, Transient, UnknownTopic
from tests.support.amazon_wire import (
    BASE,
    FBA_PATH,
    ITEMS_PATH,
    ORDERS_PATH,
    Wire,
    fault,
    notification,
    order,
    order_change,
    scripted,
)

NUMBER = "701-0000001-0000001"
FINANCES = "/finances/2024-06-19/transactions"


def named(body: object, message_id: str = "m-1") -> Envelope:
    return notifications.envelope(json.dumps(body), message_id)


def camel(value: Any) -> Any:
    """The same with small first letters, as FEED_PROCESSING_FINISHED is written."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: camel(inner) for key, inner in value.items()}
    return value


def test_an_order_change_is_named_by_its_notification_and_ordered_by_its_order() -> None:
    """The key is NotificationId, never the body: a copy is the same input."""
    found = named(order_change(NUMBER, "n-7"))
    assert (found.topic, found.dedupe_key, found.ordering_key) == ("ORDER_CHANGE", "event:n-7", f"order:{NUMBER}")
    assert found.occurred_at is not None
    assert json.loads(found.payload) == order_change(NUMBER, "n-7")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda body: body,
        camel,
        lambda body: {"Type": "Notification", "MessageId": "s-1", "Message": json.dumps(body)},
        lambda body: {"version": "0", "id": "e-1", "detail-type": "ORDER_CHANGE", "detail": body},
        lambda body: {"Message": json.dumps({"detail": camel(body)})},
    ],
)
def test_case_and_wrapping_do_not_matter(wrap: Any) -> None:
    """Through SNS or an EventBridge rule it is the same notification, kept without the wrapping."""
    found = named(wrap(order_change(NUMBER, "n-7")))
    assert (found.topic, found.dedupe_key, found.ordering_key) == ("ORDER_CHANGE", "event:n-7", f"order:{NUMBER}")
    read = notifications.read(found.payload)
    assert (read.type, read.id, read.order_id) == ("ORDER_CHANGE", "n-7", NUMBER)
    assert "detail" not in json.loads(found.payload)


@pytest.mark.parametrize("kind", sorted({*topics.HINTS, *topics.IGNORED}))
def test_every_type_we_know_is_declared(kind: str) -> None:
    """A type Amazon may send is a hint or known to be nobody's business: none is parked for being new."""
    topic = MANIFEST.topic(named(notification(kind)).topic)
    assert topic is not None
    assert topic.hint is not topic.ignored


@pytest.mark.parametrize("body", [None, 3, [], {}, {"NotificationType": 3}, {"NotificationType": "ORDER_CHANGE"}])
def test_what_is_no_notification_is_kept_by_message_id(body: object) -> None:
    """It is parked under a name no mapping has, so that an operator sees it."""
    found = named(body, "m-9")
    assert (found.topic, found.dedupe_key) == (topics.UNKNOWN, "message:m-9")
    assert MANIFEST.topic(found.topic) is None
    with pytest.raises(UnknownTopic):
        notifications.read(found.payload)


async def resolved(wire: Wire, body: Any) -> list[Envelope]:
    return list(await wire.connector.resolve(named(body)))


async def test_an_order_change_leads_to_the_order() -> None:
    """The notification is a hint: the order that stands there now is read in full."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}/{NUMBER}").respond(json={"order": order(NUMBER)})
        (found,) = await resolved(wire, order_change(NUMBER))
        assert (found.topic, found.ordering_key) == ("order", f"order:{NUMBER}")
        assert json.loads(found.payload) == order(NUMBER)


async def test_an_order_that_may_not_be_read_in_time_is_reserved_from_its_notification() -> None:
    """Half a call a second is granted: after a burst of sales the summary keeps the stock right within seconds."""
    async with scripted() as wire:
        route = wire.routes.get(url__startswith=f"{BASE}{ORDERS_PATH}/")
        route.mock(side_effect=lambda request: httpx.Response(200, json={"order": order(request.url.path[-19:])}))
        hints = [order_change(f"701-{number:07}-0000001", f"n-{number}") for number in range(60)]
        found = [each for part in await asyncio.gather(*(resolved(wire, hint) for hint in hints)) for each in part]
        kinds = [each.topic for each in found]
        assert len(kinds) == 60, "none is left out and none waits"
        assert set(kinds) == {"order", "order_summary"}
        assert 28 <= kinds.count("order") <= 32
        assert wire.clock.monotonic() < 5, "nobody waited for the bucket"
        summary = next(each for each in found if each.topic == "order_summary")
        assert summary.ordering_key.startswith("order:701-")
        assert "Summary" in json.loads(summary.payload)["Payload"]["OrderChangeNotification"]


@pytest.mark.parametrize("status", [404, 429])
async def test_an_order_not_readable_yet_is_reserved_too(status: int) -> None:
    """A notification overtakes the read side by seconds, and Amazon may grant less than it publishes."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}/{NUMBER}").respond(status, json=fault("x"))
        (found,) = await resolved(wire, order_change(NUMBER, "n-3"))
        assert (found.topic, found.dedupe_key) == ("order_summary", "summary:n-3")


async def test_an_amazon_that_is_down_is_asked_again() -> None:
    """Weather is no reason to believe less than the whole order."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}/{NUMBER}").respond(503)
        with pytest.raises(Transient):
            await resolved(wire, order_change(NUMBER))


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        (topics.MFN_QUANTITY, "stock"),
        (topics.LISTING_STATUS, "listing"),
        (topics.LISTING_ISSUES, "listing"),
    ],
)
async def test_news_of_a_listing_lead_to_the_item(kind: str, topic: str) -> None:
    """The number in a notification is not believed; the item is read, whatever signs its SKU holds."""
    async with scripted() as wire:
        sku = "LAMP/1 50%"
        item = {"sku": sku, "summaries": [], "fulfillmentAvailability": [], "attributes": {}}
        route = wire.routes.get(url__startswith=f"{BASE}{ITEMS_PATH}/").respond(json=item)
        (found,) = await resolved(wire, notification(kind, Sku=sku, Quantity=99, FulfillmentChannelCode="DEFAULT"))
        assert found.topic == topic
        assert b"99" not in found.payload
        assert route.calls.last.request.url.raw_path.split(b"?")[0].endswith(b"/LAMP%2F1%2050%25")
        route.respond(404, json=fault("NOT_FOUND"))
        assert await resolved(wire, notification(kind, "n-2", Sku=sku)) == []


async def test_news_of_amazons_stock_lead_to_its_numbers() -> None:
    """The page is kept as received, with the time it was read."""
    async with scripted() as wire:
        payload = {"granularity": {}, "inventorySummaries": [{"sellerSku": "LAMP"}]}
        wire.routes.get(f"{BASE}{FBA_PATH}").respond(json={"payload": payload})
        (found,) = await resolved(wire, notification(topics.FBA_INVENTORY, SKU="LAMP"))
        assert found.topic == "fba_stock"
        assert json.loads(found.payload) == {"payload": payload, "read_at": "2026-01-05T12:00:00.000Z"}
        assert wire.sent(FBA_PATH)[0].url.params["sellerSkus"] == "LAMP"


async def test_news_of_a_transaction_lead_to_the_refunds_of_its_order() -> None:
    """Every page is read, shipments are left out, and a refund read twice is one input."""
    async with scripted() as wire:
        rows = [
            {"transactionId": "t-1", "transactionType": "Shipment", "description": "Order Payment"},
            {"transactionId": "t-2", "transactionType": "Refund", "postedDate": "2026-01-05T11:00:00Z"},
        ]
        pages = [
            {"payload": {"transactions": rows, "nextToken": "2"}},
            {"payload": {"transactions": [], "nextToken": "3"}},
            {"payload": {"transactions": [{"transactionId": "t-3", "transactionType": "Refund"}]}},
        ]
        route = wire.routes.get(f"{BASE}{FINANCES}")
        route.mock(side_effect=[httpx.Response(200, json=page) for page in pages])
        related = [{"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": NUMBER}]
        body = notification(topics.TRANSACTION, TransactionUpdateNotification={"RelatedIdentifiers": related})
        found = await resolved(wire, body)
        assert [json.loads(each.payload)["transactionId"] for each in found] == ["t-2", "t-3"]
        assert {each.topic for each in found} == {"refund"}
        assert route.calls[0].request.url.params["relatedIdentifierValue"] == NUMBER
        assert [call.request.url.params.get("nextToken") for call in route.calls] == [None, "2", "3"]


async def test_refunds_are_never_dropped_and_payments_cost_nothing() -> None:
    """A burst of settled sales spends no call; a refund that finds the bucket empty comes again."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{FINANCES}").respond(json={"payload": {"transactions": []}})
        related = [{"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": NUMBER}]

        def transaction(kind: str) -> Any:
            change = {"RelatedIdentifiers": related, "TransactionType": kind}
            return notification(topics.TRANSACTION, TransactionUpdateNotification=change)

        assert await resolved(wire, transaction("Shipment")) == []
        assert not route.called
        assert await resolved(wire, transaction("Refund")) == []
        assert route.called
        wire.connector.budgets.hold("listTransactions", 60)
        assert await resolved(wire, transaction("Shipment")) == []
        with pytest.raises(RateLimited) as caught:
            await resolved(wire, transaction("Refund"))
        assert caught.value.retry_after_s == pytest.approx(60)


@pytest.mark.parametrize(
    "body",
    [
        notification(topics.FEED_FINISHED, feedProcessingFinishedNotification={"feedId": "1"}),
        notification(topics.TRANSACTION, TransactionUpdateNotification={}),
        notification(topics.ORDER_CHANGE),
        notification(topics.MFN_QUANTITY),
        notification(topics.FBA_INVENTORY),
    ],
)
async def test_a_hint_that_names_nothing_gives_nothing(body: Any) -> None:
    """Polls and receipts find the rest; no call is made."""
    async with scripted() as wire:
        assert await resolved(wire, body) == []
        assert not wire.routes.calls


async def test_other_hints_never_hold_up_orders() -> None:
    """Hints share a lane: one whose bucket is empty is left to its stream instead of resting them all."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{FBA_PATH}").respond(429, json=fault("QuotaExceeded"))
        body = notification(topics.FBA_INVENTORY, SKU="LAMP")
        with pytest.raises(RateLimited):
            await resolved(wire, body)
        wire.api.budgets.hold("getInventorySummaries", 60)
        wire.connector.budgets.hold("getInventorySummaries", 60)
        assert await resolved(wire, body) == []


async def test_a_topic_that_is_no_hint_is_refused() -> None:
    """The message lists those there are."""
    async with scripted() as wire:
        with pytest.raises(UnknownTopic, match="ORDER_CHANGE"):
            await resolved(wire, notification("PRICING_HEALTH"))
