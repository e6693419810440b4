"""Waking those who wait for work, without losing a ring between two waits."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any


class Bell:
    """One per store. Each task hears every ring once, also one that came while it was busy."""

    def __init__(self) -> None:
        self._rings = 0
        self._heard: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Call on the event loop."""
        self._rings += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, timeout_s: float) -> bool:
        """True when it rang since this task's last wait; False after `timeout_s`."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait for the bell")
        if self._heard.get(task, 0) < self._rings:
            self._heard[task] = self._rings
            return True
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        self._heard[task] = self._rings
        return True
