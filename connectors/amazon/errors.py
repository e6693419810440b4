"""Amazon's errors, sorted once into the decisions of `connectors.sdk.errors`.

Every API answers `{"errors": [{"code", "message", "details"}]}`; the login answers OAuth's
`{"error", "error_description"}`. Codes differ between APIs for the same thing (`InvalidInput`,
`Invalid Input`, `BAD_REQUEST`, `400`), so the status decides and the code is for the operator. What
a 200 refuses (a listing marked INVALID, an issue of a feed's report) passes `listing_issue`.

Source: amzn/selling-partner-api-models (2026-08-05): error lists of each operation and its sandbox
examples; developer-docs.amazon.com/sp-api "usage plans", "connecting", "LWA errors" (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    Conflict,
    ConnectorError,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)

# What the status says. Not listed: `Rejected` below 500, `Transient` or `InDoubt` from 500 on.
BY_STATUS: Final[Mapping[int, type[ConnectorError]]] = {
    401: AuthFailed,
    403: AuthFailed,
    404: TargetMissing,
    409: Conflict,
    410: TargetMissing,
    429: RateLimited,
}

# RFC 6749 section 5.2 codes as Login with Amazon uses them; all concern the login, whatever the status.
BY_OAUTH_CODE: Final[Mapping[str, AuthReason]] = {
    "invalid_client": AuthReason.CREDENTIALS,
    "unauthorized_client": AuthReason.CREDENTIALS,
    "invalid_grant": AuthReason.REVOKED,
    "invalid_scope": AuthReason.SCOPE,
    "access_denied": AuthReason.SCOPE,
}


NEXT_STEP: Final[Mapping[AuthReason, str]] = {
    AuthReason.CREDENTIALS: "client_id and client_secret do not belong together, or the secret was rotated",
    AuthReason.SCOPE: "the application lacks a role, or the account belongs to another region",
    AuthReason.REVOKED: "the seller's authorisation has ended or was revoked; the seller must authorise again",
}


ROLE_MISSING: Final = "role_missing"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of an error body, empty where Amazon gave nothing. `details` may quote what was sent."""

    code: str
    message: str = ""


def faults(body: object) -> list[Fault]:
    """Rows of an error body; empty when it is none."""
    rows = body.get("errors") if isinstance(body, Mapping) else None
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return []
    return [
        Fault(str(row.get("code") or ""), str(row.get("message") or "")) for row in rows if isinstance(row, Mapping)
    ]


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer of the Selling Partner API asks for, None for a good one. Never raises."""
    if 200 <= answer.status < 300:
        return None
    rows = faults(answer.json_or_none())
    first = rows[0] if rows else Fault(f"HTTP_{answer.status}", "the body names no error")
    message = f"Amazon answered {answer.status} to {call.kind}: {first.message or 'no description given'}"
    facts = answer.facts(first.code)
    weather = by_status(answer, message, first.code)
    if weather is not None:
        return weather
    kind = BY_STATUS.get(answer.status, Rejected)
    if kind is AuthFailed:
        # 401 is a token that is no good; 403 also says that a role is missing or the region is wrong.
        reason = AuthReason.SCOPE if answer.status == 403 else AuthReason.CREDENTIALS
        return AuthFailed(f"{message} ({NEXT_STEP[reason]})", reason=reason, **facts)
    return kind(message, **facts)


def classify_login(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer of the token endpoint asks for: a refusal is about the login, never an item."""
    if 200 <= answer.status < 300:
        return None
    body = answer.json_or_none()
    code = str(body.get("error") or "") if isinstance(body, Mapping) else ""
    reason = BY_OAUTH_CODE.get(code)
    if reason is not None:
        message = f"Amazon refused the login ({code}): {NEXT_STEP[reason]}"
        return AuthFailed(message, reason=reason, **answer.facts(code))
    error = classify(answer, call)
    if isinstance(error, Rejected | Conflict):
        return AuthFailed(error.message, **answer.facts(code or error.code))
    return error


def role_missing(error: AuthFailed) -> Rejected:
    """A 403 of what the account can do without: that call is refused, the login stays good.

    Source: developer-docs.amazon.com/sp-api "Selling Partner API roles" (read 2026-11): an operation, report or
    notification type without one of its roles answers 403.
    """
    return Rejected(error.message, code=ROLE_MISSING, status=error.status, correlation_id=error.correlation_id)


def classify_document(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer of a document's store asks for. Its addresses live minutes: a fresh one helps."""
    if 200 <= answer.status < 300:
        return None
    message = f"{call.kind}: the document's store answered {answer.status}"
    if answer.status in {401, 403, 404, 410}:
        return Transient(f"{message}; its address has ended", **answer.facts("document_address_ended"))
    return by_status(answer, message, "document_store") or Rejected(message, **answer.facts("document_refused"))


def listing_issue(code: str, message: str, severity: str = "ERROR") -> ConnectorError:
    """The error of one listing that a 200 or a processing report refuses.

    `severity` is Amazon's, shown to the operator: only errors refuse, so a warning does not belong here.
    """
    return Rejected(f"{severity.lower() or 'error'} {code}: {message or 'no description given'}", code=code)
