"""Shippo's pushes: who is believed, and what a push is called.

Shippo proves who it is in one of two ways:

* token: the address entered as the webhook's ends in `?token=…`, a text of the owner's own, and comes back with
  each push. Every account has it; it says nothing about the body.
* signature: `Shippo-Auth-Signature: t=<unix time>,v1=<hex>`, HMAC-SHA256 of the time, a dot and the raw body, once
  Shippo's support has set it up.

There is no event id: a push is recognised by its bytes, and one that was kept and sent again is a duplicate however
old its time is. A push that is not taken within three seconds comes twice more, and after any 4xx but 408 and
429 never again: a parcel nobody knows is no reason to refuse.

Source: docs.goshippo.com, Webhooks and Webhook security (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk import address_token, exact, signing
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.sdk.tracking_envelopes import pushed
from connectors.shippo.manifest import IGNORED, UPDATED
from connectors.shippo.settings import TOKEN, Settings

HEADER: Final = "shippo-auth-signature"
HEADER_LENGTH_MAX: Final = 512


def verify(request: WebhookRequest, settings: Settings) -> None:
    """Pass only a push by somebody who knows a secret.

    Raises:
        SignatureInvalid: No secret is configured, or the proof is missing or wrong.
    """
    if settings.webhook_auth == TOKEN:
        address_token.verify(request, settings.webhook_secrets, named="webhook_secret")
        return
    if not settings.webhook_secrets:
        raise SignatureInvalid("credentials.webhook_secret is not set: nothing can be trusted", code="no_secret")
    time, given = read_header(request.headers.get(HEADER, ""))
    message = time.encode() + b"." + request.body
    signing.verify(
        [secret.reveal().encode() for secret in settings.webhook_secrets], message, given, signing.hmac_sha256_hex
    )


def header(secret: str, body: bytes, time: int) -> str:
    """The header's value as Shippo writes it."""
    return f"t={time},v1={signing.hmac_sha256_hex(secret.encode(), f'{time}.'.encode() + body)}"


def read_header(value: str) -> tuple[str, str]:
    """Time and signature, as they stand there.

    Raises:
        SignatureInvalid: The header is missing or is none of Shippo's.
    """
    if not value:
        raise SignatureInvalid("the push has no Shippo-Auth-Signature header", code="no_signature")
    parts = [part.strip().partition("=") for part in value.split(",")] if len(value) <= HEADER_LENGTH_MAX else []
    fields = {name: text for name, _, text in parts}
    time, given = fields.get("t", ""), fields.get("v1", "")
    if not time.isascii() or not time.isdigit() or not given:
        raise SignatureInvalid("the Shippo-Auth-Signature header is malformed", code="bad_header")
    return time, given.lower()


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """One envelope per push, whatever its body; what cannot be read is for the mapping to refuse."""
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        body = None
    event = body.get("event") if isinstance(body, Mapping) else None
    topic = event if isinstance(event, str) and event in IGNORED else UPDATED
    return [pushed(topic, request.body, _number_of(body))]


def _number_of(body: Any) -> object:
    data = body.get("data") if isinstance(body, Mapping) else None
    return data.get("tracking_number") if isinstance(data, Mapping) else None
