"""UPS's errors, sorted once into the decisions of `connectors.sdk.errors`.

Every API answers `{"response": {"errors": [{"code", "message"}]}}`; the first row decides.

Source: UPS OAuth, Tracking and Track Alert v2 OpenAPI documents, error codes (2026-07); answers with TV1002,
TW0001, 250002 and 10429 as captured (2024-02 to 2026-07).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    ConnectorError,
    RateLimited,
    Rejected,
    Transient,
)

TRACK_KIND: Final = "parcel.track"
NOT_FOUND: Final = "TW0001"
"""A number without news; a fact about the parcel, whether it comes with 200 or with 404."""

# What a code means wherever its status says less; a code that is not here goes by its status.
BY_CODE: Final[Mapping[str, type[ConnectorError]]] = {
    "10429": RateLimited,
    "10004": Transient,
    "VSS100": Transient,
    "250002": AuthFailed,
    "250003": AuthFailed,
    "251004": AuthFailed,
    "UJ0001": AuthFailed,
}
NONE_VALID: Final = frozenset({"VSS210", "VSS215"})
"""A subscription request was refused because no number in it can be watched."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row of an error body, empty strings where UPS gave nothing."""

    code: str = ""
    message: str = ""


def fault_of(answer: Answer) -> Fault:
    body = answer.json_or_none()
    response = body.get("response") if isinstance(body, Mapping) else None
    rows = response.get("errors") if isinstance(response, Mapping) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}
    return Fault(str(row.get("code") or ""), str(row.get("message") or "").strip())


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer asks for, None for a good one. A number without news is a good one."""
    if answer.ok:
        return None
    fault = fault_of(answer)
    if call.kind == TRACK_KIND and answer.status == 404 and fault.code == NOT_FOUND:
        return None
    message = f"UPS answered {answer.status}: {fault.message or 'the body names no error'}"
    kind = BY_CODE.get(fault.code)
    facts = answer.facts(fault.code or f"HTTP_{answer.status}")
    if kind is RateLimited or answer.status == 429:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    if kind is AuthFailed or answer.status in (401, 403):
        return _refused(answer, message, facts)
    if kind is Transient:
        return call.lost(message, **facts)
    return by_status(answer, message, fault.code) or Rejected(message, **facts)


def _refused(answer: Answer, message: str, facts: Mapping[str, object]) -> AuthFailed:
    """A 403 with a good token is a lacking permission: the login itself was believed."""
    if answer.status == 403:
        message += "; add the Tracking product to the app at developer.ups.com, or ask UPS about a blocked account"
        return AuthFailed(message, reason=AuthReason.SCOPE, **facts)  # type: ignore[arg-type]
    return AuthFailed(message, reason=AuthReason.CREDENTIALS, **facts)  # type: ignore[arg-type]


def classify_login(answer: Answer, call: Call) -> ConnectorError | None:
    """As `classify`; a 4xx of the token endpoint is about the login and nothing else."""
    error = classify(answer, call)
    if isinstance(error, Rejected) or (isinstance(error, AuthFailed) and answer.status == 403):
        return AuthFailed(error.message, code=error.code, status=error.status, correlation_id=error.correlation_id)
    return error
