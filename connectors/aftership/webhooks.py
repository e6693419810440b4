"""AfterShip's pushes: who is believed, and what an event is called.

`aftership-hmac-sha256` is HMAC-SHA256 of the raw body under the webhook secret of Tracking, in Base64. The version
of the body follows the account's own setting and stands in `as-webhook-version`.

Source: aftership.com/docs/tracking, webhook signature and webhook overview (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connectors.aftership.manifest import IGNORED, UPDATE
from connectors.aftership.settings import Settings
from connectors.sdk import exact, signing
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import UnknownTopic
from connectors.sdk.tracking_envelopes import pushed

SIGNATURE_HEADER: Final = "aftership-hmac-sha256"
VERSION_HEADER: Final = "as-webhook-version"
ID_LENGTH_MAX: Final = 100
_SENT: Final = (UPDATE, *IGNORED)


def verify(request: WebhookRequest, settings: Settings) -> None:
    """Pass only a body signed with a known secret.

    Raises:
        SignatureInvalid: No secret is configured, or the signature is missing or wrong.
    """
    keys = [secret.reveal().encode() for secret in settings.webhook_secrets]
    signing.verify(keys, request.body, request.headers.get(SIGNATURE_HEADER), signing.hmac_sha256_base64)


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """One envelope per event, told apart by its id.

    Raises:
        UnknownTopic: The body names no event of Tracking's.
    """
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        body = None
    topic = body.get("event") if isinstance(body, Mapping) else None
    if topic not in _SENT:
        raise UnknownTopic(f"AfterShip sent {str(topic)[:60]!r}; known are: {', '.join(_SENT)}", code="unknown_topic")
    msg = body.get("msg")
    number = msg.get("tracking_number") if isinstance(msg, Mapping) else None
    given = body.get("event_id")
    event = given if isinstance(given, str) and 0 < len(given) <= ID_LENGTH_MAX else None
    envelope = pushed(topic, request.body, number, event=event)
    version = request.headers.get(VERSION_HEADER, "")[:40]
    return [replace(envelope, headers={"webhook_version": version}) if version else envelope]
