"""An SQS standard queue: at least once, in no order, gone only when deleted.

Source: Amazon SQS API reference (2026-11), AWS JSON 1.0 protocol: the action stands in `X-Amz-Target`,
the queue in `QueueUrl`; a received message hides for the visibility timeout and comes again unless its
receipt handle is deleted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from connectors.sdk import exact
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

JSON: Final = "application/x-amz-json-1.0"
TARGET: Final = "AmazonSQS."
PATH: Final = "/queue/{account}/{name}"
BATCH_MAX: Final = 10
WAIT_MAX_S: Final = 20
VISIBILITY_S: Final = 30.0
LOOK_EVERY_S: Final = 0.05
HELD_BACK_S: Final = 0.3
"""How long a reordered message stays unseen: long enough for the next few to pass."""


class QueueError(Exception):
    """A refusal in the queue's words; `code` is the exception's shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> web.Response:
        fault = "Receiver" if self.status >= 500 else "Sender"
        body = json.dumps({"__type": f"com.amazonaws.sqs#{self.code}", "message": str(self)})
        headers = {"x-amzn-query-error": f"AWS.SimpleQueueService.{self.code};{fault}"}
        return web.Response(status=self.status, text=body, content_type=JSON, headers=headers)


@dataclass
class Message:
    number: str
    body: str
    visible: float
    """Monotonic seconds from which on it can be received."""
    handles: set[str] = field(default_factory=set)
    receives: int = 0


class Queue:
    """One queue. `before_look` lets the vendor do what is due before messages are looked for."""

    def __init__(self, account: str, name: str, key: str, clock: Clock, faults: Faults) -> None:
        self.account = account
        self.name = name
        self.arn = f"arn:aws:sqs:us-east-1:{account}:{name}"
        self.messages: dict[str, Message] = {}
        self.wait_max_s: float = WAIT_MAX_S
        self.visibility_s = VISIBILITY_S
        self.denied = False
        self.served = False
        """Whether anybody has ever asked for messages."""
        self.before_look: Callable[[], None] = lambda: None
        self._key = key
        self._clock = clock
        self._faults = faults
        self._numbers = 0
        self._arrived = asyncio.Event()
        self._stopping: asyncio.Event | None = None

    def stops_with(self, stopping: asyncio.Event) -> None:
        """End waiting polls with the sandbox."""
        self._stopping = stopping

    def send(self, body: str) -> str:
        """What the notification service does, faults included: lost, twice, or held back. Says which."""
        if self._faults.hit("lost_webhook"):
            return "lost"
        late = self._faults.hit("reordered_webhook")
        self.put(body, held_s=HELD_BACK_S if late else 0.0)
        if self._faults.hit("duplicate_webhook"):
            self.put(body)
            return "twice"
        return "late" if late else "sent"

    def put(self, body: str, *, held_s: float = 0.0) -> str:
        """Whatever somebody writes into the queue, well-formed or not; gives the message's id."""
        self._numbers += 1
        digest = hashlib.sha256(f"{self.name}:{self._numbers}".encode()).hexdigest()
        number = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
        self.messages[number] = Message(number, body, self._clock.monotonic() + held_s)
        self._arrived.set()
        return number

    async def handle(self, request: web.Request) -> web.Response:
        """POST of any action, to the root or to the queue's own path."""
        try:
            body = await self._admitted(request)
            action = request.headers.get("X-Amz-Target", "").removeprefix(TARGET)
            return _reply(await self._act(action, body, str(request.url.origin())))
        except QueueError as refused:
            return refused.response()

    async def _act(self, action: str, body: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
        if action == "GetQueueUrl":
            return self._url(body, origin)
        self._mine(body)
        if action == "ReceiveMessage":
            return await self._receive(body)
        known: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "GetQueueAttributes": self._attributes,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._change,
        }
        if action not in known:
            raise QueueError(400, "UnsupportedOperation", f"{action} is not served here.")
        return known[action](body)

    async def _admitted(self, request: web.Request) -> Mapping[str, Any]:
        if JSON not in request.headers.get("Content-Type", ""):
            raise QueueError(400, "InvalidRequest", f"The content type is {JSON}.")
        if f"Credential={self._key}/" not in request.headers.get("Authorization", ""):
            raise QueueError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if self.denied:
            raise QueueError(403, "AccessDenied", "Access to the resource is denied.")
        try:
            body = exact.loads(await request.read())
        except exact.NotJson:
            raise QueueError(400, "InvalidRequest", "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise QueueError(400, "InvalidRequest", "The body is no object.")
        return body

    def _mine(self, body: Mapping[str, Any]) -> None:
        if not str(body.get("QueueUrl", "")).endswith(f"/{self.account}/{self.name}"):
            raise QueueError(400, "QueueDoesNotExist", "The specified queue does not exist.")

    def _url(self, body: Mapping[str, Any], origin: str) -> dict[str, Any]:
        if body.get("QueueName") != self.name:
            raise QueueError(400, "QueueDoesNotExist", "The specified queue does not exist.")
        return {"QueueUrl": f"{origin}/queue/{self.account}/{self.name}"}

    async def _receive(self, body: Mapping[str, Any]) -> dict[str, Any]:
        most, wait_s = _whole(body, "MaxNumberOfMessages", 1), _whole(body, "WaitTimeSeconds", 0)
        hidden_s = _whole(body, "VisibilityTimeout", int(self.visibility_s))
        if not 1 <= most <= BATCH_MAX or not 0 <= wait_s <= WAIT_MAX_S:
            raise QueueError(400, "InvalidParameterValue", "MaxNumberOfMessages is 1 to 10, WaitTimeSeconds 0 to 20.")
        self.served = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(wait_s, self.wait_max_s)
        while True:
            self.before_look()
            taken = self._take(most, hidden_s)
            left_s = deadline - loop.time()
            if taken or left_s <= 0 or (self._stopping is not None and self._stopping.is_set()):
                return {"Messages": taken} if taken else {}
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), min(LOOK_EVERY_S, left_s))
            except TimeoutError:
                continue

    def _take(self, most: int, hidden_s: int) -> list[dict[str, Any]]:
        now = self._clock.monotonic()
        seen = [message for message in self.messages.values() if message.visible <= now][:most]
        rows = []
        for message in seen:
            message.receives += 1
            message.visible = now + hidden_s
            handle = hashlib.sha256(f"{message.number}:{message.receives}".encode()).hexdigest()
            message.handles.add(handle)
            rows.append(
                {
                    "MessageId": message.number,
                    "ReceiptHandle": handle,
                    "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
                    "Body": message.body,
                    "Attributes": {"ApproximateReceiveCount": str(message.receives)},
                }
            )
        return rows

    def _delete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._drop(str(body.get("ReceiptHandle", "")))
        return {}

    def _delete_batch(self, body: Mapping[str, Any]) -> dict[str, Any]:
        entries = body.get("Entries")
        if not isinstance(entries, list) or not entries:
            raise QueueError(400, "EmptyBatchRequest", "The batch request doesn't contain any entries.")
        if len(entries) > BATCH_MAX:
            raise QueueError(400, "TooManyEntriesInBatchRequest", "The batch request contains more than 10 entries.")
        if not all(isinstance(entry, dict) for entry in entries):
            raise QueueError(400, "InvalidParameterValue", "An entry is an object.")
        numbers = [str(entry.get("Id", "")) for entry in entries]
        if len(set(numbers)) != len(numbers):
            raise QueueError(400, "BatchEntryIdsNotDistinct", "Two or more entries have the same Id.")
        successful, failed = [], []
        for number, entry in zip(numbers, entries, strict=True):
            try:
                self._drop(str(entry.get("ReceiptHandle", "")))
                successful.append({"Id": number})
            except QueueError as refused:
                row = {"Id": number, "SenderFault": True, "Code": refused.code, "Message": str(refused)}
                failed.append(row)
        return {"Successful": successful, "Failed": failed}

    def _drop(self, handle: str) -> None:
        """A message already deleted stays deleted: deleting again is no error."""
        if len(handle) != hashlib.sha256().digest_size * 2:
            raise QueueError(400, "ReceiptHandleIsInvalid", "The specified receipt handle isn't valid.")
        for number, message in list(self.messages.items()):
            if handle in message.handles:
                del self.messages[number]

    def _change(self, body: Mapping[str, Any]) -> dict[str, Any]:
        seconds = _whole(body, "VisibilityTimeout", 0)
        for message in self.messages.values():
            if body.get("ReceiptHandle") in message.handles:
                message.visible = self._clock.monotonic() + seconds
        return {}

    def _attributes(self, body: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock.monotonic()
        visible = sum(1 for message in self.messages.values() if message.visible <= now)
        every = {
            "QueueArn": self.arn,
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(self.messages) - visible),
            "VisibilityTimeout": str(int(self.visibility_s)),
        }
        names = body.get("AttributeNames") or []
        return {"Attributes": {name: value for name, value in every.items() if "All" in names or name in names}}


def _whole(body: Mapping[str, Any], name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise QueueError(400, "InvalidParameterValue", f"{name} is a whole number.")
    return value


def _reply(body: Mapping[str, Any]) -> web.Response:
    return web.Response(body=exact.dumps(body), content_type=JSON)
