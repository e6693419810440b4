"""Why an AS2 message is not taken, in the words partners' receipts use.

Source: RFC 4130 sections 7.5.1 to 7.5.5 (2005-07); RFC 5402 section 5 for decompression (2010-02).
"""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """Disposition modifiers. `failed/failure` for what we cannot understand, `processed/error` for the rest."""

    AUTHENTICATION_FAILED = "authentication-failed"
    DECOMPRESSION_FAILED = "decompression-failed"
    DECRYPTION_FAILED = "decryption-failed"
    INSUFFICIENT_SECURITY = "insufficient-message-security"
    INTEGRITY_CHECK_FAILED = "integrity-check-failed"
    UNEXPECTED = "unexpected-processing-error"
    UNSUPPORTED_FORMAT = "unsupported format"
    UNSUPPORTED_MIC = "unsupported MIC-algorithms"

    @property
    def disposition(self) -> str:
        if self in {Why.UNSUPPORTED_FORMAT, Why.UNSUPPORTED_MIC}:
            return f"failed/failure: {self}"
        return f"processed/error: {self}"


class NotTaken(Exception):
    """A message that is not accepted. `detail` is for our operator and never sent: it would help an attacker."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why
        self.detail = detail
