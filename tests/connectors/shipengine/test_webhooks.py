"""A push is believed when ShipEngine signed it and it carries the account's own secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import RateLimited, SignatureInvalid, Transient
from connectors.sdk.sandbox_keys import SigningKey
from connectors.shipengine import CONNECTOR
from connectors.shipengine.webhooks import HEADERS
from tests.support.carriers import World, answered, incoming

BODY = b'{"resource_type": "API_TRACK", "data": {"tracking_number": "1Z8A44630300000018", "status_code": "IT"}}'
SECRET = "x-trunkline-secret"


@asynccontextmanager
async def receiving(key: SigningKey, status: int = 200, **credentials: str) -> AsyncIterator[World]:
    """The connector, and a vendor that publishes this key."""
    known = {"api_key": "production-key", **(credentials or {"webhook_secret": "s3cret"})}
    answer: Any = lambda _: httpx.Response(status, json=key.published())  # noqa: E731
    async with answered(CONNECTOR, answer, {"credentials": known}) as world:
        yield world


def signed(world: World, key: SigningKey, **changed: str) -> WebhookRequest:
    now = world.clock.now()
    return incoming(BODY, {SECRET: "s3cret", **key.headers(BODY, now), **changed}, now)


async def test_signature_and_secret_together_are_believed() -> None:
    """The key set is read once, at ShipEngine's own address and without our key."""
    key = SigningKey(HEADERS)
    async with receiving(key) as world:
        for _ in range(2):
            request = signed(world, key)
            await world.connector.fetch_keys(request)
            world.connector.verify(request)
        (asked,) = world.requests
    assert str(asked.url) == "https://api.shipengine.com/jwks"
    assert "api-key" not in asked.headers


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({SECRET: ""}, "no_signature"),
        ({SECRET: "another"}, "bad_signature"),
        ({HEADERS.key_id: ""}, "no_signature"),
        ({HEADERS.key_id: "nobody"}, "unknown_key"),
        ({HEADERS.signature: "AAAA"}, "bad_signature"),
        ({HEADERS.timestamp: "2026-01-05T11:54:59.000Z"}, "outside_window"),
    ],
)
async def test_neither_is_enough_alone(changed: dict[str, str], code: str) -> None:
    """ShipEngine signs for all its customers with the same key, so the secret must be there too."""
    key = SigningKey(HEADERS)
    async with receiving(key) as world:
        request = signed(world, key, **changed)
        await world.connector.fetch_keys(request)
        with pytest.raises(SignatureInvalid) as caught:
            world.connector.verify(request)
    assert caught.value.code == code


async def test_strangers_cause_no_calls() -> None:
    """Without the secret nobody makes the hub ask for keys."""
    key = SigningKey(HEADERS)
    async with receiving(key) as world:
        for number in range(5):
            await world.connector.fetch_keys(signed(world, key, **{SECRET: f"guess-{number}"}))
        assert world.requests == []


async def test_the_former_secret_is_good_while_it_is_replaced() -> None:
    """And without any secret nobody is believed."""
    key = SigningKey(HEADERS)
    async with receiving(key, webhook_secret="new", webhook_secret_previous="s3cret") as world:
        request = signed(world, key)
        await world.connector.fetch_keys(request)
        world.connector.verify(request)
    async with receiving(key, webhook_secret="") as world:
        with pytest.raises(SignatureInvalid) as caught:
            world.connector.verify(signed(world, key))
    assert caught.value.code == "no_secret"


@pytest.mark.parametrize(("status", "wanted"), [(503, Transient), (429, RateLimited)])
async def test_keys_that_cannot_be_had_are_no_refusal(status: int, wanted: type[Exception]) -> None:
    """The sender is to come again."""
    key = SigningKey(HEADERS)
    async with receiving(key, status) as world:
        with pytest.raises(wanted):
            await world.connector.fetch_keys(signed(world, key))


async def test_a_push_is_named_by_its_resource_and_lies_in_its_parcels_lane() -> None:
    """What is about no parcel is known and ignored; an unreadable body has a lane of its own."""
    key = SigningKey(HEADERS)
    async with receiving(key) as world:
        request = signed(world, key)
        (first,), (again,) = world.connector.envelopes(request), world.connector.envelopes(request)
        assert (first.topic, first.ordering_key) == ("API_TRACK", "parcel:1Z8A44630300000018")
        assert first.dedupe_key == again.dedupe_key
        (batch,) = world.connector.envelopes(replace(request, body=b'{"resource_type": "API_BATCH"}'))
        assert batch.topic == "API_BATCH"
        (odd,) = world.connector.envelopes(replace(request, body=b"<html>"))
        assert odd.topic == "API_TRACK"
        assert odd.ordering_key.startswith("parcel:unnamed:")
