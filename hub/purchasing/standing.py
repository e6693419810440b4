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

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.ports.store import Micros
from hub.purchasing.book import Book
from hub.purchasing.days import due_at, told_for
from hub.purchasing.lines import count, lines_for, wanted
from hub.purchasing.stand import LineStanding, Price, Standing, when
from hub.purchasing.told import ANSWER, INVOICE, NOTICE, RECEIPT, Part, Told, ToldLine

Json = Mapping[str, Any]

PROMISED = frozenset({"accepted", "backordered", "rescheduled", "quantity_changed", "price_changed", "substituted"})
REFUSED = frozenset({"rejected", "deleted"})
_ON_THE_DAY_ASKED = frozenset({"accepted", "quantity_changed", "price_changed"})
"""Accepted without a day of its own: on the day we asked for."""


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
                lines = lines_for(order["lines"], one, kind, substitutes)
                if not lines:
                    found.strangers.append((told, one))
                for line, part in _shared_out(found, lines, told, one):
                    take(found.lines[line["number"]], line, told, part)
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
            lines = lines_for(order["lines"], one, ANSWER, {})
            if not lines:
                found.strangers.append((told, one))
            last |= {line["number"]: (told, one) for line in lines}
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
        promises.sort(key=when)
    left = book.agreed.wanted.get(line["number"], 0)
    promised = sum(quantity for _, quantity, _ in units)
    # What was not promised anyway is the first to go.
    _take_off(stand, max(0, min(asked, promised) - left) if left else promised)


def _parts(stand: LineStanding, line: Json, told: Told, one: ToldLine | None, asked: int) -> list[tuple[Part, int]]:
    if one is None or not one.parts:
        status = told.state if told.state in ("accepted", "rejected") else "unknown"
        stated = count(line, one.quantity, one.uom) if one is not None else None
        return [(Part(status), asked if stated is None else stated)]
    whole = count(line, one.quantity, one.uom)
    rest = asked if whole is None else whole
    found: list[tuple[Part, int]] = []
    for part in one.parts:
        units = count(line, part.quantity, part.uom, instead=part.status == "substituted")
        if units is None and part.quantity is not None:
            stand.unread.append(f"{part.status} {part.quantity} {part.uom or ''}".strip())
            units = 0
        elif units is None:
            units = max(0, rest)
        rest -= units
        found.append((part, units))
    return found


def _due(order: Json, line: Json, part: Part) -> Micros | None:
    if (day := told_for(part.expected_at)) is not None:
        return day
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


def _shared_out(found: Standing, lines: Sequence[Json], told: Told, one: ToldLine) -> Iterator[tuple[Json, ToldLine]]:
    """Units of an article that stands on several lines: each up to what is open of it, what is over on the first."""
    stands = [found.lines[line["number"]] for line in lines]
    instead = any(_sku_of(stand, one) != stand.sku for stand in stands)
    units = count(lines[0], one.quantity, one.uom, instead=instead) if len(lines) > 1 else None
    if units is None:
        yield from ((line, one) for line in lines[:1])
        return
    damaged = count(lines[0], one.damaged, one.uom, instead=instead) or 0
    rooms = [_room(stand, told) for stand in stands]
    good, rooms = _fill(units, rooms)
    bad, _ = _fill(damaged, rooms)
    for line, sound, broken in zip(lines, good, bad, strict=True):
        if sound or broken:
            yield line, one._replace(quantity=str(sound), damaged=str(broken) if broken else None, uom=None)


def _fill(units: int, rooms: Sequence[int]) -> tuple[list[int], list[int]]:
    """Units by line, and the rooms that are left."""
    taken: list[int] = []
    for room in rooms:
        taken.append(min(units, room))
        units -= taken[-1]
    left = [room - part for room, part in zip(rooms, taken, strict=True)]
    taken[0] += units
    return taken, left


def _room(stand: LineStanding, told: Told) -> int:
    if told.kind == INVOICE:
        going = stand.total_received or stand.total_shipped or stand.wanted
        return max(0, stand.invoiced if told.state == "credit" else going - stand.invoiced)
    due = stand.acknowledged if stand.answered else stand.wanted
    if told.kind == NOTICE:
        return max(0, due - stand.total_shipped)
    return max(0, max(due, stand.total_shipped) - stand.total_received)


def _sku_of(stand: LineStanding, one: ToldLine) -> str:
    """A substitute counts under its own SKU, everything else under the one ordered."""
    return one.sku if one.sku is not None and one.sku in stand.promised else stand.sku


def _shipped(stand: LineStanding, line: Json, told: Told, one: ToldLine) -> None:
    units = _counted(stand, line, one, "shipped")
    if told.state == "cancelled" or not units:
        return
    sku = _sku_of(stand, one)
    stand.shipped[sku] = stand.shipped.get(sku, 0) + units
    stand.on_the_way.setdefault(sku, []).append((units, told_for(told.expected_at)))


def _received(stand: LineStanding, line: Json, told: Told, one: ToldLine) -> None:  # noqa: ARG001 - one shape for all
    damaged = count(line, one.damaged, one.uom, instead=_sku_of(stand, one) != stand.sku) or 0
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
    units = count(line, one.quantity, one.uom, instead=_sku_of(stand, one) != stand.sku)
    if units is None and one.quantity is not None:
        stand.unread.append(f"{what} {one.quantity} {one.uom or ''}".strip())
    return units


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
