"""Work that takes long goes on beside what comes next, so that one silent call never holds a whole account."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from hub.ports.store import LevelKey
from hub.services.rounds import Round

PATIENCE_S = 1.0
"""Work is waited for this long before the next begins beside it."""
LATE_MAX = 3
"""Pieces of work running beside the newest one."""
LOOK_S = 0.25
"""A round that left something running comes back this soon for what waits behind it."""


class Stragglers:
    """Pieces of work, each about some levels; no level is in two of them at once. For one event loop."""

    def __init__(self) -> None:
        self._busy: dict[asyncio.Task[Round], frozenset[LevelKey]] = {}

    @property
    def keys(self) -> frozenset[LevelKey]:
        """Levels that work still under way is about."""
        return frozenset().union(*self._busy.values())

    async def run(self, keys: Iterable[LevelKey], work: Coroutine[Any, Any, Round]) -> Round:
        """Its result, or a round that comes back soon when it takes long; then `reap` gives what came of it."""
        task = asyncio.create_task(work)
        self._busy[task] = frozenset(keys)
        try:
            patience = PATIENCE_S if len(self._busy) <= LATE_MAX else None
            done, _ = await asyncio.wait({task}, timeout=patience)
        except asyncio.CancelledError:
            self.abandon()
            raise
        return self._take(task) if done else Round(wait_s=LOOK_S)

    def reap(self) -> Round:
        """What became of late work since; raises what it raised."""
        total = Round(wait_s=LOOK_S) if self._busy else Round()
        for task in [task for task in self._busy if task.done()]:
            total = total.plus(self._take(task))
        return total

    async def finish(self) -> None:
        """Until all late work has ended; its errors are of no use to anybody any more."""
        try:
            await asyncio.gather(*self._busy, return_exceptions=True)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Stop what is under way where it stands: what was sent without an answer is read back later."""
        for task in self._busy:
            if not task.cancel() and not task.cancelled():
                # Asked for, so that nobody is told of an error nobody can act on.
                task.exception()
        self._busy.clear()

    def _take(self, task: asyncio.Task[Round]) -> Round:
        del self._busy[task]
        return task.result()
