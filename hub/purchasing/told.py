"""What documents of others say of one purchase order, as plain values that cross processes and are kept as JSON.

Quantities are decimal texts in the unit beside them (none is eaches), because a supplier may count in cases; what they
are in eaches depends on the line they are about. `at` is microseconds since the epoch, UTC; `expected_at` is a
canonical day or instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

ANSWER = "answer"
"""an acknowledgement, to the order or to a change of it"""
NOTICE = "notice"
INVOICE = "invoice"
RECEIPT = "receipt"


class Part(NamedTuple):
    """What becomes of part of a line. `item` is a substitute's id as the supplier has it, `sku` ours for it."""

    status: str
    quantity: str | None = None
    uom: str | None = None
    expected_at: str | None = None
    price: str | None = None
    item: str | None = None
    sku: str | None = None


class ToldLine(NamedTuple):
    """One line of somebody's document. `items` are all ids it goes by, `sku` ours where one of them resolves."""

    number: str | None = None
    items: tuple[str, ...] = ()
    gtin: str | None = None
    quantity: str | None = None
    damaged: str | None = None
    uom: str | None = None
    price: str | None = None
    price_uom: str | None = None
    parts: tuple[Part, ...] = ()
    sku: str | None = None


class Told(NamedTuple):
    """One document, as far as it is about one purchase order.

    `state` is the answer's state, the notice's, or the invoice's kind. `revision` is the one of ours that it answers,
    `assumed` when it does not say so itself.
    `place` is where goods were taken in, a location of ours.
    """

    kind: str
    account: str
    source_id: str
    version: str
    at: int
    state: str = ""
    revision: str | None = None
    expected_at: str | None = None
    place: str | None = None
    currency: str | None = None
    assumed: bool = False
    lines: tuple[ToldLine, ...] = ()

    @property
    def key(self) -> str:
        """What makes the document one: a newer version of it takes its place."""
        return f"{self.kind}/{self.account}/{self.source_id}"


def as_json(told: Told) -> dict[str, Any]:
    """For keeping; absent members are left out."""
    lines = [
        {**_given(line._asdict(), "parts"), "parts": [_given(part._asdict()) for part in line.parts]}
        for line in told.lines
    ]
    return {**_given(told._asdict(), "lines"), "lines": lines}


def from_json(stored: Mapping[str, Any]) -> Told:
    lines = tuple(
        ToldLine(
            **{
                **line,
                "items": tuple(line.get("items", ())),
                "parts": tuple(Part(**part) for part in line.get("parts", ())),
            }
        )
        for line in stored["lines"]
    )
    return Told(**{**stored, "lines": lines})


def _given(members: Mapping[str, Any], *without: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, (), False) and name not in without}


class PurchaseFacts(NamedTuple):
    """What one document says of purchase orders of ours, by number. `receipt`: of goods that are here."""

    document: str
    account: str
    orders: tuple[tuple[str, Told], ...]
    receipt: bool = False
