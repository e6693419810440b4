"""Listings and the levels that hang on them: made, renamed, repointed or ended, set-wise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.ports.store import ListingRow, Micros
from hub.storage import tables as t
from hub.storage.plan import publishable
from hub.storage.postgres.connection import Connection
from hub.storage.postgres.sets import Batch, insert, replace_on

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

_LISTING: Final = (
    "account", "listing_id", "location", "channel_sku", "sku", "variant_id", "title", "state", "fulfilled_by",
)  # fmt: skip
_LEVEL: Final = ("account", "listing_id", "location", "channel_sku", "sku", "variant_id")
_KEY: Final = ("account", "listing_id", "location")
RANK: Final = (
    "(CASE WHEN EXISTS (SELECT 1 FROM kit_parts k WHERE k.kit = {sku}) THEN NOT EXISTS (SELECT 1 FROM kit_parts k"
    " WHERE k.kit = {sku} AND coalesce((SELECT sum(p.on_hand - p.reserved) FROM positions p WHERE p.sku = k.component),"
    " 0) < k.quantity) ELSE coalesce((SELECT sum(p.on_hand - p.reserved) FROM positions p WHERE p.sku = {sku}), 0) > 0"
    " END)::int::smallint * 2::smallint"
)
"""`REST` where the SKU has something available over all locations, else `NOTHING_LEFT`.

`{sku}` is the column to look at.
"""
_ONLY_RENAMED: Final = (
    "l.sku = excluded.sku"
    " AND (l.channel_sku, l.variant_id) IS DISTINCT FROM (excluded.channel_sku, excluded.variant_id)"
)
_REPOINTED: Final = (
    "state = 'new', sku = excluded.sku, dirty = 1,"
    " dirty_seq = greatest(l.dirty_seq, l.sent_seq) + 1, dirty_at = excluded.dirty_at,"
    " due_at = excluded.due_at, rank = excluded.rank, attempts = 0, sent_quantity = NULL, sent_version = NULL,"
    " receipt = NULL, push_key = NULL, verified_quantity = NULL, verified_at = NULL, error = NULL"
)


async def store(connection: Connection, rows: Sequence[ListingRow], now: Micros) -> None:
    """Rows in key order, each key once."""
    batch = Batch()
    values = [tuple(getattr(row, name) for name in _LISTING) for row in rows]
    await connection.execute(
        insert(batch, t.listings, _LISTING, values, tail=replace_on(_KEY, _LISTING)), *batch.arguments
    )
    if ended := [(row.account, row.listing_id, row.location) for row in rows if not publishable(row)]:
        batch = Batch()
        source = batch.rows(_KEY, ("text", "text", "text"), ended)
        await connection.execute(
            f"DELETE FROM levels l USING {source} WHERE l.account = d.account AND l.listing_id = d.listing_id"
            " AND l.location = d.location",
            *batch.arguments,
        )
    if shown := [row for row in rows if publishable(row)]:
        await _show(connection, shown, now)


async def _show(connection: Connection, rows: Sequence[ListingRow], now: Micros) -> None:
    renamed = "UPDATE SET channel_sku = excluded.channel_sku, variant_id = excluded.variant_id"
    for condition, act in ((_ONLY_RENAMED, renamed), ("l.sku <> excluded.sku", f"{renamed}, {_REPOINTED}")):
        batch = Batch()
        values = [tuple(getattr(row, name) for name in _LEVEL) for row in rows]
        source = batch.rows(_LEVEL, ("text",) * len(_LEVEL), values)
        at = batch.value(now, "bigint")
        listed = ", ".join(_LEVEL)
        await connection.execute(
            f"INSERT INTO levels AS l ({listed}, state, dirty_seq, sent_seq, dirty_at, due_at, rank, attempts, dirty)"
            f" SELECT {listed}, 'new', 1, 0, {at}, {at}, {RANK.format(sku='d.sku')}, 0, 1 FROM {source}"
            f" ON CONFLICT (account, listing_id, location) DO {act} WHERE {condition}",
            *batch.arguments,
        )
