"""Making inputs durable, claiming them for work, and giving them back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import structlog

from hub.ports.store import InboxItem, Micros, NewInput
from hub.storage.instants import DAY
from hub.storage.rows import json_text
from hub.storage.sqlite import statements as sql
from hub.storage.sqlite.memo import Memo
from hub.storage.vault import SealBroken, Vault, payload_place, seal, unseal

T = TypeVar("T")

_ROWS_AT_ONCE: Final = (64, 16, 4, 1)

_log = structlog.get_logger(__name__)


def insert_inputs(
    connection: sqlite3.Connection, inputs: Sequence[NewInput], now: Micros, memo: Memo, vault: Vault
) -> list[bool]:
    """True per input that is new. A duplicate leaves no trace.

    Rows go in by the dozen per statement: every statement costs a turn of the interpreter lock, and a
    busy event loop gives that turn back late.
    """
    fresh: list[bool] = []
    if not inputs:
        return fresh
    key_id = _todays_key(connection, now, memo, vault)
    cipher = memo.ciphers[key_id]
    for part in _parts(inputs):
        seqs = _numbered(connection, part)
        fresh += [seq is not None for seq in seqs]
        payloads: list[Any] = []
        work: list[Any] = []
        for new, seq in zip(part, seqs, strict=True):
            if seq is not None:
                payloads += (seq, key_id, seal(cipher, new.payload, payload_place(new.account, new.dedupe_key)))
                work += (seq, new.account, new.ordering_key, now, new.received_at)
        for statement, width, values in ((sql.insert_payload, 3, payloads), (sql.insert_work, 5, work)):
            for rows in _parts(range(len(values) // width)):
                connection.execute(statement(len(rows)), values[rows[0] * width : (rows[-1] + 1) * width])
    return fresh


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Slices of a few fixed lengths, so that few different statements are ever prepared."""
    start = 0
    for size in _ROWS_AT_ONCE:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _numbered(connection: sqlite3.Connection, part: Sequence[NewInput]) -> list[int | None]:
    """The number each input got; None for a duplicate, also of one before it in the same part."""
    values: list[Any] = []
    for new in part:
        values += (
            new.account, new.connector, new.origin, new.topic, new.dedupe_key, new.ordering_key, new.digest,
            new.received_at, new.occurred_at, new.headers,
        )  # fmt: skip
    cursor = connection.execute(sql.insert_input(len(part)), values)
    # One statement of the only writer: what it inserted has the last numbers, without a gap.
    last, made = int(cursor.lastrowid or 0), cursor.rowcount
    if made == len(part):
        return list(range(last - made + 1, last + 1))
    seqs: list[int | None] = [None] * len(part)
    if made:
        (text,) = connection.execute(sql.INSERTED_SINCE, (last - made,)).fetchone()
        numbers = {(account, key): seq for seq, account, key in json.loads(text)}
        for place, new in enumerate(part):
            seqs[place] = numbers.pop((new.account, new.dedupe_key), None)
        if numbers:
            raise ValueError("an input was stored under another name than its own")
    return seqs


def _todays_key(connection: sqlite3.Connection, now: Micros, memo: Memo, vault: Vault) -> int:
    day = now // DAY
    if memo.key_id is not None and memo.key_day == day:
        return memo.key_id
    found = connection.execute("SELECT id, wrapped FROM payload_keys WHERE day = ? LIMIT 1", (day,)).fetchone()
    if found is None:
        cipher, wrapped = vault.new_payload_key(day)
        made = connection.execute("INSERT INTO payload_keys (day, wrapped) VALUES (?, ?)", (day, wrapped))
        key_id = int(made.lastrowid or 0)
    else:
        key_id, cipher = found[0], vault.payload_key(day, found[1])
    memo.key_id, memo.key_day = key_id, day
    memo.ciphers[key_id] = cipher
    return key_id


def claim(
    connection: sqlite3.Connection, limit: int, excluded: Collection[str], now: Micros, memo: Memo, vault: Vault
) -> list[InboxItem]:
    """Due heads, oldest first; a row that outlived its process comes alone."""
    alone = connection.execute(sql.CRASHED_HEAD, (now, json_text(sorted(excluded)))).fetchone()
    if alone is not None:
        seqs = [alone[0]]
    else:
        waiting = [account for (account,) in connection.execute(sql.WAITING_ACCOUNTS) if account not in excluded]
        due: list[tuple[Micros, int]] = []
        for account in waiting:
            due.extend(connection.execute(sql.DUE_HEADS, (account, now, limit)))
        seqs = [seq for _, seq in sorted(due)[:limit]]
    if not seqs:
        return []
    names = json_text(seqs)
    connection.execute(sql.CLAIM, (names,))
    rows = connection.execute(sql.CLAIMED, (names,)).fetchall()
    return [_item(connection, row, memo, vault) for row in rows]


def release(connection: sqlite3.Connection, seqs: Iterable[int]) -> None:
    connection.executemany(sql.RELEASE, [(seq,) for seq in seqs])


def _item(connection: sqlite3.Connection, row: Sequence[Any], memo: Memo, vault: Vault) -> InboxItem:
    seq, account, connector, origin, topic, lane, digest, received_at, occurred_at, headers = row[:10]
    attempts, crashes, dedupe_key, key_id, body = row[10:]
    payload = b""
    if body is not None:
        try:
            payload = unseal(_cipher(connection, key_id, memo, vault), body, payload_place(account, dedupe_key))
        except SealBroken:
            # One changed row must not stop the rest; empty, it is quarantined as unreadable.
            _log.error("payload.seal_broken", seq=seq, account=account)
    return InboxItem(
        seq, account, connector, origin, topic, lane, payload, digest, received_at, occurred_at, headers, attempts,
        crashes,
    )  # fmt: skip


def _cipher(connection: sqlite3.Connection, key_id: int, memo: Memo, vault: Vault) -> Any:
    if key_id not in memo.ciphers:
        found = connection.execute("SELECT day, wrapped FROM payload_keys WHERE id = ?", (key_id,)).fetchone()
        if found is None:
            raise SealBroken(f"payload key {key_id} is gone")
        memo.ciphers[key_id] = vault.payload_key(*found)
    return memo.ciphers[key_id]
