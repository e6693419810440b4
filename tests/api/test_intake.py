"""Webhook intake answers as promised: nothing is stored unverified, nothing answered 200 unstored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
import pytest

from connectors.sdk.clock import SystemClock
from connectors.sdk.contract import Envelope, WebhookReply, WebhookRequest
from connectors.sdk.errors import SignatureInvalid, Transient, UnknownTopic
from hub.api.intake import Intake
from hub.api.server import application, listen
from hub.ports.store import StoreUnavailable

MAX = 1000


class Receiver:
    """Takes requests signed `good`; names the envelope by the body."""

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:
        if "challenge=wrong" in request.path_qs:
            return WebhookReply(401, b'{"error":"invalid_client"}')
        return WebhookReply(200, b'{"pong":1}') if "challenge=1" in request.path_qs else None

    def verify(self, request: WebhookRequest) -> None:
        if request.headers.get("x-signature") != "good":
            raise SignatureInvalid("the signature does not match")

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        if request.body == b"odd":
            raise UnknownTopic("toy sent 'odd'; known are: toy")
        return [Envelope("toy", request.body.decode(), "order:1", request.body)]


@dataclass
class Storage:
    """Remembers keys; `broken` makes it refuse."""

    keys: set[tuple[str, str]] = field(default_factory=set)
    kept: list[Envelope] = field(default_factory=list)
    broken: bool = False

    async def receive(
        self, account: str, envelopes: Sequence[Envelope], origin: str, received_at: datetime
    ) -> Sequence[bool]:
        if self.broken:
            raise StoreUnavailable("the disk is full")
        fresh = [(account, envelope.dedupe_key) not in self.keys for envelope in envelopes]
        self.keys |= {(account, envelope.dedupe_key) for envelope in envelopes}
        self.kept += [envelope for envelope, new in zip(envelopes, fresh, strict=True) if new]
        return fresh


@dataclass
class Counters:
    refused: list[tuple[str, str]] = field(default_factory=list)
    repeats: int = 0

    def rejected(self, account: str, reason: str) -> None:
        self.refused.append((account, reason))

    def duplicates(self, account: str, count: int) -> None:
        self.repeats += count


@asynccontextmanager
async def serving(storage: Storage, counters: Counters) -> AsyncIterator[aiohttp.ClientSession]:
    intake = Intake({"toy-us": Receiver()}, storage.receive, counters, SystemClock(), MAX)
    listener = await listen(application(intake.routes(), max_bytes=MAX), "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(base_url=listener.address) as session:
            yield session
    finally:
        await listener.stop()


GOOD = {"X-Signature": "good"}


class KeyedReceiver(Receiver):
    """Its key is published by the vendor, who may be down."""

    down = True
    fetched = False

    async def fetch_keys(self, request: WebhookRequest) -> None:
        if self.down:
            raise Transient("the vendor does not answer")
        self.fetched = True

    def verify(self, request: WebhookRequest) -> None:
        assert self.fetched, "verified before the key was at hand"
        super().verify(request)


async def test_a_key_that_cannot_be_had_is_not_a_bad_signature() -> None:
    """503 with Retry-After and nothing stored while the vendor is down; 200 once the key is there."""
    storage, counters, receiver = Storage(), Counters(), KeyedReceiver()
    intake = Intake({"toy-us": receiver}, storage.receive, counters, SystemClock(), MAX)
    listener = await listen(application(intake.routes(), max_bytes=MAX), "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(base_url=listener.address) as http:
            async with http.post("/webhooks/toy-us", data=b"a", headers=GOOD) as answer:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) > 0
            assert (storage.keys, counters.refused) == (set(), [("toy-us", "key")])
            receiver.down = False
            async with http.post("/webhooks/toy-us", data=b"a", headers=GOOD) as answer:
                assert answer.status == 200
    finally:
        await listener.stop()


async def test_a_signed_webhook_is_stored_once_and_its_repeat_still_gets_200() -> None:
    """200 for a new fact and for its duplicate; the fact is stored once."""
    storage, counters = Storage(), Counters()
    async with serving(storage, counters) as http:
        for expected in ("stored", "duplicate"):
            async with http.post("/webhooks/toy-us", data=b"a", headers=GOOD) as answer:
                assert (answer.status, (await answer.json())["status"]) == (200, expected)
    assert storage.keys == {("toy-us", "a")}
    assert counters.repeats == 1


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "reason"),
    [
        ("/webhooks/toy-us", b"a", {}, 401, ("toy-us", "signature")),
        ("/webhooks/toy-us", b"a", {"X-Signature": "bad"}, 401, ("toy-us", "signature")),
        ("/webhooks/nobody", b"a", GOOD, 404, ("", "unknown-account")),
        ("/webhooks/toy-us", b"x" * (MAX + 1), GOOD, 413, ("toy-us", "size")),
    ],
)
async def test_what_is_refused_is_not_stored(
    path: str, body: bytes, headers: dict[str, str], status: int, reason: tuple[str, str]
) -> None:
    """401, 404 and 413 as problem documents; nothing reaches the store."""
    storage, counters = Storage(), Counters()
    async with serving(storage, counters) as http, http.post(path, data=body, headers=headers) as answer:
        assert answer.status == status
        assert answer.content_type == "application/problem+json"
        assert (await answer.json())["status"] == status
    assert storage.keys == set()
    assert counters.refused == [reason]


async def test_a_chunked_body_over_the_limit_is_refused() -> None:
    """A body without Content-Length cannot grow past the limit either."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 400

    storage, counters = Storage(), Counters()
    async with (
        serving(storage, counters) as http,
        http.post("/webhooks/toy-us", data=chunks(), headers=GOOD) as answer,
    ):
        assert answer.status == 413
    assert storage.keys == set()


async def test_a_signed_webhook_of_a_topic_nobody_knows_is_kept() -> None:
    """200 and stored whole, as what it is: refused, it would come again for days and end the vendor's webhook."""
    storage, counters = Storage(), Counters()
    async with serving(storage, counters) as http:
        for expected in ("stored", "duplicate"):
            async with http.post("/webhooks/toy-us", data=b"odd", headers=GOOD) as answer:
                assert (answer.status, (await answer.json())["status"]) == (200, expected)
    (envelope,) = storage.kept
    assert (envelope.topic, envelope.payload) == ("unknown", b"odd")
    assert "known are: toy" in envelope.headers["said"]


async def test_a_store_that_cannot_take_it_gives_503_and_says_when_to_come_back() -> None:
    """No 2xx without a commit: 503 with Retry-After, and 200 again once the store is back."""
    storage, counters = Storage(broken=True), Counters()
    async with serving(storage, counters) as http:
        async with http.post("/webhooks/toy-us", data=b"a", headers=GOOD) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
        storage.broken = False
        async with http.post("/webhooks/toy-us", data=b"a", headers=GOOD) as answer:
            assert answer.status == 200
    assert storage.keys == {("toy-us", "a")}


async def test_a_vendors_challenge_is_answered_and_other_gets_are_not() -> None:
    """GET answers challenges only."""
    async with serving(Storage(), Counters()) as http:
        async with http.get("/webhooks/toy-us?challenge=1") as answer:
            assert (answer.status, await answer.json()) == (200, {"pong": 1})
        async with http.get("/webhooks/toy-us") as answer:
            assert answer.status == 405


async def test_a_vendors_login_that_fails_is_counted() -> None:
    """A vendor that logs in here before it tells anything gets its answer; a wrong one is counted."""
    counters = Counters()
    async with serving(Storage(), counters) as http:
        async with http.post("/webhooks/toy-us?challenge=1", data=b"{}") as answer:
            assert answer.status == 200
        assert counters.refused == []
        async with http.post("/webhooks/toy-us?challenge=wrong", data=b"{}") as answer:
            assert (answer.status, await answer.json()) == (401, {"error": "invalid_client"})
    assert counters.refused == [("toy-us", "login")]
