"""Inputs that arrive while the writer is busy become one unit: a few statements for all of them.

Each arrival keeps its own fate: where one spoils the shared unit, each is stored alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from hub.ports.store import NewInput
from hub.storage.sqlite.writer import Writer

INPUTS_MAX: Final = 500
"""A group that large is left to itself and the next one begun."""

Insert = Callable[[sqlite3.Connection, Sequence[NewInput]], list[bool]]
_UNFIT: Final = (sqlite3.Error, TypeError, ValueError, OverflowError)
"""What an input that cannot be stored raises; what the disk does is `StoreUnavailable`."""


@dataclass(slots=True, eq=False)
class _Group:
    """Inputs that will share a unit, and whether each was new, in the same order."""

    inputs: list[NewInput] = field(default_factory=list)
    arrivals: int = 0
    fresh: asyncio.Future[list[bool]] | None = None


class Arrivals:
    """Gathers inputs until the writer takes them. Safe to call from many tasks of many loops."""

    def __init__(self, writer: Writer, insert: Insert) -> None:
        self._writer = writer
        self._insert = insert
        self._lock = threading.Lock()
        self._open: dict[asyncio.AbstractEventLoop, _Group] = {}

    async def store(self, inputs: Sequence[NewInput]) -> list[bool]:
        """True per input that is new; after the synced commit. Raises what storing these alone raises."""
        group, start = self._join(asyncio.get_running_loop(), inputs)
        if group.fresh is None:
            raise RuntimeError("a group of arrivals was not submitted by the task that began it")
        try:
            # Others wait for the same future: a caller that leaves must not take it along.
            fresh = await asyncio.shield(group.fresh)
        except _UNFIT:
            if group.arrivals == 1:
                raise
            return await self._writer.submit(lambda db: self._insert(db, inputs))
        return fresh[start : start + len(inputs)]

    def _join(self, loop: asyncio.AbstractEventLoop, inputs: Sequence[NewInput]) -> tuple[_Group, int]:
        """The group these inputs are in now, and where; begun and submitted when none is open."""
        with self._lock:
            group = self._open.get(loop)
            if group is not None and group.fresh is not None and group.fresh.done():
                group = None  # its unit never ran; the newcomer begins anew
            begun = group is None
            if group is None:
                group = self._open[loop] = _Group()
            start = len(group.inputs)
            group.inputs.extend(inputs)
            group.arrivals += 1
            if len(group.inputs) >= INPUTS_MAX:
                del self._open[loop]
        if begun:
            group.fresh = self._writer.submit(partial(self._unit, loop, group))
            group.fresh.add_done_callback(partial(self._over, loop, group))
        return group, start

    def _unit(self, loop: asyncio.AbstractEventLoop, group: _Group, connection: sqlite3.Connection) -> list[bool]:
        """On the writing thread: from here on nobody joins."""
        self._close(loop, group)
        return self._insert(connection, group.inputs)

    def _close(self, loop: asyncio.AbstractEventLoop, group: _Group) -> None:
        with self._lock:
            if self._open.get(loop) is group:
                del self._open[loop]

    def _over(self, loop: asyncio.AbstractEventLoop, group: _Group, fresh: asyncio.Future[list[bool]]) -> None:
        """A unit that never ran leaves its group open; and an error nobody waits for any more is no news."""
        self._close(loop, group)
        if not fresh.cancelled():
            fresh.exception()
