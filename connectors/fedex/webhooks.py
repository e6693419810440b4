"""Advanced Integrated Visibility's pushes: signed, unnumbered, and not always in the order of events.

`fdx-signature` is HMAC-SHA256 of the raw body under the webhook project's security token. FedEx's page says
both "Base 64" and "hex encoding", so either spelling is taken. There is no id and no time in the signature:
a push is recognised by its bytes. FedEx takes nothing but 200 or 202 for an answer, and tries three more
times, five minutes apart.

Source: developer.fedex.com, Advanced Integrated Visibility: business rules and best practices (read 2026-10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from connectors.fedex.manifest import BATCH_MAX, EVENT, TRACKING
from connectors.fedex.settings import Settings
from connectors.sdk import exact, signing
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.sdk.tracking_envelopes import NUMBER_LENGTH_MAX, pushed

SIGNATURE_HEADER: Final = "fdx-signature"
DEPTH_MAX: Final = 20

_log = structlog.get_logger(__name__)


def verify(request: WebhookRequest, settings: Settings, account: str) -> None:
    """Pass only a body signed with a known security token.

    Raises:
        SignatureInvalid: No token is configured, or the signature is missing or wrong.
    """
    if not settings.webhook_secrets:
        raise SignatureInvalid("credentials.webhook_secret is not set: nothing can be trusted", code="no_secret")
    given = request.headers.get(SIGNATURE_HEADER, "").strip()
    if not given:
        raise SignatureInvalid(f"the push has no {SIGNATURE_HEADER} header", code="no_signature")
    keys = [secret.reveal().encode() for secret in settings.webhook_secrets]
    in_base64 = signing.matches_any([signing.hmac_sha256_base64(key, request.body) for key in keys], given)
    in_hex = signing.matches_any([signing.hmac_sha256_hex(key, request.body) for key in keys], given.lower())
    if not in_base64 and not in_hex:
        raise SignatureInvalid("the push's signature does not fit its body", code="bad_signature")
    _log.debug("webhook.believed", account=account, spelling="base64" if in_base64 else "hex")


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """What Track would answer is mapped as such; anything else is a hint, whose numbers are asked about."""
    body = _read(request.body)
    numbers = numbers_in(body)
    topic = TRACKING if _is_answer(body) else EVENT
    return [pushed(topic, request.body, numbers[0] if numbers else None)]


def numbers_of(payload: bytes) -> list[str]:
    """The tracking numbers of a stored push."""
    return numbers_in(_read(payload))


def numbers_in(body: Any) -> list[str]:
    """Every tracking number of a body, each once, as many as one call of Track takes."""
    return list(dict.fromkeys(_numbers(body, DEPTH_MAX)))[:BATCH_MAX]


def _is_answer(body: Any) -> bool:
    output = body.get("output") if isinstance(body, Mapping) else None
    results = output.get("completeTrackResults") if isinstance(output, Mapping) else None
    return isinstance(results, list) and bool(results)


def _numbers(value: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, Mapping):
        own = value.get("trackingNumber")
        if isinstance(own, str) and 0 < len(own.strip()) <= NUMBER_LENGTH_MAX:
            yield own.strip()
        for inner in value.values():
            yield from _numbers(inner, depth - 1)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:
            yield from _numbers(inner, depth - 1)


def _read(body: bytes) -> Any:
    try:
        return exact.loads(body)
    except exact.NotJson:
        return None
