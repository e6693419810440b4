"""What a warehouse that ships for us is told of an order: which lines, how many, and what has changed. Pure.

A warehouse closes an order with its first advice. What it shipped short stays reserved and is nobody's to send again by
itself; what it was never told of (a backordered rest that has come, a line added) goes there as an order of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple

from hub.ports.store import OrderRow

Json = dict[str, Any]
Units = Mapping[tuple[str, str], int]
"""(order line, SKU) -> eaches"""
Word = Literal["send", "change", "cancel", "cannot"]

WAREHOUSE_ORDER: Final = "warehouse_order"
BOOK: Final = "warehouse_book"
"""document type of what warehouses were told of one order, keyed by the order's source id"""
SENT: Final = "sent"
CANCELLED: Final = "cancelled"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS: Final = 12
_REFERENCE_MAX: Final = 30
"""X12 element 127, N902."""


@dataclass(frozen=True, slots=True)
class Told:
    """One order to ship as it was told last. `rev` counts tellings; instants are microseconds.

    `base`: units of each line that had left when it was sent.
    """

    number: str
    lines: tuple[tuple[str, str, int], ...]
    base: Mapping[str, int]
    opened_at: int
    due_at: int | None = None
    state: str = SENT
    rev: int = 0
    met: bool = False

    @property
    def units(self) -> dict[tuple[str, str], int]:
        return {(line, sku): units for line, sku, units in self.lines} if self.state == SENT else {}

    def has_left(self, row: OrderRow) -> bool:
        """Whether the warehouse has shipped any of it."""
        shipped = {one.line_id: one.shipped for one in row.allocations}
        return any(shipped.get(line, 0) > self.base.get(line, 0) for line, _, _ in self.lines)


Book = Mapping[str, tuple[Told, ...]]
"""by our location, oldest first"""


class Step(NamedTuple):
    """What to do. `told` is the order to ship it is about, None for a new one; `units` are what it says afterwards."""

    word: Word
    units: Units
    told: Told | None = None


class Rules(NamedTuple):
    """What the warehouse's guide has a code for."""

    changes: bool
    cancels: bool


def dump(book: Book) -> str:
    return json.dumps({place: [asdict(told) for told in some] for place, some in book.items()}, separators=(",", ":"))


def load(text: str) -> dict[str, tuple[Told, ...]]:
    """The inverse of `dump`."""
    return {place: tuple(_told(one) for one in some) for place, some in json.loads(text).items()}


def _told(raw: Json) -> Told:
    return Told(**{**raw, "lines": tuple((line, sku, units) for line, sku, units in raw["lines"])})


def with_told(book: Book, location: str, told: Told) -> dict[str, tuple[Told, ...]]:
    some = book.get(location, ())
    known = any(one.number == told.number for one in some)
    renewed = tuple(told if one.number == told.number else one for one in some)
    return {**book, location: renewed if known else (*some, told)}


def number_of(account: str, source_id: str, location: str, place: int) -> str:
    """Our number of an order at a warehouse (W0502), the same whenever it is asked for.

    Channels number their orders as they like, and two may choose the same; this one is ours alone and fits into the
    22 characters of the element. Source: X12 element 285, 004010.

    Args:
        place: Counts what was sent of the order to this location, from 0.
    """
    name = f"{account}\x00{source_id}\x00{location}\x00{place}".encode()
    value = int.from_bytes(blake2b(name, digest_size=8).digest()) >> (64 - 5 * _DIGITS)
    digits = (_ALPHABET[(value >> 5 * digit) & 31] for digit in reversed(range(_DIGITS)))
    return "T" + "".join(digits)


def wanted(row: OrderRow, location: str, held_back: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Units the warehouse has to ship in all, those that have left included.

    Args:
        held_back: units of each line that are reserved and not there.
    """
    found: dict[tuple[str, str], int] = {}
    for one in row.allocations:
        units = max(0, one.reserved - held_back.get(one.line_id, 0)) + one.shipped
        for sku, place, each in one.parts:
            if place == location and units:
                found[one.line_id, sku] = units * each
    return found


def steps(
    row: OrderRow, told: Sequence[Told], location: str, rules: Rules, *, fit: bool, held_back: Mapping[str, int]
) -> Iterator[Step]:
    """What is to be done about the order at one location; nothing when the warehouse knows all there is.

    Args:
        fit: the order may be shipped as it stands; if not, only what takes units back is done.
    """
    aim = wanted(row, location, held_back)
    known: dict[tuple[str, str], int] = {}
    for one in told:
        for key, units in one.units.items():
            known[key] = known.get(key, 0) + units
    difference = {key: aim.get(key, 0) - known.get(key, 0) for key in {**known, **aim}}
    more = {key: units for key, units in difference.items() if units > 0 and fit}
    less = {key: -units for key, units in difference.items() if units < 0}
    current = next((one for one in reversed(told) if one.state == SENT and not one.has_left(row)), None)
    if current is not None and less:
        yield from _less(current, less, more, rules)
    elif current is not None and more and rules.changes:
        yield Step("change", _sum(current.units, more), current)
    elif more:
        yield Step("send", more)


def _less(current: Told, less: Units, more: Units, rules: Rules) -> Iterator[Step]:
    rest = {key: units - less.get(key, 0) for key, units in _sum(current.units, more).items()}
    rest = {key: units for key, units in rest.items() if units > 0}
    if rest == current.units:
        return
    if not rest:
        yield Step("cancel" if rules.cancels else "cannot", current.units, current)
    else:
        yield Step("change" if rules.changes else "cannot", rest, current)


def _sum(one: Units, other: Units) -> dict[tuple[str, str], int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def after(step: Step, told: Told) -> Told:
    """What the warehouse has been told once it has been told this."""
    if step.word == "cancel":
        return replace(told, state=CANCELLED, rev=told.rev + 1)
    lines = tuple((line, sku, units) for (line, sku), units in step.units.items())
    return replace(told, lines=lines, rev=told.rev + 1)


def lines_of(row: OrderRow, document: Mapping[str, Any], units: Units) -> list[Json]:
    """Lines of a warehouse order. A kit's parts have numbers that are no line's, so they come back as its parts."""
    stated = {line["id"]: line for line in document["lines"]}
    kits = {one.line_id for one in row.allocations if any(sku != one.sku for sku, _, _ in one.parts)}
    return [
        {
            "id": f"{line}/{sku}"[:_REFERENCE_MAX] if line in kits else line,
            "sku": sku,
            "gtin": None if line in kits else stated.get(line, {}).get("gtin"),
            "quantity": count,
            "uom": "EA",
            "properties": {"line": line},
        }
        for (line, sku), count in units.items()
    ]


def order_fields(document: Mapping[str, Any], lines: list[Json], location: str) -> Json:
    """What the warehouse order says beside its number: when, how and what; nobody's address."""
    requested = document.get("requested") or {}
    shipping: Json = next(iter(document.get("shipping") or ()), {})
    return {
        "purchase_order_number": document.get("purchase_order_number"),
        "location": location,
        "ship_by": requested.get("ship_by"),
        "deliver_by": requested.get("deliver_by"),
        "carrier": requested.get("carrier") or shipping.get("carrier"),
        "carrier_raw": requested.get("carrier_raw") or shipping.get("carrier_raw"),
        "service": requested.get("service") or shipping.get("service") or shipping.get("method"),
        "lines": lines,
    }
