"""The Postal Service's errors, sorted once into the decisions of `connectors.sdk.errors`.

The API answers `{"apiVersion", "error": {"code", "message", "errors": [{"code", "title", "detail"}]}}`, where the
outer code is the HTTP status as text and the inner one tells more; the login answers as RFC 6749 says.

Source: USPS Tracking 3.2.6 OpenAPI document, ErrorMessage (2026-08); answers with 150001, with a lacking scope and
with a wrong application (USPS/api-examples issues 56, 88 and 107, 2025-02 to 2026-03).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected

TRACK_KIND: Final = "parcel.track"
NO_NEWS: Final = "150001"
"""No news of the number yet: a fact about the parcel, sent as a 400."""
SCOPE_TITLE: Final = "invalid_oauth_scope"
SCOPE_REMEDY: Final = "ask the Postal Service to add the Tracking API to the app at developers.usps.com"


@dataclass(frozen=True, slots=True)
class Fault:
    """An error body's telling parts, empty strings where it gives nothing."""

    code: str = ""
    title: str = ""
    message: str = ""


def fault_of(answer: Answer) -> Fault:
    body = answer.json_or_none()
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return Fault(error, "", str(body.get("error_description") or ""))
    if not isinstance(error, Mapping):
        return Fault()
    rows = error.get("errors")
    row: Mapping[str, Any] = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}
    return Fault(
        str(row.get("code") or error.get("code") or ""),
        str(row.get("title") or ""),
        str(row.get("detail") or error.get("message") or "").strip(),
    )


def is_no_news(answer: Answer) -> bool:
    """The number is not known, or nothing is known of it yet."""
    if answer.status == 400:
        return fault_of(answer).code == NO_NEWS
    # A 404 of somebody else (a proxy, a mistyped address) has another body.
    return answer.status == 404 and fault_of(answer).code != ""


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer asks for, None for a good one. A number without news is a good one."""
    if answer.ok or (call.kind == TRACK_KIND and is_no_news(answer)):
        return None
    fault = fault_of(answer)
    message = f"USPS answered {answer.status}: {fault.message or 'the body names no error'}"
    facts = answer.facts(fault.code or f"HTTP_{answer.status}")
    if answer.status == 429:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    if answer.status == 403 or (answer.status == 401 and fault.title == SCOPE_TITLE):
        return AuthFailed(f"{message}; {SCOPE_REMEDY}", reason=AuthReason.SCOPE, **facts)
    if answer.status == 401:
        return AuthFailed(message, reason=AuthReason.CREDENTIALS, **facts)
    return by_status(answer, message, fault.code) or Rejected(message, **facts)


def classify_login(answer: Answer, call: Call) -> ConnectorError | None:
    """As `classify`; a 4xx of the token endpoint is about the login and nothing else."""
    error = classify(answer, call)
    if isinstance(error, Rejected | AuthFailed):
        message = error.message.partition(f"; {SCOPE_REMEDY}")[0]
        return AuthFailed(message, code=error.code, status=error.status, correlation_id=error.correlation_id)
    return error
