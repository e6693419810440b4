"""ShipEngine's errors, sorted once into the decisions of `connectors.sdk.errors`.

Every refusal is `{"request_id", "errors": [{"error_source", "error_type", "error_code", "message"}]}`; the first
row decides. `error_source` says whose refusal it is: ShipEngine's own or the carrier's, passed on.

Source: ShipEngine OpenAPI document 1.1.202604070904, error_response_body and error_code (2026-04);
docs.shipstation.com, rate limits (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected

CARRIER: Final = "carrier"
BY_STATUS: Final[Mapping[int, AuthReason]] = {
    401: AuthReason.CREDENTIALS,
    402: AuthReason.REVOKED,
    403: AuthReason.SCOPE,
}
# What a code means wherever its status says less; a code that is not here goes by its status.
BY_CODE: Final[Mapping[str, AuthReason]] = {
    "unauthorized": AuthReason.CREDENTIALS,
    "forbidden": AuthReason.SCOPE,
    "subscription_inactive": AuthReason.REVOKED,
    "terms_not_accepted": AuthReason.REVOKED,
    "trial_expired": AuthReason.REVOKED,
}
LIMIT_CODE: Final = "rate_limit_exceeded"
REMEDIES: Final[Mapping[AuthReason, str]] = {
    AuthReason.REVOKED: "; settle plan and terms in ShipEngine's dashboard",
    AuthReason.SCOPE: "; use a key of a plan that has tracking, from ShipEngine's dashboard",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row of an error body, empty strings where ShipEngine gave nothing."""

    source: str = ""
    code: str = ""
    message: str = ""


def fault_of(answer: Answer) -> Fault:
    body = answer.json_or_none()
    rows = body.get("errors") if isinstance(body, Mapping) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}
    source, code, message = (str(row.get(name) or "").strip() for name in ("error_source", "error_code", "message"))
    return Fault(source, code, message)


def classify(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - every write here may be repeated
    """The decision an answer asks for, None for a good one.

    A carrier that refuses ShipEngine (its login there has ended, say) says nothing about our key.
    """
    if answer.ok:
        return None
    fault = fault_of(answer)
    code = fault.code or f"HTTP_{answer.status}"
    who = "a carrier answered ShipEngine" if fault.source == CARRIER else "ShipEngine answered"
    message = f"{who} {answer.status}: {fault.message or 'the body names no error'}"
    if fault.code == LIMIT_CODE or answer.status == 429:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **answer.facts(code))
    reason = BY_CODE.get(fault.code) or BY_STATUS.get(answer.status)
    if reason is not None and fault.source != CARRIER:
        return AuthFailed(message + REMEDIES.get(reason, ""), reason=reason, **answer.facts(code))
    return by_status(answer, message, code) or Rejected(message, **answer.facts(code))


def classify_keys(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - always a read
    """The key set is open to everybody: whatever is wrong with it, it is not the login."""
    if answer.ok:
        return None
    message = f"ShipEngine's key set answered {answer.status}"
    return by_status(answer, message) or Rejected(message, **answer.facts(f"HTTP_{answer.status}"))
