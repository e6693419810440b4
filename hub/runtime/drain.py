"""Stopping: nothing new is begun, what is under way ends or is handed back in time."""

from __future__ import annotations

import asyncio

DRAIN_S = 25.0
"""From the signal to the exit, at most; orchestrators kill after 30 s."""


class Drain:
    """Told once that the hub is stopping; loops ask before they begin anything."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    @property
    def stopping(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        self._begun.set()

    async def wait(self) -> None:
        """Until the hub is stopping."""
        await self._begun.wait()

    async def pause(self, seconds: float) -> bool:
        """Wait, but not past the beginning of a stop; True when the hub is stopping."""
        if self.stopping:
            return True
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._begun.wait()
        except TimeoutError:
            return False
        return True
