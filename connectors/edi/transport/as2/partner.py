"""What two partners agreed for AS2: names, certificates, how messages are wrapped, how they are confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.edi.transport.as2.algorithms import Cipher, Digest
from connectors.edi.transport.as2.certificates import OwnCertificate, PartnerCertificate
from connectors.edi.transport.as2.names import quoted

DIGESTS_ACCEPTED = frozenset(Digest) - {Digest.SHA1}


class Wrap(StrEnum):
    """One layer around the payload."""

    COMPRESS = "compress"
    SIGN = "sign"
    ENCRYPT = "encrypt"


ORDERS: frozenset[tuple[Wrap, ...]] = frozenset(
    {
        (),
        (Wrap.COMPRESS,),
        (Wrap.SIGN,),
        (Wrap.ENCRYPT,),
        (Wrap.COMPRESS, Wrap.SIGN),
        (Wrap.SIGN, Wrap.COMPRESS),
        (Wrap.COMPRESS, Wrap.ENCRYPT),
        (Wrap.SIGN, Wrap.ENCRYPT),
        (Wrap.COMPRESS, Wrap.SIGN, Wrap.ENCRYPT),
        (Wrap.SIGN, Wrap.COMPRESS, Wrap.ENCRYPT),
    }
)
"""Innermost first. What is encrypted is never wrapped again: a signature outside would sign what nobody read.

Source: RFC 4130 section 4.2 for signing inside encryption (2005-07); RFC 5402 section 3 for compression (2010-02).
"""


class Receipt(StrEnum):
    """How the partner confirms what we send."""

    NONE = "none"
    SYNC = "sync"
    ASYNC = "async"


class Duplicates(StrEnum):
    """What a partner who sends a Message-ID twice is told."""

    SAME_ANSWER = "same_answer"
    """`processed`, as the first time: the first receipt was lost, and a warning would be read as a failure."""
    WARNING = "warning"
    """`processed/warning: duplicate-document`."""


@dataclass(frozen=True, slots=True)
class Partner:
    """One trading relationship over AS2, both directions.

    Args:
        own_name, partner_name: AS2 names, compared sign for sign.
        url: Where we send to; empty for a partner who only sends.
        own: Our certificates, several while one is being replaced.
        theirs: The partner's; a signature by any of them counts, encryption uses the one that has begun latest.
        wraps: Layers of what we send, innermost first; one of `ORDERS`.
        signing_required, encryption_required: What an inbound message must have had to be taken.
        digests_accepted: For signatures of the partner; SHA-1 only where the partner cannot do better.
        receipt_to: Our own address for asynchronous receipts.
        receipt_urls: Where the partner may ask us to send asynchronous receipts; beginnings of URLs, each with
            scheme and host. Empty: nowhere.
        bytes_max: Of a message unpacked.
    """

    own_name: str
    partner_name: str
    url: str = ""
    own: tuple[OwnCertificate, ...] = ()
    theirs: tuple[PartnerCertificate, ...] = ()
    wraps: tuple[Wrap, ...] = (Wrap.SIGN, Wrap.ENCRYPT)
    digest: Digest = Digest.SHA256
    cipher: Cipher = Cipher.AES256
    oaep: bool = False
    signing_required: bool = True
    encryption_required: bool = True
    expired_allowed: bool = False
    digests_accepted: frozenset[Digest] = DIGESTS_ACCEPTED
    receipt: Receipt = Receipt.SYNC
    receipt_signed: bool = True
    receipt_to: str = ""
    receipt_urls: tuple[str, ...] = ()
    duplicates: Duplicates = Duplicates.SAME_ANSWER
    content_type: str = "application/edi-x12"
    subject: str = "EDI"
    bytes_max: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        quoted(self.own_name)
        quoted(self.partner_name)
        if self.own_name == self.partner_name:
            raise ValueError("the two AS2 names are the same; a message could not tell its direction")
        if self.wraps not in ORDERS:
            raise ValueError(f"no partner unwraps {' then '.join(self.wraps)}; innermost comes first, encrypt last")
        if not self.own and (Wrap.SIGN in self.wraps or self.encryption_required):
            raise ValueError("signing, and opening what was encrypted for us, need a certificate of our own")
        if not self.theirs and (Wrap.ENCRYPT in self.wraps or self.signing_required or self._proof_expected()):
            raise ValueError("encrypting, and checking the partner's signatures, need a certificate of the partner")
        if self.receipt is Receipt.ASYNC and not self.receipt_to:
            raise ValueError("asynchronous receipts need our own address, receipt_to")
        if any(url.count("/") < 3 or not url.startswith(("https://", "http://")) for url in self.receipt_urls):
            raise ValueError("each of receipt_urls is a URL with scheme, host and a slash after it")

    def _proof_expected(self) -> bool:
        return self.receipt is not Receipt.NONE and self.receipt_signed
