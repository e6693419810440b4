"""Wake-ups inside one process: latency is a task switch, not a polling interval.

A signal carries no facts. Whoever wakes looks into the store, so a lost or a needless signal
costs time and never truth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hub.runtime.drain import Drain


class Signal:
    """Set by anyone, waited for by one loop. Several sets before a wait are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self, seconds: float, drain: Drain) -> bool:
        """Until set, the time is over or the hub stops; True when it was set. Clears the signal."""
        if not self._event.is_set() and not drain.stopping:
            woken = asyncio.ensure_future(self._event.wait())
            stopped = asyncio.ensure_future(drain.wait())
            try:
                await asyncio.wait({woken, stopped}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
                stopped.cancel()
        was_set = self._event.is_set()
        self._event.clear()
        return was_set


class Wakes:
    """The signals of one process: for the inbox, for held orders, and per account for its numbers and effects."""

    def __init__(self, accounts: Iterable[str]) -> None:
        names = list(accounts)
        self.inbox = Signal()
        self.levels = {account: Signal() for account in names}
        self.effects = {account: Signal() for account in names}
        self.verify = {account: Signal() for account in names}
        self.held = Signal()

    def received(self) -> None:
        """Input is stored."""
        self.inbox.set()

    def dirtied(self) -> None:
        """Positions moved; which accounts list them is the store's knowledge."""
        for signal in self.levels.values():
            signal.set()
        self.held.set()

    def effects_for(self, accounts: Iterable[str]) -> None:
        for account in accounts:
            if (signal := self.effects.get(account)) is not None:
                signal.set()

    def everything(self) -> None:
        """After an operator's act that may have made anything due."""
        self.inbox.set()
        self.dirtied()
        self.effects_for(self.effects)
