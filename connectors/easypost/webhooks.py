"""EasyPost's pushes: who is believed, and what an event is called.

Two signatures are in use, both HMAC-SHA256 in hex with the webhook's secret after Unicode normalisation
(NFKD):

* `X-Hmac-Signature` signs the body;
* `X-Hmac-Signature-V2` signs `X-Timestamp`, the method, `X-Path` and the body, one after the other. EasyPost's
  own libraries do not know it and one public implementation leaves method and path out, so both readings are
  accepted, and where neither fits the first signature decides, unless the account asks for the second.

No time window is kept: EasyPost repeats a delivery for hours, and a repeated event is known by its id.

Source: EasyPost's client libraries, validate_webhook (2026-11); the second signature as third parties read it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

import structlog

from connectors.easypost.manifest import MANIFEST
from connectors.easypost.settings import Settings
from connectors.sdk import exact, signing
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import SignatureInvalid, UnknownTopic
from connectors.sdk.instants import read_instant
from connectors.sdk.tracking_envelopes import pushed

FIRST: Final = "x-hmac-signature"
SECOND: Final = "x-hmac-signature-v2"
TIMESTAMP: Final = "x-timestamp"
PATH: Final = "x-path"
PREFIX: Final = "hmac-sha256-hex="
ID_LENGTH_MAX: Final = 100
_SENT: Final = tuple(topic.name for topic in MANIFEST.topics if "." in topic.name)

_log = structlog.get_logger(__name__)


def verify(request: WebhookRequest, settings: Settings, account: str) -> None:
    """Pass only a body signed with a known secret.

    Raises:
        SignatureInvalid: No secret is configured, or the signature is missing or wrong.
    """
    keys = [key_of(secret.reveal()) for secret in settings.webhook_secrets]
    if not keys:
        raise SignatureInvalid("credentials.webhook_secret is not set: nothing can be trusted", code="no_secret")
    if all(request.headers.get(name) for name in (SECOND, TIMESTAMP, PATH)):
        if _fits_second(request, keys):
            return
        _log.warning("webhook.second_signature_unfit", account=account)
    if settings.needs_second_signature:
        raise SignatureInvalid(f"the event has no {SECOND} that fits", code="bad_signature")
    signing.verify(keys, request.body, request.headers.get(FIRST), first_signature)


def key_of(secret: str) -> bytes:
    """The bytes a secret signs with."""
    return unicodedata.normalize("NFKD", secret).encode()


def first_signature(key: bytes, body: bytes) -> str:
    return PREFIX + signing.hmac_sha256_hex(key, body)


def second_signature(key: bytes, timestamp: str, method: str, path: str, body: bytes) -> str:
    return PREFIX + signing.hmac_sha256_hex(key, f"{timestamp}{method}{path}".encode() + body)


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """One envelope per event, told apart by its id.

    Raises:
        UnknownTopic: The body is no event of those EasyPost documents.
    """
    event = _read(request.body)
    topic = event.get("description")
    if topic not in _SENT:
        raise UnknownTopic(f"EasyPost sent {str(topic)[:60]!r}; known are: {', '.join(_SENT)}", code="unknown_topic")
    result = event.get("result")
    fields = result if isinstance(result, Mapping) else {}
    at = read_instant(event.get("created_at"))
    return [pushed(topic, request.body, fields.get("tracking_code"), occurred_at=at, event=_id_of(event))]


def _id_of(event: Mapping[str, Any]) -> str | None:
    given = event.get("id")
    return given if isinstance(given, str) and 0 < len(given) <= ID_LENGTH_MAX else None


def _fits_second(request: WebhookRequest, keys: list[bytes]) -> bool:
    headers = request.headers
    accepted: Iterator[str] = (
        spelt
        for key in keys
        for method, path in ((request.method.upper(), headers[PATH]), ("", ""))
        for whole in (second_signature(key, headers[TIMESTAMP], method, path, request.body),)
        for spelt in (whole, whole.removeprefix(PREFIX))
    )
    return signing.matches_any(accepted, headers[SECOND].strip())


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        found = exact.loads(body)
    except exact.NotJson:
        return {}
    return found if isinstance(found, Mapping) else {}
