"""Making inputs durable, claiming them for work, and giving them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import structlog

from hub.ports.store import InboxItem, Micros, NewInput
from hub.storage.instants import DAY
from hub.storage.rows import json_text
from hub.storage.sqlite import statements as sql
from hub.storage.sqlite.arriving import ROWS_MAX, insert
from hub.storage.sqlite.memo import Memo
from hub.storage.vault import SealBroken, Vault, payload_place, unseal

_log = structlog.get_logger(__name__)


def insert_inputs(
    connection: sqlite3.Connection, inputs: Sequence[NewInput], now: Micros, memo: Memo, vault: Vault
) -> list[bool]:
    """True per input that is new. A duplicate leaves no trace. Up to `ROWS_MAX` of them are one statement."""
    fresh: list[bool] = []
    if inputs:
        key_id = _todays_key(connection, now, memo, vault)
        cipher = memo.ciphers[key_id]
        for start in range(0, len(inputs), ROWS_MAX):
            fresh += insert(connection, inputs[start : start + ROWS_MAX], now, key_id, cipher)
    return fresh


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
