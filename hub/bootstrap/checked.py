"""What a failed check of an account means to the operator: what is wrong, then what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Transient

_REFUSED: Final[Mapping[AuthReason, tuple[str, str]]] = MappingProxyType(
    {
        AuthReason.CREDENTIALS: ("credentials refused", "correct accounts.{account}.credentials and check again"),
        AuthReason.SCOPE: ("permission refused", "check again once it is granted"),
        AuthReason.REVOKED: (
            "authorisation ended",
            "put what the new authorisation gives into accounts.{account}.credentials and check again",
        ),
    }
)


def said(account: str, error: ConnectorError) -> str:
    """One line, without a full stop."""
    message = error.message.rstrip(". ")
    if isinstance(error, AuthFailed):
        what, remedy = _REFUSED[error.reason]
        return f"{what}: {message}; {remedy.format(account=account)}"
    if isinstance(error, RateLimited):
        return f"{message}; the calls allowed are spent, check again later"
    if isinstance(error, Transient):
        return f"{message}; the credentials were not judged: check again once the vendor answers"
    return f"{message}; see accounts.{account}.options"
