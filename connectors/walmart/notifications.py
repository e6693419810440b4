"""Notifications turned into envelopes. They are hints: none carries an address or a price.

Envelope: `{"source": {"eventType", "eventTime", "eventId"}, "payload": {...}}`; `eventId` is the
idempotency key. Where the purchase order id stands inside `payload` differs by event and version,
so it is looked for by name.

Source: developer.walmart.com "purchase order (PO) created event", "order management event",
"events overview" (read 2026-11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.sdk import exact
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.instants import read_instant
from connectors.walmart import topics

SEARCH_DEPTH_MAX: Final = 4


def envelopes(request: WebhookRequest) -> Sequence[Envelope]:
    """One envelope per notification. Never raises: an odd body becomes an `unreadable` one."""
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        return [_unreadable(request.body)]
    source = body.get("source") if isinstance(body, Mapping) else None
    event_type = source.get("eventType") if isinstance(source, Mapping) else None
    if not isinstance(source, Mapping) or not isinstance(event_type, str) or not event_type:
        return [_unreadable(request.body)]
    return [_named(request.body, source, event_type, body.get("payload"))]


def _named(body: bytes, source: Mapping[str, Any], event_type: str, payload: object) -> Envelope:
    event_id = source.get("eventId")
    key = str(event_id) if event_id else hashlib.sha256(body).hexdigest()
    return Envelope(
        topic=topics.topic_of(event_type),
        dedupe_key=f"event:{key}",
        ordering_key=_ordering_key(event_type, payload, key),
        payload=body,
        occurred_at=read_instant(source.get("eventTime")),
        headers={"event_type": event_type, "event_id": key},
    )


def _ordering_key(event_type: str, payload: object, key: str) -> str:
    if topics.topic_of(event_type) == topics.RETURN_EVENT:
        found = find(payload, "returnOrderId")
        return f"return:{found}" if found else f"event:{key}"
    order = find(payload, "purchaseOrderId")
    return f"order:{order}" if order else f"event:{key}"


def _unreadable(body: bytes) -> Envelope:
    digest = hashlib.sha256(body).hexdigest()
    return Envelope(topics.UNREADABLE, f"event:{digest}", f"event:{digest}", body)


def find(value: object, name: str, depth: int = 0) -> str | None:
    """The first text or number called `name`, outermost first; None when there is none."""
    if depth > SEARCH_DEPTH_MAX:
        return None
    if isinstance(value, Mapping):
        here = value.get(name)
        if isinstance(here, str | int) and not isinstance(here, bool) and here != "":
            return str(here)
        children: Sequence[object] = list(value.values())
    elif isinstance(value, list):
        children = value
    else:
        return None
    for child in children:
        found = find(child, name, depth + 1)
        if found is not None:
            return found
    return None


def payload_of(body: bytes) -> object:
    """The `payload` member of a notification that `envelopes` has accepted."""
    decoded = exact.loads(body)
    return decoded.get("payload") if isinstance(decoded, Mapping) else None
