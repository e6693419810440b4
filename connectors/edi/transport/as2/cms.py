"""The cryptographic envelope, read as partners really write it (BER, indefinite lengths) and written as DER.

Written with `asn1crypto` and the primitives of `cryptography`: the ready-made builders stamp a
signature with the machine's clock, know no SHA-1 and no Triple DES, and read no indefinite lengths.
Everything here is CPU work on whole messages; call it in a thread.

Source: RFC 5652 sections 5 and 6 (2009-09); RFC 3274 (2002-06); RFC 8017 (2016-11).
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asn1crypto import algos, cms
from asn1crypto.core import OctetString
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher as Running
from cryptography.hazmat.primitives.ciphers import modes

from connectors.edi.transport.as2.algorithms import Cipher, Digest
from connectors.edi.transport.as2.certificates import (
    CertificateUnusable,
    OwnCertificate,
    PartnerCertificate,
    as_asn1,
)
from connectors.edi.transport.as2.failures import NotTaken, Why

_ASN1_FAULTS: Final = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)
"""What `asn1crypto` raises over bytes that are not what they claim, at the first look at the part concerned."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a signature was found to cover, and whose it is. `digest` is the one the sender chose."""

    content: bytes
    signer: PartnerCertificate
    digest: Digest


def sign(content: bytes, own: OwnCertificate, digest: Digest, signed_at: datetime) -> bytes:
    """A detached signature over exactly these bytes, with our certificate enclosed for partners who look for it."""
    certificate = as_asn1(own.certificate)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": signed_at.replace(microsecond=0)})]},
            {"type": "message_digest", "values": [digest.over(content)]},
        ]
    )
    covered = attributes.dump()
    if isinstance(own.key, rsa.RSAPrivateKey):
        algorithm = "rsassa_pkcs1v15"
        signature = own.key.sign(covered, padding.PKCS1v15(), digest.hash())
    else:
        algorithm = f"{digest}_ecdsa"
        signature = own.key.sign(covered, ec.ECDSA(digest.hash()))
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": _issuer_and_serial(certificate)}),
        "digest_algorithm": {"algorithm": digest.value},
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": algorithm},
        "signature": signature,
    }
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": digest.value}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return _wrapped("signed_data", signed)


def verify(
    blob: bytes,
    candidates: Sequence[bytes],
    pinned: Sequence[PartnerCertificate],
    *,
    moment: datetime,
    digests: frozenset[Digest],
    expired_allowed: bool = False,
) -> Verified:
    """Find the pinned certificate whose signature covers one of the candidates.

    Args:
        candidates: What may have been signed, the likeliest first; empty when the content is inside the signature.

    Raises:
        NotTaken: Integrity when the content is not what was signed, authentication when the signer is nobody we know.
    """
    with _reading(Why.UNSUPPORTED_FORMAT, "the signature cannot be read"):
        signed = _content_of(blob, "signed_data")
        inside = signed["encap_content_info"]["content"]
        contents = list(candidates) or [_octets(inside)]
        signers = list(signed["signer_infos"])
    trouble = NotTaken(Why.AUTHENTICATION_FAILED, "no signature by a certificate pinned for this partner")
    for signer in signers:
        for known in pinned:
            with _reading(Why.UNSUPPORTED_FORMAT, "a signer cannot be read"):
                named = _names(signer["sid"], known)
            if not named:
                continue
            try:
                found = _check(signer, contents, known, digests)
            except NotTaken as error:
                trouble = error
                continue
            if not expired_allowed and not known.valid_at(moment):
                trouble = NotTaken(Why.AUTHENTICATION_FAILED, f"certificate {known.fingerprint[:16]} is not valid now")
                continue
            return found
    raise trouble


def encrypt(content: bytes, recipient: PartnerCertificate, cipher: Cipher, *, oaep: bool = False) -> bytes:
    """An envelope only the recipient opens. Key and initial vector are fresh each time.

    Raises:
        CertificateUnusable: The certificate has no RSA key.
    """
    public = recipient.certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise CertificateUnusable("only a certificate with an RSA key can be encrypted for")
    key, vector = secrets.token_bytes(cipher.key_bytes), secrets.token_bytes(cipher.block_bytes)
    padder = block_padding.PKCS7(cipher.block_bytes * 8).padder()
    running = Running(cipher.keyed(key), modes.CBC(vector)).encryptor()
    sealed = running.update(padder.update(content) + padder.finalize()) + running.finalize()
    how = padding.OAEP(padding.MGF1(Digest.SHA256.hash()), Digest.SHA256.hash(), None) if oaep else padding.PKCS1v15()
    recipient_part = {
        "version": "v0",
        "rid": cms.RecipientIdentifier(
            {"issuer_and_serial_number": _issuer_and_serial(as_asn1(recipient.certificate))}
        ),
        "key_encryption_algorithm": _oaep_parameters() if oaep else {"algorithm": "rsaes_pkcs1v15"},
        "encrypted_key": public.encrypt(key, how),
    }
    enveloped = cms.EnvelopedData(
        {
            "version": "v0",
            "recipient_infos": [cms.RecipientInfo({"ktri": recipient_part})],
            "encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {"algorithm": cipher.value, "parameters": OctetString(vector)},
                "encrypted_content": sealed,
            },
        }
    )
    return _wrapped("enveloped_data", enveloped)


def decrypt(blob: bytes, own: Sequence[OwnCertificate]) -> bytes:
    """Open an envelope with whichever of our keys it was made for, also one that is on its way out.

    Raises:
        NotTaken: Decryption failed. Why is told to nobody: the difference would open the envelope to a patient asker.
    """
    with _reading(Why.DECRYPTION_FAILED, "the envelope cannot be opened"):
        enveloped = _content_of(blob, "enveloped_data")
        key = _content_key(enveloped["recipient_infos"], own)
        sealed = enveloped["encrypted_content_info"]
        algorithm = sealed["content_encryption_algorithm"]
        cipher = Cipher.numbered(algorithm["algorithm"].dotted)
        if cipher is None:
            raise NotTaken(Why.DECRYPTION_FAILED, f"the cipher {algorithm['algorithm'].native} is not one we open")
        running = Running(cipher.keyed(key), modes.CBC(_octets(algorithm["parameters"]))).decryptor()
        padded = running.update(_octets(sealed["encrypted_content"])) + running.finalize()
        unpadder = block_padding.PKCS7(cipher.block_bytes * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()


def compress(content: bytes) -> bytes:
    compressed = cms.CompressedData(
        {
            "version": "v0",
            "compression_algorithm": {"algorithm": "zlib"},
            "encap_content_info": {"content_type": "data", "content": zlib.compress(content)},
        }
    )
    return _wrapped("compressed_data", compressed)


def decompress(blob: bytes, bytes_max: int) -> bytes:
    """Raises: NotTaken: No zlib, cut short, or larger than `bytes_max` when unpacked."""
    with _reading(Why.DECOMPRESSION_FAILED, "the compressed part cannot be read"):
        packed = _octets(_content_of(blob, "compressed_data")["encap_content_info"]["content"])
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, bytes_max)
    if unpacking.unconsumed_tail:
        raise NotTaken(Why.DECOMPRESSION_FAILED, f"unpacked it is larger than {bytes_max} bytes")
    if not unpacking.eof:
        raise NotTaken(Why.DECOMPRESSION_FAILED, "the compressed part is cut short")
    return content


def _check(signer: Any, contents: Sequence[bytes], known: PartnerCertificate, digests: frozenset[Digest]) -> Verified:
    with _reading(Why.UNSUPPORTED_FORMAT, "a signature has an unknown algorithm"):
        digest = Digest.spelt(signer["digest_algorithm"]["algorithm"].native)
        if digest is None or digest not in digests:
            raise NotTaken(Why.INSUFFICIENT_SECURITY, f"signatures over {digest or 'this digest'} are not accepted")
        attributes = signer["signed_attrs"]
        if not len(attributes):
            return _without_attributes(signer, contents, known, digest)
        stated = {each["type"].native: each["values"][0].native for each in attributes}
        covered = attributes.untag().dump()
    _prove(signer, covered, known, digest)
    if stated.get("content_type") != "data":
        raise NotTaken(Why.INTEGRITY_CHECK_FAILED, "the signature does not state that it covers data")
    for content in contents:
        if digest.over(content) == stated.get("message_digest"):
            return Verified(content, known, digest)
    raise NotTaken(Why.INTEGRITY_CHECK_FAILED, "the content is not what was signed")


def _without_attributes(signer: Any, contents: Sequence[bytes], known: PartnerCertificate, digest: Digest) -> Verified:
    trouble: NotTaken | None = None
    for content in contents:
        try:
            _prove(signer, content, known, digest)
        except NotTaken as error:
            trouble = error
        else:
            return Verified(content, known, digest)
    raise trouble or NotTaken(Why.INTEGRITY_CHECK_FAILED, "there is no content")


def _prove(signer: Any, covered: bytes, known: PartnerCertificate, digest: Digest) -> None:
    public = known.certificate.public_key()
    signature = signer["signature"].native
    try:
        with _reading(Why.UNSUPPORTED_FORMAT, "a signature has an unknown algorithm"):
            kind = signer["signature_algorithm"].signature_algo
            if isinstance(public, ec.EllipticCurvePublicKey) and kind == "ecdsa":
                public.verify(signature, covered, ec.ECDSA(digest.hash()))
            elif isinstance(public, rsa.RSAPublicKey) and kind in {"rsassa_pkcs1v15", "rsassa_pss"}:
                how = padding.PKCS1v15() if kind == "rsassa_pkcs1v15" else _pss(signer["signature_algorithm"], digest)
                public.verify(signature, covered, how, digest.hash())
            else:
                raise NotTaken(Why.AUTHENTICATION_FAILED, f"a {kind} signature does not fit the pinned certificate")
    except InvalidSignature as error:
        raise NotTaken(Why.AUTHENTICATION_FAILED, "the signature is not by the pinned certificate's key") from error


def _pss(algorithm: Any, digest: Digest) -> padding.PSS:
    parameters = algorithm["parameters"]
    mask = Digest.spelt(parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native) or digest
    return padding.PSS(padding.MGF1(mask.hash()), parameters["salt_length"].native)


def _content_key(recipients: Any, own: Sequence[OwnCertificate]) -> bytes:
    for recipient in recipients:
        if recipient.name != "ktri":
            continue
        part = recipient.chosen
        for ours in own:
            if isinstance(ours.key, rsa.RSAPrivateKey) and _names(part["rid"], ours):
                how = _key_padding(part["key_encryption_algorithm"])
                return ours.key.decrypt(_octets(part["encrypted_key"]), how)
    raise NotTaken(Why.DECRYPTION_FAILED, "the message was encrypted for none of our certificates")


def _key_padding(algorithm: Any) -> padding.AsymmetricPadding:
    kind = algorithm["algorithm"].native
    if kind == "rsaes_pkcs1v15":
        return padding.PKCS1v15()
    if kind != "rsaes_oaep":
        raise NotTaken(Why.DECRYPTION_FAILED, f"a key wrapped by {kind} cannot be opened")
    parameters = algorithm["parameters"]
    digest = Digest.spelt(parameters["hash_algorithm"]["algorithm"].native)
    mask = Digest.spelt(parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native)
    if digest is None or mask is None:
        raise NotTaken(Why.DECRYPTION_FAILED, "the key is wrapped with a digest we do not know")
    return padding.OAEP(padding.MGF1(mask.hash()), digest.hash(), None)


def _oaep_parameters() -> dict[str, Any]:
    sha256 = {"algorithm": "sha256"}
    return {
        "algorithm": "rsaes_oaep",
        "parameters": algos.RSAESOAEPParams(
            {"hash_algorithm": sha256, "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": sha256}}
        ),
    }


def _names(identifier: Any, known: PartnerCertificate) -> bool:
    """Does a signer's or recipient's identifier mean this certificate?"""
    certificate = as_asn1(known.certificate)
    if identifier.name == "issuer_and_serial_number":
        stated = identifier.chosen
        return bool(
            stated["serial_number"].native == certificate.serial_number and stated["issuer"] == certificate.issuer
        )
    return bool(certificate.key_identifier) and _octets(identifier.chosen) == certificate.key_identifier


def _issuer_and_serial(certificate: Any) -> Any:
    return cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number})


def _wrapped(kind: str, content: Any) -> bytes:
    return bytes(cms.ContentInfo({"content_type": kind, "content": content}).dump())


def _content_of(blob: bytes, kind: str) -> Any:
    outer = cms.ContentInfo.load(blob)
    if outer["content_type"].native != kind:
        raise ValueError(f"expected {kind}, found {outer['content_type'].native}")
    return outer["content"]


def _octets(value: Any) -> bytes:
    native = value.native
    if not isinstance(native, bytes):
        raise TypeError("no octets where octets belong")
    return native


@contextmanager
def _reading(why: Why, what: str) -> Iterator[None]:
    try:
        yield
    except (*_ASN1_FAULTS, zlib.error, UnsupportedAlgorithm) as error:
        raise NotTaken(why, f"{what}: {error}") from error
