"""What must hold of a store's files however its process ended: read plainly, and through the product."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.sdk.clock import SystemClock
from hub.storage import open_store
from hub.storage.vault import Vault
from tests.rig import store_work

Acknowledged = Mapping[str, Sequence[str]]
_VAULT = Vault(store_work.KEY)
_UNEQUAL = """
    SELECT count(*) FROM (
        SELECT sku, location, sum(h) h, sum(r) r, sum(on_hand) on_hand, sum(reserved) reserved FROM (
            SELECT sku, location, delta * (bucket = 'on_hand') h, delta * (bucket = 'reserved') r, 0 on_hand, 0 reserved
            FROM postings
            UNION ALL SELECT sku, location, 0, 0, on_hand, reserved FROM positions
        ) GROUP BY sku, location
    ) WHERE h <> on_hand OR r <> reserved
"""


def broken(database: Path, acked: Acknowledged) -> list[str]:
    """Every promise these files break, one sentence each. Opening them replays the log as SQLite does."""
    if not database.exists():
        return ["the acknowledged database is gone"] if acked else []
    connection = sqlite3.connect(database)
    try:
        checked = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        found = [f"integrity_check: {line}" for line in checked if line != "ok"]
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return found + (["the schema is gone"] if acked else [])
        return found + _missing(connection, acked) + _inconsistent(connection)
    except sqlite3.DatabaseError as error:
        return [f"unreadable: {error}"]
    finally:
        connection.close()


def _missing(db: sqlite3.Connection, acked: Acknowledged) -> list[str]:
    def names(statement: str) -> set[str]:
        return {name for (name,) in db.execute(statement)}

    stored = {
        "input": ("acknowledged inputs", {key.removeprefix("event-") for key in names("SELECT dedupe_key FROM inbox")}),
        "order": ("acknowledged orders", names("SELECT source_id FROM orders")),
        "sent": ("effects told as done", names("SELECT idempotency_key FROM outbox WHERE state = 'done'")),
    }
    found = []
    for kind, (what, there) in stored.items():
        if lost := set(acked.get(kind, ())) - there:
            found.append(f"{len(lost)} {what} are lost: {sorted(lost)[:5]}")
    meta = dict(db.execute("SELECT name, value FROM meta"))
    if acked and "key" not in meta:
        found.append("the proof of the key is lost")
    for kind, now in (("token", _token(db)), ("catalogue", meta.get("catalogue", ""))):
        # Only the last is kept; one not yet acknowledged may have overtaken it.
        if acked.get(kind) and not now:
            found.append(f"the {kind} is lost")
        elif now in acked.get(kind, ()) and now != acked[kind][-1]:
            found.append(f"an older {kind} is back: {now}")
    return found


def _token(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT body FROM tokens WHERE account = ?", (store_work.ACCOUNT,)).fetchone()
    return _VAULT.open_token(store_work.ACCOUNT, "access", row[0]) if row else ""


def _inconsistent(db: sqlite3.Connection) -> list[str]:
    """Things that are written together and found apart."""
    checks = {
        "positions differ from the sum of postings": _UNEQUAL,
        "orders lack a posting": "SELECT count(*) FROM orders o WHERE"
        " (SELECT count(*) FROM postings WHERE event = 'order:' || o.source_id) <> 2",
        "orders lack their effect": "SELECT count(*) FROM orders o WHERE NOT EXISTS"
        " (SELECT 1 FROM outbox WHERE key = 'order:' || o.source_id)",
        "inputs lack their payload": "SELECT count(*) FROM inbox WHERE seq NOT IN (SELECT seq FROM payloads)",
        "payloads lack their key": "SELECT count(*) FROM payloads WHERE key_id NOT IN (SELECT id FROM payload_keys)",
        "inputs are neither due nor done": "SELECT count(*) FROM inbox i WHERE"
        " seq NOT IN (SELECT seq FROM inbox_work)"
        " AND substr(i.dedupe_key, 7) NOT IN (SELECT source_id FROM orders)",
        "traces of a refused unit are left": "SELECT count(*) FROM postings WHERE event LIKE 'refused%'",
    }
    return [f"{count} {what}" for what, query in checks.items() if (count := db.execute(query).fetchone()[0])]


async def recovered(folder: Path, acked: Acknowledged) -> list[str]:
    """What is broken after the product itself has opened these files and finished the work it found."""
    marks = store_work.Marks(folder)
    store, queries = await open_store(store_work.url(folder), key=store_work.KEY, clock=SystemClock())
    assert store is not None
    try:
        if not await store.healthy():
            return ["the store takes no writes"]
        await store_work.receive(store, marks, "afterwards")
        await store_work.settle_inbox(store, marks)
    finally:
        marks.close()
        await queries.close()
        await store.close()
    everything = {**acked, "input": [*acked.get("input", ()), "afterwards"]}
    everything["order"] = everything["input"]
    return broken(store_work.database(folder), everything)
