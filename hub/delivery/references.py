"""How failures and attempts name the level they are about."""

from __future__ import annotations

from hub.ports.store import LevelKey


def level_reference(key: LevelKey) -> str:
    """`listing_id#location`; the account stands in its own column. Location may be empty."""
    return f"{key[1]}#{key[2]}"


def level_key(account: str, reference: str) -> LevelKey:
    """The inverse. Raises ValueError when the reference is no level's."""
    listing_id, mark, location = reference.rpartition("#")
    if not mark or not listing_id:
        raise ValueError(f"{reference!r} names no published number: expected LISTING#LOCATION")
    return (account, listing_id, location)
