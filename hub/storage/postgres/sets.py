"""Many rows in one statement: columns go in as arrays, and several writes share a round trip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Table

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

_TYPES: Final = ((SmallInteger, "smallint"), (BigInteger, "bigint"), (Integer, "integer"), (LargeBinary, "bytea"))


@cache
def types_of(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    """PostgreSQL's name of each column's type."""
    return tuple(_type(table, name) for name in names)


def _type(table: Table, name: str) -> str:
    kind = table.c[name].type
    return next((word for python, word in _TYPES if isinstance(kind, python)), "text")


class Batch:
    """Writes that travel as one statement of several parts.

    PostgreSQL runs all parts on one snapshot, so no row may be touched by two of them.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._counted: list[str] = []
        self.arguments: list[Any] = []

    def value(self, value: Any, type_: str) -> str:
        """Bind one value; its place in the statement."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type_}"

    def rows(self, names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """Bind rows as one array per column: `unnest(...) AS d (names)` to read them from."""
        columns = list(zip(*rows, strict=True))
        places = ", ".join(self.value(list(column), f"{type_}[]") for column, type_ in zip(columns, types, strict=True))
        return f"unnest({places}) AS d ({', '.join(names)})"

    def add(self, name: str, statement: str) -> None:
        """A part that only writes."""
        self._parts.append(f"{name} AS ({statement})")

    def count(self, name: str, statement: str) -> None:
        """A part with RETURNING, whose number of rows is wanted."""
        self.add(name, statement)
        self._counted.append(name)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def text(self) -> str:
        """The whole statement: one row with the transaction's number (`xid`) and a column per counted part."""
        counts = "".join(f", (SELECT count(*) FROM {name}) AS {name}" for name in self._counted)
        return f"WITH {', '.join(self._parts)} SELECT pg_current_xact_id()::text AS xid{counts}"


def insert(batch: Batch, table: Table, names: tuple[str, ...], rows: Sequence[Sequence[Any]], *, tail: str = "") -> str:
    """An INSERT of rows already in the order of `names`."""
    source = batch.rows(names, types_of(table, names), rows)
    listed = ", ".join(names)
    return f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {source}{tail}"


def replace_on(keys: Sequence[str], names: Sequence[str]) -> str:
    """The tail of an upsert that takes every other column from the new row."""
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"
