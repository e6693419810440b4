"""Where a parcel is: the fold of its events by event time, corrected by the carrier's own latest status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from canonical import TrackingUpdate
from canonical.codes import Condition, Milestone
from hub.tracking.events import RANK, TrackedEvent, in_order, received_at

FINAL: Final = frozenset({"delivered", "returned"})
"""Only the carrier's latest-status block leaves these; a late scan never does."""
TERMINAL: Final = FINAL | {"failed", "cancelled"}
"""Nothing more is expected. A lost parcel that turns up, or a voided label that travels, still moves on."""
_PASSING: Final = frozenset({"customs_cleared", "handed_to_partner"})
"""Conditions that say what was done, not what is wrong; the next scan ends them."""


@dataclass(frozen=True, slots=True)
class ParcelState:
    """The fold of everything told so far of one parcel.

    `milestone` is null before the first event that moves anything. `condition` is what is wrong now,
    and ends with the next event that moves the parcel. `reached` says when each milestone was first
    entered, as the carrier states it. `corrected` is set while the carrier's latest status denies a
    delivery its events tell of. `history` holds every event, oldest first.
    """

    milestone: Milestone | None = None
    condition: Condition | None = None
    action_required: bool = False
    at: datetime | date | None = None
    local_time: str | None = None
    estimated_delivery: datetime | date | None = None
    signed_by: str | None = None
    return_number: str | None = None
    corrected: bool = False
    reached: dict[Milestone, str] = field(default_factory=dict)
    history: tuple[TrackedEvent, ...] = ()

    @property
    def is_terminal(self) -> bool:
        return self.milestone in TERMINAL

    @property
    def delivered_at(self) -> str | None:
        """UTC, a date or a local time, whichever the carrier states; null unless delivered now."""
        return self.reached.get("delivered") if self.milestone == "delivered" else None


def folded(updates: Iterable[TrackingUpdate]) -> ParcelState:
    """The state of one parcel. The order of `updates` matters only between events of one instant.

    Those stand in the order told, which is the carrier's. Re-sends change nothing.
    """
    told = list(updates)
    events = in_order(told)
    block = _latest_block(told)
    if block is None:
        return _finished(_run(ParcelState(), events), events, told)
    before, after = _around(block, events)
    state = _overruled(_run(ParcelState(), before), block, before)
    return _finished(_run(state, after), events, told)


def _run(state: ParcelState, events: Iterable[TrackedEvent]) -> ParcelState:
    for event in events:
        state = _moved(state, event.update)
    return state


def _moved(state: ParcelState, update: TrackingUpdate) -> ParcelState:
    if state.milestone in FINAL or _is_old_news(state, update):
        return state
    if update.milestone is None or (update.milestone == "unknown" and state.milestone is not None):
        # A condition never moves the milestone, and a carrier that has forgotten a parcel does not unmake it.
        if update.condition is None and not update.action_required:
            return state
        return replace(
            state, condition=update.condition or state.condition, action_required=update.action_required
        )  # fmt: skip
    return replace(
        state,
        milestone=update.milestone,
        condition=update.condition,
        action_required=update.action_required,
        at=update.at,
        local_time=update.local_time,
        reached=_reached(state, update),
    )


def _is_old_news(state: ParcelState, update: TrackingUpdate) -> bool:
    """A forecast ("arriving on time") is no scan: it moves nothing back and mends nothing."""
    if not update.attributes.get("forecast") or update.milestone is None or state.milestone is None:
        return False
    return RANK[update.milestone] <= RANK[state.milestone]


def _reached(state: ParcelState, update: TrackingUpdate) -> dict[Milestone, str]:
    if update.milestone is None or update.milestone in state.reached:
        return state.reached
    return {**state.reached, update.milestone: _stated_time(update)}


def _stated_time(update: TrackingUpdate) -> str:
    """The best the carrier states: UTC, else the local time, else the day; "" for no time at all."""
    if update.at is not None:
        return str(update.model_dump(mode="json")["at"])
    return update.local_time or ""


def knows(block: TrackingUpdate) -> bool:
    """A "not found" takes back nothing of what the same carrier said before, least of all that it corrected itself."""
    return block.milestone != "unknown" or block.condition is not None or block.action_required


def _latest_block(updates: Sequence[TrackingUpdate]) -> TrackingUpdate | None:
    """The block received last that does not come late from a source behind the others."""
    blocks = [update for update in updates if update.current]
    blocks = [block for block in blocks if knows(block)] or blocks
    newest: TrackingUpdate | None = None
    for block in sorted(blocks, key=received_at):
        if newest is None or not _lags(block, newest, updates):
            newest = block
    if newest is None or _lags_behind_delivery(newest, updates):
        return None
    return newest


def _lags(block: TrackingUpdate, other: TrackingUpdate, updates: Sequence[TrackingUpdate]) -> bool:
    """Between two sources the later *knowledge* counts; within one source, what it said last."""
    if block.source.connector == other.source.connector:
        return False
    mine, theirs = _known_until(block, updates), _known_until(other, updates)
    return mine is not None and theirs is not None and mine < theirs


def _lags_behind_delivery(block: TrackingUpdate, updates: Sequence[TrackingUpdate]) -> bool:
    """An aggregator that is hours behind the carrier does not deny the delivery the carrier told of."""
    if block.milestone in FINAL:
        return False
    until = _known_until(block, updates)
    ends = [update for update in updates if not update.current and update.milestone in FINAL]
    foreign = [update for update in ends if update.source.connector != block.source.connector]
    own = [update for update in ends if update.source.connector == block.source.connector]
    if own or not foreign or until is None:
        return False
    return all(isinstance(update.at, datetime) and update.at > until for update in foreign)


def _known_until(block: TrackingUpdate, updates: Sequence[TrackingUpdate]) -> datetime | None:
    """When the last thing happened that the block can know of: its own time, else its payload's last scan."""
    if isinstance(block.at, datetime):
        return block.at
    scans = [
        update.at
        for update in updates
        if not update.current and update.source.digest == block.source.digest and isinstance(update.at, datetime)
    ]
    return max(scans, default=None)


def _around(block: TrackingUpdate, events: Sequence[TrackedEvent]) -> tuple[list[TrackedEvent], list[TrackedEvent]]:
    """Events the block speaks of, and those that came after it and happened later than all of them."""
    heard = received_at(block)
    known = [event for event in events if received_at(event.update) <= heard]
    horizon = max([event.ordered_at for event in known], default=None)
    if isinstance(block.at, datetime) and (horizon is None or block.at > horizon):
        horizon = block.at
    later = [event for event in events if received_at(event.update) > heard]
    news = [event for event in later if horizon is None or event.ordered_at > horizon]
    late = [event for event in later if horizon is not None and event.ordered_at <= horizon]
    # Late scans are history and may name a milestone passed on the way; they come before the block.
    before = sorted([*known, *late], key=lambda event: event.ordered_at)
    return before, news


def _overruled(state: ParcelState, block: TrackingUpdate, before: Sequence[TrackedEvent]) -> ParcelState:
    """The state as the carrier's own summary has it, where it has something to say."""
    milestone = block.milestone
    if milestone is None or (milestone == "unknown" and state.milestone is not None):
        if state.milestone in FINAL or (block.condition is None and not block.action_required):
            return state
        return replace(state, condition=block.condition, action_required=block.action_required)
    if milestone == state.milestone:
        state = replace(state, condition=block.condition, action_required=block.action_required)
        return state if (end := _ended_again(block, before)) is None else _ended_at(state, end.update)
    corrected = state.milestone in FINAL
    told = next((event.update for event in reversed(before) if event.update.milestone == milestone), block)
    reached = {name: at for name, at in state.reached.items() if not (corrected and name == state.milestone)}
    moved = replace(
        state,
        milestone=milestone,
        condition=block.condition,
        action_required=block.action_required,
        at=block.at if block.at is not None else told.at,
        local_time=block.local_time or told.local_time,
        corrected=corrected,
        reached=reached,
    )
    return replace(moved, reached=_reached(moved, told if told.milestone == milestone else block))


def _ended_again(block: TrackingUpdate, before: Sequence[TrackedEvent]) -> TrackedEvent | None:
    """The end that counts when a carrier tells of an end, of moves after it and of an end again; else None."""
    own = [event for event in before if event.update.source.connector == block.source.connector]
    ends = [place for place, event in enumerate(own) if event.update.milestone == block.milestone]
    if block.milestone not in FINAL or len(ends) < 2:
        return None
    moves = [place for place in range(ends[0], ends[-1]) if _is_move(own[place].update)]
    return own[next(place for place in ends if place > moves[-1])] if moves else None


def _is_move(update: TrackingUpdate) -> bool:
    return update.milestone not in (None, "unknown", *FINAL) and not update.attributes.get("forecast")


def _ended_at(state: ParcelState, end: TrackingUpdate) -> ParcelState:
    assert end.milestone is not None  # noqa: S101 - an end is a milestone
    reached = {**state.reached, end.milestone: _stated_time(end)}
    return replace(state, at=end.at, local_time=end.local_time, reached=reached)


def _finished(state: ParcelState, events: Sequence[TrackedEvent], told: Sequence[TrackingUpdate]) -> ParcelState:
    """Adds what does not depend on the milestone; a passing condition of an ended parcel is dropped."""
    newest = sorted(told, key=received_at, reverse=True)
    number = next((str(found) for update in newest if (found := update.attributes.get("return_number"))), None)
    is_back = number is not None and state.milestone not in TERMINAL
    return replace(
        state,
        milestone="returning" if is_back else state.milestone,
        condition=None if state.milestone in TERMINAL and state.condition in _PASSING else state.condition,
        corrected=state.corrected and state.milestone not in FINAL,
        estimated_delivery=next((u.estimated_delivery for u in newest if u.estimated_delivery is not None), None),
        signed_by=next((u.signed_by for u in newest if u.signed_by), None) if state.milestone == "delivered" else None,
        return_number=number,
        history=tuple(events),
    )


def entered(before: ParcelState | None, after: ParcelState) -> tuple[Milestone, ...]:
    """Milestones to announce: the one now held, when it was never held before, or a delivery taken back.

    Milestones passed on the way between two tellings are not announced, and a late event announces
    nothing: what channels hear never goes backwards unless the carrier corrects itself.
    """
    now = after.milestone
    if now is None or now == "unknown" or (before is not None and before.milestone == now):
        return ()
    if before is None or (after.corrected and not before.corrected):
        return (now,)
    if now in before.reached or (RANK[now] < RANK[before.milestone or "unknown"] and now != "returning"):
        return ()
    return (now,)
