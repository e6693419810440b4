"""Walmart's errors, sorted once into the decisions of `connectors.sdk.errors`.

Walmart answers errors in three shapes: `{"errors": {"error": [...]}}` (orders), `{"errors": [...]}`
or `{"error": [...]}` (inventory, feeds, gateway), and an XML twin of each when a gateway in front of
the API ignores `Accept`. Each row has `code`, `field`, `description`, `info`, `severity`, `category`;
the code ends in the API that raised it (`INVALID_REQUEST_CONTENT.GMP_ORDER_API`).

Source: Walmart Marketplace OpenAPI documents (orders, inventory, feeds), read 2026-06; captured
400 answers of `POST /v3/orders/{id}/shipping` (2018-10, 2025-04); rate-limiting guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from connectors.sdk import exact, xml
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    Conflict,
    ConnectorError,
    InDoubt,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from connectors.sdk.instants import from_epoch, read_instant
from connectors.sdk.retry import RETRY_AFTER_MAX_S
from connectors.sdk.whole import whole

XML_ERROR_BYTES_MAX = 65_536
"""Error bodies are a few hundred bytes; a longer one is not parsed as XML."""


class AnswerLike(Protocol):
    """What classification reads of an answer."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...

    @property
    def correlation_id(self) -> str | None: ...


class CallLike(Protocol):
    """What classification reads of the call behind an answer."""

    @property
    def write(self) -> bool: ...

    @property
    def keyed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of an error body, empty strings where Walmart gave nothing."""

    code: str
    field: str = ""
    description: str = ""
    info: str = ""
    category: str = ""
    severity: str = ""

    @property
    def short_code(self) -> str:
        """The code without the API it came from: `INVALID_TOKEN.GMP_GATEWAY_API` → `INVALID_TOKEN`."""
        return self.code.partition(".")[0]

    @property
    def sentence(self) -> str:
        text = self.description or self.info or "no description given"
        return f"{text} (field {self.field})" if self.field else text


# What a code means wherever its status says less. Codes are compared without their API suffix.
# CONTENT_NOT_FOUND is also sent with 400 by PUT /v3/inventory for a SKU that is not set up.
BY_CODE: Mapping[str, type[ConnectorError]] = {
    "CONTENT_NOT_FOUND": TargetMissing,
    "REQUEST_THRESHOLD_VIOLATED": RateLimited,
    "UNAUTHORIZED": AuthFailed,
    "INVALID_TOKEN": AuthFailed,
    "INVALID_CREDENTIALS": AuthFailed,
    "FORBIDDEN": AuthFailed,
    "ACCESS_DENIED": AuthFailed,
    "SYSTEM_ERROR": Transient,
    "INTERNAL_SERVER_ERROR": Transient,
    "SERVICE_UNAVAILABLE": Transient,
}

# What is left is decided by status; anything not listed is `Rejected` below 500, `Transient` from 500 on.
BY_STATUS: Mapping[int, type[ConnectorError]] = {
    401: AuthFailed,
    403: AuthFailed,
    404: TargetMissing,
    408: Transient,
    409: Conflict,
    410: TargetMissing,
    413: Rejected,
    425: Transient,
    429: RateLimited,
}

_SCOPE_CODES = frozenset({"FORBIDDEN", "ACCESS_DENIED"})


def faults(content: bytes) -> list[Fault]:
    """Rows of an error body in any of its shapes; empty when the body is none of them."""
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        return _xml_faults(text)
    try:
        body = exact.loads(text)
    except exact.NotJson:
        return []
    return _json_faults(body)


def _json_faults(body: Any) -> list[Fault]:
    if not isinstance(body, Mapping):
        return []
    rows = body.get("errors") or body.get("error")
    if isinstance(rows, Mapping) and "error" in rows:
        rows = rows["error"]
    if isinstance(rows, Mapping):
        rows = [rows]
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return _oauth_fault(body)
    return [_fault(row) for row in rows if isinstance(row, Mapping)]


def _oauth_fault(body: Mapping[str, Any]) -> list[Fault]:
    """The token endpoint may also answer as RFC 6749 says: `{"error": "invalid_client"}`."""
    code = body.get("error")
    if not isinstance(code, str):
        return []
    return [Fault(code=code, description=str(body.get("error_description") or ""))]


def _fault(row: Mapping[str, Any]) -> Fault:
    return Fault(
        code=str(row.get("code") or ""),
        field=str(row.get("field") or ""),
        description=str(row.get("description") or row.get("message") or ""),
        info=str(row.get("info") or ""),
        category=str(row.get("category") or ""),
        severity=str(row.get("severity") or ""),
    )


def _xml_faults(text: bytes) -> list[Fault]:
    """The XML twin, namespaces ignored."""
    try:
        root = xml.parse(text, bytes_max=XML_ERROR_BYTES_MAX)
    except xml.NotXml:
        return []
    rows = [node for node in root.iter() if xml.local_name(node) == "error" and len(node)]
    return [_fault({xml.local_name(child): (child.text or "").strip() for child in row}) for row in rows]


def classify(answer: AnswerLike, call: CallLike) -> ConnectorError | None:
    """The decision an answer asks for, None for a good one.

    Safe to call for every answer, side by side. A 5xx or a time-out status on a write without a
    key is `InDoubt`: Walmart has no idempotency keys, so the order must be read first.
    """
    if 200 <= answer.status < 300:
        return None
    rows = faults(answer.content)
    first = rows[0] if rows else Fault(code=f"HTTP_{answer.status}", description="the body names no error")
    kind = _kind(answer.status, first)
    return _build(kind, first, answer, call)


def _kind(status: int, fault: Fault) -> type[ConnectorError]:
    if status in {401, 429}:
        return BY_STATUS[status]
    by_code = BY_CODE.get(fault.short_code)
    if by_code is not None:
        return by_code
    if fault.category == "SYSTEM" or status >= 500:
        return Transient
    return BY_STATUS.get(status, Rejected)


def _build(kind: type[ConnectorError], fault: Fault, answer: AnswerLike, call: CallLike) -> ConnectorError:
    message = f"Walmart answered {answer.status}: {fault.sentence}"
    code, status, correlation = fault.code, answer.status, answer.correlation_id
    if kind is RateLimited:
        wait = wait_s(answer.headers)
        return RateLimited(message, retry_after_s=wait, code=code, status=status, correlation_id=correlation)
    if kind is AuthFailed:
        scope = status == 403 or fault.short_code in _SCOPE_CODES
        reason = AuthReason.SCOPE if scope else AuthReason.CREDENTIALS
        return AuthFailed(message, reason=reason, code=code, status=status, correlation_id=correlation)
    if kind is Transient and call.write and not call.keyed:
        return InDoubt(message, code=code, status=status, correlation_id=correlation)
    return kind(message, code=code, status=status, correlation_id=correlation)


def wait_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait, from `Retry-After`, else from `X-Next-Replenishment-Time`; None when neither says.

    The replenishment time is epoch milliseconds on most endpoints and ISO 8601 on some.
    `now` is the moment of the answer; without it the answer's own `Date` header is taken, so a
    wrong clock here cannot turn into a wrong wait.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    after = lower.get("retry-after", "").strip()
    seconds = whole(after)
    if seconds is not None:
        return float(min(max(seconds, 0), RETRY_AFTER_MAX_S))
    at = _instant(lower.get("x-next-replenishment-time", "").strip() or after)
    moment = now or _http_date(lower.get("date", ""))
    if at is None or moment is None:
        return None
    return min(max((at - moment).total_seconds(), 0.0), RETRY_AFTER_MAX_S)


def _instant(text: str) -> datetime | None:
    number = whole(text)
    if number is not None:
        # Seconds have ten digits until the year 2286, milliseconds thirteen.
        return from_epoch(number / 1000 if len(text) >= 13 else number)
    return read_instant(text) or _http_date(text)


def _http_date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
