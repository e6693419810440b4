"""Parcels: where they are, what was told of them, which ones a carrier is to be asked about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time
from typing import Final

from sqlalchemy import case, func, select

from hub.ports.parcels import Micros, ParcelCounts, ParcelEvent, ParcelLink, ParcelRow
from hub.storage import tables as t
from hub.storage.parcel_rows import EVENT, LINK, PARCEL, event_from, link_from, parcel_from
from hub.storage.queries.reading import Query, Reading, literally, picked

_OPEN: Final = "closed = ''"
_DUE: Final = "poll_at IS NOT NULL"
_TO_TELL: Final = "watch_at IS NOT NULL"
_MOVING: Final = 2
"""From this rank on a parcel that is to arrive today overtakes the others of its rank."""
_EVENTS_MAX: Final = 1000


class ParcelQueries(Reading):
    """Lists newest first: by id, which begins with the time the parcel was first heard of."""

    async def parcels(
        self,
        *,
        number: str | None = None,
        carrier: str | None = None,
        milestone: str | None = None,
        orphan: bool | None = None,
        open_only: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[ParcelRow], str | None]:
        rows = t.parcels
        query = select(*picked(rows, PARCEL), rows.c.id.label("page_key"))
        for column, value in ((rows.c.number, number), (rows.c.carrier, carrier), (rows.c.milestone, milestone)):
            if value is not None:
                query = query.where(column == value)
        if orphan is not None:
            query = query.where(rows.c.orphan == int(orphan))
        if open_only:
            query = query.where(literally(_OPEN))
        return await self._page(query, [rows.c.id], parcel_from, limit=limit, cursor=cursor)

    async def parcel(self, parcel: str) -> ParcelRow | None:
        row = await self._first(select(*picked(t.parcels, PARCEL)).where(t.parcels.c.id == parcel))
        return parcel_from(row) if row else None

    async def parcel_events(self, parcel: str) -> Sequence[ParcelEvent]:
        events, rows = t.parcel_events, t.parcels
        query = (
            select(*picked(events, EVENT))
            .join(rows, rows.c.number == events.c.number)
            .where(rows.c.id == parcel, events.c.parcel == parcel)
            .order_by(events.c.at, events.c.current, events.c.place)
            .limit(_EVENTS_MAX)
        )
        return [event_from(row) for row in await self._rows(query)]

    async def parcel_links(self, parcels: Collection[str]) -> Sequence[ParcelLink]:
        links, rows = t.parcel_links, t.parcels
        query = (
            select(*picked(links, LINK))
            .join(rows, rows.c.number == links.c.number)
            .where(rows.c.id.in_(parcels), links.c.parcel == rows.c.id)
            .order_by(links.c.parcel, links.c.shipped_at, links.c.document)
        )
        return [link_from(row) for row in await self._rows(query)]

    async def document_parcels(
        self, kind: str, documents: Collection[tuple[str, str]]
    ) -> Sequence[tuple[ParcelLink, ParcelRow]]:
        links = t.parcel_links
        wanted = set(documents)
        accounts, names = {account for account, _ in wanted}, {name for _, name in wanted}
        query = _linked().where(
            links.c.kind.in_((kind, "piece")), links.c.account.in_(accounts), links.c.document.in_(names)
        )
        found = [(link_from(row), parcel_from(row[len(LINK) :])) for row in await self._rows(query)]
        return [(link, parcel) for link, parcel in found if (link.account, link.document) in wanted]

    async def order_parcels(self, account: str, order_source_id: str) -> Sequence[tuple[ParcelLink, ParcelRow]]:
        links = t.parcel_links
        query = _linked().where(links.c.account == account, links.c.order_source_id == order_source_id)
        return [(link_from(row), parcel_from(row[len(LINK) :])) for row in await self._rows(query)]

    async def parcels_to_ask(self, carriers: Collection[str], limit: int) -> Sequence[ParcelRow]:
        rows = t.parcels
        tonight = datetime.combine(datetime.fromtimestamp(self._now() / 1_000_000, UTC).date(), time.max, UTC)
        today = rows.c.expected_at <= round(tonight.timestamp() * 1_000_000)
        matters = case((today & (rows.c.poll_rank == _MOVING), 0), else_=rows.c.poll_rank)
        query = (
            select(*picked(rows, PARCEL))
            .where(literally(_DUE), rows.c.carrier.in_(carriers), rows.c.poll_at <= self._now())
            .order_by(matters, rows.c.poll_at, rows.c.id)
            .limit(limit)
        )
        return [parcel_from(row) for row in await self._rows(query)]

    async def parcels_to_watch(self, carriers: Collection[str], limit: int) -> Sequence[ParcelRow]:
        rows = t.parcels
        query = (
            select(*picked(rows, PARCEL))
            .where(literally(_TO_TELL), literally(_OPEN), rows.c.carrier.in_(carriers), rows.c.watch_at <= self._now())
            .order_by(rows.c.watch_at, rows.c.id)
            .limit(limit)
        )
        return [parcel_from(row) for row in await self._rows(query)]

    async def stale_parcels(self, opened_before: Micros, limit: int) -> Sequence[ParcelRow]:
        rows = t.parcels
        query = (
            select(*picked(rows, PARCEL))
            .where(literally(_OPEN), rows.c.opened_at < opened_before)
            .order_by(rows.c.id)
            .limit(limit)
        )
        return [parcel_from(row) for row in await self._rows(query)]

    async def parcel_counts(self) -> Sequence[ParcelCounts]:
        rows = t.parcels
        asked = rows.c.poll_at.is_not(None)
        due = asked & (rows.c.poll_at <= self._now())
        query = (
            select(
                rows.c.carrier,
                rows.c.poll_rank,
                func.count().label("open"),
                func.sum(rows.c.orphan).label("orphans"),
                func.sum(case((asked, 1), else_=0)).label("asked"),
                func.sum(case((due, 1), else_=0)).label("due"),
                func.min(case((due, rows.c.poll_at))).label("oldest"),
            )
            .where(literally(_OPEN))
            .group_by(rows.c.carrier, rows.c.poll_rank)
            .order_by(rows.c.carrier, rows.c.poll_rank)
        )
        found: dict[str, ParcelCounts] = {}
        for carrier, rank, open_, orphans, asked_, due_, oldest in await self._rows(query):
            known = found.get(carrier) or ParcelCounts(carrier)
            dates = [at for at in (known.oldest_due_at, oldest) if at is not None]
            found[carrier] = ParcelCounts(
                carrier,
                known.open + open_,
                known.orphans + int(orphans),
                known.due + int(due_),
                {**known.by_rank, rank: int(asked_)},
                min(dates, default=None),
            )
        return list(found.values())


def _linked() -> Query:
    links, rows = t.parcel_links, t.parcels
    return (
        select(*picked(links, LINK), *(column.label(f"parcel_{column.name}") for column in picked(rows, PARCEL)))
        .join(rows, rows.c.id == links.c.parcel)
        .order_by(links.c.account, links.c.document, links.c.number)
    )
