"""Signatures: the known answer, every change refused, two secrets during rotation, closed without any."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.sdk import signing
from connectors.sdk.errors import SignatureInvalid

KEY, BODY = b"key", b"The quick brown fox jumps over the lazy dog"
HEX = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_the_known_answer() -> None:
    """HMAC-SHA256 of the textbook sentence, in both spellings."""
    assert signing.hmac_sha256_hex(KEY, BODY) == HEX
    assert signing.hmac_sha256_base64(KEY, BODY) == "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="


def test_either_secret_is_good_during_rotation() -> None:
    """The old one and the new one, in any order, and no third."""
    for key in (b"old", b"new"):
        given = signing.hmac_sha256_hex(key, BODY)
        signing.verify([b"new", b"old"], BODY, given, signing.hmac_sha256_hex)
    with pytest.raises(SignatureInvalid):
        signing.verify([b"new", b"old"], BODY, signing.hmac_sha256_hex(b"third", BODY), signing.hmac_sha256_hex)


@pytest.mark.parametrize("given", [None, "", "é", HEX.upper(), HEX[:-1], HEX + "0", f" {HEX}", "\udcff"])
def test_anything_else_is_refused(given: str | None) -> None:
    """Missing, not ASCII, another case, shorter, longer, padded."""
    with pytest.raises(SignatureInvalid):
        signing.verify([KEY], BODY, given, signing.hmac_sha256_hex)


@pytest.mark.parametrize("secrets", [[], [b""]])
def test_no_secret_believes_nobody(secrets: list[bytes]) -> None:
    """An empty key would sign anything for anybody."""
    with pytest.raises(SignatureInvalid) as caught:
        signing.verify(secrets, BODY, signing.hmac_sha256_hex(b"", BODY), signing.hmac_sha256_hex)
    assert caught.value.code == "no_secret"


def test_an_empty_expectation_never_matches() -> None:
    """Two empty strings are equal and prove nothing."""
    assert not signing.matches("", "")
    assert not signing.matches_any([], "x")
