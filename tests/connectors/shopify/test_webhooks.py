"""Only what the shop's app signed is believed, and an event is recognised however often it comes."""

# ruff: noqa: E501 - payloads read better on one line

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid, UnknownTopic
from connectors.shopify.connector import open_account
from tests.support.shopify_rig import context

BODY = b'{"id":820982911946154508,"name":"#1","updated_at":"2026-11-21T08:00:00-05:00"}'
# printf '{"id":1}' | openssl dgst -sha256 -hmac hush-hush -binary | base64
VECTOR = (b'{"id":1}', "xP02f1wlCxM/KJVfZiF3TMBIcVH2R36hhxiEfN2oo00=")


def sign(body: bytes, secret: str = "hush-hush") -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def request(body: bytes = BODY, topic: str = "orders/updated", **changes: str | None) -> WebhookRequest:
    headers: dict[str, str | None] = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": sign(body),
        "x-shopify-shop-domain": "example.myshopify.com",
        "x-shopify-event-id": "event-1",
        "x-shopify-webhook-id": "delivery-1",
        "x-shopify-triggered-at": "2026-11-21T13:00:01.250Z",
        "x-shopify-api-version": "2026-10",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    kept = {name: value for name, value in headers.items() if value is not None}
    return WebhookRequest("POST", "/webhooks/shop-us", kept, body, datetime(2026, 11, 21, tzinfo=UTC))


def connector(**credentials: str):
    return open_account(
        context(ManualClock(), credentials={"access_token": "shpat", "webhook_secret": "hush-hush", **credentials})
    )


def test_a_known_signature_is_accepted() -> None:
    """The base64 of the HMAC over the raw bytes, and nothing else."""
    body, signature = VECTOR
    connector().verify(request(body, x_shopify_hmac_sha256=signature))


def test_the_secret_before_a_rotation_is_honoured() -> None:
    """Both secrets sign for a while; a third one never does."""
    rotated = connector(webhook_secret_previous="old-secret")
    rotated.verify(request(x_shopify_hmac_sha256=sign(BODY, "old-secret")))
    with pytest.raises(SignatureInvalid):
        rotated.verify(request(x_shopify_hmac_sha256=sign(BODY, "other")))
    with pytest.raises(SignatureInvalid):
        connector().verify(request(x_shopify_hmac_sha256=sign(BODY, "old-secret")))


@pytest.mark.parametrize("shop", [None, "", "other.myshopify.com"])
def test_another_shops_delivery_is_refused(shop: str | None) -> None:
    """One app secret serves every shop the app is in, so the shop must match too."""
    with pytest.raises(SignatureInvalid):
        connector().verify(request(x_shopify_shop_domain=shop))


def test_the_key_is_topic_and_event_then_delivery_then_digest() -> None:
    """A redelivery has the same key, another topic of the same event another one."""
    opened = connector()
    (first,) = opened.envelopes(request())
    (again,) = opened.envelopes(request(x_shopify_webhook_id="delivery-2"))
    (paid,) = opened.envelopes(request(topic="orders/paid"))
    assert first.dedupe_key == again.dedupe_key == "orders/updated:event-1"
    assert paid.dedupe_key == "orders/paid:event-1"
    (by_delivery,) = opened.envelopes(request(x_shopify_event_id=None))
    assert by_delivery.dedupe_key == "orders/updated:delivery:delivery-1"
    bare = {"x_shopify_event_id": None, "x_shopify_webhook_id": None}
    (by_bytes,) = opened.envelopes(request(**bare))
    (other_bytes,) = opened.envelopes(request(BODY + b" ", **bare))
    assert by_bytes.dedupe_key != other_bytes.dedupe_key


@pytest.mark.parametrize(
    ("topic", "body", "key"),
    [
        ("orders/create", BODY, "order:820982911946154508"),
        ("refunds/create", b'{"id":5,"order_id":820982911946154508}', "order:820982911946154508"),
        ("fulfillments/update", b'{"id":5,"order_id":820982911946154508}', "order:820982911946154508"),
        ("orders/edited", b'{"order_edit":{"id":1,"order_id":820982911946154508}}', "order:820982911946154508"),
        ("returns/request", b'{"id":1,"order":{"id":820982911946154508}}', "order:820982911946154508"),
        ("returns/request", b'{"id":1}', "return:1"),
        ("inventory_levels/update", b'{"inventory_item_id":271878346596884015,"location_id":1}', "item:271878346596884015"),
        ("inventory_items/update", b'{"id":271878346596884015}', "item:271878346596884015"),
        ("products/update", b'{"id":788032119674292922}', "product:788032119674292922"),
        ("fulfillment_orders/moved", b'{"original_fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1"}}', "fulfillment_order:1"),
    ],
)  # fmt: skip
def test_one_thing_has_one_ordering_key(topic: str, body: bytes, key: str) -> None:
    """Everything about an order is in one lane, its id exact beyond 2^53."""
    (envelope,) = connector().envelopes(request(body, topic))
    assert envelope.ordering_key == key


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"id":true}', b'{"id":1.5}', b"{"])
def test_an_odd_body_stands_alone(body: bytes) -> None:
    """Unreadable bodies are kept and hold up nobody."""
    (envelope,) = connector().envelopes(request(body))
    assert envelope.payload == body
    assert envelope.ordering_key.startswith("orders:")


def test_what_an_operator_needs_is_kept_and_no_signature() -> None:
    """Ids, instant and version stay; another version than ours is a warning."""
    (envelope,) = connector().envelopes(request(x_shopify_api_version="2026-07"))
    assert envelope.occurred_at == datetime(2026, 11, 21, 13, 0, 1, 250_000, tzinfo=UTC)
    assert envelope.headers["event_id"] == "event-1"
    assert "2026-07" in envelope.headers["warning"]
    assert sign(BODY) not in envelope.headers.values()
    assert "warning" not in connector().envelopes(request())[0].headers


def test_an_unknown_topic_lists_the_known() -> None:
    """Nobody subscribed to it through us; names of reads are no topics."""
    for topic in ("carts/create", "order", ""):
        with pytest.raises(UnknownTopic, match="orders/create"):
            connector().envelopes(request(topic=topic))
