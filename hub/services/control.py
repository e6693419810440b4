"""Inputs that instruct the hub itself: forgetting people, answering for them, losing access.

They are rare and may touch many rows, so each is its own sequence of units; the input is finished
in the last one, and every step may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import structlog

from connectors.sdk.manifest import Control
from hub.ports.queries import Queries
from hub.ports.store import (
    AccountRow,
    AuditEntry,
    InboxItem,
    InboxResult,
    InboxState,
    NewFailure,
    OrderKey,
    ReadSet,
    State,
    Store,
    WriteSet,
)
from hub.services.apply_order import redact
from hub.services.batch import Batch
from hub.services.interpreted import Interpreted

CHUNK = 200
UNINSTALLED = "uninstalled"

_log = structlog.get_logger()


class Controls:
    """Obeys control inputs.

    Args:
        queries: Needed to find every order of an account, and documents of an order; without it
            only the orders' own personal data is deleted.
    """

    def __init__(self, store: Store, queries: Queries | None) -> None:
        self._store = store
        self._queries = queries

    async def obey(self, item: InboxItem, interpreted: Interpreted) -> None:
        """Do what the input asks and finish it. Raises `StoreUnavailable` like any unit of work."""
        if interpreted.control is Control.REDACT_ORDERS:
            await self._redact(item.account, [(item.account, order) for order in interpreted.orders])
        elif interpreted.control is Control.REDACT_ACCOUNT:
            await self._redact_account(item.account)
        elif interpreted.control is Control.REDACT_BUYER:
            await self._redact_buyer(item.account, frozenset(interpreted.people))
        writes = WriteSet(
            inbox=[InboxResult(item.seq, InboxState.DONE)],
            audit=[
                AuditEntry(
                    actor=f"channel:{item.account}",
                    action=f"personal.{interpreted.control}" if interpreted.control else "control",
                    target=item.account,
                    detail=json.dumps({"input": item.seq, "topic": item.topic, "orders": list(interpreted.orders)}),
                )
            ],
        )
        if interpreted.control is Control.DATA_REQUEST:
            writes.failures.append(_request(item, interpreted.orders))
        if interpreted.control is Control.UNINSTALLED:
            stored = await self._store.account(item.account) or AccountRow(item.account)
            reason = f"{UNINSTALLED}: the channel says that access was taken away; connect the account again"
            writes.accounts.append(replace(stored, held=reason, updated_at=item.received_at))
            _log.error("account.held", account=item.account, reason=UNINSTALLED)
        await self._store.run(ReadSet(), lambda _state: writes)

    async def _redact(self, account: str, keys: Sequence[OrderKey]) -> None:
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            documents = [subject for key in part for subject in await self._documents(key)]
            await self._store.run(ReadSet(orders=set(part)), lambda state: _forget(state, part, documents))  # noqa: B023
        _log.info("people.forgotten", account=account, orders=len(keys))

    async def _documents(self, key: OrderKey) -> list[str]:
        """Ids under which documents of an order keep personal data of their own."""
        if self._queries is None:
            return []
        return [row.id for row in await self._queries.order_documents(*key)]

    async def _redact_account(self, account: str) -> None:
        if self._queries is None:
            raise LookupError("forgetting every person of an account needs queries")
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.orders(account=account, limit=CHUNK, cursor=cursor)
            await self._redact(account, [(row.account, row.source_id) for row in rows])
            if cursor is None:
                return

    async def _redact_buyer(self, account: str, people: frozenset[str]) -> None:
        """Every order of the account whose buyer goes by one of these names.

        The names are personal and lie encrypted, so they are compared order by order.
        """
        if self._queries is None:
            raise LookupError("forgetting one person of an account needs queries")
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.orders(account=account, limit=CHUNK, cursor=cursor)
            found = [row for row in rows if people & _names(await self._queries.personal(row.id))]
            if found:
                await self._redact(account, [(row.account, row.source_id) for row in found])
            if cursor is None:
                return


def _names(personal: str | None) -> frozenset[str]:
    """What an order's buyer is called by the channel."""
    held = json.loads(personal) if personal else None
    buyer = held.get("buyer") if isinstance(held, dict) else None
    name = buyer.get("channel_id") if isinstance(buyer, dict) else None
    return frozenset((name,)) if isinstance(name, str) and name else frozenset()


def _forget(state: State, keys: Sequence[OrderKey], documents: Sequence[str]) -> WriteSet:
    batch = Batch(state)
    subjects = [subject for key in keys if (subject := redact(batch, key)) is not None]
    batch.writes.shredded.extend([*subjects, *documents])
    return batch.finish()


def _request(item: InboxItem, orders: Sequence[str]) -> NewFailure:
    """Someone has to answer: it stays open among the failures until an operator closes it."""
    named = ", ".join(orders) or "no order named"
    return NewFailure(
        account=item.account,
        kind="inbound",
        reference=str(item.seq),
        error="DataRequest",
        code="data_request",
        path="",
        message=f"a buyer asks what is held about them (orders: {named}); answer through the channel within 30 days",
        fingerprint=f"{item.account}:data_request",
        origin=item.origin,
    )
