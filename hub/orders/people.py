"""Joining two copies of an order's personal data: a later, stripped copy never overwrites a fuller one.

Channels blank addresses once an order is shipped or grows old, and thin payloads never had them.
"""

from __future__ import annotations

from typing import Any

import orjson

Party = dict[str, Any]


def merged(stored: str | None, new: str | None) -> str | None:
    """The personal data to keep, as JSON; the very text of `stored` when nothing changes."""
    if not new:
        return stored
    if not stored:
        return new
    if stored == new:
        return stored
    old_fields, new_fields = orjson.loads(stored), orjson.loads(new)
    result = {key: _merged_field(old_fields.get(key), new_fields.get(key)) for key in {**old_fields, **new_fields}}
    return stored if result == old_fields else orjson.dumps(result).decode()


def buyer_of(personal: str | None) -> str:
    """What the channel calls the buyer; "" where nothing is known."""
    held = orjson.loads(personal) if personal else None
    buyer = held.get("buyer") if isinstance(held, dict) else None
    name = buyer.get("channel_id") if isinstance(buyer, dict) else None
    return name if isinstance(name, str) else ""


def _merged_field(old: Any, new: Any) -> Any:
    if new is None:
        return old
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    if "line1" in old or "line1" in new:
        return _merged_address(old, new)
    return {**old, **_known(new)}


def _merged_address(old: Party, new: Party) -> Party:
    """A deliverable address replaces another whole, so that no line of the old one survives in it.

    One that only repeats part of what is known, or cannot be delivered to, is a stripped copy.
    """
    said = _known(new)
    if all(old.get(key) == value for key, value in said.items()):
        return old
    if said.get("line1"):
        return new
    return old if old.get("line1") else {**old, **said}


def _known(party: Party) -> Party:
    return {key: value for key, value in party.items() if value is not None}
