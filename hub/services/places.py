"""Whose location a document means: ours, the channel's, or every one the account has."""

from __future__ import annotations

from hub.inventory.availability import pool_of
from hub.ports.accounts import AccountPlan


def ours(plan: AccountPlan, location: str | None, raw: str | None = None) -> str | None:
    """Our location for what a document names: our own name, or the channel's id of a mapped one.

    A document that names none speaks of the account's only location, where it has only one.
    """
    known = {*plan.locations.values(), *plan.routing, *plan.policy.locations}
    if location in known:
        return location
    place = _channel_id(plan, location or raw)
    if place is not None:
        return plan.locations[place]
    pool = pool_of(plan)
    return pool[0] if not location and not raw and len(pool) == 1 else None


def _channel_id(plan: AccountPlan, named: str | None) -> str | None:
    """The configured id of a channel location; some vendors write one id bare and as the end of a URI."""
    if not named:
        return None
    if named in plan.locations:
        return named
    return next((place for place in plan.locations if place.rpartition("/")[2] == named), None)


def channel_places(plan: AccountPlan, location: str | None, raw: str | None) -> tuple[str, ...]:
    """The channel's location ids a statement concerns: the one it names, else all of the account's.

    An id that is not mapped stands for itself: its numbers are known and never published.
    """
    if not plan.locations:
        return ("",)
    place = _channel_id(plan, raw)
    if place is not None:
        return (place,)
    if location:
        return tuple(place for place, mapped in plan.locations.items() if mapped == location) or (location,)
    return (raw,) if raw else plan.channel_locations()
