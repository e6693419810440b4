"""Whose order a shipment belongs to, when whoever ships calls the order by a name of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.orders import content
from hub.orders.facts import DocumentFacts
from hub.orders.references import ALIAS, folded, spellings
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import OrderKey, ReadSet, State, Store, WriteSet
from hub.services.confirm import told_by
from hub.services.stated_shipments import CONNECTOR

SHIPMENT: Final = "shipment"
API: Final = CONNECTOR
_NAMED_MAX: Final = 3


def is_foreign(plan: AccountPlan, facts: object) -> bool:
    """A shipment told by somebody else than the channel that took the order."""
    if not isinstance(facts, DocumentFacts) or facts.type != SHIPMENT:
        return False
    return facts.ours or plan.manifest.ships_for_others or plan.manifest.trades


def shipper_of(facts: DocumentFacts) -> str:
    """The account that tells of it; what was stated by hand or by a tool has none."""
    return API if facts.ours else facts.account


def purchase_order_of(facts: DocumentFacts) -> str | None:
    stated = json.loads(facts.document).get("attributes", {}).get("purchase_order_number")
    return stated if isinstance(stated, str) else None


def name_at_home(facts: DocumentFacts, home: OrderKey) -> str:
    """A shipper's own number of a shipment, made unique beside the channel's; what is stated counts per order."""
    return f"{API}:{home[1]}/{facts.source_id}" if facts.ours else f"{facts.account}:{facts.source_id}"


class Lost(NamedTuple):
    """Why a shipment has no home (yet): `order_unknown`, `order_ambiguous` or `order_unnamed`."""

    code: str
    message: str


Home = OrderKey | Lost


class Homes:
    """Finds orders by what others call them. Safe to share.

    Args:
        queries: None where there is no read side; orders are then found by the channel's id and by alias alone.
    """

    def __init__(self, store: Store, plans: Mapping[str, AccountPlan], queries: Queries | None) -> None:
        self._store = store
        self._plans = plans
        self._queries = queries

    async def find(self, reference: str, *, purchase_order: str | None = None, account: str | None = None) -> Home:
        """The one order that is called so.

        Our id decides, then a name we gave it (`order_alias`), then the channel's id or number. The purchase order's
        number chooses among several, and finds alone what the reference does not.

        Args:
            account: The only account to look at, where the shipper names one.
        """
        if not folded(reference):
            return Lost("order_unnamed", "the shipment names no order")
        exact = await self._exact(reference)
        if exact is not None and account in (None, exact[0]):
            return exact
        found = await self._called(reference, account)
        if purchase_order and len(found) != 1:
            bought = await self._called(purchase_order, account)
            found = (found & bought) or found or bought
        if len(found) == 1:
            return next(iter(found))
        if not found:
            where = f"account {account} has" if account else "no account has"
            return Lost(
                "order_unknown", f"{where} {'no' if account else 'an'} order {reference!r} so far; it waits for it"
            )
        named = ", ".join(f"{key[0]} {key[1]}" for key in sorted(found)[:_NAMED_MAX])
        return Lost("order_ambiguous", f"{len(found)} orders are called {reference!r} ({named}); name the account")

    async def _exact(self, reference: str) -> OrderKey | None:
        """By our id, or by a name that we gave the order ourselves."""
        row = await self._queries.order(reference.strip()) if self._queries is not None else None
        if row is not None:
            return (row.account, row.source_id)
        state = await self._look(ReadSet(documents={("", ALIAS, folded(reference))}))
        alias = next(iter(state.documents.values()), None)
        if alias is None:
            return None
        named = json.loads(alias.document)
        return (named["account"], named["order"])

    async def _called(self, reference: str, account: str | None) -> set[OrderKey]:
        accounts = [account] if account else list(self._plans)
        words = spellings(reference)
        state = await self._look(ReadSet(orders={(name, word) for name in accounts for word in words}))
        found = set(state.orders)
        for word in words if self._queries is not None else ():
            rows, _ = await self._queries.orders(account=account, number=word, limit=5)  # type: ignore[union-attr]
            found |= {(row.account, row.source_id) for row in rows}
        return found

    async def told(self, facts: DocumentFacts, home: OrderKey) -> set[str]:
        """Names of the messages that were made of this shipment so far: its next version may take them back."""
        state = await self._look(ReadSet(documents={(home[0], SHIPMENT, name_at_home(facts, home))}))
        return {
            key
            for row in state.documents.values()
            for keys in told_by(content.load(row.document)).values()
            for key in keys
        }

    async def _look(self, reads: ReadSet) -> State:
        seen: list[State] = []

        def look(state: State) -> WriteSet:
            seen.append(state)
            return WriteSet()

        await self._store.run(reads, look)
        return seen[-1]
