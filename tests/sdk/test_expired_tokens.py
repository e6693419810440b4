"""The fault of a good token refused costs one renewal, never the login."""

from __future__ import annotations

from connectors.sdk.faults import SPARED_USES, ExpiredTokens, Faults


def test_the_token_fetched_because_of_a_refusal_is_spared_at_first() -> None:
    """Refused, renewed, taken, even if other calls use it before; only after that may the fault strike again."""
    faults = Faults({"expired_token": 1.0})
    expired = ExpiredTokens(faults)
    expired.issued("first")
    assert expired.refuses("first")
    expired.issued("second")
    assert not any(expired.refuses("second") for _ in range(SPARED_USES))
    assert expired.refuses("second")
    assert faults.counts["expired_token"] == 2


def test_without_the_fault_every_token_is_good() -> None:
    """Nothing is refused and nothing remembered."""
    expired = ExpiredTokens(Faults())
    expired.issued("first")
    assert not expired.refuses("first")
