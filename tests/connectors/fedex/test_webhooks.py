"""FedEx's pushes are believed by their signature over the raw bytes, in either spelling its page names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.fedex import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import SignatureInvalid, UnknownTopic
from connectors.sdk.tracking import TrackedNumber
from tests.support.carriers import beside_sandbox, context, incoming

SECRET = "s3cur1ty-token"
BODY = b'{"output":{"completeTrackResults":[{"trackingNumber":"394037056377","trackResults":[]}]}}'
BASE64 = "obk33a7f3zVZv720756JhPQbzB25kWJgY6WNtRS6ItU="
HEX = "a1b937ddaedfdf3559bfbdb4ef9e8984f41bcc1db991626063a58db514ba22d5"


def opened(**credentials: str) -> Any:
    section = {"credentials": {"client_id": "id", "client_secret": "x", "webhook_secret": SECRET, **credentials}}
    return CONNECTOR.open(context(ManualClock(), section))


@pytest.mark.parametrize("signature", [BASE64, HEX, HEX.upper()])
def test_the_known_answer(signature: str) -> None:
    """A vector worked out by another implementation (openssl), as Base64 and as hex digits of either case."""
    opened().verify(incoming(BODY, {"fdx-signature": signature}))


@pytest.mark.parametrize("signature", ["", BASE64[:-1], BASE64.lower(), HEX[:-1], "sha256=" + HEX])
def test_any_other_signature_is_refused(signature: str) -> None:
    """Missing, shortened, in the wrong case, or decorated."""
    with pytest.raises(SignatureInvalid):
        opened().verify(incoming(BODY, {"fdx-signature": signature}))


def test_the_bytes_count_not_their_meaning() -> None:
    """The same JSON written otherwise is another body."""
    with pytest.raises(SignatureInvalid):
        opened().verify(incoming(json.dumps(json.loads(BODY)).encode(), {"fdx-signature": BASE64}))


def test_the_former_token_is_good_while_it_is_replaced() -> None:
    """Both are believed; a third is not."""
    opened(webhook_secret="new", webhook_secret_previous=SECRET).verify(incoming(BODY, {"fdx-signature": BASE64}))
    with pytest.raises(SignatureInvalid):
        opened(webhook_secret="new").verify(incoming(BODY, {"fdx-signature": BASE64}))


def test_what_track_would_say_is_mapped_and_anything_else_is_a_hint() -> None:
    """The body's shape decides; the lane is the parcel's either way, and a body without number has its own."""
    connector = opened()
    (answer,) = connector.envelopes(incoming(BODY, {}))
    assert (answer.topic, answer.ordering_key) == ("tracking", "parcel:394037056377")
    other = b'{"detail":[{"trackingNumberInfo":{"trackingNumber":"3940 3705 6377"}}]}'
    (hint,) = connector.envelopes(incoming(other, {}))
    assert (hint.topic, hint.ordering_key) == ("tracking_event", "parcel:394037056377")
    (odd,) = connector.envelopes(incoming(b"[" * 100, {}))
    assert odd.topic == "tracking_event"
    assert odd.ordering_key.startswith("parcel:unnamed:")


async def test_a_hint_leads_to_what_track_says() -> None:
    """Each number once, in one call; a hint without number leads nowhere, and a foreign topic is refused."""
    async with beside_sandbox(CONNECTOR) as world:
        number = world.sandbox.number(1)
        world.sandbox.ship_parcel(number)
        body = json.dumps({"events": [{"trackingNumber": number}, {"trackingNumber": number}]}).encode()
        (hint,) = world.connector.envelopes(incoming(body, {}))
        (envelope,) = await world.connector.resolve(hint)
        (polled,) = await world.connector.track([TrackedNumber(number)])
        assert envelope == polled
        assert [call.kind for call in world.calls] == ["token.fetch", "parcel.track", "parcel.track"]
        (nothing,) = world.connector.envelopes(incoming(b"{}", {}))
        assert list(await world.connector.resolve(nothing)) == []
        with pytest.raises(UnknownTopic):
            await world.connector.resolve(polled)
