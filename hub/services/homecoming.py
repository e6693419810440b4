"""Shipments of other accounts' orders, inside the unit of work that applies their inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from hub.ports.store import InboxItem, InboxResult, InboxState, Micros, OrderKey, ReadSet, State, Store, WriteSet
from hub.services.apply_stock import Refused
from hub.services.batch import Batch
from hub.services.extract import facts_of
from hub.services.homes import Home, Homes, Lost, is_foreign, purchase_order_of
from hub.services.interpreted import Interpreted, Refusal
from hub.services.requeue import RUN_AGAIN
from hub.services.shipments import Tellers, bring_home, reads_at_home
from hub.services.waiting import call_waiting, let_wait, reads_waiting

NOTICE = "ship_notice"
ORPHAN = "OrphanShipment"
REFUSED = "ShipmentRefused"
_PURCHASED = '"purchase_order_number":"'

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Looked:
    """Where the shipments of a batch belong, by (account, the shipper's id of the shipment)."""

    homes: dict[tuple[str, str], Home] = field(default_factory=dict)
    shipments: dict[int, list[DocumentFacts]] = field(default_factory=dict)
    """what each input tells of orders it did not take itself"""
    told: set[str] = field(default_factory=set)
    """messages to channels that may have to be taken back"""
    waiting: dict[int, DocumentFacts] = field(default_factory=dict)
    """inputs parked for want of an order, with the shipment that lacks one"""


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

    async def look(self, pairs: Sequence[tuple[InboxItem, Interpreted]]) -> Looked:
        """Find the orders, ahead of the unit of work; one that comes meanwhile is found by `look_again`."""
        looked = Looked()
        for item, interpreted in pairs:
            plan = self._plans.get(item.account)
            for facts in interpreted.facts:
                if plan is None or not isinstance(facts, DocumentFacts):
                    continue
                if is_foreign(plan, facts):
                    await self._note(looked, item, facts, await self._find(facts))
                elif facts.type == NOTICE and plan.manifest.trades:
                    await self._notice(looked, item, facts)
        return looked

    async def _note(self, looked: Looked, item: InboxItem, facts: DocumentFacts, home: Home) -> None:
        looked.shipments.setdefault(item.seq, []).append(facts)
        looked.homes[facts.account, facts.source_id] = home
        if not isinstance(home, Lost):
            looked.told |= await self.told(facts, home)

    async def _notice(self, looked: Looked, item: InboxItem, facts: DocumentFacts) -> None:
        """A warehouse may tell of customers' orders by ship notice; one of no order of ours is a notice and no more."""
        for shipment in shipments_noticed(content.load(facts.document)):
            document = canonical.parse_document(json.dumps(_with_id(shipment, facts)))
            found = facts_of(document, facts.account, item.received_at)
            if isinstance(found, DocumentFacts):
                home = await self._find(found)
                if not isinstance(home, Lost):
                    await self._note(looked, item, found, home)

    async def told(self, facts: DocumentFacts, home: OrderKey) -> set[str]:
        return await self._homes.told(facts, home)

    async def _find(self, facts: DocumentFacts) -> Home:
        reference, bought = facts.order_source_id or "", purchase_order_of(facts)
        # What was stated by hand and is waiting was stated for this account.
        account = facts.account if facts.ours else None
        return await self._homes.find(reference, purchase_order=bought, account=account)

    def reads(self, reads: ReadSet, pairs: Sequence[tuple[InboxItem, Interpreted]], looked: Looked) -> None:
        reads.effects |= looked.told
        for item, interpreted in pairs:
            for facts in interpreted.facts:
                if isinstance(facts, OrderFacts):
                    reads_waiting(reads, _names(facts))
            for shipment in looked.shipments.get(item.seq, ()):
                home = looked.homes[shipment.account, shipment.source_id]
                if isinstance(home, Lost):
                    reads_waiting(reads, [folded(shipment.order_source_id or "")])
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
        for facts in looked.shipments.get(item.seq, ()):
            home = looked.homes[facts.account, facts.source_id]
            if isinstance(home, Lost):
                refusals.append(Refusal(ORPHAN, home.code, "order", home.message))
                let_wait(batch, facts.order_source_id or "", item.seq)
                looked.waiting[item.seq] = facts
                continue
            try:
                self.bring(batch, facts, home)
            except Unplaceable as error:
                refusals.append(Refusal(REFUSED, error.code, error.path, f"order {home[1]} of {home[0]}: {error}"))
            order = batch.state.orders.get(home)
            if order is not None and content.is_redacted(order.document):
                batch.writes.forgotten_inputs.append(item.seq)
        if refusals:
            raise Refused(refusals[0])

    def bring(self, batch: Batch, facts: DocumentFacts, home: OrderKey) -> dict[str, Any]:
        """One shipment, whose order was found and read. Raises `Unplaceable`."""
        return bring_home(batch, self._plans, self._tellers, facts, home, self._kept)

    async def look_again(self, looked: Looked) -> None:
        """An order stored between the search and the parking did not see what waits for it: it is sought once more."""
        found = [seq for seq, facts in looked.waiting.items() if not isinstance(await self._find(facts), Lost)]
        if not found:
            return

        def decide(state: State) -> WriteSet:
            return WriteSet(inbox=[InboxResult(seq, InboxState.PENDING, state.now, RUN_AGAIN) for seq in found])

        await self._store.run(ReadSet(), decide)
        _log.info("shipments.matched", inputs=len(found))


def _with_id(shipment: dict[str, Any], notice: DocumentFacts) -> dict[str, Any]:
    key = (notice.account, NOTICE, shipment["source"]["id"])
    return {**shipment, "id": canonical.document_id("shipment", notice.occurred_at // 1000, *key)}


def _names(facts: OrderFacts) -> list[str]:
    """Folded names the order is called by; one more only where it states a purchase order of its own."""
    names = {folded(facts.source_id), folded(facts.number)}
    if _PURCHASED in facts.document:
        names.add(folded(content.load(facts.document)["purchase_order_number"]))
    return sorted(name for name in names if name)
