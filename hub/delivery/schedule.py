"""The visible list of waits between tries of one piece of outward work."""

from __future__ import annotations

from connectors.sdk.ports import Jitter

RETRY_STEPS_S: tuple[int, ...] = (0, 5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Longest wait before try 1, 2, 3, …: eleven tries over 75 h 36 min."""

RETRY_AFTER_MAX_S = 86_400.0
"""A vendor may ask for more than a day; a day later it is asked again."""

TRIES_MAX = len(RETRY_STEPS_S)

# A refusal without Retry-After: the wait doubles with every such refusal in a row.
BARE_REFUSAL_FIRST_S = 1.0
BARE_REFUSAL_MAX_S = 60.0


def delay_s(failed_tries: int, jitter: Jitter) -> float | None:
    """Wait before the next try after `failed_tries` failures; None when the schedule is used up.

    Full jitter: anywhere between zero and the listed step, so that work which failed together
    does not come back together.
    """
    if failed_tries >= TRIES_MAX:
        return None
    return RETRY_STEPS_S[failed_tries] * jitter()


def refusal_hold_s(retry_after_s: float | None, refusals_in_a_row: int) -> float:
    """How long a lane rests after `RateLimited`. The vendor's own number is obeyed exactly.

    `refusals_in_a_row` counts refusals without a number, this one included.
    """
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), RETRY_AFTER_MAX_S)
    doubled = BARE_REFUSAL_FIRST_S * 2.0 ** min(max(refusals_in_a_row - 1, 0), 16)
    return min(doubled, BARE_REFUSAL_MAX_S)
