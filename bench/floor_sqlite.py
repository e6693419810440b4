"""The floor on SQLite: the rows of an applied order, made beforehand, written by plain `sqlite3`.

Lean on purpose: only the keys that correctness needs, no encryption, no audit, nothing decided.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from bench import payloads, world
from bench.rows import Batch, batches

SCHEMA = """
CREATE TABLE inbox (seq INTEGER PRIMARY KEY, account TEXT, dedupe_key TEXT, state TEXT, payload BLOB,
    UNIQUE (account, dedupe_key));
CREATE TABLE orders (id TEXT PRIMARY KEY, account TEXT, source_id TEXT, version TEXT, document TEXT,
    UNIQUE (account, source_id)) WITHOUT ROWID;
CREATE TABLE order_lines (order_id TEXT, line INTEGER, sku TEXT, quantity INTEGER, PRIMARY KEY (order_id, line))
    WITHOUT ROWID;
CREATE TABLE postings (seq INTEGER PRIMARY KEY, event TEXT, sku TEXT, location TEXT, bucket TEXT, delta INTEGER,
    at INTEGER, UNIQUE (event, sku, location, bucket));
CREATE TABLE positions (sku TEXT, location TEXT, on_hand INTEGER, reserved INTEGER, version INTEGER,
    PRIMARY KEY (sku, location)) WITHOUT ROWID;
CREATE TABLE levels (account TEXT, sku TEXT, dirty_seq INTEGER, dirty_at INTEGER, PRIMARY KEY (account, sku))
    WITHOUT ROWID;
"""
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=1000")


def apply(folder: str, skus: int, orders: int) -> dict[str, float]:
    """A cell: orders per second, in batches of 100, every batch one synced commit."""
    connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(SCHEMA)
    _fill(connection, skus, orders)
    prepared = list(batches(orders, skus))
    began = time.perf_counter()
    for batch in prepared:
        _write(connection, batch)
    seconds = time.perf_counter() - began
    (dirty,) = connection.execute("SELECT sum(dirty_seq) FROM levels").fetchone()
    if dirty != orders * world.LINES * len(world.CHANNELS):
        raise RuntimeError(f"the floor made {dirty} levels dirty")
    connection.close()
    return {"rate": orders / seconds}


def _fill(connection: sqlite3.Connection, skus: int, orders: int) -> None:
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO positions VALUES (?, ?, ?, 0, 0)",
        ((world.sku(number), world.LOCATION, world.OPENING_UNITS) for number in range(skus)),
    )
    connection.executemany(
        "INSERT INTO levels VALUES (?, ?, 0, 0)",
        ((name, world.sku(number)) for name in world.CHANNELS for number in range(skus)),
    )
    body = payloads.body(1, [(world.sku(number), 1) for number in range(world.LINES)])
    connection.executemany(
        "INSERT INTO inbox VALUES (?, ?, ?, 'pending', ?)",
        ((number, world.SHOP, f"event-{number}", body) for number in range(1, orders + 1)),
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _write(connection: sqlite3.Connection, batch: Batch) -> None:
    many: Any = connection.executemany
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("SELECT seq, payload FROM inbox WHERE seq BETWEEN ? AND ?", (batch.first, batch.last)).fetchall()
    many("UPDATE inbox SET state = 'done' WHERE seq = ?", batch.inputs)
    many("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", batch.orders)
    many("INSERT INTO order_lines VALUES (?, ?, ?, ?)", batch.lines)
    many("INSERT INTO postings (event, sku, location, bucket, delta, at) VALUES (?, ?, ?, ?, ?, ?)", batch.postings)
    many("UPDATE positions SET reserved = reserved + ?, version = version + 1 WHERE sku = ? AND location = ?",
         batch.positions)  # fmt: skip
    many("UPDATE levels SET dirty_seq = dirty_seq + 1, dirty_at = ? WHERE account = ? AND sku = ?", batch.levels)
    connection.execute("COMMIT")
