"""Work going out: levels to publish and to read back, effects to send."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hub.ports.store import LevelRow, Micros, OutboxRow, OutboxState, Position
from hub.storage.instants import SECOND
from hub.storage.rows import json_text, level_from, outbox_from, position_from
from hub.storage.sqlite import statements as sql

STUCK_AFTER: Micros = 15 * 60 * SECOND
"""A call takes at most minutes: an effect said to be under way for longer lost its answer."""


def dirty_levels(
    connection: sqlite3.Connection, account: str, limit: int, now: Micros
) -> list[tuple[LevelRow, Sequence[Position]]]:
    """In one snapshot: what is due, and the positions it is computed from."""
    connection.execute("BEGIN")
    try:
        levels = [level_from(row) for row in connection.execute(sql.DUE_LEVELS, (account, now, limit))]
        names = json_text(sorted({level.sku for level in levels}))
        parts: dict[str, list[str]] = defaultdict(list)
        for kit, component, _ in connection.execute(sql.KIT_PARTS, (names,)):
            parts[kit].append(component)
        wanted = {name for level in levels for name in parts.get(level.sku, (level.sku,))}
        positions: dict[str, list[Position]] = defaultdict(list)
        for row in connection.execute(sql.POSITIONS, (json_text(sorted(wanted)),)):
            positions[row[0]].append(position_from(row))
    finally:
        connection.execute("COMMIT")
    return [(level, _of(parts.get(level.sku, [level.sku]), positions)) for level in levels]


def _of(skus: Iterable[str], positions: dict[str, list[Position]]) -> list[Position]:
    return sorted((row for sku in set(skus) for row in positions.get(sku, ())), key=lambda row: (row.sku, row.location))


def levels_to_verify(connection: sqlite3.Connection, account: str, limit: int, before: Micros) -> list[LevelRow]:
    return [level_from(row) for row in connection.execute(sql.LEVELS_TO_VERIFY, (account, before, limit))]


def pending_receipts(connection: sqlite3.Connection, account: str) -> list[tuple[str, Micros]]:
    return connection.execute(sql.PENDING_RECEIPTS, (account,)).fetchall()


def receipt_levels(connection: sqlite3.Connection, account: str, receipt: str, limit: int) -> list[LevelRow]:
    return [level_from(row) for row in connection.execute(sql.RECEIPT_LEVELS, (account, receipt, limit))]


def claim_effects(connection: sqlite3.Connection, account: str, limit: int, now: Micros) -> list[OutboxRow]:
    """Due heads; pending ones are marked as being sent, those in doubt are handed out as they are."""
    connection.execute(sql.STUCK_EFFECTS, (account, now - STUCK_AFTER))
    rows = [outbox_from(row) for row in connection.execute(sql.DUE_EFFECTS, (account, now, limit))]
    connection.executemany(sql.SEND_EFFECT, [(now, row.id) for row in rows if row.state is OutboxState.PENDING])
    return [replace(row, state=OutboxState.SENDING) if row.state is OutboxState.PENDING else row for row in rows]
