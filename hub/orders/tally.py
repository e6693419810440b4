"""What documents of their own (shipments, refunds, returns, cancellations) say of an order's lines.

An order states its own counts, and the same facts also come as documents, before it, after it or
embedded in it. Each document is kept here once, under its own key, replaced by its newer version;
the order's counts and the documents' sums are two lower bounds of one truth, so a line takes the
larger of the two and no fact counts twice. The tally may exist before its order: nothing waits,
nothing is lost. It also keeps where units were posted when that is not the place the line was
allocated to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.orders.echoes import Parcels, echoes
from hub.orders.facts import (
    BY_SKU,
    CANCELLED,
    CANCELLED_WHOLE,
    REFUND_DAMAGED,
    REFUND_SELLABLE,
    RETURN_DAMAGED,
    RETURN_SELLABLE,
    SHIPPED,
    LineFacts,
    Move,
)

TALLY = "order_tally"
"""document type the tally is stored under, keyed by the order's source id"""

Places = Mapping[str, int]
"""location ("" for the place the line was allocated to) -> ordered units"""

NOWHERE: Places = {}


class Told(NamedTuple):
    """What documents say of one line, in ordered units."""

    cancelled: int = 0
    whole: bool = False
    shipped: Places = NOWHERE
    refund_sellable: Places = NOWHERE
    refund_damaged: Places = NOWHERE
    return_sellable: Places = NOWHERE
    return_damaged: Places = NOWHERE


NOTHING = Told()


class Posted(NamedTuple):
    """Where a line's shipped and restocked units stand in the ledger."""

    shipped: Places = NOWHERE
    sellable: Places = NOWHERE
    damaged: Places = NOWHERE


class Tally(NamedTuple):
    """`told` maps "type/source id" to that document's moves; `posted` maps line ids.

    `forgotten`: the order's person asked to be forgotten before the order itself was known. `parcels` says by what
    a shipment is known ("shipment/source id"), so that one told by its shipper and by the channel counts once.
    """

    told: Mapping[str, tuple[Move, ...]] = {}
    posted: Mapping[str, Posted] = {}
    forgotten: bool = False
    parcels: Mapping[str, Parcels] = {}


EMPTY = Tally()


def with_document(tally: Tally, key: str, moves: tuple[Move, ...], parcels: Parcels | None = None) -> Tally:
    """The tally once this document, or its newer version, is known. A parcel keeps the numbers it had before."""
    known = tally._replace(told={**tally.told, key: moves})
    if parcels is None or not (parcels.ours or parcels.numbers):
        return known
    before = tally.parcels[key].numbers if key in tally.parcels else ()
    numbers = tuple(sorted({*before, *parcels.numbers}))
    return known._replace(parcels={**tally.parcels, key: Parcels(parcels.ours, numbers)})


def told_per_line(tally: Tally, lines: Iterable[LineFacts]) -> dict[str, Told]:
    """Sums per line id; moves that name only a SKU go to its lines in order, each up to its quantity."""
    if not tally.told:
        return {}
    lines = tuple(lines)
    sums: dict[str, dict[str, dict[str, int]]] = {}
    whole = False
    twice = echoes(tally.told, tally.parcels) if tally.parcels else frozenset()
    for key, moves in tally.told.items():
        for move in moves if key not in twice else ():
            if move.kind == CANCELLED_WHOLE:
                whole = True
                continue
            for line, quantity in _addressed(move, lines, sums):
                places = sums.setdefault(line, {}).setdefault(move.kind, {})
                places[move.location] = places.get(move.location, 0) + quantity
    known = {line.id for line in lines} | sums.keys()
    return {line: _told(sums.get(line, {}), whole) for line in known}


def _addressed(
    move: Move, lines: tuple[LineFacts, ...], sums: Mapping[str, Mapping[str, Places]]
) -> Iterable[tuple[str, int]]:
    if not move.line.startswith(BY_SKU):
        yield move.line, move.quantity
        return
    rest = move.quantity
    for line in lines:
        if line.sku != move.line[len(BY_SKU) :]:
            continue
        room = line.quantity - sum(sums.get(line.id, {}).get(move.kind, {}).values())
        taken = min(rest, max(0, room))
        if taken:
            yield line.id, taken
            rest -= taken


def _told(sums: Mapping[str, Places], whole: bool) -> Told:
    return Told(
        sum(sums.get(CANCELLED, NOWHERE).values()),
        whole,
        sums.get(SHIPPED, NOWHERE),
        sums.get(REFUND_SELLABLE, NOWHERE),
        sums.get(REFUND_DAMAGED, NOWHERE),
        sums.get(RETURN_SELLABLE, NOWHERE),
        sums.get(RETURN_DAMAGED, NOWHERE),
    )


def dump(tally: Tally) -> str:
    """JSON, keys in a stable order, so that an unchanged tally is an unchanged text."""
    return json.dumps(
        ({"forgotten": True} if tally.forgotten else {})
        | {
            "told": {key: [list(move) for move in tally.told[key]] for key in sorted(tally.told)},
            "posted": {line: [dict(places) for places in tally.posted[line]] for line in sorted(tally.posted)},
        }
        | ({"parcels": {key: list(tally.parcels[key]) for key in sorted(tally.parcels)}} if tally.parcels else {}),
        separators=(",", ":"),
    )


def load(text: str) -> Tally:
    """The inverse of `dump`."""
    raw = json.loads(text)
    return Tally(
        {key: tuple(Move(*move) for move in moves) for key, moves in raw["told"].items()},
        {line: Posted(*places) for line, places in raw["posted"].items()},
        raw.get("forgotten", False),
        {key: Parcels(ours, tuple(numbers)) for key, (ours, numbers) in raw.get("parcels", {}).items()},
    )
