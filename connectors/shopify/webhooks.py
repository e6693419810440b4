"""Webhooks: signed bytes in, named envelopes out.

The signature covers the body alone, so nothing in a header is proof of anything: headers name,
order and deduplicate, the body is the content.
Source: shopify.dev/docs/apps/build/webhooks (verify-deliveries, ignore-duplicates), read 2026-11-20.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from connectors.sdk import signing
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import SignatureInvalid, UnknownTopic
from connectors.shopify import ids, moments
from connectors.shopify.manifest import MANIFEST
from connectors.shopify.settings import Settings

SIGNATURE: Final = "x-shopify-hmac-sha256"
TOPIC: Final = "x-shopify-topic"
SHOP: Final = "x-shopify-shop-domain"
EVENT: Final = "x-shopify-event-id"
DELIVERY: Final = "x-shopify-webhook-id"
TRIGGERED: Final = "x-shopify-triggered-at"
VERSION: Final = "x-shopify-api-version"

_KEPT: Final = {
    EVENT: "event_id",
    DELIVERY: "webhook_id",
    TRIGGERED: "triggered_at",
    VERSION: "api_version",
    "x-shopify-sub-topic": "sub_topic",
    "x-shopify-name": "subscription",
}
_HEADER_MAX: Final = 200
_SENT: Final = {each.name for each in MANIFEST.topics if "/" in each.name}
"""Topics that come by webhook; a name without a slash is a read of ours."""


class _Named(msgspec.Struct):
    """The few fields that say what a body is about; everything else is skipped unread."""

    id: Any = None
    order_id: Any = None
    inventory_item_id: Any = None
    updated_at: Any = None
    order: Any = None
    order_edit: Any = None
    fulfillment_order: Any = None
    original_fulfillment_order: Any = None


_DECODER: Final = msgspec.json.Decoder(_Named)


class Webhooks:
    """Verifies and names deliveries for one account. Stateless."""

    def __init__(self, settings: Settings) -> None:
        self._shop = settings.shop
        self._version = settings.api_version
        self._secrets = tuple(secret.reveal().encode() for secret in settings.webhook_secrets)

    def verify(self, request: WebhookRequest) -> None:
        """Refuse what the app's secret (or the one before it) did not sign, or another shop sent.

        Raises:
            SignatureInvalid: Answered 401, as Shopify requires of compliance topics.
        """
        signing.verify(self._secrets, request.body, request.headers.get(SIGNATURE), signing.hmac_sha256_base64)
        shop = request.headers.get(SHOP, "").strip().lower()
        if shop != self._shop:
            # One app secret serves every shop the app is installed in.
            raise SignatureInvalid(f"the delivery is from another shop than {self._shop}", code="other_shop")

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        """One envelope per delivery.

        Raises:
            UnknownTopic: A topic nobody subscribed to through this connector.
        """
        topic = request.headers.get(TOPIC, "").strip().lower()
        if topic not in _SENT:
            names = ", ".join(sorted(_SENT))
            raise UnknownTopic(f"shopify sent topic {topic!r}; known are: {names}", code="unknown_topic")
        named = _read(request.body)
        return [
            Envelope(
                topic=topic,
                dedupe_key=_dedupe_key(topic, request),
                ordering_key=_ordering_key(topic, named, request.body),
                payload=request.body,
                occurred_at=moments.read(request.headers.get(TRIGGERED)) or moments.read(named.updated_at),
                headers=self._kept(request),
            )
        ]

    def _kept(self, request: WebhookRequest) -> dict[str, str]:
        given = request.headers.get
        kept = {name: value[:_HEADER_MAX] for header, name in _KEPT.items() if (value := given(header))}
        version = kept.get("api_version")
        if version is not None and version != self._version:
            # A subscription made under another version sends that version's body for as long as it lives.
            kept["warning"] = f"body is of API version {version}, this account speaks {self._version}"
        return kept


def _dedupe_key(topic: str, request: WebhookRequest) -> str:
    """One merchant action may raise several topics under one event id, hence both."""
    event = request.headers.get(EVENT, "").strip()
    if event:
        return f"{topic}:{event[:_HEADER_MAX]}"
    delivery = request.headers.get(DELIVERY, "").strip()
    if delivery:
        return f"{topic}:delivery:{delivery[:_HEADER_MAX]}"
    return f"{topic}:sha256:{hashlib.sha256(request.body).hexdigest()}"


def _ordering_key(topic: str, named: _Named, body: bytes) -> str:
    """What the body is about. An unreadable one stands alone, so that it holds up nothing."""
    noun = topic.partition("/")[0]
    if noun == "orders" and (found := ids.number(named.id)):
        return f"order:{found}"
    candidates: tuple[tuple[str, Any], ...]
    if noun in ("orders", "refunds", "fulfillments", "returns"):
        candidates = (("order", named.order_id), ("order", _inner(named.order_edit, "order_id")))
        candidates += (("order", _inner(named.order, "id")), (noun.rstrip("s"), named.id))
    elif noun == "inventory_levels":
        candidates = (("item", named.inventory_item_id),)
    elif noun == "inventory_items":
        candidates = (("item", named.id),)
    elif noun == "fulfillment_orders":
        first = named.fulfillment_order or named.original_fulfillment_order
        candidates = (("fulfillment_order", _inner(first, "id")),)
    else:
        candidates = ((noun.rstrip("s"), named.id),)
    for kind, value in candidates:
        if found := ids.number(value):
            return f"{kind}:{found}"
    return f"{noun}:{hashlib.sha256(body).hexdigest()[:32]}"


def _inner(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _read(body: bytes) -> _Named:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Kept all the same: the mapping says what is wrong with it and the operator sees it.
        return _Named()
