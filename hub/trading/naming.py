"""What a set is about, and the keys a partner's numbers are remembered under.

A document that may come once only (an order, an invoice, an adjustment) has a business key of its own; one that may
come again with other content (a second answer to the same order, a replacement) is told apart by its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from mappings.edi import Party, Separators
from mappings.edi.splitting import parts_of, plain

Row = Sequence[str]
INVENTORY: Final = "inventory"
"""The lane of counts: each is a state as of its time."""
_NAME_MAX: Final = 80
"""Characters of a name as keys hold it; what is longer is no number of any standard, and no index takes any length."""
_REPLACES: Final = frozenset({"04", "05", "5", "4"})
"""BEG01, BSN01 and BGM 1225 that say: what was told before, told again as it is now."""


@dataclass(frozen=True, slots=True)
class Naming:
    """`business` names the document for good, "" where its content does; `lane` orders what concerns one thing.

    `reference` is the number answers and remittances quote; `answers` is what of ours it is about: (kind, reference).
    """

    business: str
    lane: str
    reference: str = ""
    answers: tuple[str, str] | None = None


def naming_of(kind: str, rows: Sequence[Row], separators: Separators | None = None) -> Naming:
    """A set's name from its segments as plain rows, header and trailer included or not."""
    read = _Rows(rows, separators)
    make = _X12.get(kind)
    if make is not None:
        return make(read)
    return _message(kind, read) if len(kind) == 6 else Naming("", short(kind))


class _Rows:
    """First segments by tag; elements are counted from 1, and absent ones are empty."""

    def __init__(self, rows: Sequence[Row], separators: Separators | None) -> None:
        self._rows = rows
        self._component = separators.component if separators is not None else ":"
        self._release = separators.release if separators is not None else None

    def value(self, tag: str, element: int) -> str:
        return next((_at(row, element) for row in self._rows if row and row[0] == tag), "")

    def values(self, tag: str, element: int) -> Iterator[str]:
        return (_at(row, element) for row in self._rows if row and row[0] == tag)

    def part(self, tag: str, element: int, component: int) -> str:
        return next((self._of(row, element, component) for row in self._rows if row and row[0] == tag), "")

    def reference(self, qualifier: str) -> str:
        """RFF of a qualifier."""
        for row in self._rows:
            if row and row[0] == "RFF" and self._of(row, 1, 1) == qualifier:
                return self._of(row, 1, 2)
        return ""

    def _of(self, row: Row, element: int, component: int) -> str:
        """A component as it is meant: a mark may be part of a number where it is released."""
        parts = parts_of(str(row[element]), self._component, self._release) if element < len(row) else []
        return short(plain(parts[component - 1], self._release).strip()) if component <= len(parts) else ""


def _at(row: Row, element: int) -> str:
    return short(str(row[element]).strip()) if element < len(row) else ""


def short(text: str) -> str:
    """Text of a file as part of a key: storable, and of a length that every index takes."""
    text = storable(text)
    if len(text) <= _NAME_MAX:
        return text
    return f"{text[:_NAME_MAX]}…{blake2b(text.encode(), digest_size=8).hexdigest()}"


def storable(text: str) -> str:
    """Text of a file as every database takes it: PostgreSQL has no place for the character NUL."""
    return text.replace("\0", "␀")


def _once(kind: str, *parts: str) -> str:
    """A business key, unless the first part, the number, is missing."""
    return "|".join((kind, *parts)) if parts and parts[0] else ""


def _order(read: _Rows) -> Naming:
    purpose, number, release = read.value("BEG", 1), read.value("BEG", 3), read.value("BEG", 4)
    business = "" if purpose in _REPLACES else _once("850", number, release, purpose)
    return Naming(business, f"po:{number}", number)


def _change(read: _Rows) -> Naming:
    number, sequence = read.value("BCH", 3), read.value("BCH", 5)
    business = _once("860", number, sequence, read.value("BCH", 1)) if sequence else ""
    return Naming(business, f"po:{number}", number)


def _answer(tag: str) -> Callable[[_Rows], Naming]:
    def named(read: _Rows) -> Naming:
        number = read.value(tag, 3)
        return Naming("", f"po:{number}", number)

    return named


def _notice(read: _Rows) -> Naming:
    purpose, number = read.value("BSN", 1), read.value("BSN", 2)
    orders = list(dict.fromkeys(value for value in read.values("PRF", 1) if value))
    business = "" if purpose in _REPLACES else _once("856", number, purpose)
    return Naming(business, f"po:{orders[0]}" if len(orders) == 1 else f"shipment:{number}", number)


def _invoice(read: _Rows) -> Naming:
    number, order = read.value("BIG", 2), read.value("BIG", 4)
    return Naming(_once("810", number, read.value("BIG", 7)), f"po:{order}" if order else f"invoice:{number}", number)


def _advice(read: _Rows) -> Naming:
    order, shipment = read.value("W06", 2), read.value("W06", 4)
    return Naming(_once("945", shipment, order, read.value("W06", 1)), f"depositor:{order}", order, ("940", order))


def _receipt(read: _Rows) -> Naming:
    number, order = read.value("W17", 3), read.value("W17", 4)
    return Naming(_once("944", number, read.value("W17", 1)), f"receipt:{order or number}", number)


def _adjustment(read: _Rows) -> Naming:
    number = read.value("W15", 3) or read.value("W15", 2)
    return Naming(_once("947", number), f"adjustment:{number}", number)


def _plain(kind: str, tag: str, element: int, lane: str) -> Callable[[_Rows], Naming]:
    """A document that is only told apart by its content."""

    def named(read: _Rows) -> Naming:
        number = read.value(tag, element)
        return Naming("", lane or f"{kind}:{number}", number)

    return named


_X12: Final[dict[str, Callable[[_Rows], Naming]]] = {
    "850": _order,
    "860": _change,
    "855": _answer("BAK"),
    "865": _answer("BCA"),
    "856": _notice,
    "810": _invoice,
    "945": _advice,
    "944": _receipt,
    "947": _adjustment,
    "940": _plain("940", "W05", 2, ""),
    "943": _plain("943", "W06", 2, ""),
    "846": _plain("846", "BIA", 3, INVENTORY),
    "820": _plain("820", "TRN", 2, ""),
    "824": _plain("824", "BGN", 2, ""),
}


def _message(kind: str, read: _Rows) -> Naming:
    """BGM: document number and function, in the places of both syntax generations.

    Source: UN/EDIFACT D.96A and D.01B, BGM C106/1004 and 1225. General knowledge, 2026-11.
    """
    number, function = read.part("BGM", 2, 1), read.value("BGM", 3)
    order = read.reference("ON")
    if kind == "ORDERS":
        return Naming("" if function in _REPLACES else _once(kind, number, function), f"po:{number}", number)
    if kind in {"ORDRSP", "ORDCHG"}:
        return Naming("", f"po:{order or number}", order or number)
    if kind == "INVRPT":
        return Naming("", INVENTORY, number)
    lane = f"po:{order}" if order else f"{kind}:{number}"
    business = _once(kind, number, function) if kind in {"DESADV", "INVOIC", "RECADV"} else ""
    return Naming("" if function in _REPLACES else business, lane, number)


# --- keys of numbers -------------------------------------------------------------------------


def interchange_key(sender: Party, receiver: Party, control: str, *, test: bool) -> str:
    """ISA13 or UNB05 counts per pair of addresses, test and production apart."""
    mode = "T" if test else "P"
    return "|".join(("i", mode, *_address(sender), *_address(receiver), short(control.strip())))


def group_key(sender: Party, functional_id: str, control: str, *, test: bool) -> str:
    """GS06 counts per sender and functional id."""
    return "|".join(("g", "T" if test else "P", *_address(sender), short(functional_id), short(control.strip())))


def set_key(group: str, kind: str, control: str) -> str:
    """ST02 and UNH01 mean something within their group, or interchange, only."""
    return f"s|{group}|{short(kind)}|{short(control.strip())}"


def business_key(naming: Naming, digest: str, kind: str, *, test: bool) -> str:
    """Of what may come once by its number, else by its content; "" for counts, which say something every time.

    A test never stands in the way of the real document of the same number.
    """
    if naming.lane == INVENTORY:
        return ""
    named = naming.business or f"{kind}|{digest}"
    return "|".join(("b" if naming.business else "c", "T" if test else "P", named))


def is_document(key: str) -> bool:
    """Whether a key names a document rather than a control number."""
    return key.startswith(("b|", "c|"))


def sent_key(kind: str, reference: str) -> str:
    """A document of ours, by the number partners quote."""
    return f"o|{kind}|{reference}"


def _address(party: Party) -> tuple[str, str]:
    return short(party.qualifier), short(party.id)


def file_id(at: int, *key: str) -> str:
    """The id of a file: sorts by `at` (microseconds), and is the same for the same key."""
    digest = blake2b("\x1e".join(key).encode(), digest_size=6).hexdigest()
    return f"file_{at // 1000:012x}{digest}"
