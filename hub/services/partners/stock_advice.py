"""Telling partners what they may sell (846), on the schedule each wants, and remembering what each was told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import structlog

import canonical
from canonical.documents import DocumentBase
from connectors.sdk.ports import Clock
from hub.inventory.advice import Article, Stated, article_of, parts_of, stated
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import CursorRow, DocumentKey, DocumentRow, Micros, ReadSet, State, Store, WriteSet
from hub.services import moments
from hub.services.expected_days import all_due_in_time
from hub.services.partners.documents import made
from hub.services.trading import outgoing
from mappings.edi.partners import PartnerProfile

Json = dict[str, Any]

SET: Final = "846"
TOLD: Final = "stock_told"
"""document type of what a partner was told last of one SKU, keyed by the SKU"""
LINES_MAX: Final = 10_000
"""Articles in one set; a partner told in full gets as many sets as that takes."""
_PAGE: Final = 500

_log = structlog.get_logger()


def told_id(account: str, sku: str) -> str:
    return f"{TOLD}:{account}:{sku}"


class StockAdvice:
    """For one process at a time per account."""

    def __init__(self, plan: AccountPlan, store: Store, queries: Queries, clock: Clock) -> None:
        self._plan = plan
        self._store = store
        self._queries = queries
        self._clock = clock

    def wanted(self) -> bool:
        """Whether the partner is to be told on a schedule."""
        partner = self._plan.partner
        return partner is not None and partner.agreed.inventory.every is not None and partner.sends(SET)

    async def tell_due(self) -> int:
        """Tell the partner if it is time; articles told of. Raises `StoreUnavailable`."""
        partner, now = self._plan.partner, moments.now(self._clock)
        if partner is None or partner.agreed.inventory.every is None or not partner.sends(SET):
            return 0
        last = await self._store.cursor(self._plan.account, SET)
        if last is not None and now < moments.after(last.updated_at, partner.agreed.inventory.every):
            return 0
        return await self._tell(partner, now, full=partner.agreed.inventory.out_scope == "full" or last is None)

    async def _tell(self, partner: PartnerProfile, now: Micros, *, full: bool) -> int:
        told = start = 0
        async for some in self._articles():
            told += await self._tell_some(partner, some, now, start, full=full)
            start += len(some)
        cursor = CursorRow(self._plan.account, SET, str(now), now, now, now)
        await self._store.run(ReadSet(), lambda _: WriteSet(cursors=[cursor]))
        if told:
            _log.info("stock.advised", account=self._plan.account, count=told, full=full)
        return told

    async def _articles(self) -> AsyncIterator[list[Article]]:
        """What the partner sells of ours: articles it has a number for, and all of them where it has none of its own.

        As many at a time as one set holds, so that a large catalogue is never held whole.
        """
        named = [one async for one in self._catalogue() if one.channel_sku is not None]
        for start in range(0, len(named), LINES_MAX):
            yield named[start : start + LINES_MAX]
        if named:
            return
        some: list[Article] = []
        async for one in self._catalogue():
            some.append(one)
            if len(some) == LINES_MAX:
                yield some
                some = []
        if some:
            yield some

    async def _catalogue(self) -> AsyncIterator[Article]:
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.skus(limit=_PAGE, cursor=cursor)
            for row in rows:
                yield article_of(self._plan.account, row)
            if cursor is None:
                return

    async def _tell_some(
        self, partner: PartnerProfile, articles: Sequence[Article], now: Micros, start: int, *, full: bool
    ) -> int:
        positions = await self._queries.positions_at(parts_of(articles), None)
        levels = stated(self._plan, articles, positions, await all_due_in_time(self._queries, self._plan, now))
        account = self._plan.account
        keys: set[DocumentKey] = {(account, TOLD, level.sku) for level in levels}
        count = 0

        def decide(state: State) -> WriteSet:
            nonlocal count
            known = {sku: row for (_, _, sku), row in state.documents.items()}
            changed = [level for level in levels if _said(known.get(level.sku)) != level.quantity]
            telling = levels if full else changed
            count = len(telling)
            if not telling:
                return WriteSet()
            number = f"{now // moments.SECOND}{f'-{start}' if start else ''}"
            document = _document(self._plan, partner, telling, number, now, full=full)
            asked = outgoing(
                account, partner.set_named(SET), document,
                about={"stock": account}, dedupe=number, at=now,
            )  # fmt: skip
            kept = [_remembered(account, level, known.get(level.sku), number, now) for level in telling]
            return WriteSet(inputs=[asked], documents=kept)

        await self._store.run(ReadSet(documents=keys), decide)
        return count


def _said(row: DocumentRow | None) -> int | None:
    return None if row is None else int(json.loads(row.document)["quantity"])


def _remembered(account: str, level: Stated, row: DocumentRow | None, number: str, now: Micros) -> DocumentRow:
    body = {"quantity": level.quantity, "channel_sku": level.channel_sku, "number": number, "at": now}
    text = json.dumps(body | {"position_version": level.version}, separators=(",", ":"))
    rev = row.rev if row else 0
    return DocumentRow(told_id(account, level.sku), TOLD, account, level.sku, number, None, now, text, rev)


def _document(
    plan: AccountPlan, partner: PartnerProfile, levels: Sequence[Stated], number: str, now: Micros, *, full: bool
) -> DocumentBase:
    fields: Mapping[str, Any] = {
        "as_of": canonical.instant_text(moments.moment(now)),
        "complete": full,
        "levels": [
            {"sku": level.sku, "channel_sku": level.channel_sku, "gtin": level.gtin, "available": level.quantity}
            for level in levels
        ],
        "attributes": {"number": number, "partner": partner.name},
    }
    return made("stock_report", f"{plan.account}/846/{number}", now, fields)


def told_view(row: DocumentRow) -> Json:
    """What a partner was told last of one SKU, for people."""
    known = json.loads(row.document)
    return {
        "quantity": known["quantity"],
        "at": canonical.instant_text(moments.moment(known["at"])),
        "number": known["number"],
        "channel_sku": known["channel_sku"],
    }
