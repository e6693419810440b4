"""Orders that wait for something of ours: settled again as soon as it may have come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog

from hub.orders.allocation import NO_LOCATION, OVERSOLD
from hub.ports.queries import Queries
from hub.ports.store import OrderKey, OrderRow
from hub.services.apply import Apply
from hub.services.batch import Outcome

_log = structlog.get_logger(__name__)

PAGE = 200
_Stock = dict[tuple[str, str], int]
"""(sku, location) -> units available there"""


class HeldOrders:
    """Looks through held orders. For one event loop; several processes may look at the same time."""

    def __init__(self, queries: Queries, apply: Apply) -> None:
        self._queries = queries
        self._apply = apply
        self._judged: dict[OrderKey, _Stock] = {}
        """oversold orders as they were last judged, with what their stock was then"""

    async def all(self) -> Outcome:
        """Everything the hub itself holds: after a start, or when the catalogue changed."""
        total = Outcome()
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.orders(held=True, limit=PAGE, cursor=cursor)
            total.take(await self._settle(row for row in rows if _ours(row)))
            if cursor is None:
                return total

    async def oversold(self) -> Outcome:
        """Oversold orders whose stock has moved since they were judged; the hold ends with the shortage.

        Raises `StoreUnavailable` or `StoreConflict`; what was not judged is judged by the next call.
        """
        total = Outcome()
        seen: dict[OrderKey, _Stock] = {}
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.orders(held=True, limit=PAGE, cursor=cursor)
            short = [row for row in rows if OVERSOLD in row.holds]
            stocks = await self._stocks(short)
            moved = [row for row in short if self._judged.get(_key(row)) != stocks[_key(row)]]
            if moved:
                total.take(await self._settle(moved))
            seen |= stocks
            if cursor is None:
                self._judged = seen
                return total

    async def _stocks(self, rows: Sequence[OrderRow]) -> dict[OrderKey, _Stock]:
        """What is available of each order's reserved SKUs, where they stand and wherever else there are some."""
        wanted = {_key(row): _skus(row) for row in rows}
        skus = sorted(set().union(*wanted.values()))
        positions = await self._queries.positions_at(skus, None) if skus else ()
        return {
            key: {(one.sku, one.location): one.available for one in positions if one.sku in named}
            for key, named in wanted.items()
        }

    async def _settle(self, rows: Iterable[OrderRow]) -> Outcome:
        keys = [_key(row) for row in rows]
        if not keys:
            return Outcome()
        outcome = await self._apply.resolve_held(keys)
        if outcome.applied:
            _log.info("orders.judged_again", orders=outcome.applied)
        return outcome


def _ours(row: OrderRow) -> bool:
    return bool(row.unresolved) or not {OVERSOLD, NO_LOCATION}.isdisjoint(row.holds)


def _key(row: OrderRow) -> OrderKey:
    return (row.account, row.source_id)


def _skus(row: OrderRow) -> set[str]:
    return {sku for line in row.allocations if line.reserved for sku, _, _ in line.parts}
