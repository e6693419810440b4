"""A partner's order, its changes and its withdrawal, whatever comes first: kept as a deal, made into one order."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog

from hub.orders import content
from hub.orders import deal as deals
from hub.orders.content import Json
from hub.orders.deal import DEAL, EMPTY, Amendment, Deal, Withdrawal
from hub.orders.facts import DocumentFacts, OrderFacts
from hub.orders.versions import compare
from hub.ports.accounts import AccountPlan
from hub.ports.store import DocumentRow, Micros, OrderKey, OrderRow, ReadSet
from hub.services.apply_stock import Refused
from hub.services.batch import Batch
from hub.services.interpreted import Refusal
from hub.services.settle import Draft, settle

CHANGE = "order_change"
CANCELLATION = "order_cancellation"
_ANEW = frozenset({"04", "05", "4", "5"})
"""BEG01 and BGM 1225 by which a partner states an order once more as it is to be now, word for word or not."""

_log = structlog.get_logger()


def reads_for_deal(reads: ReadSet, key: OrderKey) -> None:
    reads.documents.add((key[0], DEAL, key[1]))
    reads.expectations.add((key[0], "855", key[1]))
    reads.personal.add(key)


def deal_of(batch: Batch, key: OrderKey) -> Deal:
    row = batch.state.documents.get((key[0], DEAL, key[1]))
    return EMPTY if row is None else deals.load(row.document)


def keep(batch: Batch, key: OrderKey, deal: Deal) -> None:
    """Store the deal where it says something else than what is stored."""
    known = batch.state.documents.get((key[0], DEAL, key[1]))
    text = deals.dump(deal)
    if known is None or known.document != text:
        rev = known.rev if known else 0
        batch.put_document(DocumentRow(f"{DEAL}:{key[0]}:{key[1]}", DEAL, *key, deal.version, None, None, text, rev))


def order_stated(
    batch: Batch, facts: OrderFacts, gone: Mapping[str, int], locked: Collection[str]
) -> OrderFacts | None:
    """What an order states, joined with what is known of it; None when it says nothing that counts any more.

    Args:
        gone: units of each stored line that have left.
        locked: lines a warehouse ships already and cannot be told about.
    """
    key = (facts.account, facts.source_id)
    deal = deal_of(batch, key)
    order = content.load(facts.document)
    if deal.order is not None:
        newer = compare(facts.version, deal.version)
        if newer < 0:
            batch.outcome.stale += 1
            return None
        if content.same(_lasting(order), _lasting(deal.order)) and not _overrules(deal, order, facts.version):
            batch.outcome.unchanged += 1
            return None
        if any(gone.values()) or locked:
            _log.info("order.replacement_refused", account=key[0], order=facts.id, reason=deals.TOO_LATE)
            raise TooLate(key, facts.version)
    anew = deal.order is not None
    deal = replace(
        deal,
        order=order,
        version=facts.version,
        received_at=batch.state.now if anew or not deal.received_at else deal.received_at,
        short=None,
        refused=None,
        answered_at=None,
        answer=None,
        replacements=deal.replacements + anew,
    )
    deal = _decided(deal, gone, locked)
    keep(batch, key, deal)
    return _as_facts(facts, deal)


class TooLate(Exception):
    """The partner states anew an order that is being shipped."""

    def __init__(self, key: OrderKey, version: str) -> None:
        super().__init__(f"order {key[1]} is being shipped and cannot be replaced any more")
        self.key = key
        self.version = version


def order_changed(
    batch: Batch, key: OrderKey, facts: DocumentFacts, gone: Mapping[str, int], locked: Collection[str]
) -> Deal | None:
    """The deal with a change in it; None when it is one we know.

    Raises:
        Refused: The same number changed something else before.
    """
    document = content.load(facts.document)
    deal = deal_of(batch, key)
    number = str(document.get("revision") or facts.source_id)
    lines = tuple(document.get("lines") or ())
    known = deal.amendment(number)
    if known is not None:
        if known.lines == _plain(lines):
            batch.outcome.unchanged += 1
            return None
        message = f"change {number} was received before with other content; the partner has to number it anew"
        raise Refused(Refusal("Rejected", "change_repeated", "revision", message))
    deal = deal.with_amendment(Amendment(number, facts.version, _plain(lines)))
    if deal.order is not None:
        deal = deals.decide(deal, number, gone, locked)
    keep(batch, key, deal)
    return deal


def order_withdrawn(
    batch: Batch, key: OrderKey, facts: DocumentFacts, gone: Mapping[str, int], locked: Collection[str]
) -> Deal | None:
    """The deal with the partner's withdrawal in it; None when it is one we know."""
    deal = deal_of(batch, key)
    if deal.withdrawal is not None and compare(facts.version, deal.withdrawal.version) <= 0:
        batch.outcome.unchanged += 1
        return None
    if deal.withdrawn and deal.withdrawal is not None:
        # Said once more it holds against what the partner may have stated in between, and is answered no more.
        keep(batch, key, replace(deal, withdrawal=replace(deal.withdrawal, version=facts.version)))
        batch.outcome.unchanged += 1
        return None
    deal = replace(deal, withdrawal=Withdrawal(facts.version))
    if deal.order is not None:
        deal = _decided(deal, gone, locked)
    keep(batch, key, deal)
    return deal


def _overrules(deal: Deal, order: Json, version: str) -> bool:
    """Whether an order stated anew takes back what was agreed since it was stated in the same words."""
    if order.get("state_raw") not in _ANEW or compare(version, deal.version) <= 0:
        return False
    if deal.withdrawn and deal.withdrawal is not None and compare(deal.withdrawal.version, version) < 0:
        return True
    changed = any(deals.ACCEPTED in each.verdicts and compare(each.version, version) < 0 for each in deal.standing())
    return changed or bool(deal.refused)


def _lasting(order: Json) -> Json:
    """What does not change when the same order is sent once more."""
    return {name: value for name, value in order.items() if name not in {"updated_at", "state_raw"}}


def _decided(deal: Deal, gone: Mapping[str, int], locked: Collection[str]) -> Deal:
    """Everything decided that can be, now that the order is there."""
    for amendment in deal.standing():
        deal = deals.decide(deal, amendment.number, gone, locked)
    taken_back = deal.withdrawal
    if taken_back is not None and taken_back.accepted is None:
        deal = replace(deal, withdrawal=replace(taken_back, accepted=not any(gone.values()) and not locked))
    return deal


def restate(batch: Batch, plan: AccountPlan, key: OrderKey, deal: Deal, at: Micros) -> OrderRow | None:
    """Settle a stored order as the deal has it now; None while the order itself is not known."""
    row = batch.state.orders.get(key)
    if row is None or deal.order is None:
        return None
    document = deals.stated(deal)
    state = document["state"]
    draft = Draft(
        key,
        row,
        row.id,
        deal.latest(),
        row.number,
        "open" if state == "held" else state,
        row.placed_at,
        at,
        document,
        content.lines_in(document),
        at,
        redacted=content.is_redacted(row.document),
    )
    return settle(batch, plan, draft)


def _as_facts(facts: OrderFacts, deal: Deal) -> OrderFacts:
    """The facts of the order as it stands, changes included."""
    document = deals.stated(deal)
    return facts._replace(
        version=deal.latest(),
        state=document["state"],
        lines=content.lines_in(document),
        document=content.dump(document),
    )


def _plain(lines: tuple[object, ...]) -> tuple[dict[str, object], ...]:
    """As it is read back from where it is stored."""
    return tuple(json.loads(json.dumps(lines)))
