"""An event of EasyPost's is believed by either of its signatures over the raw bytes, and known by its id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.easypost import CONNECTOR, webhooks
from connectors.easypost.connector import EasypostConnector
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import SignatureInvalid, UnknownTopic
from tests.support.carriers import context, incoming

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / ".." / "shared" / "samples" / "carriers" / "easypost" / "event_tracker_updated_fedex_arrived.json"
SECRET = "sécret"
BODY = b'{"description":"tracker.updated","id":"evt_1","result":{"tracking_code":"1","status":"in_transit"}}'
VECTOR = "hmac-sha256-hex=8287537db99df68afbbb63f937a827208b5a9859c66b88560c134157719c4a9a"
AT, PATH = "Sat, 21 Nov 2026 12:00:00 +0000", "/webhooks/carrier"
VECTOR_2 = "hmac-sha256-hex=d714c9d7b9ecbe1bb48466ba4dab331ea7b1398ab91716b28d613816c714c9cc"


def opened(**options: str) -> EasypostConnector:
    section = {"credentials": {"api_key": "k", "webhook_secret": SECRET}, "options": options}
    connector = CONNECTOR.open(context(ManualClock(), section))
    assert isinstance(connector, EasypostConnector)
    return connector


def second(signature: str, **changed: str) -> dict[str, str]:
    return {"X-Timestamp": AT, "X-Path": PATH, "X-Hmac-Signature-V2": signature, **changed}


def test_the_vector_of_the_first_signature() -> None:
    """The secret is normalised (NFKD) before it signs, however its accent was typed."""
    opened().verify(incoming(BODY, {"X-Hmac-Signature": VECTOR}))
    assert webhooks.first_signature(webhooks.key_of("se\u0301cret"), BODY) == VECTOR


@pytest.mark.skipif(not SAMPLE.exists(), reason="the captured event is not at hand")
def test_the_vector_of_easyposts_own_libraries() -> None:
    """The event their libraries are tested with, byte for byte."""
    body = SAMPLE.read_bytes()
    signature = webhooks.first_signature(webhooks.key_of(SECRET), body)
    assert signature.removeprefix(webhooks.PREFIX).startswith("38f3f53c")
    assert signature.endswith("f527db")


def test_the_second_signature_in_both_readings() -> None:
    """Time, method, path and body, or time and body alone; with or without the word before the digits."""
    connector = opened(webhook_signature="v2")
    key = webhooks.key_of(SECRET)
    assert webhooks.second_signature(key, AT, "POST", PATH, BODY) == VECTOR_2
    short = webhooks.second_signature(key, AT, "", "", BODY)
    for signature in (VECTOR_2, VECTOR_2.removeprefix(webhooks.PREFIX), short):
        connector.verify(incoming(BODY, second(signature)))


@pytest.mark.parametrize("changed", [{"X-Timestamp": AT + "0"}, {"X-Path": "/other"}])
def test_the_second_signature_covers_its_headers(changed: dict[str, str]) -> None:
    """Another time or path is another message."""
    with pytest.raises(SignatureInvalid):
        opened(webhook_signature="v2").verify(incoming(BODY, second(VECTOR_2, **changed)))


def test_a_second_signature_that_does_not_fit_leaves_the_first_to_decide() -> None:
    """Until EasyPost documents the second: a good first one is enough, a bad one is not, and v2 insists."""
    both = second("hmac-sha256-hex=" + "0" * 64, **{"X-Hmac-Signature": VECTOR})
    opened().verify(incoming(BODY, both))
    with pytest.raises(SignatureInvalid):
        opened().verify(incoming(BODY + b" ", both))
    with pytest.raises(SignatureInvalid):
        opened(webhook_signature="v2").verify(incoming(BODY, both))
    with pytest.raises(SignatureInvalid):
        opened(webhook_signature="v2").verify(incoming(BODY, {"X-Hmac-Signature": VECTOR}))


def test_the_former_secret_is_believed_while_it_is_replaced() -> None:
    """Both, until the operator takes the former one away."""
    section = {"credentials": {"api_key": "k", "webhook_secret": "new", "webhook_secret_previous": SECRET}}
    CONNECTOR.open(context(ManualClock(), section)).verify(incoming(BODY, {"X-Hmac-Signature": VECTOR}))  # type: ignore[attr-defined]


def test_an_event_is_known_by_its_id_whatever_else_changes() -> None:
    """EasyPost writes its own bookkeeping into a repeated event; the id stays."""
    connector = opened()
    (first,) = connector.envelopes(incoming(BODY, {}))
    again = json.dumps({**json.loads(BODY), "status": "completed", "completed_urls": ["https://a.example"]}).encode()
    (repeat,) = connector.envelopes(incoming(again, {}))
    assert first.dedupe_key == repeat.dedupe_key == "tracker.updated:evt_1"
    assert first.ordering_key == repeat.ordering_key == "parcel:1"
    (bare,) = connector.envelopes(incoming(b'{"description":"tracker.created","result":null}', {}))
    assert bare.ordering_key.startswith("parcel:unnamed:")


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"description": 5}', b'{"description":"user.deleted"}', b"\xff"])
def test_an_event_nobody_documents_is_an_unknown_topic(body: bytes) -> None:
    """With those that are known."""
    with pytest.raises(UnknownTopic, match=r"tracker\.updated"):
        opened().envelopes(incoming(body, {}))
