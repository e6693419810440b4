"""The inbox worker: take what waits, understand it, apply it in one unit, wake who is concerned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import structlog

from hub.ports.store import (
    InboxItem,
    ReadSet,
    Store,
    StoreConflict,
    StoreUnavailable,
)
from hub.runtime.wake import Wakes
from hub.services.apply import Apply
from hub.services.batch import Outcome
from hub.services.interpret import Interpreter
from hub.services.rounds import Round
from hub.workers.exchange import Exchange
from hub.workers.hints import Hints
from hub.workers.owed import Owed
from hub.workers.parking import parked

_log = structlog.get_logger(__name__)

BATCH = 100
"""Rows taken at once: more gains nothing and holds the database longer."""


class InboxWorker:
    """One claimer. Several may run over one database; the store keeps each ordering key with one.

    Args:
        excluded: Accounts whose input is to stay where it is for now.
        exchange: What deals with files and documents of trading partners; without one they are parked.
    """

    def __init__(
        self,
        store: Store,
        interpreter: Interpreter,
        apply: Apply,
        hints: Hints,
        wakes: Wakes,
        *,
        excluded: Callable[[], Collection[str]] = tuple,
        exchange: Exchange | None = None,
    ) -> None:
        self._store = store
        self._interpreter = interpreter
        self._apply = apply
        self._hints = hints
        self._wakes = wakes
        self._excluded = excluded
        self._exchange = exchange or Exchange(None, store, wakes)
        self._owed = Owed(store)

    async def step(self) -> Round:
        """Apply one batch of whatever waits, without waiting to fill it. Raises `StoreUnavailable`."""
        await self._give_back()
        items = await self._store.claim_inbox(BATCH, accounts_excluded=self._excluded())
        if not items:
            return Round()
        left = list(items)
        try:
            await self._batch(items, left)
        finally:
            if left:
                await self._owed.release([item.seq for item in left if not self._is_held(item.seq)])
        return Round(done=len(items), again=True)

    def _is_held(self, seq: int) -> bool:
        return self._hints.holds(seq) or self._exchange.holds(seq)

    async def _batch(self, items: Sequence[InboxItem], left: list[InboxItem]) -> None:
        """Run a batch; when something unforeseen is raised, run each input alone and park the culprit.

        Settled inputs are taken off `left`.
        """
        try:
            await self._run(items)
        except (StoreUnavailable, StoreConflict):
            raise
        except Exception as error:  # noqa: BLE001 - the worker boundary: one input must not stop the inbox
            if len(items) > 1:
                _log.error("batch.split", items=len(items), exc_info=error)
                for item in items:
                    await self._batch([item], left)
                return
            _log.error("input.parked", account=items[0].account, seq=items[0].seq, exc_info=error)
            message = "the worker failed on this input; it is kept and can be replayed"
            await self._park(items[0], type(error).__name__, "internal", message)
        for item in items:
            left.remove(item)

    async def _run(self, items: Sequence[InboxItem]) -> None:
        interpreted = await self._interpreter.interpret(items)
        pairs = list(zip(items, interpreted, strict=True))
        plain = [(item, found) for item, found in pairs if not (found.hint or found.trade)]
        if plain:
            self._wake(await self._apply.apply(plain))
        for item, found in pairs:
            if found.hint:
                await self._hint(item)
            elif found.trade:
                await self._exchange.take(item)
        _log.debug("inbox.applied", items=len(plain), pending=len(items) - len(plain))

    def _wake(self, outcome: Outcome) -> None:
        if outcome.dirty:
            self._wakes.dirtied()
        if outcome.effects:
            self._wakes.effects_for(outcome.effects)
        for seq, error, code in outcome.failures:
            _log.warning("input.quarantined", seq=seq, error=error, code=code)

    async def _hint(self, item: InboxItem) -> None:
        if self._hints.holds(item.seq):
            return
        if self._hints.can_resolve(item):
            await self._hints.take(item)
            return
        message = "this input only points at something, and the account has no connector that could read it"
        await self._park(item, "NoResolver", "no_resolver", message)

    async def _park(self, item: InboxItem, error: str, code: str, message: str) -> None:
        writes = parked(item, error, code, message)
        await self._store.run(ReadSet(), lambda _: writes)

    async def _give_back(self) -> None:
        await self._hints.give_back()
        await self._exchange.give_back()
        await self._owed.give_back()
