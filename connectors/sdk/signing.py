"""Message signatures: computed once here, compared in constant time, refused when nothing is configured."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable

from connectors.sdk.errors import SignatureInvalid

Scheme = Callable[[bytes, bytes], str]
"""(secret, message) → the signature as it stands in the header."""


def hmac_sha256(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, "sha256")


def hmac_sha256_base64(secret: bytes, body: bytes) -> str:
    return base64.b64encode(hmac_sha256(secret, body)).decode("ascii")


def hmac_sha256_hex(secret: bytes, body: bytes) -> str:
    return hmac_sha256(secret, body).hex()


def matches(expected: str, given: str | None) -> bool:
    """Compare without telling by the time taken how much was right.

    An empty expectation never matches: a missing secret must not turn into an open door.
    """
    if not expected or not given:
        return False
    return hmac.compare_digest(expected.encode("utf-8"), given.encode("utf-8", "surrogateescape"))


def matches_any(expected: Iterable[str], given: str | None) -> bool:
    """As `matches`, with several secrets valid while one replaces another; all are always compared."""
    found = False
    for candidate in expected:
        found |= matches(candidate, given)
    return found


def verify(secrets: Iterable[bytes], message: bytes, given: str | None, scheme: Scheme) -> None:
    """Refuse a message unless one of the secrets signs it.

    Raises:
        SignatureInvalid: No secret is configured, no signature was sent, or none matches.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise SignatureInvalid("no webhook secret is configured, so nothing can be trusted", code="no_secret")
    if not given:
        raise SignatureInvalid("the signature header is missing", code="no_signature")
    if not matches_any([scheme(secret, message) for secret in usable], given):
        raise SignatureInvalid("the signature does not fit the body", code="bad_signature")
