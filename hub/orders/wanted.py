"""The state a line should have in the ledger, from the order's own counts and what documents say."""

from __future__ import annotations

from typing import NamedTuple

from hub.orders.facts import LineFacts
from hub.orders.tally import NOTHING, NOWHERE, Places, Told


class Wanted(NamedTuple):
    """Ordered units per line: reserved where allocated, the rest by location ("" the allocated one)."""

    reserved: int = 0
    shipped: Places = NOWHERE
    sellable: Places = NOWHERE
    damaged: Places = NOWHERE


NONE = Wanted()


def wanted(line: LineFacts, order_cancelled: bool, told: Told = NOTHING) -> Wanted:
    """What the ledger should hold for this line.

    Shipped units are never more than ordered and restocked ones never more than shipped: a refund
    that restocks units which never left frees their reservation instead.
    """
    if not line.stocked or line.quantity <= 0:
        return NONE
    if told is NOTHING and not line.fulfilled:
        open_units = 0 if order_cancelled else line.quantity - line.cancelled
        return Wanted(open_units) if open_units > 0 else NONE
    shipped = _shipped(line, told)
    count = sum(shipped.values())
    refunded = min(count, _came_back(line, told))
    sellable, damaged = _restocked(told, refunded, count)
    freed = sum(told.refund_sellable.values()) + sum(told.refund_damaged.values()) - refunded
    cancelled = max(line.cancelled, told.cancelled, freed)
    gone = order_cancelled or told.whole
    reserved = 0 if gone else max(0, line.quantity - cancelled - count)
    return Wanted(reserved, shipped, sellable, damaged)


def _came_back(line: LineFacts, told: Told) -> int:
    """Units that refunds restocked because they came back, not because they never left.

    A refund does not say which: the order's own counts do. What it counts as returned came back;
    of the rest, as many as it counts as cancelled never left.
    """
    restocked = sum(told.refund_sellable.values()) + sum(told.refund_damaged.values())
    return min(restocked, max(line.returned, restocked - line.cancelled))


def _shipped(line: LineFacts, told: Told) -> Places:
    """By location: what documents say, and the rest of the order's own count where it was allocated."""
    shipped: dict[str, int] = {}
    room = line.quantity
    for place, quantity in told.shipped.items():
        taken = min(room, max(0, quantity))
        if taken:
            shipped[place] = taken
            room -= taken
    unplaced = min(line.fulfilled, line.quantity) - sum(shipped.values())
    if unplaced > 0:
        shipped[""] = shipped.get("", 0) + unplaced
    return shipped


def _restocked(told: Told, refunded: int, shipped: int) -> tuple[Places, Places]:
    """Units back on the shelf and units in quarantine.

    One physical return may be told by a refund and by a return; the one that tells of more units
    is followed, the return (someone looked at the goods) when they tell of the same number.
    """
    returned = min(shipped, sum(told.return_sellable.values()) + sum(told.return_damaged.values()))
    if not refunded and not returned:
        return NOWHERE, NOWHERE
    followed, room = (told.return_sellable, told.return_damaged), returned
    other_damaged = sum(told.refund_damaged.values())
    if refunded > returned:
        followed, room = (told.refund_sellable, told.refund_damaged), refunded
        other_damaged = sum(told.return_damaged.values())
    damaged, left = _upto(followed[1], room)
    sellable, _ = _upto(followed[0], left)
    missing = min(other_damaged - sum(damaged.values()), sum(sellable.values()))
    if missing > 0:
        sellable, moved = _taken_out(sellable, missing)
        damaged = {place: damaged.get(place, 0) + moved.get(place, 0) for place in {**damaged, **moved}}
    return sellable, damaged


def _upto(places: Places, room: int) -> tuple[dict[str, int], int]:
    taken: dict[str, int] = {}
    for place, quantity in places.items():
        units = min(room, max(0, quantity))
        if units:
            taken[place] = units
            room -= units
    return taken, room


def _taken_out(places: dict[str, int], units: int) -> tuple[dict[str, int], dict[str, int]]:
    moved, _ = _upto(places, units)
    rest = {place: quantity - moved.get(place, 0) for place, quantity in places.items()}
    return {place: quantity for place, quantity in rest.items() if quantity}, moved
