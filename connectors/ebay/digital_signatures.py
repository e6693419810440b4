"""Signing calls that move money: HTTP message signatures as eBay asks them of EU and UK sellers.

Four headers travel with a signed call: `Content-Digest` (of a body only), `x-ebay-signature-key` (the
public key as eBay handed it out), `Signature-Input` and `Signature`. eBay ignores them where it does
not need them, so an account that has a key signs every call in scope.

Source: RFC 9421 sections 2.2, 2.3, 2.5, 3.3.2 and 3.3.6, RFC 9530 section 2; eBay's "Digital Signatures
for APIs" guide and the README of its digital-signature-verification-ebay-api (read 2026-11): components,
their order, SHA-256 digests; in scope are issueRefund and creating or approving a cancellation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

PrivateKey = Ed25519PrivateKey | RSAPrivateKey
Components = Sequence[tuple[str, str]]
"""(name as it stands in `Signature-Input`, value), in the order they are signed"""

LABEL: Final = "sig1"
KEY_HEADER: Final = "x-ebay-signature-key"
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class CallSigner:
    """One application's signing key. `jwe` is its public half, wrapped and handed out by eBay."""

    key: PrivateKey = field(repr=False)
    jwe: str = field(repr=False)

    def headers(self, method: str, url: str, body: bytes | None, created: int) -> dict[str, str]:
        """What a request needs beside its other headers. `created` is in seconds since the epoch."""
        parts = urlsplit(url)
        signed = [(KEY_HEADER, self.jwe), ("@method", method.upper()), ("@path", parts.path or "/")]
        signed.append(("@authority", authority(parts.scheme, parts.hostname or "", parts.port)))
        headers = {KEY_HEADER: self.jwe}
        if body:
            headers["content-digest"] = content_digest(body)
            signed.insert(0, ("content-digest", headers["content-digest"]))
        parameters = parameters_of(signed, created)
        signature = sign(self.key, signature_base(signed, parameters))
        headers["signature-input"] = f"{LABEL}={parameters}"
        headers["signature"] = f"{LABEL}=:{base64.b64encode(signature).decode()}:"
        return headers


def load_key(text: str) -> PrivateKey:
    """A private key as eBay's Key Management gives it (base64 of PKCS #8) or as a PEM file holds it.

    Raises:
        ValueError: No key, or one of another kind than Ed25519 and RSA.
    """
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.strip().encode(), password=None)
        else:
            key = load_der_private_key(base64.b64decode("".join(text.split()), validate=True), password=None)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        # The library's own words may quote the key.
        raise ValueError("is no private key: give the base64 text or the PEM that eBay's Key Management gave") from None
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey):
        raise ValueError("is of a kind eBay does not take: make an ED25519 or RSA key")  # noqa: TRY004 - what `open` raises
    return key


def content_digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def authority(scheme: str, host: str, port: int | None) -> str:
    """The host as signed: lower case, the scheme's own port left out."""
    name = f"[{host.lower()}]" if ":" in host else host.lower()
    return name if port is None or port == _PORTS.get(scheme) else f"{name}:{port}"


def parameters_of(components: Components, created: int) -> str:
    """What is covered, in which order, and since when."""
    names = " ".join(f'"{name}"' for name, _ in components)
    return f"({names});created={created}"


def signature_base(components: Components, parameters: str) -> bytes:
    """The bytes that are signed: a line per component, the parameters last, no newline at the end."""
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


def sign(key: PrivateKey, base: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(base)
    return key.sign(base, PKCS1v15(), SHA256())
