"""Calls that move money are signed exactly as the standard and eBay's own sample say, and refused when altered."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from connectors.ebay import digital_signatures as signatures
from connectors.ebay import settings
from connectors.ebay.connector import EbayConnector
from connectors.ebay.digital_signatures import CallSigner
from connectors.ebay.sandbox import EbaySandbox
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Effect
from connectors.sdk.errors import Rejected
from connectors.sdk.ports import Secret
from tests.support import ebay_wire as wire

# RFC 9421 appendix B.1.4: a key that is published and belongs to nobody.
RFC_KEY = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"
JWE = (
    "eyJ6aXAiOiJERUYiLCJlbmMiOiJBMjU2R0NNIiwidGFnIjoiSGdLcjNSSWFlZll0Mkd4blBUUTEwUSIsImFsZyI6IkEyNTZHQ01LVyIsIml2IjoiQTVO"
    "QXFYUXlITkNIT01GVSJ9.z3JcS0vvxrYboqpySAq_Znww-3V6AllxmJP5JEMkuLY.K1f4MVMEc8ylbfSS.fASwJyMCk2tXZsNWk13IcuVgSWTOcynSdA"
    "oJrK4WApZANlxAP9J0qr0Jz_4aFldFDSZ5tfuxLGqzJmWU7CiZWwNjk2XoVy8q5ogMrFNFwFXP4SrX1XORhNLZPTyS5DEqLDPYn2NX944xendEwfcxxXs"
    "TSeNCUnmSyfitiscUC04GYOfn0UWQ2buSWx7Yod0IR2GtTGUsM9o3J-riuNDKhw.rRsWM1Sl_2stTnZLJkWVmQ"
)


def test_the_standards_own_vector() -> None:
    """RFC 9421 appendix B.2.6, byte for byte: base, key and signature."""
    components = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@method", "POST"),
        ("@path", "/foo"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ]
    parameters = signatures.parameters_of(components, 1618884473) + ';keyid="test-key-ed25519"'
    signature = signatures.sign(signatures.load_key(RFC_KEY), signatures.signature_base(components, parameters))
    told = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert base64.b64encode(signature).decode() == told


def test_a_call_has_the_headers_ebay_describes() -> None:
    """Digest and input are those of eBay's sample; without a body there is none, signed or not."""
    signer = CallSigner(signatures.load_key(RFC_KEY), JWE)
    made = signer.headers("post", "http://localhost:8080/verifysignature", b'{"hello": "world"}', 1659651955)
    assert made["content-digest"] == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert made["x-ebay-signature-key"] == JWE
    assert made["signature-input"] == (
        'sig1=("content-digest" "x-ebay-signature-key" "@method" "@path" "@authority");created=1659651955'
    )
    empty = signer.headers("POST", "https://API.ebay.com:443/post-order/v2/cancellation/1/approve?a=b", None, 5)
    assert "content-digest" not in empty
    assert empty["signature-input"] == 'sig1=("x-ebay-signature-key" "@method" "@path" "@authority");created=5'
    base = signatures.signature_base(
        [
            ("x-ebay-signature-key", JWE),
            ("@method", "POST"),
            ("@path", "/post-order/v2/cancellation/1/approve"),
            ("@authority", "api.ebay.com"),
        ],
        empty["signature-input"].removeprefix("sig1="),
    )
    signature = base64.b64decode(empty["signature"].removeprefix("sig1=:").removesuffix(":"))
    signatures.load_key(RFC_KEY).public_key().verify(signature, base)  # type: ignore[call-arg, union-attr]


def test_an_rsa_key_signs_too() -> None:
    """eBay's fallback cipher: PKCS #1 v1.5 with SHA-256, from a PEM file."""
    key = rsa.generate_private_key(65537, 2048)
    loaded = signatures.load_key(_pem(key))
    signature = signatures.sign(loaded, b"base")
    key.public_key().verify(signature, b"base", padding.PKCS1v15(), hashes.SHA256())


def _pem(key: Any) -> str:
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"signature_private_key": RFC_KEY}, "credentials.signature_jwe: missing"),
        ({"signature_jwe": JWE}, "credentials.signature_private_key: missing"),
        ({"signature_private_key": "c2VjcmV0", "signature_jwe": JWE}, "is no private key"),
        ({"signature_private_key": "not base64 !", "signature_jwe": JWE}, "is no private key"),
        (
            {"signature_private_key": _pem(ec.generate_private_key(ec.SECP256R1())), "signature_jwe": JWE},
            "is of a kind eBay does not take",
        ),
        ({"signature_private_key": RFC_KEY, "signature_jwe": "one.two"}, "credentials.signature_jwe: must be the JWE"),
    ],
)
def test_a_wrong_key_is_told_without_showing_it(changes: dict[str, str], said: str) -> None:
    """Half a pair, no key, another kind of key, no JWE: each named, none shown."""
    with pytest.raises(ValueError, match=said) as refused:
        settings.read(wire.context(credentials={**wire.CREDENTIALS, **changes}))
    assert not any(value in str(refused.value) for value in changes.values())


async def test_the_sandbox_refuses_what_is_unsigned_or_altered() -> None:
    """A refund for a seller who must sign goes through signed; without a key, or with another, nothing is paid back."""
    sandbox = EbaySandbox(clock=ManualClock())
    await sandbox.start()
    sandbox.signatures.required = True
    sandbox.stock("MUG", 5)
    number = await sandbox.sell([("MUG", 1)])
    try:
        account = sandbox.account_section()
        without = dict(account["credentials"])
        signed_with = sandbox.signatures
        keys = without | {"signature_private_key": signed_with.private_key, "signature_jwe": signed_with.jwe}
        foreign = keys | {"signature_private_key": RFC_KEY}
        for credentials in (without, foreign):
            with pytest.raises(Rejected) as refused:
                await _refund(sandbox, credentials, str(number))
            assert refused.value.code == "215120"
        assert sandbox.book.orders[str(number)].refunds == []
        await _refund(sandbox, keys, str(number))
        assert [row["amount"]["value"] for row in sandbox.book.orders[str(number)].refunds] == ["2.50"]
        assert sandbox.signatures.checked == 1
        async with aiohttp.ClientSession() as http, http.get(f"{sandbox.base_url}/_sandbox/state") as answer:
            assert answer.status == 200
    finally:
        await sandbox.stop()


async def _refund(sandbox: EbaySandbox, credentials: dict[str, str], number: str) -> None:
    context = wire.context(base_url=sandbox.base_url, credentials=credentials, clock=sandbox.clock)  # type: ignore[arg-type]
    connector = EbayConnector(replace(context, credentials={name: Secret(text) for name, text in credentials.items()}))
    body = {"order": number, "amounts": {"total": {"amount": "2.50", "currency": "USD"}}}
    try:
        await connector.send(Effect("1", "refund_order", f"order:{number}", "k", body))
    finally:
        await connector.close()
