"""Bringing one order's lines and the ledger together: allocate, post the differences, hold what must wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hub.inventory.postings import Change, line_changes, postings
from hub.orders import content
from hub.orders.allocation import (
    NO_LOCATION,
    OVERSOLD,
    UNKNOWN_SKU,
    Need,
    Parts,
    first_with_all,
    parts_of,
    place,
    places_of,
)
from hub.orders.articles import key_of
from hub.orders.content import Hold, Json
from hub.orders.facts import LineFacts
from hub.orders.tally import NOTHING, Places, Posted, Tally, told_per_line
from hub.orders.wanted import NONE, Wanted, wanted
from hub.orders.warehousing import BOOK as WAREHOUSE_BOOK
from hub.ports.accounts import AccountPlan
from hub.ports.store import Allocation, Micros, OrderKey, OrderRow
from hub.services.batch import Batch


@dataclass(slots=True)
class Draft:
    """An order about to be settled. `state` is the channel's; `row` what is stored, None when new.

    `document` may be changed in place. `complete`: lines that are not listed are gone.
    """

    key: OrderKey
    row: OrderRow | None
    id: str
    version: str
    number: str
    state: str
    placed_at: Micros | None
    updated_at: Micros | None
    document: Json
    lines: tuple[LineFacts, ...]
    occurred_at: Micros
    redacted: bool = False
    complete: bool = True


class _Line(NamedTuple):
    """A line that has a place, with what the ledger holds for it and what it should hold."""

    line: LineFacts
    want: Wanted
    sku: str
    parts: Parts
    before: Wanted


@dataclass(slots=True)
class _Work:
    """Lines placed, to place, and impossible to place; changes already certain."""

    placed: list[_Line]
    needs: list[Need]
    open: dict[str, tuple[LineFacts, Wanted]]
    unresolved: list[str]
    changes: list[Change]


def draft_of(row: OrderRow, occurred_at: Micros) -> Draft:
    """A stored order to be settled again, because something beside it changed."""
    document = content.load(row.document)
    state = "open" if row.state == "held" else row.state
    return Draft(
        (row.account, row.source_id),
        row,
        row.id,
        row.version,
        row.number,
        state,
        row.placed_at,
        row.updated_at,
        document,
        content.lines_in(document),
        occurred_at,
    )


def settle(batch: Batch, plan: AccountPlan, draft: Draft) -> OrderRow:
    """Write the order and every difference between what its lines want and what the ledger holds."""
    tally = batch.tally(draft.key)
    work = _survey(batch, draft, tally)
    holds = content.channel_holds(draft.document)
    if work.needs:
        _place(batch, plan, work, holds)
    if draft.row is not None and OVERSOLD in draft.row.holds and not _is_told(batch, draft.key):
        _move_short(batch, plan, work)
    if work.unresolved:
        named = ", ".join(dict.fromkeys(work.unresolved))
        holds.append((UNKNOWN_SKU, f"{named}: no listing, alias or SKU of ours"))
    _post(batch, draft, work)
    holds += _shortfalls(batch, draft, work)
    _keep_places(batch, draft.key, tally, work)
    return _store(batch, draft, work, holds)


def _survey(batch: Batch, draft: Draft, tally: Tally) -> _Work:
    """Sort lines into those that have a place and those that need one."""
    account = draft.key[0]
    cancelled = draft.state == "cancelled"
    told = told_per_line(tally, draft.lines)
    known = {allocation.line_id: allocation for allocation in draft.row.allocations} if draft.row else {}
    work = _Work([], [], {}, [], [])
    resolved = batch.state.resolved
    for line in draft.lines:
        want = wanted(line, cancelled, told.get(line.id, NOTHING))
        allocation = known.pop(line.id, None)
        sku = _sku_of(resolved, account, line)
        if allocation is not None:
            before = _before(allocation, tally)
            same = sku == allocation.sku or (sku is None and not _names_another(draft, line))
            if same or allocation.shipped:
                work.placed.append(
                    _Line(line, _at_home(want, allocation.parts), allocation.sku, allocation.parts, before)
                )
                continue
            work.changes += line_changes(allocation.parts, before, NONE)
        if want is NONE:
            continue
        if sku is None:
            work.unresolved.append(line.sku or f"line {line.id} (no SKU)")
            continue
        components = batch.state.kits.get(sku) or ((sku, 1),)
        work.needs.append(Need(line.id, sku, components, want.reserved, line.ship_from))
        work.open[line.id] = (line, want)
    if draft.complete:
        for allocation in known.values():
            _gone(work, allocation, _before(allocation, tally))
    return work


def _names_another(draft: Draft, line: LineFacts) -> bool:
    """Whether the line named another article before: what is held for that one is not what is wanted now."""
    stored = content.lines_in(content.load(draft.row.document)) if draft.row is not None else ()
    before = next((one for one in stored if one.id == line.id), None)
    if before is None or not before.sku or not line.sku or before.sku == line.sku:
        return False
    return before.sku not in line.others and line.sku not in before.others


def _sku_of(resolved: Mapping[tuple[str, str], str], account: str, line: LineFacts) -> str | None:
    """Our SKU by the channel's name of the article, else by what else the line calls it."""
    sku = resolved.get((account, line.sku)) if line.sku else None
    if sku is None and line.others:
        sku = next((found for name in line.others if (found := resolved.get(key_of(account, name))) is not None), None)
    return sku


def _gone(work: _Work, allocation: Allocation, before: Wanted) -> None:
    """A line the order no longer has: what left stays left, the rest is free again."""
    line = LineFacts(allocation.line_id, allocation.sku, 0, 0, 0, 0, True, None)
    work.placed.append(_Line(line, before._replace(reserved=0), allocation.sku, allocation.parts, before))


def _before(allocation: Allocation, tally: Tally) -> Wanted:
    posted = tally.posted.get(allocation.line_id)
    if posted is not None:
        return Wanted(allocation.reserved, *posted)
    return Wanted(
        allocation.reserved,
        {"": allocation.shipped} if allocation.shipped else {},
        {"": allocation.restocked} if allocation.restocked else {},
    )


def _at_home(want: Wanted, parts: Parts) -> Wanted:
    """Units that moved where the line is allocated anyway are not a place of their own."""
    if not want.shipped:
        return want
    home = parts[0][1]
    if home not in want.shipped and home not in want.sellable and home not in want.damaged:
        return want
    return Wanted(
        want.reserved, _renamed(want.shipped, home), _renamed(want.sellable, home), _renamed(want.damaged, home)
    )


def _renamed(places: Places, home: str) -> dict[str, int]:
    result: dict[str, int] = {}
    for location, units in places.items():
        name = "" if location == home else location
        result[name] = result.get(name, 0) + units
    return result


def _place(batch: Batch, plan: AccountPlan, work: _Work, holds: list[Hold]) -> None:
    places = places_of(plan)
    if not places:
        holds.append((NO_LOCATION, f"account {plan.account} names no location its orders may ship from"))
        return
    state = batch.state
    chosen = place(work.needs, plan, places, lambda sku, spot: state.position(sku, spot).available)
    for need in work.needs:
        line, want = work.open[need.line]
        parts = parts_of(need.components, chosen[need.line])
        work.placed.append(_Line(line, _at_home(want, parts), need.sku, parts, NONE))


def _is_told(batch: Batch, key: OrderKey) -> bool:
    """A warehouse is shipping part of the order: its lines stay where they were sent to."""
    return (key[0], WAREHOUSE_BOOK, key[1]) in batch.state.documents


def _move_short(batch: Batch, plan: AccountPlan, work: _Work) -> None:
    """Lines held as oversold move to the first place that has all of them by now.

    Only what nobody has touched: a line of which units have left, or that names its own place, stays.
    """
    places = places_of(plan)
    taken: dict[tuple[str, str], int] = {}

    def available(sku: str, spot: str) -> int:
        return batch.state.position(sku, spot).available

    for number, one in enumerate(work.placed):
        home = one.parts[0][1] if one.parts else ""
        if not _untouched(one) or all(available(sku, home) >= 0 for sku, _, _ in one.parts):
            continue
        components = tuple((sku, each) for sku, _, each in one.parts)
        need = Need(one.line.id, one.sku, components, one.want.reserved, None)
        spot = first_with_all(need, [other for other in places if other != home], available, taken)
        if spot is not None:
            work.changes += line_changes(one.parts, one.before, NONE)
            work.placed[number] = _Line(one.line, one.want, one.sku, parts_of(components, spot), NONE)


def _untouched(one: _Line) -> bool:
    """Reserved before and still, nothing shipped or restocked, and no place named by the channel."""
    moved = (*one.before[1:], *one.want[1:])
    return one.before.reserved > 0 and one.want.reserved > 0 and not any(moved) and not one.line.ship_from


def _post(batch: Batch, draft: Draft, work: _Work) -> None:
    changes = work.changes
    for one in work.placed:
        if one.want != one.before:
            changes += line_changes(one.parts, one.before, one.want)
    if not changes:
        return
    rev = draft.row.rev if draft.row else 0
    event = batch.event(f"order:{draft.key[0]}:{draft.key[1]}:{rev + 1}")
    batch.post(postings(event, draft.id, draft.occurred_at, changes, batch.state.position), draft.occurred_at)


def _shortfalls(batch: Batch, draft: Draft, work: _Work) -> list[Hold]:
    """Oversold lines: those that took more than was there, and those held for it before while it lasts."""
    held = draft.row is not None and OVERSOLD in draft.row.holds
    found: dict[tuple[str, str], int] = {}
    for one in work.placed:
        took = one.want.reserved - one.before.reserved
        if one.want.reserved <= 0 or (took <= 0 and not held):
            continue
        for sku, location, each in one.parts:
            short = -batch.state.position(sku, location).available
            if short > 0:
                found[sku, location] = min(short, one.want.reserved * each)
                if took > 0:
                    oversold = batch.outcome.oversold
                    oversold[draft.key[0]] = oversold.get(draft.key[0], 0) + min(short, took * each)
    if not found:
        return []
    reasons = [f"{sku}: {short} short at {location}" for (sku, location), short in found.items()]
    return [(OVERSOLD, "; ".join(reasons))]


def _keep_places(batch: Batch, key: OrderKey, tally: Tally, work: _Work) -> None:
    """Remember where units were posted, for lines where it is not simply their own place."""
    posted = {
        one.line.id: Posted(dict(one.want.shipped), dict(one.want.sellable), dict(one.want.damaged))
        for one in work.placed
        if one.want.damaged or one.want.shipped.keys() - {""} or one.want.sellable.keys() - {""}
    }
    if posted != tally.posted:
        batch.put_tally(key, tally._replace(posted=posted))


def _store(batch: Batch, draft: Draft, work: _Work, holds: list[Hold]) -> OrderRow:
    allocations = tuple(
        Allocation(
            one.line.id,
            one.parts,
            one.want.reserved,
            sum(one.want.shipped.values()),
            sum(one.want.sellable.values()) + sum(one.want.damaged.values()),
            one.sku,
        )
        for one in work.placed
    )
    state = "held" if holds and draft.state == "open" else draft.state
    skus = {one.line.id: one.sku for one in work.placed}
    row = OrderRow(
        draft.id,
        *draft.key,
        draft.version,
        draft.number,
        state,
        draft.placed_at,
        draft.updated_at,
        content.finish(draft.document, draft.id, state, skus, holds, redacted=draft.redacted),
        allocations,
        tuple(dict.fromkeys(name for name, _ in holds)),
        tuple(dict.fromkeys(work.unresolved)),
        draft.row.rev if draft.row else 0,
    )
    if row != draft.row:
        batch.put_order(row)
    return row
