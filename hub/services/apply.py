"""Interpreted inputs become orders, postings and due numbers: one unit of work per batch.

A batch that fails is applied one input at a time, so that a bad one never holds its neighbours. A
single one that fails is parked with its reason; nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from canonical import parse_document
from canonical.errors import InvariantBroken
from hub.orders import content
from hub.orders.articles import key_of
from hub.orders.content import Json
from hub.orders.facts import DocumentFacts, ListingFacts, OrderFacts, ReportFacts, StockFacts, StockLine, TrackingFacts
from hub.orders.tally import TALLY
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import (
    AuditEntry,
    DuplicateKey,
    InboxItem,
    InboxResult,
    InboxState,
    Micros,
    NewFailure,
    OrderKey,
    ReadSet,
    State,
    Store,
    StoreConflict,
    WriteSet,
)
from hub.ports.telemetry import Silence, Telemetry
from hub.services import apply_stock, transfer_receipts
from hub.services.apply_listing import apply_listing
from hub.services.apply_order import apply_document, apply_order, redacted, settle_again
from hub.services.apply_purchase import apply_purchases, check_purchases, look_at_purchases
from hub.services.apply_stock import Refused
from hub.services.apply_tracking import apply_tracking, tell_moves, unnumbered
from hub.services.batch import Batch, Outcome
from hub.services.control import Controls
from hub.services.extract import facts_of
from hub.services.homecoming import Homecoming, Looked
from hub.services.homes import is_foreign
from hub.services.interpreted import Interpreted, Refusal
from hub.services.moments import seconds_between
from hub.services.partners.following import Partners
from hub.services.partners.looking import look_at_deals
from hub.services.reads import Reads, Zeroed
from hub.services.shipments import Tellers

Pair = tuple[InboxItem, Interpreted]

KIND = "inbound"
"""failures of inputs; their reference is the inbox sequence number"""

_BUGS = (
    InvariantBroken,
    DuplicateKey,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a fault in pure code can raise out of one unit of work."""

CONFLICTS_MAX = 5
CONFLICT_REST_US = 1_000_000
"""A row that moved under every redo of the store is tried again this much later, so often."""

_log = structlog.get_logger()


class Apply:
    """Applies what `Interpreter` gave. Calls may run side by side for different ordering keys.

    Args:
        plans: By account; an input of an account that is gone is parked.
        queries: For complete stock reports and for forgetting people; both read many rows.
        personal_kept_s: How long personal data outlives its order; None keeps it.
        tellers: Who tells channels of shipments they have not made; by effects where nothing is given.
    """

    def __init__(
        self,
        store: Store,
        plans: Mapping[str, AccountPlan],
        *,
        queries: Queries | None = None,
        telemetry: Telemetry | None = None,
        personal_kept_s: float | None = None,
        tellers: Tellers | None = None,
    ) -> None:
        self._store = store
        self._plans = plans
        self._queries = queries
        self._telemetry = telemetry or Silence()
        self._kept = None if personal_kept_s is None else round(personal_kept_s * 1_000_000)
        self._reads = Reads(store, plans, queries)
        self._controls = Controls(store, queries)
        self._partners = Partners(plans, self._kept)
        self._homecoming = Homecoming(store, plans, queries, tellers, self._kept)

    async def apply(self, pairs: Sequence[Pair]) -> Outcome:
        """Apply each input exactly once and settle its inbox row; hints are not for here.

        Raises:
            StoreUnavailable: What was not applied yet stays claimed and unchanged.
        """
        total = Outcome()
        plain = [pair for pair in pairs if pair[1].control is None]
        if plain:
            total.take(await self._batch(plain))
        for item, interpreted in pairs:
            if interpreted.control is not None:
                await self._controls.obey(item, interpreted)
                total.applied += 1
        self._tell(total)
        return total

    async def resolve_held(self, keys: Sequence[OrderKey]) -> Outcome:
        """Settle held orders again after the catalogue, a listing or stock changed, or when an answer is due."""
        outcome = await self._judged([key for key in keys if key[0] in self._plans])
        self._tell(outcome)
        return outcome

    async def ship(self, facts: DocumentFacts, home: OrderKey, entry: AuditEntry) -> tuple[Json, int]:
        """Apply one shipment that came by no input; the shipment as stored, and how many effects will tell of it.

        Raises:
            Unplaceable: It does not fit its order; nothing was stored.
            StoreUnavailable, StoreConflict: Nothing was stored.
        """
        reads = ReadSet()
        self._homecoming.reads_home(reads, facts, home)
        reads.effects |= await self._homecoming.told(facts, home)
        await look_at_deals(self._store, self._partners, reads)
        done: list[tuple[Json, Batch]] = []

        def decide(state: State) -> WriteSet:
            batch = Batch(state)
            done.append((self._homecoming.bring(batch, facts, home), batch))
            self._partners.follow(batch)
            batch.writes.audit.append(entry)
            return batch.finish()

        written = await self._store.run(reads, decide)
        self._tell(done[-1][1].outcome)
        return done[-1][0], len(written.effects)

    async def _batch(self, pairs: Sequence[Pair]) -> Outcome:
        try:
            return await self._unit(pairs)
        except (StoreConflict, *_BUGS) as error:
            if len(pairs) == 1:
                item = pairs[0][0]
                if isinstance(error, StoreConflict) and item.attempts < CONFLICTS_MAX:
                    return await self._later(item)
                return await self._park(item, error)
            _log.warning("batch.split", items=len(pairs), error=type(error).__name__)
        total = Outcome()
        for pair in pairs:
            total.take(await self._batch([pair]))
        return total

    async def _unit(self, pairs: Sequence[Pair]) -> Outcome:
        reads, zeroed = await self._reads.of(pairs)
        looked = await self._homecoming.look(pairs)
        self._homecoming.reads(reads, pairs, looked)
        await look_at_purchases(self._store, [told for _, one in pairs for told in one.purchases], reads)
        await look_at_deals(self._store, self._partners, reads)
        outcome = Outcome()

        def decide(state: State) -> WriteSet:
            # The store may call this again after a conflict, so the outcome starts anew each time.
            nonlocal outcome
            batch = Batch(state)
            for item, interpreted in pairs:
                self._item(batch, item, interpreted, zeroed, looked)
            self._partners.follow(batch)
            outcome = batch.outcome
            outcome.ahead = {key for key in outcome.ahead if key not in state.orders}
            # An order being stored at this moment would see nothing of what is told of it here, and is not seen either.
            return batch.finish() if reads.alone or not outcome.ahead else WriteSet()

        await self._store.run(reads, decide)
        if outcome.ahead and not reads.alone:
            reads.alone = True
            await self._store.run(reads, decide)
        if looked.waiting:
            await self._homecoming.look_again(looked)
        if outcome.waiting:
            keys = set().union(*outcome.waiting.values())
            outcome.take(await self._held(keys, list(outcome.waiting)))
        return outcome

    def _item(self, batch: Batch, item: InboxItem, interpreted: Interpreted, zeroed: Zeroed, looked: Looked) -> None:
        if interpreted.refusal is not None:
            _refuse(batch, item, interpreted.refusal)
            return
        if (refusal := unnumbered(item, interpreted.facts)) is not None:
            _refuse(batch, item, refusal)
            return
        plan = self._plans[item.account]
        before = batch.outcome.applied
        waiting: set[OrderKey] = set()
        try:
            check_purchases(batch, self._plans, interpreted.purchases)
            self._documents(batch, plan, interpreted)
            for facts in interpreted.facts:
                if isinstance(facts, StockFacts):
                    apply_stock.apply_stock(batch, plan, facts, _stored_lines(batch, facts))
                    transfer_receipts.receive(batch, facts)
                elif isinstance(facts, ReportFacts):
                    missing = zeroed.get((facts.account, facts.source_id), ())
                    apply_stock.apply_report(batch, plan, facts, missing)
                elif isinstance(facts, ListingFacts):
                    waiting |= apply_listing(batch, plan, facts)
                elif isinstance(facts, TrackingFacts):
                    apply_tracking(batch, item, facts)
            self._homecoming.apply(batch, item, looked)
            apply_purchases(batch, self._plans, interpreted.purchases)
        except Refused as refused:
            _refuse(batch, item, refused.refusal)
            return
        if batch.outcome.applied > before and not all(isinstance(facts, ListingFacts) for facts in interpreted.facts):
            # Hearing again what was known long ago (an overlapping poll, a duplicate) is not late, and a
            # listing is dated by the offer, which may be years old when it is first read.
            at = item.occurred_at if item.occurred_at is not None else item.received_at
            batch.outcome.lags_s.append((item.account, seconds_between(at, batch.state.now)))
            batch.late(item.account, "inward", at)
        if any(redacted(batch, facts) for facts in interpreted.facts):
            # The channel sent the person once more; this copy is forgotten like those before it.
            batch.writes.forgotten_inputs.append(item.seq)
        if waiting:
            batch.outcome.waiting[item.seq] = waiting
        else:
            _finish(batch.writes, item)

    def _documents(self, batch: Batch, plan: AccountPlan, interpreted: Interpreted) -> None:
        """Documents before their order, each at its own time, so that a payload settles an order in few steps.

        What came with an order nobody knew yet is settled with it, at the time of the latest.
        """
        moved: dict[OrderKey, Micros] = {}
        documents = [
            facts for facts in interpreted.facts if isinstance(facts, DocumentFacts) and not is_foreign(plan, facts)
        ]
        for document in sorted(documents, key=_occurred) if len(documents) > 1 else documents:
            key = apply_document(batch, self._partners.document(batch, plan, document), self._kept)
            if key is not None and not settle_again(batch, plan, key, document.occurred_at):
                moved[key] = max(document.occurred_at, moved.get(key, 0))
        for facts in interpreted.facts:
            if isinstance(facts, OrderFacts):
                stands = self._partners.order(batch, plan, facts)
                if stands is not None:
                    at = moved.get((facts.account, facts.source_id), facts.occurred_at)
                    apply_order(batch, plan, stands, at, self._kept)
                    self._homecoming.called(batch, stands)
        batch.outcome.ahead.update(moved)

    async def _held(self, keys: set[OrderKey], seqs: Sequence[int]) -> Outcome:
        """Settle orders whose SKUs can be resolved now, and finish the inputs that made it so."""
        stored: list[State] = []

        def look(state: State) -> WriteSet:
            stored.append(state)
            return WriteSet()

        await self._store.run(ReadSet(orders=set(keys)), look)
        reads = ReadSet(orders=set(keys), documents={(account, TALLY, source_id) for account, source_id in keys})
        for key, row in stored[-1].orders.items():
            lines = content.lines_in(content.load(row.document))
            reads.skus |= {
                key_of(key[0], name) for line in lines if line.stocked for name in (line.sku, *line.others) if name
            }
        await look_at_deals(self._store, self._partners, reads)
        outcome = Outcome()

        def decide(state: State) -> WriteSet:
            nonlocal outcome
            batch = Batch(state)
            for key in sorted(keys):
                batch.outcome.applied += settle_again(batch, self._plans[key[0]], key, state.now)
            for key in sorted(keys):
                self._partners.follow_order(batch, key)
            batch.writes.inbox.extend(InboxResult(seq, InboxState.DONE) for seq in seqs)
            outcome = batch.outcome
            return batch.finish()

        await self._store.run(reads, decide)
        return outcome

    async def _judged(self, keys: Sequence[OrderKey]) -> Outcome:
        """An order that cannot be settled is told, and keeps nobody else's from it."""
        try:
            return await self._held(set(keys), [])
        except _BUGS as error:
            if len(keys) == 1:
                _log.error("order.left_unsettled", account=keys[0][0], order=keys[0][1], exc_info=error)
                return Outcome(failed=1)
            _log.warning("batch.split", items=len(keys), error=type(error).__name__)
        total = Outcome()
        for key in keys:
            total.take(await self._judged([key]))
        return total

    async def _later(self, item: InboxItem) -> Outcome:
        def decide(state: State) -> WriteSet:
            due_at = state.now + CONFLICT_REST_US
            return WriteSet(inbox=[InboxResult(item.seq, InboxState.PENDING, due_at, item.attempts + 1)])

        await self._store.run(ReadSet(), decide)
        _log.info("input.postponed", account=item.account, seq=item.seq, attempts=item.attempts + 1)
        return Outcome()

    async def _park(self, item: InboxItem, error: BaseException) -> Outcome:
        """Our own fault, or a row that keeps moving: stop this input, loudly, and keep it for a replay."""
        name = type(error).__name__
        _log.error("input.parked", account=item.account, topic=item.topic, seq=item.seq, error=name, exc_info=error)
        refusal = Refusal(name, "internal", "", f"applying this input failed: {name}; it is kept and can be replayed")
        batch = Batch(State(item.received_at))

        def decide(_state: State) -> WriteSet:
            return batch.finish()

        _refuse(batch, item, refusal)
        await self._store.run(ReadSet(), decide)
        return batch.outcome

    def _tell(self, outcome: Outcome) -> None:
        for account, lag in outcome.lags_s:
            self._telemetry.lag(account, "in", lag)
        for account, units in outcome.oversold.items():
            self._telemetry.oversold(account, units)
        for account, units in outcome.drifted.items():
            self._telemetry.drift(account, units)
        for account, count in outcome.unknown_codes.items():
            self._telemetry.unknown_codes(account, count)
        for account, count in outcome.odd_numbers.items():
            self._telemetry.odd_numbers(account, count)
        tell_moves(outcome.moved)


def _occurred(facts: DocumentFacts) -> Micros:
    return facts.occurred_at


def _stored_lines(batch: Batch, facts: StockFacts) -> tuple[StockLine, ...]:
    """What the stored version of a stock document posted; read back only when there is one."""
    document = facts.document
    stored = batch.state.documents.get((document.account, document.type, document.source_id))
    if stored is None:
        return ()
    known = facts_of(parse_document(stored.document), document.account, document.occurred_at)
    return known.lines if isinstance(known, StockFacts) else ()


def _finish(writes: WriteSet, item: InboxItem) -> None:
    writes.inbox.append(InboxResult(item.seq, InboxState.DONE))
    if item.attempts:
        # Only an input that failed before can have an open failure to end.
        writes.resolved_failures.append((item.account, KIND, str(item.seq)))


def _refuse(batch: Batch, item: InboxItem, refusal: Refusal) -> None:
    attempts = item.attempts + 1
    batch.writes.inbox.append(InboxResult(item.seq, InboxState.FAILED, attempts=attempts))
    batch.writes.failures.append(
        NewFailure(
            account=item.account,
            kind=KIND,
            reference=str(item.seq),
            error=refusal.error,
            code=refusal.code,
            path=refusal.path,
            message=refusal.message,
            fingerprint=f"{item.account}:{item.topic}:{refusal.error}:{refusal.code}:{refusal.path}",
            attempts=attempts,
            origin=item.origin,
        )
    )
    batch.outcome.failed += 1
    batch.outcome.failures.append((item.seq, refusal.error, refusal.code))
