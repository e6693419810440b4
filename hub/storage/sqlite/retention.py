"""Forgetting on time, a little at a time: each step is one short unit of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from hub.ports.store import Micros
from hub.storage.instants import DAY

STEP: Final = 1000
REPLIES_KEPT: Final[Micros] = 30 * DAY

Step = Callable[[sqlite3.Connection], int]


class Payloads:
    """Raw payloads received before an instant, walked in the order they came."""

    def __init__(self, before: Micros) -> None:
        self._before = before
        self._after = 0
        self.done = False

    def __call__(self, connection: sqlite3.Connection) -> int:
        rows = connection.execute(
            "SELECT p.seq, i.received_at FROM payloads p JOIN inbox i ON i.seq = p.seq WHERE p.seq > ?"
            " ORDER BY p.seq LIMIT ?",
            (self._after, STEP),
        ).fetchall()
        old = [(seq,) for seq, received_at in rows if received_at < self._before]
        connection.executemany("DELETE FROM payloads WHERE seq = ?", old)
        # Rows come in about the order of their time: a stretch without an old one ends the walk.
        self.done = len(rows) < STEP or not old
        if rows:
            self._after = rows[-1][0]
        return len(old)


def shred_payload_keys(connection: sqlite3.Connection, before: Micros) -> None:
    """Delete the keys of whole days before that instant: what a copy still holds of them is noise."""
    connection.execute("DELETE FROM payload_keys WHERE day < ?", (before // DAY,))


def personal(due: Micros) -> Step:
    return _some("personal", "subject", "delete_after IS NOT NULL AND delete_after <= ?", due)


def file_bodies(before: Micros) -> Step:
    return _some("file_bodies", "file", "made_at < ?", before)


def attempts(before: Micros) -> Step:
    return _some("attempts", "id", "started_at < ?", before)


def replies(before: Micros) -> Step:
    return _some("replies", "key", "created_at < ?", before)


def _some(table: str, key: str, condition: str, value: Micros) -> Step:
    statement = f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {condition} LIMIT {STEP})"  # noqa: S608

    def step(connection: sqlite3.Connection) -> int:
        return connection.execute(statement, (value,)).rowcount

    return step
