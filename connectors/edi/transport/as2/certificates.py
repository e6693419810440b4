"""Whose keys count: pinned certificates on both sides, several at a time, so that a change needs no agreed hour.

Nothing is trusted because somebody signed it: a partner's certificate counts because the operator
entered it. Certificates that come inside a message are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
C = TypeVar("C", bound="PartnerCertificate")


class CertificateUnusable(ValueError):
    """A certificate or key that cannot do what it is configured for; says which and why."""


@dataclass(frozen=True, slots=True)
class PartnerCertificate:
    """One certificate of a partner.

    Args:
        use_from: From when on we encrypt with it; None from its own beginning. Signatures by it count at once,
            because the partner may switch before the hour agreed.
    """

    certificate: x509.Certificate
    use_from: datetime | None = None

    @classmethod
    def from_pem(cls, pem: bytes, use_from: datetime | None = None) -> PartnerCertificate:
        """Raises: CertificateUnusable: It is none."""
        try:
            return cls(x509.load_pem_x509_certificate(pem), use_from)
        except ValueError as error:
            raise CertificateUnusable("the partner's certificate is not a PEM certificate") from error

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal, as operators compare it over the telephone."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def starts_at(self) -> datetime:
        return self.use_from or self.certificate.not_valid_before_utc

    def valid_at(self, moment: datetime) -> bool:
        return self.certificate.not_valid_before_utc <= moment <= self.certificate.not_valid_after_utc


@dataclass(frozen=True, slots=True)
class OwnCertificate(PartnerCertificate):
    """Ours, with its key. `use_from` says from when on we sign with it; what is encrypted for it opens at once."""

    key: PrivateKey = field(kw_only=True, repr=False)

    @classmethod
    def from_pems(
        cls, certificate: bytes, key: bytes, password: bytes | None = None, use_from: datetime | None = None
    ) -> OwnCertificate:
        """Raises: CertificateUnusable: Unreadable, wrong password, a kind of key we do not use, or not a pair."""
        try:
            found = x509.load_pem_x509_certificate(certificate)
            private = load_pem_private_key(key, password)
        except (ValueError, TypeError) as error:
            raise CertificateUnusable("our certificate or key cannot be read, or the password is wrong") from error
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise CertificateUnusable("our key is neither RSA nor elliptic curve")
        if private.public_key() != found.public_key():
            raise CertificateUnusable("our key is not the one of our certificate")
        return cls(found, use_from, key=private)


def current(certificates: Sequence[C], moment: datetime) -> C:
    """The one to use now: of those valid and begun the latest.

    Raises:
        CertificateUnusable: None is valid now.
    """
    usable = [each for each in certificates if each.valid_at(moment) and each.starts_at <= moment]
    if not usable:
        raise CertificateUnusable(f"none of {len(certificates)} certificates is valid on {moment:%Y-%m-%d}")
    return max(usable, key=lambda each: each.starts_at)


def ends_at(certificates: Sequence[PartnerCertificate], moment: datetime) -> datetime | None:
    """Until when one after the other covers the time from now on without a gap; None when none covers now.

    Whoever watches it warns weeks before: the partner needs its time to enter a new certificate.
    """
    covered: datetime | None = None
    for each in sorted(certificates, key=lambda one: one.starts_at):
        reached = covered or moment
        if each.starts_at <= reached <= each.certificate.not_valid_after_utc:
            covered = each.certificate.not_valid_after_utc
    return covered


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
