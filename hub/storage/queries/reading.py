"""What all queries share: a snapshot per method, pages by key, and names for partial indexes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, Table, and_, literal_column, or_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.sdk.ports import Clock
from hub.ports.queries import CursorUnknown
from hub.ports.store import Micros, StoreUnavailable
from hub.storage.instants import now_of
from hub.storage.vault import Vault

T = TypeVar("T")
Query = Select[*tuple[Any, ...]]
Line = Any
"""A row as SQLAlchemy gives it; what is in it is known where the query is written."""
LIMIT_MAX = 1000
_INTEGER_MAX = 2**63


class Reading:
    """`engine` hands out read-only connections whose transaction is one snapshot."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self.vault = vault
        self._clock = clock

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (OSError, DBAPIError, PoolTimeout) as error:
            raise StoreUnavailable(f"the database cannot be read now: {type(error).__name__}") from error

    async def _rows(self, statement: Query) -> Sequence[Line]:
        async with self._snapshot() as connection:
            rows: Sequence[Line] = (await connection.execute(statement)).all()
            return rows

    async def _first(self, statement: Query) -> Line | None:
        async with self._snapshot() as connection:
            row: Line | None = (await connection.execute(statement)).first()
            return row

    async def _page(
        self,
        statement: Query,
        keys: Sequence[ColumnElement[Any]],
        read: Callable[[Line], T],
        *,
        limit: int,
        cursor: str | None,
        descending: bool = True,
    ) -> tuple[Sequence[T], str | None]:
        """One page ordered by `keys`, which stand last in every row selected."""
        limit = max(1, min(limit, LIMIT_MAX))
        if cursor is not None:
            statement = statement.where(_beyond(keys, _place(cursor, keys), descending=descending))
        order = [key.desc() if descending else key for key in keys]
        rows = await self._rows(statement.order_by(*order).limit(limit + 1))
        more = len(rows) > limit
        rows = rows[:limit]
        return [read(row) for row in rows], _cursor(rows[-1][-len(keys) :]) if more else None

    def _now(self) -> Micros:
        return now_of(self._clock)

    async def close(self) -> None:
        await self._engine.dispose()


def picked(table: Table, names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in names]


def literally(condition: str) -> ColumnElement[bool]:
    """A condition word for word as a partial index has it: the planner compares text, not meaning."""
    return literal_column(f"({condition})")


def _cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


def _place(cursor: str, keys: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise CursorUnknown("that cursor is none of ours; start without one") from error
    if not isinstance(values, list) or len(values) != len(keys) or not all(map(_fits, values, keys)):
        raise CursorUnknown("that cursor belongs to another list; start without one")
    return values


def _fits(value: Any, key: ColumnElement[Any]) -> bool:
    """Whether a value may stand in a key's place: of its type, and nothing a database cannot be sent."""
    if type(value) is not key.type.python_type:
        return False
    return "\0" not in value if isinstance(value, str) else abs(value) < _INTEGER_MAX


def _beyond(keys: Sequence[ColumnElement[Any]], values: Sequence[Any], *, descending: bool) -> ColumnElement[bool]:
    """(a, b) after (x, y), spelled out so that every engine uses its index for the first key."""
    steps = []
    for place, key in enumerate(keys):
        equal = [same == value for same, value in zip(keys[:place], values, strict=False)]
        steps.append(and_(*equal, key < values[place] if descending else key > values[place]))
    return or_(*steps)
