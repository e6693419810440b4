"""The retry schedule is the published list, jittered in full, and Retry-After is obeyed."""

import pytest

from connectors.sdk.clock import FixedJitter, SeededJitter
from hub.delivery.schedule import RETRY_AFTER_MAX_S, RETRY_STEPS_S, TRIES_MAX, delay_s, refusal_hold_s


def almost_one() -> float:
    return 0.999_999_999


def test_eleven_tries_over_seventy_five_hours() -> None:
    """The list is the one operators read in the documentation."""
    minutes, hours = 60, 3_600
    listed = (0, 5, minutes, 5 * minutes, 30 * minutes, 2 * hours, 5 * hours, 10 * hours, 14 * hours, 20 * hours)
    assert (*listed, 24 * hours) == RETRY_STEPS_S
    assert TRIES_MAX == 11
    assert sum(RETRY_STEPS_S) == 75 * hours + 36 * minutes + 5


@pytest.mark.parametrize("failed", range(11))
def test_each_wait_stays_inside_its_step(failed: int) -> None:
    """Full jitter spreads over the whole step and never beyond it."""
    waits = [delay_s(failed, SeededJitter(seed)) for seed in range(200)]
    step = RETRY_STEPS_S[failed]
    assert all(wait is not None and 0.0 <= wait <= step for wait in waits)
    if step:
        spread = [wait for wait in waits if wait is not None]
        assert min(spread) < 0.1 * step
        assert max(spread) > 0.9 * step


def test_the_schedule_ends() -> None:
    """After the eleventh failure there is no twelfth try."""
    assert delay_s(10, almost_one) is not None
    assert delay_s(11, almost_one) is None
    assert delay_s(500, almost_one) is None


@pytest.mark.parametrize(("asked", "held"), [(0.0, 0.0), (0.25, 0.25), (37.0, 37.0), (1e9, RETRY_AFTER_MAX_S)])
def test_the_vendors_own_wait_is_obeyed_exactly(asked: float, held: float) -> None:
    """Retry-After wins over everything but the cap of a day."""
    assert refusal_hold_s(asked, 7) == held


def test_bare_refusals_back_off() -> None:
    """Without Retry-After the rest doubles up to a minute."""
    assert [refusal_hold_s(None, n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert refusal_hold_s(None, 10_000) == 60


def test_jitter_is_passed_in() -> None:
    """The same jitter gives the same wait: a seed replays a failure."""
    assert delay_s(2, FixedJitter(0.5)) == 30.0
