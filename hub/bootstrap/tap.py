"""The event stream: what this process logs, from `info` up, as it happens, to whoever listens.

A log line is written per state change and carries allowed fields only, so what is harmless to log
is harmless to stream. The stream does not depend on the level the log itself is set to. A listener
that falls behind is let go rather than waited for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import structlog

Json = dict[str, Any]
Event = MutableMapping[str, Any]
_NUMBERS = logging.getLevelNamesMapping()
_BACKLOG_MAX = 1000
_LISTENERS_MAX = 50


class Tap:
    """Copies each event to its listeners on the event's way to the log. For one event loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Json | None]] = set()

    def into(self, *, level: str) -> None:
        """Stand in the log's way as it is configured now; the log itself goes on from `level` up."""
        wanted = _NUMBERS[level.upper()]
        processors = structlog.get_config()["processors"]

        def needed(_logger: object, method: str, event: Event) -> Event:
            if not self._listeners and _number(method) < wanted:
                raise structlog.DropEvent
            return event

        def logged(_logger: object, method: str, event: Event) -> Event:
            if _number(method) < wanted:
                raise structlog.DropEvent
            return event

        structlog.configure(
            processors=[needed, *processors[:-1], self, logged, processors[-1]],
            wrapper_class=structlog.make_filtering_bound_logger(min(wanted, logging.INFO)),
        )

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
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


def _number(method: str) -> int:
    """The level of a logging method's name; `exception` logs as an error."""
    return _NUMBERS.get(method.upper(), logging.ERROR)
