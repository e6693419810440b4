"""Answering a partner's order and its changes: 855 and 865, from what allocation decided, once and in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from hub.orders import answering, content, people
from hub.orders.allocation import NO_LOCATION, UNKNOWN_SKU
from hub.orders.answering import Part
from hub.orders.deal import Amendment, Deal
from hub.orders.versions import compare
from hub.ports.accounts import AccountPlan
from hub.ports.store import Expectation, Micros, OrderKey, OrderRow, PersonalRow
from hub.services.batch import Batch
from hub.services.partners.documents import deadline, made, parties_of, sent
from hub.services.partners.orders import deal_of, keep, restate
from mappings.edi.partners import PartnerProfile

Json = dict[str, Any]

ANSWER: Final = "855"
CHANGE_ANSWER: Final = "865"
WAITS_FOR: Final = frozenset({UNKNOWN_SKU, NO_LOCATION})
"""Holds that somebody may lift before the answer is due."""
MARGIN: Final = 4
"""The last quarter of the time is kept for sending."""

_log = structlog.get_logger()


def expect_answer(batch: Batch, plan: AccountPlan, row: OrderRow, deal: Deal) -> None:
    """Say that the partner waits for our answer, from the moment its order is stored."""
    partner = plan.partner
    if partner is None or not partner.sends(ANSWER) or deal.answered_at is not None:
        return
    known = batch.state.expectations.get((row.account, ANSWER, row.source_id))
    if known is not None and known.state == "open" and known.opened_at == deal.received_at:
        # What was awaited for the order as it was stated before is no answer to what it states now.
        return
    _expect(batch, row, ANSWER, row.source_id, deal.received_at, deadline(plan, ANSWER, deal.received_at))


def _expect(batch: Batch, row: OrderRow, kind: str, reference: str, opened_at: Micros, due_at: Micros | None) -> None:
    expectation = Expectation(row.account, kind, reference, row.id, True, opened_at, due_at)
    batch.state.expectations[row.account, kind, reference] = expectation
    batch.writes.expectations.append(expectation)


def answer_at(plan: AccountPlan, row: OrderRow, deal: Deal) -> Micros:
    """From when on the order is answered as it stands: at once, or late, when something may still be put right."""
    due = deadline(plan, ANSWER, deal.received_at)
    if due is None or not WAITS_FOR & set(row.holds):
        return deal.received_at
    return due - (due - deal.received_at) // MARGIN


def answer(batch: Batch, plan: AccountPlan, key: OrderKey, kept: Micros | None) -> None:
    """Answer what can be answered of an order now: itself, then what was changed of it.

    Args:
        kept: how long personal data stays once an order is over; None keeps it.
    """
    row, deal = batch.state.orders.get(key), deal_of(batch, key)
    if row is None or plan.partner is None or deal.order is None:
        return
    expect_answer(batch, plan, row, deal)
    deal = _remember_shortage(batch, row, deal)
    if deal.answered_at is None and batch.state.now >= answer_at(plan, row, deal):
        deal = _answer_order(batch, plan, plan.partner, row, deal)
    if deal.answered_at is not None:
        deal = _answer_changes(batch, plan, batch.state.orders[key], deal)
    keep(batch, key, _closed(batch, plan, key, deal, kept))


def _closed(batch: Batch, plan: AccountPlan, key: OrderKey, deal: Deal, kept: Micros | None) -> Deal:
    """No partner says that an order is over: it is when it was answered and nothing is left to ship.

    From then on nobody needs the address, so it is given its end.
    """
    row = batch.state.orders[key]
    left = any(one.reserved for one in row.allocations) or row.unresolved
    over = deal.answered_at is not None and not left
    if over == deal.over:
        return deal
    deal = replace(deal, over=over)
    keep(batch, key, deal)
    restate(batch, plan, key, deal, batch.state.now)
    plain = batch.state.personal.get(row.id)
    if over and plain is not None and kept is not None and not content.is_redacted(row.document):
        ends = batch.state.now + kept
        batch.put_personal(PersonalRow(row.id, row.account, plain, ends, people.buyer_of(plain)))
    return deal


def _remember_shortage(batch: Batch, row: OrderRow, deal: Deal) -> Deal:
    """What was missing when the order came: orders that come later take nothing from it."""
    if deal.answered_at is not None:
        return deal
    missing = answering.shortage(row, _available(batch, row))
    now = {one.line_id: missing.get(one.line_id, 0) for one in row.allocations}
    first = deal.short or {}
    # A line that was there from the first can only gain; one placed since is short of what it is short of now.
    return replace(deal, short={name: min(units, first.get(name, units)) for name, units in now.items()})


def backordered(batch: Batch, key: OrderKey) -> dict[str, int]:
    """Units of each line that were promised for later and have not come yet, in whole ordered units."""
    row, short = batch.state.orders.get(key), deal_of(batch, key).short or {}
    if row is None:
        return {}
    missing = answering.shortage(row, _available(batch, row))
    units = {line["id"]: answering.eaches_per_unit(line) for line in content.load(row.document)["lines"]}
    found: dict[str, int] = {}
    for one in row.allocations:
        lacking = min(missing.get(one.line_id, 0), short.get(one.line_id, 0))
        unit = units.get(one.line_id, 1)
        if lacking:
            found[one.line_id] = one.reserved - max(0, one.reserved - lacking) // unit * unit
    return found


def _available(batch: Batch, row: OrderRow) -> Mapping[tuple[str, str], int]:
    places = {(sku, location) for one in row.allocations for sku, location, _ in one.parts}
    return {place: batch.state.position(*place).available for place in places}


def _answer_order(batch: Batch, plan: AccountPlan, partner: PartnerProfile, row: OrderRow, deal: Deal) -> Deal:
    document = content.load(row.document)
    lines = answering.lines_of(row, document, deal.short or {})
    decisions = answering.withdrawn(lines) if deal.withdrawn else answering.decide(lines, partner.agreed.fill_or_kill)
    state = "rejected" if deal.withdrawn else answering.state_of(decisions)
    deal = replace(deal, answered_at=batch.state.now, answer=state, refused=answering.refused_units(decisions) or None)
    keep(batch, (row.account, row.source_id), deal)
    if deal.refused:
        row = restate(batch, plan, (row.account, row.source_id), deal, batch.state.now) or row
    if partner.sends(ANSWER):
        _send_answer(batch, plan, row, document, decisions, state, deal)
    _answered(batch, row)
    _log.info("order.answered", account=row.account, order=row.id, outcome=state)
    return deal


def _answered(batch: Batch, row: OrderRow) -> None:
    """It is sent by now, and ends when the partner acknowledges it."""
    key = (row.account, ANSWER, row.source_id)
    awaited = batch.state.expectations.get(key)
    if awaited is not None and awaited.state == "open":
        sent_by = replace(awaited, detail='{"answered":true}')
        batch.state.expectations[key] = sent_by
        batch.writes.expectations.append(sent_by)


def _send_answer(
    batch: Batch,
    plan: AccountPlan,
    row: OrderRow,
    document: Json,
    decisions: Mapping[str, tuple[Part, ...]],
    state: str,
    deal: Deal,
) -> None:
    lines = answering.answer_lines(document, decisions)
    fields = _head(row, document, state) | {"lines": lines}
    name = f"{row.account}/{row.source_id}:{deal.replacements}"
    answered = made("order_acknowledgement", name, batch.state.now, fields)
    batch.writes.inputs.append(
        sent(plan, ANSWER, answered, row, f"{row.source_id}:{deal.replacements}", batch.state.now)
    )


def _head(row: OrderRow, document: Mapping[str, Any], state: str) -> Json:
    return {
        "number": row.number,
        "purchase_order_number": document.get("purchase_order_number") or row.number,
        "order": row.source_id,
        "state": state,
        "attributes": {"order_date": document.get("placed_at"), "parties": parties_of(document)},
    }


def _answer_changes(batch: Batch, plan: AccountPlan, row: OrderRow, deal: Deal) -> Deal:
    for amendment in deal.standing():
        if amendment.decided and not amendment.told:
            _send_change_answer(batch, plan, row, amendment)
            deal = deal.with_amendment(replace(amendment, told=True))
    taken_back = deal.withdrawal
    if taken_back is None or taken_back.told or compare(taken_back.version, deal.version) <= 0:
        # What came before the order was last stated is no question any more.
        return deal
    if taken_back.accepted is not None:
        status, state = ("deleted", "accepted") if taken_back.accepted else ("rejected", "rejected")
        document = content.load(row.document)
        lines = answering.whole_lines(document, status)
        # Taken back twice, with a refusal or a new statement in between, it is answered twice.
        _send_whole(batch, plan, row, document, lines, state, f"withdrawn {taken_back.version}", "01")
        deal = replace(deal, withdrawal=replace(taken_back, told=True))
    return deal


def _send_change_answer(batch: Batch, plan: AccountPlan, row: OrderRow, amendment: Amendment) -> None:
    document = content.load(row.document)
    lines = answering.change_lines(document, amendment)
    state = answering.change_state(amendment)
    _send_whole(batch, plan, row, document, lines, state, amendment.number, "04", amendment.number)
    _log.info("change.answered", account=row.account, order=row.id, outcome=state)


def _send_whole(
    batch: Batch,
    plan: AccountPlan,
    row: OrderRow,
    document: Mapping[str, Any],
    lines: list[Json],
    state: str,
    what: str,
    purpose: str,
    change: str | None = None,
) -> None:
    if plan.partner is None or not plan.partner.sends(CHANGE_ANSWER):
        return
    fields = _head(row, document, state) | {"lines": lines}
    fields["attributes"] |= {"purpose": purpose, "revision": change}
    name = f"{row.source_id}/{what}"
    answered = made("order_acknowledgement", f"{row.account}/{name}", batch.state.now, fields)
    batch.writes.inputs.append(sent(plan, CHANGE_ANSWER, answered, row, name, batch.state.now))


def refuse_replacement(batch: Batch, plan: AccountPlan, key: OrderKey, version: str) -> None:
    """Tell the partner that what it states anew is being shipped as it was."""
    row = batch.state.orders.get(key)
    if row is None:
        return
    document = content.load(row.document)
    lines = answering.whole_lines(document, "rejected")
    _send_whole(batch, plan, row, document, lines, "rejected", f"replacement {version}", "05")


def waiting(deal: Deal) -> bool:
    """Whether an order has come that nobody has answered."""
    return deal.order is not None and deal.answered_at is None
