"""What a hub does for its transports, in memory, and partners with certificates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from connectors.edi.transport.arrival import Arrival, Keeping
from connectors.edi.transport.as2.certificates import OwnCertificate, PartnerCertificate
from connectors.edi.transport.as2.partner import Partner
from connectors.sdk.clock import EPOCH


class Kept:
    """A store: the first of each key, told apart by content. `failing` is raised instead."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.failing: Exception | None = None

    async def __call__(self, arrival: Arrival) -> Keeping:
        if self.failing is not None:
            raise self.failing
        before = next((kept for kept in self.arrivals if kept.key == arrival.key), None)
        if before is None:
            self.arrivals.append(arrival)
            return Keeping.NEW
        return Keeping.KNOWN if before.body == arrival.body else Keeping.CONFLICT


def certified(
    name: str,
    *,
    days: tuple[int, int] = (-30, 365),
    curve: bool = False,
    use_from: datetime | None = None,
    now: datetime = EPOCH,
) -> OwnCertificate:
    """A self-signed certificate with its key, valid from and until so many days from `now`."""
    key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return OwnCertificate(certificate, use_from, key=key)


def public(own: OwnCertificate) -> PartnerCertificate:
    return PartnerCertificate(own.certificate, own.use_from)


def both(ours: OwnCertificate, theirs: OwnCertificate, **agreed: Any) -> tuple[Partner, Partner]:
    """One relationship as we and as the partner configure it."""
    mine = Partner(
        own_name="Hub", partner_name="Big Box", url="https://bigbox.example/as2", own=(ours,), theirs=(public(theirs),),
        **agreed,
    )  # fmt: skip
    yours = Partner(
        own_name="Big Box", partner_name="Hub", url="https://hub.example/as2", own=(theirs,), theirs=(public(ours),),
        **agreed,
    )  # fmt: skip
    return mine, yours
