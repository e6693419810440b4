"""Orders and parcels that are late, from what channels promised and what carriers told.

Promises stand in orders' documents and are read there: of orders that are not finished, and of parcels delivered
in the last weeks. Both are bounded by partial indexes.
"""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from hub.ports.late import LateCounts, LateKind, LateRow
from hub.ports.parcels import Micros
from hub.storage.instants import SECOND
from hub.storage.queries.reading import Line, Reading

_DAY: Final[Micros] = 86_400 * SECOND
DELIVERED_WITHIN: Final[Micros] = 30 * _DAY
"""How far back late deliveries are looked for."""
_UNSCANNED: Final = (
    "p.closed = '' AND p.shipped_at IS NOT NULL AND p.shipped_at < :unscanned_before AND p.orphan = 0"
    " AND coalesce(p.milestone, 'unknown') IN ('unknown', 'label_created')"
)
_DELIVERED: Final = "p.delivered_at IS NOT NULL AND p.delivered_at > :delivered_since AND p.milestone = 'delivered'"
_TRAVELS: Final = "JOIN parcel_links l ON l.number = p.number AND l.parcel = p.id AND l.kind = 'shipment'"
_ORDER: Final = "orders o ON o.account = l.account AND o.source_id = l.order_source_id"


class _Sqlite:
    to_ship = (
        "(o.unresolved <> '[]' OR EXISTS (SELECT 1 FROM json_each(o.allocations) a"
        " WHERE json_extract(a.value, '$[2]') > 0))"
    )

    @staticmethod
    def asked(name: str) -> str:
        return f"json_extract(o.document, '$.requested.{name}')"

    @staticmethod
    def over_at(stated: str) -> str:
        return (
            f"(CAST(strftime('%s', substr({stated}, 1, 19)) AS INTEGER)"
            f" + CASE WHEN length({stated}) = 10 THEN 86400 ELSE 0 END) * 1000000"
        )


class _Postgres:
    to_ship = (
        "(o.unresolved <> '[]' OR EXISTS (SELECT 1 FROM jsonb_array_elements(o.allocations::jsonb) a"
        " WHERE (a ->> 2)::bigint > 0))"
    )

    @staticmethod
    def asked(name: str) -> str:
        return f"(o.document::jsonb #>> '{{requested,{name}}}')"

    @staticmethod
    def over_at(stated: str) -> str:
        return (
            f"(extract(epoch FROM substr({stated}, 1, 19)::timestamp)::bigint"
            f" + CASE WHEN length({stated}) = 10 THEN 86400 ELSE 0 END) * 1000000"
        )


class LateQueries(Reading):
    """Lists by how long something is late, the longest first."""

    async def late(
        self, *, kind: LateKind, account: str | None = None, unscanned_after_s: float = 172_800.0, limit: int = 100
    ) -> Sequence[LateRow]:
        values = {**self._moments(unscanned_after_s), "account": account or "", "limit": max(1, min(limit, 1000))}
        found = await self._select(getattr(self, f"_{kind}")(), values)
        return [LateRow(kind, *row) for row in found]

    async def late_counts(self, *, unscanned_after_s: float = 172_800.0) -> Sequence[LateCounts]:
        values = self._moments(unscanned_after_s)
        counts: dict[str, dict[str, Any]] = {}
        for account, *figures in await self._select(self._count_orders(), values):
            names = ("to_ship", "oldest_at", "unshipped", "soon", "unpromised")
            counts.setdefault(account, {}).update(zip(names, figures, strict=True))
        for name, statement in (("unscanned", self._count_unscanned()), ("delivered_late", self._count_delivered())):
            for account, figure in await self._select(statement, values):
                counts.setdefault(account, {})[name] = figure
        return [LateCounts(account, **counts[account]) for account in sorted(counts)]

    @property
    def _words(self) -> type[_Sqlite | _Postgres]:
        return _Sqlite if self._engine.dialect.name == "sqlite" else _Postgres

    def _moments(self, unscanned_after_s: float) -> dict[str, Any]:
        now = self._now()
        return {
            "now": now,
            "tomorrow": now + _DAY,
            "unscanned_before": now - round(unscanned_after_s * SECOND),
            "patience": round(unscanned_after_s * SECOND),
            "delivered_since": now - DELIVERED_WITHIN,
        }

    async def _select(self, statement: str, values: Mapping[str, Any]) -> Sequence[Line]:
        wanted = {name: value for name, value in values.items() if f":{name}" in statement}
        async with self._snapshot() as connection:
            rows: Sequence[Line] = (await connection.execute(text(statement), wanted)).all()
            return rows

    # --- statements ------------------------------------------------------------------------------

    def _open_orders(self) -> str:
        """Orders with something left to ship, with their promise."""
        words = self._words
        promised = words.asked("ship_by")
        return (
            f"SELECT o.account, o.id, o.number, o.placed_at, {promised} AS promised,"
            f" {words.over_at(promised)} AS over_at FROM orders o"
            f" WHERE o.state NOT IN ('closed', 'cancelled') AND {words.to_ship}"
        )

    def _unshipped(self) -> str:
        return (
            "SELECT account, id, number, over_at, NULL, placed_at, promised, NULL, NULL, NULL"
            f" FROM ({self._open_orders()}) d WHERE over_at < :now AND (:account = '' OR account = :account)"
            " ORDER BY over_at, id LIMIT :limit"
        )

    def _count_orders(self) -> str:
        return (
            "SELECT account, count(*), min(placed_at), sum(CASE WHEN over_at < :now THEN 1 ELSE 0 END),"
            " sum(CASE WHEN over_at >= :now AND over_at < :tomorrow THEN 1 ELSE 0 END),"
            f" sum(CASE WHEN promised IS NULL THEN 1 ELSE 0 END) FROM ({self._open_orders()}) d GROUP BY account"
        )

    def _unscanned(self) -> str:
        return (
            "SELECT l.account, o.id, coalesce(o.number, l.order_source_id), p.shipped_at + :patience, NULL,"
            " o.placed_at, NULL, p.id, p.number, p.carrier"
            f" FROM parcels p {_TRAVELS} LEFT JOIN {_ORDER}"
            f" WHERE {_UNSCANNED} AND (:account = '' OR l.account = :account)"
            " ORDER BY p.shipped_at, p.id LIMIT :limit"
        )

    def _count_unscanned(self) -> str:
        return f"SELECT l.account, count(DISTINCT p.id) FROM parcels p {_TRAVELS} WHERE {_UNSCANNED} GROUP BY l.account"

    def _deliveries(self) -> str:
        words = self._words
        promised = words.asked("deliver_by")
        return (
            f"SELECT l.account, o.id, o.number, {words.over_at(promised)} AS over_at, p.delivered_at, o.placed_at,"
            f" {promised} AS promised, p.id AS parcel, p.number AS tracking, p.carrier"
            f" FROM parcels p {_TRAVELS} JOIN {_ORDER} WHERE {_DELIVERED}"
        )

    def _delivered_late(self) -> str:
        return (
            f"SELECT * FROM ({self._deliveries()}) d WHERE delivered_at >= over_at"
            " AND (:account = '' OR account = :account) ORDER BY over_at, parcel LIMIT :limit"
        )

    def _count_delivered(self) -> str:
        return (
            f"SELECT account, count(DISTINCT parcel) FROM ({self._deliveries()}) d WHERE delivered_at >= over_at"
            " GROUP BY account"
        )
