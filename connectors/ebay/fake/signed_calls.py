"""Digital signatures as the receiving side reads them: whatever the sender lists is what is checked.

Written from RFC 9421 section 3.2 and eBay's guide (read 2026-11), without looking at the client's own
signing: the components come from `Signature-Input`, their values from the request as it arrived.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.ebay.fake.replies import ACCESS, Refusal
from connectors.sdk.ports import Clock

Handler = Callable[[web.Request], Awaitable[web.Response]]
_INPUT: Final = re.compile(r'sig1=(\(((?:"[a-z@-]+" ?)+)\);created=(\d+))')
_SIGNATURE: Final = re.compile(r"sig1=:([A-Za-z0-9+/=]+):")
_NEEDED: Final = {"x-ebay-signature-key", "@method", "@path", "@authority"}
_AGE_MAX: Final = timedelta(minutes=5)


class SignedCalls:
    """One application's signing key, and the check of calls made with it.

    `required`: the seller is of the EU or the UK, so a call in scope without a signature is refused;
    a signature that is there is checked always, so that a wrong one is found.
    """

    def __init__(self, seed: int, clock: Clock) -> None:
        self._clock = clock
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"ebay sandbox {seed}".encode()).digest())
        self.required = False
        self.checked = 0
        self.jwe = "eyJhbGciOiJBMjU2R0NNS1cifQ.c2FuZGJveA.aXY." + base64.urlsafe_b64encode(self._public()).decode()
        self.jwe = self.jwe.rstrip("=") + ".dGFn"

    @property
    def private_key(self) -> str:
        """As Key Management gives it: PKCS #8 in base64."""
        der = self._key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return base64.b64encode(der).decode()

    def signed(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            if self.required or "Signature" in request.headers or "Signature-Input" in request.headers:
                self._check(request, await request.read())
                self.checked += 1
            return await handler(request)

        return handle

    def _check(self, request: web.Request, body: bytes) -> None:
        given = _INPUT.fullmatch(request.headers.get("Signature-Input", ""))
        signature = _SIGNATURE.fullmatch(request.headers.get("Signature", ""))
        if given is None or signature is None or request.headers.get("x-ebay-signature-key") != self.jwe:
            raise _refused()
        names = [name.strip('"') for name in given[2].split()]
        created = datetime.fromtimestamp(int(given[3]), tz=self._clock.now().tzinfo)
        needed = _NEEDED | ({"content-digest"} if body else set())
        if len(set(names)) != len(names) or set(names) != needed or abs(self._clock.now() - created) > _AGE_MAX:
            raise _refused()
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if request.headers.get("Content-Digest") != f"sha-256=:{digest}:":
                raise _refused()
        text = "".join(f'"{name}": {_value(request, name)}\n' for name in names) + f'"@signature-params": {given[1]}'
        try:
            self._key.public_key().verify(base64.b64decode(signature[1]), text.encode())
        except (InvalidSignature, ValueError):
            raise _refused() from None

    def _public(self) -> bytes:
        return self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _value(request: web.Request, name: str) -> str:
    if name == "@method":
        return request.method
    if name == "@path":
        return request.raw_path.partition("?")[0]
    if name == "@authority":
        return request.headers.get("Host", "").lower()
    return request.headers.get(name, "")


def _refused() -> Refusal:
    return Refusal(400, 215120, "Signature validation failed", domain=ACCESS)
