"""What a batch must read before it can be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canonical.errors import InvariantBroken
from hub.orders.facts import DocumentFacts, ListingFacts, OrderFacts, ReportFacts, StockFacts, TrackingFacts
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import InboxItem, ReadSet, State, Store, WriteSet
from hub.services import apply_stock, transfer_receipts
from hub.services.apply_listing import reads_for_listing
from hub.services.apply_order import reads_for_document, reads_for_order
from hub.services.apply_tracking import reads_for_tracking
from hub.services.interpreted import Interpreted
from hub.services.places import ours

Zeroed = Mapping[tuple[str, str], tuple[str, ...]]
"""(account, report's source id) -> SKUs a complete report does not list: there are none of them"""


class Reads:
    """Gathers read sets. Counts are resolved first, in a unit of their own that writes nothing."""

    def __init__(self, store: Store, plans: Mapping[str, AccountPlan], queries: Queries | None) -> None:
        self._store = store
        self._plans = plans
        self._queries = queries

    async def of(self, pairs: Sequence[tuple[InboxItem, Interpreted]]) -> tuple[ReadSet, Zeroed]:
        """The read set of a batch, and the SKUs its complete reports leave out."""
        reads = ReadSet()
        counting: list[tuple[AccountPlan, ReportFacts]] = []
        for item, interpreted in pairs:
            plan = self._plans.get(item.account)
            for facts in interpreted.facts if plan is not None else ():
                if isinstance(facts, OrderFacts):
                    reads_for_order(reads, facts)
                elif isinstance(facts, DocumentFacts):
                    reads_for_document(reads, facts)
                elif isinstance(facts, StockFacts):
                    apply_stock.reads_for_stock(reads, facts)
                    transfer_receipts.reads_for_receipt(reads, facts)
                elif isinstance(facts, ListingFacts):
                    reads_for_listing(reads, facts)
                elif isinstance(facts, TrackingFacts):
                    reads_for_tracking(reads, item, facts)
                else:
                    apply_stock.reads_for_report(reads, self._plans[item.account], facts)
                    if self._plans[item.account].stock_source:
                        counting.append((self._plans[item.account], facts))
        zeroed = await self._read_counts(reads, counting) if counting else {}
        return reads, zeroed

    async def _read_counts(self, reads: ReadSet, counting: Sequence[tuple[AccountPlan, ReportFacts]]) -> Zeroed:
        """Resolve what counts are about, so that movements since their time can be read with them."""
        found: list[State] = []

        def look(state: State) -> WriteSet:
            found.append(state)
            return WriteSet()

        await self._store.run(ReadSet(skus=set(reads.skus), levels=set(reads.levels)), look)
        zeroed: dict[tuple[str, str], tuple[str, ...]] = {}
        for plan, facts in counting:
            keys = apply_stock.counted_keys(plan, facts, found[-1])
            location = ours(plan, facts.location, facts.location_raw)
            if facts.complete and location is not None:
                listed = {sku for sku, _, _ in keys}
                missing = await self._stocked_at(location, listed)
                zeroed[facts.account, facts.source_id] = missing
                keys |= {(sku, location, facts.as_of) for sku in missing}
            reads.on_hand_since |= keys
            reads.positions |= {sku for sku, _, _ in keys}
            reads.own_open |= {(facts.account, sku) for sku, _, _ in keys}
        return zeroed

    async def _stocked_at(self, location: str, listed: set[str]) -> tuple[str, ...]:
        """SKUs with on-hand stock at a location that a complete report does not list."""
        if self._queries is None:
            raise InvariantBroken("a complete stock report needs queries to find what it does not list")
        missing: list[str] = []
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.positions(limit=1000, cursor=cursor)
            missing += [row.sku for row in rows if row.location == location and row.on_hand and row.sku not in listed]
            if cursor is None:
                return tuple(missing)
