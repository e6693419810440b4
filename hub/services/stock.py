"""Showing stock: one SKU's position and channels, and how a published number comes about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.sdk.manifest import QuantityMeaning
from connectors.sdk.ports import Clock
from hub.inventory.availability import DueInTime, OwnOpen, Waterfall, pool_of, published_quantity
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import Micros, Position
from hub.purchasing import expected
from hub.services import views
from hub.services.moments import micros
from hub.services.partners.stock_advice import told_id, told_view

Json = dict[str, Any]

POSTINGS_SHOWN = 100
_PAGE = 1000
_PER_PLACE = frozenset({"distributed", "added_back"})


class UnknownStock(LookupError):
    """The SKU or the account is not there; the message says which and what to do."""


class Stock:
    """Reads only; every answer is one or more snapshots of the read side."""

    def __init__(self, queries: Queries, plans: Mapping[str, AccountPlan], clock: Clock | None = None) -> None:
        self._queries = queries
        self._plans = plans
        self._clock = clock

    async def show(self, sku: str) -> Json:
        """`stock show SKU` (SURFACE).

        Raises:
            UnknownStock: Neither catalogue nor ledger knows the SKU.
        """
        positions = await self._queries.positions_at([sku], None)
        levels, _ = await self._queries.levels(sku=sku, limit=_PAGE)
        if not positions and not levels and await self._queries.sku(sku) is None:
            raise UnknownStock(f"SKU {sku!r} is not in the catalogue and has no stock")
        return views.stock(sku, positions, levels)

    async def explain(self, sku: str, account: str, at: datetime | None = None) -> Json:
        """The waterfall of one account's number, and the newest postings behind it.

        Args:
            at: As the ledger had it recorded then; the policy is today's.

        Raises:
            UnknownStock: No such account, or a SKU nobody knows.
        """
        plan = self._plans.get(account)
        if plan is None:
            known = ", ".join(sorted(self._plans)) or "none"
            raise UnknownStock(f"account {account!r} is not configured (accounts: {known})")
        row = await self._queries.sku(sku)
        components = row.components if row is not None else ()
        parts = [component for component, _ in components] or [sku]
        until = None if at is None else micros(at)
        positions = await self._queries.positions_at(parts, until)
        if row is None and not positions:
            raise UnknownStock(f"SKU {sku!r} is not in the catalogue and has no stock")
        own: OwnOpen = {}
        if plan.quantity_meaning is QuantityMeaning.INPUT:
            own = await self._own_open_at(plan, sku, until) if until else await self._queries.own_open(account, sku)
        due = await self._due(plan, parts) if until is None else {}
        falls = [
            published_quantity(plan, sku, positions, components, own, place, due) for place in plan.channel_locations()
        ]
        return {
            "sku": sku,
            "account": account,
            "at": views.instant(until),
            "quantity": sum(fall.quantity for fall in falls),
            "meaning": plan.quantity_meaning.value,
            "steps": _steps(falls),
            "channel_locations": [
                {"location": fall.channel_location or None, "quantity": fall.quantity, "version": fall.version}
                for fall in falls
            ],
            "positions": [{"sku": one.sku, **views.position(one)} for one in _pooled(plan, positions)],
            "postings": await self._postings(plan, parts, until),
        } | await self._told(plan, sku)

    async def _due(self, plan: AccountPlan, skus: Sequence[str]) -> DueInTime:
        """Units on order that count now. Of the past their days are not kept, so none count there."""
        within, clock = plan.policy.incoming_within_s, self._clock
        if within is None or clock is None:
            return {}
        at = micros(clock.now())
        due: dict[tuple[str, str], int] = {}
        for sku in skus:
            row = await self._queries.document(expected.row_id(sku))
            parts = expected.load(row.document if row is not None else None)
            due |= {(sku, place): units for place, units in expected.in_time(parts, at, within).items()}
        return due

    async def _told(self, plan: AccountPlan, sku: str) -> Json:
        """What the account's trading partner was told last, where there is one."""
        if plan.partner is None:
            return {}
        row = await self._queries.document(told_id(plan.account, sku))
        return {"told": told_view(row) if row is not None else None}

    async def _postings(self, plan: AccountPlan, skus: list[str], until: Micros | None) -> list[Json]:
        pool = set(pool_of(plan))
        found = []
        for sku in skus:
            rows, _ = await self._queries.postings(sku=sku, until=until, limit=POSTINGS_SHOWN)
            found += [row for row in rows if row.location in pool]
        found.sort(key=lambda row: row.seq, reverse=True)
        return [views.posting(row) for row in found[:POSTINGS_SHOWN]]

    async def _own_open_at(self, plan: AccountPlan, sku: str, until: Micros) -> OwnOpen:
        """Reserved units of the account's own orders, summed from the ledger as it was recorded.

        For the past only, where the ledger is all there is: it knows units of plain SKUs, so what
        kits hold of a component is in the sum and a kit itself has none.
        """
        prefix = f"order:{plan.account}:"
        own: dict[tuple[str, str, str], int] = {}
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.postings(sku=sku, until=until, limit=_PAGE, cursor=cursor)
            for row in rows:
                if row.bucket == "reserved" and row.event.startswith(prefix):
                    key = (plan.account, sku, row.location)
                    own[key] = own.get(key, 0) + row.delta
            if cursor is None:
                return own


def _pooled(plan: AccountPlan, positions: Sequence[Position]) -> list[Position]:
    pool = set(pool_of(plan))
    return [one for one in positions if one.location in pool]


def _steps(falls: list[Waterfall]) -> list[Json]:
    """The account's steps once, then what each further channel location gets of it."""
    rows = [*falls[0].steps]
    for fall in falls[1:]:
        rows += [step for step in fall.steps if step.name in _PER_PLACE]
    return [
        {"number": number, "step": step.name, "value": step.value, "how": step.detail, "location": step.location}
        for number, step in enumerate(rows, 1)
    ]
