"""An event of AfterShip's is believed by the signature over its raw bytes, and known by its id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.aftership import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import SignatureInvalid, UnknownTopic
from tests.support.carriers import context, incoming

BODY = b'{"event":"tracking_update","event_id":"e-1","msg":{"tracking_number":"1Z","tag":"InTransit"},"ts":1}'
VECTOR = "+nHQ8uweJ/iadYZ4zwQANtkKYmt68r7Pm5boWVFlqVM="


def opened(**credentials: str) -> Any:
    return CONNECTOR.open(context(ManualClock(), {"credentials": {"api_key": "k", **credentials}}))


def signed(signature: str) -> dict[str, str]:
    return {"aftership-hmac-sha256": signature}


def test_the_vector() -> None:
    """Base64 of HMAC-SHA256 under the secret's bytes; the former secret is good while it is replaced."""
    opened(webhook_secret="aftership").verify(incoming(BODY, signed(VECTOR)))
    opened(webhook_secret="new", webhook_secret_previous="aftership").verify(incoming(BODY, signed(VECTOR)))


@pytest.mark.parametrize("headers", [{}, signed(""), signed(VECTOR[:-2]), {"am-webhook-signature": VECTOR}])
def test_another_header_or_signature_is_refused(headers: dict[str, str]) -> None:
    """Those of AfterShip's other products too."""
    with pytest.raises(SignatureInvalid):
        opened(webhook_secret="aftership").verify(incoming(BODY, headers))


def test_without_a_secret_nothing_is_believed() -> None:
    """Not even what an empty secret signs."""
    with pytest.raises(SignatureInvalid):
        opened().verify(incoming(BODY, signed(VECTOR)))


def test_an_event_is_known_by_its_id() -> None:
    """Whatever else differs; its version is kept, and one without number has a lane of its own."""
    connector = opened(webhook_secret="s")
    (first,) = connector.envelopes(incoming(BODY, {"as-webhook-version": "2026-01"}))
    (again,) = connector.envelopes(incoming(json.dumps({**json.loads(BODY), "ts": 2}).encode(), {}))
    assert first.dedupe_key == again.dedupe_key == "tracking_update:e-1"
    assert (first.ordering_key, dict(first.headers)) == ("parcel:1Z", {"webhook_version": "2026-01"})
    (odd,) = connector.envelopes(incoming(b'{"event":"edd_revise","event_id":5,"msg":[]}', {}))
    assert odd.ordering_key.startswith("parcel:unnamed:")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event":"shipment_created"}', b'{"event":{}}', b"\xff"])
def test_an_event_of_another_product_is_an_unknown_topic(body: bytes) -> None:
    """With those of Tracking."""
    with pytest.raises(UnknownTopic, match="tracking_update"):
        opened(webhook_secret="s").envelopes(incoming(body, {}))
