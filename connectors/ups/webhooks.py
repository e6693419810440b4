"""Track Alert's pushes: who is believed, and what an alert is called.

UPS proves who it is in one of two ways, chosen with the credentials entered under Manage Webhook Credentials:

* OAuth: UPS logs in here with the pair it was given (client credentials, HTTP Basic), gets a token from us,
  and sends it as a bearer with each event, its client id in `x-api-key`. The token endpoint is the webhook's
  own address: a form is a login, JSON is an event.
* a fixed value in the header `credential`, as Track Alert v1 had it.

Neither says anything about the body, and there is no event id: an alert is recognised by its bytes.

Source: UPS Track Alert v2 OpenAPI document, webhooks and clientOauth2 (2026-07); RFC 6749 sections 4.4, 5.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from connectors.sdk import exact, signing
from connectors.sdk.contract import Envelope, WebhookReply, WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.sdk.tracking_envelopes import pushed
from connectors.ups.manifest import ALERT
from connectors.ups.settings import Settings

FORM: Final = "application/x-www-form-urlencoded"
TOKEN_LIFE_S: Final = 3_600
_BODY_MAX: Final = 8_192


def login(request: WebhookRequest, settings: Settings, nonce: str) -> WebhookReply | None:
    """Answer UPS's request for a token; None when the request is none. `nonce` makes the token one of its own."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != FORM:
        return None
    if settings.webhook_auth != "oauth" or settings.webhook_client_id is None or not settings.webhook_secrets:
        return _refusal(401, "invalid_client")
    form = _form(request.body)
    if not _is_known(request, form, settings):
        return _refusal(401, "invalid_client")
    if form.get("grant_type") != "client_credentials":
        return _refusal(400, "unsupported_grant_type")
    ends = int(request.received_at.timestamp()) + TOKEN_LIFE_S
    token = issued(settings.webhook_secrets[0].reveal(), settings.webhook_client_id.reveal(), ends, nonce)
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S}
    return WebhookReply(200, json.dumps(answer).encode())


def issued(secret: str, client_id: str, ends: int, nonce: str) -> str:
    """A token that tells by itself when it ends (epoch seconds); nothing has to be remembered."""
    mark = "".join(sign for sign in nonce if sign.isalnum())
    return f"{ends}.{mark}.{_seal(secret, client_id, str(ends), mark)}"


def verify(request: WebhookRequest, settings: Settings) -> None:
    """Pass only a caller that proves to be UPS.

    Raises:
        SignatureInvalid: No secret is configured, or the proof is missing, ended or wrong.
    """
    if not settings.webhook_secrets:
        raise SignatureInvalid("credentials.webhook_secret is not set: nobody can be trusted", code="no_secret")
    if settings.webhook_auth == "credential":
        _verify_credential(request, settings)
    else:
        _verify_token(request, settings)


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """One envelope per alert, whatever its body; what cannot be read is for the mapping to refuse."""
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        body = None
    fields = body if isinstance(body, dict) else {}
    at = _occurred_at(fields.get("gmtActivityDate"), fields.get("gmtActivityTime"))
    return [pushed(ALERT, request.body, fields.get("trackingNumber"), occurred_at=at)]


def _verify_credential(request: WebhookRequest, settings: Settings) -> None:
    given = request.headers.get("credential")
    if not given:
        raise SignatureInvalid("the alert has no credential header", code="no_signature")
    if not signing.matches_any([secret.reveal() for secret in settings.webhook_secrets], given):
        raise SignatureInvalid("the alert's credential is not the one agreed on", code="bad_signature")


def _verify_token(request: WebhookRequest, settings: Settings) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SignatureInvalid("the alert has no bearer token", code="no_signature")
    client_id = settings.webhook_client_id.reveal() if settings.webhook_client_id else ""
    if not signing.matches(client_id, request.headers.get("x-api-key")):
        raise SignatureInvalid("the alert's x-api-key is not the client id UPS was given", code="bad_signature")
    ends, _, rest = token.partition(".")
    mark, _, seal = rest.partition(".")
    expected = [_seal(secret.reveal(), client_id, ends, mark) for secret in settings.webhook_secrets]
    if not signing.matches_any(expected, seal):
        raise SignatureInvalid("the alert's token was not issued here", code="bad_signature")
    # The seal is good, so the text is one we wrote.
    if int(ends) < request.received_at.timestamp():
        raise SignatureInvalid("the alert's token has ended", code="outside_window")


def _seal(secret: str, client_id: str, ends: str, mark: str) -> str:
    return signing.hmac_sha256_hex(secret.encode(), f"track-alert\n{client_id}\n{ends}\n{mark}".encode())


def _is_known(request: WebhookRequest, form: dict[str, str], settings: Settings) -> bool:
    user, password = _basic(request.headers.get("authorization", "")) or (
        form.get("client_id", ""),
        form.get("client_secret", ""),
    )
    client_id = settings.webhook_client_id.reveal() if settings.webhook_client_id else ""
    named = signing.matches(client_id, user)
    proven = signing.matches_any([secret.reveal() for secret in settings.webhook_secrets], password)
    return named and proven


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    user, _, password = pair.partition(":")
    return user, password


def _form(body: bytes) -> dict[str, str]:
    if len(body) > _BODY_MAX:
        return {}
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _refusal(status: int, code: str) -> WebhookReply:
    return WebhookReply(status, json.dumps({"error": code}).encode())


def _occurred_at(day: object, time: object) -> datetime | None:
    if not isinstance(day, str) or not isinstance(time, str):
        return None
    try:
        return datetime.strptime(day + time.replace(":", ""), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
