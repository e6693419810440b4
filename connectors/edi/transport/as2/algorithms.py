"""Names of digests and ciphers: as receipts and S/MIME write them, as CMS numbers them, as `cryptography` runs them.

Source: RFC 5751 section 3.4.3.2 for `micalg` (2010-01); RFC 3851 for the older spellings (2004-07).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES


class Digest(StrEnum):
    """MD5 is not among them: a signature over it proves nothing."""

    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @property
    def micalg(self) -> str:
        """RFC 5751's spelling. Partners on RFC 3851 get their own word back by way of `spelt`."""
        return self.value.replace("sha", "sha-")

    def hash(self) -> hashes.HashAlgorithm:
        return _HASHES[self]()

    def over(self, content: bytes) -> bytes:
        running = hashes.Hash(self.hash())
        running.update(content)
        return running.finalize()

    @classmethod
    def spelt(cls, word: str) -> Digest | None:
        """`SHA-256`, `sha256`, `rsa-sha1`, `sha2-256`; None for anything else."""
        name = (
            word.strip()
            .strip('"')
            .lower()
            .replace("rsa-", "")
            .replace("_", "")
            .replace("sha2-", "sha")
            .replace("-", "")
        )
        return cls(name) if name in set(cls) else None


_HASHES: Final[Mapping[Digest, Callable[[], hashes.HashAlgorithm]]] = {
    Digest.SHA1: hashes.SHA1,
    Digest.SHA224: hashes.SHA224,
    Digest.SHA256: hashes.SHA256,
    Digest.SHA384: hashes.SHA384,
    Digest.SHA512: hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class _CipherRow:
    oid: str
    key_bytes: int
    block_bytes: int
    make: Callable[[bytes], BlockCipherAlgorithm]


class Cipher(StrEnum):
    """Content encryption in CBC mode: what partners agree on. Triple DES stays for those who have nothing else."""

    AES128 = "aes128_cbc"
    AES192 = "aes192_cbc"
    AES256 = "aes256_cbc"
    TRIPLE_DES = "tripledes_3key"

    @property
    def key_bytes(self) -> int:
        return _CIPHERS[self].key_bytes

    @property
    def block_bytes(self) -> int:
        return _CIPHERS[self].block_bytes

    @property
    def oid(self) -> str:
        return _CIPHERS[self].oid

    def keyed(self, key: bytes) -> BlockCipherAlgorithm:
        return _CIPHERS[self].make(key)

    @classmethod
    def numbered(cls, oid: str) -> Cipher | None:
        return next((cipher for cipher, row in _CIPHERS.items() if row.oid == oid), None)


_CIPHERS: Final[Mapping[Cipher, _CipherRow]] = {
    Cipher.AES128: _CipherRow("2.16.840.1.101.3.4.1.2", 16, 16, AES),
    Cipher.AES192: _CipherRow("2.16.840.1.101.3.4.1.22", 24, 16, AES),
    Cipher.AES256: _CipherRow("2.16.840.1.101.3.4.1.42", 32, 16, AES),
    Cipher.TRIPLE_DES: _CipherRow("1.2.840.113549.3.7", 24, 8, TripleDES),
}
