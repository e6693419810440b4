"""Counters, expectations and the files of trading partners, on SQLite.

One process writes one unit at a time, so a counter that was read is still the same when it is written.
"""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import structlog

from hub.ports.store import Micros, ReadSet, SeenNumber, State, StoreConflict, WriteSet
from hub.storage.plan import guarded, last_of_each
from hub.storage.rows import (
    EXPECTATION,
    FILE,
    FILE_SET,
    NUMBER,
    columns,
    expectation_from,
    expectation_values,
    file_from,
    file_set_from,
    file_set_values,
    file_values,
    json_text,
    number_values,
)
from hub.storage.vault import SealBroken, Vault

_log = structlog.get_logger(__name__)


def _pairs(alias: str, *names: str) -> str:
    return " AND ".join(f"{alias}.{name} = json_extract(j.value, '$[{place}]')" for place, name in enumerate(names))


def _put(table: str, names: Sequence[str], *keys: str) -> str:
    """Insert, or take every other column from the new row."""
    marks = ", ".join("?" * len(names))
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return (
        f"INSERT INTO {table} ({columns(names)}) VALUES ({marks}) ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"
    )


_KEYS: Final = "FROM json_each(?) j CROSS JOIN"
COUNTERS: Final = f"SELECT c.account, c.name, c.value {_KEYS} counters c ON {_pairs('c', 'account', 'name')}"
EXPECTATIONS: Final = (
    f"SELECT {columns(EXPECTATION, 'e')} {_KEYS} expectations e ON {_pairs('e', 'account', 'kind', 'reference')}"
)
NUMBERS: Final = f"SELECT {columns(NUMBER, 'n')} {_KEYS} seen_numbers n ON {_pairs('n', 'account', 'key')}"
FILES: Final = f"SELECT {columns(FILE, 'f')} {_KEYS} files f ON f.id = j.value"
FILE_SETS: Final = f"SELECT {columns(FILE_SET, 's')} {_KEYS} file_sets s ON {_pairs('s', 'file', 'place')}"
CONTENT: Final = "SELECT account, wrapped, body FROM file_bodies WHERE file = ?"
UPDATE_FILE: Final = f"UPDATE files SET ({columns(FILE)}) = ({', '.join('?' * len(FILE))}) WHERE id = ? AND rev = ?"
_INSERT_FILE: Final = f"INSERT INTO files ({columns(FILE)}) VALUES ({', '.join('?' * len(FILE))})"
_PUT_COUNTER: Final = _put("counters", ("account", "name", "value"), "account", "name")
_PUT_EXPECTATION: Final = _put("expectations", EXPECTATION, "account", "kind", "reference")
_PUT_BODY: Final = _put("file_bodies", ("file", "account", "made_at", "wrapped", "body"), "file")
_PUT_SET: Final = _put("file_sets", FILE_SET, "file", "place")
_PUT_NUMBER: Final = _put("seen_numbers", NUMBER, "account", "key")
_DUE: Final = "EXISTS (SELECT 1 FROM inbox_work w WHERE w.seq = payloads.seq AND w.state = 'pending')"
FORGET_BODY: Final = (
    "DELETE FROM file_bodies WHERE file IN (SELECT s.file FROM file_sets s WHERE s.subject <> '' AND s.subject = ?)"
)
_OF_SUBJECT: Final = "FROM file_sets s WHERE s.subject <> '' AND s.subject = ?1"
FORGET_ASKED: Final = (
    f"DELETE FROM payloads WHERE seq IN (SELECT s.input {_OF_SUBJECT} AND s.input IS NOT NULL"
    f" UNION SELECT (SELECT f.input FROM files f WHERE f.id = s.file) {_OF_SUBJECT}"
    " UNION SELECT i.seq FROM file_sets s JOIN inbox i ON i.account = s.account AND i.ordering_key = s.lane"
    f" WHERE s.subject <> '' AND s.subject = ?1 AND s.lane <> '') AND NOT {_DUE}"
)
FORGET_FILE: Final = (
    "DELETE FROM payloads WHERE seq IN (SELECT f.input FROM file_sets s JOIN files f ON f.id = s.file"
    f" WHERE s.lane <> '' AND s.account = ? AND s.lane = ? AND f.input IS NOT NULL) AND NOT {_DUE}"
)
FORGET_LANE_BODY: Final = (
    "DELETE FROM file_bodies WHERE file IN (SELECT s.file FROM file_sets s WHERE s.lane <> '' AND s.account = ?"
    " AND s.lane = ?)"
)


def load(connection: sqlite3.Connection, state: State, reads: ReadSet) -> None:
    """What a unit reads of all this."""
    for account, name, value in _each(connection, COUNTERS, reads.counters):
        state.counters[account, name] = value
    for row in _each(connection, EXPECTATIONS, reads.expectations):
        expectation = expectation_from(row)
        state.expectations[expectation.account, expectation.kind, expectation.reference] = expectation
    for row in _each(connection, NUMBERS, reads.numbers):
        number = SeenNumber(*row)
        state.numbers[number.account, number.key] = number
    for row in _each(connection, FILES, reads.files):
        file = file_from(row)
        state.files[file.id] = file
    for row in _each(connection, FILE_SETS, reads.file_sets):
        found = file_set_from(row)
        state.file_sets[found.file, found.place] = found


def store(connection: sqlite3.Connection, writes: WriteSet, now: Micros, vault: Vault) -> None:
    """What a unit writes of all this."""
    many = connection.executemany
    if writes.counters:
        many(_PUT_COUNTER, [(*key, value) for key, value in sorted(writes.counters.items())])
    if writes.expectations:
        latest = last_of_each(writes.expectations, lambda row: (row.account, row.kind, row.reference))
        many(_PUT_EXPECTATION, [expectation_values(row) for row in latest])
    if writes.numbers:
        many(_PUT_NUMBER, [number_values(r) for r in last_of_each(writes.numbers, lambda row: (row.account, row.key))])
    _files(connection, writes)
    if writes.file_sets:
        many(_PUT_SET, [file_set_values(r) for r in last_of_each(writes.file_sets, lambda row: (row.file, row.place))])
    if writes.file_bodies:
        sealed = [(b.file, b.account, now, *vault.seal_file(b.file, b.account, b.content)) for b in writes.file_bodies]
        many(_PUT_BODY, sealed)


def _files(connection: sqlite3.Connection, writes: WriteSet) -> None:
    if not writes.files:
        return
    rows = guarded(writes.files, lambda row: row.id, lambda row: row.rev)
    try:
        connection.executemany(_INSERT_FILE, [file_values(row, 1) for row, rev in rows if rev == 0])
    except sqlite3.IntegrityError as error:
        raise StoreConflict(f"a file was there already: {error}") from error
    changed = [(*file_values(row, rev + 1), row.id, rev) for row, rev in rows if rev]
    if changed and connection.executemany(UPDATE_FILE, changed).rowcount != len(changed):
        raise StoreConflict("a file has moved")


def forget(connection: sqlite3.Connection, subjects: Iterable[str], lanes: Iterable[tuple[str, str]]) -> None:
    """The bytes of every file in which somebody stands who is to be forgotten."""
    named = [(subject,) for subject in subjects if subject]
    connection.executemany(FORGET_BODY, named)
    connection.executemany(FORGET_ASKED, named)
    pairs = [lane for lane in lanes if lane[1]]
    connection.executemany(FORGET_FILE, pairs)
    connection.executemany(FORGET_LANE_BODY, pairs)


def content(connection: sqlite3.Connection, file: str, vault: Vault) -> bytes | None:
    row = connection.execute(CONTENT, (file,)).fetchone()
    try:
        return vault.open_file(file, *row) if row else None
    except SealBroken:
        # Treated as forgotten: what cannot be opened cannot be sent again, and the rest goes on.
        _log.error("file.seal_broken", file=file)
        return None


def _each(connection: sqlite3.Connection, statement: str, keys: Collection[Any]) -> Iterable[Any]:
    return connection.execute(statement, (json_text(sorted(keys)),)) if keys else ()
