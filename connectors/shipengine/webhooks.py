"""ShipEngine's pushes: who is believed, and what a push is called.

Each push is signed with one of ShipEngine's RSA keys, over its time, a dot and the raw body; see
`connectors.sdk.published_keys`. The key is the same for all of ShipEngine's customers: it says that ShipEngine
calls, and not for whom. So the webhook the hub sets up has a header of its own with the account's secret, and a
push without it is somebody else's. There is no event id: a push is recognised by its bytes.
ShipStation's API v2 calls the same push TRACK_EVENT_V2.

Source: docs.shipstation.com, Webhook validation (2026-11); ShipEngine OpenAPI document 1.1.202604070904,
webhook_header (2026-04).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk import exact, signing
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.sdk.published_keys import SignatureHeaders
from connectors.sdk.tracking_envelopes import pushed
from connectors.shipengine.manifest import IGNORED, PUSHED
from connectors.shipengine.settings import Settings

HEADERS: Final = SignatureHeaders(
    key_id="x-shipengine-rsa-sha256-key-id",
    signature="x-shipengine-rsa-sha256-signature",
    timestamp="x-shipengine-timestamp",
)
SECRET_HEADER: Final = "x-trunkline-secret"  # noqa: S105  # the header's name


def verify_secret(request: WebhookRequest, settings: Settings) -> None:
    """Pass only a push of the webhook that was set up with our secret; looked at before any key is fetched.

    Raises:
        SignatureInvalid: No secret is configured, or the push has another or none.
    """
    if not settings.webhook_secrets:
        raise SignatureInvalid("credentials.webhook_secret is not set: nothing can be trusted", code="no_secret")
    given = request.headers.get(SECRET_HEADER, "")
    if not given:
        raise SignatureInvalid(f"the push has no {SECRET_HEADER} header", code="no_signature")
    if not signing.matches_any([secret.reveal() for secret in settings.webhook_secrets], given):
        raise SignatureInvalid(f"the {SECRET_HEADER} header is not the one agreed on", code="bad_signature")


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """One envelope per push, whatever its body; what cannot be read is for the mapping to refuse."""
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        body = None
    kind = body.get("resource_type") if isinstance(body, Mapping) else None
    topic = kind if isinstance(kind, str) and kind in IGNORED else PUSHED
    return [pushed(topic, request.body, _number_of(body))]


def _number_of(body: Any) -> object:
    data = body.get("data") if isinstance(body, Mapping) else None
    return data.get("tracking_number") if isinstance(data, Mapping) else None
