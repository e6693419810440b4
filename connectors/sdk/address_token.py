"""Believing pushes that carry no signature: a secret in the address they are sent to.

It proves who was told the address, and nothing about the body; so a body believed this way should only be a
reason to ask the vendor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from connectors.sdk import signing
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.sdk.ports import Secret

PARAMETER: Final = "token"
_QUERY_LENGTH_MAX: Final = 2_048


def addressed(url: str, secret: Secret) -> str:
    """The address to give the vendor."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{query(secret)}"


def query(secret: Secret) -> str:
    return f"{PARAMETER}={quote(secret.reveal(), safe='')}"


def verify(request: WebhookRequest, secrets: Sequence[Secret], *, named: str) -> None:
    """Pass only a request to an address with a known secret in it. `named` is the credential's name.

    Raises:
        SignatureInvalid: No secret is configured, or the address holds none, several or another one.
    """
    if not secrets:
        raise SignatureInvalid(f"credentials.{named} is not set: nobody can be trusted", code="no_secret")
    text = urlsplit(request.path_qs).query
    given = parse_qs(text, max_num_fields=20).get(PARAMETER, []) if _is_sound(text) else []
    if not given:
        raise SignatureInvalid(f"the address called has no {PARAMETER}", code="no_signature")
    if len(given) > 1 or not signing.matches_any([secret.reveal() for secret in secrets], given[0]):
        raise SignatureInvalid(f"the address called has another {PARAMETER}", code="bad_signature")


def _is_sound(text: str) -> bool:
    return len(text) <= _QUERY_LENGTH_MAX and text.count("&") < 20
