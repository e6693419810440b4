"""Asking vendors to tell of parcels by themselves, and again before that ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from connectors.sdk.errors import Rejected
from connectors.sdk.tracking import Watched, Watches
from hub.ports.parcels import ParcelAsked, ParcelRow
from hub.ports.queries import Queries
from hub.ports.store import ReadSet, WriteSet
from hub.services import moments
from hub.services.asking import REFUSED_REST_S, Carriers, numbered
from hub.services.calls import Target
from hub.services.publish import Outward
from hub.tracking.polling import OLD_AFTER

_log = structlog.get_logger(__name__)

LANE: Final = "watch"
FOR_LIFE: Final = OLD_AFTER + timedelta(days=60)
"""Longer than any parcel stays open."""


class Watcher:
    """Asks a vendor to tell of one account's parcels by itself, and again before that ends."""

    def __init__(self, out: Outward, connector: Watches, queries: Queries, carriers: Carriers) -> None:
        self._out = out
        self._connector = connector
        self._queries = queries
        self._carriers = carriers

    async def watch_due(self) -> int:
        """Parcels watched by this round. Raises `StoreUnavailable`."""
        out = self._out
        carriers = await self._carriers()
        watched = 0
        while carriers and out.accounts.may_send(out.account) and out.calls.wait_s(LANE) <= 0:
            rows = await self._queries.parcels_to_watch(carriers, max(1, out.plan.manifest.watch_batch_max))
            if not rows or not await self._watch(rows):
                break
            watched += len(rows)
        return watched

    async def _watch(self, rows: Sequence[ParcelRow]) -> bool:
        out = self._out
        numbers = [numbered(row, out.plan.connector) for row in rows]
        target = Target(LANE, "watch", f"{len(rows)} parcels")
        called = await out.calls.make(target, lambda: self._connector.watch(numbers))
        if called is None:
            return False
        results = called.value
        asked: list[ParcelAsked] = []
        if results is not None:
            asked = [self._noted(row, result) for row, result in zip(rows, results, strict=True)]
        elif isinstance(called.error, Rejected):
            rest = moments.after(moments.now(out.clock), REFUSED_REST_S)
            asked = [ParcelAsked(row.id, watch_at=rest) for row in rows]
        await out.store.run(ReadSet(), lambda _: WriteSet(asked=asked, attempts=[called.attempt]))
        return bool(asked)

    def _noted(self, row: ParcelRow, result: Watched) -> ParcelAsked:
        """When to ask again: before the watch ends, tomorrow after a passing fault, never after a refusal."""
        now = moments.now(self._out.clock)
        life = moments.after(max(now, row.opened_at), FOR_LIFE.total_seconds())
        if result.error is not None:
            refused = isinstance(result.error, Rejected)
            _log.info("parcel.unwatched", account=self._out.account, parcel=row.id, code=result.error.code)
            return ParcelAsked(row.id, watch_at=life if refused else moments.after(now, REFUSED_REST_S))
        if result.until is None:
            return ParcelAsked(row.id, watch_at=life, watched_until=life)
        until = moments.micros(result.until)
        renew = max(now, moments.after(until, -self._out.plan.manifest.watch_renew_s))
        return ParcelAsked(row.id, watch_at=renew, watched_until=until)
