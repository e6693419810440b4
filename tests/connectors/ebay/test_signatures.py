"""A notification is believed only with one of eBay's keys over its bytes, and the key is asked for sparingly."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.ebay.signatures import KEY_LIFE_S, KEYS_MAX, STALE_LIFE_S, UNKNOWN_LIFE_S
from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import RateLimited, SignatureInvalid, Transient
from tests.support.ebay_wire import CREDENTIALS, KEY_ID, VERIFICATION_TOKEN, Signer, Wire, fault, notification, scripted

BODY = notification("ORDER_CONFIRMATION", {"order": {"orderId": "1"}})
VECTORS = (
    Path(__file__).resolve().parents[3].parent / "shared" / "samples" / "ebay" / "notification_signature_vectors.json"
)
KEY_PATH = f"/commerce/notification/v1/public_key/{KEY_ID}"

# One of eBay's published test vectors (event-notification-nodejs-sdk, test/test.json), message and key as given there.
PUBLISHED_KEY = (
    "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/"
    "vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----"
)
PUBLISHED_SIGNATURE = (
    "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4"
    "bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRp"
    "Z2VzdCI6IlNIQTEifQ=="
)
PUBLISHED_MESSAGE = {
    "metadata": {"topic": "MARKETPLACE_ACCOUNT_DELETION", "schemaVersion": "1.0", "deprecated": False},
    "notification": {
        "notificationId": "49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d",
        "eventDate": "2021-03-19T20:43:59.462Z",
        "publishDate": "2021-03-19T20:43:59.679Z",
        "publishAttemptCount": 1,
        "data": {
            "username": "test_user",
            "userId": "ma8vp1jySJC",
            "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ==",
        },
    },
}


async def believed(wire: Wire, request: WebhookRequest) -> bool:
    await wire.connector.fetch_keys(request)
    try:
        wire.connector.verify(request)
    except SignatureInvalid:
        return False
    return True


async def test_ebays_own_vector_is_believed_and_its_twin_is_not() -> None:
    """The published example verifies, indented on its way too; with one value changed it does not."""
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(json={"key": PUBLISHED_KEY, "algorithm": "ECDSA", "digest": "SHA1"})
        compact = json.dumps(PUBLISHED_MESSAGE, separators=(",", ":")).encode()
        indented = json.dumps(PUBLISHED_MESSAGE, indent=2).encode()
        changed = compact.replace(b"test_user", b"tesT_user")
        for body, expected in ((compact, True), (indented, True), (changed, False), (compact + b" ", False)):
            request = WebhookRequest("POST", "/w", {"x-ebay-signature": PUBLISHED_SIGNATURE}, body, EPOCH)
            assert await believed(wire, request) is expected


@pytest.mark.skipif(not VECTORS.is_file(), reason="the captured vectors are not at hand")
@pytest.mark.parametrize(("name", "expected"), [("VALID", True), ("INVALID", False), ("SIGNATURE_MISMATCH", False)])
async def test_captured_vectors(name: str, expected: bool) -> None:
    """Each captured vector is judged as its name says."""
    vector = json.loads(VECTORS.read_text())[name]
    async with scripted() as wire:
        wire.routes.get(path__regex=r".*/public_key/.*").respond(json=vector["response"])
        body = json.dumps(vector["message"], separators=(",", ":")).encode()
        request = WebhookRequest("POST", "/w", {"x-ebay-signature": vector["signature"]}, body, EPOCH)
        assert await believed(wire, request) is expected


async def test_a_key_is_read_once_an_hour_as_the_application() -> None:
    signer = Signer()
    async with scripted() as wire:
        read = wire.routes.get(KEY_PATH).respond(json=signer.answer)
        for _ in range(3):
            assert await believed(wire, signer.request(BODY, EPOCH))
        assert read.call_count == 1
        grant = wire.routes.calls[0].request.read().decode()
        assert "grant_type=client_credentials" in grant
        wire.clock.advance(KEY_LIFE_S)
        assert await believed(wire, signer.request(BODY, EPOCH))
        assert read.call_count == 2


async def test_a_key_that_ebay_does_not_know_is_not_asked_for_again_and_again() -> None:
    signer = Signer()
    async with scripted() as wire:
        read = wire.routes.get(KEY_PATH).respond(404, json=fault(195019))
        for _ in range(3):
            assert not await believed(wire, signer.request(BODY, EPOCH))
        assert read.call_count == 1
        wire.clock.advance(UNKNOWN_LIFE_S)
        await believed(wire, signer.request(BODY, EPOCH))
        assert read.call_count == 2


async def test_a_flood_of_invented_keys_keeps_the_real_one() -> None:
    """Unknown ids give way first, so a known key is not pushed out by made-up ones."""
    signer = Signer()
    async with scripted() as wire:
        real = wire.routes.get(KEY_PATH).respond(json=signer.answer)
        wire.routes.get(path__regex=r".*/public_key/.*").respond(404, json=fault(195019))
        assert await believed(wire, signer.request(BODY, EPOCH))
        for number in range(KEYS_MAX + 20):
            key_id = f"00000000-0000-0000-0000-{number:012d}"
            wire.clock.advance(45)
            assert not await believed(wire, signer.request(BODY, EPOCH, kid=key_id))
        assert await believed(wire, signer.request(BODY, EPOCH))
        assert real.call_count == 1


async def test_a_flood_of_invented_keys_is_stopped_by_a_budget_of_its_own() -> None:
    """Strangers cannot spend the calls that subscriptions need, and the key at hand serves on."""
    signer = Signer()
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(json=signer.answer)
        unknown = wire.routes.get(path__regex=r".*/public_key/.*").respond(404, json=fault(195019))
        assert await believed(wire, signer.request(BODY, EPOCH))
        refused = 0
        for number in range(100):
            try:
                await believed(wire, signer.request(BODY, EPOCH, kid=f"00000000-0000-0000-0000-{number:012d}"))
            except RateLimited:
                refused += 1
        assert unknown.call_count + refused == 100
        assert unknown.call_count < 40
        assert await believed(wire, signer.request(BODY, EPOCH))


@pytest.mark.parametrize(
    "key_id",
    ["", "..", "../../identity", KEY_ID.upper(), f"{KEY_ID}/x", f"{KEY_ID}\n", "https://evil.example.com/k", 5, None],
)
async def test_a_key_id_of_another_form_is_never_looked_up(key_id: Any) -> None:
    """An id out of a request nobody vouched for makes no call unless it looks like eBay's."""
    signer = Signer()
    async with scripted() as wire:
        assert not await believed(wire, signer.request(BODY, EPOCH, kid=key_id))
        assert not wire.routes.calls


@pytest.mark.parametrize(
    "header",
    ["", "x", "e30=", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"alg":"none"}').decode(), "A" * 5_000, "ü"],
)
async def test_an_odd_header_is_refused_without_a_call(header: str) -> None:
    async with scripted() as wire:
        request = WebhookRequest("POST", "/w", {"x-ebay-signature": header}, BODY, EPOCH)
        assert not await believed(wire, request)
        assert not wire.routes.calls


@pytest.mark.parametrize("changes", [{"alg": "ECDSA"}, {"alg": "none"}, {"digest": "MD5"}, {"signature": ""}])
async def test_the_header_chooses_nothing(changes: dict[str, Any]) -> None:
    """Algorithm and digest are the key's; a header that says otherwise is refused."""
    signer = Signer()
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(json=signer.answer)
        assert not await believed(wire, signer.request(BODY, EPOCH, **changes))


async def test_another_key_under_the_same_id_does_not_fit() -> None:
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(json=Signer().answer)
        assert not await believed(wire, Signer().request(BODY, EPOCH))


@pytest.mark.parametrize("status", [500, 429])
async def test_when_the_key_cannot_be_had_the_sender_comes_again(status: int) -> None:
    """Not a bad signature: it cannot be checked now, and nothing is remembered of it."""
    signer = Signer()
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(status)
        with pytest.raises((Transient, RateLimited)):
            await wire.connector.fetch_keys(signer.request(BODY, EPOCH))
        wire.clock.advance(600)
        wire.routes.get(KEY_PATH).respond(json=signer.answer)
        assert await believed(wire, signer.request(BODY, EPOCH))


async def test_a_key_that_cannot_be_renewed_serves_on_for_a_day() -> None:
    """eBay in trouble, or calls spent by a flood of invented ids, does not shut real notifications out."""
    signer = Signer()
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(json=signer.answer)
        assert await believed(wire, signer.request(BODY, EPOCH))
        wire.routes.get(KEY_PATH).respond(500)
        wire.clock.advance(KEY_LIFE_S + 1)
        assert await believed(wire, signer.request(BODY, EPOCH))
        wire.clock.advance(STALE_LIFE_S)
        with pytest.raises(Transient):
            await wire.connector.fetch_keys(signer.request(BODY, EPOCH))


@pytest.mark.parametrize("answer", [{}, [], {"key": "x", "digest": "SHA1"}, {"key": PUBLISHED_KEY, "digest": "MD5"}])
async def test_an_answer_that_is_no_key_is_weather(answer: Any) -> None:
    async with scripted() as wire:
        wire.routes.get(KEY_PATH).respond(json=answer)
        with pytest.raises(Transient, match="no ECDSA key"):
            await wire.connector.fetch_keys(Signer().request(BODY, EPOCH))


async def test_without_a_verification_token_nothing_is_believed_or_asked() -> None:
    signer = Signer()
    bare = {key: value for key, value in CREDENTIALS.items() if key != "verification_token"}
    async with scripted(credentials=bare) as wire:
        assert not await believed(wire, signer.request(BODY, EPOCH))
        assert not wire.routes.calls
        assert (
            wire.connector.challenge(WebhookRequest("GET", "/webhooks/ebay-us?challenge_code=a", {}, b"", EPOCH))
            is None
        )


async def test_the_challenge_is_answered_with_the_registered_address() -> None:
    """sha256 over code, token, endpoint in that order; the endpoint is the public one to the letter."""
    async with scripted() as wire:
        request = WebhookRequest("GET", "/webhooks/ebay-us?challenge_code=a8628072-3d33", {}, b"", EPOCH)
        reply = wire.connector.challenge(request)
        assert reply is not None
        text = f"a8628072-3d33{VERIFICATION_TOKEN}https://hub.example.com/webhooks/ebay-us"
        assert json.loads(reply.body) == {"challengeResponse": hashlib.sha256(text.encode()).hexdigest()}
        assert (reply.status, reply.content_type) == (200, "application/json")
        for method, path in (("GET", "/webhooks/ebay-us"), ("POST", "/webhooks/ebay-us?challenge_code=a")):
            assert wire.connector.challenge(WebhookRequest(method, path, {}, b"", EPOCH)) is None
        long = WebhookRequest("GET", "/webhooks/ebay-us?challenge_code=" + "a" * 600, {}, b"", EPOCH)
        assert wire.connector.challenge(long) is None


async def test_redeliveries_have_one_key_and_odd_bodies_are_named() -> None:
    """The attempt's number is no part of the key; nonsense becomes an unreadable envelope."""
    async with scripted() as wire:
        again = BODY.replace(b'"publishAttemptCount":1', b'"publishAttemptCount":2')

        def keys(body: bytes) -> tuple[str, str, str]:
            (named,) = wire.connector.envelopes(WebhookRequest("POST", "/w", {}, body, EPOCH))
            return named.topic, named.dedupe_key, named.ordering_key

        assert keys(BODY) == keys(again) == ("ORDER_CONFIRMATION", "event:n-1", "order:1")
        for body in (b"", b"{}", b"[]", b'{"metadata":{"topic":5}}', b"\xff"):
            assert keys(body)[0] == "unreadable"
