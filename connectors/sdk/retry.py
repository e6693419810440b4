"""The seconds-long retries of one call. Everything longer is a row with a due time in the engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from connectors.sdk.errors import Transient
from connectors.sdk.ports import Clock, Jitter

TRIES_MAX: Final = 3
SPAN_MAX_S: Final = 10.0
"""From the first try to the start of the last."""
LONGEST_WAITS_S: Final = (0.5, 2.0)
"""Upper bounds before the second and the third try; the wait is a random share of them."""
RETRY_AFTER_MAX_S: Final = 24 * 3600.0

_DIGITS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def retrying(clock: Clock, jitter: Jitter, *, repeatable: bool) -> AsyncRetrying:
    """Tries for one request; only reads and keyed writes are ever repeated, and only on `Transient`."""
    began_s = clock.monotonic()

    def wait(state: RetryCallState) -> float:
        longest_s = LONGEST_WAITS_S[min(state.attempt_number, len(LONGEST_WAITS_S)) - 1]
        return jitter() * longest_s

    def stop(state: RetryCallState) -> bool:
        elapsed_s = clock.monotonic() - began_s
        return state.attempt_number >= TRIES_MAX or elapsed_s + state.upcoming_sleep > SPAN_MAX_S

    def again(error: BaseException) -> bool:
        return repeatable and isinstance(error, Transient)

    sleep: Callable[[float], object] = clock.sleep
    return AsyncRetrying(sleep=sleep, wait=wait, stop=stop, retry=retry_if_exception(again), reraise=True)  # type: ignore[arg-type]


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from either form (seconds or an HTTP date), at most 24 h; None when unreadable.

    A date in the past means now. Source: RFC 9110 section 10.2.3 (June 2022); some vendors send
    fractions of a second, which are taken as meant.
    """
    text = (value or "").strip()
    if not text:
        return None
    if _DIGITS.fullmatch(text):
        return min(float(text), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), RETRY_AFTER_MAX_S)
