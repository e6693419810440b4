"""The circuit follows its timetable: when it opens, when it probes, when it closes."""

from connectors.sdk.errors import AuthFailed, RateLimited, Rejected, Transient
from hub.delivery.breaker import Breaker, Circuit
from hub.delivery.gate import Gate


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(20):
        breaker.record(good=False, now=at)
    assert breaker.circuit is Circuit.OPEN
    return breaker


def test_opens_at_half_of_twenty_calls() -> None:
    """Nineteen failures are too few to judge; ten of twenty are enough; nine of twenty are not."""
    few = Breaker()
    for _ in range(19):
        few.record(good=False, now=0.0)
    assert few.circuit is Circuit.CLOSED

    for failures, expected in ((9, Circuit.CLOSED), (10, Circuit.OPEN)):
        breaker = Breaker()
        for number in range(20):
            breaker.record(good=number >= failures, now=float(number))
        assert breaker.circuit is expected, failures


def test_old_calls_are_forgotten() -> None:
    """Only the last sixty seconds count."""
    breaker = Breaker()
    for _ in range(15):
        breaker.record(good=False, now=0.0)
    for _ in range(10):
        breaker.record(good=False, now=61.0)
    assert breaker.circuit is Circuit.CLOSED


def test_probe_timetable_doubles_to_ten_minutes() -> None:
    """One probe after 30 s, then 60, 120, 240, 480, 600, 600 while probes fail."""
    breaker, now, waits = opened(), 0.0, []
    for _ in range(7):
        wait = breaker.wait_s(now)
        assert not breaker.admit(now + wait - 0.001)
        now += wait
        waits.append(wait)
        assert breaker.admit(now)
        assert not breaker.admit(now), "one probe at a time"
        breaker.record(good=False, now=now)
    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_three_good_probes_close_it() -> None:
    """Two are not enough, and a bad one between starts the count anew."""
    breaker, now = opened(), 0.0
    for good in (True, True, False, True, True, True):
        assert breaker.circuit is not Circuit.CLOSED
        now += breaker.wait_s(now)
        assert breaker.admit(now)
        breaker.record(good=good, now=now)
    assert breaker.circuit is Circuit.CLOSED
    assert breaker.wait_s(now) == 0.0


def test_a_withdrawn_probe_can_be_taken_by_another() -> None:
    """A probe that was never made, or told nothing, does not shut the gate for ever."""
    breaker = opened()
    assert breaker.admit(30.0)
    breaker.withdraw()
    assert breaker.admit(30.0)


def test_stragglers_do_not_count_as_probes() -> None:
    """An answer to a call from before the opening neither closes nor postpones anything."""
    breaker = opened()
    before = breaker.wait_s(1.0)
    breaker.record(good=True, now=1.0)
    assert breaker.wait_s(1.0) == before


def test_refusals_are_answers() -> None:
    """Quota, credentials and refused items prove that the vendor is there."""
    gate = Gate()
    for error in (RateLimited("x", retry_after_s=0.0), AuthFailed("x"), Rejected("x")):
        for _ in range(40):
            assert gate.admit("level", 0.0)
            gate.report("level", error, 0.0)
    assert gate.breaker.circuit is Circuit.CLOSED


def test_a_refused_lane_rests_alone() -> None:
    """Retry-After holds its lane for exactly that long; other lanes go on."""
    gate = Gate()
    assert gate.admit("level", 0.0)
    gate.report("level", RateLimited("x", retry_after_s=12.0), 0.0)
    assert gate.wait_s("level", 0.0) == 12.0
    assert not gate.admit("level", 11.9)
    assert gate.admit("read", 0.0)
    assert gate.admit("level", 12.0)


def test_failing_since_the_first_failure_without_success() -> None:
    """The clock of the long-outage alert starts with the first failure and stops with any success."""
    gate = Gate()
    for now in (10.0, 20.0):
        gate.admit("level", now)
        gate.report("level", Transient("x"), now)
    assert gate.breaker.failing_for_s(50.0) == 40.0
    gate.admit("level", 60.0)
    gate.report("level", None, 60.0)
    assert gate.breaker.failing_for_s(70.0) == 0.0
