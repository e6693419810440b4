"""Forgetting on time, a little at a time: each step is one short statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.ports.store import Micros
from hub.storage.instants import DAY
from hub.storage.postgres.connection import Pool, fetch

# ruff: noqa: S608 - only names of our own tables are put into statements, values are always bound

STEP: Final = 1000
REPLIES_KEPT: Final[Micros] = 30 * DAY
_WALK: Final = (
    "WITH walked AS (SELECT p.seq, i.received_at FROM payloads p JOIN inbox i ON i.seq = p.seq WHERE p.seq > $1"
    f" ORDER BY p.seq LIMIT {STEP}), gone AS (DELETE FROM payloads p USING walked WHERE p.seq = walked.seq"
    " AND walked.received_at < $2 RETURNING 1) SELECT count(*), max(seq), (SELECT count(*) FROM gone) FROM walked"
)


async def prune(
    pool: Pool, now: Micros, *, payloads_before: Micros, attempts_before: Micros, personal_due: Micros
) -> Mapping[str, int]:
    """Counts of what went, per table."""
    counts = {"payloads": await _payloads(pool, payloads_before)}
    await fetch(pool, "DELETE FROM payload_keys WHERE day < $1", payloads_before // DAY)
    counts["personal"] = await _some(
        pool, "personal", "subject", "delete_after IS NOT NULL AND delete_after <= $1", personal_due
    )
    counts["files"] = await _some(pool, "file_bodies", "file", "made_at < $1", payloads_before)
    counts["attempts"] = await _some(pool, "attempts", "id", "started_at < $1", attempts_before)
    counts["replies"] = await _some(pool, "replies", "key", "created_at < $1", now - REPLIES_KEPT)
    return counts


async def _payloads(pool: Pool, before: Micros) -> int:
    """Rows come in about the order of their time: a stretch without an old one ends the walk."""
    after, total = 0, 0
    while True:
        seen, last, gone = (await fetch(pool, _WALK, after, before))[0]
        total += int(gone)
        if seen < STEP or not gone:
            return total
        after = last


async def _some(pool: Pool, table: str, key: str, condition: str, value: Micros) -> int:
    statement = (
        f"WITH gone AS (DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {condition} LIMIT {STEP})"
        " RETURNING 1) SELECT count(*) FROM gone"
    )
    total = 0
    while gone := (await fetch(pool, statement, value))[0][0]:
        total += gone
    return total
