"""Where an order's lines are served from.

The whole order from one location where one has everything, else each line from the first that has
it, else from the best location anyway, held as oversold: an order the channel has taken is never
refused, only made visible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hub.ports.accounts import AccountPlan

Parts = tuple[tuple[str, str, int], ...]
"""(sku, location, units per ordered unit)"""

Available = Callable[[str, str], int]
"""(sku, location) -> units that may still be promised there"""

OVERSOLD = "oversold"
UNKNOWN_SKU = "unknown-sku"
NO_LOCATION = "no-location"


class Need(NamedTuple):
    """A line to place. `components` are (sku, units per ordered unit): itself, or a kit's parts."""

    line: str
    sku: str
    components: tuple[tuple[str, int], ...]
    quantity: int
    ship_from: str | None


def places_of(plan: AccountPlan) -> tuple[str, ...]:
    """Locations an order of this account may ship from, best first."""
    if plan.routing:
        return plan.routing
    return tuple(dict.fromkeys(plan.policy.locations or tuple(plan.locations.values())))


def place(needs: Sequence[Need], plan: AccountPlan, places: Sequence[str], available: Available) -> dict[str, str]:
    """Line id to location. `places` is not empty.

    A line that names its own place keeps it when it is one of ours; what it takes there counts
    against the others.
    """
    if len(places) == 1 and not any(need.ship_from for need in needs):
        return {need.line: places[0] for need in needs}
    taken: dict[tuple[str, str], int] = {}
    chosen: dict[str, str] = {}
    free: list[Need] = []
    for need in needs:
        named = _ours(need.ship_from, plan, places)
        if named is None:
            free.append(need)
        else:
            chosen[need.line] = named
            _take(need, named, taken)
    whole = next((spot for spot in places if _holds(free, spot, available, taken)), None)
    for need in free:
        spot = whole or next((one for one in places if _holds([need], one, available, taken)), places[0])
        chosen[need.line] = spot
        _take(need, spot, taken)
    return chosen


def first_with_all(
    need: Need, places: Sequence[str], available: Available, taken: dict[tuple[str, str], int]
) -> str | None:
    """The first of these places that has the whole line beside what is `taken` already; it takes it there."""
    spot = next((one for one in places if _holds([need], one, available, taken)), None)
    if spot is not None:
        _take(need, spot, taken)
    return spot


def _ours(named: str | None, plan: AccountPlan, places: Sequence[str]) -> str | None:
    if not named:
        return None
    ours = plan.locations.get(named, named)
    return ours if ours in places or ours in plan.locations.values() else None


def _holds(needs: Sequence[Need], spot: str, available: Available, taken: Mapping[tuple[str, str], int]) -> bool:
    wanted: dict[str, int] = {}
    for need in needs:
        for sku, each in need.components:
            wanted[sku] = wanted.get(sku, 0) + each * need.quantity
    return all(available(sku, spot) - taken.get((sku, spot), 0) >= units for sku, units in wanted.items())


def _take(need: Need, spot: str, taken: dict[tuple[str, str], int]) -> None:
    for sku, each in need.components:
        taken[sku, spot] = taken.get((sku, spot), 0) + each * need.quantity


def parts_of(components: tuple[tuple[str, int], ...], location: str) -> Parts:
    return tuple((sku, location, each) for sku, each in components)
