"""ShipStation's errors (API v1), sorted once into the decisions of `connectors.sdk.errors`.

A refusal is `{"Message", "ExceptionMessage"?}`, a 401 often has no body; the status decides. The wait after a
429 stands in `X-Rate-Limit-Reset`, in seconds.

Source: ShipStation API v1, requirements and response codes (docs.shipstation.com, 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, TargetMissing
from connectors.sdk.whole import whole

RESET_HEADER: Final = "x-rate-limit-reset"
RESET_MAX_S: Final = 120
"""The window is a minute; anything far beyond it is not a wait in seconds."""

# What is left is decided by weather and limits: 429, 408 and 5xx as everywhere, any other 4xx is refused.
BY_STATUS: Final[Mapping[int, AuthReason]] = {
    401: AuthReason.CREDENTIALS,
    402: AuthReason.SCOPE,
    403: AuthReason.SCOPE,
}
REMEDY: Final = "; the plan of the account has to include the API"


def message_of(answer: Answer) -> str:
    """What ShipStation says, empty where it says nothing."""
    body = answer.json_or_none()
    fields = body if isinstance(body, Mapping) else {}
    said = fields.get("ExceptionMessage") or fields.get("Message") or fields.get("message")
    return said.strip() if isinstance(said, str) else ""


def classify(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - named by the kit
    """The decision an answer asks for, None for a good one."""
    if answer.ok:
        return None
    message = f"ShipStation answered {answer.status}: {message_of(answer) or 'the body names no error'}"
    facts = answer.facts(f"HTTP_{answer.status}")
    reason = BY_STATUS.get(answer.status)
    if reason is not None:
        return AuthFailed(message + (REMEDY if reason is AuthReason.SCOPE else ""), reason=reason, **facts)
    if answer.status == 429:
        return RateLimited(message, retry_after_s=_wait_s(answer), **facts)
    if answer.status == 404:
        return TargetMissing(message, **facts)
    return by_status(answer, message, f"HTTP_{answer.status}") or Rejected(message, **facts)


def _wait_s(answer: Answer) -> float | None:
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    stated = whole(answer.header(RESET_HEADER))
    return float(stated) if stated is not None and 0 <= stated <= RESET_MAX_S else None
