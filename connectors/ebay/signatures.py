"""Is this notification eBay's? ECDSA over the body, the key read from eBay by its id and cached.

The header X-EBAY-SIGNATURE is base64 of `{"alg": "ecdsa", "kid", "signature", "digest": "SHA1"}`. The key
id comes from a request nobody has vouched for yet, so it must look like one of eBay's, is only ever
looked up at the account's own base address, and an unknown one is remembered as unknown.

Source: commerce/notification v1.6.2, getPublicKey (2025-11): cache for about an hour; eBay
event-notification-nodejs-sdk feaf337 lib/validator.js (signature over the compact JSON, challenge order);
"marketplace account deletion" page (read 2026-11).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connectors.ebay.api import Api
from connectors.ebay.settings import Settings
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, WebhookReply, WebhookRequest
from connectors.sdk.errors import ConnectorError, SignatureInvalid, TargetMissing, Transient
from connectors.sdk.queries import escaped

HEADER: Final = "x-ebay-signature"
ALGORITHM: Final = "ecdsa"
HEADER_LENGTH_MAX: Final = 2_048
KEY_LIFE_S: Final = 3_600.0
UNKNOWN_LIFE_S: Final = 300.0
STALE_LIFE_S: Final = 86_400.0
"""How much longer a key serves while eBay cannot be asked for it again."""

KEYS_MAX: Final = 32
CHALLENGE_LENGTH_MAX: Final = 512
DIGESTS: Final[Mapping[str, hashes.HashAlgorithm]] = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}  # noqa: S303

_KEY_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ARMOUR: Final = re.compile(r"-----BEGIN PUBLIC KEY-----(.+?)-----END PUBLIC KEY-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signed:
    """What the header says. `digest` must be the key's own: the header chooses nothing."""

    key_id: str
    signature: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A key with its digest, or None for an id that eBay does not know."""

    key: ec.EllipticCurvePublicKey | None
    digest: str
    until_s: float


class Signatures:
    """One account's checks. Keys are kept for an hour; at most a few are."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings
        self._keys: OrderedDict[str, _Held] = OrderedDict()

    async def fetch_key(self, request: WebhookRequest) -> None:
        """Read the key the request names unless it is at hand.

        Raises:
            Transient, RateLimited, AuthFailed: eBay did not answer for it.
        """
        if self._settings.verification_token is None:
            return
        try:
            signed = read_header(request)
        except SignatureInvalid:
            return
        held = self._keys.get(signed.key_id)
        now_s = self._ctx.clock.monotonic()
        if held is not None and now_s < held.until_s:
            return
        try:
            found = await self._ask(signed.key_id)
        except ConnectorError:
            if held is None or held.key is None or now_s >= held.until_s + STALE_LIFE_S:
                raise
            return
        self._keep(signed.key_id, found)

    def verify(self, request: WebhookRequest) -> None:
        """Pass only what is signed with one of eBay's keys.

        Raises:
            SignatureInvalid: No verification token is configured, or the signature is missing or wrong.
        """
        if self._settings.verification_token is None:
            raise SignatureInvalid("credentials.verification_token is not set: nothing is expected", code="no_secret")
        signed = read_header(request)
        held = self._keys.get(signed.key_id)
        if held is None or held.key is None:
            raise SignatureInvalid("the signature names a key that eBay does not know", code="unknown_key")
        if signed.digest != held.digest:
            raise SignatureInvalid("the X-EBAY-SIGNATURE header names another digest than its key", code="bad_header")
        digest = DIGESTS[held.digest]
        if not any(_fits(held.key, digest, signed.signature, body) for body in _spellings(request.body)):
            raise SignatureInvalid("the notification's signature does not match its body", code="bad_signature")

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:
        """The proof that this endpoint is ours; None when the request is no challenge."""
        parts = urlsplit(request.path_qs)
        given = parse_qs(parts.query, max_num_fields=20).get("challenge_code") if len(parts.query) < 4_096 else None
        token, public = self._settings.verification_token, self._ctx.public_url
        if request.method != "GET" or not given or token is None or not public:
            return None
        if len(given[0]) > CHALLENGE_LENGTH_MAX:
            return None
        endpoint = endpoint_of(public, self._ctx.account)
        answer = challenge_response(given[0], token.reveal(), endpoint)
        return WebhookReply(200, exact.dumps({"challengeResponse": answer}))

    async def _ask(self, key_id: str) -> _Held:
        now_s = self._ctx.clock.monotonic()
        try:
            path = f"/public_key/{escaped(key_id)}"
            answer = await self._api.application("GET", path, kind="keys.read", budget="public_key")
        except TargetMissing:
            return _Held(None, "", now_s + UNKNOWN_LIFE_S)
        body = answer.json()
        key = read_key(body.get("key")) if isinstance(body, Mapping) else None
        digest = str(body.get("digest") or "").upper() if isinstance(body, Mapping) else ""
        if key is None or digest not in DIGESTS:
            raise Transient("keys.read: the answer is no ECDSA key", **answer.facts("unexpected_body"))
        return _Held(key, digest, now_s + KEY_LIFE_S)

    def _keep(self, key_id: str, held: _Held) -> None:
        self._keys[key_id] = held
        self._keys.move_to_end(key_id)
        while len(self._keys) > KEYS_MAX:
            # Unknown ids cost nothing to ask for again; real keys are few and stay.
            unknown = next((each for each, kept in self._keys.items() if kept.key is None), None)
            self._keys.pop(unknown if unknown is not None else next(iter(self._keys)))


def endpoint_of(public_url: str, account: str) -> str:
    """The address as registered with eBay, to the letter: it is part of the challenge's answer."""
    return f"{public_url.rstrip('/')}/webhooks/{account}"


def challenge_response(code: str, token: str, endpoint: str) -> str:
    return hashlib.sha256(f"{code}{token}{endpoint}".encode()).hexdigest()


def read_header(request: WebhookRequest) -> Signed:
    """Raises: SignatureInvalid: The header is missing or is none of eBay's."""
    given = request.headers.get(HEADER, "").strip()
    if not given:
        raise SignatureInvalid("the notification has no X-EBAY-SIGNATURE header", code="no_signature")
    body = _decoded(given) if len(given) <= HEADER_LENGTH_MAX else None
    if not isinstance(body, Mapping) or body.get("alg") != ALGORITHM:
        raise SignatureInvalid("the X-EBAY-SIGNATURE header is malformed", code="bad_header")
    key_id, signature = body.get("kid"), _unpacked(str(body.get("signature") or ""))
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise SignatureInvalid("the X-EBAY-SIGNATURE header names no key of eBay's form", code="bad_key_id")
    if not signature:
        raise SignatureInvalid("the X-EBAY-SIGNATURE header is malformed", code="bad_header")
    return Signed(key_id, signature, str(body.get("digest")))


def read_key(pem: object) -> ec.EllipticCurvePublicKey | None:
    """A public key from eBay's PEM, which stands on one line; None when it is no elliptic-curve key."""
    found = _ARMOUR.search(pem) if isinstance(pem, str) else None
    if found is None:
        return None
    inner = "".join(found.group(1).split())
    lines = "\n".join(inner[start : start + 64] for start in range(0, len(inner), 64))
    text = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def _decoded(header: str) -> Any:
    content = _unpacked(header)
    try:
        return exact.loads(content) if content else None
    except exact.NotJson:
        return None


def _unpacked(text: str) -> bytes | None:
    """Base64 in its one proper spelling: stray bits behind the last byte would pass unnoticed otherwise."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None


def _fits(key: ec.EllipticCurvePublicKey, digest: hashes.HashAlgorithm, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _spellings(body: bytes) -> list[bytes]:
    """The bytes as they came. eBay signs compact JSON; what a proxy indented on its way is compacted again.

    Whitespace between tokens is all that may differ: keys, their order and every value are signed.
    """
    if body != body.strip():
        return [body]
    try:
        compact = msgspec.json.format(body, indent=-1)
        exact.loads(body)
    except (msgspec.DecodeError, exact.NotJson):
        return [body]
    return [body] if compact == body else [body, compact]
