"""When a published number is read back, and what the reading proves."""

from __future__ import annotations

from enum import StrEnum

READ_AGES_S: tuple[float, ...] = (3.0, 10.0, 30.0, 90.0)
"""Ages of a push at which it is read back until it matches.

Vendors answer reads from replicas that lag their writes, so an early mismatch is late, not wrong.
"""

DRIFT_AGE_S = READ_AGES_S[-1]
"""A mismatch on a push this old is drift: nothing is on its way any more."""

UNREADABLE_RESEND_S = 600.0
"""A push whose answer was lost is sent again after this long where the channel cannot be read."""


class Verdict(StrEnum):
    """`LATE`: unlike what was sent, but too early to call."""

    VERIFIED = "verified"
    LATE = "late"
    DRIFTED = "drifted"
    MISSING = "missing"
    UNTRACKED = "untracked"


def judge(*, sent: int | None, shown: int | None, missing: bool, age_s: float) -> Verdict:
    """Compare what the channel shows with what it was sent, `age_s` after the answer."""
    if missing:
        return Verdict.MISSING if age_s >= DRIFT_AGE_S else Verdict.LATE
    if shown is None:
        return Verdict.UNTRACKED
    if shown == sent:
        return Verdict.VERIFIED
    return Verdict.DRIFTED if age_s >= DRIFT_AGE_S else Verdict.LATE


def next_read_s(age_s: float) -> float:
    """Seconds until the next read of a push that did not match at `age_s`."""
    return next((at - age_s for at in READ_AGES_S if at > age_s), READ_AGES_S[-1] - READ_AGES_S[-2])


def receipt_wait_s(rhythm: tuple[float, ...], age_s: float) -> float:
    """Seconds from `age_s` to the next question about a queued batch; the last wait repeats."""
    at = 0.0
    for wait in rhythm:
        at += wait
        if at > age_s:
            return at - age_s
    return rhythm[-1]
