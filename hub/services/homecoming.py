"""Shipments of other accounts' orders, inside the unit of work that applies their inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

import canonical
from hub.orders import content
from hub.orders.facts import DocumentFacts, OrderFacts
from hub.orders.noticed import shipments_noticed
from hub.orders.references import folded
from hub.orders.shipped import Unplaceable
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import InboxItem, Micros, OrderKey, ReadSet, State, Store, WriteSet
from hub.services.apply_stock import Refused
from hub.services.batch import Batch
from hub.services.extract import facts_of
from hub.services.homes import Ask, Home, Homes, Lane, Lost, is_foreign, purchase_order_of
from hub.services.interpreted import Interpreted, Refusal
from hub.services.requeue import called_up
from hub.services.shipments import Tellers, bring_home, reads_at_home
from hub.services.waiting import call_waiting, let_wait, reads_waiting

NOTICE = "ship_notice"
NOTICED = '"ship_notice":'
"""In the attributes of a shipment that a notice told of."""
ORPHAN = "OrphanShipment"
REFUSED = "ShipmentRefused"
_PURCHASED = '"purchase_order_number":"'

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Looked:
    """Where the shipments of a batch belong."""

    shipments: dict[int, list[tuple[DocumentFacts, Home]]] = field(default_factory=dict)
    """what each input tells of orders it did not take itself, each with its order"""
    told: set[str] = field(default_factory=set)
    """messages to channels that may have to be taken back"""
    waiting: dict[int, list[DocumentFacts]] = field(default_factory=dict)
    """inputs parked for want of an order, with the shipments that lack one"""


class Homecoming:
    """For one `Apply`; safe to call for several batches side by side."""

    def __init__(
        self,
        store: Store,
        plans: Mapping[str, AccountPlan],
        queries: Queries | None,
        tellers: Tellers | None,
        kept: Micros | None,
    ) -> None:
        self._store = store
        self._plans = plans
        self._homes = Homes(store, plans, queries)
        self._tellers = tellers or Tellers()
        self._kept = kept
        self._unsought: dict[int, list[DocumentFacts]] = {}

    async def look(self, pairs: Sequence[tuple[InboxItem, Interpreted]]) -> Looked:
        """Find the orders, ahead of the unit of work; one that comes meanwhile is found by `look_again`."""
        if self._unsought:
            await self._seek()
        stated = [(item, facts) for item, interpreted in pairs for facts in self._foreign(item, interpreted)]
        looked = Looked()
        if not stated:
            return looked
        homes = await self._homes.find_all([_ask(facts) for _, facts in stated])
        for (item, facts), home in zip(stated, homes, strict=True):
            if isinstance(home, Lost) and NOTICED in facts.document:
                # A notice that is of no order of ours is a notice and no more.
                continue
            looked.shipments.setdefault(item.seq, []).append((facts, home))
        looked.told = await self._homes.told(
            (facts, home) for (_, facts), home in zip(stated, homes, strict=True) if not isinstance(home, Lost)
        )
        return looked

    def _foreign(self, item: InboxItem, interpreted: Interpreted) -> Iterator[DocumentFacts]:
        """Shipments of orders that the input's account did not take; a warehouse may tell of them by ship notice."""
        plan = self._plans.get(item.account)
        for facts in interpreted.facts:
            if plan is None or not isinstance(facts, DocumentFacts):
                continue
            if is_foreign(plan, facts):
                yield facts
            elif facts.type == NOTICE and plan.manifest.trades:
                for shipment in shipments_noticed(content.load(facts.document)):
                    document = canonical.parse_document(json.dumps(_with_id(shipment, facts)))
                    found = facts_of(document, facts.account, item.received_at)
                    if isinstance(found, DocumentFacts):
                        yield found

    async def told(self, facts: DocumentFacts, home: OrderKey) -> set[str]:
        return await self._homes.told([(facts, home)])

    def reads(self, reads: ReadSet, pairs: Sequence[tuple[InboxItem, Interpreted]], looked: Looked) -> None:
        reads.effects |= looked.told
        for item, interpreted in pairs:
            for facts in interpreted.facts:
                if isinstance(facts, OrderFacts):
                    reads_waiting(reads, _names(facts))
            for shipment, home in looked.shipments.get(item.seq, ()):
                if isinstance(home, Lost):
                    reads_waiting(reads, _waited_for(shipment))
                else:
                    self.reads_home(reads, shipment, home)

    def reads_home(self, reads: ReadSet, facts: DocumentFacts, home: OrderKey) -> None:
        reads_at_home(reads, facts, home)
        plan = self._plans.get(home[0])
        if plan is not None:
            self._tellers.of(plan).reads(reads, plan, home[1])

    def called(self, batch: Batch, facts: OrderFacts) -> None:
        """An order has come or changed: run again what waits for it."""
        call_waiting(batch, _names(facts))

    def apply(self, batch: Batch, item: InboxItem, looked: Looked) -> None:
        """Bring an input's shipments home.

        Raises:
            Refused: One of them cannot be. The others are applied all the same, and change nothing when the input
                is run again.
        """
        refusals: list[Refusal] = []
        looked.waiting.pop(item.seq, None)
        for facts, home in looked.shipments.get(item.seq, ()):
            if isinstance(home, Lost):
                refusals.append(Refusal(ORPHAN, home.code, "order", home.message))
                let_wait(batch, _waited_for(facts), item.seq)
                looked.waiting.setdefault(item.seq, []).append(facts)
                continue
            try:
                self.bring(batch, facts, home, (item.account, item.ordering_key))
            except Unplaceable as error:
                refusals.append(Refusal(REFUSED, error.code, error.path, f"order {home[1]} of {home[0]}: {error}"))
            order = batch.state.orders.get(home)
            if order is not None and content.is_redacted(order.document):
                batch.writes.forgotten_inputs.append(item.seq)
        if refusals:
            raise Refused(refusals[0])

    def bring(self, batch: Batch, facts: DocumentFacts, home: OrderKey, heard_in: Lane | None = None) -> dict[str, Any]:
        """One shipment, whose order was found and read. Raises `Unplaceable`."""
        return bring_home(batch, self._plans, self._tellers, facts, home, self._kept, heard_in)

    async def look_again(self, looked: Looked) -> None:
        """An order stored between the search and the parking did not see what waits for it: it is sought once more."""
        # Kept until it was done: the database may be away just now.
        self._unsought |= looked.waiting
        await self._seek()

    async def _seek(self) -> None:
        waiting = dict(self._unsought)
        await self._store.settled()
        lost = [(seq, facts) for seq, some in waiting.items() for facts in some]
        homes = await self._homes.find_all([_ask(facts) for _, facts in lost])
        found = sorted({seq for (seq, _), home in zip(lost, homes, strict=True) if not isinstance(home, Lost)})

        def decide(state: State) -> WriteSet:
            return WriteSet(inbox=[called_up(seq, state.now) for seq in found])

        if found:
            await self._store.run(ReadSet(), decide)
            _log.info("shipments.matched", inputs=len(found))
        for seq in waiting:
            self._unsought.pop(seq, None)


async def run_orphans_again(store: Store, queries: Queries) -> int:
    """After a start: whoever parked a shipment may have died before it could look for the order once more.

    The number of inputs that run again; those that still have no order are parked as before. Raises `StoreUnavailable`.
    """
    seqs: list[int] = []
    cursor: str | None = None
    while True:
        rows, cursor = await queries.failures(kind="inbound", error=ORPHAN, limit=1000, cursor=cursor)
        seqs += [int(row.reference) for row in rows]
        if cursor is None:
            break

    def decide(state: State) -> WriteSet:
        return WriteSet(inbox=[called_up(seq, state.now) for seq in seqs])

    if seqs:
        await store.run(ReadSet(), decide)
        _log.info("shipments.sought_again", inputs=len(seqs))
    return len(seqs)


def _ask(facts: DocumentFacts) -> Ask:
    # What was stated by hand and is waiting was stated for this account.
    return Ask(facts.order_source_id or "", purchase_order_of(facts), facts.account if facts.ours else None)


def _waited_for(facts: DocumentFacts) -> list[str]:
    """Folded names by which the order may come: what the shipment calls it, and the purchase order it states."""
    names = {folded(facts.order_source_id or ""), folded(purchase_order_of(facts) or "")}
    return sorted(name for name in names if name)


def _with_id(shipment: dict[str, Any], notice: DocumentFacts) -> dict[str, Any]:
    key = (notice.account, NOTICE, shipment["source"]["id"])
    return {**shipment, "id": canonical.document_id("shipment", notice.occurred_at // 1000, *key)}


def _names(facts: OrderFacts) -> list[str]:
    """Folded names the order is called by; one more only where it states a purchase order of its own."""
    names = {folded(facts.source_id), folded(facts.number)}
    if _PURCHASED in facts.document:
        names.add(folded(content.load(facts.document)["purchase_order_number"]))
    return sorted(name for name in names if name)
