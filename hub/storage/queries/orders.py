"""Orders, their documents, their people and what happened to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ports.queries import TimelineEntry
from hub.ports.store import DocumentRow, OrderRow, OutboxRow
from hub.storage import tables as t
from hub.storage.queries.reading import Query, Reading, literally, picked
from hub.storage.rows import DOCUMENT, ORDER, OUTBOX, document_from, order_from, outbox_from

_NAMES_AT_ONCE = 200
_ENTRIES_MAX = 1000
"""Of one kind; an order with more history than that is read through the lists."""


class OrderQueries(Reading):
    """Orders newest first: by id, which begins with the order's own time."""

    async def orders(
        self,
        *,
        account: str | None = None,
        state: str | None = None,
        held: bool | None = None,
        number: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[OrderRow], str | None]:
        orders = t.orders
        query = select(*picked(orders, ORDER), orders.c.id.label("page_key"))
        if account is not None:
            query = query.where(orders.c.account == account)
        if state is not None:
            query = query.where(orders.c.state == state)
            if state not in ("closed", "cancelled"):
                query = query.where(literally("state NOT IN ('closed', 'cancelled')"))
        if held is not None:
            query = query.where(literally("holds <> '[]'" if held else "holds = '[]'"))
        if number is not None:
            query = query.where(orders.c.number == number)
        return await self._page(query, [orders.c.id], order_from, limit=limit, cursor=cursor)

    async def order(self, order_id: str) -> OrderRow | None:
        row = await self._first(select(*picked(t.orders, ORDER)).where(t.orders.c.id == order_id))
        return order_from(row) if row else None

    async def personal(self, subject: str) -> str | None:
        people = t.personal
        row = await self._first(
            select(people.c.account, people.c.wrapped, people.c.body).where(people.c.subject == subject)
        )
        return self.vault.open_personal(subject, row[0], bytes(row[1]), bytes(row[2])) if row else None

    async def orders_of_buyer(self, account: str, names: Collection[str]) -> Sequence[OrderRow]:
        orders, people = t.orders, t.personal
        hashed = [self.vault.name_of(account, name) for name in names if name]
        query = (
            select(*picked(orders, ORDER))
            .join(people, people.c.subject == orders.c.id)
            .where(people.c.account == account, or_(people.c.buyer.in_(hashed), people.c.buyer.is_(None)))
            .order_by(orders.c.id)
        )
        return [order_from(row) for row in await self._rows(query)]

    async def order_documents(self, account: str, order_source_id: str) -> Sequence[DocumentRow]:
        return [document_from(row) for row in await self._rows(_documents_of(account, order_source_id))]

    async def orders_called(self, names: Collection[str]) -> Sequence[OrderRow]:
        orders, wanted = t.orders, sorted(names)
        found: dict[str, OrderRow] = {}
        for start in range(0, len(wanted), _NAMES_AT_ONCE):
            part = wanted[start : start + _NAMES_AT_ONCE]
            # Two statements, because each has an index of its own.
            for column in (orders.c.number, orders.c.id):
                for row in await self._rows(select(*picked(orders, ORDER)).where(column.in_(part))):
                    order = order_from(row)
                    found[order.id] = order
        return list(found.values())

    async def document(self, document_id: str) -> DocumentRow | None:
        row = await self._first(select(*picked(t.documents, DOCUMENT)).where(t.documents.c.id == document_id))
        return document_from(row) if row else None

    async def order_effects(self, account: str, order_source_id: str) -> Sequence[OutboxRow]:
        outbox = t.outbox
        query = (
            select(*picked(outbox, OUTBOX))
            .where(outbox.c.account == account, outbox.c.key == f"order:{order_source_id}")
            .order_by(outbox.c.id)
            .limit(_ENTRIES_MAX)
        )
        return [outbox_from(row) for row in await self._rows(query)]

    async def documents(
        self,
        *,
        type: str,
        account: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[DocumentRow], str | None]:
        documents = t.documents
        query = select(*picked(documents, DOCUMENT), documents.c.id.label("page_key")).where(documents.c.type == type)
        if account is not None:
            query = query.where(documents.c.account == account)
        return await self._page(query, [documents.c.id], document_from, limit=limit, cursor=cursor)

    async def timeline(self, order_id: str) -> Sequence[TimelineEntry]:
        async with self._snapshot() as connection:
            row = (await connection.execute(select(*picked(t.orders, ORDER)).where(t.orders.c.id == order_id))).first()
            if row is None:
                return []
            order = order_from(row)
            entries = [
                *await _inputs(connection, order),
                *await _documents(connection, order),
                *await _postings(connection, order),
                *await _effects(connection, order),
                *await _scans(connection, order),
                *await _told(connection, order),
            ]
        return sorted(entries, key=lambda entry: entry.at)


def _documents_of(account: str, order_source_id: str) -> Query:
    documents = t.documents
    return (
        select(*picked(documents, DOCUMENT))
        .where(documents.c.account == account, documents.c.order_source_id == order_source_id)
        .where(documents.c.order_source_id.is_not(None))
        .order_by(documents.c.id)
        .limit(_ENTRIES_MAX)
    )


async def _inputs(connection: AsyncConnection, order: OrderRow) -> list[TimelineEntry]:
    inbox, work = t.inbox, t.inbox_work
    rows = await connection.execute(
        select(inbox.c.seq, inbox.c.received_at, inbox.c.topic, inbox.c.origin, work.c.state)
        .join(work, work.c.seq == inbox.c.seq, isouter=True)
        .where(inbox.c.account == order.account, inbox.c.ordering_key.in_(_lanes(order)))
        .order_by(inbox.c.seq)
        .limit(_ENTRIES_MAX)
    )
    return [
        TimelineEntry(at, "event", f"{topic} by {origin}", {"seq": seq, "state": state or "done"})
        for seq, at, topic, origin, state in rows
    ]


def _lanes(order: OrderRow) -> list[str]:
    """Ordering keys of what is received about an order: by its own id, or by the number a trading partner gave it."""
    return sorted({f"order:{order.source_id}", f"po:{order.number}", f"po:{order.source_id}"})


async def _told(connection: AsyncConnection, order: OrderRow) -> list[TimelineEntry]:
    """What trading partners were told of it, and how they took it."""
    sets, files = t.file_sets, t.files
    rows = await connection.execute(
        select(files.c.at, sets.c.account, sets.c.kind, sets.c.control, sets.c.state, files.c.id)
        .join(files, files.c.id == sets.c.file)
        .where(literally("subject <> ''"), sets.c.subject == order.id, sets.c.direction == "out")
        .order_by(files.c.id)
        .limit(_ENTRIES_MAX)
    )
    return [
        TimelineEntry(at, "partner", f"{kind} for {account}: {state}", {"file": file, "control": control})
        for at, account, kind, control, state, file in rows
    ]


async def _documents(connection: AsyncConnection, order: OrderRow) -> list[TimelineEntry]:
    rows = await connection.execute(_documents_of(order.account, order.source_id))
    found = [document_from(row) for row in rows]
    return [
        TimelineEntry(row.occurred_at or 0, "document", row.type, {"id": row.id, "source_id": row.source_id})
        for row in found
    ]


async def _postings(connection: AsyncConnection, order: OrderRow) -> list[TimelineEntry]:
    postings = t.postings
    rows = await connection.execute(
        select(
            postings.c.recorded_at, postings.c.sku, postings.c.location, postings.c.bucket, postings.c.delta,
            postings.c.reason, postings.c.event,
        )
        .where(literally("reference <> ''"), postings.c.reference == order.id)
        .order_by(postings.c.seq)
        .limit(_ENTRIES_MAX)
    )  # fmt: skip
    return [
        TimelineEntry(
            at, "posting", f"{reason}: {bucket} {delta:+d} of {sku} at {location}",
            {"event": event, "sku": sku, "location": location, "bucket": bucket, "delta": delta},
        )
        for at, sku, location, bucket, delta, reason, event in rows
    ]  # fmt: skip


async def _scans(connection: AsyncConnection, order: OrderRow) -> list[TimelineEntry]:
    """What carriers told of the parcels of an order, at the time it happened."""
    links, events = t.parcel_links, t.parcel_events
    parcels = (
        select(links.c.number, links.c.parcel)
        .where(links.c.account == order.account, links.c.order_source_id == order.source_id)
        .distinct()
        .subquery()
    )
    rows = await connection.execute(
        select(events.c.at, events.c.parcel, events.c.document)
        .join(parcels, (events.c.number == parcels.c.number) & (events.c.parcel == parcels.c.parcel))
        .where(events.c.current == 0)
        .order_by(events.c.at, events.c.place)
        .limit(_ENTRIES_MAX)
    )
    return [_scan(at, parcel, orjson.loads(document)) for at, parcel, document in rows]


def _scan(at: int, parcel: str, told: dict[str, Any]) -> TimelineEntry:
    place = told.get("location") or {}
    where = place.get("city") or place.get("facility") or place.get("raw")
    said = told.get("milestone") or told.get("condition") or told.get("text_raw") or "noted"
    summary = f"{told['carrier']}: {said}" + (f" at {where}" if where else "")
    detail = {
        "parcel": parcel,
        "tracking_number": told.get("tracking_number"),
        "milestone": told.get("milestone"),
        "condition": told.get("condition"),
        "text": told.get("text_raw"),
        "local_time": told.get("local_time"),
        "precision": told.get("precision", "instant"),
    }
    return TimelineEntry(at, "scan", summary, detail)


async def _effects(connection: AsyncConnection, order: OrderRow) -> list[TimelineEntry]:
    outbox, attempts = t.outbox, t.attempts
    keys = {order.id, order.source_id, f"order:{order.source_id}"}
    effects = (
        await connection.execute(
            select(
                outbox.c.id, outbox.c.created_at, outbox.c.kind, outbox.c.state, outbox.c.idempotency_key,
                outbox.c.refs,
            )
            .where(outbox.c.account == order.account, outbox.c.key.in_(keys))
            .order_by(outbox.c.id)
            .limit(_ENTRIES_MAX)
        )
    ).all()  # fmt: skip
    entries = [
        TimelineEntry(at, "push", f"{kind}: {state}", {"id": id_, "references": orjson.loads(refs or "{}")})
        for id_, at, kind, state, _, refs in effects
    ]
    names = {order.id, order.source_id, *(row.idempotency_key for row in effects)}
    calls = await connection.execute(
        select(
            attempts.c.started_at, attempts.c.kind, attempts.c.outcome, attempts.c.code, attempts.c.status,
            attempts.c.correlation_id, attempts.c.duration_us,
        )
        .where(literally("reference <> ''"), attempts.c.reference.in_(names), attempts.c.account == order.account)
        .order_by(attempts.c.id)
        .limit(_ENTRIES_MAX)
    )  # fmt: skip
    for at, kind, outcome, code, status, correlation_id, duration_us in calls:
        detail = {"code": code, "status": status, "correlation_id": correlation_id, "duration_us": duration_us}
        entries.append(TimelineEntry(at, "attempt", f"{kind}: {outcome}", detail))
    return entries
