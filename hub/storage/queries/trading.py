"""Files of trading partners, their sets, and who owes whom an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import Integer, func, select

from hub.ports.queries import AwaitedCount
from hub.ports.store import Expectation, FileRow, FileSet, OutboxRow
from hub.storage import tables as t
from hub.storage.queries.flow import FlowQueries
from hub.storage.queries.reading import literally, picked
from hub.storage.rows import (
    EXPECTATION,
    FILE,
    FILE_SET,
    OUTBOX,
    expectation_from,
    file_from,
    file_set_from,
    outbox_from,
)
from hub.storage.vault import SealBroken

_log = structlog.get_logger(__name__)
_NEVER: Final = 2**62
"""Where something without a deadline stands in the order of deadlines."""


class TradingQueries(FlowQueries):
    """Files newest first; expectations by deadline, soonest first."""

    async def expectations(
        self,
        *,
        account: str | None = None,
        state: str | None = "open",
        kind: str | None = None,
        subject: str | None = None,
        overdue_only: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[Expectation], str | None]:
        rows = t.expectations
        due = func.coalesce(rows.c.due_at, _NEVER)
        keys = [due, rows.c.account, rows.c.kind, rows.c.reference]
        query = select(*picked(rows, EXPECTATION), *(key.label(f"page_{n}") for n, key in enumerate(keys)))
        for column, value in ((rows.c.account, account), (rows.c.kind, kind)):
            if value is not None:
                query = query.where(column == value)
        if subject:
            query = query.where(rows.c.subject == subject, literally("subject <> ''"))
        if state == "open":
            query = query.where(literally("state = 'open'"))
        elif state is not None:
            query = query.where(rows.c.state == state)
        if overdue_only:
            query = query.where(rows.c.due_at < self._now())
        return await self._page(
            query, keys, lambda row: expectation_from(row[: len(EXPECTATION)]), limit=limit, cursor=cursor,
            descending=False,
        )  # fmt: skip

    async def expectation_counts(self) -> Sequence[AwaitedCount]:
        rows = t.expectations
        late = func.sum((rows.c.due_at < self._now()).cast(Integer))
        query = (
            select(
                rows.c.account, rows.c.kind, rows.c.ours, func.count(), func.coalesce(late, 0), func.min(rows.c.due_at)
            )
            .where(literally("state = 'open'"))
            .group_by(rows.c.account, rows.c.kind, rows.c.ours)
            .order_by(rows.c.account, rows.c.kind, rows.c.ours)
        )
        return [
            AwaitedCount(account, kind, bool(ours), count, int(overdue), due)
            for account, kind, ours, count, overdue, due in await self._rows(query)
        ]

    async def files(
        self,
        *,
        account: str | None = None,
        direction: str | None = None,
        state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[FileRow], str | None]:
        files = t.files
        query = select(*picked(files, FILE), files.c.id.label("page_key"))
        for column, value in ((files.c.account, account), (files.c.direction, direction), (files.c.state, state)):
            if value is not None:
                query = query.where(column == value)
        return await self._page(
            query, [files.c.id], lambda row: file_from(row[: len(FILE)]), limit=limit, cursor=cursor
        )

    async def file(self, file: str) -> FileRow | None:
        row = await self._first(select(*picked(t.files, FILE)).where(t.files.c.id == file))
        return file_from(row) if row else None

    async def file_content(self, file: str) -> bytes | None:
        bodies = t.file_bodies
        query = select(bodies.c.account, bodies.c.wrapped, bodies.c.body).where(bodies.c.file == file)
        row = await self._first(query)
        if row is not None:
            try:
                return self.vault.open_file(file, row.account, bytes(row.wrapped), bytes(row.body))
            except SealBroken:
                _log.error("file.seal_broken", file=file)
                return None
        known = await self.file(file)
        if known is None or known.direction != "in" or known.input is None:
            return None
        stored = await self.input(known.input)
        return stored.payload or None if stored is not None else None

    async def file_sets(self, file: str, *, after: int = 0, limit: int = 1000) -> Sequence[FileSet]:
        sets = t.file_sets
        query = select(*picked(sets, FILE_SET)).where(sets.c.file == file, sets.c.place > after)
        return [file_set_from(row) for row in await self._rows(query.order_by(sets.c.place).limit(limit))]

    async def sent_sets(
        self, account: str, *, interchange: str | None = None, functional_id: str = "", group: str = ""
    ) -> Sequence[FileSet]:
        sets = t.file_sets
        query = select(*picked(sets, FILE_SET)).where(literally("direction = 'out'"), sets.c.account == account)
        if interchange is not None:
            query = query.where(sets.c.interchange == interchange)
        else:
            query = query.where(sets.c.functional_id == functional_id, sets.c.group_control == group)
        return [file_set_from(row) for row in await self._rows(query.order_by(sets.c.file.desc(), sets.c.place))]

    async def sendings(self, keys: Sequence[str]) -> Sequence[OutboxRow]:
        outbox = t.outbox
        query = select(*picked(outbox, OUTBOX)).where(outbox.c.idempotency_key.in_(keys)).order_by(outbox.c.id)
        return [outbox_from(row) for row in await self._rows(query)] if keys else []
