"""Every class of the errors table leads to exactly its decision."""

import pytest

from canonical.errors import InvariantBroken, MappingError
from connectors.sdk.clock import FixedJitter
from connectors.sdk.errors import (
    AuthFailed,
    Conflict,
    InDoubt,
    RateLimited,
    Rejected,
    SignatureInvalid,
    TargetMissing,
    Transient,
)
from hub.delivery.decision import Action, decide

HALF = FixedJitter(0.5)

TABLE = [
    (Transient("x", code="503"), Action.RETRY, True, "Transient"),
    (RateLimited("x", retry_after_s=9.0), Action.HOLD_LANE, False, "RateLimited"),
    (AuthFailed("x"), Action.HOLD_ACCOUNT, False, "AuthFailed"),
    (Rejected("x", code="bad"), Action.QUARANTINE, True, "Rejected"),
    (TargetMissing("x"), Action.QUARANTINE, True, "TargetMissing"),
    (InDoubt("x"), Action.SETTLE, True, "InDoubt"),
    (MappingError("x"), Action.QUARANTINE, True, "MappingError"),
    (Conflict("x"), Action.REDO, False, "Conflict"),
    (InvariantBroken("x"), Action.STOP, False, "InvariantBroken"),
    (SignatureInvalid("x"), Action.STOP, False, "SignatureInvalid"),
    (KeyError("x"), Action.STOP, False, "KeyError"),
]


@pytest.mark.parametrize(("error", "action", "burns", "heading"), TABLE, ids=lambda value: type(value).__name__)
def test_the_table(error: Exception, action: Action, burns: bool, heading: str) -> None:
    """One row per class: what is done, whether a try is used up, under which heading it is found."""
    decision = decide(error, failed_tries=0, jitter=HALF)
    assert (decision.action, decision.burns_attempt, decision.heading) == (action, burns, heading)


def test_transient_follows_the_schedule_and_then_parks() -> None:
    """The n-th failure waits the n-th step; the last one quarantines instead of dropping."""
    waits = [decide(Transient("x"), failed_tries=n, jitter=HALF).delay_s for n in range(10)]
    assert waits == [2.5, 30, 150, 900, 3_600, 9_000, 18_000, 25_200, 36_000, 43_200]
    last = decide(Transient("x"), failed_tries=10, jitter=HALF)
    assert (last.action, last.code) == (Action.QUARANTINE, "schedule_used_up")


def test_a_probe_uses_nothing_up() -> None:
    """While the circuit is open a failed probe leaves the schedule where it is."""
    for _ in range(50):
        decision = decide(Transient("x"), failed_tries=10, jitter=HALF, retry_while_open=True)
        assert decision.action is Action.RETRY
        assert not decision.burns_attempt


def test_conflict_is_redone_three_times_and_then_spaced_out() -> None:
    """A value that keeps moving is not raced for ever."""
    actions = [decide(Conflict("x"), failed_tries=0, jitter=HALF, redos=n).action for n in range(5)]
    assert actions == [Action.REDO, Action.REDO, Action.REDO, Action.RETRY, Action.RETRY]


def test_rate_limited_says_how_long_the_lane_rests() -> None:
    """The vendor's number is passed on untouched."""
    assert decide(RateLimited("x", retry_after_s=12.5), failed_tries=3, jitter=HALF).delay_s == 12.5
