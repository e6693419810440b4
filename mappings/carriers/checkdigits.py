"""Check digits of tracking numbers.

Source: CHECKSUM_ALGORITHMS of tracking_number_data 2.0.0 (2026-08); UPU S10; ISO/IEC 7064 MOD 37,36 as in
the DPD parcel label specification 2.4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_S10_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)


def mod10(serial: str, *, evens: int = 1, odds: int = 1, reverse: bool = False) -> str:
    """Weighted sum to the next ten; positions count from 0, letters stand for their code less 3, modulo 10."""
    total = 0
    for position, character in enumerate(reversed(serial) if reverse else serial):
        value = int(character) if character.isdigit() else (ord(character) - 3) % 10
        total += value * (odds if position % 2 else evens)
    return str(-total % 10)


def mod7(serial: str) -> str:
    """The serial number modulo 7."""
    return str(int(serial) % 7)


def luhn(serial: str) -> str:
    """Every other digit from the right doubled, its digits added."""
    total = 0
    for position, character in enumerate(reversed(serial)):
        value = int(character) * (1 if position % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def s10(serial: str) -> str:
    """The Universal Postal Union's: 11 less the weighted sum modulo 11, where 10 is 0 and 11 is 5."""
    total = sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True))
    check = 11 - total % 11
    return {10: "0", 11: "5"}.get(check, str(check))


def weighted(serial: str, *, weights: Sequence[int], modulo: int, then_modulo: int) -> str:
    """Weighted sum, modulo one number and then another."""
    total = sum(int(digit) * weight for digit, weight in zip(serial, weights, strict=True))
    return str(total % modulo % then_modulo)


def mod_37_36(serial: str) -> str:
    """A letter or a digit."""
    carry = 36
    for character in serial:
        carry += _ALPHABET.index(character)
        carry = (carry - 36 if carry > 36 else carry) * 2
        carry = carry - 37 if carry > 36 else carry
    return _ALPHABET[(37 - carry) % 36]


ALGORITHMS: Final[Mapping[str, Callable[..., str]]] = {
    "mod10": mod10,
    "mod7": mod7,
    "luhn": luhn,
    "s10": s10,
    "sum_product_with_weightings_and_modulo": weighted,
    "mod_37_36": mod_37_36,
}


def check_character(checksum: Mapping[str, Any], serial: str) -> str:
    """What the check character of `serial` must be, by an algorithm with its constants as in the table."""
    constants = {name: value for name, value in checksum.items() if name != "name"}
    return ALGORITHMS[checksum["name"]](serial, **constants)
