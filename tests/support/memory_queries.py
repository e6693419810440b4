"""The read side over `MemoryStore`, as far as outward use cases ask it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hub.ports.queries import AccountStatus, Flow
from hub.ports.store import (
    DocumentRow,
    Expectation,
    FailureRow,
    InboxItem,
    InboxState,
    LevelRow,
    Micros,
    OrderRow,
    OutboxRow,
    OutboxState,
    Position,
    SkuRow,
)
from tests.support.memory_store import MemoryStore

T = TypeVar("T")


def page(rows: Sequence[T], limit: int, cursor: str | None) -> tuple[Sequence[T], str | None]:
    """A page over a list that does not move; the cursor is a position."""
    start = int(cursor or 0)
    following = start + limit
    return rows[start:following], str(following) if following < len(rows) else None


def _lag_s(lag: Micros | None) -> float | None:
    return None if lag is None else lag / 1_000_000


class MemoryQueries:
    """Only what tests need; anything else fails loudly as a missing attribute."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def levels(
        self,
        *,
        account: str | None = None,
        sku: str | None = None,
        state: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[LevelRow], str | None]:
        rows = [
            row
            for row in self._store.tables.levels.values()
            if account in (None, row.account) and sku in (None, row.sku) and state in (None, row.state)
        ]
        return page(rows, limit, cursor)

    async def skus(self, *, limit: int = 500, cursor: str | None = None) -> tuple[Sequence[SkuRow], str | None]:
        return page([row for _, row in sorted(self._store.tables.catalogue.items())], limit, cursor)

    async def document(self, document_id: str) -> DocumentRow | None:
        return next((row for row in self._store.tables.documents.values() if row.id == document_id), None)

    async def expectations(
        self,
        *,
        account: str | None = None,
        state: str | None = "open",
        kind: str | None = None,
        subject: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[Expectation], str | None]:
        rows = [
            row
            for row in self._store.tables.expectations.values()
            if account in (None, row.account)
            and state in (None, row.state)
            and kind in (None, row.kind)
            and subject in (None, row.subject)
        ]
        return page(sorted(rows, key=lambda row: (row.due_at is None, row.due_at or 0)), limit, cursor)

    async def orders_called(self, names: Sequence[str]) -> Sequence[OrderRow]:
        return [row for row in self._store.tables.orders.values() if row.number in names or row.id in names]

    async def order(self, order_id: str) -> OrderRow | None:
        return next((row for row in self._store.tables.orders.values() if row.id == order_id), None)

    async def orders(
        self,
        *,
        account: str | None = None,
        held: bool | None = None,
        number: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[OrderRow], str | None]:
        rows = [
            row
            for row in self._store.tables.orders.values()
            if held in (None, bool(row.holds)) and account in (None, row.account) and number in (None, row.number)
        ]
        return page(sorted(rows, key=lambda row: row.id, reverse=True), limit, cursor)

    async def positions_at(self, skus: Sequence[str], at: Micros | None) -> Sequence[Position]:
        if at is not None:
            raise AssertionError("a memory store knows no past")
        return [row for row in self._store.tables.positions.values() if row.sku in skus]

    async def effects(
        self, *, account: str | None = None, state: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[OutboxRow], str | None]:
        rows = [
            row
            for row in self._store.tables.effects.values()
            if account in (None, row.account) and state in (None, row.state)
        ]
        return page(rows, limit, cursor)

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
        before = None if older_than_s is None else self._store.now() - round(older_than_s * 1_000_000)
        rows = [
            row
            for row in self._store.tables.failures.values()
            if account in (None, row.account)
            and kind in (None, row.kind)
            and error in (None, row.error)
            and state in (None, row.state)
            and (before is None or row.created_at <= before)
        ]
        return page(rows, limit, cursor)

    async def failure(self, failure_id: int) -> FailureRow | None:
        return self._store.tables.failures.get(failure_id)

    async def inputs(
        self,
        *,
        account: str,
        topics: Sequence[str] = (),
        since: Micros | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[InboxItem], str | None]:
        rows = [
            row.item
            for row in self._store.tables.inbox.values()
            if row.item.account == account
            and (not topics or row.item.topic in topics)
            and (since is None or row.item.received_at >= since)
        ]
        return page(rows, limit, cursor)

    async def status(self) -> Sequence[AccountStatus]:
        tables = self._store.tables
        accounts = {row.account for row in tables.levels.values()} | {row.item.account for row in tables.inbox.values()}
        return [self._status(account) for account in sorted(accounts)]

    def _status(self, account: str) -> AccountStatus:
        tables = self._store.tables
        levels = [row for row in tables.levels.values() if row.account == account]
        waiting = [
            row for row in tables.inbox.values() if row.item.account == account and row.state is InboxState.PENDING
        ]
        over = (OutboxState.DONE, OutboxState.CANCELLED)
        effects = [row for row in tables.effects.values() if row.account == account and row.state not in over]
        dirty = [row for row in levels if row.dirty_seq > row.sent_seq]
        return AccountStatus(
            account=account,
            inward=Flow(len(waiting), None, None, _lag_s(tables.lags.get((account, "inward")))),
            outward=Flow(len(effects) + len(dirty), None, None, _lag_s(tables.lags.get((account, "outward")))),
            state=tables.accounts.get(account),
            failures=sum(row.account == account and row.state == "open" for row in tables.failures.values()),
            levels=len(levels),
            levels_verified=sum(row.state == "verified" for row in levels),
            drift_units=0,
            oldest_watermark=None,
        )

    async def expectation_counts(self) -> Sequence[Any]:
        return []

    async def parcel_counts(self) -> Sequence[Any]:
        return []

    async def late_counts(self) -> Sequence[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"MemoryQueries has no {name}")
