"""When a carrier is asked next: what matters soonest, nights left alone, and an end to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.tracking.polling import FIRST, MOVING, QUIET, SOON, Seen, asking, calls_a_day
from hub.tracking.quota import Quota

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def seen(milestone: Any, **changes: Any) -> Seen:
    fields: dict[str, Any] = {"opened_at": NOW - 2 * DAY, "moved_at": NOW - HOUR, "heard_at": NOW - HOUR}
    return replace(Seen(milestone=milestone, **fields), **changes)


def test_a_new_parcel_is_asked_about_at_once() -> None:
    """Nobody has heard of it, so there is nothing to wait for."""
    found = asking(Seen(opened_at=NOW, milestone=None), NOW)
    assert (found.at, found.rank, found.closed) == (NOW, QUIET, "")


@pytest.mark.parametrize(
    ("state", "rank", "span"),
    [
        (seen("in_transit"), MOVING, 5 * HOUR),
        (seen("out_for_delivery"), FIRST, timedelta(minutes=45)),
        (seen("delivery_attempted"), SOON, 6 * HOUR),
        (seen("in_transit", condition="damaged"), FIRST, 5 * HOUR),
        (seen("in_transit", condition="handed_to_partner"), MOVING, 5 * HOUR),
        (seen("in_transit", expected_on=date(2026, 11, 20)), FIRST, timedelta(minutes=45)),
        (seen("in_transit", expected_on=date(2026, 11, 10)), MOVING, 5 * HOUR),
        (seen("in_transit", told_at=NOW - HOUR), MOVING, DAY),
        (seen("in_transit", watched=True), MOVING, DAY),
        (seen("out_for_delivery", watched=True), FIRST, 6 * HOUR),
        (seen("label_created", opened_at=NOW - 4 * DAY), QUIET, DAY),
        (seen("returning"), QUIET, DAY),
        (seen("unknown", nothing=3, asked_at=NOW - HOUR), QUIET, 2 * HOUR),
        (seen("unknown", nothing=9, asked_at=NOW - HOUR), QUIET, 12 * HOUR),
    ],
)
def test_how_much_it_matters_and_how_soon(state: Seen, rank: int, span: timedelta) -> None:
    """The span counts from the last time anybody asked or told."""
    found = asking(state, NOW)
    assert (found.rank, found.at) == (rank, NOW - HOUR + span)


def test_nothing_urgent_is_asked_at_night_there() -> None:
    """By the clock of the place it was scanned last; what moves is asked about day and night."""
    night = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    state = seen("out_for_delivery", heard_at=night - HOUR, offset=timedelta(hours=-5))
    assert asking(state, night).at == datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
    moving = seen("in_transit", heard_at=night - HOUR, offset=timedelta(hours=-5))
    assert asking(moving, night).at == night + 4 * HOUR


def test_the_morning_of_the_day_it_is_due_comes_first() -> None:
    """A parcel that is pushed is asked about on the morning it is to arrive, whatever the rhythm says."""
    state = seen("in_transit", told_at=NOW - HOUR, expected_on=date(2026, 11, 21), offset=timedelta(hours=1))
    found = asking(state, NOW)
    assert (found.rank, found.at) == (FIRST, datetime(2026, 11, 21, 7, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("state", "closed"),
    [
        (seen("returned"), "returned"),
        (seen("cancelled"), "cancelled"),
        (seen("failed"), "failed"),
        (seen("in_transit", opened_at=NOW - 121 * DAY), "old"),
        (seen("in_transit", opened_at=NOW - 60 * DAY, moved_at=NOW - 46 * DAY), "silent"),
        (seen("unknown", opened_at=NOW - 11 * DAY, nothing=8), "not_found"),
        (seen("delivered", delivered_at=NOW - 8 * DAY), "delivered"),
        (seen("delivered", delivered_at=NOW - 2 * DAY, asked_at=NOW - DAY + HOUR), "delivered"),
    ],
)
def test_it_ends(state: Seen, closed: str) -> None:
    """A closed parcel has no next time."""
    found = asking(state, NOW)
    assert (found.closed, found.at) == (closed, None)


def test_a_delivery_is_looked_at_once_more() -> None:
    """A day later, because carriers take wrong ones back by then."""
    found = asking(seen("delivered", delivered_at=NOW - HOUR), NOW)
    assert (found.closed, found.at) == ("", NOW + 23 * HOUR)


def test_wanted_calls_fall_with_the_rank() -> None:
    """What matters more is asked about more often."""
    wishes = [calls_a_day(rank) for rank in (FIRST, MOVING, SOON, QUIET)]
    assert wishes == sorted(wishes, reverse=True)


@given(
    calls=st.integers(1, 20),
    window_s=st.sampled_from([60, 3_600, 86_400]),
    steps=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 3)), max_size=60),
)
def test_no_window_ever_holds_more_calls_than_the_quota(
    calls: int, window_s: int, steps: list[tuple[float, int]]
) -> None:
    """Spending whatever is left at any pace, every window of that length stays within the quota."""
    quota = Quota(calls, timedelta(seconds=window_s))
    now = NOW
    made: list[datetime] = []
    for share, wanted in steps:
        now += timedelta(seconds=share * window_s)
        spent = min(wanted, quota.left(now))
        quota = quota.after(spent, now)
        made += [now] * spent
    for begin in made:
        assert sum(begin <= at < begin + quota.window for at in made) <= calls
    assert len(quota.spent) <= 62
