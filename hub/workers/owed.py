"""Claimed inbox rows that are handed back, at the latest by the next round."""

from __future__ import annotations

from collections.abc import Sequence

from hub.ports.store import Store, StoreUnavailable


class Owed:
    """Whatever ends a release early, the rows it was for are not forgotten. For one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seqs: list[int] = []

    async def release(self, seqs: Sequence[int]) -> None:
        """Hand rows back now, or later when the store is away; rows settled meanwhile are untouched by it."""
        self._seqs.extend(seqs)
        try:
            await self.give_back()
        except StoreUnavailable:
            return

    async def give_back(self) -> None:
        """Release what is still owed. Raises `StoreUnavailable`."""
        # Off the list meanwhile: a row released twice might be somebody's again by the second time.
        seqs, self._seqs = self._seqs, []
        if not seqs:
            return
        try:
            await self._store.release(seqs)
        except BaseException:
            self._seqs.extend(seqs)
            raise
