"""One statement that makes many inputs durable: rows of a temporary view, spread over three tables.

Between two statements the writing thread needs the interpreter lock, which a busy event loop gives
back late. So everything an input needs is done by one: the row, its sealed payload and its place in
the queue of work. Outside a transaction that statement is one by itself, the synced commit included.
"""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports.store import Micros, NewInput
from hub.storage.vault import NONCE_BYTES, payload_place, seal

ROWS_MAX: Final = 256
"""Inputs per statement; more gain nothing."""
_INBOX: Final = "account, connector, origin, topic, dedupe_key, ordering_key, digest, received_at, occurred_at, headers"
_WIDTH: Final = 13
_TABLES: Final = 3
"""Rows a new input makes: inbox, payloads, inbox_work."""
_VIEW: Final = f"CREATE TEMP VIEW arriving AS SELECT {_INBOX}, NULL AS body, NULL AS key_id, NULL AS due_at FROM inbox"
# `changes()` is 0 after a duplicate, and then stays so.
_SPREAD: Final = (
    "CREATE TEMP TRIGGER arrived INSTEAD OF INSERT ON arriving WHEN new.account IS NOT NULL BEGIN"
    f" INSERT INTO inbox ({_INBOX}) VALUES ({', '.join(f'new.{name}' for name in _INBOX.split(', '))})"
    " ON CONFLICT (account, dedupe_key) DO NOTHING;"
    " INSERT INTO payloads (seq, key_id, body) SELECT last_insert_rowid(), new.key_id, new.body WHERE changes();"
    " INSERT INTO inbox_work (seq, account, ordering_key, state, due_at, received_at, attempts, crashes)"
    " SELECT last_insert_rowid(), new.account, new.ordering_key, 'pending', new.due_at, new.received_at, 0, 0"
    " WHERE changes(); END"
)
_NEWEST: Final = (
    "SELECT json_group_array(json_array(account, dedupe_key)) FROM"
    " (SELECT account, dedupe_key FROM inbox ORDER BY seq DESC LIMIT ?)"
)


def prepare(connection: sqlite3.Connection) -> None:
    """Give a writing connection its view; it lives as long as the connection."""
    connection.execute(_VIEW)
    connection.execute(_SPREAD)


@cache
def _statement(rows: int) -> str:
    row = f"({', '.join('?' * _WIDTH)})"
    return f"INSERT INTO arriving VALUES {', '.join([row] * rows)}"


def insert(
    connection: sqlite3.Connection, inputs: Sequence[NewInput], now: Micros, key_id: int, cipher: AESGCM
) -> list[bool]:
    """True per input that is new; of two alike the first one is. At most `ROWS_MAX` of them."""
    values = _values(inputs, now, key_id, cipher)
    before = connection.total_changes
    connection.execute(_statement(len(values) // _WIDTH), values)
    made = (connection.total_changes - before) // _TABLES
    if made == len(inputs):
        return [True] * made
    return _which(connection, inputs, made)


def _values(inputs: Sequence[NewInput], now: Micros, key_id: int, cipher: AESGCM) -> list[Any]:
    """The rows' values, filled up with empty rows to a power of two, so that few statements are ever prepared."""
    # All at once: every call gives up the interpreter lock.
    nonces = os.urandom(NONCE_BYTES * len(inputs))
    values: list[Any] = []
    for place, new in enumerate(inputs):
        nonce = nonces[NONCE_BYTES * place : NONCE_BYTES * (place + 1)]
        body = seal(cipher, new.payload, payload_place(new.account, new.dedupe_key), nonce)
        values += (
            new.account, new.connector, new.origin, new.topic, new.dedupe_key, new.ordering_key, new.digest,
            new.received_at, new.occurred_at, new.headers, body, key_id, now,
        )  # fmt: skip
    values += [None] * (_WIDTH * ((1 << (len(inputs) - 1).bit_length()) - len(inputs)))
    return values


def _which(connection: sqlite3.Connection, inputs: Sequence[NewInput], made: int) -> list[bool]:
    if not made:
        return [False] * len(inputs)
    # One statement of the only writer: what it made has the last numbers.
    (text,) = connection.execute(_NEWEST, (made,)).fetchone()
    names = Counter((account, key) for account, key in json.loads(text))
    fresh = []
    for new in inputs:
        name = (new.account, new.dedupe_key)
        fresh.append(names[name] > 0)
        names[name] -= 1
    if sum(fresh) != made:
        raise ValueError("an input was stored under another name than its own")
    return fresh
