"""FedEx's errors, sorted once into the decisions of `connectors.sdk.errors`.

Every API answers `{"transactionId", "errors": [{"code", "message"}]}`; the first row decides. An error of one
number of a batch stands within that number's result and is a fact about the parcel, not an error of the call.

Source: FedEx Track v1 OpenAPI document, ErrorResponseVO and its examples (2025-10); developer.fedex.com on
API authorization and rate limits (read 2026-10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient

# What a code means wherever its status says less; a code that is not here goes by its status.
BY_CODE: Final[Mapping[str, type[ConnectorError]]] = {
    "NOT.AUTHORIZED.ERROR": AuthFailed,
    "FORBIDDEN.ERROR": AuthFailed,
    "INTERNAL.SERVER.ERROR": Transient,
    "SERVICE.UNAVAILABLE.ERROR": Transient,
}
LOGIN_BLOCK_S: Final = 600.0
"""How long an address that logged in too often is kept out; the gateway's 403 carries no row of FedEx's own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row of an error body, empty strings where FedEx gave nothing."""

    code: str = ""
    message: str = ""


def fault_of(answer: Answer) -> Fault:
    body = answer.json_or_none()
    rows = body.get("errors") if isinstance(body, Mapping) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}
    return Fault(str(row.get("code") or ""), str(row.get("message") or "").strip())


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer asks for, None for a good one."""
    if answer.ok:
        return None
    fault = fault_of(answer)
    message = f"FedEx answered {answer.status}: {fault.message or 'the body names no error'}"
    kind = BY_CODE.get(fault.code)
    facts = answer.facts(fault.code or f"HTTP_{answer.status}")
    if answer.status == 429:
        # Both the ten seconds' and the day's limit answer so; the day ends at midnight GMT.
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    if answer.status == 403 or fault.code == "FORBIDDEN.ERROR":
        message += "; add the Track API to the project at developer.fedex.com"
        return AuthFailed(message, reason=AuthReason.SCOPE, **facts)
    if kind is AuthFailed or answer.status == 401:
        return AuthFailed(message, reason=AuthReason.CREDENTIALS, **facts)
    if kind is Transient:
        return call.lost(message, **facts)
    return by_status(answer, message, fault.code) or Rejected(message, **facts)


def classify_login(answer: Answer, call: Call) -> ConnectorError | None:
    """As `classify`; what FedEx itself refuses here is about the login and nothing else."""
    if answer.status == 403 and not fault_of(answer).code:
        message = "FedEx's gateway answered 403 to a login: this address logs in too often"
        wait_s = answer.retry_after_s if answer.retry_after_s is not None else LOGIN_BLOCK_S
        return RateLimited(message, retry_after_s=wait_s, **answer.facts("HTTP_403"))
    error = classify(answer, call)
    if isinstance(error, Rejected | AuthFailed):
        message = error.message.partition("; add the Track API")[0]
        return AuthFailed(message, code=error.code, status=error.status, correlation_id=error.correlation_id)
    return error
