"""Counters, expectations and the files of trading partners, on PostgreSQL.

A counter is locked by reading it, there or not, until the unit ends: whoever reads it next waits and sees what was
given out. A unit that rolls back gives its numbers back with everything else, so no number is skipped.
"""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import asyncpg
import structlog

from hub.ports.store import Micros, ReadSet, SeenNumber, State, StoreConflict, WriteSet
from hub.storage import tables as t
from hub.storage.plan import guarded, last_of_each
from hub.storage.postgres.connection import Connection
from hub.storage.postgres.sets import Batch, insert, replace_on, types_of
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
    number_values,
)
from hub.storage.vault import SealBroken, Vault

_log = structlog.get_logger(__name__)
_COUNTER: Final = ("account", "name", "value")
_BODY: Final = ("file", "account", "made_at", "wrapped", "body")
_LOCK_COUNTERS: Final = (
    "INSERT INTO counters (account, name, value) SELECT j.account, j.name, 0"
    " FROM unnest($1::text[], $2::text[]) AS j (account, name) ORDER BY 1, 2"
    " ON CONFLICT (account, name) DO UPDATE SET value = counters.value RETURNING account, name, value"
)
_EXPECTATIONS: Final = (
    f"SELECT {columns(EXPECTATION, 'e')} FROM unnest($1::text[], $2::text[], $3::text[])"
    " AS j (account, kind, reference) JOIN expectations e USING (account, kind, reference)"
    " ORDER BY e.account, e.kind, e.reference FOR NO KEY UPDATE OF e"
)
_NUMBERS: Final = (
    f"SELECT {columns(NUMBER, 'n')} FROM unnest($1::text[], $2::text[]) AS j (account, key)"
    " JOIN seen_numbers n USING (account, key)"
)
_FILES: Final = f"SELECT {columns(FILE)} FROM files WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"
_FILE_SETS: Final = (
    f"SELECT {columns(FILE_SET, 's')} FROM unnest($1::text[], $2::int[]) AS j (file, place)"
    " JOIN file_sets s USING (file, place) ORDER BY s.file, s.place FOR NO KEY UPDATE OF s"
)
_DUE: Final = "EXISTS (SELECT 1 FROM inbox_work w WHERE w.seq = p.seq AND w.state = 'pending')"
_FORGET_BODIES: Final = (
    "DELETE FROM file_bodies WHERE file IN (SELECT s.file FROM file_sets s WHERE s.subject <> ''"
    " AND s.subject = ANY($1::text[]))"
)
_OF_SUBJECTS: Final = "s.subject <> '' AND s.subject = ANY($1::text[])"
_FORGET_ASKED: Final = (
    f"DELETE FROM payloads p WHERE p.seq IN (SELECT s.input FROM file_sets s WHERE {_OF_SUBJECTS}"
    f" UNION SELECT f.input FROM file_sets s JOIN files f ON f.id = s.file WHERE {_OF_SUBJECTS}"
    " UNION SELECT i.seq FROM file_sets s JOIN inbox i ON i.account = s.account AND i.ordering_key = s.lane"
    f" WHERE {_OF_SUBJECTS} AND s.lane <> '') AND NOT {_DUE}"
)
_OF_LANES: Final = (
    "unnest($1::text[], $2::text[]) AS d (account, lane) JOIN file_sets s ON s.account = d.account"
    " AND s.lane = d.lane AND s.lane <> ''"
)
_FORGET_FILES: Final = (
    f"DELETE FROM payloads p WHERE p.seq IN (SELECT f.input FROM {_OF_LANES} JOIN files f ON f.id = s.file)"
    f" AND NOT {_DUE}"
)
_FORGET_MADE: Final = f"DELETE FROM file_bodies WHERE file IN (SELECT s.file FROM {_OF_LANES})"


async def load(connection: Connection, state: State, reads: ReadSet) -> None:
    """What a unit reads of all this; counters first, whose locks make others of the account wait."""
    for account, name, value in await _each(connection, _LOCK_COUNTERS, reads.counters, 2):
        state.counters[account, name] = value
    for row in await _each(connection, _EXPECTATIONS, reads.expectations, 3):
        expectation = expectation_from(row)
        state.expectations[expectation.account, expectation.kind, expectation.reference] = expectation
    for row in await _each(connection, _NUMBERS, reads.numbers, 2):
        number = SeenNumber(*row)
        state.numbers[number.account, number.key] = number
    if reads.files:
        for row in await connection.fetch(_FILES, sorted(reads.files)):
            file = file_from(row)
            state.files[file.id] = file
    for row in await _each(connection, _FILE_SETS, reads.file_sets, 2):
        found = file_set_from(row)
        state.file_sets[found.file, found.place] = found


def gather(batch: Batch, writes: WriteSet, now: Micros, vault: Vault) -> dict[str, tuple[int, StoreConflict]]:
    """Add the unit's writes to its statement; how many rows each guarded part has to find."""
    upserts = (
        ("counted", t.counters, _COUNTER, 2, [(*key, value) for key, value in sorted(writes.counters.items())]),
        (
            "expected", t.expectations, EXPECTATION, 3,
            [expectation_values(row)
             for row in last_of_each(writes.expectations, lambda row: (row.account, row.kind, row.reference))],
        ),
        (
            "numbered", t.seen_numbers, NUMBER, 2,
            [number_values(row) for row in last_of_each(writes.numbers, lambda row: (row.account, row.key))],
        ),
        (
            "sets_put", t.file_sets, FILE_SET, 2,
            [file_set_values(row) for row in last_of_each(writes.file_sets, lambda row: (row.file, row.place))],
        ),
        (
            "bodies_put", t.file_bodies, _BODY, 1,
            [(one.file, one.account, now, *vault.seal_file(one.file, one.account, one.content))
             for one in last_of_each(writes.file_bodies, lambda row: row.file)],
        ),
    )  # fmt: skip
    for name, table, names, keys, rows in upserts:
        if rows:
            batch.add(name, insert(batch, table, names, rows, tail=replace_on(names[:keys], names)))
    return _files(batch, writes)


def _files(batch: Batch, writes: WriteSet) -> dict[str, tuple[int, StoreConflict]]:
    expected: dict[str, tuple[int, StoreConflict]] = {}
    rows = guarded(writes.files, lambda row: row.id, lambda row: row.rev)
    if new := [file_values(row, 1) for row, rev in rows if rev == 0]:
        statement = insert(batch, t.files, FILE, new, tail=" ON CONFLICT DO NOTHING")
        batch.count("files_new", f"{statement} RETURNING 1")
        expected["files_new"] = (len(new), StoreConflict("a file was there already"))
    if changed := [file_values(row, rev + 1) for row, rev in rows if rev]:
        source = batch.rows(FILE, types_of(t.files, FILE), changed)
        sets = ", ".join(f"{name} = d.{name}" for name in FILE if name != "id")
        batch.count(
            "files_changed",
            f"UPDATE files f SET {sets} FROM {source} WHERE f.id = d.id AND f.rev = d.rev - 1 RETURNING 1",
        )
        expected["files_changed"] = (len(changed), StoreConflict("a file has moved"))
    return expected


async def forget(connection: Connection, subjects: Sequence[str], lanes: Sequence[tuple[str, str]]) -> None:
    """The bytes of every file in which somebody stands who is to be forgotten."""
    for statement in (_FORGET_BODIES, _FORGET_ASKED) if subjects else ():
        await connection.execute(statement, list(subjects))
    if lanes:
        accounts, names = zip(*lanes, strict=True)
        for statement in (_FORGET_FILES, _FORGET_MADE):
            await connection.execute(statement, list(accounts), list(names))


async def content(connection: Any, file: str, vault: Vault) -> bytes | None:
    row = await connection.fetchrow("SELECT account, wrapped, body FROM file_bodies WHERE file = $1", file)
    try:
        return vault.open_file(file, row[0], bytes(row[1]), bytes(row[2])) if row else None
    except SealBroken:
        # Treated as forgotten: what cannot be opened cannot be sent again, and the rest goes on.
        _log.error("file.seal_broken", file=file)
        return None


async def _each(
    connection: Connection, statement: str, keys: Collection[tuple[Any, ...]], width: int
) -> Sequence[asyncpg.Record]:
    if not keys:
        return ()
    ordered = sorted(keys)
    rows: list[asyncpg.Record] = await connection.fetch(
        statement, *([key[place] for key in ordered] for place in range(width))
    )
    return rows
