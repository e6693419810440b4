"""What partners make of a unit of work: their documents taken in, and what they must hear of orders it touched."""

from __future__ import annotations

from collections.abc import Mapping

from hub.orders.facts import DocumentFacts, OrderFacts
from hub.ports.accounts import AccountPlan
from hub.ports.store import Micros, OrderKey, ReadSet
from hub.services.apply_stock import Refused
from hub.services.batch import Batch
from hub.services.interpreted import Refusal
from hub.services.partners import orders, warehousing
from hub.services.partners.answers import answer, backordered, refuse_replacement
from hub.services.partners.orders import CANCELLATION, CHANGE, TooLate


class Partners:
    """Hooks of the inward use cases. Pure but for the batch it writes to; safe to share.

    Args:
        kept: How long personal data stays once an order is over; None keeps it.
    """

    def __init__(self, plans: Mapping[str, AccountPlan], kept: Micros | None = None) -> None:
        self._plans = plans
        self._kept = kept
        self._any = any(plan.partner is not None or plan.warehouses for plan in plans.values())

    def trades(self, account: str) -> bool:
        """Whether a trading partner is behind the account that orders from us."""
        plan = self._plans.get(account)
        return plan is not None and plan.partner is not None and plan.partner.agreed.role in _BUY

    def concerns(self, account: str) -> bool:
        """Whether orders of the account are anything to us."""
        plan = self._plans.get(account)
        return plan is not None and (self.trades(account) or bool(plan.warehouses))

    def reads(self, reads: ReadSet, key: OrderKey) -> None:
        """What following an order needs."""
        if not self._any or not self.concerns(key[0]):
            return
        if self.trades(key[0]):
            orders.reads_for_deal(reads, key)
        warehousing.reads_for(reads, self._plans[key[0]], key)

    # --- inward ----------------------------------------------------------------------------------

    def order(self, batch: Batch, plan: AccountPlan, facts: OrderFacts) -> OrderFacts | None:
        """The order as it stands with what its partner changed; None when nothing is to be done."""
        if not self.trades(facts.account):
            return facts
        key = (facts.account, facts.source_id)
        try:
            return orders.order_stated(batch, facts, self._gone(batch, key), self._locked(batch, key))
        except TooLate as late:
            refuse_replacement(batch, plan, late.key, late.version)
            batch.outcome.applied += 1
            return None

    def document(self, batch: Batch, plan: AccountPlan, facts: DocumentFacts) -> DocumentFacts:
        """A change or a withdrawal taken in; what is left of the document moves nothing by itself.

        Raises:
            Refused: A change that contradicts one received before.
        """
        if facts.type not in (CHANGE, CANCELLATION) or facts.order_source_id is None or not self.trades(facts.account):
            return facts
        key = (facts.account, facts.order_source_id)
        if plan.partner is not None and plan.partner.agreed.sdq.mode == "explode" and key not in batch.state.orders:
            message = f"{key[1]} was split into an order per store, or has not come; change its stores' orders"
            raise Refused(Refusal("Rejected", "order_split", "purchase_order_number", message))
        gone = self._gone(batch, key)
        if facts.type == CHANGE:
            deal = orders.order_changed(batch, key, facts, gone, self._locked(batch, key))
        else:
            deal = orders.order_withdrawn(batch, key, facts, gone, self._locked(batch, key, cancels=True))
        if deal is not None:
            orders.restate(batch, plan, key, deal, facts.occurred_at)
        return facts._replace(moves=())

    def follow(self, batch: Batch) -> None:
        """Tell partners and warehouses what became of the orders this unit touched."""
        if not self._any:
            return
        for key in sorted(batch.touched):
            self.follow_order(batch, key)

    def follow_order(self, batch: Batch, key: OrderKey) -> None:
        """The same for one order, whatever brought it up: a deadline, say."""
        plan = self._plans.get(key[0])
        if plan is None:
            return
        if self.trades(key[0]):
            answer(batch, plan, key, self._kept)
        if plan.warehouses:
            ready, held_back = True, None
            if self.trades(key[0]):
                ready = orders.deal_of(batch, key).answered_at is not None
                held_back = backordered(batch, key)
            warehousing.follow(batch, plan, self._plans, key, ready=ready, held_back=held_back)

    # --- what stands in the way of a change ------------------------------------------------------

    def _gone(self, batch: Batch, key: OrderKey) -> dict[str, int]:
        row = batch.state.orders.get(key)
        return {one.line_id: one.shipped for one in row.allocations} if row is not None else {}

    def _locked(self, batch: Batch, key: OrderKey, *, cancels: bool = False) -> frozenset[str]:
        row = batch.state.orders.get(key)
        if row is None:
            return frozenset()
        return warehousing.locked(batch, self._plans[key[0]], self._plans, row, cancels=cancels)


_BUY = frozenset({"retailer", "marketplace"})
