"""DHL's errors, sorted once into the decisions of `connectors.sdk.errors`.

Errors are problem documents (RFC 9457): `{"title", "detail", "status", "instance"}`; the status decides, since
there are no codes.

Source: DHL Shipment Tracking Unified 1.3.1 OpenAPI document, shipmentNotFound and unauthorizedError (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected

# What is left is decided by weather and limits: 429, 408 and 5xx as everywhere, any other 4xx is refused.
BY_STATUS: Final[Mapping[int, AuthReason]] = {401: AuthReason.CREDENTIALS, 403: AuthReason.SCOPE}
SCOPE_REMEDY: Final = "add Shipment Tracking Unified to the app at developer.dhl.com"


def problem_of(answer: Answer) -> Mapping[str, object]:
    """The problem document; empty where the body is none."""
    body = answer.json_or_none()
    return body if isinstance(body, Mapping) and isinstance(body.get("title"), str) else {}


def classify(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - every call is a read
    """The decision an answer asks for, None for a good one. A number DHL does not know is a good one."""
    problem = problem_of(answer)
    # A 404 of somebody else (a proxy, a mistyped address) is no problem document.
    if answer.ok or (answer.status == 404 and problem):
        return None
    said = str(problem.get("detail") or problem.get("title") or "the body names no error").strip()
    message = f"DHL answered {answer.status}: {said}"
    facts = answer.facts(f"HTTP_{answer.status}")
    if answer.status == 429:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    reason = BY_STATUS.get(answer.status)
    if reason is not None:
        remedy = f"; {SCOPE_REMEDY}" if reason is AuthReason.SCOPE else ""
        return AuthFailed(message + remedy, reason=reason, **facts)
    return by_status(answer, message, f"HTTP_{answer.status}") or Rejected(message, **facts)
