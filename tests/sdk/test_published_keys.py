"""A webhook is believed when one of the vendor's published keys signed it lately, and asking for keys is bounded."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.sdk.answer import Answer, Call
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid, Transient
from connectors.sdk.published_keys import AGAIN_S, FRESH_S, STALE_S, PublishedKeys, SignatureHeaders, keys_of
from connectors.sdk.sandbox_keys import SigningKey
from tests.support.carriers import incoming

NAMES = SignatureHeaders("x-key-id", "x-signature", "x-timestamp")
BODY = b'{"a": 1}'


class Vendor:
    """Answers with its keys, counts how often it is asked, and can be away."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.key = SigningKey(NAMES)
        self.asked = 0
        self.away = False

    async def read(self) -> Answer:
        self.asked += 1
        if self.away:
            raise Transient("away")
        return answer(self.key.published())

    def keys(self) -> PublishedKeys:
        return PublishedKeys(self.clock, NAMES, self.read)

    def request(self, **changed: str) -> WebhookRequest:
        now = self.clock.now()
        return incoming(BODY, {**self.key.headers(BODY, now), **changed}, now)


def answer(body: Any) -> Answer:
    call = Call("GET", "https://vendor.example/keys", "GET /keys", "keys.read")
    return Answer(call, 200, httpx.Headers(), json.dumps(body).encode(), 0.0)


async def test_what_a_published_key_signed_is_believed() -> None:
    """The key is fetched once and kept for an hour."""
    vendor = Vendor()
    keys = vendor.keys()
    for _ in range(3):
        request = vendor.request()
        await keys.fetch_for(request)
        keys.verify(request)
    assert vendor.asked == 1
    vendor.clock.advance(FRESH_S + 1)
    await keys.fetch_for(vendor.request())
    assert vendor.asked == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"x-key-id": ""}, "no_signature"),
        ({"x-signature": ""}, "no_signature"),
        ({"x-timestamp": ""}, "no_signature"),
        ({"x-key-id": "nobody"}, "unknown_key"),
        ({"x-signature": "not base64"}, "bad_header"),
        ({"x-signature": "AAAA"}, "bad_signature"),
        ({"x-timestamp": "yesterday"}, "bad_header"),
        ({"x-timestamp": "2026-01-05T11:54:00Z"}, "outside_window"),
        ({"x-timestamp": "2026-01-05T12:06:00Z"}, "outside_window"),
        ({"x-timestamp": "2026-01-05T12:00:01.000Z"}, "bad_signature"),
    ],
)
async def test_anything_else_is_refused(changed: dict[str, str], code: str) -> None:
    """Each header missing, malformed or of another request."""
    vendor = Vendor()
    keys = vendor.keys()
    request = vendor.request(**changed)
    await keys.fetch_for(request)
    with pytest.raises(SignatureInvalid) as caught:
        keys.verify(request)
    assert caught.value.code == code


async def test_another_body_is_refused() -> None:
    """The raw bytes count, not what they mean."""
    vendor = Vendor()
    keys = vendor.keys()
    request = vendor.request()
    await keys.fetch_for(request)
    with pytest.raises(SignatureInvalid):
        keys.verify(replace(request, body=BODY + b" "))


async def test_made_up_key_ids_cost_one_call_a_minute() -> None:
    """However many requests name keys nobody has; one that cannot be good at all costs none."""
    vendor = Vendor()
    keys = vendor.keys()
    await keys.fetch_for(vendor.request(**{"x-timestamp": "2020-01-01T00:00:00Z"}))
    assert vendor.asked == 0
    for number in range(20):
        await keys.fetch_for(vendor.request(**{"x-key-id": f"made-up-{number}"}))
    assert vendor.asked == 1
    vendor.clock.advance(AGAIN_S + 1)
    await keys.fetch_for(vendor.request(**{"x-key-id": "made-up"}))
    assert vendor.asked == 2


async def test_a_new_key_is_found_within_a_minute() -> None:
    """The vendor changed its key: its id is not at hand, so the set is read again."""
    vendor = Vendor()
    keys = vendor.keys()
    await keys.fetch_for(vendor.request())
    vendor.key = SigningKey(NAMES)
    vendor.clock.advance(AGAIN_S + 1)
    request = vendor.request()
    await keys.fetch_for(request)
    keys.verify(request)


async def test_a_vendor_that_is_away_is_done_without_for_a_day() -> None:
    """A key at hand serves on; after a day, or without one, the sender is to come again."""
    vendor = Vendor()
    keys = vendor.keys()
    vendor.away = True
    with pytest.raises(Transient):
        await keys.fetch_for(vendor.request())
    vendor.away = False
    await keys.fetch_for(vendor.request())
    vendor.away = True
    vendor.clock.advance(FRESH_S + 60)
    asked = vendor.asked
    for _ in range(5):
        request = vendor.request()
        await keys.fetch_for(request)
        keys.verify(request)
    assert vendor.asked == asked + 1, "each push waits for a vendor that is away"
    vendor.clock.advance(timedelta(seconds=STALE_S).total_seconds())
    with pytest.raises(Transient):
        await keys.fetch_for(vendor.request())


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"keys": []},
        {"keys": [None, {"kty": "RSA"}]},
        {"keys": [{"kty": "RSA", "kid": "a", "n": "AQ", "e": "AQAB"}]},
        {"keys": [{"kty": "RSA", "kid": "a", "n": "ä", "e": 3}]},
    ],
)
def test_an_answer_without_a_usable_key_is_no_news(body: Any) -> None:
    """Neither a page of somebody else's nor a key too short to trust replaces what is at hand."""
    with pytest.raises(Transient):
        keys_of(answer(body))


def test_keys_of_other_kinds_and_uses_are_passed_over() -> None:
    """Only RSA keys that sign with RS256."""
    published = SigningKey(NAMES).published()
    (own,) = (row for row in published["keys"] if row["kty"] == "RSA")
    others = [{**own, "kid": "enc", "use": "enc"}, {**own, "kid": "ps", "alg": "PS256"}]
    assert set(keys_of(answer({"keys": [*published["keys"], *others]}))) == {own["kid"]}
