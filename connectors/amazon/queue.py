"""The queue notifications arrive in, spoken to through the AWS client, which is loaded when it is first used.

Source: AWS SQS API reference, ReceiveMessage and DeleteMessageBatch (read 2026-11): ten messages a call,
at-least-once and unordered delivery by standard queues, receipt handles that change with every delivery.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import structlog

from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import ConnectorError, RateLimited, Rejected, Transient

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

log = structlog.get_logger(__name__)

BATCH_MAX: Final = 10
WAIT_S: Final = 4
"""Long polling: the call returns as soon as something is there."""

HIDDEN_S: Final = 60
"""How long a message received is not given to anybody else; storing takes a fraction of that."""

CONNECT_S: Final = 5.0
READ_S: Final = 10.0

TALKATIVE: Final = ("aiobotocore", "botocore")

MISSING: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"})
THROTTLED: Final = frozenset({"RequestThrottled", "ThrottlingException", "Throttling", "KmsThrottled", "OverLimit"})
DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "KmsAccessDenied",
        "MissingAuthenticationToken",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ARN_PARTS: Final = re.compile(r"/(\d{12})/([A-Za-z0-9_-]{1,80})/?")


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of one message; `handle` is what it is deleted by, and good for this delivery only."""

    id: str
    handle: str
    body: str


class Queue:
    """One account's queue. For one event loop; one task at a time reads it.

    A queue that refuses us is `Rejected`, not `AuthFailed`: the account itself works, and holding it would
    stop the numbers it sends. Orders are then found by polling.
    """

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings
        self._url = settings.queue_url or ""
        self._stack: AsyncExitStack | None = None
        self._client: SQSClient | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Release the connections; may be called twice."""
        stack, self._stack, self._client = self._stack, None, None
        if stack is not None:
            await stack.aclose()

    async def receive(self, count: int) -> list[Message]:
        """Up to ten messages, waiting a few seconds for the first.

        Raises:
            Rejected: The queue is not there or refuses us. Transient, RateLimited: It is down or busy.
        """
        async with self._asked("receive") as client:
            answer = await client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=max(1, min(count, BATCH_MAX)),
                WaitTimeSeconds=WAIT_S,
                VisibilityTimeout=HIDDEN_S,
            )
        return [
            Message(str(row.get("MessageId", "")), str(row.get("ReceiptHandle", "")), str(row.get("Body", "")))
            for row in answer.get("Messages", ())
        ]

    async def delete(self, handles: Sequence[str]) -> None:
        """Delete deliveries that are stored. One that is refused comes again and is known by its key.

        Raises:
            Rejected, Transient, RateLimited: As for `receive`.
        """
        for first in range(0, len(handles), BATCH_MAX):
            part = handles[first : first + BATCH_MAX]
            entries: Any = [{"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(part)]
            async with self._asked("delete") as client:
                answer = await client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            refused = answer.get("Failed", ())
            if refused:
                codes = sorted({str(row.get("Code", "")) for row in refused})
                log.info("amazon.messages_kept", account=self._ctx.account, messages=len(refused), codes=codes)

    async def arn(self) -> str:
        """The queue's ARN, from its URL where that is AWS's own, else by asking.

        Raises:
            Rejected, Transient, RateLimited: As for `receive`; an answer without an ARN is `Rejected`.
        """
        parsed = urlsplit(self._url)
        parts = _ARN_PARTS.fullmatch(parsed.path)
        if parts and (parsed.hostname or "").endswith(".amazonaws.com"):
            return f"arn:aws:sqs:{self._settings.queue_region}:{parts.group(1)}:{parts.group(2)}"
        async with self._asked("attributes") as client:
            answer = await client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        found = answer.get("Attributes", {}).get("QueueArn")
        if not found:
            raise Rejected("the queue tells no ARN", code="queue_arn")
        return str(found)

    async def waiting(self) -> int:
        """About how many messages wait.

        Raises:
            Rejected, Transient, RateLimited: As for `receive`.
        """
        async with self._asked("attributes") as client:
            answer = await client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        stated = answer.get("Attributes", {}).get("ApproximateNumberOfMessages", "0")
        return int(stated) if stated.isdigit() else 0

    @asynccontextmanager
    async def _asked(self, kind: str) -> AsyncIterator[SQSClient]:
        """The client, with what it raises turned into our classes."""
        from botocore import exceptions as boto
        from botocore.parsers import ResponseParserError

        try:
            yield await self._opened()
        except boto.ClientError as error:
            raise _refusal(kind, error.response) from error
        except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.TokenRetrievalError) as error:
            message = f"queue.{kind}: no AWS credentials are found; set credentials.aws_access_key_id"
            raise Rejected(message, code="queue_denied") from error
        except (boto.ConnectionError, boto.HTTPClientError, boto.ResponseStreamingError, ResponseParserError) as error:
            raise Transient(f"queue.{kind}: no answer from the queue", code="queue_down") from error
        except boto.BotoCoreError as error:
            raise Rejected(f"queue.{kind}: the request cannot be sent", code="queue_request") from error

    async def _opened(self) -> SQSClient:
        async with self._opening:
            # A check may ask beside the stream: the second of two clients would never be closed.
            return self._client or await self._open()

    async def _open(self) -> SQSClient:
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        for name in TALKATIVE:
            # At its lower levels the client logs keys, signatures and whole messages.
            logging.getLogger(name).setLevel(logging.WARNING)
        parsed = urlsplit(self._url)
        key_id, key = self._settings.aws_access_key_id, self._settings.aws_secret_access_key
        stack = AsyncExitStack()
        # Repeats are ours to decide: a walk that failed is tried again by the engine.
        config = AioConfig(
            connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"total_max_attempts": 1}, max_pool_connections=2
        )
        client: SQSClient = await stack.enter_async_context(
            get_session().create_client(
                "sqs",
                region_name=self._settings.queue_region,
                endpoint_url=f"{parsed.scheme}://{parsed.netloc}",
                aws_access_key_id=key_id.reveal() if key_id else None,
                aws_secret_access_key=key.reveal() if key else None,
                config=config,
            )
        )
        self._client, self._stack = client, stack
        return client


def _refusal(kind: str, response: Any) -> ConnectorError:
    error = response.get("Error", {})
    metadata = response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), metadata.get("HTTPStatusCode")
    # A code that is the status comes of a body the client could not read, which is then its message.
    words = "" if code == str(status) else str(error.get("Message") or "")
    message = f"queue.{kind}: {code or status}: {words or 'no description given'}"
    facts = {"status": status, "correlation_id": metadata.get("RequestId")}
    if code in MISSING or code.endswith("NonExistentQueue"):
        return Rejected(f"{message} (options.queue_url names no queue)", code="queue_missing", **facts)
    if code in DENIED or status in {401, 403}:
        return Rejected(f"{message} (the AWS keys may not read this queue)", code="queue_denied", **facts)
    if code in THROTTLED or status == 429:
        return RateLimited(message, code="queue_busy", **facts)
    if isinstance(status, int) and status >= 500:
        return Transient(message, code="queue_down", **facts)
    return Rejected(message, code="queue_request", **facts)
