"""Eaches from stated units, and what is still open of an order line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from canonical.documents.order import OrderLine

EACHES_PER_UNIT: Final[Mapping[str, int]] = MappingProxyType(
    {"EA": 1, "PC": 1, "PCE": 1, "UN": 1, "C62": 1, "PR": 2, "DZ": 12}
)
"""Units whose meaning does not depend on the item; every other one needs a pack table."""


class UnknownUnit(ValueError):
    """A unit that neither the model nor the item's pack table can turn into eaches."""


def eaches(quantity: Decimal | int, unit: str | None, packs: Mapping[str, int] | None = None) -> int:
    """`quantity` of `unit` in eaches; no unit means eaches.

    Args:
        quantity: As stated.
        unit: The unit's code as stated.
        packs: Eaches per unit for this item, from the payload's own pack or from the catalogue.

    Raises:
        UnknownUnit: The unit is in no table.
        ValueError: The result is not a whole number.
    """
    factor = 1 if unit is None else (packs or {}).get(unit) or EACHES_PER_UNIT.get(unit)
    if factor is None:
        raise UnknownUnit(f"the unit {unit!r} has no pack size; add it to the item's packs")
    result = Decimal(quantity) * factor
    if result != result.to_integral_value():
        raise ValueError(f"{quantity} {unit or 'EA'} is not a whole number of eaches")
    return int(result)


def remaining_quantity(line: OrderLine) -> int:
    """Eaches of a line that are still wanted: ordered less cancelled, never below zero."""
    return max(0, line.quantity - line.cancelled_quantity)


def open_quantity(line: OrderLine) -> int:
    """Eaches of a line still to be shipped: ordered less cancelled less fulfilled, never below zero."""
    return max(0, line.quantity - line.cancelled_quantity - line.fulfilled_quantity)
