"""Errors that tell the engine what to do next.

A connector raises one of these and nothing else. The class is the decision; `code` and
`message` are for the operator. Each vendor's table from error to class stands once, in
`connectors/<vendor>/errors.py`.
"""

from __future__ import annotations

from enum import StrEnum


class ConnectorError(Exception):
    """Base of every error a connector raises.

    Args:
        message: One sentence for the operator; never a token, a body or personal data.
        code: The vendor's code, or ours where the vendor gives none.
        status: HTTP status when there was an answer.
        correlation_id: The vendor's request id, for their support desk.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.correlation_id = correlation_id


class Transient(ConnectorError):
    """Refused, DNS, reset; time-out or 5xx on a read or a keyed write: retry on schedule."""


class RateLimited(ConnectorError):
    """The vendor's budget is spent: hold the lane, burn no attempt.

    `retry_after_s` is the vendor's own wait where it gave one.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        code: str = "",
        status: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, correlation_id=correlation_id)
        self.retry_after_s = retry_after_s


class AuthReason(StrEnum):
    """Which part of the login is wrong: the operator's next step differs."""

    CREDENTIALS = "credentials"
    SCOPE = "scope"
    REVOKED = "revoked"


class AuthFailed(ConnectorError):
    """Credentials or scope: hold the account, alert once, burn nothing."""

    def __init__(
        self,
        message: str,
        *,
        reason: AuthReason = AuthReason.CREDENTIALS,
        code: str = "",
        status: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, correlation_id=correlation_id)
        self.reason = reason


class Rejected(ConnectorError):
    """Understood and refused: quarantine that item at once, the rest of the batch goes on."""


class TargetMissing(Rejected):
    """The listing or order is gone there: quarantined under its own heading."""


class InDoubt(ConnectorError):
    """An unkeyed write went out and no trustworthy answer came back: settle by reading."""


class Conflict(ConnectorError):
    """The state moved under us (stale compare value, reused key): redo at once, at most 3 times."""


class SignatureInvalid(ConnectorError):
    """A webhook whose signature is missing or wrong. Answered 401; nothing of it is parsed."""


class UnknownTopic(ConnectorError):
    """A topic this connector does not know. The message lists those it does."""
