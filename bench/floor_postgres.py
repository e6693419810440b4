"""The floor on PostgreSQL: the same rows, arrays made beforehand, one `unnest` statement per table."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import asyncpg

from bench import payloads, world
from bench.rows import Batch, Row, batches

SCHEMA = """
CREATE TABLE inbox (seq bigint PRIMARY KEY, account text, dedupe_key text, state text, payload bytea,
    UNIQUE (account, dedupe_key));
CREATE TABLE orders (id text PRIMARY KEY, account text, source_id text, version text, document text,
    UNIQUE (account, source_id));
CREATE TABLE order_lines (order_id text, line int, sku text, quantity int, PRIMARY KEY (order_id, line));
CREATE TABLE postings (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event text, sku text, location text,
    bucket text, delta bigint, at bigint, UNIQUE (event, sku, location, bucket));
CREATE TABLE positions (sku text, location text, on_hand bigint, reserved bigint, version bigint,
    PRIMARY KEY (sku, location)) WITH (fillfactor = 70);
CREATE TABLE levels (account text, sku text, dirty_seq bigint, dirty_at bigint, PRIMARY KEY (account, sku))
    WITH (fillfactor = 70);
"""

READ = "SELECT seq, payload FROM inbox WHERE seq BETWEEN $1 AND $2"
INPUTS = "UPDATE inbox SET state = 'done' FROM unnest($1::bigint[]) AS n (seq) WHERE inbox.seq = n.seq"
ORDERS = "INSERT INTO orders SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
LINES = "INSERT INTO order_lines SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::int[])"
POSTINGS = (
    "INSERT INTO postings (event, sku, location, bucket, delta, at)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])"
)
POSITIONS = (
    "UPDATE positions p SET reserved = p.reserved + n.units, version = p.version + 1"
    " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n (units, sku, location)"
    " WHERE p.sku = n.sku AND p.location = n.location"
)
LEVELS = (
    "UPDATE levels l SET dirty_seq = l.dirty_seq + 1, dirty_at = n.at"
    " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n (at, account, sku)"
    " WHERE l.account = n.account AND l.sku = n.sku"
)

Statement = tuple[str, list[list[Any]]]


async def apply(database: str, skus: int, orders: int) -> dict[str, float]:
    """A cell: orders per second, in batches of 100, every batch one synced commit."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(SCHEMA)
        await _fill(connection, skus, orders)
        prepared = [(batch.first, batch.last, _statements(batch)) for batch in batches(orders, skus)]
        began = time.perf_counter()
        for first, last, statements in prepared:
            async with connection.transaction():
                await connection.fetch(READ, first, last)
                for statement, columns in statements:
                    await connection.execute(statement, *columns)
        seconds = time.perf_counter() - began
        reserved = await connection.fetchval("SELECT sum(reserved) FROM positions")
        if reserved != orders * world.LINES:
            raise RuntimeError(f"the floor reserved {reserved} units")
    finally:
        await connection.close()
    return {"rate": orders / seconds}


def _statements(batch: Batch) -> list[Statement]:
    """A row may be touched once per statement, so positions and levels are added up first."""
    units: Counter[tuple[str, str]] = Counter()
    for count, name, location in batch.positions:
        units[name, location] += count
    positions = [(count, name, location) for (name, location), count in sorted(units.items())]
    levels = sorted({(at, account, name) for at, account, name in batch.levels}, key=lambda row: row[1:])
    given = (INPUTS, ORDERS, LINES, POSTINGS, POSITIONS, LEVELS)
    rows = (batch.inputs, batch.orders, batch.lines, batch.postings, positions, levels)
    return [(statement, _columns(table)) for statement, table in zip(given, rows, strict=True)]


def _columns(rows: list[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def _fill(connection: Any, skus: int, orders: int) -> None:
    names = [world.sku(number) for number in range(skus)]
    await connection.execute(
        "INSERT INTO positions SELECT s, $2, $3, 0, 0 FROM unnest($1::text[]) s",
        names, world.LOCATION, world.OPENING_UNITS,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO levels SELECT a, s, 0, 0 FROM unnest($1::text[]) a, unnest($2::text[]) s",
        list(world.CHANNELS), names,
    )  # fmt: skip
    body = payloads.body(1, [(world.sku(number), 1) for number in range(world.LINES)])
    await connection.execute(
        "INSERT INTO inbox SELECT n, $1, 'event-' || n, 'pending', $2 FROM generate_series(1, $3::int) n",
        world.SHOP, body, orders,
    )  # fmt: skip
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
