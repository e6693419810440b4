"""Positions, the ledger they come from, the catalogue and what channels are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, ColumnElement, Subquery, case, cast, func, literal, or_, select, union_all

from hub.ports.queries import Difference
from hub.ports.store import Bucket, LevelRow, Micros, Position, PostedRow, SkuRow
from hub.storage import tables as t
from hub.storage.queries.reading import Reading, picked
from hub.storage.rows import LEVEL, POSITION, SKU, level_from, position_from, sku_from

_POSTED = (
    "seq", "event", "sku", "location", "bucket", "delta", "reason", "effective_at", "recorded_at", "reference",
)  # fmt: skip
_ASKED_MAX = 500
"""SKUs per statement: below every engine's limit on parameters."""


class StockQueries(Reading):
    """Positions and levels come in key order, postings newest first."""

    async def positions(
        self, *, sku: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[Position], str | None]:
        keys = [t.positions.c.sku, t.positions.c.location]
        query = select(*picked(t.positions, POSITION), *(key.label(f"page_{key.name}") for key in keys))
        if sku is not None:
            query = query.where(t.positions.c.sku == sku)
        return await self._page(
            query, keys, lambda row: position_from(row[: len(POSITION)]), limit=limit, cursor=cursor, descending=False
        )

    async def positions_at(self, skus: Sequence[str], at: Micros | None) -> Sequence[Position]:
        found: list[Position] = []
        wanted = sorted(set(skus))
        async with self._snapshot() as connection:
            for start in range(0, len(wanted), _ASKED_MAX):
                some = wanted[start : start + _ASKED_MAX]
                if at is None:
                    query = select(*picked(t.positions, POSITION)).where(t.positions.c.sku.in_(some))
                    query = query.order_by(t.positions.c.sku, t.positions.c.location)
                else:
                    rows = _ledger(at, some)
                    query = select(rows).order_by(rows.c.sku, rows.c.location)
                found.extend(position_from(tuple(row)) for row in await connection.execute(query))
        return found

    async def postings(
        self, *, sku: str | None = None, until: Micros | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[PostedRow], str | None]:
        query = select(*picked(t.postings, _POSTED), t.postings.c.seq.label("page_key"))
        if sku is not None:
            query = query.where(t.postings.c.sku == sku)
        if until is not None:
            query = query.where(t.postings.c.recorded_at <= until)
        return await self._page(
            query, [t.postings.c.seq], lambda row: PostedRow(*row[: len(_POSTED)]), limit=limit, cursor=cursor
        )

    async def own_open(self, account: str, sku: str) -> Mapping[tuple[str, str, str], int]:
        own = t.own_reserved
        query = select(own.c.account, own.c.sku, own.c.location, own.c.units)
        query = query.where(own.c.account == account, own.c.sku == sku, own.c.units != 0)
        return {(row[0], row[1], row[2]): int(row[3]) for row in await self._rows(query)}

    async def sku(self, sku: str) -> SkuRow | None:
        row = await self._first(select(*picked(t.skus, SKU)).where(t.skus.c.sku == sku))
        return sku_from(row) if row else None

    async def skus(self, *, limit: int = 500, cursor: str | None = None) -> tuple[Sequence[SkuRow], str | None]:
        keys = [t.skus.c.sku]
        query = select(*picked(t.skus, SKU), t.skus.c.sku.label("page_sku"))
        return await self._page(
            query, keys, lambda row: sku_from(row[: len(SKU)]), limit=limit, cursor=cursor, descending=False
        )

    async def levels(
        self,
        *,
        account: str | None = None,
        sku: str | None = None,
        state: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[LevelRow], str | None]:
        levels = t.levels
        keys = [levels.c.account, levels.c.listing_id, levels.c.location]
        query = select(*picked(levels, LEVEL), *(key.label(f"page_{key.name}") for key in keys))
        for column, value in ((levels.c.account, account), (levels.c.sku, sku), (levels.c.state, state)):
            if value is not None:
                query = query.where(column == value)
        return await self._page(
            query, keys, lambda row: level_from(row[: len(LEVEL)]), limit=limit, cursor=cursor, descending=False
        )

    async def verify(self) -> Sequence[Difference]:
        p = t.positions
        ledger = _ledger(None, None)
        kept = select(
            p.c.sku, p.c.location,
            *(p.c[b.value].label(f"kept_{b.value}") for b in Bucket),
            *(literal(0).label(f"sum_{b.value}") for b in Bucket),
        )  # fmt: skip
        summed = select(
            ledger.c.sku, ledger.c.location,
            *(literal(0).label(f"kept_{b.value}") for b in Bucket),
            *(ledger.c[b.value].label(f"sum_{b.value}") for b in Bucket),
        )  # fmt: skip
        both = union_all(kept, summed).subquery()
        sides = [(func.sum(both.c[f"kept_{b.value}"]), func.sum(both.c[f"sum_{b.value}"])) for b in Bucket]
        query = (
            select(both.c.sku, both.c.location, *(side for pair in sides for side in pair))
            .group_by(both.c.sku, both.c.location)
            .having(or_(*(left != right for left, right in sides)))
            .order_by(both.c.sku, both.c.location)
        )
        found = []
        for row in await self._rows(query):
            for place, bucket in enumerate(Bucket):
                position, total = int(row[2 + 2 * place]), int(row[3 + 2 * place])
                if position != total:
                    found.append(Difference(row[0], row[1], bucket.value, position, total))
        return found


def _ledger(at: Micros | None, skus: Sequence[str] | None) -> Subquery:
    """Positions as the postings recorded until `at` make them, in the order of `POSITION`."""
    postings = t.postings
    sums: list[ColumnElement[int]] = [
        cast(func.sum(case((postings.c.bucket == name, postings.c.delta), else_=0)), BigInteger).label(name)
        for name in ("on_hand", "reserved", "incoming", "quarantine")
    ]
    query = select(
        postings.c.sku,
        postings.c.location,
        *sums,
        func.count(postings.c.event.distinct()).label("version"),
        func.max(case((postings.c.counted == 1, postings.c.effective_at))).label("counted_at"),
    ).group_by(postings.c.sku, postings.c.location)
    if at is not None:
        query = query.where(postings.c.recorded_at <= at)
    if skus is not None:
        query = query.where(postings.c.sku.in_(skus))
    return query.subquery()
