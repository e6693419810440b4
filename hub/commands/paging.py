"""Reads as many pages as a command asked for."""

from __future__ import annotations

from typing import Any

from hub.commands.api import Api
from hub.commands.common import Json

_PAGE = 500


async def collect(api: Api, path: str, limit: int, **query: Any) -> list[Json]:
    """Up to `limit` items over as many pages as that takes."""
    items: list[Json] = []
    cursor: str | None = None
    while len(items) < limit:
        page = await api.get(path, **query, limit=min(_PAGE, limit - len(items)), cursor=cursor)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return items
