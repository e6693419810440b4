"""A parcel's state is the fold of its events by when they happened, whatever the order they came in."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.tracking import entered, folded, merged
from tests.support.scans import latest, scan

LABEL = scan("label_created", "2026-11-01T08:00:00Z")
PICKED = scan("picked_up", "2026-11-01T18:00:00Z")
MOVING = scan("in_transit", "2026-11-02T10:00:00Z")
OUT = scan("out_for_delivery", "2026-11-03T08:00:00Z")
DONE = scan("delivered", "2026-11-03T15:00:00Z", signed_by="J. Example")


def test_order_of_arrival_does_not_matter() -> None:
    """Every permutation of the same events folds to the same state."""
    expected = folded([LABEL, PICKED, MOVING, OUT, DONE])
    assert expected.milestone == "delivered"
    for order in permutations([LABEL, PICKED, MOVING, OUT, DONE]):
        assert folded(order) == expected


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_sending_again_changes_nothing(data: st.DataObject) -> None:
    """A history re-sent in part and in any order folds as if told once."""
    events = [LABEL, PICKED, MOVING, OUT, DONE]
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    assert folded([*events, *again]) == folded(events)


def test_a_resend_with_other_words_is_the_same_event() -> None:
    """The key leaves out texts and UTC, which providers change from one telling to the next."""
    first = scan("in_transit", "2026-11-02T10:00:00Z", text_raw="Departed", local_time="2026-11-02T05:00:00")
    again = scan("in_transit", "2026-11-02T11:00:00Z", text_raw="Left facility", local_time="2026-11-02T05:00:00")
    assert len(merged([first, again])) == 1
    assert len(merged([first, scan("in_transit", "2026-11-02T10:00:00Z", city="Reno")])) == 2


def test_the_last_telling_of_an_event_counts() -> None:
    """A replay with a corrected mapping corrects what was stored, in whichever order the two are read."""
    wrong = scan(None, "2026-11-02T10:00:00Z", code_raw="OF")
    right = scan("out_for_delivery", "2026-11-02T10:00:00Z", code_raw="OF", received="2026-11-21T12:00:00Z")
    for told in ([wrong, right], [right, wrong]):
        (event,) = merged(told)
        assert (event.milestone, event.source.received_at) == ("out_for_delivery", wrong.source.received_at)


def test_a_condition_never_moves_the_milestone() -> None:
    """Trouble is shown beside where the parcel is and ends with the next move."""
    trouble = scan(None, "2026-11-02T12:00:00Z", condition="weather", action_required=True)
    state = folded([LABEL, MOVING, trouble])
    assert (state.milestone, state.condition, state.action_required) == ("in_transit", "weather", True)
    assert folded([LABEL, MOVING, trouble, OUT]).condition is None


def test_a_forecast_moves_nothing_back() -> None:
    """ "Arriving on time", said while the parcel is out for delivery or damaged, changes neither."""
    damaged = scan(None, "2026-11-03T09:00:00Z", condition="damaged")
    forecast = scan("in_transit", "2026-11-03T10:00:00Z", attributes={"forecast": True})
    state = folded([OUT, damaged, forecast])
    assert (state.milestone, state.condition) == ("out_for_delivery", "damaged")
    assert folded([LABEL, forecast]).milestone == "in_transit"


def test_a_code_that_says_nothing_keeps_everything() -> None:
    """An unknown code is history only."""
    state = folded([MOVING, scan(None, "2026-11-02T12:00:00Z", code_raw="ZZ")])
    assert (state.milestone, state.condition, len(state.history)) == ("in_transit", None, 2)


def test_a_late_scan_does_not_revoke_a_delivery() -> None:
    """Scans dated after the delivery are history; only the latest-status block takes a delivery back."""
    assert folded([OUT, DONE, scan("in_transit", "2026-11-04T09:00:00Z")]).milestone == "delivered"
    assert folded([OUT, DONE, scan(None, "2026-11-04T09:00:00Z", condition="damaged")]).condition is None


def test_the_latest_status_block_corrects_a_wrong_delivery() -> None:
    """The carrier's own summary, told later, wins over a scan, and the correction is visible."""
    wrong = folded([OUT, DONE])
    block = latest("in_transit", received="2026-11-21T12:00:00Z", digest="d2")
    state = folded([OUT, DONE, block])
    assert (state.milestone, state.corrected, state.delivered_at) == ("in_transit", True, None)
    assert entered(wrong, state) == ("in_transit",)
    delivered = scan("delivered", "2026-11-22T10:00:00Z", received="2026-11-22T10:05:00Z", digest="d3")
    final = folded([OUT, DONE, block, delivered])
    assert (final.milestone, final.corrected) == ("delivered", False)
    assert entered(state, final) == ("delivered",)


def test_a_delivery_after_a_wrong_one_is_when_it_was_delivered() -> None:
    """Delivered, moved on, delivered: the second counts as soon as it is told, and still once the summary agrees."""
    block = latest("out_for_delivery", "2026-11-05T08:00:00Z", received="2026-11-21T12:00:00Z", digest="d2")
    moved = scan("out_for_delivery", "2026-11-05T08:00:00Z", received="2026-11-21T12:00:00Z", digest="d2")
    again = scan("delivered", "2026-11-05T10:00:00Z", received="2026-11-21T14:00:00Z", digest="d3")
    summary = latest("delivered", "2026-11-05T10:00:00Z", received="2026-11-21T14:00:00Z", digest="d3")
    for told in ([OUT, DONE, moved, block, again], [OUT, DONE, moved, again, summary]):
        state = folded(told)
        assert (state.milestone, state.corrected, state.delivered_at) == ("delivered", False, "2026-11-05T10:00:00Z")
    late = scan("in_transit", "2026-11-04T09:00:00Z")
    assert folded([OUT, DONE, late, latest("delivered")]).delivered_at == folded([OUT, DONE]).delivered_at


def test_a_block_of_a_source_that_lags_corrects_nothing() -> None:
    """An aggregator that has not heard of the delivery does not deny it."""
    behind = [
        scan("in_transit", "2026-11-02T10:00:00Z", connector="easypost", digest="e1", received="2026-11-21T12:00:00Z"),
        latest("in_transit", connector="easypost", digest="e1", received="2026-11-21T12:00:00Z"),
    ]
    assert folded([OUT, DONE, *behind]).milestone == "delivered"


def test_events_after_the_block_move_on_from_it() -> None:
    """A push that tells of something newer than the last poll is believed; one that comes late is not."""
    block = latest("in_transit", "2026-11-02T10:00:00Z")
    push = scan("out_for_delivery", "2026-11-21T08:00:00Z", received="2026-11-21T08:01:00Z", digest="d2")
    assert folded([MOVING, block, push]).milestone == "out_for_delivery"
    late = scan("picked_up", "2026-11-01T18:00:00Z", received="2026-11-21T08:01:00Z", digest="d2")
    assert folded([MOVING, block, late]).milestone == "in_transit"


@pytest.mark.parametrize("milestone", [None, "unknown"])
def test_a_block_that_knows_nothing_unmakes_nothing(milestone: str | None) -> None:
    """A carrier that forgets an old parcel leaves what it said before."""
    block = latest(milestone, received="2026-11-21T12:00:00Z", digest="d2")
    assert folded([OUT, DONE, block]).milestone == "delivered"
    assert folded([latest("unknown")]).milestone == "unknown"


def test_a_lost_parcel_may_turn_up() -> None:
    """Failed and cancelled end the waiting, not the parcel."""
    lost = scan("failed", "2026-11-03T09:00:00Z", condition="lost")
    assert folded([MOVING, lost]).is_terminal
    assert folded([MOVING, lost, scan("delivered", "2026-11-09T09:00:00Z")]).milestone == "delivered"


def test_a_day_without_a_time_stands_after_what_precedes_it() -> None:
    """A pick-up known by its day alone comes after the label printed on that day, before the first arrival."""
    picked = scan("picked_up", "2026-11-01")
    assert folded([picked, LABEL]).milestone == "picked_up"
    arrived = scan("in_transit", "2026-11-01T23:00:00Z")
    state = folded([arrived, picked, LABEL])
    assert [event.update.milestone for event in state.history] == ["label_created", "picked_up", "in_transit"]
    assert state.reached["picked_up"] == "2026-11-01"


def test_a_time_without_an_offset_is_ordered_and_never_invented() -> None:
    """It borrows an offset to be ordered by, and is shown as the local time it is."""
    known = scan("in_transit", "2026-11-02T10:00:00Z", local_time="2026-11-02T02:00:00", city="Reno")
    naive = scan("out_for_delivery", None, local_time="2026-11-02T03:00:00", city="Reno")
    state = folded([naive, known])
    assert (state.milestone, state.at, state.local_time) == ("out_for_delivery", None, "2026-11-02T03:00:00")
    assert state.reached["out_for_delivery"] == "2026-11-02T03:00:00"


def test_clocks_ahead_of_utc_that_name_no_offset_keep_their_order() -> None:
    """Told of at five past noon there, five past eleven in UTC: neither scan is of the future, the later is last."""
    heard = {"received": "2026-11-04T11:05:00Z"}
    arrived = scan("in_transit", local_time="2026-11-04T11:10:00", **heard)
    out = scan("out_for_delivery", local_time="2026-11-04T12:00:00", **heard)
    state = folded([out, arrived])
    assert (state.milestone, state.at) == ("out_for_delivery", None)
    assert [event.oddity for event in state.history] == [None, None]
    far = scan("in_transit", local_time="2026-11-06T12:00:00", **heard)
    assert [event.oddity for event in folded([arrived, far]).history].count("in_the_future") == 1


def test_impossible_times_are_kept_and_marked() -> None:
    """An event from the future does not hide what comes after it, and one long before the label is marked."""
    future = scan("in_transit", "2027-05-01T00:00:00Z", received="2026-11-02T12:00:00Z")
    state = folded([LABEL, future, OUT])
    assert state.milestone == "out_for_delivery"
    assert [event.oddity for event in state.history] == [None, "in_the_future", None]
    early = scan("in_transit", "2026-10-01T00:00:00Z")
    assert [event.oddity for event in folded([LABEL, early]).history] == ["before_the_label", None]


def test_milestones_are_announced_once_and_forwards() -> None:
    """First entry announces; a late event, a repetition and a step back do not."""
    label, moving, out = folded([LABEL]), folded([LABEL, MOVING]), folded([LABEL, MOVING, OUT])
    assert entered(None, label) == ("label_created",)
    assert entered(label, moving) == ("in_transit",)
    assert entered(moving, moving) == ()
    back = folded([LABEL, MOVING, OUT, scan("in_transit", "2026-11-03T20:00:00Z")])
    assert entered(out, back) == ()
    assert entered(out, folded([LABEL, PICKED, MOVING, OUT])) == ()


def test_a_parcel_sent_back_under_a_new_number_is_returning() -> None:
    """The carrier's own words for the new number decide, whatever its last scan was called."""
    going = latest(None, condition="return_requested", attributes={"return_number": "466227601536"})
    state = folded([MOVING, going])
    assert (state.milestone, state.return_number) == ("returning", "466227601536")
