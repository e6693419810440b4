"""Orders and the documents that follow them, applied inside one unit of work.

Whatever arrives first, twice, embedded or alone, the result is the same: an order is replaced only
by a newer state of itself, a document by a newer version of itself, and what both say of a line's
units is joined before anything is posted.
"""

from __future__ import annotations

import json
from dataclasses import replace

from hub.orders import content, people
from hub.orders.articles import key_of
from hub.orders.echoes import Parcels
from hub.orders.facts import DocumentFacts, Facts, OrderFacts
from hub.orders.joining import joined
from hub.orders.tally import TALLY, with_document
from hub.orders.versions import compare
from hub.ports.accounts import AccountPlan
from hub.ports.store import DocumentRow, Micros, NewEffect, OrderKey, OrderRow, PersonalRow, ReadSet
from hub.services.apply_tracking import name_packages, reads_for_packages
from hub.services.batch import Batch
from hub.services.settle import Draft, draft_of, settle

ACKNOWLEDGE = "acknowledge_order"
_ENDED = frozenset({"closed", "cancelled"})


def reads_for_order(reads: ReadSet, facts: OrderFacts) -> None:
    key = (facts.account, facts.source_id)
    # Shipments told by others wait for orders; orders of the catalogue as it was are judged again after a change.
    reads.wakes = True
    reads.orders.add(key)
    reads.documents.add((facts.account, TALLY, facts.source_id))
    for line in facts.lines:
        if line.stocked and line.sku:
            reads.skus.add((facts.account, line.sku))
        if line.others:
            reads.skus |= {key_of(facts.account, name) for name in line.others}
    if facts.personal is not None or facts.state in _ENDED or any(line.fulfilled for line in facts.lines):
        reads.personal.add(key)


def reads_for_document(reads: ReadSet, facts: DocumentFacts) -> None:
    reads.documents.add((facts.account, facts.type, facts.source_id))
    if facts.order_source_id is not None:
        reads.orders.add((facts.account, facts.order_source_id))
        reads.documents.add((facts.account, TALLY, facts.order_source_id))
    reads_for_packages(reads, facts)
    if facts.type == "order_change":
        for line in content.load(facts.document)["lines"]:
            named = content.lines_in({"lines": [{**line, "quantity": 0}]})[0]
            reads.skus |= {key_of(facts.account, name) for name in (named.sku, *named.others) if name}


def apply_document(batch: Batch, facts: DocumentFacts, kept: Micros | None) -> OrderKey | None:
    """Store a document; the key of the order to settle when it changed what is known of its lines.

    An older version, or the same one again, changes nothing. `kept` is how long its personal data
    stays, None for ever.
    """
    key = (facts.account, facts.type, facts.source_id)
    stored = batch.state.documents.get(key)
    if stored is not None:
        newer = compare(facts.version, stored.version)
        if newer < 0:
            batch.outcome.stale += 1
            return None
        if newer == 0 and content.same_document(stored.document, facts.document):
            batch.outcome.unchanged += 1
            return None
    name = stored.id if stored else facts.id
    batch.put_document(
        DocumentRow(
            name,
            facts.type,
            facts.account,
            facts.source_id,
            facts.version,
            facts.order_source_id,
            facts.occurred_at,
            facts.document,
            stored.rev if stored else 0,
        )
    )
    batch.outcome.applied += 1
    name_packages(batch, facts)
    if facts.order_source_id is None:
        return None
    order = (facts.account, facts.order_source_id)
    _keep_person(batch, name, facts, order, kept)
    told = f"{facts.type}/{facts.source_id}"
    tally = batch.tally(order)
    parcels = Parcels(facts.ours, facts.numbers) if facts.ours or facts.numbers else None
    following = with_document(tally, told, facts.moves, parcels)
    if tally.told.get(told, ()) == facts.moves and following.parcels == tally.parcels:
        return None
    batch.put_tally(order, following)
    return order


def _keep_person(batch: Batch, name: str, facts: DocumentFacts, order: OrderKey, kept: Micros | None) -> None:
    """A document's personal data stands under the document's own id, and is forgotten with its order's."""
    if facts.personal is not None and not _forgotten(batch, order):
        delete_after = None if kept is None else facts.occurred_at + kept
        batch.put_personal(PersonalRow(name, facts.account, facts.personal, delete_after))


def apply_order(batch: Batch, plan: AccountPlan, facts: OrderFacts, occurred_at: Micros, kept: Micros | None) -> bool:
    """Store an order's state unless it is old or known, and settle it. False when it was left alone.

    Args:
        occurred_at: When the units moved: of the latest document that came with the order.
        kept: How long personal data stays once an order has ended; None keeps it.
    """
    key = (facts.account, facts.source_id)
    stored = batch.state.orders.get(key)
    newer = 1 if stored is None else compare(facts.version, stored.version)
    if newer < 0:
        batch.outcome.stale += 1
        return False
    draft = _draft(stored, facts, occurred_at)
    draft.redacted = _forgotten(batch, key)
    if stored is not None and newer == 0 and content.same(draft.document, content.load(stored.document)):
        _keep_people(batch, facts, stored, stored, kept)
        batch.outcome.unchanged += 1
        return False
    row = settle(batch, plan, draft)
    batch.outcome.applied += 1
    _keep_people(batch, facts, stored, row, kept)
    _acknowledge(batch, plan, facts, stored, row)
    return True


def _draft(stored: OrderRow | None, facts: OrderFacts, occurred_at: Micros) -> Draft:
    """The order as it will be stored; a partial read is joined to what is known."""
    document = content.load(facts.document)
    draft = Draft(
        (facts.account, facts.source_id),
        stored,
        facts.id,
        facts.version,
        facts.number,
        "open" if facts.state == "held" else facts.state,
        facts.placed_at,
        facts.updated_at,
        document,
        facts.lines,
        occurred_at,
    )
    if stored is None:
        return draft
    draft.id = stored.id
    draft.placed_at = facts.placed_at or stored.placed_at
    draft.updated_at = facts.updated_at or stored.updated_at
    if facts.partial:
        draft.document = joined(content.load(stored.document), document)
        draft.lines = content.lines_in(draft.document)
        draft.state = "open" if draft.document["state"] == "held" else draft.document["state"]
    return draft


def _keep_people(batch: Batch, facts: OrderFacts, stored: OrderRow | None, row: OrderRow, kept: Micros | None) -> None:
    """Personal data beside the order: never shortened, and given an end once the order has one."""
    if content.is_redacted(row.document):
        return
    before = batch.state.personal.get(row.id)
    after = people.merged(before, facts.personal)
    if after is None:
        return
    over = _is_over(row)
    ends = kept is not None and over and (stored is None or not _is_over(stored))
    if after == before and not ends:
        return
    delete_after = facts.occurred_at + kept if kept is not None and over else None
    buyer = facts.buyer or people.buyer_of(before)
    batch.put_personal(PersonalRow(row.id, row.account, after, delete_after, buyer))


def _is_over(row: OrderRow) -> bool:
    """Closed, cancelled, or everything we had to ship is gone: nobody needs the address to come."""
    if row.state in _ENDED:
        return True
    return bool(row.allocations) and not row.unresolved and not any(one.reserved for one in row.allocations)


def _acknowledge(batch: Batch, plan: AccountPlan, facts: OrderFacts, stored: OrderRow | None, row: OrderRow) -> None:
    """Tell the channel once that the order was taken, where it asks for that and we ship some of it."""
    manifest = plan.manifest
    if not manifest.acknowledges_orders or row.state not in {"open", "held"}:
        return
    if stored is not None and stored.state != "pending":
        return
    if not any(line.stocked and line.quantity > line.cancelled + line.fulfilled for line in facts.lines):
        return
    placed = facts.placed_at or facts.occurred_at
    within = manifest.acknowledge_within_s
    batch.writes.effects.append(
        NewEffect(
            account=row.account,
            kind=ACKNOWLEDGE,
            key=f"order:{row.source_id}",
            idempotency_key=f"{row.account}:{ACKNOWLEDGE}:{row.source_id}:{row.version}",
            body=row.document,
            references=json.dumps({"order": row.source_id, "number": row.number}, separators=(",", ":")),
            occurred_at=min(facts.occurred_at, batch.state.now),
            due_at=batch.state.now,
            deadline_at=None if within is None else placed + round(within * 1_000_000),
        )
    )


def settle_again(batch: Batch, plan: AccountPlan, key: OrderKey, occurred_at: Micros) -> bool:
    """Settle a stored order because a document or the catalogue changed; False when it is not known (yet)."""
    row = batch.state.orders.get(key)
    if row is None:
        return False
    settle(batch, plan, draft_of(row, occurred_at))
    return True


def redacted(batch: Batch, facts: Facts) -> bool:
    """Whether these facts are of an order whose person asked to be forgotten."""
    if isinstance(facts, OrderFacts):
        return _forgotten(batch, (facts.account, facts.source_id))
    if isinstance(facts, DocumentFacts) and facts.order_source_id is not None:
        return _forgotten(batch, (facts.account, facts.order_source_id))
    return False


def _forgotten(batch: Batch, key: OrderKey) -> bool:
    row = batch.state.orders.get(key)
    return batch.tally(key).forgotten if row is None else content.is_redacted(row.document)


def redact(batch: Batch, key: OrderKey) -> str | None:
    """Mark an order so that no later copy brings its person back; its id, None when it is not known (yet)."""
    row = batch.state.orders.get(key)
    if row is None:
        batch.put_tally(key, batch.tally(key)._replace(forgotten=True))
        return None
    if not content.is_redacted(row.document):
        document = content.load(row.document)
        document["attributes"] = {**document.get("attributes", {}), content.REDACTED: True}
        batch.put_order(replace(row, document=content.dump(document)))
    return row.id
