"""Layers around a payload, put on and taken off, and the one hash both sides must agree on.

Source: RFC 4130 section 7.3.1 and RFC 5402 section 5 for what the hash covers (2005-07, 2010-02).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.edi.transport.as2 import cms
from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.certificates import PartnerCertificate, current
from connectors.edi.transport.as2.failures import NotTaken, Why
from connectors.edi.transport.as2.mime import Entity, MimeBroken, base64_lines, canonical, multipart
from connectors.edi.transport.as2.partner import Partner, Wrap

DEPTH_MAX: Final = 5
"""Three layers are agreed at most; some gateways put a second compression or signature around theirs."""
SIGNATURES: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
ENVELOPES: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A message ready to go. `hashed` is what the partner's receipt must have the hash of."""

    entity: Entity
    hashed: bytes


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A message read to its core.

    Args:
        payload: The innermost part.
        content: The partner's bytes, untouched but for the transfer encoding the part names.
        hashed: What the receipt states the hash of.
        signer: Whose signature covers it; None when it came unsigned.
        signed_part: The signed bytes with their signature, the evidence; empty when unsigned.
        digest: Which digest the signature used.
    """

    payload: Entity
    content: bytes
    hashed: bytes
    wraps: tuple[Wrap, ...]
    signer: PartnerCertificate | None = None
    signed_part: bytes = b""
    digest: Digest | None = None


def wrap(payload: Entity, partner: Partner, moment: datetime, boundary: Callable[[], str]) -> Wrapped:
    """Put the agreed layers on.

    Raises:
        CertificateUnusable: A certificate that is needed is not valid now.
    """
    # Without any layer the headers may be changed on the way, so the hash leaves them out.
    hashed = payload.raw if partner.wraps else payload.body
    entity = payload
    for layer in partner.wraps:
        if layer is Wrap.SIGN:
            hashed = entity.raw
            entity = signed(entity, partner, moment, boundary())
        elif layer is Wrap.COMPRESS:
            entity = _enveloped(cms.compress(entity.raw), "compressed-data", "smime.p7z")
        else:
            recipient = current(partner.theirs, moment)
            sealed = cms.encrypt(entity.raw, recipient, partner.cipher, oaep=partner.oaep)
            entity = _enveloped(sealed, "enveloped-data", "smime.p7m")
    return Wrapped(entity, hashed)


def signed(entity: Entity, partner: Partner, moment: datetime, boundary: str, digest: Digest | None = None) -> Entity:
    """A multipart/signed around an entity, over its exact bytes, bare line feeds and all."""
    chosen = digest or partner.digest
    signature = cms.sign(entity.raw, current(partner.own, moment), chosen, moment)
    part = Entity.build(
        [
            ("Content-Type", 'application/pkcs7-signature; name="smime.p7s"'),
            ("Content-Transfer-Encoding", "base64"),
            ("Content-Disposition", 'attachment; filename="smime.p7s"'),
        ],
        base64_lines(signature),
    )
    parameters = {"protocol": "application/pkcs7-signature", "micalg": chosen.micalg}
    return multipart("signed", parameters, boundary, [entity, part])


def unwrap(message: Entity, partner: Partner, moment: datetime) -> Unwrapped:
    """Take every layer off, in whatever order they come.

    Args:
        message: Headers of the HTTP request that describe its body, and the body as `raw`.

    Raises:
        NotTaken: A layer cannot be read, proves nothing, or one that was agreed is missing.
    """
    try:
        found = _unwrap(message, partner, moment)
    except MimeBroken as error:
        raise NotTaken(Why.UNSUPPORTED_FORMAT, str(error)) from error
    if partner.signing_required and found.signer is None:
        raise NotTaken(Why.INSUFFICIENT_SECURITY, "the message is not signed, and was agreed to be")
    if partner.encryption_required and Wrap.ENCRYPT not in found.wraps:
        raise NotTaken(Why.INSUFFICIENT_SECURITY, "the message is not encrypted, and was agreed to be")
    return found


def _unwrap(message: Entity, partner: Partner, moment: datetime) -> Unwrapped:
    entity = message
    wraps: list[Wrap] = []
    proof: cms.Verified | None = None
    evidence = b""
    for _ in range(DEPTH_MAX + 1):
        kind = _layer(entity)
        if kind is None:
            hashed = proof.content if proof is not None else entity.raw if wraps else entity.body
            return Unwrapped(
                payload=entity,
                content=entity.content(),
                hashed=hashed,
                wraps=tuple(reversed(wraps)),
                signer=proof.signer if proof else None,
                signed_part=evidence,
                digest=proof.digest if proof else None,
            )
        wraps.append(kind)
        if kind is Wrap.ENCRYPT:
            entity = Entity.parse(cms.decrypt(entity.content(), partner.own))
        elif kind is Wrap.COMPRESS:
            entity = Entity.parse(cms.decompress(entity.content(), partner.bytes_max))
        else:
            evidence = evidence or (
                entity.raw if entity is not message else Entity.build(entity.headers, entity.body).raw
            )
            entity, verified = verified_part(entity, partner, moment)
            # The outermost signature is the one made last, and the one the partner hashes.
            proof = proof or verified
    raise NotTaken(Why.UNSUPPORTED_FORMAT, f"more than {DEPTH_MAX} layers")


def verified_part(entity: Entity, partner: Partner, moment: datetime) -> tuple[Entity, cms.Verified]:
    """What a signature covers, after checking it.

    Raises:
        NotTaken: See `cms.verify`.
        MimeBroken: The parts cannot be told apart.
    """
    if entity.content_type != "multipart/signed":
        found = _verified(entity.content(), [], partner, moment)
        return Entity.parse(found.content), found
    parts = entity.parts()
    if len(parts) != 2 or parts[1].content_type not in SIGNATURES:
        raise NotTaken(Why.UNSUPPORTED_FORMAT, "multipart/signed has a content and a signature, this one does not")
    content, signature = parts
    blob = signature.content()
    try:
        return content, _verified(blob, [content.raw], partner, moment)
    except NotTaken:
        # Some gateways hash CRLF where they send a bare line feed: in the headers of the part alone (its content is
        # binary), or everywhere. What is taken is the part as it came; only the hash, there and in the receipt, is
        # over the other form.
        head = content.raw[: len(content.raw) - len(content.body)]
        mended = [canonical(head) + content.body, canonical(content.raw)]
        if mended[1] == content.raw:
            raise
        return content, _verified(blob, mended, partner, moment)


def _verified(blob: bytes, candidates: list[bytes], partner: Partner, moment: datetime) -> cms.Verified:
    return cms.verify(
        blob,
        candidates,
        partner.theirs,
        moment=moment,
        digests=partner.digests_accepted,
        expired_allowed=partner.expired_allowed,
    )


def _layer(entity: Entity) -> Wrap | None:
    kind = entity.content_type
    if kind == "multipart/signed":
        return Wrap.SIGN
    if kind not in ENVELOPES:
        return None
    stated = entity.parameter("smime-type").lower()
    known = {"enveloped-data": Wrap.ENCRYPT, "compressed-data": Wrap.COMPRESS, "signed-data": Wrap.SIGN}
    if stated and stated not in known:
        raise NotTaken(Why.UNSUPPORTED_FORMAT, f"a part of S/MIME type {stated} cannot be opened")
    # Older products leave the type away when they encrypt.
    return known[stated] if stated else Wrap.ENCRYPT


def _enveloped(blob: bytes, kind: str, name: str) -> Entity:
    headers = [
        ("Content-Type", f'application/pkcs7-mime; smime-type={kind}; name="{name}"'),
        ("Content-Transfer-Encoding", "binary"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
    ]
    return Entity.build(headers, blob)
