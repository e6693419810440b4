"""What Shopify's refusals mean: the one table from vendor error to decision.

Three layers, each with its own rows: the transport's status, the `errors` of a GraphQL answer
(which come with HTTP 200), and the `userErrors` of a mutation's payload. A mutation succeeded only
when all three are silent.
Source: shopify.dev/docs/api/usage/response-codes, docs/api/admin-graphql (status and error codes),
enum InventorySetQuantitiesUserErrorCode of the 2026-10 schema; read 2026-11-20.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

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

MAX_COST: Final = "MAX_COST_EXCEEDED"
_SCOPE: Final = re.compile(r"`?((?:read|write)_[a-z_]+)`?")
_WAIT_MIN_S: Final = 0.1


class _Throttle(msgspec.Struct):
    maximumAvailable: float | None = None  # noqa: N815 - the vendor's spelling
    currentlyAvailable: float | None = None  # noqa: N815
    restoreRate: float | None = None  # noqa: N815


class _Cost(msgspec.Struct):
    requestedQueryCost: float | None = None  # noqa: N815 - the vendor's spelling
    actualQueryCost: float | None = None  # noqa: N815
    throttleStatus: _Throttle | None = None  # noqa: N815


class _Extensions(msgspec.Struct):
    cost: _Cost | None = None


class _Frame(msgspec.Struct):
    """A GraphQL answer without its data, which is skipped unread."""

    errors: Any = None
    extensions: _Extensions | None = None


_FRAME: Final = msgspec.json.Decoder(_Frame)
_PLAIN: Final = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of one answer in points, and what the shop's bucket held after it."""

    requested: float | None = None
    maximum: float | None = None
    available: float | None = None
    restore_rate: float | None = None

    def wait_s(self) -> float | None:
        """Until a query of this price is affordable; None where the shop did not say enough."""
        if self.requested is None or self.available is None or not self.restore_rate:
            return None
        return max(_WAIT_MIN_S, (self.requested - self.available) / self.restore_rate)


def read_cost(content: bytes) -> Cost:
    """The cost extension of an answer, empty where there is none."""
    frame = _frame(content)
    cost = frame.extensions.cost if frame and frame.extensions else None
    if cost is None:
        return Cost()
    throttle = cost.throttleStatus or _Throttle()
    return Cost(cost.requestedQueryCost, throttle.maximumAvailable, throttle.currentlyAvailable, throttle.restoreRate)


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    """First the status, then the GraphQL errors of a good one. Never raises."""
    if "/graphql.json" not in call.target:
        return _by_download_status(answer, call)
    if not answer.ok:
        return _by_status(answer, call)
    frame = _frame(answer.content)
    if frame is None:
        return call.lost(f"{call.kind}: the answer is not GraphQL", **answer.facts("not_graphql"))
    if frame.errors:
        return _by_errors(frame.errors, answer, call)
    return None


# --- layer 1: transport ----------------------------------------------------------------------

_STATUS: Final[Mapping[int, tuple[AuthReason, str, str]]] = {
    401: (AuthReason.CREDENTIALS, "unauthorized", "the access token is not accepted"),
    402: (AuthReason.REVOKED, "shop_frozen", "the shop is frozen until its bill is paid"),
    403: (AuthReason.SCOPE, "forbidden", "the app may not do this, or the shop is closed to it"),
    404: (AuthReason.CREDENTIALS, "shop_not_found", "there is no such shop or API version"),
    423: (AuthReason.REVOKED, "shop_locked", "the shop is locked"),
}


def _by_status(answer: Answer, call: Call) -> ConnectorError:
    weather = by_status(answer, f"{call.kind}: shopify answered {answer.status}")
    if weather is not None:
        return weather
    if answer.status == 430:
        # Shopify's own number for traffic it finds suspicious; it passes by slowing down.
        return RateLimited(f"{call.kind}: shopify refuses the traffic", **answer.facts("security_rejection"))
    row = _STATUS.get(answer.status)
    if row is not None:
        reason, code, text = row
        return AuthFailed(f"{call.kind}: {text}", reason=reason, **answer.facts(code))
    return Rejected(f"{call.kind}: shopify answered {answer.status}", **answer.facts(f"http_{answer.status}"))


def _by_download_status(answer: Answer, call: Call) -> ConnectorError | None:
    """A bulk result lies behind a signed URL of a storage service that ends after seven days."""
    if answer.ok or answer.status == 416:
        return None
    weather = by_status(answer, f"{call.kind}: the storage answered {answer.status}")
    gone = TargetMissing(f"{call.kind}: the result is not there any more", **answer.facts("result_gone"))
    return weather or gone


# --- layer 2: GraphQL errors -----------------------------------------------------------------


def _by_errors(errors: Any, answer: Answer, call: Call) -> ConnectorError:
    """The gravest of several: a throttled answer is throttled whatever else it says."""
    named = [_named(error) for error in errors] if isinstance(errors, list) else [("", str(errors))]
    for code, message in sorted(named, key=lambda entry: _GRAVITY.get(entry[0].upper(), len(_GRAVITY))):
        return _by_code(code.upper() or "GRAPHQL_ERROR", message, answer, call)
    return Rejected(f"{call.kind}: an error without a word", **answer.facts("GRAPHQL_ERROR"))


def _named(error: Any) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "", str(error)
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return str(code or ""), str(error.get("message") or "")


def _throttled(message: str, answer: Answer, call: Call) -> ConnectorError:
    wait_s = answer.retry_after_s if answer.retry_after_s is not None else read_cost(answer.content).wait_s()
    return RateLimited(f"{call.kind}: {message}", retry_after_s=wait_s, **answer.facts("THROTTLED"))


def _denied(message: str, answer: Answer, call: Call) -> ConnectorError:
    scope = _SCOPE.search(message)
    need = f"scope {scope.group(1)} is missing" if scope else "a scope or an approval for protected data is missing"
    return AuthFailed(f"{call.kind}: {need}", reason=AuthReason.SCOPE, **answer.facts("ACCESS_DENIED"))


def _inactive(message: str, answer: Answer, call: Call) -> ConnectorError:
    return AuthFailed(f"{call.kind}: {message}", reason=AuthReason.REVOKED, **answer.facts("SHOP_INACTIVE"))


def _lost(message: str, answer: Answer, call: Call) -> ConnectorError:
    return call.lost(f"{call.kind}: {message}", **answer.facts("INTERNAL_SERVER_ERROR"))


def _missing(message: str, answer: Answer, call: Call) -> ConnectorError:
    return TargetMissing(f"{call.kind}: {message}", **answer.facts("NOT_FOUND"))


def _busy(message: str, answer: Answer, call: Call) -> ConnectorError:
    return Transient(f"{call.kind}: {message}", **answer.facts("IDEMPOTENCY_CONCURRENT_REQUEST"))


def _conflict(code: str) -> Callable[[str, Answer, Call], ConnectorError]:
    def make(message: str, answer: Answer, call: Call) -> ConnectorError:
        return Conflict(f"{call.kind}: {message}", **answer.facts(code))

    return make


_ERRORS: Final[Mapping[str, Callable[[str, Answer, Call], ConnectorError]]] = {
    "THROTTLED": _throttled,
    "INTERNAL_SERVER_ERROR": _lost,
    "TIMEOUT": _lost,
    "SHOP_INACTIVE": _inactive,
    "ACCESS_DENIED": _denied,
    "NOT_FOUND": _missing,
    "IDEMPOTENCY_CONCURRENT_REQUEST": _busy,
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": _conflict("IDEMPOTENCY_KEY_PARAMETER_MISMATCH"),
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": _conflict("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"),
}
_GRAVITY: Final = {code: rank for rank, code in enumerate(_ERRORS)}


def _by_code(code: str, message: str, answer: Answer, call: Call) -> ConnectorError:
    make = _ERRORS.get(code)
    if make is not None:
        return make(message, answer, call)
    # BAD_REQUEST, INVALID_VARIABLE, undefinedField and their kind: the request was understood and
    # refused, and the same request will be refused again.
    return Rejected(f"{call.kind}: {message}"[:300], **answer.facts(code))


# --- layer 3: userErrors ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UserError:
    """One line of `userErrors`; `code` is "" where the mutation has none, `index` an input's place."""

    code: str
    message: str
    field: tuple[str, ...] = ()

    @property
    def index(self) -> int | None:
        """The place in the list that was sent (`input.quantities.3.locationId` → 3)."""
        return next((int(part) for part in self.field if part.isascii() and part.isdigit()), None)

    def __str__(self) -> str:
        where = ".".join(self.field)
        return f"{self.message} ({where})" if where else self.message


def user_errors(payload: Any) -> list[UserError]:
    """The `userErrors` of a mutation's payload; a null payload is an error of its own."""
    if not isinstance(payload, dict):
        return [UserError("NO_PAYLOAD", "shopify gave no payload for the mutation")]
    found = payload.get("userErrors") or []
    return [
        UserError(
            code=str(error.get("code") or ""),
            message=str(error.get("message") or "refused without a word"),
            field=tuple(str(part) for part in error.get("field") or ()),
        )
        for error in found
    ]


STALE: Final = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
_NEW_KEY: Final = frozenset({"IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"})
_GONE: Final = frozenset({"INVALID_INVENTORY_ITEM", "INVALID_LOCATION", "NOT_FOUND"})


def by_user_error(error: UserError, kind: str, correlation_id: str | None = None) -> ConnectorError:
    """The decision for one user error.

    Stale and spent keys are conflicts: read again, compute again, and go with a new key. A request
    with the same key still under way is weather. What names a thing that is not there is missing.
    Everything else was understood and refused.
    """
    message = f"{kind}: {error}"[:300]
    facts: dict[str, Any] = {"code": error.code or "user_error", "status": 200, "correlation_id": correlation_id}
    if error.code in STALE or error.code in _NEW_KEY:
        return Conflict(message, **facts)
    if error.code == "IDEMPOTENCY_CONCURRENT_REQUEST":
        return Transient(message, **facts)
    if error.code in _GONE:
        return TargetMissing(message, **facts)
    return Rejected(message, **facts)


def raise_user_errors(payload: Any, kind: str, correlation_id: str | None = None) -> None:
    """Raise the first user error of a mutation that has one intent only."""
    for error in user_errors(payload):
        raise by_user_error(error, kind, correlation_id)


def texts(errors: Sequence[UserError]) -> str:
    return "; ".join(str(error) for error in errors)


def _frame(content: bytes) -> _Frame | None:
    """The answer's frame; odd extensions do not make a good answer bad."""
    try:
        return _FRAME.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        plain = _PLAIN.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _Frame(errors=plain.get("errors")) if isinstance(plain, dict) else None
