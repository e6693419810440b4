"""EasyPost's errors, sorted once into the decisions of `connectors.sdk.errors`.

Every refusal is `{"error": {"code", "message", "errors"}}`; the status decides. A tracker whose own status is
`error` stands in a good answer and is about the parcel.

Source: docs.easypost.com, errors (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, TargetMissing

# What is left is decided by weather and limits: 429, 408 and 5xx as everywhere, any other 4xx is refused.
BY_STATUS: Final[Mapping[int, AuthReason]] = {
    401: AuthReason.CREDENTIALS,
    402: AuthReason.SCOPE,
    403: AuthReason.SCOPE,
}
REMEDIES: Final[Mapping[int, str]] = {
    402: "; see to the account's billing at easypost.com",
    403: "; ask EasyPost to allow trackers for this account, or use the key of one that has them",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An error body, empty strings where EasyPost gave nothing."""

    code: str = ""
    message: str = ""


def fault_of(answer: Answer) -> Fault:
    body = answer.json_or_none()
    row = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(row, Mapping):
        return Fault(message=row.strip() if isinstance(row, str) else "")
    message = row.get("message")
    return Fault(str(row.get("code") or ""), message.strip() if isinstance(message, str) else "")


def classify(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - every call may be repeated
    """The decision an answer asks for, None for a good one."""
    if answer.ok:
        return None
    fault = fault_of(answer)
    message = f"EasyPost answered {answer.status}: {fault.message or 'the body names no error'}"
    code = fault.code or f"HTTP_{answer.status}"
    facts = answer.facts(code)
    reason = BY_STATUS.get(answer.status)
    if reason is not None:
        return AuthFailed(message + REMEDIES.get(answer.status, ""), reason=reason, **facts)
    if answer.status == 429:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    if answer.status == 404:
        return TargetMissing(message, **facts)
    return by_status(answer, message, code) or Rejected(message, **facts)
