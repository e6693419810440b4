"""No notification is deleted before it is stored, none is lost, and a queue that fails harms nothing else.

Run against a real SQS-speaking server (moto), through the client that is shipped.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors.amazon import notices, queue, settings
from connectors.amazon.notices import Notices
from connectors.amazon.queue import Queue
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Cursor, Page
from connectors.sdk.errors import RateLimited, Rejected, Transient
from tests.support import folders
from tests.support.amazon_wire import AWS_KEYS, context, notification, order_change
from tests.support.moto_queue import Server, moto_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for an empty queue."""
    monkeypatch.setattr(queue, "WAIT_S", 0)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was received is hidden for a second only."""
    monkeypatch.setattr(queue, "HIDDEN_S", 1)


@asynccontextmanager
async def reading(queue_url: str | None, **options: Any) -> AsyncIterator[Notices]:
    ctx = context(credentials=AWS_KEYS, options={"queue_url": queue_url, **options})
    read = settings.read(ctx)
    opened = Queue(ctx, read)
    try:
        yield Notices(ctx, read, opened)
    finally:
        await opened.close()
        await opened.close()


def stored(page: Page) -> Cursor:
    """The cursor as the engine keeps it, together with the page's envelopes."""
    return json.loads(json.dumps(page.cursor))  # type: ignore[no-any-return]


async def drain(stream: Notices, cursor: Cursor | None = None) -> list[str]:
    """Dedupe keys of everything until the queue is empty, each page stored before the next is asked for."""
    keys: list[str] = []
    while True:
        page = await stream.fetch(cursor, 10)
        keys += [each.dedupe_key for each in page.envelopes]
        cursor = stored(page)
        if not page.more:
            return keys


async def test_every_message_is_read_and_deleted_afterwards(server: Server) -> None:
    """More than one call holds, each once, and the queue is empty in the end."""
    url = server.make_queue()
    for number in range(23):
        server.put(url, order_change(f"701-{number:07}-0000001", f"n-{number}"))
    async with reading(url) as stream:
        keys = await drain(stream)
    assert sorted(keys) == sorted(f"event:n-{number}" for number in range(23))
    assert server.count(url) == 0


async def test_nothing_is_deleted_before_it_is_stored(server: Server, forgetful: None) -> None:
    """The hub dies between receiving and committing: everything comes again under the same keys."""
    url = server.make_queue()
    server.put(url, order_change(number="n-1"))
    async with reading(url) as stream:
        first = await stream.fetch(None, 10)
    assert server.count(url) == 1, "received is not deleted"
    await asyncio.sleep(1.2)
    async with reading(url) as stream:
        again = await stream.fetch(None, 10)
        assert [each.dedupe_key for each in again.envelopes] == [each.dedupe_key for each in first.envelopes]
        assert [each.payload for each in again.envelopes] == [each.payload for each in first.envelopes]


async def test_a_crash_between_commit_and_delete_costs_a_duplicate_and_no_more(server: Server, forgetful: None) -> None:
    """The cursor is committed, the process dies, the message is given out again: the old handle is no obstacle."""
    url = server.make_queue()
    server.put(url, order_change(number="n-1"))
    async with reading(url) as stream:
        committed = stored(await stream.fetch(None, 10))
    await asyncio.sleep(1.2)
    async with reading(url) as somebody_else:
        assert len((await somebody_else.fetch(None, 10)).envelopes) == 1
    async with reading(url) as restarted:
        page = await restarted.fetch(committed, 10)
        await asyncio.sleep(1.2)
        keys = await drain(restarted, stored(page))
    assert set(keys) <= {"event:n-1"}
    assert server.count(url) == 0


async def test_deliveries_of_one_notification_share_a_key(server: Server) -> None:
    """Ten copies of one notification were seen: they are one input, in one page and over pages."""
    url = server.make_queue()
    for _ in range(12):
        server.put(url, order_change(number="n-same"))
    async with reading(url) as stream:
        page = await stream.fetch(None, 10)
        assert [each.dedupe_key for each in page.envelopes] == ["event:n-same"]
        assert set(await drain(stream, stored(page))) <= {"event:n-same"}
    assert server.count(url) == 0


@pytest.mark.parametrize(
    "body",
    ["no json", "[]", "3", "{}", '{"NotificationType": "ORDER_CHANGE"}', '{"a": ', '{"Message": "no json either"}'],
)
async def test_garbage_is_kept_and_blocks_nothing(server: Server, body: str) -> None:
    """What cannot be read is kept byte for byte under its MessageId, where it is parked; the next one is read."""
    url = server.make_queue()
    number = server.put(url, body)
    server.put(url, order_change(number="n-1"))
    async with reading(url) as stream:
        first = await stream.fetch(None, 10)
        envelopes = list(first.envelopes)
        cursor = stored(first)
        while len(envelopes) < 2:
            page = await stream.fetch(cursor, 10)
            assert page.more
            envelopes += page.envelopes
            cursor = stored(page)
        await drain(stream, cursor)
    found = {each.topic: each for each in envelopes}
    assert set(found) == {"unknown_notification", "ORDER_CHANGE"}
    odd = found["unknown_notification"]
    assert (odd.dedupe_key, odd.payload) == (f"message:{number}", body.encode())
    assert server.count(url) == 0


async def test_a_page_is_never_larger_than_asked_for(server: Server) -> None:
    """The limit is the engine's; ten is the queue's own."""
    url = server.make_queue()
    for number in range(12):
        server.put(url, notification(number=f"n-{number}"))
    async with reading(url) as stream:
        assert len((await stream.fetch(None, 3)).envelopes) <= 3
        assert len((await stream.fetch(None, 500)).envelopes) <= 10


async def test_an_empty_queue_ends_the_walk_and_moves_the_watermark(server: Server) -> None:
    """Nothing waits: everything up to now has been seen."""
    async with reading(server.make_queue()) as stream:
        page = await stream.fetch(None, 10)
        assert (list(page.envelopes), dict(page.cursor), page.more) == ([], {}, False)
        assert page.watermark == context().clock.now()


async def test_an_account_without_a_queue_has_an_empty_stream() -> None:
    """Polling is then all there is; no call is made."""
    async with reading(None) as stream:
        page = await stream.fetch(None, 10)
        assert (list(page.envelopes), page.more) == ([], False)


async def test_a_wrong_queue_is_refused(server: Server) -> None:
    """Named in the configuration but not there: said, and never taken for a login that failed."""
    async with reading(f"{server.url}/123456789012/no-such-queue") as stream:
        with pytest.raises(Rejected) as caught:
            await stream.fetch(None, 10)
    assert caught.value.code == "queue_missing"
    assert "options.queue_url" in caught.value.message


async def test_denied_is_refused_and_shows_no_key(server: Server) -> None:
    """Keys that may not read: the account goes on without its queue."""
    url = server.make_queue()
    server.deny_all()
    try:
        async with reading(url) as stream:
            with pytest.raises(Rejected) as caught:
                await stream.fetch(None, 10)
    finally:
        server.deny_all(after="inf")
    assert caught.value.code == "queue_denied"
    assert AWS_KEYS["aws_secret_access_key"] not in str(caught.value)


async def test_a_dead_endpoint_is_weather_and_is_asked_rarely() -> None:
    """Nobody listens: transient, and for half a minute the queue rests, so that it never opens Amazon's breaker."""
    ctx = context(credentials=AWS_KEYS, options={"queue_url": f"{folders.NOWHERE}/123456789012/q"})
    read = settings.read(ctx)
    opened = Queue(ctx, read)
    stream = Notices(ctx, read, opened)
    clock = ctx.clock
    assert isinstance(clock, ManualClock)
    try:
        for _ in range(2):
            with pytest.raises(Transient) as caught:
                await stream.fetch(None, 10)
            assert caught.value.code == "queue_down"
            with pytest.raises(RateLimited) as resting:
                await stream.fetch(None, 10)
            assert resting.value.retry_after_s == pytest.approx(notices.REST_S)
            clock.advance(notices.REST_S + 1)
    finally:
        await opened.close()


async def test_no_answer_in_time_is_weather(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection stands and nothing comes: the walk ends in seconds, not never."""
    monkeypatch.setattr(queue, "READ_S", 0.2)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with reading(f"http://127.0.0.1:{port}/1/q") as stream:
        with pytest.raises(Transient):
            await asyncio.wait_for(stream.fetch(None, 10), timeout=60)
    listening.close()
    await listening.wait_closed()


async def test_the_queues_arn_is_told(server: Server) -> None:
    """From the queue itself, or from an address that is AWS's own without asking anybody."""
    ctx = context(credentials=AWS_KEYS, options={"queue_url": server.make_queue()})
    opened = Queue(ctx, settings.read(ctx))
    assert (await opened.arn()).startswith("arn:aws:sqs:us-east-1:123456789012:notifications-")
    assert await opened.waiting() == 0
    await opened.close()
    aws = context(options={"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/trunkline"})
    assert await Queue(aws, settings.read(aws)).arn() == "arn:aws:sqs:eu-west-1:123456789012:trunkline"


async def test_a_cancelled_receive_leaves_the_message(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draining cancels a long poll: nothing is lost, and the stream can be read again."""
    monkeypatch.setattr(queue, "WAIT_S", 4)
    url = server.make_queue()
    async with reading(url) as stream:
        task = asyncio.create_task(stream.fetch(None, 10))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        monkeypatch.setattr(queue, "WAIT_S", 0)
        server.put(url, order_change(number="n-1"))
        assert await drain(stream) in (["event:n-1"], [])


def test_an_account_without_a_queue_loads_no_aws_client() -> None:
    """The client costs memory; who has no queue does not pay for it."""
    program = (
        "import sys\n"
        "from connectors.amazon import CONNECTOR\n"
        "from tests.support.amazon_wire import context\n"
        "CONNECTOR.open(context())\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('botocore', 'aiobotocore', 'boto3')])\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=110)
    assert found.stdout.strip() == "[]"
