"""Webhooks signed with an RSA key the vendor publishes in a set: RS256 over the time, a dot and the raw body.

The key id comes from a request nobody has vouched for yet: it chooses among the vendor's keys and nothing else.
An id that is not in the set has the set read again, at most once a minute however many such requests come.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.sdk.answer import Answer
from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import ConnectorError, SignatureInvalid, Transient
from connectors.sdk.instants import read_instant
from connectors.sdk.ports import Clock

FRESH_S: Final = 3_600.0
STALE_S: Final = 86_400.0
"""How much longer a set serves while the vendor cannot be asked for it again."""
AGAIN_S: Final = 60.0
WINDOW_S: Final = 300.0
KEYS_MAX: Final = 32
BITS_MIN: Final = 2_048
BITS_MAX: Final = 8_192
HEADER_LENGTH_MAX: Final = 2_048


@dataclass(frozen=True, slots=True)
class SignatureHeaders:
    """Names, lower-cased: which key, its signature in base64, and the time that is signed too (ISO 8601)."""

    key_id: str
    signature: str
    timestamp: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What the headers say; `message` is what the signature is over."""

    key_id: str
    signature: bytes = field(repr=False)
    message: bytes = field(repr=False)


class PublishedKeys:
    """One vendor's set of keys (RFC 7517), read when first needed. For one event loop.

    Args:
        read: One call for the whole set, at the vendor's own address and without credentials.
    """

    def __init__(self, clock: Clock, names: SignatureHeaders, read: Callable[[], Awaitable[Answer]]) -> None:
        self._clock = clock
        self._names = names
        self._read = read
        self._keys: Mapping[str, rsa.RSAPublicKey] = {}
        self._read_at: float | None = None
        self._rest_until: float | None = None
        self._lock = asyncio.Lock()

    async def fetch_for(self, request: WebhookRequest) -> None:
        """Have the named key at hand, if the vendor has it. A request that cannot be good anyway costs no call.

        Raises:
            ConnectorError: The vendor did not give its keys, and those at hand are too old.
        """
        try:
            signed = read_signed(request, self._names)
        except SignatureInvalid:
            return
        async with self._lock:
            if self._is_good(signed.key_id):
                return
            try:
                self._keys = keys_of(await self._read())
            except ConnectorError:
                if not self._serves(signed.key_id):
                    raise
                self._rest_until = self._clock.monotonic() + AGAIN_S
                return
            self._read_at, self._rest_until = self._clock.monotonic(), None

    def verify(self, request: WebhookRequest) -> None:
        """Pass only what one of the vendor's keys signed within five minutes.

        Raises:
            SignatureInvalid: A header is missing or malformed, the time is another, the key unknown or the
                signature wrong.
        """
        signed = read_signed(request, self._names)
        key = self._keys.get(signed.key_id)
        if key is None:
            raise SignatureInvalid("the signature names a key the vendor does not publish", code="unknown_key")
        try:
            key.verify(signed.signature, signed.message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise SignatureInvalid("the signature does not fit time and body", code="bad_signature") from error

    def _is_good(self, key_id: str) -> bool:
        """The set at hand answers for this id, with a key or with its absence; an old one while the vendor is away."""
        if self._rest_until is not None and self._clock.monotonic() < self._rest_until and self._serves(key_id):
            return True
        return self._age_s() < (FRESH_S if key_id in self._keys else AGAIN_S)

    def _serves(self, key_id: str) -> bool:
        return key_id in self._keys and self._age_s() < FRESH_S + STALE_S

    def _age_s(self) -> float:
        return float("inf") if self._read_at is None else self._clock.monotonic() - self._read_at


def read_signed(request: WebhookRequest, names: SignatureHeaders) -> Signed:
    """Raises: SignatureInvalid: A header is missing, malformed or of another time."""
    given = [request.headers.get(name, "").strip() for name in (names.key_id, names.signature, names.timestamp)]
    if not all(given):
        raise SignatureInvalid("a header of the signature is missing", code="no_signature")
    key_id, signature, timestamp = given
    content = _unpacked(signature) if len(signature) <= HEADER_LENGTH_MAX else None
    at = read_instant(timestamp)
    if content is None or at is None or not timestamp.isascii() or len(key_id) > HEADER_LENGTH_MAX:
        raise SignatureInvalid("a header of the signature is malformed", code="bad_header")
    if abs((request.received_at - at).total_seconds()) > WINDOW_S:
        raise SignatureInvalid("the time signed is more than five minutes away", code="outside_window")
    return Signed(key_id, content, timestamp.encode("ascii") + b"." + request.body)


def keys_of(answer: Answer) -> Mapping[str, rsa.RSAPublicKey]:
    """RSA keys by id; keys of other kinds and uses are passed over.

    Raises:
        Transient: The answer is no key set, or holds none that could sign.
    """
    body = answer.json()
    rows = body.get("keys") if isinstance(body, Mapping) else None
    found: dict[str, rsa.RSAPublicKey] = {}
    for row in rows[:KEYS_MAX] if isinstance(rows, list) else ():
        key = _key_of(row) if isinstance(row, Mapping) else None
        if key is not None:
            found[str(row["kid"])] = key
    if not found:
        raise Transient(f"{answer.call.kind}: the answer holds no RSA key", **answer.facts("unexpected_body"))
    return found


def _key_of(row: Mapping[str, Any]) -> rsa.RSAPublicKey | None:
    fits = row.get("kty") == "RSA" and row.get("use", "sig") == "sig" and row.get("alg", "RS256") == "RS256"
    modulus, exponent = _number(row.get("n")), _number(row.get("e"))
    if not fits or not isinstance(row.get("kid"), str) or modulus is None or exponent is None:
        return None
    if not BITS_MIN <= modulus.bit_length() <= BITS_MAX:
        return None
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        return None


def _number(text: object) -> int | None:
    """Base64url without padding, big-endian (RFC 7518, section 6.3.1)."""
    if not isinstance(text, str) or len(text) > HEADER_LENGTH_MAX:
        return None
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    except (binascii.Error, ValueError):
        return None


def _unpacked(text: str) -> bytes | None:
    """Base64 in its one proper spelling: stray bits behind the last byte would pass unnoticed otherwise."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode("ascii") == text else None
