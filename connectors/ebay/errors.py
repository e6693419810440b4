"""eBay's errors, sorted once into the decisions of `connectors.sdk.errors`.

Four shapes: REST `{"errors": [{errorId, domain, category, message, longMessage, parameters}]}`,
Post-Order `{"error": [...]}` or `{"errorMessage": {"error": {...}}}`, OAuth `{"error": "invalid_grant",
"error_description"}`, and the XML of Trading (`connectors.ebay.trading`). The same rows stand inside
the entries of 200 and 207 bulk answers, each for one SKU or offer alone.

Source: sell/fulfillment v1.20.7, sell/inventory 1.18.4, commerce/notification v1.6.2 OpenAPI
documents (2025-11): error tables of each method; developer.ebay.com "handling error messages" and
OAuth pages (read 2026-11); captured error bodies of all shapes (2021-10 to 2026-06).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.sdk.answer import Answer, Call
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
from connectors.sdk.whole import whole

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
"""Daily limits start again at midnight there. Source: api_call_limits page (2026-11)."""

FUTURE_DATE: Final = "30850"
RANGE_TOO_LONG: Final = "30830"
ZERO_REFUSED: Final = "25004"
"""A zero refused by bulkUpdatePriceQuantity; field report (2026), not in the specification."""

# What an error id means wherever its status says less. Ids are the vendor's numbers as texts.
BY_ID: Final[Mapping[str, type[ConnectorError]]] = {
    "1001": AuthFailed,  # invalid access token
    "1002": AuthFailed,  # missing access token
    "1003": AuthFailed,  # token type not accepted
    "1100": AuthFailed,  # insufficient permissions: a scope
    "2001": RateLimited,  # request limit of the day
    "2002": RateLimited,  # request limit reached for this resource
    "2003": Transient,  # internal error
    "2004": Rejected,  # invalid request
    "25001": Transient,  # system error of the Inventory API
    "25604": Transient,  # offer not found: also said of an offer just made
    "25702": TargetMissing,  # SKU unknown
    "25710": TargetMissing,  # resource not found
    "25713": TargetMissing,  # offer not available
    "25727": Rejected,  # more than 25 entries
    "25734": Rejected,  # the same SKU twice
    "30500": Transient,  # system error of getOrders
    "32100": TargetMissing,  # order id
    "34900": Transient,  # system error of issueRefund
    "34915": Rejected,  # more than was paid
    "34916": Rejected,  # an open case decides about the money
    "34917": Rejected,  # refunded already
    "34922": Transient,  # an earlier refund is being worked off
    "215120": Rejected,  # the digital signature is wrong or missing (field reports, 2023): this call, not the login
    "215122": Rejected,  # the same
    "195001": Transient,  # system error of the Notification API
}

# What is left is decided by status; anything not listed is `Rejected` below 500, `Transient` from 500 on.
BY_STATUS: Final[Mapping[int, type[ConnectorError]]] = {
    401: AuthFailed,
    403: AuthFailed,
    404: TargetMissing,
    408: Transient,
    409: Conflict,
    410: TargetMissing,
    425: Transient,
    429: RateLimited,
}

# RFC 6749 section 5.2 codes as eBay uses them; all of them concern the login, whatever the status.
BY_OAUTH_CODE: Final[Mapping[str, AuthReason]] = {
    "invalid_client": AuthReason.CREDENTIALS,
    "unauthorized_client": AuthReason.CREDENTIALS,
    "invalid_grant": AuthReason.REVOKED,
    "invalid_scope": AuthReason.SCOPE,
    "access_denied": AuthReason.SCOPE,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of an error body, empty where eBay gave nothing. `named` are its parameters' names."""

    id: str
    message: str = ""
    category: str = ""
    named: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        text = self.message or "no description given"
        return f"{text} ({', '.join(self.named)})" if self.named else text


def faults(body: object) -> list[Fault]:
    """Rows of an error body of any JSON shape; empty when it is none of them."""
    if not isinstance(body, Mapping):
        return []
    holder = body.get("errors") or body.get("error")
    if isinstance(body.get("errorMessage"), Mapping):
        holder = body["errorMessage"].get("error")
    if isinstance(holder, str):
        return [Fault(holder, str(body.get("error_description") or ""))]
    rows = [holder] if isinstance(holder, Mapping) else holder
    if not isinstance(rows, Sequence):
        return []
    return [_fault(row) for row in rows if isinstance(row, Mapping)]


def _fault(row: Mapping[str, Any]) -> Fault:
    parameters = row.get("parameters") or row.get("parameter") or ()
    names = [str(each.get("name")) for each in parameters if isinstance(each, Mapping) and each.get("name")]
    return Fault(
        id=str(row.get("errorId") or row.get("errorName") or ""),
        # The long text may repeat what was sent, so it is only taken where there is no short one.
        message=str(row.get("message") or row.get("longMessage") or ""),
        category=str(row.get("category") or ""),
        named=tuple(names),
    )


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision a REST or Post-Order answer asks for, None for a good one. Never raises.

    A 5xx or a time-out status on a write without a key is `InDoubt`: eBay has no idempotency keys,
    so what happened must be read first.
    """
    if 200 <= answer.status < 300:
        return None
    rows = faults(answer.json_or_none())
    first = rows[0] if rows else Fault(f"HTTP_{answer.status}", "the body names no error")
    message = f"eBay answered {answer.status}: {first.sentence}"
    facts = answer.facts(first.id)
    kind = kind_of(answer.status, first)
    if kind is RateLimited:
        return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
    if kind is AuthFailed:
        scope = first.id == "1100" or answer.status == 403
        return AuthFailed(message, reason=AuthReason.SCOPE if scope else AuthReason.CREDENTIALS, **facts)
    if kind is Transient:
        if answer.status >= 500 and answer.retry_after_s is not None and call.repeatable:
            return RateLimited(message, retry_after_s=answer.retry_after_s, **facts)
        # A 4xx that names a passing trouble was refused before anything was done.
        return (
            call.lost(message, **facts) if answer.status >= 500 or answer.status == 408 else Transient(message, **facts)
        )
    return kind(message, **facts)


def classify_login(answer: Answer, call: Call) -> ConnectorError | None:
    """The decision an answer of the token endpoint asks for: a refusal is about the login, never an item."""
    if 200 <= answer.status < 300:
        return None
    rows = faults(answer.json_or_none())
    reason = BY_OAUTH_CODE.get(rows[0].id) if rows else None
    if reason is not None:
        code = rows[0].id
        message = f"eBay refused the login ({code}): {_next_step(reason)}"
        return AuthFailed(message, reason=reason, **answer.facts(code))
    error = classify(answer, call)
    if isinstance(error, Rejected | Conflict):
        return AuthFailed(error.message, **answer.facts(error.code))
    return error


def post_order_refused(error: AuthFailed, scheme: str) -> Rejected:
    """A 401 or 403 of Post-Order alone, to a token fresh from the login."""
    message = (
        f"{error.message}; Post-Order takes no token as {scheme!r}, or not this one: see options.post_order_scheme"
    )
    return Rejected(message, code="post_order_refused", status=error.status, correlation_id=error.correlation_id)


def _next_step(reason: AuthReason) -> str:
    if reason is AuthReason.REVOKED:
        return "the refresh token has ended or was revoked; the seller must consent again"
    if reason is AuthReason.SCOPE:
        return "the application or the seller's consent lacks a scope"
    return "client_id and client_secret do not belong together"


def kind_of(status: int, fault: Fault) -> type[ConnectorError]:
    """Which class an error row of an answer, or of one entry of a bulk answer, stands for."""
    if status in {401, 429}:
        return BY_STATUS[status]
    by_id = BY_ID.get(fault.id)
    if by_id is not None:
        return by_id
    if status >= 500:
        return Transient
    return BY_STATUS.get(status, Rejected)


def entry_error(entry: Mapping[str, Any], answer: Answer, what: str) -> ConnectorError | None:
    """The error of one entry of a bulk answer, None when it was carried out.

    `what` names the entry for the operator. An entry is absolute, so even a lost one may be repeated.
    """
    status = status_of(entry)
    rows = faults(entry)
    if 200 <= status < 300 and not rows:
        return None
    first = rows[0] if rows else Fault(f"HTTP_{status}", "the entry names no error")
    kind = kind_of(status, first)
    if kind is Conflict:
        kind = Transient
    return kind(f"{what}: {first.sentence}", code=first.id, status=status, correlation_id=answer.correlation_id)


def status_of(entry: Mapping[str, Any]) -> int:
    """`statusCode` of an entry; 0 when it is missing, which is no success."""
    return whole(entry.get("statusCode")) or 0


def until_midnight_s(now: datetime) -> float:
    """Seconds until eBay's day ends and its daily limits start again."""
    local = now.astimezone(PACIFIC)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    # Through UTC: the difference of two local times would miss a change of the clocks.
    return (midnight.astimezone(now.tzinfo) - now).total_seconds()
