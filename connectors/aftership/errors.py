"""AfterShip's errors, sorted once into the decisions of `connectors.sdk.errors`.

Every answer has `{"meta": {"code", "type", "message"}, "data"}`; the code is the status or a number of
AfterShip's own. That a tracking is there already is no error to whoever wants it there.

Source: AfterShip tracking SDK for Python, error list (2026-11); aftership.com/docs/tracking, rate limit (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, TargetMissing
from connectors.sdk.whole import whole

EXISTS: Final = 4003
# What a code of AfterShip's own means where its status says less; the others are refused.
BY_CODE: Final[Mapping[int, type[ConnectorError]]] = {4004: TargetMissing}
# What is left is decided by weather and limits: 429, 408 and 5xx as everywhere, any other 4xx is refused.
BY_STATUS: Final[Mapping[int, AuthReason]] = {
    401: AuthReason.CREDENTIALS,
    402: AuthReason.SCOPE,
    403: AuthReason.SCOPE,
}
REMEDY: Final = "; permit Tracking to the API key at organization.automizely.com/api-keys"
RESET_HEADER: Final = "x-ratelimit-reset"
RESET_MAX_S: Final = 300.0
"""The window is a second; anything far beyond it is no wait."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The `meta` of an answer; 0 and an empty text where there is none."""

    code: int = 0
    message: str = ""


def fault_of(answer: Answer) -> Fault:
    body = answer.json_or_none()
    meta = body.get("meta") if isinstance(body, Mapping) else None
    if not isinstance(meta, Mapping):
        return Fault()
    said = meta.get("message") or meta.get("type")
    return Fault(whole(meta.get("code")) or 0, said.strip() if isinstance(said, str) else "")


def classify(answer: Answer, call: Call) -> ConnectorError | None:  # noqa: ARG001 - every call may be repeated
    """The decision an answer asks for, None for a good one."""
    fault = fault_of(answer)
    if answer.ok or (answer.status == 400 and fault.code == EXISTS):
        return None
    message = f"AfterShip answered {answer.status}: {fault.message or 'the body names no error'}"
    code = str(fault.code) if fault.code else f"HTTP_{answer.status}"
    facts = answer.facts(code)
    if answer.status == 429:
        return RateLimited(message, retry_after_s=_wait_s(answer), **facts)
    reason = BY_STATUS.get(answer.status)
    if reason is not None:
        return AuthFailed(message + (REMEDY if reason is AuthReason.SCOPE else ""), reason=reason, **facts)
    if answer.status == 404:
        return TargetMissing(message, **facts)
    return by_status(answer, message, code) or BY_CODE.get(fault.code, Rejected)(message, **facts)


def _wait_s(answer: Answer) -> float | None:
    """Until the moment stated, as the answer's own clock has it: ours may be ahead or behind."""
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    reset = whole(answer.header(RESET_HEADER))
    if reset is None:
        return None
    try:
        answered = parsedate_to_datetime(answer.header("date") or "").timestamp()
    except (TypeError, ValueError):
        return 1.0
    return min(max(1.0, reset - answered), RESET_MAX_S)
