"""Webhooks: only the vendor is believed, and the same fact is recognised."""

# ruff: noqa: S101, PT017 - these are tests; asserting is their work, also about an error that may come

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Final

import pytest

from connectors.sdk.contract import Envelope, FetchesKeys, ReceivesWebhooks, Subscribes, WebhookRequest
from connectors.sdk.contract_suite.receiver import Receiver
from connectors.sdk.contract_suite.rig import ACCOUNT, Rig, Subject
from connectors.sdk.errors import ConnectorError, SignatureInvalid, UnknownTopic
from connectors.sdk.manifest import Capability

BITS_MAX: Final = 4_096
"""Bits flipped per body, spread evenly; shorter bodies have every bit flipped."""
ODD_BODIES: Final = (b"", b"{}", b"[]", b"null", b"0", b'"text"', b"\xff\xfe", b"{", b'{"a":', b"[" * 200)


class WebhookRules(Subject):
    """Signatures, dedupe keys, envelopes and subscriptions."""

    async def _requests(self, rig: Rig) -> AsyncIterator[tuple[ReceivesWebhooks, WebhookRequest]]:
        receiver: ReceivesWebhooks = self.capable(rig, Capability.WEBHOOKS)
        assert self.webhooks, "give webhook samples: `webhooks = (WebhookSample(topic, body), …)`"
        for sample in self.webhooks:
            request = rig.webhook(sample.topic, sample.body)
            await _keys_at_hand(receiver, request)
            yield receiver, request

    async def test_a_signed_webhook_is_accepted(self) -> None:
        """What the vendor signed passes, and is no challenge."""
        async with self.opened() as rig:
            async for receiver, request in self._requests(rig):
                receiver.verify(request)
                assert receiver.challenge(request) is None

    async def test_a_flipped_bit_in_the_body_is_refused(self) -> None:
        """Every single-bit change of the body, and a byte more or less, is refused."""
        if not self.signs_bodies:
            pytest.skip(f"{self.manifest.name} proves who calls, not what it says")
        async with self.opened() as rig:
            async for receiver, request in self._requests(rig):
                for body in _changed(request.body):
                    self._refused(receiver, replace(request, body=body), "a changed body")

    async def test_a_changed_signature_is_refused(self) -> None:
        """Whatever header or address the proof needs, any change of it, or its absence, is refused."""
        async with self.opened() as rig:
            async for receiver, request in self._requests(rig):
                signing = [name for name in request.headers if _fails(receiver, _without(request, name))]
                path, _, query = request.path_qs.partition("?")
                assert signing or query, "neither header nor address is needed to be believed"
                for value in _misspelt(query) if query else ():
                    self._refused(receiver, replace(request, path_qs=f"{path}?{value}"), "a changed address")
                for name in signing:
                    for value in _misspelt(request.headers[name]):
                        changed = replace(request, headers={**request.headers, name: value})
                        self._refused(receiver, changed, f"a changed {name}")

    async def test_another_secret_is_refused(self) -> None:
        """A signature made with any other secret is refused."""
        async with self.opened() as rig:
            requests = [request async for _, request in self._requests(rig)]
            secrets = {
                key: f"other-{key}-0123456789" for key in rig.ctx.credentials if "secret" in key or "token" in key
            }
        async with self.opened(credentials=secrets) as other:
            receiver: ReceivesWebhooks = self.capable(other, Capability.WEBHOOKS)
            for request in requests:
                await _keys_at_hand(receiver, request)
                self._refused(receiver, request, "another secret")

    async def test_without_a_secret_nothing_is_believed(self) -> None:
        """An account without a webhook secret refuses: at `open`, or every request."""
        async with self.opened() as rig:
            requests = [request async for _, request in self._requests(rig)]
            secret = next((key for key in rig.ctx.credentials if "webhook" in key or "verification" in key), None)
            assert secret is not None, "which credential signs webhooks? its name says webhook or verification"
            kept = {key: value for key, value in rig.ctx.credentials.items() if key != secret}
            try:
                bare = self.connector.open(replace(rig.ctx, credentials=kept))
            except ValueError:
                return
            assert isinstance(bare, ReceivesWebhooks)
            for request in requests:
                await _keys_at_hand(bare, request)
                self._refused(bare, request, "no secret at all")
            await bare.close()

    async def test_a_redelivery_has_the_same_key(self) -> None:
        """Delivered again, later and by another attempt, an event gives the same dedupe and ordering keys."""
        async with self.opened() as rig:
            receiver: ReceivesWebhooks = self.capable(rig, Capability.WEBHOOKS)
            for sample in self.webhooks:
                first = receiver.envelopes(rig.webhook(sample.topic, sample.body))
                rig.clock.advance(90)
                again = receiver.envelopes(rig.webhook(sample.topic, sample.body, attempt=2))
                assert _keys(first) == _keys(again), sample.topic
                assert first, f"{sample.topic}: a signed webhook gives an envelope, even an ignored one"

    async def test_a_newer_version_has_another_key(self) -> None:
        """A later state of the same thing has a new dedupe key and the same ordering key."""
        async with self.opened() as rig:
            receiver: ReceivesWebhooks = self.capable(rig, Capability.WEBHOOKS)
            versioned = [sample for sample in self.webhooks if sample.newer is not None]
            assert versioned, "give at least one sample with `newer`"
            for sample in versioned:
                assert sample.newer is not None
                older = receiver.envelopes(rig.webhook(sample.topic, sample.body, event_id="event-1"))
                newer = receiver.envelopes(rig.webhook(sample.topic, sample.newer, event_id="event-2"))
                assert not {e.dedupe_key for e in older} & {e.dedupe_key for e in newer}, sample.topic
                assert [e.ordering_key for e in older] == [e.ordering_key for e in newer], sample.topic

    async def test_envelopes_are_named_and_hold_the_bytes(self) -> None:
        """Known topic, untouched payload, aware time, and no signature kept."""
        async with self.opened() as rig:
            async for receiver, request in self._requests(rig):
                for envelope in receiver.envelopes(request):
                    assert self.manifest.topic(envelope.topic), f"{envelope.topic} is not in the manifest"
                    assert envelope.payload == request.body
                    assert envelope.ordering_key
                    assert envelope.occurred_at is None or envelope.occurred_at.tzinfo is not None
                    signed = {v for n, v in request.headers.items() if _fails(receiver, _without(request, n))}
                    long = {value for value in signed if len(value) >= 32}
                    assert not long & set(envelope.headers.values()), "a signature is kept"

    async def test_an_odd_body_never_breaks_naming(self) -> None:
        """Signed nonsense gives envelopes or an unknown topic, never another error."""
        async with self.opened() as rig:
            receiver: ReceivesWebhooks = self.capable(rig, Capability.WEBHOOKS)
            for sample in self.webhooks:
                for body in ODD_BODIES:
                    request = rig.webhook(sample.topic, body)
                    await _keys_at_hand(receiver, request)
                    receiver.verify(request)
                    try:
                        receiver.envelopes(request)
                    except UnknownTopic as error:
                        assert error.message, "it lists the topics there are"

    async def test_subscriptions_are_made_once_and_deliver(self) -> None:
        """The first call subscribes, the second changes nothing, and a sale then reaches the callback, signed."""
        self.need(Capability.SUBSCRIBE)
        async with Receiver(path=f"/webhooks/{ACCOUNT}") as inbox, self.opened(public_url=inbox.origin) as rig:
            inbox.challenge = self.capable(rig, Capability.WEBHOOKS).challenge
            subscribes: Subscribes = self.capable(rig, Capability.SUBSCRIBE)
            assert list(await subscribes.ensure_subscriptions(inbox.url)), "nothing was subscribed"
            assert list(await subscribes.ensure_subscriptions(inbox.url)) == [], "the second call changed something"
            await self.trade(rig, orders=1)
            await rig.sandbox.settle()
            assert inbox.requests, "a sale was announced to nobody"
            receiver: ReceivesWebhooks = self.capable(rig, Capability.WEBHOOKS)
            for request in inbox.requests:
                received = replace(request, received_at=rig.clock.now())
                await _keys_at_hand(receiver, received)
                receiver.verify(received)
                for envelope in receiver.envelopes(received):
                    assert self.manifest.topic(envelope.topic), envelope.topic
                    await self._meaningful(rig, envelope)

    async def _meaningful(self, rig: Rig, envelope: Envelope) -> None:
        """A mapped topic maps; a hint resolves to envelopes that map."""
        topic = self.manifest.topic(envelope.topic)
        if topic is None or topic.ignored:
            return
        if not topic.hint:
            self.documents(rig, [envelope])
            return
        resolved = await self.capable(rig, Capability.RESOLVE).resolve(envelope)
        assert self.documents(rig, resolved), f"{envelope.topic}: the hint led to nothing"

    @staticmethod
    def _refused(receiver: ReceivesWebhooks, request: WebhookRequest, what: str) -> None:
        try:
            receiver.verify(request)
        except SignatureInvalid:
            return
        pytest.fail(f"{what} was believed")


async def _keys_at_hand(receiver: ReceivesWebhooks, request: WebhookRequest) -> None:
    """As intake does before it verifies; a key that cannot be had leaves the request unbelieved."""
    if isinstance(receiver, FetchesKeys):
        try:
            await receiver.fetch_keys(request)
        except ConnectorError:
            return


def _keys(envelopes: object) -> list[tuple[str, str, str]]:
    assert isinstance(envelopes, list | tuple)
    return [(envelope.topic, envelope.dedupe_key, envelope.ordering_key) for envelope in envelopes]


def _changed(body: bytes) -> Iterator[bytes]:
    bits = len(body) * 8
    step = max(1, bits // BITS_MAX)
    for bit in range(0, bits, step):
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << (bit % 8)
        yield bytes(flipped)
    yield body + b" "
    yield body[:-1]
    yield b""


def _misspelt(value: str) -> Iterator[str]:
    """Each character's seven bits, one at a time, as long as a header may carry the result."""
    for index, sign in enumerate(value):
        for bit in range(7):
            other = chr(ord(sign) ^ (1 << bit))
            # A letter's case may be immaterial, in a host name for one.
            if other.isprintable() and other != " " and other.lower() != sign.lower():
                yield value[:index] + other + value[index + 1 :]
    yield value[:-1]
    yield ""


def _without(request: WebhookRequest, name: str) -> WebhookRequest:
    return replace(request, headers={key: value for key, value in request.headers.items() if key != name})


def _fails(receiver: ReceivesWebhooks, request: WebhookRequest) -> bool:
    try:
        receiver.verify(request)
    except SignatureInvalid:
        return True
    return False
