"""Parcels together: the pieces of one shipment, and a return with the parcel that went out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from canonical.codes import Condition, Milestone
from hub.tracking.events import RANK
from hub.tracking.fold import ParcelState
from hub.tracking.parcels import ParcelKey, normalized_number

_ON_ITS_WAY: Final = frozenset({"unknown", "label_created", "picked_up", "in_transit", "out_for_delivery"})


@dataclass(frozen=True, slots=True)
class ShipmentProgress:
    """`milestone` is that of the piece furthest behind: delivered only when all are.

    `condition` is `partial` while some pieces have arrived and others have not, unless a piece has
    trouble of its own.
    """

    milestone: Milestone | None
    condition: Condition | None
    action_required: bool
    pieces: int
    delivered: int


def progress_of(states: Sequence[ParcelState], pieces_expected: int | None = None) -> ShipmentProgress:
    """Progress of a shipment from its parcels. `pieces_expected` counts those nobody has told of yet.

    Cancelled pieces are out of the reckoning unless all are.
    """
    count = max(len(states), pieces_expected or 0)
    alive = [state for state in states if state.milestone != "cancelled"]
    if states and not alive:
        return ShipmentProgress("cancelled", None, False, count, 0)
    arrived = sum(1 for state in alive if state.milestone == "delivered")
    waiting = [state for state in alive if state.milestone != "delivered"]
    missing = count - len(states)
    behind = min(waiting, key=lambda state: RANK[state.milestone or "unknown"], default=None)
    trouble = next((state.condition for state in waiting if state.condition is not None), None)
    if not waiting and not missing:
        milestone: Milestone | None = "delivered" if arrived else None
    elif missing and (behind is None or behind.milestone not in _ON_ITS_WAY):
        milestone = "unknown"
    else:
        milestone = behind.milestone if behind else None
    partial: Condition | None = "partial" if arrived and (waiting or missing) else None
    return ShipmentProgress(
        milestone, trouble or partial, any(state.action_required for state in waiting), count, arrived
    )


def linked(states: Mapping[ParcelKey, ParcelState]) -> dict[ParcelKey, ParcelState]:
    """The same parcels, with each that goes back under a new number told by that number's parcel.

    The way back being delivered makes the outbound parcel returned, never delivered. Its own state
    stands while the parcel of the way back is not known.
    """
    by_number = {(key.carrier, key.number): state for key, state in states.items()}
    found: dict[ParcelKey, ParcelState] = {}
    for key, state in states.items():
        number = state.return_number
        back = None if number is None else by_number.get((key.carrier, normalized_number(number)))
        if back is None or state.milestone != "returning" or normalized_number(str(number)) == key.number:
            found[key] = state
        elif back.milestone == "delivered":
            at = back.reached.get("delivered", "")
            found[key] = replace(state, milestone="returned", reached={**state.reached, "returned": at})
        else:
            found[key] = replace(state, condition=back.condition, action_required=back.action_required)
    return found
