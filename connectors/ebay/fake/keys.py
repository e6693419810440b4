"""The key eBay signs notifications with, and the endpoint that gives its public half.

Source: commerce/notification v1.6.2, getPublicKey (2025-11); official signature vectors of the event
notification SDK: base64 of `{alg, kid, signature, digest}`, ECDSA with SHA-1 over the body.
"""

from __future__ import annotations

import base64
import json
from typing import Final
from uuid import uuid4

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.ebay.fake.replies import NOTIFICATION, Refusal, answer

HEADER: Final = "X-EBAY-SIGNATURE"


class SigningKey:
    """One key pair. Never seeded: two sandboxes must not be able to sign for each other."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.kid = str(uuid4())
        self.reads = 0
        """how often the public half was asked for: a client is expected to keep it"""

    @property
    def public(self) -> str:
        """PEM on one line, as eBay gives it."""
        text = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return text.replace("\n", "")

    def header(self, body: bytes) -> str:
        signature = self._key.sign(body, ec.ECDSA(hashes.SHA1()))  # noqa: S303  # eBay's digest
        facts = {
            "alg": "ecdsa",
            "kid": self.kid,
            "signature": base64.b64encode(signature).decode(),
            "digest": "SHA1",
        }
        return base64.b64encode(json.dumps(facts, separators=(",", ":")).encode()).decode()

    async def read(self, request: web.Request) -> web.Response:
        """GET /commerce/notification/v1/public_key/{kid}."""
        if request.match_info["kid"] != self.kid:
            raise Refusal(404, 195001, "The specified key id is invalid.", domain=NOTIFICATION)
        self.reads += 1
        return answer({"key": self.public, "algorithm": "ECDSA", "digest": "SHA1"})
