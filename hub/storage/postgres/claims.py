"""Claiming inbox rows and effects among many processes.

A claimed row carries its holder's fence number; the row stays in the queue until it is settled, so
nothing behind it in its lane can be taken by anybody. A settled row must still carry the number:
a process that was taken for dead meanwhile cannot write a second time what another one wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import asyncpg
import structlog

from hub.ports.store import InboxItem, Micros, OutboxRow, OutboxState
from hub.storage.instants import SECOND
from hub.storage.postgres.connection import Pool, fetch
from hub.storage.postgres.keys import PayloadKeys
from hub.storage.rows import OUTBOX, columns, outbox_from
from hub.storage.vault import SealBroken, payload_place, unseal

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

STUCK_AFTER: Final[Micros] = 15 * 60 * SECOND
"""A call takes at most minutes: an effect said to be under way for longer lost its answer."""
_AHEAD: Final = 4
"""Candidates looked at per row wanted, so that two claimers at once both find some."""

_log = structlog.get_logger(__name__)

_FREE: Final = "w.state = 'pending' AND w.holder IS NULL"
# The same, in words no partial index answers to: candidates are looked up by their number. Offered an index of
# all that is free, the planner walks the whole backlog for every candidate when statistics call it small.
_STILL_FREE: Final = "w.state || '' = 'pending' AND coalesce(w.holder, 0) = 0"
# Asked as a scalar, which the planner must answer per row from the lane's index: written as an
# anti-join it is answered by walking the account's whole backlog for every row.
_AT_HEAD: Final = (
    "w.seq = (SELECT e.seq FROM inbox_work e WHERE e.state = 'pending' AND e.account = w.account"
    " AND e.ordering_key = w.ordering_key ORDER BY e.seq LIMIT 1)"
    " AND NOT EXISTS (SELECT 1 FROM inbox_work h WHERE h.holder IS NOT NULL AND h.account = w.account"
    " AND h.ordering_key = w.ordering_key)"
)
_ITEM: Final = (
    "SELECT i.seq, i.account, i.connector, i.origin, i.topic, i.ordering_key, i.digest, i.received_at, i.occurred_at,"
    " i.headers, c.attempts, c.crashes, i.dedupe_key, p.key_id, p.body"
    " FROM claimed c JOIN inbox i ON i.seq = c.seq LEFT JOIN payloads p ON p.seq = c.seq ORDER BY i.seq"
)
_CRASHED: Final = (
    "WITH head AS (SELECT w.seq FROM inbox_work w WHERE w.crashes > 0 AND w.state = 'pending' AND w.holder IS NULL"
    f" AND w.due_at <= $2 AND NOT (w.account = ANY($3::text[])) AND {_AT_HEAD} ORDER BY w.seq LIMIT 1"
    " FOR UPDATE OF w SKIP LOCKED), claimed AS (UPDATE inbox_work w SET holder = $1 FROM head WHERE w.seq = head.seq"
    f" RETURNING w.seq, w.attempts, w.crashes) {_ITEM}"
)
_DUE: Final = (
    "WITH RECURSIVE waiting (account) AS ((SELECT w.account FROM inbox_work w"
    f" WHERE {_FREE} ORDER BY w.account LIMIT 1) UNION ALL SELECT (SELECT w.account FROM inbox_work w WHERE {_FREE}"
    " AND w.account > a.account ORDER BY w.account LIMIT 1) FROM waiting a WHERE a.account IS NOT NULL),"
    " ahead AS MATERIALIZED (SELECT c.due_at, c.seq FROM waiting a CROSS JOIN LATERAL (SELECT w.due_at, w.seq"
    f" FROM inbox_work w WHERE {_FREE} AND w.account = a.account AND w.due_at <= $2 AND {_AT_HEAD}"
    " ORDER BY w.due_at, w.seq LIMIT $4) c WHERE a.account IS NOT NULL AND NOT (a.account = ANY($3::text[]))"
    " ORDER BY c.due_at, c.seq LIMIT $4),"
    f" head AS (SELECT w.seq FROM ahead JOIN inbox_work w ON w.seq = ahead.seq WHERE {_STILL_FREE}"
    " ORDER BY ahead.due_at, ahead.seq LIMIT $5 FOR UPDATE OF w SKIP LOCKED),"
    " claimed AS (UPDATE inbox_work w SET holder = $1 FROM head WHERE w.seq = head.seq"
    f" RETURNING w.seq, w.attempts, w.crashes) {_ITEM}"
)
_EFFECTS: Final = (
    "WITH head AS (SELECT o.id, o.state FROM outbox o WHERE o.state IN ('pending', 'in_doubt') AND o.account = $2"
    " AND o.due_at <= $3 AND o.id = (SELECT e.id FROM outbox e WHERE e.state NOT IN ('done', 'cancelled')"
    " AND e.state <> 'parked' AND e.account = o.account AND e.key = o.key ORDER BY e.id LIMIT 1)"
    " ORDER BY o.due_at, o.id LIMIT $4 FOR UPDATE OF o SKIP LOCKED),"
    " sent AS (UPDATE outbox o SET state = 'sending', holder = $1, sending_since = $3 FROM head"
    " WHERE o.id = head.id AND head.state = 'pending')"
    f" SELECT {columns(OUTBOX, 'o')} FROM head JOIN outbox o ON o.id = head.id ORDER BY o.due_at, o.id"
)


async def claim_inbox(
    pool: Pool, fence: int, limit: int, excluded: Collection[str], now: Micros, keys: PayloadKeys
) -> list[InboxItem]:
    """Due heads, oldest first; a row that outlived its process comes alone."""
    out = sorted(excluded)
    rows = await fetch(pool, _CRASHED, fence, now, out)
    if not rows:
        rows = await fetch(pool, _DUE, fence, now, out, limit * _AHEAD, limit)
    return [await _item(row, keys) for row in rows]


async def release(pool: Pool, fence: int, seqs: Sequence[int]) -> None:
    await fetch(
        pool, "UPDATE inbox_work SET holder = NULL WHERE holder = $1 AND seq = ANY($2::bigint[])", fence, list(seqs)
    )


async def drop_strays(pool: Pool, fence: int, held: Collection[int], sending: Collection[int]) -> None:
    """After an answer was lost: give back what this process was given and never heard of."""
    await fetch(
        pool,
        "UPDATE inbox_work SET holder = NULL WHERE holder = $1 AND NOT (seq = ANY($2::bigint[]))",
        fence, list(held),
    )  # fmt: skip
    await fetch(
        pool,
        "UPDATE outbox SET state = 'pending', holder = NULL, sending_since = NULL"
        " WHERE state = 'sending' AND holder = $1 AND NOT (id = ANY($2::bigint[]))",
        fence, list(sending),
    )  # fmt: skip


async def claim_effects(pool: Pool, fence: int, account: str, limit: int, now: Micros) -> list[OutboxRow]:
    await fetch(
        pool,
        "UPDATE outbox SET state = 'in_doubt', holder = NULL, sending_since = NULL"
        " WHERE state = 'sending' AND account = $1 AND sending_since < $2",
        account, now - STUCK_AFTER,
    )  # fmt: skip
    rows = [outbox_from(tuple(row)) for row in await fetch(pool, _EFFECTS, fence, account, now, limit)]
    return [replace(row, state=OutboxState.SENDING) if row.state is OutboxState.PENDING else row for row in rows]


async def unsend(pool: Pool, fence: int, ids: Sequence[int]) -> None:
    """Effects claimed by a caller who was cancelled before hearing of them."""
    await fetch(
        pool,
        "UPDATE outbox SET state = 'pending', holder = NULL, sending_since = NULL"
        " WHERE state = 'sending' AND holder = $1 AND id = ANY($2::bigint[])",
        fence, list(ids),
    )  # fmt: skip


async def _item(row: asyncpg.Record, keys: PayloadKeys) -> InboxItem:
    seq, account, connector, origin, topic, lane, digest, received_at, occurred_at, headers, *rest = row
    attempts, crashes, dedupe_key, key_id, body = rest
    payload = b""
    if body is not None:
        try:
            payload = unseal(await keys.of(key_id), body, payload_place(account, dedupe_key))
        except SealBroken:
            # One changed row must not stop the rest; empty, it is quarantined as unreadable.
            _log.error("payload.seal_broken", seq=seq, account=account)
    return InboxItem(
        seq, account, connector, origin, topic, lane, payload, digest, received_at, occurred_at, headers, attempts,
        crashes,
    )  # fmt: skip
