"""Notifications turned into envelopes. All are hints or known to be nobody's business here.

Envelopes are written in PascalCase or camelCase, depending on the type, so names are read without regard to
case. On the way a topic of SNS wraps them in `{"Type", "Message": text}` and an EventBridge rule in
`{"detail-type", "detail"}`. `NotificationId` is the same on every delivery; up to ten of one were seen.

Source: schemas/notifications of amzn/selling-partner-api-models (2026-08-05); developer-docs.amazon.com/sp-api
notifications guide (read 2026-11); amzn/selling-partner-api-models issue 2616.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.amazon import moments, topics
from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import UnknownTopic

WRAPPINGS_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Notification:
    """What an envelope says of itself; `payload` is the object below its one or two wrappings."""

    type: str
    id: str
    event_time: str
    payload: Mapping[str, Any]

    @property
    def order_id(self) -> str | None:
        return named(self.payload, "AmazonOrderId")

    @property
    def sku(self) -> str | None:
        return named(self.payload, "Sku")


def envelope(body: str, message_id: str) -> Envelope:
    """One message of the queue. Never raises: what cannot be read is kept under a topic that is parked.

    Args:
        body: As received.
        message_id: The queue's own id, the key of a message that has none of Amazon's.
    """
    content = body.encode()
    try:
        found = _unwrapped(exact.loads(content))
    except exact.NotJson:
        found = None
    read = _read(found)
    if read is None:
        return _unknown(content, message_id)
    if found is not None and not _is_plain(content, found):
        content = exact.dumps(found)
    return Envelope(
        topic=read.type,
        dedupe_key=f"event:{read.id}",
        ordering_key=_ordering(read),
        payload=content,
        occurred_at=moments.read(read.event_time),
        headers={"notification_id": read.id},
    )


def read(payload: bytes) -> Notification:
    """A notification that `envelope` has named.

    Raises:
        UnknownTopic: The payload is none.
    """
    try:
        found = _read(exact.loads(payload))
    except exact.NotJson:
        found = None
    if found is None:
        raise UnknownTopic("the stored payload is no notification of Amazon's")
    return found


def summary(hint: Envelope, notification: Notification) -> Envelope:
    """The hint itself as an order that says only part: enough to reserve what was sold."""
    return Envelope(
        topic=topics.ORDER_SUMMARY,
        dedupe_key=f"summary:{notification.id}",
        ordering_key=f"order:{notification.order_id}",
        payload=hint.payload,
        occurred_at=hint.occurred_at,
    )


def field(value: object, name: str) -> Any:
    """A field whatever its case; None where there is none."""
    if not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    wanted = name.casefold()
    return next((found for key, found in value.items() if str(key).casefold() == wanted), None)


def named(payload: Mapping[str, Any], name: str) -> str | None:
    """A text or number of the payload, looked for one wrapping deeper too (`OrderChangeNotification`)."""
    inner = [each for each in payload.values() if isinstance(each, Mapping)]
    for holder in (payload, *inner):
        found = field(holder, name)
        if isinstance(found, str | int) and not isinstance(found, bool) and str(found):
            return str(found)
    return None


def _unwrapped(body: object) -> object:
    for _ in range(WRAPPINGS_MAX):
        if field(body, "NotificationType") is not None:
            return body
        detail, message = field(body, "detail"), field(body, "Message")
        if isinstance(detail, Mapping):
            body = detail
        elif isinstance(message, str):
            body = exact.loads(message)
        else:
            return body
    return body


def _read(body: object) -> Notification | None:
    kind, metadata = field(body, "NotificationType"), field(body, "NotificationMetadata")
    number, payload = field(metadata, "NotificationId"), field(body, "Payload")
    if not isinstance(kind, str) or not kind or not isinstance(number, str) or not number:
        return None
    moment = field(body, "EventTime") or field(metadata, "PublishTime")
    return Notification(
        type=kind,
        id=number,
        event_time=moment if isinstance(moment, str) else "",
        payload=payload if isinstance(payload, Mapping) else {},
    )


def _ordering(notification: Notification) -> str:
    """What belongs together is applied in order: an order's news, a SKU's news."""
    if notification.order_id:
        return f"order:{notification.order_id}"
    return f"listing:{notification.sku}" if notification.sku else f"event:{notification.id}"


def _is_plain(content: bytes, found: object) -> bool:
    return exact.canonical(exact.loads(content)) == exact.canonical(found)


def _unknown(content: bytes, message_id: str) -> Envelope:
    key = message_id or hashlib.sha256(content).hexdigest()
    return Envelope(topics.UNKNOWN, f"message:{key}", f"message:{key}", content)
