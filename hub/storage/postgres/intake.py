"""Making inputs durable: one flusher per process, one statement for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports.store import Micros, NewInput, StoreUnavailable
from hub.storage.postgres.connection import Connection, Pool, available
from hub.storage.postgres.keys import PayloadKeys
from hub.storage.vault import payload_place, seal

_log = structlog.get_logger(__name__)

_Request = tuple[Sequence[NewInput], Micros, asyncio.Future[list[bool]]]
_GROUP_MAX: Final = 256
"""Inputs per statement; beyond it a larger statement gains nothing."""
_BETWEEN: Final = "\x1f"
# Of two alike the first is stored, and finding a body by name finds the first. A join of a few hundred
# rows, each with its body, takes a quarter of the statement's time.
_INSERT: Final = """
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::bigint[], $9::bigint[], $10::text[])
    WITH ORDINALITY AS d (account, connector, origin, topic, dedupe_key, ordering_key, digest, received_at,
                          occurred_at, headers, place)
), fresh AS (
    INSERT INTO inbox (account, connector, origin, topic, dedupe_key, ordering_key, digest, received_at, occurred_at,
                       headers)
    SELECT account, connector, origin, topic, dedupe_key, ordering_key, digest, received_at, occurred_at, headers
    FROM given ORDER BY place
    ON CONFLICT (account, dedupe_key) DO NOTHING
    RETURNING seq, account, dedupe_key, ordering_key, received_at
), kept AS (
    INSERT INTO payloads (seq, key_id, body)
    SELECT seq, $12::bigint, ($11::bytea[])[array_position($14::text[], account || E'\\x1f' || dedupe_key)] FROM fresh
), waiting AS (
    INSERT INTO inbox_work (seq, account, ordering_key, state, due_at, received_at, attempts, crashes)
    SELECT seq, account, ordering_key, 'pending', $13::bigint, received_at, 0, 0 FROM fresh
)
SELECT account, dedupe_key FROM fresh
"""


async def insert_inputs(
    connection: Connection | Pool, inputs: Sequence[NewInput], now: Micros, keys: PayloadKeys
) -> list[bool]:
    """True per input that is new; of two alike the first one is."""
    if not inputs:
        return []
    key_id, cipher = await keys.today(now)
    columns = list(zip(*(_values(new, cipher) for new in inputs), strict=True))
    names = [f"{new.account}{_BETWEEN}{new.dedupe_key}" for new in inputs]
    rows = await connection.fetch(_INSERT, *(list(column) for column in columns), key_id, now, names)
    fresh = {(row[0], row[1]) for row in rows}
    news = []
    for new in inputs:
        key = (new.account, new.dedupe_key)
        news.append(key in fresh)
        fresh.discard(key)
    return news


def _values(new: NewInput, cipher: AESGCM) -> tuple[object, ...]:
    return (
        new.account, new.connector, new.origin, new.topic, new.dedupe_key, new.ordering_key, new.digest,
        new.received_at, new.occurred_at, new.headers,
        seal(cipher, new.payload, payload_place(new.account, new.dedupe_key)),
    )  # fmt: skip


class Intake:
    """Those who wait share a statement and its commit; a request that cannot be stored fails alone."""

    def __init__(self, pool: Pool, keys: PayloadKeys) -> None:
        self._pool = pool
        self._keys = keys
        self._waiting: list[_Request] = []
        self._flusher: asyncio.Task[None] | None = None
        self._closed = False

    async def store(self, inputs: Sequence[NewInput], now: Micros) -> list[bool]:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        future: asyncio.Future[list[bool]] = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, now, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="store-intake")
        return await future

    async def close(self) -> None:
        """Answer those who still wait, then refuse."""
        self._closed = True
        if self._flusher is not None:
            await self._flusher

    async def _flush(self) -> None:
        while self._waiting:
            group: list[_Request] = []
            count = 0
            while self._waiting and (not group or count + len(self._waiting[0][0]) <= _GROUP_MAX):
                group.append(self._waiting.pop(0))
                count += len(group[-1][0])
            try:
                await self._together(group)
            except StoreUnavailable as error:
                for _, _, future in group:
                    _fail(future, error)
            except Exception as error:  # noqa: BLE001 - one request's bad value must not fail its neighbours
                _log.warning("intake.group_split", error=type(error).__name__, requests=len(group))
                await self._one_by_one(group)

    async def _together(self, group: Sequence[_Request]) -> None:
        inputs = [new for some, _, _ in group for new in some]
        now = max(at for _, at, _ in group)
        async with available():
            news = await insert_inputs(self._pool, inputs, now, self._keys)
        start = 0
        for some, _, future in group:
            if not future.done():
                future.set_result(news[start : start + len(some)])
            start += len(some)

    async def _one_by_one(self, group: Sequence[_Request]) -> None:
        for request in group:
            try:
                await self._together([request])
            except Exception as error:  # noqa: BLE001 - handed to the one who asked
                _fail(request[2], error)


def _fail(future: asyncio.Future[list[bool]], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
