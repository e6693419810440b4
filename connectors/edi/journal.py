"""What was begun with each file and how far it came: the memory that makes sending once safe over a crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final
from zlib import crc32

from connectors.sdk.ports import TokenStore

ENTRIES_MAX: Final = 256
"""The oldest go first. Only what is under way, or was at the last crash, is ever asked for again."""


class Journal:
    """A short list of facts by key, kept encrypted in the hub's database. For one event loop.

    Every look reads what is stored: the account may have been worked for by another process since.

    Args:
        shards: Lists the keys are spread over, where several processes may note at the same moment: what is read,
            changed and written back by two of them must not be one list.
    """

    def __init__(self, tokens: TokenStore, name: str, *, shards: int = 1) -> None:
        self._tokens = tokens
        self._name = name
        self._shards = shards
        self._writing = asyncio.Lock()

    async def find(self, key: str) -> Mapping[str, str]:
        """What was noted; empty when nothing was."""
        entry = (await self._load(self._list_of(key))).get(key)
        return json.loads(entry) if entry is not None else {}

    async def note(self, key: str, facts: Mapping[str, str]) -> None:
        """Durable when this returns; replaces what was noted under the key."""
        name = self._list_of(key)
        async with self._writing:
            entries = await self._load(name)
            entries.pop(key, None)
            entries[key] = json.dumps(dict(facts), sort_keys=True)
            for oldest in list(entries)[:-ENTRIES_MAX]:
                del entries[oldest]
            await self._tokens.save(name, entries)

    def _list_of(self, key: str) -> str:
        if self._shards == 1:
            return self._name
        return f"{self._name}-{crc32(key.encode('utf-8', 'surrogateescape')) % self._shards}"

    async def _load(self, name: str) -> dict[str, str]:
        return dict(await self._tokens.load(name) or {})
