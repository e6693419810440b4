"""huey on SQLite with fsync, two workers: a job inserts the order and reserves its lines."""

import json
import sqlite3
import sys
import threading
import time

from huey import SqliteHuey

GIVEN = json.loads(sys.argv[1])
ORDERS, SKUS, TEXT, FOLDER = GIVEN["orders"], GIVEN["skus"], GIVEN["document"], GIVEN["folder"]
huey = SqliteHuey("bench", filename=f"{FOLDER}/queue.db", fsync=True, journal_mode="wal", results=False)
here = threading.local()
done = threading.Semaphore(0)


def connection():
    if not hasattr(here, "connection"):
        here.connection = sqlite3.connect(f"{FOLDER}/orders.db", isolation_level=None, timeout=60)
        here.connection.execute("PRAGMA journal_mode=WAL")
        here.connection.execute("PRAGMA synchronous=FULL")
    return here.connection


@huey.task()
def take(number, skus, document):
    database = connection()
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO orders VALUES (?, ?)", (number, document))
    database.executemany("UPDATE stock SET reserved = reserved + 1 WHERE sku = ?", [(sku,) for sku in skus])
    database.execute("COMMIT")
    done.release()


def main():
    database = connection()
    database.execute("CREATE TABLE orders (number INTEGER PRIMARY KEY, document TEXT)")
    database.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, reserved INTEGER) WITHOUT ROWID")
    names = sorted({sku for order in SKUS for sku in order})
    database.executemany("INSERT INTO stock VALUES (?, 0)", [(name,) for name in names])
    began = time.perf_counter()
    for number in range(ORDERS):
        take(number, SKUS[number], TEXT)
    queued = time.perf_counter()
    consumer = huey.create_consumer(workers=2, worker_type="thread", periodic=False, initial_delay=0.01, max_delay=0.05)
    consumer.start()
    for _ in range(ORDERS):
        done.acquire()
    ended = time.perf_counter()
    consumer.stop(graceful=True)
    reserved = database.execute("SELECT sum(reserved) FROM stock").fetchone()[0]
    assert reserved == sum(map(len, SKUS)), reserved
    print(json.dumps({"rate": ORDERS / (ended - began), "drain": ORDERS / (ended - queued)}))


main()
