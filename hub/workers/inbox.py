"""The inbox worker: take what waits, understand it, apply it in one unit, wake who is concerned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import structlog

from hub.ports.store import (
    InboxItem,
    InboxResult,
    InboxState,
    NewFailure,
    ReadSet,
    Store,
    StoreConflict,
    StoreUnavailable,
    WriteSet,
)
from hub.runtime.wake import Wakes
from hub.services.apply import KIND, Apply
from hub.services.batch import Outcome
from hub.services.interpret import Interpreter
from hub.services.interpreted import Interpreted
from hub.services.rounds import Round
from hub.workers.hints import Hints

_log = structlog.get_logger(__name__)

BATCH = 100
"""Rows taken at once: more gains nothing and holds the database longer."""
BURST = 8
"""Full batches in one step: enough that the first claim and the last commit, which nothing overlaps, weigh little."""


class _Batch(NamedTuple):
    """Claimed inputs and what they say; `found` is None where that is not known yet."""

    items: Sequence[InboxItem]
    found: Sequence[Interpreted] | None = None


class InboxWorker:
    """One claimer. Several may run over one database; the store keeps each ordering key with one.

    Args:
        excluded: Accounts whose input is to stay where it is for now.
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
    ) -> None:
        self._store = store
        self._interpreter = interpreter
        self._apply = apply
        self._hints = hints
        self._wakes = wakes
        self._excluded = excluded
        self._owed: list[int] = []

    async def step(self, batches: int = BURST) -> Round:
        """Apply up to so many batches of whatever waits, without waiting to fill one. Raises `StoreUnavailable`.

        While full ones wait, the next is claimed and understood as the one before it is stored.
        """
        await self._give_back()
        left: list[InboxItem] = []
        done = 0
        try:
            batch = await self._take(left)
            for turn in range(1, batches + 1):
                more = turn < batches and len(batch.items) == BATCH
                ahead = asyncio.ensure_future(self._take(left)) if more else None
                try:
                    if batch.items:
                        await self._batch(batch, left)
                except BaseException:
                    if ahead is not None:
                        ahead.cancel()
                        await asyncio.gather(ahead, return_exceptions=True)
                    raise
                done += len(batch.items)
                if ahead is None:
                    break
                batch = await ahead
        finally:
            if left:
                await self._release([item.seq for item in left if not self._hints.holds(item.seq)])
        return Round(done=done, again=done > 0)

    async def _take(self, left: list[InboxItem]) -> _Batch:
        """Claim and understand; what is claimed is on `left` at once.

        An interpreter that raises is asked again when the batch's turn comes; so is a row that outlived its
        process, which may kill this one too and then must be held alone.
        """
        items = await self._store.claim_inbox(BATCH, accounts_excluded=self._excluded())
        left.extend(items)
        if not items or items[0].crashes:
            return _Batch(items)
        try:
            return _Batch(items, await self._interpreter.interpret(items))
        except Exception as error:  # noqa: BLE001 - the worker boundary: `_batch` finds the culprit
            _log.warning("batch.not_understood", items=len(items), error=type(error).__name__)
            return _Batch(items)

    async def _batch(self, batch: _Batch, left: list[InboxItem]) -> None:
        """Run a batch; when something unforeseen is raised, run each input alone and park the culprit.

        Settled inputs are taken off `left`.
        """
        items = batch.items
        try:
            await self._run(batch)
        except (StoreUnavailable, StoreConflict):
            raise
        except Exception as error:  # noqa: BLE001 - the worker boundary: one input must not stop the inbox
            if len(items) > 1:
                _log.error("batch.split", items=len(items), exc_info=error)
                for item in items:
                    await self._batch(_Batch([item]), left)
                return
            _log.error("input.parked", account=items[0].account, seq=items[0].seq, exc_info=error)
            message = "the worker failed on this input; it is kept and can be replayed"
            await self._park(items[0], type(error).__name__, "internal", message)
        for item in items:
            left.remove(item)

    async def _run(self, batch: _Batch) -> None:
        items = batch.items
        interpreted = batch.found
        if interpreted is None:
            interpreted = await self._interpreter.interpret(items)
        pairs = list(zip(items, interpreted, strict=True))
        plain = [(item, found) for item, found in pairs if not found.hint]
        if plain:
            self._wake(await self._apply.apply(plain))
        for item, found in pairs:
            if found.hint:
                await self._hint(item)
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
        failure = NewFailure(
            account=item.account,
            kind=KIND,
            reference=str(item.seq),
            error=error,
            code=code,
            path=item.topic,
            message=message,
            fingerprint=f"{item.account}:{item.topic}:{error}:{code}",
            attempts=item.attempts + 1,
            origin=item.origin,
        )
        result = InboxResult(item.seq, InboxState.FAILED, attempts=item.attempts + 1)
        await self._store.run(ReadSet(), lambda _: WriteSet(inbox=[result], failures=[failure]))

    async def _release(self, seqs: list[int]) -> None:
        """Rows already settled are untouched by it. What cannot be released now is owed."""
        try:
            await self._store.release(seqs)
        except StoreUnavailable:
            self._owed.extend(seqs)

    async def _give_back(self) -> None:
        await self._hints.give_back()
        if self._owed:
            owed = list(self._owed)
            await self._store.release(owed)
            self._owed = self._owed[len(owed) :]
