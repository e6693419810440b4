"""procrastinate on PostgreSQL, jobs deferred by 200, 16 at once: a job inserts the order and reserves its lines."""

import asyncio
import json
import sys
import time

import procrastinate
from psycopg_pool import AsyncConnectionPool

GIVEN = json.loads(sys.argv[1])
ORDERS, SKUS, TEXT, URL = GIVEN["orders"], GIVEN["skus"], GIVEN["document"], GIVEN["url"]
AT_ONCE = 16
BATCH = 200
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL, max_size=AT_ONCE + 4))
pool = AsyncConnectionPool(URL, min_size=AT_ONCE, max_size=AT_ONCE, open=False)


@app.task(name="take")
async def take(number, skus, document):
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("INSERT INTO bench_orders VALUES (%s, %s)", (number, document))
        await connection.execute("UPDATE stock SET reserved = reserved + 1 WHERE sku = ANY(%s)", (sorted(skus),))


async def main():
    async with app.open_async():
        await pool.open()
        await app.schema_manager.apply_schema_async()
        async with pool.connection() as connection:
            await connection.execute("CREATE TABLE bench_orders (number int PRIMARY KEY, document text)")
            await connection.execute("CREATE TABLE stock (sku text PRIMARY KEY, reserved int)")
            names = sorted({sku for order in SKUS for sku in order})
            await connection.execute("INSERT INTO stock SELECT s, 0 FROM unnest(%s::text[]) s", (names,))
        began = time.perf_counter()
        for start in range(0, ORDERS, BATCH):
            numbers = range(start, min(start + BATCH, ORDERS))
            await take.batch_defer_async(*[{"number": n, "skus": SKUS[n], "document": TEXT} for n in numbers])
        queued = time.perf_counter()
        await app.run_worker_async(concurrency=AT_ONCE, wait=False, listen_notify=False)
        ended = time.perf_counter()
        async with pool.connection() as connection:
            row = await (await connection.execute("SELECT sum(reserved) FROM stock")).fetchone()
        assert row[0] == sum(map(len, SKUS)), row
        await pool.close()
    print(json.dumps({"rate": ORDERS / (ended - began), "drain": ORDERS / (ended - queued)}))


asyncio.run(main())
