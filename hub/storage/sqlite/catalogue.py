"""Making the catalogue equal to a file's, a stretch of SKUs at a time, so that other work goes on between.

Rows come sorted; each unit compares one stretch of the table with one of the file and writes the
differences. The digest is stored last: a load that was cut short is done again.
"""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from hub.ports.store import ListingRow, Micros, SkuRow
from hub.storage.rows import SKU, columns, sku_values
from hub.storage.sqlite import statements as sql
from hub.storage.sqlite.memo import Memo
from hub.storage.sqlite.writes import Writes

STRETCH = 1000
_STORED = f"SELECT {columns(SKU)} FROM skus WHERE sku > ? AND sku <= ?"
_BEYOND = "SELECT sku FROM skus WHERE sku > ? LIMIT ?"
_PUT = (
    f"INSERT INTO skus ({columns(SKU)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sku) DO UPDATE SET"
    " gtin = excluded.gtin, title = excluded.title, brand = excluded.brand, tags = excluded.tags,"
    " packs = excluded.packs, components = excluded.components, aliases = excluded.aliases"
)
_PUT_ALIAS = (
    "INSERT INTO aliases (account, channel_sku, sku) VALUES (?, ?, ?)"
    " ON CONFLICT (account, channel_sku) DO UPDATE SET sku = excluded.sku"
)
_LISTING = "account, listing_id, location, channel_sku, sku, variant_id, title, state, fulfilled_by"
_MISPLACED = (
    f"SELECT {columns(_LISTING.split(', '), 'l')}, coalesce(a.sku, s.sku) FROM listings l"
    " LEFT JOIN aliases a ON a.account = l.account AND a.channel_sku = l.channel_sku"
    " LEFT JOIN skus s ON s.sku = l.channel_sku"
    " WHERE (l.account, l.listing_id, l.location) > (?, ?, ?) ORDER BY l.account, l.listing_id, l.location LIMIT ?"
)

ListingKey = tuple[str, str, str]


def digest(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM meta WHERE name = 'catalogue'").fetchone()
    return str(row[0]) if row else ""


def set_digest(connection: sqlite3.Connection, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('catalogue', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (value,),
    )


def write_stretch(connection: sqlite3.Connection, after: str, rows: Sequence[SkuRow], now: Micros, memo: Memo) -> None:
    """Make the SKUs in (after, last of rows] equal to `rows`."""
    wanted = {row.sku: sku_values(row) for row in rows}
    stored = {row[0]: row for row in connection.execute(_STORED, (after, rows[-1].sku))}
    _remove(connection, [sku for sku in stored if sku not in wanted])
    changed = [row for row in rows if stored.get(row.sku) != wanted[row.sku]]
    if not changed and len(stored) == len(wanted):
        return
    connection.executemany(_PUT, [wanted[row.sku] for row in changed])
    _parts_and_aliases(connection, changed)
    kits = [row.sku for row in changed if row.components or row.sku in stored]
    ranked = [(now, now, int(connection.execute(sql.RANK, (sku,)).fetchone()[0]), sku) for sku in kits]
    for statement in sql.DIRTY:
        connection.executemany(statement, ranked)
    memo.resolved.clear()
    memo.any_kits = None


def drop_beyond(connection: sqlite3.Connection, after: str, memo: Memo) -> int:
    """Remove some of the SKUs after the file's last one; how many went."""
    gone = [sku for (sku,) in connection.execute(_BEYOND, (after, STRETCH))]
    _remove(connection, gone)
    if gone:
        memo.resolved.clear()
        memo.any_kits = None
    return len(gone)


def resolve_listings(connection: sqlite3.Connection, after: ListingKey, writes: Writes) -> ListingKey | None:
    """Give the next listings the SKU the catalogue now says; where to go on, None at the end."""
    rows = connection.execute(_MISPLACED, (*after, STRETCH)).fetchall()
    for row in rows:
        listing, found = ListingRow(*row[:9]), row[9]
        if found is not None and found != listing.sku:
            writes.list_offer(replace(listing, sku=found))
    return None if len(rows) < STRETCH else (rows[-1][0], rows[-1][1], rows[-1][2])


def _parts_and_aliases(connection: sqlite3.Connection, rows: Sequence[SkuRow]) -> None:
    names = [(row.sku,) for row in rows]
    connection.executemany("DELETE FROM kit_parts WHERE kit = ?", names)
    connection.executemany("DELETE FROM aliases WHERE sku = ?", names)
    connection.executemany(
        "INSERT INTO kit_parts (kit, component, quantity, place) VALUES (?, ?, ?, ?)",
        [
            (row.sku, component, quantity, place)
            for row in rows
            for place, (component, quantity) in enumerate(row.components)
        ],
    )
    connection.executemany(
        _PUT_ALIAS, [(account, channel_sku, row.sku) for row in rows for account, channel_sku in row.aliases]
    )


def _remove(connection: sqlite3.Connection, skus: Sequence[str]) -> None:
    names = [(sku,) for sku in skus]
    connection.executemany("DELETE FROM skus WHERE sku = ?", names)
    connection.executemany("DELETE FROM kit_parts WHERE kit = ?", names)
    connection.executemany("DELETE FROM aliases WHERE sku = ?", names)
