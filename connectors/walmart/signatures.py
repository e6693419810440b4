"""Is this notification Walmart's? Two HMAC schemes and BASIC, all fail closed.

1. Plain: the header named in the subscription carries HMAC-SHA256 of the whole body with the
   subscription's `clientSecret`. Walmart does not state the encoding, so hex and base64 are accepted.
2. Canonical: `WM_SEC.SIGNATURE` is base64(HMAC-SHA256(secret, METHOD\\nPATH_AND_QUERY\\nTIMESTAMP\\n
   SHA256_HEX_OF_BODY)), `WM_SEC.TIMESTAMP` epoch seconds, at most five minutes away.
3. BASIC: base64(user:password), only where the account says `webhook_auth: basic`: it proves
   nothing about the body.

Source: Walmart notifications OpenAPI document, "URL Authentication Options" (read 2026-06);
developer.walmart.com "security and authenticity" page (read 2026-11).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from connectors.sdk import signing
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.sdk.ports import Secret
from connectors.walmart.settings import Settings

SIGNATURE_HEADER: Final = "wm_sec.signature"
TIMESTAMP_HEADER: Final = "wm_sec.timestamp"
WINDOW_S: Final = 300.0


def verify(request: WebhookRequest, settings: Settings, public_url: str | None) -> None:
    """Pass only a request signed with a known secret.

    Raises:
        SignatureInvalid: No secret is configured, or the signature is missing, old or wrong.
    """
    if not settings.webhook_secrets:
        raise SignatureInvalid("credentials.webhook_secret is not set: nothing can be trusted", code="no_secret")
    if SIGNATURE_HEADER in request.headers:
        _verify_canonical(request, settings.webhook_secrets, public_url)
    elif settings.webhook_auth == "basic":
        _verify_basic(request, settings)
    else:
        _verify_plain(request, settings)


def plain_signature(secret: bytes, body: bytes) -> str:
    """The plain scheme's header value, hex."""
    return signing.hmac_sha256_hex(secret, body)


def canonical_signature(secret: bytes, method: str, path_qs: str, timestamp: str, body: bytes) -> str:
    """The canonical scheme's header value."""
    text = "\n".join((method.upper(), path_qs, timestamp, hashlib.sha256(body).hexdigest()))
    return signing.hmac_sha256_base64(secret, text.encode())


def basic_value(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _verify_plain(request: WebhookRequest, settings: Settings) -> None:
    given = request.headers.get(settings.webhook_header, "").strip()
    if not given:
        raise SignatureInvalid(f"the notification has no {settings.webhook_header} header", code="no_signature")
    accepted: list[str] = []
    for secret in settings.webhook_secrets:
        key = secret.reveal().encode()
        accepted += [signing.hmac_sha256_hex(key, request.body), signing.hmac_sha256_base64(key, request.body)]
    # Hex digits may come in either case; base64 is compared as it is.
    if not signing.matches_any(accepted, given) and not signing.matches_any(accepted, given.lower()):
        raise SignatureInvalid("the notification's signature does not match its body", code="bad_signature")


def _verify_basic(request: WebhookRequest, settings: Settings) -> None:
    given = request.headers.get(settings.webhook_header) or request.headers.get("authorization", "")
    given = given.removeprefix("Basic ").strip()
    user = settings.webhook_user.reveal() if settings.webhook_user else ""
    accepted = [basic_value(user, secret.reveal()) for secret in settings.webhook_secrets]
    if not given or not signing.matches_any(accepted, given):
        raise SignatureInvalid("the notification's user name and password do not match", code="bad_signature")


def _verify_canonical(request: WebhookRequest, secrets: Iterable[Secret], public_url: str | None) -> None:
    given = request.headers[SIGNATURE_HEADER].strip()
    timestamp = request.headers.get(TIMESTAMP_HEADER, "").strip()
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise SignatureInvalid("the notification has no usable WM_SEC.TIMESTAMP", code="no_timestamp")
    if abs(request.received_at.timestamp() - int(timestamp)) > WINDOW_S:
        raise SignatureInvalid("the notification's timestamp is more than five minutes away", code="outside_window")
    accepted = [
        canonical_signature(secret.reveal().encode(), request.method, path, timestamp, request.body)
        for secret in secrets
        for path in _paths(request.path_qs, public_url)
    ]
    if not signing.matches_any(accepted, given):
        raise SignatureInvalid("the notification's signature does not match its content", code="bad_signature")


def _paths(path_qs: str, public_url: str | None) -> list[str]:
    """The path as it came here and, behind a proxy that cuts a prefix, as Walmart called it."""
    prefix = urlsplit(public_url).path.rstrip("/") if public_url else ""
    return [path_qs, prefix + path_qs] if prefix else [path_qs]
