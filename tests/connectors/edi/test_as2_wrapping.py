"""What one side wraps the other unwraps to the same bytes and the same hash, and nothing else passes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.edi.transport.as2 import cms
from connectors.edi.transport.as2.algorithms import Cipher, Digest
from connectors.edi.transport.as2.certificates import CertificateUnusable, OwnCertificate, current, ends_at
from connectors.edi.transport.as2.failures import NotTaken, Why
from connectors.edi.transport.as2.mime import Entity, MimeBroken
from connectors.edi.transport.as2.names import BadName, quoted, unquoted
from connectors.edi.transport.as2.partner import ORDERS, Partner, Receipt, Wrap
from connectors.edi.transport.as2.wrapping import unwrap, wrap
from connectors.sdk.clock import EPOCH
from tests.support.edi_partners import both, certified, public

PAYLOADS = {
    "bare line feeds": b"ISA*00*~\nGS*PO~\nST*850*0001~\n",
    "a line feed as terminator, binary inside": b"ISA*00\nBIN*4*\r\r\n\x00\n--\xff\n",
    "ends in a carriage return": b"UNB+UNOA:1'\r",
    "lines like a boundary": b"\r\n--=_1\r\n--=_1--\r\n",
    "nothing but a line break": b"\n",
}


@pytest.fixture(scope="module")
def keys() -> tuple[OwnCertificate, OwnCertificate]:
    return certified("Hub"), certified("Big Box")


def part(payload: bytes) -> Entity:
    headers = [("Content-Type", "application/edi-x12"), ("Content-Transfer-Encoding", "binary")]
    return Entity.build(headers, payload)


def over_http(entity: Entity) -> Entity:
    """As a receiver sees it: the headers come apart from the body."""
    return Entity(entity.headers, entity.body, entity.body)


def numbered() -> str:
    return f"=_boundary-{next(_numbers)}"


_numbers = itertools.count()


@pytest.mark.parametrize("wraps", sorted(ORDERS), ids="-".join)
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_every_order_of_layers_keeps_every_byte(
    keys: tuple[OwnCertificate, OwnCertificate], wraps: tuple[Wrap, ...], payload: bytes
) -> None:
    """The payload comes out equal and both sides hash the same bytes, whatever order was agreed."""
    ours, theirs = both(*keys, wraps=wraps, signing_required=Wrap.SIGN in wraps, encryption_required=False)
    wrapped = wrap(part(payload), ours, EPOCH, numbered)
    found = unwrap(over_http(wrapped.entity), theirs, EPOCH)
    assert found.content == payload
    assert found.hashed == wrapped.hashed
    assert found.wraps == wraps
    assert (found.signer is not None) == (Wrap.SIGN in wraps)
    if Wrap.ENCRYPT in wraps:
        assert payload not in wrapped.entity.body or len(payload) < 3


@pytest.mark.parametrize("cipher", Cipher)
@pytest.mark.parametrize("oaep", [False, True])
def test_every_cipher_opens(keys: tuple[OwnCertificate, OwnCertificate], cipher: Cipher, oaep: bool) -> None:
    ours, theirs = both(*keys, cipher=cipher, oaep=oaep)
    wrapped = wrap(part(b"x"), ours, EPOCH, numbered)
    assert unwrap(over_http(wrapped.entity), theirs, EPOCH).content == b"x"


@pytest.mark.parametrize("digest", sorted(Digest))
def test_a_digest_counts_only_where_it_is_accepted(keys: tuple[OwnCertificate, OwnCertificate], digest: Digest) -> None:
    """SHA-1 is refused unless the partner's profile allows it; the others pass."""
    ours, theirs = both(*keys, digest=digest)
    message = over_http(wrap(part(b"x"), ours, EPOCH, numbered).entity)
    if digest is Digest.SHA1:
        with pytest.raises(NotTaken) as refused:
            unwrap(message, theirs, EPOCH)
        assert refused.value.why is Why.INSUFFICIENT_SECURITY
        theirs = replace(theirs, digests_accepted=frozenset(Digest))
    assert unwrap(message, theirs, EPOCH).digest is digest


def test_elliptic_curves_sign() -> None:
    ours, theirs = both(
        certified("Hub", curve=True), certified("Big Box"), wraps=(Wrap.SIGN,), encryption_required=False
    )
    assert unwrap(over_http(wrap(part(b"x"), ours, EPOCH, numbered).entity), theirs, EPOCH).content == b"x"


def test_a_changed_byte_is_an_integrity_failure(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """One changed byte of the content; control: the unchanged message passes."""
    ours, theirs = both(*keys, wraps=(Wrap.SIGN,), encryption_required=False)
    sound = over_http(wrap(part(b"QTY*10~"), ours, EPOCH, numbered).entity)
    assert unwrap(sound, theirs, EPOCH).content == b"QTY*10~"
    forged = sound.body.replace(b"QTY*10~", b"QTY*90~")
    with pytest.raises(NotTaken) as refused:
        unwrap(Entity(sound.headers, forged, forged), theirs, EPOCH)
    assert refused.value.why is Why.INTEGRITY_CHECK_FAILED


def test_a_stranger_with_the_partner_name_is_not_the_partner(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """A certificate of the same subject, enclosed in the message, is worth nothing without being pinned."""
    ours, theirs = both(*keys, wraps=(Wrap.SIGN,), encryption_required=False)
    stranger = replace(ours, own=(certified("Hub"),))
    with pytest.raises(NotTaken) as refused:
        unwrap(over_http(wrap(part(b"x"), stranger, EPOCH, numbered).entity), theirs, EPOCH)
    assert refused.value.why is Why.AUTHENTICATION_FAILED


def test_a_signature_of_another_message_is_refused(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """The pinned key's own signature over other content does not pass for this content."""
    content = part(b"pay 1")
    blob = cms.sign(part(b"pay 9").raw, keys[0], Digest.SHA256, EPOCH)
    with pytest.raises(NotTaken) as refused:
        cms.verify(blob, [content.raw], [public(keys[0])], moment=EPOCH, digests=frozenset(Digest))
    assert refused.value.why is Why.INTEGRITY_CHECK_FAILED


@pytest.mark.parametrize(
    ("wraps", "missing"), [((Wrap.ENCRYPT,), "signed"), ((Wrap.SIGN,), "encrypted"), ((), "signed")]
)
def test_less_than_was_agreed_is_refused(
    keys: tuple[OwnCertificate, OwnCertificate], wraps: tuple[Wrap, ...], missing: str
) -> None:
    ours, theirs = both(*keys)
    with pytest.raises(NotTaken, match=missing) as refused:
        unwrap(over_http(wrap(part(b"x"), replace(ours, wraps=wraps), EPOCH, numbered).entity), theirs, EPOCH)
    assert refused.value.why is Why.INSUFFICIENT_SECURITY


def test_certificates_roll_over_without_an_agreed_hour(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Each side may switch first, days apart: with both certificates entered on both sides every message passes."""
    switch = EPOCH + timedelta(days=10)
    renewed_ours, renewed_theirs = certified("Hub", use_from=switch), certified("Big Box", use_from=switch)
    ours, theirs = both(*keys)
    ours = replace(ours, own=(keys[0], renewed_ours), theirs=(public(keys[1]), public(renewed_theirs)))
    theirs = replace(theirs, own=(keys[1], renewed_theirs), theirs=(public(keys[0]), public(renewed_ours)))
    for days, expected in ((9, keys[0]), (11, renewed_ours)):
        moment = EPOCH + timedelta(days=days)
        found = unwrap(over_http(wrap(part(b"x"), ours, moment, numbered).entity), theirs, moment)
        assert found.signer is not None
        assert found.signer.fingerprint == expected.fingerprint
    early = replace(ours, own=(renewed_ours,), theirs=(public(renewed_theirs),))
    early = replace(
        early, own=(replace(renewed_ours, use_from=None),), theirs=(replace(public(renewed_theirs), use_from=None),)
    )
    assert unwrap(over_http(wrap(part(b"x"), early, EPOCH, numbered).entity), theirs, EPOCH).content == b"x"


def test_the_end_of_all_certificates_is_known_beforehand() -> None:
    """A successor that begins in time moves the end, one that leaves a gap does not, and nothing covers the past."""

    def valid(first: int, last: int) -> OwnCertificate:
        return certified("Hub", days=(first, last), curve=True)

    end = EPOCH + timedelta(days=10)
    assert ends_at((valid(-5, 10),), EPOCH) == end
    assert ends_at((valid(9, 40), valid(-5, 10)), EPOCH) == EPOCH + timedelta(days=40)
    assert ends_at((valid(-5, 10), valid(11, 40)), EPOCH) == end
    assert ends_at((valid(-5, -1), valid(2, 40)), EPOCH) is None


def test_an_expired_certificate_counts_only_by_agreement(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    ours, theirs = both(certified("Hub", days=(-30, 5)), keys[1])
    message = over_http(wrap(part(b"x"), ours, EPOCH, numbered).entity)
    later = EPOCH + timedelta(days=6)
    with pytest.raises(NotTaken, match="not valid now"):
        unwrap(message, theirs, later)
    assert unwrap(message, replace(theirs, expired_allowed=True), later).content == b"x"
    with pytest.raises(CertificateUnusable):
        wrap(part(b"x"), ours, later, numbered)


def test_what_was_encrypted_for_others_stays_closed(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    ours, theirs = both(*keys)
    message = over_http(wrap(part(b"x"), ours, EPOCH, numbered).entity)
    with pytest.raises(NotTaken) as refused:
        unwrap(message, replace(theirs, own=(certified("Big Box"),)), EPOCH)
    assert refused.value.why is Why.DECRYPTION_FAILED


def test_a_damaged_envelope_always_fails_the_same_way(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Whichever byte is changed the word to the partner is one of few, and never a crash."""
    ours, theirs = both(*keys, wraps=(Wrap.ENCRYPT,), signing_required=False)
    body = wrap(part(b"payload"), ours, EPOCH, numbered).entity
    reasons = set()
    for at in range(0, len(body.body), 7):
        damaged = bytearray(body.body)
        damaged[at] ^= 0x55
        try:
            unwrap(Entity(body.headers, bytes(damaged), bytes(damaged)), theirs, EPOCH)
        except NotTaken as error:
            reasons.add(error.why)
    assert Why.DECRYPTION_FAILED in reasons
    assert reasons <= {Why.DECRYPTION_FAILED, Why.UNSUPPORTED_FORMAT}


def test_a_damaged_signature_never_passes(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """No changed byte of the signature's DER lets other content pass, and none crashes the reader."""
    content = part(b"payload").raw
    blob = cms.sign(content, keys[0], Digest.SHA256, EPOCH)
    for at in range(0, len(blob), 5):
        damaged = bytearray(blob)
        damaged[at] ^= 0x55
        with pytest.raises(NotTaken):
            cms.verify(bytes(damaged), [content + b"!"], [public(keys[0])], moment=EPOCH, digests=frozenset(Digest))


def test_a_bomb_is_not_unpacked(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """What is larger than agreed when unpacked is refused at that size."""
    ours, theirs = both(
        *keys, wraps=(Wrap.COMPRESS,), signing_required=False, encryption_required=False, bytes_max=10_000
    )
    assert (
        unwrap(over_http(wrap(part(b"0" * 9_000), ours, EPOCH, numbered).entity), theirs, EPOCH).content == b"0" * 9_000
    )
    with pytest.raises(NotTaken) as refused:
        unwrap(over_http(wrap(part(b"0" * 10_000), ours, EPOCH, numbered).entity), theirs, EPOCH)
    assert refused.value.why is Why.DECOMPRESSION_FAILED
    cut = cms.compress(b"payload" * 100)
    with pytest.raises(NotTaken):
        cms.decompress(cut[:-20], 10_000)


def test_layers_without_end_are_refused(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    _, theirs = both(*keys, wraps=(), signing_required=False, encryption_required=False)
    entity = part(b"x")
    for _ in range(6):
        headers = [("Content-Type", "application/pkcs7-mime; smime-type=compressed-data")]
        entity = Entity.build(headers, cms.compress(entity.raw))
    with pytest.raises(NotTaken, match="layers"):
        unwrap(over_http(entity), theirs, EPOCH)


def test_a_hash_over_canonical_line_breaks_is_understood(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Gateways that hash CRLF but send bare line feeds pass; the payload stays as it came, the hash follows theirs."""
    ours, theirs = both(*keys, wraps=(Wrap.SIGN,), encryption_required=False)
    payload = b"ISA*00~\nGS*PO~\n"
    mended = wrap(part(payload.replace(b"\n", b"\r\n")), ours, EPOCH, numbered)
    body = mended.entity.body.replace(b"ISA*00~\r\nGS*PO~\r\n", payload)
    found = unwrap(Entity(mended.entity.headers, body, body), theirs, EPOCH)
    assert found.content == payload
    assert found.hashed == mended.hashed


def test_a_hash_over_canonical_headers_of_a_binary_part_is_understood(
    keys: tuple[OwnCertificate, OwnCertificate],
) -> None:
    """The headers' line breaks changed on the way, the content's did not: content and hash are the sender's."""
    ours, theirs = both(*keys, wraps=(Wrap.SIGN,), encryption_required=False)
    sound = wrap(part(b"ISA*00~\nGS*PO~\n"), ours, EPOCH, numbered)
    body = sound.entity.body.replace(b"edi-x12\r\n", b"edi-x12\n").replace(b"binary\r\n\r\n", b"binary\n\n")
    assert body != sound.entity.body
    found = unwrap(Entity(sound.entity.headers, body, body), theirs, EPOCH)
    assert (found.content, found.hashed) == (b"ISA*00~\nGS*PO~\n", sound.hashed)


def test_transfer_encodings_of_the_payload_are_undone(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    ours, theirs = both(*keys)
    for encoding, body in (("base64", b"SVNB\r\nKg=="), ("quoted-printable", b"ISA=2A"), ("8bit", b"ISA*")):
        entity = Entity.build([("Content-Type", "application/edi-x12"), ("Content-Transfer-Encoding", encoding)], body)
        assert unwrap(over_http(wrap(entity, ours, EPOCH, numbered).entity), theirs, EPOCH).content == b"ISA*"
    entity = Entity.build([("Content-Transfer-Encoding", "x-uuencode")], b"x")
    with pytest.raises(NotTaken) as refused:
        unwrap(over_http(wrap(entity, ours, EPOCH, numbered).entity), theirs, EPOCH)
    assert refused.value.why is Why.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("multipart/signed", b"no boundary"),
        ("multipart/signed; boundary=b", b"no parts"),
        ("multipart/signed; boundary=b", b"--b\r\n\r\nonly one\r\n--b--"),
        (
            "multipart/signed; boundary=b",
            b"--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n!\r\n--b--",
        ),
        ("application/pkcs7-mime; smime-type=enveloped-data", b""),
        ("application/pkcs7-mime; smime-type=authEnveloped-data", b"0"),
        ("application/pkcs7-mime", b"\x30\x80\x30"),
    ],
)
def test_what_is_no_message_is_refused_by_name(
    keys: tuple[OwnCertificate, OwnCertificate], header: str, body: bytes
) -> None:
    _, theirs = both(*keys)
    with pytest.raises(NotTaken):
        unwrap(Entity((("Content-Type", header),), body, body), theirs, EPOCH)


def test_parts_keep_their_own_last_line_break() -> None:
    """The line break before a boundary belongs to the boundary, any other to the part."""
    whole = Entity.build([("Content-Type", 'multipart/mixed; boundary="b"')], b"--b\r\n\r\nx\n\r\n--b\n\ny\n--b--\r\n")
    assert [part.body for part in whole.parts()] == [b"x\n", b"y"]
    with pytest.raises(MimeBroken):
        Entity.parse(b"Header: without an end")


@pytest.mark.parametrize("name", ["Hub", "Big Box", 'a"b', "a\\b", '"', "A" * 128])
def test_names_survive_their_quotes(name: str) -> None:
    assert unquoted(quoted(name)) == name


@pytest.mark.parametrize("name", ["", "A" * 129, "é", "a\nb"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        quoted(name)


def test_settings_that_cannot_work_are_refused(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """A profile that would fail on its first message fails when it is read."""
    ours, _ = both(*keys)
    wrong: list[dict[str, object]] = [
        {"wraps": (Wrap.ENCRYPT, Wrap.SIGN)},
        {"own": ()},
        {"theirs": ()},
        {"partner_name": "Hub"},
        {"receipt": Receipt.ASYNC},
        {"receipt_urls": ("https://partner.example",)},
    ]
    for change in wrong:
        with pytest.raises(ValueError, match=r".+"):
            replace(ours, **change)  # type: ignore[arg-type]
    with pytest.raises(CertificateUnusable):
        current((), EPOCH)
    assert isinstance(replace(ours, receipt_urls=("https://partner.example/",)), Partner)
    assert "PrivateKey" not in repr(ours)
