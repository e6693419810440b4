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
from hub.storage.sqlite.arriving import ROWS_MAX
from hub.storage.sqlite.writer import Writer

Insert = Callable[[sqlite3.Connection, Sequence[NewInput]], list[bool]]
_UNFIT: Final = (sqlite3.Error, TypeError, ValueError, OverflowError)
"""What an input that cannot be stored raises; what the disk does is `StoreUnavailable`."""


@dataclass(slots=True, eq=False)
class _Group:
    """Inputs that will share a unit, and who waits for them: the place of their first one and their future."""

    inputs: list[NewInput] = field(default_factory=list)
    waiting: list[tuple[int, int, asyncio.Future[list[bool]]]] = field(default_factory=list)


class Arrivals:
    """Gathers inputs until the writer takes them. Safe to call from many tasks of many loops."""

    def __init__(self, writer: Writer, insert: Insert) -> None:
        self._writer = writer
        self._insert = insert
        self._lock = threading.Lock()
        self._open: dict[asyncio.AbstractEventLoop, _Group] = {}

    async def store(self, inputs: Sequence[NewInput]) -> list[bool]:
        """True per input that is new; after the synced commit. Raises what storing these alone raises."""
        if len(inputs) > ROWS_MAX:
            return await self._alone(inputs)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[bool]] = loop.create_future()
        group = self._join(loop, inputs, future)
        try:
            return await future
        except _UNFIT:
            if len(group.waiting) == 1:
                raise
            return await self._alone(inputs)

    def _alone(self, inputs: Sequence[NewInput]) -> asyncio.Future[list[bool]]:
        return self._writer.submit(lambda db: self._insert(db, inputs))

    def _join(
        self, loop: asyncio.AbstractEventLoop, inputs: Sequence[NewInput], future: asyncio.Future[list[bool]]
    ) -> _Group:
        """The group these inputs are in now; where none has room, one is begun and soon submitted."""
        with self._lock:
            group = self._open.get(loop)
            if group is None or len(group.inputs) + len(inputs) > ROWS_MAX:
                group = self._open[loop] = _Group()
                # Not at once: whatever else the loop has read by now joins first.
                loop.call_soon(self._submit, loop, group)
            group.waiting.append((len(group.inputs), len(inputs), future))
            group.inputs.extend(inputs)
        return group

    def _submit(self, loop: asyncio.AbstractEventLoop, group: _Group) -> None:
        fresh = self._writer.submit(partial(self._unit, loop, group), whole=True)
        fresh.add_done_callback(partial(self._over, loop, group))

    def _unit(self, loop: asyncio.AbstractEventLoop, group: _Group, connection: sqlite3.Connection) -> list[bool]:
        """On the writing thread: from here on nobody joins."""
        self._close(loop, group)
        return self._insert(connection, group.inputs)

    def _close(self, loop: asyncio.AbstractEventLoop, group: _Group) -> None:
        with self._lock:
            if self._open.get(loop) is group:
                del self._open[loop]

    def _over(self, loop: asyncio.AbstractEventLoop, group: _Group, done: asyncio.Future[list[bool]]) -> None:
        """Tell everybody. A unit that never ran has left its group open."""
        self._close(loop, group)
        error = done.exception()
        for start, count, future in group.waiting:
            if future.done():
                continue  # that caller has left
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result()[start : start + count])
