"""Notifications turned into envelopes. They are hints: none carries an address or a price.

Envelope: `{"metadata": {"topic"}, "notification": {"notificationId", "eventDate", "data"}}`.
`notificationId` is the same on every attempt; `publishAttemptCount` counts them.

Source: commerce/notification v1.6.2 and release notes to 1.6.7 (2025-12); eBay AsyncAPI documents 1.0.0;
captured ORDER_CONFIRMATION notifications (2026-06): ids only, one per order, test ones without a user.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.ebay import moments, topics
from connectors.sdk import exact
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import UnknownTopic


def envelopes(request: WebhookRequest) -> Sequence[Envelope]:
    """One envelope per notification; never raises: an odd body becomes an `unreadable` one."""
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        return [_unreadable(request.body)]
    metadata = _object(body, "metadata")
    notification = _object(body, "notification")
    topic = metadata.get("topic")
    if not isinstance(topic, str) or not topic:
        return [_unreadable(request.body)]
    number = notification.get("notificationId")
    key = str(number) if number else hashlib.sha256(request.body).hexdigest()
    order = order_id(body)
    return [
        Envelope(
            topic=topic,
            dedupe_key=f"event:{key}",
            ordering_key=f"order:{order}" if order else f"event:{key}",
            payload=request.body,
            occurred_at=moments.read(notification.get("eventDate")),
            headers={"notification_id": key},
        )
    ]


def order_id(body: object) -> str | None:
    """The order a notification is about; None when it names none."""
    data = _object(_object(body, "notification"), "data")
    found = _object(data, "order").get("orderId")
    return str(found) if isinstance(found, str | int) and found else None


def read(payload: bytes) -> Any:
    """A notification that `envelopes` has named.

    Raises:
        UnknownTopic: The payload is none.
    """
    try:
        return exact.loads(payload)
    except exact.NotJson as error:
        raise UnknownTopic("the stored payload is no notification of eBay's") from error


def _object(value: object, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _unreadable(body: bytes) -> Envelope:
    digest = hashlib.sha256(body).hexdigest()
    return Envelope(topics.UNREADABLE, f"event:{digest}", f"event:{digest}", body)
