"""Everything sealed at rest: personal data, raw payloads, vendor tokens, and the audit's key.

One store key; five independent keys are derived from it (HKDF-SHA-256), so that no ciphertext
can be moved from one purpose to another. AES-256-GCM with random 96-bit nonces; a sealed value is
`nonce + ciphertext + tag`, and its additional data names what it belongs to, so that a value
copied into another row does not open.
"""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.storage.errors import StorageError, WrongKey

KEY_BYTES_MIN: Final = 16
NONCE_BYTES: Final = 12
_CHECK = b"trunkline store key"


class SealBroken(StorageError):
    """A sealed value does not open: it was changed, moved from another row, or sealed elsewhere."""


def seal(cipher: AESGCM, plain: bytes, bound_to: bytes, nonce: bytes | None = None) -> bytes:
    """`nonce`: as many fresh random bytes as `NONCE_BYTES` says, where the caller drew them for many at once."""
    nonce = nonce or os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound_to)


def unseal(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed value does not open with this store's key and place") from error


def bound(*parts: str) -> bytes:
    """Additional data from names; no two different lists of names give the same bytes."""
    names = b""
    for part in parts:
        raw = part.encode()
        names += b"%d:%s" % (len(raw), raw)
    return names


class Vault:
    """The store key, turned into what the store does with it. Safe to use from many threads."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise WrongKey(f"the store key has {len(key)} bytes; it needs at least {KEY_BYTES_MIN}")
        self._wrapping: Final = AESGCM(_derive(key, b"wrapping"))
        self._tokens: Final = AESGCM(_derive(key, b"tokens"))
        self._audit: Final = _derive(key, b"audit")
        self._check: Final = _derive(key, b"check")
        self._names: Final = _derive(key, b"names")

    # --- the key itself ----------------------------------------------------------------------

    def proof(self) -> str:
        """What a new database keeps to recognise its key."""
        return hmac.digest(self._check, _CHECK, "sha256").hex()

    def require(self, proof: str) -> None:
        """Raises WrongKey when `proof` was made with another key."""
        if not hmac.compare_digest(proof, self.proof()):
            raise WrongKey(
                "this key is not the one the database was sealed with; restore the key file that belongs to it"
            )

    # --- personal data: a fresh key per subject and write ------------------------------------

    def seal_personal(self, subject: str, account: str, plain: str) -> tuple[bytes, bytes]:
        """(wrapped data key, sealed text)."""
        data_key = AESGCM.generate_key(256)
        place = bound("personal", subject, account)
        return seal(self._wrapping, data_key, place), seal(AESGCM(data_key), plain.encode(), place)

    def open_personal(self, subject: str, account: str, wrapped: bytes, body: bytes) -> str:
        place = bound("personal", subject, account)
        return unseal(AESGCM(unseal(self._wrapping, wrapped, place)), body, place).decode()

    def name_of(self, account: str, buyer: str) -> str:
        """A name to find a person's rows by, from which nobody without the key can tell or try who it is."""
        return hmac.digest(self._names, bound("buyer", account, buyer), "sha256").hex()[:32] if buyer else ""

    # --- files made here: a fresh key per file -----------------------------------------------

    def seal_file(self, file: str, account: str, content: bytes) -> tuple[bytes, bytes]:
        """(wrapped data key, sealed bytes)."""
        data_key = AESGCM.generate_key(256)
        place = bound("file", file, account)
        return seal(self._wrapping, data_key, place), seal(AESGCM(data_key), content, place)

    def open_file(self, file: str, account: str, wrapped: bytes, body: bytes) -> bytes:
        place = bound("file", file, account)
        return unseal(AESGCM(unseal(self._wrapping, wrapped, place)), body, place)

    # --- raw payloads: one key per day and process -------------------------------------------

    def new_payload_key(self, day: int) -> tuple[AESGCM, bytes]:
        """A key for one day's payloads, and its wrapped form."""
        data_key = AESGCM.generate_key(256)
        return AESGCM(data_key), seal(self._wrapping, data_key, bound("payloads", str(day)))

    def payload_key(self, day: int, wrapped: bytes) -> AESGCM:
        return AESGCM(unseal(self._wrapping, wrapped, bound("payloads", str(day))))

    # --- vendor tokens -----------------------------------------------------------------------

    def seal_token(self, account: str, name: str, value: str) -> bytes:
        return seal(self._tokens, value.encode(), bound("token", account, name))

    def open_token(self, account: str, name: str, body: bytes) -> str:
        return unseal(self._tokens, body, bound("token", account, name)).decode()

    # --- the audit chain ---------------------------------------------------------------------

    def chain(self, previous: bytes, *fields: str) -> bytes:
        """The next link: keyed, so that nobody without the key can write a history that fits."""
        return hmac.digest(self._audit, previous + bound(*fields), "sha256")


def payload_place(account: str, dedupe_key: str) -> bytes:
    """What a payload's ciphertext is bound to."""
    return bound("payload", account, dedupe_key)


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"trunkline/" + purpose).derive(key)
