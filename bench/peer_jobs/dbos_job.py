"""DBOS Transact on SQLite, eight threads: a workflow of two steps, the order's insert and its reservation."""

import json
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS

GIVEN = json.loads(sys.argv[1])
ORDERS, SKUS, TEXT, FOLDER = GIVEN["orders"], GIVEN["skus"], GIVEN["document"], GIVEN["folder"]
THREADS = 8
DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{FOLDER}/dbos.db", "log_level": "ERROR",
             "run_admin_server": False})  # fmt: skip
here = threading.local()


def connection():
    if not hasattr(here, "connection"):
        here.connection = sqlite3.connect(f"{FOLDER}/orders.db", isolation_level=None, timeout=60)
        here.connection.execute("PRAGMA journal_mode=WAL")
        here.connection.execute("PRAGMA synchronous=FULL")
    return here.connection


@DBOS.step()
def insert(number, document):
    connection().execute("INSERT INTO orders VALUES (?, ?)", (number, document))


@DBOS.step()
def reserve(skus):
    database = connection()
    database.execute("BEGIN IMMEDIATE")
    database.executemany("UPDATE stock SET reserved = reserved + 1 WHERE sku = ?", [(sku,) for sku in skus])
    database.execute("COMMIT")


@DBOS.workflow()
def take(number, skus, document):
    insert(number, document)
    reserve(skus)


def main():
    database = connection()
    database.execute("CREATE TABLE orders (number INTEGER PRIMARY KEY, document TEXT)")
    database.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, reserved INTEGER) WITHOUT ROWID")
    names = sorted({sku for order in SKUS for sku in order})
    database.executemany("INSERT INTO stock VALUES (?, 0)", [(name,) for name in names])
    DBOS.launch()
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: take(number, SKUS[number], TEXT), range(ORDERS)))
    ended = time.perf_counter()
    reserved = database.execute("SELECT sum(reserved) FROM stock").fetchone()[0]
    assert reserved == sum(map(len, SKUS)), reserved
    DBOS.destroy()
    print(json.dumps({"rate": ORDERS / (ended - began), "drain": ORDERS / (ended - began)}))


main()
