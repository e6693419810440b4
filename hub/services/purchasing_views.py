"""Purchase orders as operators see them: the order, its four-way match, what is still owed and what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import canonical
from hub.orders import content
from hub.ports.queries import Queries
from hub.ports.store import DocumentRow, Expectation, Micros
from hub.purchasing import book, match
from hub.purchasing.documents import PURCHASE_ORDER
from hub.purchasing.standing import standing
from hub.purchasing.told import Told
from hub.services.purchasing_unit import UnknownPurchaseOrder
from hub.services.views import instant

Json = dict[str, Any]
_PAGE = 200


class PurchaseViews:
    """Reads only."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def orders(
        self, *, supplier: str | None = None, state: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> tuple[list[Json], str | None]:
        """Our orders, newest first. A filtered page may be shorter than its limit and still have a next one."""
        rows, following = await self._queries.documents(type=PURCHASE_ORDER, account="", limit=limit, cursor=cursor)
        found = [content.load(row.document) for row in rows]
        kept = [
            one
            for one in found
            if state in (None, one["state"]) and supplier in (None, (one.get("supplier") or {}).get("id"))
        ]
        return kept, following

    async def order(self, number: str, now: Micros, *, personal: bool) -> Json:
        """One order with its match.

        Args:
            personal: Addresses and note are joined.

        Raises:
            UnknownPurchaseOrder: no such order.
        """
        kept = await self._queries.document(book.row_id(number))
        known = book.load(kept.document) if kept is not None else None
        row: DocumentRow | None = await self._queries.document(known.order) if known is not None else None
        if row is None or known is None:
            raise UnknownPurchaseOrder(number)
        order = content.load(row.document)
        stands = standing(order, known)
        secret = await self._queries.personal(row.id) if personal else None
        owed, _ = await self._queries.expectations(subject=row.id, state=None, limit=_PAGE)
        return {
            "number": number,
            "state": stands.state,
            "revision": order["revision"],
            "document": content.load(canonical.join_personal(row.document, secret)),
            "lines": match.rows(order, stands),
            "not_ordered": match.strangers(stands),
            "awaited": [_awaited(one, now) for one in owed if not one.ours],
            "heard": [_heard(told) for told in sorted(known.told.values(), key=lambda told: (told.at, told.key))],
        }

    async def summaries(self, limit: int) -> list[Json]:
        """A line per order for the console: how many units stand where, and what differs."""
        rows, _ = await self._queries.documents(type=PURCHASE_ORDER, account="", limit=limit)
        found: list[Json] = []
        for row in rows:
            kept = await self._queries.document(book.row_id(row.source_id))
            if kept is not None:
                order = content.load(row.document)
                found.append(_summary(order, match.rows(order, standing(order, book.load(kept.document)))))
        return found


def _summary(order: Json, lines: Sequence[Json]) -> Json:
    def total(name: str) -> int:
        return sum(line[name] or 0 for line in lines)

    return {
        "number": order["number"],
        "supplier": (order.get("supplier") or {}).get("id"),
        "state": order["state"],
        "expected_at": order.get("expected_at"),
        **{name: total(name) for name in ("ordered", "acknowledged", "shipped", "received", "invoiced")},
        "differences": [
            f"line {line['number']}: {difference['text']}" for line in lines for difference in line["differences"]
        ],
    }


def _awaited(one: Expectation, now: Micros) -> Json:
    overdue = one.state == "open" and one.due_at is not None and one.due_at < now
    left = None if one.due_at is None or one.state != "open" else (one.due_at - now) // 1_000_000
    return {
        "set": one.kind,
        "reference": one.reference,
        "state": "overdue" if overdue else one.state,
        "due_at": instant(one.due_at),
        "due_in_s": left,
        "settled_at": instant(one.settled_at),
    }


def _heard(told: Told) -> Json:
    return {
        "document": told.kind,
        "account": told.account or None,
        "source_id": told.source_id,
        "state": told.state or None,
        "at": instant(told.at),
    }
