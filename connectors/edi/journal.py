"""What was begun with each file and how far it came: the memory that makes sending once safe over a crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from connectors.sdk.ports import TokenStore

ENTRIES_MAX: Final = 256
"""The oldest go first. Only what is under way, or was at the last crash, is ever asked for again."""


class Journal:
    """A short list of facts by key, kept encrypted in the hub's database. For one event loop.

    Every look reads what is stored: the account may have been worked for by another process since.
    """

    def __init__(self, tokens: TokenStore, name: str) -> None:
        self._tokens = tokens
        self._name = name
        self._writing = asyncio.Lock()

    async def find(self, key: str) -> Mapping[str, str]:
        """What was noted; empty when nothing was."""
        entry = (await self._load()).get(key)
        return json.loads(entry) if entry is not None else {}

    async def note(self, key: str, facts: Mapping[str, str]) -> None:
        """Durable when this returns; replaces what was noted under the key."""
        async with self._writing:
            entries = await self._load()
            entries.pop(key, None)
            entries[key] = json.dumps(dict(facts), sort_keys=True)
            for oldest in list(entries)[:-ENTRIES_MAX]:
                del entries[oldest]
            await self._tokens.save(self._name, entries)

    async def _load(self) -> dict[str, str]:
        return dict(await self._tokens.load(self._name) or {})
