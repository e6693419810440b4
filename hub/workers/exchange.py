"""Partners' files and documents for partners, beside the inbox: a large file never holds up anybody's orders."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from hub.ports.store import (
    InboxItem,
    InboxResult,
    InboxState,
    ReadSet,
    State,
    Store,
    StoreConflict,
    StoreUnavailable,
    WriteSet,
)
from hub.runtime.wake import Wakes
from hub.workers.owed import Owed
from hub.workers.parking import parked

_log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Large files under way at the same time; each is held in memory whole."""
LARGE = 256 * 1024
"""Bytes from which a file is taken beside the inbox instead of within its turn."""
REST_US = 2_000_000
"""A large file that finds all places taken comes again this much later."""


class Trades(Protocol):
    """Takes files of trading partners and documents for them; see `hub.services.trading`."""

    async def take(self, item: InboxItem) -> None: ...


class Exchange:
    """Hands inputs to the trading service. For one event loop, shared by its inbox workers.

    A large file's inbox row stays claimed while it is here, so inputs behind it on its lane wait.
    """

    def __init__(self, trading: Trades | None, store: Store, wakes: Wakes) -> None:
        self._trading = trading
        self._store = store
        self._wakes = wakes
        self._tasks: dict[asyncio.Task[None], InboxItem] = {}
        self._owed = Owed(store)

    def holds(self, seq: int) -> bool:
        return any(item.seq == seq for item in self._tasks.values())

    async def take(self, item: InboxItem) -> None:
        """Deal with an input, or begin to. What is unforeseen in one parks it and nothing else.

        Raises `StoreUnavailable` and `StoreConflict` for what is dealt with at once.
        """
        if self._trading is None:
            await self._park(item, "NoTrading", "no_trading", "this process does not trade with partners")
            return
        if self.holds(item.seq):
            return
        if len(item.payload) <= LARGE:
            await self._deal(self._trading, item)
            return
        if len(self._tasks) >= AT_ONCE:
            # Waiting here would hold the inbox, and with it everybody's orders.
            await self._later(item)
            return
        task = asyncio.create_task(self._beside(self._trading, item), name=f"file-{item.seq}")
        self._tasks[task] = item
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def give_back(self) -> None:
        """Release files whose release failed earlier. Raises `StoreUnavailable`."""
        await self._owed.give_back()

    async def stop(self) -> None:
        """Cancel what is under way; its rows are released, and the next process goes on where it was."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _beside(self, trading: Trades, item: InboxItem) -> None:
        settled = False
        try:
            await self._deal(trading, item)
            settled = True
        except (StoreUnavailable, StoreConflict) as error:
            _log.info("file.returned", account=item.account, seq=item.seq, reason=str(error))
        finally:
            if not settled:
                await self._owed.release([item.seq])

    async def _deal(self, trading: Trades, item: InboxItem) -> None:
        try:
            await trading.take(item)
        except (StoreUnavailable, StoreConflict):
            raise
        except Exception as error:  # noqa: BLE001 - the worker boundary: one file must not stop the inbox
            _log.error("input.parked", account=item.account, seq=item.seq, exc_info=error)
            message = "the worker failed on this input; it is kept and can be replayed"
            await self._park(item, type(error).__name__, "internal", message)
            return
        self._wakes.received()
        self._wakes.effects_for({item.account})

    async def _later(self, item: InboxItem) -> None:
        def decide(state: State) -> WriteSet:
            return WriteSet(inbox=[InboxResult(item.seq, InboxState.PENDING, state.now + REST_US)])

        await self._store.run(ReadSet(), decide)

    async def _park(self, item: InboxItem, error: str, code: str, message: str) -> None:
        writes = parked(item, error, code, message)
        await self._store.run(ReadSet(), lambda _: writes)
