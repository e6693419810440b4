"""What a partner finds wrong with what it is sent; each finding is a sentence.

Source: GS1 General Specifications, SSCC and its check digit (2024-01); X12 856, 810 and 855 (004010).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from connectors.edi.fake.x12 import Row, Set, at


def sscc_is_sound(stated: str) -> bool:
    """18 digits, or 20 with the identifier 00, the last one right."""
    digits = stated[2:] if len(stated) == 20 and stated.startswith("00") else stated
    if len(digits) != 18 or not digits.isdigit():
        return False
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits[:17])))
    return int(digits[17]) == (10 - total % 10) % 10


def ids_of(row: Row, first: int) -> dict[str, str]:
    """Pairs of qualifier and id from an element on."""
    return {at(row, place): at(row, place + 1) for place in range(first, len(row) - 1, 2) if at(row, place)}


def quantity(text: str) -> Decimal:
    """Nought for what is no number: the count then does not agree, and is told."""
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        return Decimal(0)


def hierarchy(notice: Set) -> Iterator[str]:
    """HL: ids run from 1, a parent comes before its children, and CTT counts the levels."""
    seen: set[str] = set()
    levels = notice.all("HL")
    for place, row in enumerate(levels, 1):
        if at(row, 1) != str(place):
            yield f"HL {place} calls itself {at(row, 1)}"
        if at(row, 2) and at(row, 2) not in seen:
            yield f"HL {at(row, 1)} names the parent {at(row, 2)}, which has not come"
        seen.add(at(row, 1))
    total = at(notice.first("CTT"), 1)
    if total and total != str(len(levels)):
        yield f"CTT counts {total}, there are {len(levels)} levels"


def balance(invoice: Set) -> Iterator[str]:
    """TDS is the lines, the charges and the tax, to the cent."""
    total = sum((quantity(at(row, 2)) * quantity(at(row, 4)) for row in invoice.all("IT1")), Decimal(0))
    for row in invoice.all("SAC"):
        amount = quantity(at(row, 5)) / 100
        total += -amount if at(row, 1) == "A" else amount
    total += sum((quantity(at(row, 2)) for row in invoice.all("TXI")), Decimal(0))
    stated = quantity(at(invoice.first("TDS"), 1)) / 100
    if stated != total.quantize(Decimal("0.01")):
        yield f"TDS says {stated}, the lines make {total}"
    count = at(invoice.first("CTT"), 1)
    if count and count != str(len(invoice.all("IT1"))):
        yield f"CTT counts {count} lines of {len(invoice.all('IT1'))}"
