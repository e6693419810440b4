"""The sandbox's queue is an SQS standard queue, and what is put into it has Amazon's shapes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError
from jsonschema import Draft7Validator

from connectors.amazon.sandbox import ACCESS_KEY, SECRET_KEY
from connectors.sdk.sandbox import Faults
from tests.support.amazon_client import NOTICES, Client, opened

SCHEMAS = Path(__file__).resolve().parents[3].parent / "shared" / "specs" / "amazon" / "schemas" / "notifications"
SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "samples" / "amazon"


@pytest.fixture
async def amazon() -> AsyncIterator[Client]:
    async with opened(grant=1000.0) as client:
        yield client


async def trade(client: Client, *, count: int = 1) -> list[str]:
    client.sandbox.stock("MUG", 50)
    numbers = []
    for _ in range(count):
        number = await client.sandbox.sell([("MUG", 1)])
        assert number is not None
        numbers.append(number)
    client.clock.advance(1)
    return numbers


def status_of(message: Any) -> str:
    return str(message["Payload"]["OrderChangeNotification"]["Summary"]["OrderStatus"])


async def test_nothing_comes_without_a_subscription(amazon: Client) -> None:
    await trade(amazon)
    assert await amazon.received() == []


async def test_a_checkout_is_two_order_changes(amazon: Client) -> None:
    """PENDING first, UNSHIPPED when the payment came; cancelling and shipping are changes too."""
    assert (await amazon.subscribe("ORDER_CHANGE")).status == 200
    first, second = await trade(amazon, count=2)
    messages = await amazon.received()
    assert sorted(map(status_of, messages)) == ["Pending", "Pending", "Unshipped", "Unshipped"]
    assert len({each["NotificationMetadata"]["NotificationId"] for each in messages}) == 4
    await amazon.sandbox.ship(first)
    await amazon.sandbox.ask_to_cancel(second)
    await amazon.sandbox.cancel(second)
    changes = [each["Payload"]["OrderChangeNotification"] for each in await amazon.received()]
    assert [(each["OrderChangeType"], each["Summary"]["OrderStatus"]) for each in changes] == [
        ("OrderStatusChange", "Shipped"),
        ("BuyerRequestedChange", "Unshipped"),
        ("OrderStatusChange", "Canceled"),
    ]
    assert changes[1]["Summary"]["OrderItems"][0]["IsBuyerRequestedCancel"] is True


async def test_a_filter_keeps_types_out(amazon: Client) -> None:
    directive = {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"]}}
    await amazon.subscribe("ORDER_CHANGE", directive)
    (number,) = await trade(amazon)
    assert await amazon.received() == []
    await amazon.sandbox.ask_to_cancel(number)
    assert len(await amazon.received()) == 1


async def messages_of_every_kind(amazon: Client) -> dict[str, Any]:
    for kind in ("ORDER_CHANGE", "FEED_PROCESSING_FINISHED", "REPORT_PROCESSING_FINISHED"):
        assert (await amazon.subscribe(kind)).status == 200
    assert (await amazon.subscribe("FBA_INVENTORY_AVAILABILITY_CHANGES")).status == 200
    assert (await amazon.subscribe("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", bridged=True)).status == 200
    amazon.sandbox.stock_fba("F", 2)
    await trade(amazon)
    await amazon.feed("JSON_LISTINGS_FEED", b"not json")
    body = {"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": ["ATVPDKIKX0DER"]}
    await amazon.call("POST", "/reports/2021-06-30/reports", body)
    amazon.clock.advance(10)
    found: dict[str, Any] = {}
    while batch := await amazon.received():
        for message in batch:
            inner = message.get("detail", message)
            found[inner.get("NotificationType") or inner["notificationType"]] = message
    return found


async def test_every_kind_has_its_envelope(amazon: Client) -> None:
    """Pascal case, camel case, and EventBridge's own around the listing notifications."""
    found = await messages_of_every_kind(amazon)
    assert "NotificationMetadata" in found["ORDER_CHANGE"]
    assert found["FEED_PROCESSING_FINISHED"]["notificationMetadata"]["notificationId"]
    feed = found["FEED_PROCESSING_FINISHED"]["payload"]["feedProcessingFinishedNotification"]
    assert feed["processingStatus"] == "FATAL"
    assert found["REPORT_PROCESSING_FINISHED"]["payload"]["reportProcessingFinishedNotification"]["reportDocumentId"]
    bridged = found["LISTINGS_ITEM_MFN_QUANTITY_CHANGE"]
    assert bridged["detail-type"] == "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"
    assert bridged["detail"]["Payload"]["Quantity"] in (49, 50)
    if SCHEMAS.is_dir():
        schemas = {
            "ORDER_CHANGE": "OrderChangeNotification",
            "FEED_PROCESSING_FINISHED": "FeedProcessingFinishedNotification",
            "REPORT_PROCESSING_FINISHED": "ReportProcessingFinishedNotification",
            "FBA_INVENTORY_AVAILABILITY_CHANGES": "FBAInventoryAvailabilityChangeNotification",
        }
        for kind, name in schemas.items():
            schema = json.loads((SCHEMAS / f"{name}.json").read_text())
            assert [error.message for error in Draft7Validator(schema).iter_errors(found[kind])] == [], kind
        schema = json.loads((SCHEMAS / "ListingsItemMfnQuantityChange.json").read_text())
        assert list(Draft7Validator(schema).iter_errors(bridged["detail"])) == []


async def test_an_order_change_has_the_fields_of_amazons_example(amazon: Client) -> None:
    """No field the example lacks."""
    path = SAMPLES / "notification_OrderChangeNotification.json"
    if not path.is_file():
        pytest.skip("the example is not at hand")

    def names(value: Any, at: str = "") -> set[str]:
        if isinstance(value, dict):
            return {at}.union(*(names(inner, f"{at}/{name}") for name, inner in value.items()))
        return set().union(*(names(inner, at) for inner in value)) if isinstance(value, list) else {at}

    found = (await messages_of_every_kind(amazon))["ORDER_CHANGE"]
    assert names(found) <= names(json.loads(path.read_text()))


async def test_subscribing(amazon: Client) -> None:
    """One per type and version, grantless for destinations, no FIFO, listing types by EventBridge only."""
    assert (await amazon.call("GET", f"{NOTICES}/subscriptions/ORDER_CHANGE")).status == 404
    assert (await amazon.subscribe("ORDER_CHANGE")).status == 200
    assert (await amazon.subscribe("ORDER_CHANGE")).status == 409
    found = await amazon.call("GET", f"{NOTICES}/subscriptions/ORDER_CHANGE", payloadVersion="1.0")
    number = found.body["payload"]["subscriptionId"]
    assert (await amazon.subscribe("LISTINGS_ITEM_STATUS_CHANGE")).status == 400
    assert (await amazon.subscribe("UNHEARD_OF")).status == 400
    path = f"{NOTICES}/subscriptions/ORDER_CHANGE/{number}"
    assert (await amazon.call("DELETE", path)).status == 403
    assert (await amazon.call("DELETE", path, grantless=True)).status == 200
    fifo = {"resourceSpecification": {"sqs": {"arn": "arn:aws:sqs:us-east-1:1:q.fifo"}}, "name": "fifo"}
    assert (await amazon.call("POST", f"{NOTICES}/destinations", fifo, grantless=True)).status == 400
    twice = {"resourceSpecification": {"sqs": {"arn": amazon.sandbox.queue.arn}}, "name": "other"}
    assert (await amazon.call("POST", f"{NOTICES}/destinations", twice, grantless=True)).status == 409


async def test_another_queue_gets_nothing_here(amazon: Client) -> None:
    """A destination that is not our queue swallows what it is sent."""
    wanted = {"resourceSpecification": {"sqs": {"arn": "arn:aws:sqs:us-east-1:1:other"}}, "name": "queue"}
    await amazon.call("POST", f"{NOTICES}/destinations", wanted, grantless=True)
    assert (await amazon.subscribe("ORDER_CHANGE")).status == 200
    await trade(amazon)
    assert await amazon.received() == []


async def test_a_message_stays_until_it_is_deleted(amazon: Client) -> None:
    """Received, it hides for the timeout and comes again with another handle; deleted, it is gone."""
    amazon.sandbox.queue.put('{"a": 1}')
    assert len(await amazon.received(delete=False, VisibilityTimeout=10)) == 1
    first = amazon.handles
    assert await amazon.received(delete=False) == []
    amazon.clock.advance(11)
    assert len(await amazon.received(delete=False)) == 1
    assert amazon.handles != first
    answer = await amazon.sqs(
        "DeleteMessageBatch",
        Entries=[{"Id": "a", "ReceiptHandle": amazon.handles[0]}, {"Id": "b", "ReceiptHandle": "x"}],
    )
    assert [each["Id"] for each in answer.body["Successful"]] == ["a"]
    assert [each["Code"] for each in answer.body["Failed"]] == ["ReceiptHandleIsInvalid"]
    amazon.clock.advance(60)
    assert await amazon.received() == []
    assert (await amazon.sqs("DeleteMessage", ReceiptHandle=amazon.handles[0] if amazon.handles else first[0])).status


async def test_a_long_poll_ends_with_a_message_or_the_wait(amazon: Client) -> None:
    """A message that comes meanwhile is given at once; without one the answer is empty."""
    amazon.sandbox.queue.wait_max_s = 100
    waiting = asyncio.create_task(amazon.received(WaitTimeSeconds=20))
    await asyncio.sleep(0.05)
    amazon.sandbox.queue.put("{}")
    assert await asyncio.wait_for(waiting, 60) == [{}]
    amazon.sandbox.queue.wait_max_s = 0.2
    began = time.monotonic()
    assert await amazon.received(WaitTimeSeconds=20) == []
    assert 0.15 < time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("lost_webhook", ["Unshipped"]),
        ("duplicate_webhook", ["Pending", "Pending", "Unshipped"]),
    ],
)
async def test_lost_and_twice(fault: str, statuses: list[str]) -> None:
    """A lost notification never comes; a duplicate has the same id and another message."""
    async with opened(grant=1000.0, faults=Faults()) as amazon:
        await amazon.subscribe("ORDER_CHANGE")
        amazon.sandbox.faults.force(fault)
        await trade(amazon)
        messages = await amazon.received()
        assert sorted(map(status_of, messages)) == statuses
        assert len({each["NotificationMetadata"]["NotificationId"] for each in messages}) == len(set(statuses))
        published = [line.facts["became"] for line in amazon.sandbox.happenings("notification.published")]
        assert published == ["lost" if fault == "lost_webhook" else "twice", "sent"]


async def test_reordered() -> None:
    """A held-back notification is overtaken."""
    async with opened(grant=1000.0) as amazon:
        await amazon.subscribe("ORDER_CHANGE")
        amazon.sandbox.pending_s = 0.1
        amazon.sandbox.faults.force("reordered_webhook")
        amazon.sandbox.stock("MUG", 5)
        await amazon.sandbox.sell([("MUG", 1)])
        amazon.clock.advance(0.15)
        assert list(map(status_of, await amazon.received())) == ["Unshipped"]
        amazon.clock.advance(1)
        assert list(map(status_of, await amazon.received())) == ["Pending"]


async def test_refusals(amazon: Client) -> None:
    """Another queue, another key, too many messages and an unknown action are refused in SQS's words."""
    wrong = await amazon.sqs("ReceiveMessage", QueueUrl="http://h/queue/123456789012/other")
    assert (wrong.status, wrong.body["__type"]) == (400, "com.amazonaws.sqs#QueueDoesNotExist")
    wrong = await amazon.sqs("ReceiveMessage", key="AKIAOTHER")
    assert (wrong.status, wrong.body["__type"]) == (403, "com.amazonaws.sqs#InvalidClientTokenId")
    assert (await amazon.sqs("ReceiveMessage", MaxNumberOfMessages=11)).status == 400
    assert (await amazon.sqs("PurgeQueue")).status == 400
    assert (await amazon.sqs("ReceiveMessage", VisibilityTimeout="soon")).status == 400
    assert (await amazon.sqs("DeleteMessageBatch", Entries=["x"])).status == 400
    entries = [{"Id": str(index), "ReceiptHandle": "x" * 64} for index in range(11)]
    assert (await amazon.sqs("DeleteMessageBatch", Entries=entries)).status == 400
    amazon.sandbox.queue.denied = True
    assert (await amazon.sqs("ReceiveMessage")).status == 403


async def test_settling_waits_for_payments_and_readers(amazon: Client) -> None:
    """After settling every payment has come; unread messages are waited for only where somebody reads."""
    await amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.stock("MUG", 5)
    await amazon.sandbox.sell([("MUG", 1)])
    await amazon.sandbox.settle()
    assert amazon.sandbox.webhooks_pending == 2
    assert [order["state"] for order in amazon.sandbox.orders()] == ["open"]
    assert sorted(map(status_of, await amazon.received())) == ["Pending", "Unshipped"]


async def test_amazons_own_client_works(amazon: Client) -> None:
    """An AWS client library reads, checks the digest, deletes, and recognises the errors."""
    amazon.sandbox.queue.put('{"a": "ü"}')
    url = f"{amazon.sandbox.base_url}/queue/{amazon.sandbox.queue.account}/{amazon.sandbox.queue.name}"
    made = get_session().create_client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=amazon.sandbox.base_url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=AioConfig(retries={"total_max_attempts": 1}),
    )
    async with made as sqs:
        assert (await sqs.get_queue_url(QueueName=amazon.sandbox.queue.name))["QueueUrl"] == url
        (message,) = (await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10))["Messages"]
        assert message["MD5OfBody"] == hashlib.md5(b'{"a": "\xc3\xbc"}', usedforsecurity=False).hexdigest()
        found = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        assert found["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
        entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
        assert len((await sqs.delete_message_batch(QueueUrl=url, Entries=[entry]))["Successful"]) == 1
        assert amazon.sandbox.queue.messages == {}
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            await sqs.receive_message(QueueUrl=f"{url}-gone")
        amazon.sandbox.faults.force("server_error")
        with pytest.raises(ClientError) as caught:
            await sqs.receive_message(QueueUrl=url)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
