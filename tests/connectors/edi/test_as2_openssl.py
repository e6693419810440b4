"""OpenSSL, which shares no code with our envelope layer, opens and verifies what we make, and we what it makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.edi.transport.as2 import cms, receipts
from connectors.edi.transport.as2.algorithms import Cipher, Digest
from connectors.edi.transport.as2.certificates import OwnCertificate
from connectors.edi.transport.as2.mime import Entity
from connectors.edi.transport.as2.partner import Wrap
from connectors.edi.transport.as2.wrapping import unwrap, wrap
from connectors.sdk.clock import EPOCH
from tests.support.edi_partners import both, certified, public

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

CONTENT = b"Content-Type: application/edi-x12\r\n\r\nISA*00~\nGS*PO~\n\x00\xff\r"
Cms = Callable[..., bytes]


@pytest.fixture(scope="module", params=["rsa", "ec"])
def own(request: pytest.FixtureRequest) -> OwnCertificate:
    return certified("Hub", curve=request.param == "ec")


@pytest.fixture(scope="module")
def rsa_own() -> OwnCertificate:
    return certified("Hub")


@pytest.fixture
def openssl(tmp_path: Path) -> Cms:
    """`openssl cms`, files by keyword in their order: bytes become a file, a certificate its PEM, a string stays."""

    def run(*words: object, **files: object) -> bytes:
        command = ["openssl", "cms", *map(str, words)]
        for name, content in files.items():
            if isinstance(content, str):  # an option of the key named before it
                command += [f"-{name}", content]
                continue
            path = tmp_path / f"{name}.file"
            path.write_bytes(pem(content) if isinstance(content, OwnCertificate) else content)  # type: ignore[arg-type]
            # A certificate to encrypt for stands last and without an option in OpenSSL's grammar.
            command += [str(path)] if name == "for_" else [f"-{name.rstrip('_')}", str(path)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def pem(own: OwnCertificate) -> bytes:
    key = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return own.certificate.public_bytes(Encoding.PEM) + key


@pytest.mark.parametrize("digest", sorted(Digest))
def test_openssl_verifies_our_signature(openssl: Cms, own: OwnCertificate, digest: Digest) -> None:
    """Over the exact bytes: `-binary` forbids it to mend line breaks."""
    blob = cms.sign(CONTENT, own, digest, EPOCH)
    words = ("-verify", "-binary", "-inform", "DER", "-no_check_time", "-purpose", "any")
    assert openssl(*words, in_=blob, content=CONTENT, CAfile=own) == CONTENT


@pytest.mark.parametrize("attributes", [(), ("-noattr",), ("-keyid",), ("-nodetach",), ("-nodetach", "-stream")])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_we_verify_signatures_by_openssl(
    openssl: Cms, own: OwnCertificate, attributes: tuple[str, ...], digest: str
) -> None:
    """With and without signed attributes, by serial number or key id, detached or not, DER or BER."""
    blob = openssl("-sign", "-binary", "-outform", "DER", "-md", digest, *attributes, signer=own, in_=CONTENT)
    candidates = [] if "-nodetach" in attributes else [CONTENT]
    found = cms.verify(blob, candidates, [public(own)], moment=EPOCH, digests=frozenset(Digest))
    assert found.content == CONTENT
    assert found.digest == digest


def test_we_verify_pss_signatures_by_openssl(openssl: Cms, rsa_own: OwnCertificate) -> None:
    blob = openssl("-sign", "-binary", "-outform", "DER", in_=CONTENT, signer=rsa_own, keyopt="rsa_padding_mode:pss")
    assert cms.verify(blob, [CONTENT], [public(rsa_own)], moment=EPOCH, digests=frozenset(Digest)).content == CONTENT


@pytest.mark.parametrize("oaep", [False, True])
@pytest.mark.parametrize("cipher", Cipher)
def test_openssl_opens_our_envelope(openssl: Cms, rsa_own: OwnCertificate, cipher: Cipher, oaep: bool) -> None:
    blob = cms.encrypt(CONTENT, public(rsa_own), cipher, oaep=oaep)
    assert openssl("-decrypt", "-binary", "-inform", "DER", in_=blob, recip=rsa_own) == CONTENT


@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3"])
@pytest.mark.parametrize("more", [(), ("-stream",), ("-keyid",)])
def test_we_open_envelopes_by_openssl(
    openssl: Cms, rsa_own: OwnCertificate, cipher: str, more: tuple[str, ...]
) -> None:
    """DER, BER of indefinite length as gateways stream it, and recipients named by key id."""
    blob = openssl("-encrypt", "-binary", "-outform", "DER", f"-{cipher}", *more, in_=CONTENT, for_=rsa_own)
    if "-stream" in more:
        assert blob[1] == 0x80
    assert cms.decrypt(blob, [certified("Old"), rsa_own]) == CONTENT


def test_we_open_oaep_envelopes_by_openssl(openssl: Cms, rsa_own: OwnCertificate) -> None:
    words = ("-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc")
    blob = openssl(*words, in_=CONTENT, recip=rsa_own, keyopt="rsa_padding_mode:oaep")
    assert cms.decrypt(blob, [rsa_own]) == CONTENT


def test_compression_goes_both_ways(openssl: Cms) -> None:
    """Where this OpenSSL was built with zlib."""
    try:
        blob = openssl("-compress", "-binary", "-outform", "DER", in_=CONTENT)
    except AssertionError as error:
        pytest.skip(f"this OpenSSL compresses nothing: {error}")
    assert cms.decompress(blob, 10_000) == CONTENT
    assert openssl("-uncompress", "-binary", "-inform", "DER", in_=cms.compress(CONTENT)) == CONTENT


def test_openssl_takes_a_whole_message_apart(openssl: Cms) -> None:
    """Our signed and encrypted message as S/MIME: OpenSSL opens the envelope and verifies the multipart inside it."""
    ours, theirs = both(certified("Hub"), certified("Big Box"))
    payload = Entity.build([("Content-Type", "application/edi-x12")], b"ISA*00~\r\nGS*PO~\r\n")
    wrapped = wrap(payload, ours, EPOCH, lambda: "=_boundary")
    inside = openssl("-decrypt", "-binary", "-inform", "DER", in_=wrapped.entity.body, recip=theirs.own[0])
    assert inside.startswith(b"Content-Type: multipart/signed")
    words = ("-verify", "-inform", "SMIME", "-no_check_time", "-purpose", "any")
    assert openssl(*words, in_=inside, CAfile=ours.own[0]) == payload.raw


def test_we_take_a_whole_message_of_openssl_apart(openssl: Cms) -> None:
    """Its multipart/signed with bare line feeds, inside its envelope, comes out byte for byte."""
    ours, theirs = both(certified("Hub"), certified("Big Box"))
    raw = b"Content-Type: application/edi-x12\n\nISA*00~\nGS*PO~\n"
    signed = openssl("-sign", "-binary", "-md", "sha256", in_=raw, signer=ours.own[0])
    sealed = openssl("-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc", in_=signed, for_=theirs.own[0])
    headers = (("Content-Type", 'application/pkcs7-mime; smime-type="enveloped-data"'),)
    found = unwrap(Entity(headers, sealed, sealed), theirs, EPOCH)
    assert found.content == b"ISA*00~\nGS*PO~\n"
    assert found.wraps == (Wrap.SIGN, Wrap.ENCRYPT)


def test_openssl_verifies_our_receipt(openssl: Cms) -> None:
    """As a whole S/MIME message with its own reading of the boundaries."""
    ours, _ = both(certified("Hub"), certified("Big Box"))
    report = receipts.Report("<1@bigbox.example>", receipts.PROCESSED, "AAAA, sha-256")
    entity = receipts.write_signed(report, ours, EPOCH, Digest.SHA256, "=_boundary")
    words = ("-verify", "-inform", "SMIME", "-no_check_time", "-purpose", "any")
    verified = openssl(*words, in_=b"MIME-Version: 1.0\r\n" + entity.raw, CAfile=ours.own[0])
    assert verified == receipts.write(report, "Hub", "=_boundary").raw
