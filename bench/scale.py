"""Throughput with a million SKUs and a million past orders, against a thousand of each.

The large database is made from the small one, whose rows the hub itself wrote: every row is copied
a thousand times under new keys. Past orders come without their raw payloads, which retention has
shredded by then. Orders name SKUs drawn evenly from all there are, the worst case for any cache.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path

from bench import world
from bench.apply import WARM_UP, drain_all, interleaved
from bench.cell import run_cell
from bench.options import Options
from bench.report import Report, Side, Target, compared
from hub.runtime.process import tune_gc

TARGET = Target(">=", 0.8)
BASE = 1000

NEW_SKU = f"printf('SKU-%07d', CAST(substr({{0}}, 5) AS INTEGER) + {BASE} * k)"
"""The copy's SKU; copies of past orders get numbers that follow the base's in the same way."""
NEW_ID = "substr({0}, 1, 18) || printf('%08d', k) || substr({0}, 19)"
NEW_SOURCE = f"CAST(CAST({{0}} AS INTEGER) + {BASE} * k AS TEXT)"

CHANGED: dict[str, dict[str, str]] = {
    "skus": {"sku": NEW_SKU},
    "listings": {"listing_id": "{0} || '~' || k", "channel_sku": NEW_SKU, "sku": NEW_SKU},
    "levels": {"listing_id": "{0} || '~' || k", "channel_sku": NEW_SKU, "sku": NEW_SKU},
    "positions": {"sku": NEW_SKU},
    "own_reserved": {"sku": NEW_SKU},
    "orders": {"id": NEW_ID, "source_id": NEW_SOURCE, "number": "{0} || '~' || k"},
    "personal": {"subject": NEW_ID},
    "inbox": {"dedupe_key": "{0} || '~' || k", "ordering_key": "{0} || '~' || k"},
    "postings": {"event": "{0} || '~' || k", "sku": NEW_SKU, "reference": "{0} || '~' || k"},
}
"""Per table the columns that a copy must not share, as expressions over the old value and `k`."""
OWN_NUMBER = {"inbox": "seq", "postings": "seq"}
"""Columns the database numbers itself."""


def run(options: Options) -> Report:
    times = options.pick(1000, 50, 3)
    report = Report("scale", f"{BASE * times:,} SKUs and past orders against {BASE:,}".replace(",", " "))
    small, large = options.place("scale-small"), options.place("scale-large")
    run_cell("bench.world:prepare", folder=str(small), database=None, skus=BASE, orders=BASE)
    run_cell("bench.scale:settle", folder=str(small), orders=BASE)
    world.copied(small, large)
    made = run_cell("bench.scale:multiply", folder=str(large), times=times)
    orders = options.pick(4_000, 2_000, 300)
    firsts = {"small": BASE * times + 1, "large": BASE * times + 1}

    def measure(name: str, folder: Path, skus: int) -> float:
        first = firsts[name]
        firsts[name] += orders
        return float(run_cell("bench.scale:more", folder=str(folder), first=first, orders=orders, skus=skus)["rate"])

    found = interleaved(
        {"small": lambda: measure("small", small, BASE), "large": lambda: measure("large", large, BASE * times)},
        options.rounds,
    )
    base = Side(f"{BASE} SKUs and past orders", found["small"], "orders/s")
    note = f"database of {made['mb']:.0f} MB, filled in {made['seconds']:.0f} s"
    report.figures.append(compared("SQLite", Side("", found["large"], "orders/s"), base, TARGET, note))
    for folder in (small, large):
        shutil.rmtree(folder, ignore_errors=True)
    return report


async def settle(folder: str, orders: int) -> dict[str, int]:
    """A cell: the base's own past orders, applied by the hub."""
    async with world.opened(Path(folder)) as hub:
        done = await drain_all(world.works(hub))
        if done != orders:
            raise RuntimeError(f"{done} of {orders} orders were applied")
    return {"orders": done}


async def more(folder: str, first: int, orders: int, skus: int) -> dict[str, float]:
    """A cell: new orders received and applied; the first two batches warm up and are not counted."""
    async with world.opened(Path(folder)) as hub:
        await world.fill_inbox(hub, orders, skus, first=first)
        parts = world.works(hub)
        tune_gc()
        warm = 0
        while warm < WARM_UP:
            warm += (await parts.worker.step()).done
        began = time.perf_counter()
        done = await drain_all(parts)
        seconds = time.perf_counter() - began
        status = await hub.acts.status()
        if warm + done != orders or status["failures"]:
            raise RuntimeError(f"{warm + done} of {orders} orders were applied, {status['failures']} failures")
    return {"rate": done / seconds}


def multiply(folder: str, times: int) -> dict[str, float]:
    """A cell: every row of the base `times` times, the base's own included; nothing else has it open."""
    path = Path(folder) / "hub.db"
    began = time.perf_counter()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE copies (k INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO copies VALUES (?)", [(k,) for k in range(1, times)])
    for table, changed in CHANGED.items():
        connection.execute(_copy(connection, table, changed))
    connection.execute("COMMIT")
    for table in ("skus", "orders"):
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        if count != BASE * times:
            raise RuntimeError(f"{table} has {count} rows")
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.close()
    return {"seconds": time.perf_counter() - began, "mb": path.stat().st_size / 2**20}


def _copy(connection: sqlite3.Connection, table: str, changed: dict[str, str]) -> str:
    """`INSERT … SELECT` of all rows times all copies; generated columns and own numbers are left to the database."""
    rows = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    columns = [row[1] for row in rows if row[6] == 0 and row[1] != OWN_NUMBER.get(table)]
    values = [f"({changed[name].format(f't.{name}')})" if name in changed else f"t.{name}" for name in columns]
    only = " WHERE t.reason = 'count' OR t.reference <> ''" if table == "postings" else ""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM copies, {table} t{only}"
