"""Making the catalogue equal to a file's, a stretch of SKUs at a time, so that other work goes on between.

Rows come sorted; each transaction compares one stretch of the table with one of the file and
writes the differences. The digest is stored last: a load that was cut short is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hub.ports.store import ListingRow, Micros, SkuRow
from hub.storage import tables as t
from hub.storage.postgres import listings
from hub.storage.postgres.connection import Connection
from hub.storage.postgres.sets import Batch, insert, replace_on
from hub.storage.rows import SKU, columns, sku_values

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

STRETCH: Final = 1000
LOCK: Final = 0x736B7573
"""Advisory: one load at a time, whatever process."""
_LISTING: Final = (
    "account", "listing_id", "location", "channel_sku", "sku", "variant_id", "title", "state", "fulfilled_by",
)  # fmt: skip
_DIRTY: Final = (
    "UPDATE levels l SET dirty_seq = greatest(l.dirty_seq, l.sent_seq) + 1, dirty = 1, due_at = $2,"
    f" dirty_at = CASE WHEN l.dirty = 1 AND l.dirty_at < $2 THEN l.dirty_at ELSE $2 END, "
    f" rank = {listings.RANK.format(sku='l.sku')} WHERE l.sku = ANY($1::text[])"
)
_MISPLACED: Final = (
    f"SELECT {columns(_LISTING, 'l')}, coalesce(a.sku, s.sku) FROM listings l"
    " LEFT JOIN aliases a ON a.account = l.account AND a.channel_sku = l.channel_sku"
    " LEFT JOIN skus s ON s.sku = l.channel_sku"
    " WHERE (l.account, l.listing_id, l.location) > ($1, $2, $3) ORDER BY l.account, l.listing_id, l.location LIMIT $4"
)

ListingKey = tuple[str, str, str]


async def write_stretch(connection: Connection, after: str, rows: Sequence[SkuRow], now: Micros) -> None:
    """Make the SKUs in (after, last of rows] equal to `rows`."""
    wanted = {row.sku: sku_values(row) for row in rows}
    found = await connection.fetch(
        f"SELECT {columns(SKU)} FROM skus WHERE sku > $1 AND sku <= $2 FOR UPDATE", after, rows[-1].sku
    )
    stored = {row[0]: tuple(row) for row in found}
    await _remove(connection, [sku for sku in stored if sku not in wanted])
    changed = [row for row in rows if stored.get(row.sku) != wanted[row.sku]]
    if not changed:
        return
    batch = Batch()
    statement = insert(batch, t.skus, SKU, [wanted[row.sku] for row in changed], tail=replace_on(("sku",), SKU))
    await connection.execute(statement, *batch.arguments)
    await _parts_and_aliases(connection, changed)
    if kits := [row.sku for row in changed if row.components or row.sku in stored]:
        await connection.execute(_DIRTY, kits, now)


async def drop_beyond(connection: Connection, after: str) -> int:
    """Remove some of the SKUs after the file's last one; how many went."""
    rows = await connection.fetch("SELECT sku FROM skus WHERE sku > $1 ORDER BY sku LIMIT $2", after, STRETCH)
    await _remove(connection, [row[0] for row in rows])
    return len(rows)


async def resolve_listings(connection: Connection, after: ListingKey, now: Micros) -> ListingKey | None:
    """Give the next listings the SKU the catalogue now says; where to go on, None at the end."""
    rows = await connection.fetch(_MISPLACED, *after, STRETCH)
    moved = []
    for row in rows:
        listing, found = ListingRow(*tuple(row)[:9]), row[9]
        if found is not None and found != listing.sku:
            moved.append(replace(listing, sku=found))
    if moved:
        await listings.store(connection, moved, now)
    return None if len(rows) < STRETCH else (rows[-1][0], rows[-1][1], rows[-1][2])


async def _parts_and_aliases(connection: Connection, rows: Sequence[SkuRow]) -> None:
    names = [row.sku for row in rows]
    await connection.execute("DELETE FROM kit_parts WHERE kit = ANY($1::text[])", names)
    await connection.execute("DELETE FROM aliases WHERE sku = ANY($1::text[])", names)
    parts = [
        (row.sku, component, quantity, place)
        for row in rows
        for place, (component, quantity) in enumerate(row.components)
    ]
    others = {(account, channel_sku): row.sku for row in rows for account, channel_sku in row.aliases}
    if parts:
        batch = Batch()
        statement = insert(batch, t.kit_parts, ("kit", "component", "quantity", "place"), parts)
        await connection.execute(statement, *batch.arguments)
    if others:
        batch = Batch()
        names_ = ("account", "channel_sku", "sku")
        values = [(*key, others[key]) for key in sorted(others)]
        statement = insert(batch, t.aliases, names_, values, tail=replace_on(("account", "channel_sku"), names_))
        await connection.execute(statement, *batch.arguments)


async def _remove(connection: Connection, skus: Sequence[str]) -> None:
    if skus:
        for table, column in (("skus", "sku"), ("kit_parts", "kit"), ("aliases", "sku")):
            await connection.execute(f"DELETE FROM {table} WHERE {column} = ANY($1::text[])", list(skus))
