"""Shippo's errors, sorted once into the decisions of `connectors.sdk.errors`.

There are no codes: the status decides. The body is `{"detail": text}`, or lists of texts by the name of the field
they are about, `__all__` for the whole.

Source: docs.goshippo.com, errors and rate limits (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, Rejected

# What is left is decided by weather and limits: 429, 408 and 5xx as everywhere, any other 4xx is refused.
BY_STATUS: Final[Mapping[int, AuthReason]] = {
    401: AuthReason.CREDENTIALS,
    402: AuthReason.REVOKED,
    403: AuthReason.SCOPE,
}
REMEDIES: Final[Mapping[AuthReason, str]] = {
    AuthReason.REVOKED: "; settle the account's billing in Shippo's settings",
    AuthReason.SCOPE: "; have tracking allowed for the account in Shippo's settings",
}
TEXT_MAX: Final = 300


def said(answer: Answer) -> str:
    """What the body says, the field it is about before it; empty where it is none of Shippo's."""
    body = answer.json_or_none()
    if isinstance(body, list):
        return "; ".join(text for text in body if isinstance(text, str))[:TEXT_MAX]
    for name, value in body.items() if isinstance(body, Mapping) else ():
        text = value[0] if isinstance(value, list) and value else value
        if isinstance(text, str) and text.strip():
            return (text if name in ("detail", "__all__") else f"{name}: {text}").strip()[:TEXT_MAX]
    return ""


def classify(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - every write here may be repeated
    """The decision an answer asks for, None for a good one."""
    if answer.ok:
        return None
    code = f"HTTP_{answer.status}"
    message = f"Shippo answered {answer.status}: {said(answer) or 'the body names no error'}"
    reason = BY_STATUS.get(answer.status)
    if reason is not None:
        return AuthFailed(message + REMEDIES.get(reason, ""), reason=reason, **answer.facts(code))
    return by_status(answer, message, code) or Rejected(message, **answer.facts(code))
