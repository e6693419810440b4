"""Only somebody who knows the secret is believed to be Shippo, in either of the two ways Shippo has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.shippo import CONNECTOR
from connectors.shippo.connector import ShippoConnector
from tests.support.carriers import context, incoming

BODY = b'{"event": "track_updated", "data": {"tracking_number": "9205590164917337534322"}}'
TIME = "1763726400"
VECTOR = "03a50a2da3aa464d5715d3fad8f0bc1503e9467e20b712ca729b0a4c8cf42073"


def opened(**section: Any) -> ShippoConnector:
    credentials = {"api_key": "shippo_live_x", **section.pop("credentials", {"webhook_secret": "s3cret"})}
    connector = CONNECTOR.open(context(ManualClock(), {"credentials": credentials, "options": section}))
    assert isinstance(connector, ShippoConnector)
    return connector


def signed(value: str, body: bytes = BODY) -> WebhookRequest:
    return incoming(body, {"SHIPPO-AUTH-SIGNATURE": value})


def called(query: str) -> WebhookRequest:
    return replace(incoming(BODY, {}), path_qs=f"/webhooks/carrier{query}")


def test_the_signature_is_over_time_dot_and_raw_body() -> None:
    """A vector worked out elsewhere (openssl dgst -sha256 -hmac), whatever the case of header and digits."""
    connector = opened(webhook_auth="signature")
    connector.verify(signed(f"t={TIME},v1={VECTOR}"))
    connector.verify(signed(f"t={TIME}, v1={VECTOR.upper()}"))
    with pytest.raises(SignatureInvalid):
        connector.verify(signed(f"t={TIME},v1={VECTOR}", BODY + b" "))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "no_signature"),
        (VECTOR, "bad_header"),
        (f"v1={VECTOR}", "bad_header"),
        (f"t=,v1={VECTOR}", "bad_header"),
        (f"t=soon,v1={VECTOR}", "bad_header"),
        (f"t={TIME}", "bad_header"),
        (f"t={TIME},v1={'0' * 600}", "bad_header"),
        (f"t={int(TIME) + 1},v1={VECTOR}", "bad_signature"),
        (f"t={TIME},v1={'0' * 64}", "bad_signature"),
    ],
)
def test_a_header_that_is_none_is_refused(value: str, code: str) -> None:
    """Missing, in parts, of another time."""
    with pytest.raises(SignatureInvalid) as caught:
        opened(webhook_auth="signature").verify(signed(value))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "no_signature"),
        ("?token=", "no_signature"),
        ("?token=s3cre", "bad_signature"),
        ("?token=s3cret&token=s3cret", "bad_signature"),
        ("?Token=s3cret", "no_signature"),
        ("?token=" + "s" * 5_000, "no_signature"),
    ],
)
def test_a_wrong_token_in_the_address_is_refused(query: str, code: str) -> None:
    """By default the webhook's address ends in the token."""
    with pytest.raises(SignatureInvalid) as caught:
        opened().verify(called(query))
    assert caught.value.code == code


def test_the_token_in_the_address_is_believed() -> None:
    """Escaped or not, and the former one while it is replaced."""
    opened().verify(called("?token=s3cret"))
    opened(credentials={"webhook_secret": "a b&c"}).verify(called("?token=a%20b%26c"))
    opened(credentials={"webhook_secret": "new", "webhook_secret_previous": "old"}).verify(called("?token=old"))


def test_one_way_does_not_stand_in_for_the_other() -> None:
    """Where signatures are expected a token is nothing, and the other way round."""
    with pytest.raises(SignatureInvalid):
        opened(webhook_auth="signature").verify(called("?token=s3cret"))
    with pytest.raises(SignatureInvalid):
        opened().verify(signed(f"t={TIME},v1={VECTOR}"))


def test_without_a_secret_nobody_is_believed() -> None:
    """Neither an empty token nor an empty key opens the door."""
    for way in ("token", "signature"):
        with pytest.raises(SignatureInvalid) as caught:
            opened(credentials={}, webhook_auth=way).verify(called("?token="))
        assert caught.value.code == "no_secret"


def test_a_push_is_named_by_its_event_and_lies_in_its_parcels_lane() -> None:
    """Same bytes, same key; an event of labels is known and ignored; an unreadable body has a lane of its own."""
    connector = opened()
    (first,), (again,) = connector.envelopes(incoming(BODY, {})), connector.envelopes(incoming(BODY, {}))
    assert (first.topic, first.ordering_key) == ("track_updated", "parcel:9205590164917337534322")
    assert first.dedupe_key == again.dedupe_key
    (label,) = connector.envelopes(incoming(b'{"event": "transaction_updated", "data": {}}', {}))
    assert label.topic == "transaction_updated"
    (odd,) = connector.envelopes(incoming(b"<html>", {}))
    assert odd.topic == "track_updated"
    assert odd.ordering_key.startswith("parcel:unnamed:")
