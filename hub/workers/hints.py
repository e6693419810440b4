"""Hints are resolved beside the inbox, so that a slow vendor never holds anybody's orders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from hub.ports.store import InboxItem, InboxState, Store, StoreUnavailable
from hub.runtime.wake import Wakes
from hub.services.resolve import Resolver
from hub.workers.owed import Owed

_log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Hints of one account under way at the same time."""

WAITING_MAX = 100
"""Hints of one account kept in memory; the rest goes back on the schedule."""


class Hints:
    """Hands hints to their account's resolver. For one event loop.

    A hint's inbox row stays claimed while it is here, so inputs behind it on its ordering key wait.
    """

    def __init__(self, resolvers: Mapping[str, Resolver], store: Store, wakes: Wakes) -> None:
        self._resolvers = resolvers
        self._store = store
        self._wakes = wakes
        self._seats = {account: asyncio.Semaphore(AT_ONCE) for account in resolvers}
        self._tasks: dict[asyncio.Task[None], InboxItem] = {}
        self._owed = Owed(store)

    def can_resolve(self, item: InboxItem) -> bool:
        return item.account in self._resolvers

    def holds(self, seq: int) -> bool:
        return any(item.seq == seq for item in self._tasks.values())

    async def take(self, item: InboxItem) -> None:
        """Begin resolving, or put the hint back when its account has too many waiting."""
        resolver = self._resolvers[item.account]
        waiting = sum(1 for other in self._tasks.values() if other.account == item.account)
        if waiting >= WAITING_MAX:
            await resolver.later(item)
            return
        task = asyncio.create_task(self._resolve(resolver, item), name=f"hint-{item.seq}")
        self._tasks[task] = item
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def give_back(self) -> None:
        """Release hints whose release failed earlier. Raises `StoreUnavailable`."""
        await self._owed.give_back()

    async def stop(self) -> None:
        """Cancel what is under way; its rows are released."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _resolve(self, resolver: Resolver, item: InboxItem) -> None:
        settled = False
        try:
            async with self._seats[item.account]:
                state = await resolver.resolve(item)
            settled = True
            if state is InboxState.DONE:
                self._wakes.received()
        except StoreUnavailable:
            _log.info("hint.returned", account=item.account, seq=item.seq, reason="the store is unavailable")
        except Exception as error:  # noqa: BLE001 - the worker boundary: one hint must not end the others
            _log.error("hint.failed", account=item.account, seq=item.seq, topic=item.topic, exc_info=error)
        finally:
            if not settled:
                await self._owed.release([item.seq])
