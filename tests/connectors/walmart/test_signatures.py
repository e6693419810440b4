"""A notification is believed only when signed with a known secret, by either HMAC scheme or by BASIC where allowed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.walmart import settings, signatures
from connectors.walmart.settings import DEFAULT_WEBHOOK_HEADER
from tests.support.walmart_world import CREDENTIALS, context

BODY = b'{"source": {"eventType": "PO_CREATED"}}'
PATH = "/webhooks/walmart-us?x=1"
SECRET = CREDENTIALS["webhook_secret"].encode()


def request(headers: dict[str, str], path: str = PATH) -> WebhookRequest:
    return WebhookRequest("POST", path, headers, BODY, EPOCH)


def verify(given: WebhookRequest, public_url: str | None = None, **changes: object) -> None:
    credentials = {**CREDENTIALS, **changes.pop("credentials", {})}  # type: ignore[dict-item]
    ctx = context(credentials=credentials, **changes)  # type: ignore[arg-type]
    signatures.verify(given, settings.read(ctx), public_url)


def canonical(path: str = PATH, at: int | None = None) -> dict[str, str]:
    """Written out from the vendor's page, not with our own function."""
    stamp = str(int(EPOCH.timestamp()) if at is None else at)
    text = f"POST\n{path}\n{stamp}\n{hashlib.sha256(BODY).hexdigest()}"
    value = base64.b64encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest()).decode()
    return {"wm_sec.signature": value, "wm_sec.timestamp": stamp, "wm_sec.key_id": "1"}


@pytest.mark.parametrize(
    "encode", [lambda d: d.hex(), lambda d: d.hex().upper(), lambda d: base64.b64encode(d).decode()]
)
def test_plain_hmac_in_any_encoding(encode: object) -> None:
    digest = hmac.new(SECRET, BODY, hashlib.sha256).digest()
    verify(request({DEFAULT_WEBHOOK_HEADER: encode(digest)}))  # type: ignore[operator]


def test_the_header_is_the_one_that_was_subscribed() -> None:
    value = signatures.plain_signature(SECRET, BODY)
    verify(request({"x-own": value}), options={"webhook_header": "X-Own"})
    with pytest.raises(SignatureInvalid):
        verify(request({DEFAULT_WEBHOOK_HEADER: value}), options={"webhook_header": "X-Own"})


def test_canonical_scheme() -> None:
    verify(request(canonical()))


def test_canonical_scheme_behind_a_proxy_that_cuts_a_prefix() -> None:
    verify(request(canonical("/hub" + PATH)), public_url="https://hub.example.com/hub/")
    with pytest.raises(SignatureInvalid):
        verify(request(canonical("/other" + PATH)), public_url="https://hub.example.com/hub/")


@pytest.mark.parametrize("offset", [-301, 301])
def test_outside_five_minutes_it_is_a_replay(offset: int) -> None:
    at = int((EPOCH + timedelta(seconds=offset)).timestamp())
    with pytest.raises(SignatureInvalid, match="five minutes"):
        verify(request(canonical(at=at)))


def test_inside_five_minutes_it_passes() -> None:
    verify(request(canonical(at=int(EPOCH.timestamp()) - 299)))


@pytest.mark.parametrize("stamp", ["", "x", "-5", "1" * 40, "²"])
def test_a_timestamp_that_is_none(stamp: str) -> None:
    with pytest.raises(SignatureInvalid):
        verify(request({**canonical(), "wm_sec.timestamp": stamp}))


def test_a_canonical_header_is_never_checked_by_the_weaker_scheme() -> None:
    headers = {DEFAULT_WEBHOOK_HEADER: signatures.plain_signature(SECRET, BODY), "wm_sec.signature": "wrong"}
    with pytest.raises(SignatureInvalid):
        verify(request(headers))


def test_the_former_secret_is_good_while_it_is_rotated() -> None:
    headers = {DEFAULT_WEBHOOK_HEADER: signatures.plain_signature(b"old", BODY)}
    verify(request(headers), credentials={"webhook_secret_previous": "old"})
    with pytest.raises(SignatureInvalid):
        verify(request(headers))


def test_basic_only_where_the_account_says_so() -> None:
    headers = {DEFAULT_WEBHOOK_HEADER: signatures.basic_value("hub", CREDENTIALS["webhook_secret"])}
    allowed = {"options": {"webhook_auth": "basic"}, "credentials": {"webhook_user": "hub"}}
    verify(request(headers), **allowed)
    with pytest.raises(SignatureInvalid):
        verify(request(headers))
    with pytest.raises(SignatureInvalid):
        verify(request({DEFAULT_WEBHOOK_HEADER: signatures.basic_value("hub", "wrong")}), **allowed)


def test_nothing_is_believed_without_a_secret() -> None:
    ctx = context(credentials={"client_id": "a", "client_secret": "b"})
    signed = request({DEFAULT_WEBHOOK_HEADER: signatures.plain_signature(b"", BODY)})
    with pytest.raises(SignatureInvalid):
        signatures.verify(signed, settings.read(ctx), None)


def test_another_body_is_refused() -> None:
    headers = {DEFAULT_WEBHOOK_HEADER: signatures.plain_signature(SECRET, BODY)}
    with pytest.raises(SignatureInvalid):
        verify(replace(request(headers), body=BODY + b" "))
