"""Inputs that instruct the hub itself: forgetting people, answering for them, losing access.

They are rare and may touch many rows, so each is its own sequence of units; the input is finished
in the last one, and every step may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog

from connectors.sdk.manifest import Control
from hub.orders.people import buyer_of
from hub.orders.tally import TALLY
from hub.ports.queries import Queries
from hub.ports.store import (
    AccountRow,
    AuditEntry,
    DocumentRow,
    InboxItem,
    InboxResult,
    InboxState,
    Micros,
    NewFailure,
    OrderKey,
    ReadSet,
    State,
    Store,
    WriteSet,
)
from hub.services.apply_order import redact
from hub.services.batch import Batch
from hub.services.homes import SHIPMENT, lanes_of
from hub.services.interpreted import Interpreted
from hub.services.tracked_people import Lanes, forgotten, parcel_lanes

CHUNK = 200
INBOUND = "inbound"
_FORGETTING = frozenset({Control.REDACT_ORDERS, Control.REDACT_ACCOUNT, Control.REDACT_BUYER})
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
            await self._redact_account(item)
        elif interpreted.control is Control.REDACT_BUYER:
            await self._redact_buyer(item.account, frozenset(interpreted.people))
        forgets = interpreted.control in _FORGETTING
        writes = WriteSet(
            inbox=[InboxResult(item.seq, InboxState.DONE)],
            # Who is to be forgotten stands in the request too.
            forgotten_inputs=[item.seq] if forgets else [],
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
            documents = [row for key in part for row in await self._documents(key)]
            lanes = await parcel_lanes(self._queries, part)
            reads = ReadSet(
                orders=set(part),
                documents={(account, TALLY, order) for account, order in part},
                tracked=set(lanes),
                # An order of theirs that is being stored is waited for: it would not hear of this.
                alone=True,
            )
            await self._store.run(reads, lambda state: _forget(state, part, documents, lanes))  # noqa: B023
        _log.info("people.forgotten", account=account, orders=len(keys))

    async def _documents(self, key: OrderKey) -> Sequence[DocumentRow]:
        """Documents of an order, which keep personal data of their own under their own ids."""
        return () if self._queries is None else await self._queries.order_documents(*key)

    async def _redact_account(self, item: InboxItem) -> None:
        account = item.account
        if self._queries is None:
            raise LookupError("forgetting every person of an account needs queries")
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.orders(account=account, limit=CHUNK, cursor=cursor)
            await self._redact(account, [(row.account, row.source_id) for row in rows])
            if cursor is None:
                break
        await self._forget_inputs(account, until=item.received_at)

    async def _forget_inputs(self, account: str, until: Micros) -> None:
        """Every raw payload the account ever sent, whatever it was about."""
        if self._queries is None:
            return
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.inputs(account=account, limit=CHUNK, cursor=cursor)
            seqs = [row.seq for row in rows if row.payload and row.received_at <= until]
            await self._store.run(ReadSet(), lambda _, gone=seqs: WriteSet(forgotten_inputs=gone))  # type: ignore[misc]
            if cursor is None:
                return

    async def _redact_buyer(self, account: str, people: frozenset[str]) -> None:
        """Every order of the account whose buyer goes by one of these names.

        Names lie encrypted and are found by their keyed hash; what is found is read before it is forgotten.
        """
        if self._queries is None:
            raise LookupError("forgetting one person of an account needs queries")
        rows = await self._queries.orders_of_buyer(account, people)
        found = [row for row in rows if buyer_of(await self._queries.personal(row.id)) in people]
        await self._redact(account, [(row.account, row.source_id) for row in found])
        await self._forget_parked(account, people)

    async def _forget_parked(self, account: str, people: frozenset[str]) -> None:
        """Raw payloads that could not be applied are of no order yet: those that name the person go too."""
        if self._queries is None:
            return
        names = [json.dumps(name).encode() for name in people]
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.failures(account=account, kind=INBOUND, limit=CHUNK, cursor=cursor)
            parked = [await self._queries.input(int(row.reference)) for row in rows if row.reference.isdigit()]
            seqs = [one.seq for one in parked if one is not None and any(name in one.payload for name in names)]
            if seqs:
                await self._store.run(ReadSet(), lambda _, gone=seqs: WriteSet(forgotten_inputs=gone))  # type: ignore[misc]
            if cursor is None:
                return


def _forget(state: State, keys: Sequence[OrderKey], documents: Sequence[DocumentRow], parcels: Lanes) -> WriteSet:
    """The person's key, and the raw payloads of everything received about the order."""
    batch = Batch(state)
    subjects = [subject for key in keys if (subject := redact(batch, key)) is not None]
    batch.writes.shredded.extend([*subjects, *(row.id for row in documents)])
    batch.writes.forgotten_lanes.extend((account, f"order:{order}") for account, order in keys)
    for key in keys:
        if (order := state.orders.get(key)) is not None:
            # What a trading partner sent about it comes under the number of its order.
            batch.writes.forgotten_lanes.extend((key[0], f"po:{name}") for name in {order.number, order.source_id})
    batch.writes.forgotten_lanes.extend(lane for row in documents for lane in _lanes(row))
    batch.writes.forgotten_lanes.extend(lane for lanes in parcels.values() for lane in lanes)
    batch.writes.books.extend(forgotten(state.books.values()))
    return batch.finish()


def _lanes(row: DocumentRow) -> Iterator[tuple[str, str]]:
    """Ordering keys of a document that came on its own: its noun as the hub says it, or as channels do."""
    for noun in {row.type, row.type.removeprefix("order_")}:
        yield row.account, f"{noun}:{row.source_id}"
    if row.type == SHIPMENT:
        # Told by a warehouse or a tool, whose payload names the person too.
        yield from lanes_of(json.loads(row.document))


def _request(item: InboxItem, orders: Sequence[str]) -> NewFailure:
    """Someone has to answer: it stays open among the failures until an operator closes it."""
    named = ", ".join(orders) or "no order named"
    return NewFailure(
        account=item.account,
        kind=INBOUND,
        reference=str(item.seq),
        error="DataRequest",
        code="data_request",
        path="",
        message=f"a buyer asks what is held about them (orders: {named}); answer through the channel within 30 days",
        fingerprint=f"{item.account}:data_request",
        origin=item.origin,
    )
