"""Where a purchase order stands: folded from our own revisions and everything that others said of it.

The fold looks at nothing but the order and its book, so the state, the lines and what is still to come do not depend on
the order of arrival. Rules:

* Promised is what the supplier accepted, back-ordered with or without a day, rescheduled, or ships instead; what is
  held, refused, deleted or not understood is not promised. A later answer speaks for the lines it names; one without
  lines for all of them. What we take off an order is promised no longer, before anybody has answered; a change that
  the supplier turns down leaves what was promised before it.
* Shipped goods come, whatever was promised. Incoming is the larger of the two, less what was received.
* A closed order expects nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hub.ports.store import Micros
from hub.purchasing.book import Book
from hub.purchasing.days import due_at
from hub.purchasing.lines import count, line_for, wanted
from hub.purchasing.told import ANSWER, INVOICE, NOTICE, RECEIPT, Part, Told, ToldLine

Json = Mapping[str, Any]

PROMISED = frozenset({"accepted", "backordered", "rescheduled", "quantity_changed", "price_changed", "substituted"})
REFUSED = frozenset({"rejected", "deleted"})
_ON_THE_DAY_ASKED = frozenset({"accepted", "quantity_changed", "price_changed"})
"""Accepted without a day of its own: on the day we asked for."""


class Price(NamedTuple):
    """A price as somebody stated it: per unit, None being eaches, in a currency that may not be said."""

    amount: str
    uom: str | None = None
    currency: str | None = None


class Due(NamedTuple):
    """Units still to come. `at` None: nobody has named a day."""

    sku: str
    quantity: int
    at: Micros | None


@dataclass(slots=True)
class LineStanding:
    """One line, in eaches. `sku` is the article ordered, by-SKU tables hold substitutes too.

    `answered`: an answer has spoken for it. `parts` are the answer's, quantities in eaches. `shipped`, `received`
    and `invoiced` are sums over documents; received counts damaged units too.
    """

    number: str
    sku: str
    wanted: int
    answered: bool = False
    parts: list[tuple[Part, int]] = field(default_factory=list)
    promised: dict[str, list[tuple[int, Micros | None]]] = field(default_factory=dict)
    shipped: dict[str, int] = field(default_factory=dict)
    on_the_way: dict[str, list[tuple[int, Micros | None]]] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    invoiced: int = 0
    answer_prices: list[Price] = field(default_factory=list)
    invoice_prices: list[Price] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """what was said of the line and could not be counted"""
    over: bool = False
    """nothing more is expected, whatever was promised"""

    @property
    def acknowledged(self) -> int:
        return sum(units for promises in self.promised.values() for units, _ in promises)

    @property
    def total_shipped(self) -> int:
        return sum(self.shipped.values())

    @property
    def total_received(self) -> int:
        return sum(self.received.values())

    def due(self) -> list[Due]:
        """What is still to come, per SKU the earliest first, undated last."""
        coming: list[Due] = []
        if self.over:
            return coming
        for sku in dict.fromkeys([*self.promised, *self.on_the_way]):
            units = _dated(self.promised.get(sku, []), self.on_the_way.get(sku, []))
            coming += [Due(sku, left, at) for left, at in _without(units, self.received.get(sku, 0))]
        return coming

    def incoming(self) -> dict[str, int]:
        """By SKU, units still to come."""
        units: dict[str, int] = {}
        for one in self.due():
            units[one.sku] = units.get(one.sku, 0) + one.quantity
        return units


@dataclass(slots=True)
class Standing:
    """The whole order. `strangers` are lines of documents that fit no line of ours."""

    state: str
    lines: dict[str, LineStanding]
    strangers: list[tuple[Told, ToldLine]]


def standing(order: Json, book: Book) -> Standing:
    """Fold the book over the order.

    Args:
        order: The stored purchase order's JSON.
    """
    found = Standing("sent", {}, [])
    for line in order["lines"]:
        left = 0 if book.agreed.cancels else wanted(line)
        found.lines[line["number"]] = LineStanding(line["number"], line.get("sku") or "", left)
    substitutes = _answers(order, book, found)
    for kind, take in ((NOTICE, _shipped), (RECEIPT, _received), (INVOICE, _invoiced)):
        for told in book.of_kind(kind):
            for one in told.lines:
                line = line_for(order["lines"], one, kind, substitutes)
                if line is None:
                    found.strangers.append((told, one))
                else:
                    take(found.lines[line["number"]], line, told, one)
    if book.closed_at is not None:
        for each in found.lines.values():
            each.over = True
    found.state = _state(order, book, found)
    return found


# --- answers ---------------------------------------------------------------------------------


def _answers(order: Json, book: Book, found: Standing) -> dict[str, frozenset[str]]:
    """Give every line the last answer that speaks for it; ids of substitutes by line."""
    last: dict[str, tuple[Told, ToldLine | None]] = {}
    for told in book.of_kind(ANSWER):
        if book.refuses_change(told):
            continue
        for one in told.lines:
            line = line_for(order["lines"], one, ANSWER, {})
            if line is None:
                found.strangers.append((told, one))
            else:
                last[line["number"]] = (told, one)
        named = {number for number, (by, _) in last.items() if by is told}
        if told.state == "rejected" or (told.state == "accepted" and not told.lines):
            last |= {number: (told, None) for number in found.lines if number not in named}
        elif told.state == "accepted":
            # What an answer that accepts leaves unsaid it accepts too, unless something was said before.
            last |= {number: (told, None) for number in found.lines if number not in last}
    substitutes: dict[str, frozenset[str]] = {}
    for line in order["lines"]:
        answer = last.get(line["number"])
        if answer is not None:
            stand = found.lines[line["number"]]
            _answer(order, stand, line, answer[0], answer[1], book)
            instead = [part for part, _ in stand.parts if part.status == "substituted"]
            names = {name for part in instead for name in (part.item, part.sku) if name is not None}
            substitutes[line["number"]] = frozenset(names)
    return substitutes


def _answer(order: Json, stand: LineStanding, line: Json, told: Told, one: ToldLine | None, book: Book) -> None:
    asked = book.wanted_in(told.revision, line["number"])
    if asked is None:
        if one is None:
            # A line that was not there yet when this was said.
            return
        asked = stand.wanted
    stand.answered = True
    stand.parts = _parts(stand, line, told, one, asked)
    stated = [Price(part.price, one.price_uom) for part, _ in stand.parts if part.price is not None and one is not None]
    if not stated and one is not None and one.price is not None:
        stated = [Price(one.price, one.price_uom)]
    stand.answer_prices = stated
    units = [
        (part.sku or stand.sku if part.status == "substituted" else stand.sku, quantity, _due(order, line, part))
        for part, quantity in stand.parts
        if part.status in PROMISED and not (part.status == "substituted" and part.item and part.sku is None)
    ]
    for sku, quantity, due in units:
        stand.promised.setdefault(sku, []).append((quantity, due))
    for promises in stand.promised.values():
        promises.sort(key=_when)
    left = book.agreed.wanted.get(line["number"], 0)
    _take_off(stand, max(0, asked - left) if left else sum(quantity for _, quantity, _ in units))


def _parts(stand: LineStanding, line: Json, told: Told, one: ToldLine | None, asked: int) -> list[tuple[Part, int]]:
    if one is None or not one.parts:
        status = told.state if told.state in ("accepted", "rejected") else "unknown"
        stated = count(line, one.quantity, one.uom) if one is not None else None
        return [(Part(status), asked if stated is None else stated)]
    whole = count(line, one.quantity, one.uom)
    rest = asked if whole is None else whole
    found: list[tuple[Part, int]] = []
    for part in one.parts:
        units = count(line, part.quantity, part.uom)
        if units is None and part.quantity is not None:
            stand.unread.append(f"{part.status} {part.quantity} {part.uom or ''}".strip())
            units = 0
        elif units is None:
            units = max(0, rest)
        rest -= units
        found.append((part, units))
    return found


def _due(order: Json, line: Json, part: Part) -> Micros | None:
    if part.expected_at is not None:
        return due_at(part.expected_at)
    asked = (line.get("properties") or {}).get("expected_at") or order.get("expected_at")
    return due_at(asked) if asked and part.status in _ON_THE_DAY_ASKED else None


def _take_off(stand: LineStanding, units: int) -> None:
    """What we no longer want is not promised any more; the latest part goes first."""
    for promises in stand.promised.values():
        while units and promises:
            quantity, at = promises.pop()
            taken = min(units, quantity)
            units -= taken
            if quantity > taken:
                promises.append((quantity - taken, at))
    stand.promised = {sku: promises for sku, promises in stand.promised.items() if promises}


# --- what happened ---------------------------------------------------------------------------


def _sku_of(stand: LineStanding, one: ToldLine) -> str:
    """A substitute counts under its own SKU, everything else under the one ordered."""
    return one.sku if one.sku is not None and one.sku in stand.promised else stand.sku


def _shipped(stand: LineStanding, line: Json, told: Told, one: ToldLine) -> None:
    units = _counted(stand, line, one, "shipped")
    if told.state == "cancelled" or not units:
        return
    sku = _sku_of(stand, one)
    stand.shipped[sku] = stand.shipped.get(sku, 0) + units
    due = None if told.expected_at is None else due_at(told.expected_at)
    stand.on_the_way.setdefault(sku, []).append((units, due))


def _received(stand: LineStanding, line: Json, told: Told, one: ToldLine) -> None:  # noqa: ARG001 - one shape for all
    damaged = count(line, one.damaged, one.uom) or 0
    units = (_counted(stand, line, one, "received") or 0) + damaged
    if units:
        sku = _sku_of(stand, one)
        stand.received[sku] = stand.received.get(sku, 0) + units
        stand.damaged += damaged


def _invoiced(stand: LineStanding, line: Json, told: Told, one: ToldLine) -> None:
    units = _counted(stand, line, one, "invoiced") or 0
    stand.invoiced += -units if told.state == "credit" else units
    if one.price is not None:
        stand.invoice_prices.append(Price(one.price, one.price_uom, told.currency))


def _counted(stand: LineStanding, line: Json, one: ToldLine, what: str) -> int | None:
    units = count(line, one.quantity, one.uom)
    if units is None and one.quantity is not None:
        stand.unread.append(f"{what} {one.quantity} {one.uom or ''}".strip())
    return units


# --- what is to come -------------------------------------------------------------------------

_Units = list[tuple[int, Micros | None]]


def _when(one: tuple[int, Micros | None]) -> tuple[bool, Micros]:
    return one[1] is None, one[1] or 0


def _dated(promised: _Units, shipped: _Units) -> _Units:
    """Promises, the first of them dated by the notices of what is on its way; more shipped than promised comes too."""
    queue = list(promised)
    units: _Units = []
    for quantity, at in shipped:
        left = quantity
        while left and queue:
            first, day = queue.pop(0)
            taken = min(left, first)
            units.append((taken, day if at is None else at))
            left -= taken
            if first > taken:
                queue.insert(0, (first - taken, day))
        if left:
            units.append((left, at))
    return sorted(units, key=_when) + queue


def _without(units: _Units, received: int) -> _Units:
    left: _Units = []
    for quantity, at in units:
        taken = min(received, quantity)
        received -= taken
        if quantity > taken:
            left.append((quantity - taken, at))
    return left


# --- the order's state -----------------------------------------------------------------------


def _state(order: Json, book: Book, found: Standing) -> str:
    if book.closed_at is not None:
        return "closed"
    if book.agreed.cancels:
        return "cancelled"
    if order["state"] == "draft":
        return "draft"
    lines = [line for line in found.lines.values() if line.wanted or line.total_shipped or line.total_received]
    if any(line.total_received for line in lines):
        if any(_awaited(line) > line.total_received for line in lines):
            return "partially_received"
        return "invoiced" if all(line.invoiced >= line.total_received for line in lines) else "received"
    if any(line.total_shipped for line in lines):
        return "in_transit"
    return _answered([line for line in lines if line.wanted])


def _answered(lines: list[LineStanding]) -> str:
    if not any(line.answered for line in lines):
        return "sent"
    if all(line.answered and line.acknowledged >= line.wanted for line in lines):
        return "acknowledged"
    refused = all(line.answered and all(part.status in REFUSED for part, _ in line.parts) for line in lines)
    return "rejected" if refused else "partially_acknowledged"


def _awaited(line: LineStanding) -> int:
    """Units that should arrive: what is promised or on its way, else what we want of a line nobody answered for."""
    expected = max(line.acknowledged, line.total_shipped)
    return expected if line.answered or expected else line.wanted
