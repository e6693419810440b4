"""The event stream: log lines of this process, as they happen, to whoever listens.

A log line is written per state change and carries allowed fields only, so what is harmless to log
is harmless to stream. A listener that falls behind is let go rather than waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

Json = dict[str, Any]
_BACKLOG_MAX = 1000
_LISTENERS_MAX = 50


class Tap:
    """A structlog processor that also copies each event to its listeners. For one event loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Json | None]] = set()

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(dict(event))
            except asyncio.QueueFull:
                self._listeners.discard(queue)
        return event

    async def listen(self) -> AsyncIterator[Json]:
        """Events from now on, until the listener leaves, falls behind, or the hub stops."""
        if len(self._listeners) >= _LISTENERS_MAX:
            return
        queue: asyncio.Queue[Json | None] = asyncio.Queue(_BACKLOG_MAX)
        self._listeners.add(queue)
        try:
            while queue in self._listeners or not queue.empty():
                event = await queue.get()
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Ends every stream, so that stopping does not wait for listeners."""
        for queue in list(self._listeners):
            self._listeners.discard(queue)
            if not queue.full():
                queue.put_nowait(None)
