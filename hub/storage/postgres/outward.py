"""Levels to publish and to read back, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from hub.ports.store import LevelRow, LevelUpdate, Micros, Position
from hub.storage import tables as t
from hub.storage.plan import level_updates
from hub.storage.postgres.connection import Connection, Pool, available, fetch
from hub.storage.postgres.sets import Batch, types_of
from hub.storage.rows import LEVEL, POSITION, columns, level_from, position_from

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

_DUE: Final = (
    f"SELECT {columns(LEVEL)} FROM levels WHERE dirty = 1 AND account = $1 AND due_at <= $2"
    " ORDER BY rank, dirty_at LIMIT $3"
)
_TO_VERIFY: Final = (
    f"SELECT {columns(LEVEL)} FROM levels WHERE state IN ('sent', 'accepted') AND account = $1 AND sent_at <= $3"
    " AND (state = 'accepted' OR receipt IS NULL) ORDER BY sent_at LIMIT $2"
)
_RECEIPTS: Final = (
    "SELECT receipt, min(due_at) FROM levels WHERE state IN ('sent', 'accepted') AND account = $1 AND state = 'sent'"
    " AND receipt IS NOT NULL AND dirty_seq <= sent_seq GROUP BY 1 ORDER BY 2"
)
_RECEIPT_LEVELS: Final = (
    f"SELECT {columns(LEVEL)} FROM levels WHERE state IN ('sent', 'accepted') AND account = $1 AND state = 'sent'"
    " AND receipt = $2 AND dirty_seq <= sent_seq ORDER BY due_at, sent_at LIMIT $3"
)


async def dirty_levels(pool: Pool, account: str, limit: int, now: Micros) -> list[tuple[LevelRow, Sequence[Position]]]:
    """In one snapshot: what is due, and the positions it is computed from."""
    parts: dict[str, list[str]] = defaultdict(list)
    positions: dict[str, list[Position]] = defaultdict(list)
    async with (
        available(),
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        levels = [level_from(tuple(row)) for row in await connection.fetch(_DUE, account, now, limit)]
        skus = sorted({level.sku for level in levels})
        for kit, component in await connection.fetch(
            "SELECT kit, component FROM kit_parts WHERE kit = ANY($1::text[]) ORDER BY kit, place", skus
        ):
            parts[kit].append(component)
        wanted = sorted({name for sku in skus for name in parts.get(sku, (sku,))})
        for row in await connection.fetch(
            f"SELECT {columns(POSITION)} FROM positions WHERE sku = ANY($1::text[]) ORDER BY sku, location", wanted
        ):
            positions[row[0]].append(position_from(tuple(row)))
    return [
        (level, [row for sku in sorted(set(parts.get(level.sku, [level.sku]))) for row in positions.get(sku, ())])
        for level in levels
    ]


async def levels_to_verify(pool: Pool, account: str, limit: int, before: Micros) -> list[LevelRow]:
    return [level_from(tuple(row)) for row in await fetch(pool, _TO_VERIFY, account, limit, before)]


async def pending_receipts(pool: Pool, account: str) -> list[tuple[str, Micros]]:
    return [(row[0], row[1]) for row in await fetch(pool, _RECEIPTS, account)]


async def receipt_levels(pool: Pool, account: str, receipt: str, limit: int) -> list[LevelRow]:
    return [level_from(tuple(row)) for row in await fetch(pool, _RECEIPT_LEVELS, account, receipt, limit)]


async def update_levels(connection: Connection, updates: Sequence[LevelUpdate]) -> None:
    """Set fields of many levels, each under its guard, in the caller's transaction."""
    for fields, rows in level_updates(updates):
        await connection.execute(*_level_update(fields, rows))


def _level_update(fields: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """Statement and arguments: set these fields of many levels, each under its guard."""
    batch = Batch()
    key = ("account", "listing_id", "location")
    names = (*(f"new_{name}" for name in fields), *key, "guard")
    source = batch.rows(names, (*types_of(t.levels, (*fields, *key)), "bigint"), rows)
    sets = ", ".join(f"{name} = d.new_{name}" for name in fields)
    if {"dirty_seq", "sent_seq"} & set(fields):
        made = {name: f"d.new_{name}" for name in fields}
        dirty, sent = made.get("dirty_seq", "l.dirty_seq"), made.get("sent_seq", "l.sent_seq")
        sets += f", dirty = ({dirty} > {sent})::int::smallint"
    statement = (
        f"UPDATE levels l SET {sets} FROM {source} WHERE l.account = d.account AND l.listing_id = d.listing_id"
        " AND l.location = d.location AND (d.guard IS NULL OR l.sent_seq <= d.guard)"
    )
    return statement, *batch.arguments
