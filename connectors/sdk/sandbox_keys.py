"""The sandbox's side of published keys: a key of its own, the set that publishes it, and signed headers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.sdk.instants import write_millis
from connectors.sdk.published_keys import SignatureHeaders


class SigningKey:
    """A fresh RSA key; no two sandboxes have the same one, whatever their seed."""

    def __init__(self, names: SignatureHeaders) -> None:
        self._names = names
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._numbers = self._key.public_key().public_numbers()
        self.key_id = hashlib.sha256(str(self._numbers.n).encode()).hexdigest()[:32]

    def published(self) -> dict[str, Any]:
        """The set as the vendor answers it (RFC 7517), a key of another kind beside ours."""
        own = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id}
        numbers = {"n": _text(self._numbers.n), "e": _text(self._numbers.e)}
        return {"keys": [{"kty": "EC", "kid": "another", "crv": "P-256", "x": "AA", "y": "AA"}, {**own, **numbers}]}

    def headers(self, body: bytes, at: datetime) -> Mapping[str, str]:
        timestamp = write_millis(at)
        signature = self._key.sign(timestamp.encode() + b"." + body, padding.PKCS1v15(), hashes.SHA256())
        return {
            self._names.key_id: self.key_id,
            self._names.signature: base64.b64encode(signature).decode("ascii"),
            self._names.timestamp: timestamp,
        }


def _text(number: int) -> str:
    size = (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).decode("ascii").rstrip("=")
