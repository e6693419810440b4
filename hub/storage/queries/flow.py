"""What comes in, what goes out, and what is parked."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from hub.ports.store import (
    Attempt,
    CursorRow,
    FailureRow,
    FailureState,
    InboxItem,
    Micros,
    OutboxRow,
)
from hub.storage import tables as t
from hub.storage.instants import SECOND
from hub.storage.queries.reading import Line, Query, Reading, literally, picked
from hub.storage.rows import OUTBOX, outbox_from
from hub.storage.vault import SealBroken, payload_place, unseal

_FAILURE = (
    "id", "account", "kind", "reference", "error", "code", "path", "message", "fingerprint", "attempts", "state",
    "created_at", "updated_at", "replays",
)  # fmt: skip
_ATTEMPT = (
    "account", "direction", "kind", "target", "started_at", "duration_us", "outcome", "code", "status",
    "correlation_id", "reference",
)  # fmt: skip
_CURSOR = ("account", "stream", "cursor", "watermark", "updated_at", "last_success_at")

_log = structlog.get_logger(__name__)


class FlowQueries(Reading):
    """All lists newest first."""

    async def failures(
        self,
        *,
        account: str | None = None,
        kind: str | None = None,
        error: str | None = None,
        older_than_s: float | None = None,
        state: str | None = "open",
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[FailureRow], str | None]:
        failures = t.failures
        query = select(*picked(failures, _FAILURE), failures.c.id.label("page_key"))
        wanted = ((failures.c.account, account), (failures.c.kind, kind), (failures.c.error, error))
        for column, value in wanted:
            if value is not None:
                query = query.where(column == value)
        if state == "open":
            query = query.where(literally("state = 'open'"))
        elif state is not None:
            query = query.where(failures.c.state == state)
        if older_than_s is not None:
            query = query.where(failures.c.created_at <= self._now() - round(older_than_s * SECOND))
        return await self._page(query, [failures.c.id], _failure_from, limit=limit, cursor=cursor)

    async def failure(self, failure_id: int) -> FailureRow | None:
        row = await self._first(select(*picked(t.failures, _FAILURE)).where(t.failures.c.id == failure_id))
        return _failure_from(row) if row else None

    async def input(self, seq: int) -> InboxItem | None:
        row = await self._first(_inputs().where(t.inbox.c.seq == seq))
        return self._item(row) if row else None

    async def inputs(
        self,
        *,
        account: str,
        topics: Sequence[str] = (),
        since: Micros | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[InboxItem], str | None]:
        query = _inputs().add_columns(t.inbox.c.seq.label("page_key")).where(t.inbox.c.account == account)
        if topics:
            query = query.where(t.inbox.c.topic.in_(topics))
        if since is not None:
            query = query.where(t.inbox.c.received_at >= since)
        return await self._page(query, [t.inbox.c.seq], self._item, limit=limit, cursor=cursor)

    async def effects(
        self, *, account: str | None = None, state: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[OutboxRow], str | None]:
        outbox = t.outbox
        query = select(*picked(outbox, OUTBOX), outbox.c.id.label("page_key"))
        if account is not None:
            query = query.where(outbox.c.account == account)
        if state is not None:
            query = query.where(outbox.c.state == state)
            if state not in ("done", "cancelled"):
                query = query.where(literally("state NOT IN ('done', 'cancelled')"))
        return await self._page(
            query, [outbox.c.id], lambda row: outbox_from(row[: len(OUTBOX)]), limit=limit, cursor=cursor
        )

    async def attempts(
        self, *, account: str | None = None, reference: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[Attempt], str | None]:
        attempts = t.attempts
        query = select(*picked(attempts, _ATTEMPT), attempts.c.id.label("page_key"))
        if account is not None:
            query = query.where(attempts.c.account == account)
        if reference is not None:
            query = query.where(attempts.c.reference == reference)
            if reference:
                query = query.where(literally("reference <> ''"))
        return await self._page(
            query, [attempts.c.id], lambda row: Attempt(*row[: len(_ATTEMPT)]), limit=limit, cursor=cursor
        )

    async def cursors(self, account: str) -> Sequence[CursorRow]:
        query = select(*picked(t.cursors, _CURSOR)).where(t.cursors.c.account == account).order_by(t.cursors.c.stream)
        return [CursorRow(*row) for row in await self._rows(query)]

    def _item(self, row: Line) -> InboxItem:
        payload = b""
        if row.body is not None and row.wrapped is not None:
            try:
                key = self.vault.payload_key(row.day, bytes(row.wrapped))
                payload = unseal(key, bytes(row.body), payload_place(row.account, row.dedupe_key))
            except SealBroken:
                _log.error("payload.seal_broken", seq=row.seq, account=row.account)
        return InboxItem(
            row.seq, row.account, row.connector, row.origin, row.topic, row.ordering_key, payload, row.digest,
            row.received_at, row.occurred_at, row.headers, row.attempts or 0, row.crashes or 0,
        )  # fmt: skip


def _inputs() -> Query:
    inbox, work, payloads, keys = t.inbox, t.inbox_work, t.payloads, t.payload_keys
    return (
        select(
            *picked(inbox, [column.name for column in inbox.columns]),
            work.c.attempts, work.c.crashes, payloads.c.body, keys.c.day, keys.c.wrapped,
        )
        .join(work, work.c.seq == inbox.c.seq, isouter=True)
        .join(payloads, payloads.c.seq == inbox.c.seq, isouter=True)
        .join(keys, keys.c.id == payloads.c.key_id, isouter=True)
    )  # fmt: skip


def _failure_from(row: Line) -> FailureRow:
    id_, account, kind, reference, error, code, path, message, fingerprint, attempts, state, *dates = row[
        : len(_FAILURE)
    ]
    return FailureRow(
        id_, account, kind, reference, error, code, path, message, fingerprint, attempts, FailureState(state), *dates
    )
