"""Whose order a shipment belongs to, when whoever ships calls the order by a name of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

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
Lane = tuple[str, str]
"""(account, ordering key) of inputs"""
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


def lanes_of(shipment: Mapping[str, Any] | None) -> list[Lane]:
    """Where a shipment that was brought home was heard of."""
    return [(account, lane) for account, lane in (shipment or {}).get("attributes", {}).get("heard_in") or ()]


def name_at_home(facts: DocumentFacts, home: OrderKey) -> str:
    """A shipper's own number of a shipment, made unique beside the channel's; what is stated counts per order."""
    return f"{API}:{home[1]}/{facts.source_id}" if facts.ours else f"{facts.account}:{facts.source_id}"


class Lost(NamedTuple):
    """Why a shipment has no home (yet): `order_unknown`, `order_ambiguous` or `order_unnamed`."""

    code: str
    message: str


Home = OrderKey | Lost


class Ask(NamedTuple):
    """What a shipment calls its order. `account`: the only one to look at, where the shipper names one."""

    reference: str
    purchase_order: str | None = None
    account: str | None = None


class _Known(NamedTuple):
    """Orders by names that decide, folded, and by names that several may have."""

    exact: Mapping[str, OrderKey]
    called: Mapping[str, set[OrderKey]]

    def so_called(self, name: str, account: str | None) -> set[OrderKey]:
        found = set[OrderKey]().union(*(self.called.get(word, set()) for word in spellings(name)))
        return {key for key in found if account in (None, key[0])}


def _home(ask: Ask, known: _Known) -> Home:
    name = folded(ask.reference)
    if not name:
        return Lost("order_unnamed", "the shipment names no order")
    exact = known.exact.get(name)
    if exact is not None and ask.account in (None, exact[0]):
        return exact
    found = known.so_called(ask.reference, ask.account)
    if ask.purchase_order and len(found) != 1:
        bought = known.so_called(ask.purchase_order, ask.account)
        found = (found & bought) or found or bought
    if len(found) == 1:
        return next(iter(found))
    if found:
        named = ", ".join(f"{key[0]} {key[1]}" for key in sorted(found)[:_NAMED_MAX])
        message = f"{len(found)} orders are called {ask.reference!r} ({named}); name the account"
        return Lost("order_ambiguous", message)
    who = f"account {ask.account} has no" if ask.account else "no account has an"
    return Lost("order_unknown", f"{who} order {ask.reference!r} so far; it waits for it")


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
        """The one order that is called so; see `find_all`."""
        return (await self.find_all([Ask(reference, purchase_order, account)]))[0]

    async def find_all(self, asks: Sequence[Ask]) -> list[Home]:
        """The one order each ask means, in a few reads however many there are.

        Our id decides, then a name we gave it (`order_alias`), then the channel's id or number. The purchase order's
        number chooses among several, and finds alone what the reference does not.
        """
        known = await self._known(asks)
        return [_home(ask, known) for ask in asks]

    async def _known(self, asks: Sequence[Ask]) -> _Known:
        named = {name for ask in asks for name in (ask.reference, ask.purchase_order) if name and folded(name)}
        words = {word for name in named for word in spellings(name)}
        state = await self._look(
            ReadSet(
                orders={(account, word) for account in self._plans for word in words},
                documents={("", ALIAS, folded(ask.reference)) for ask in asks if folded(ask.reference)},
            )
        )
        exact: dict[str, OrderKey] = {}
        for (_, _, name), row in state.documents.items():
            alias = json.loads(row.document)
            if alias["account"] in self._plans:
                exact[name] = (alias["account"], alias["order"])
        called: dict[str, set[OrderKey]] = {}
        for key in state.orders:
            called.setdefault(key[1], set()).add(key)
        if self._queries is not None and words:
            for row_ in await self._queries.orders_called(sorted(words)):
                key = (row_.account, row_.source_id)
                if row_.account not in self._plans:
                    # Taken out of the configuration: there is nobody to be told of its orders.
                    continue
                called.setdefault(row_.number, set()).add(key)
                if row_.id in words:
                    exact[folded(row_.id)] = key
        return _Known(exact, called)

    async def told(self, homes: Iterable[tuple[DocumentFacts, OrderKey]]) -> set[str]:
        """Names of the messages that were made of these shipments so far: their next versions may take them back."""
        keys = {(home[0], SHIPMENT, name_at_home(facts, home)) for facts, home in homes}
        state = await self._look(ReadSet(documents=keys)) if keys else State(0)
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
