"""Which control numbers a group has used already, in little memory."""

from __future__ import annotations

REMEMBERED_MAX = 100_000
_DIGITS_MAX = 18


class SeenNumbers:
    """Numbers that count up, as nearly all do, take no memory; others are remembered up to a limit.

    Leading zeros matter: `0001` and `1` are two numbers.
    """

    __slots__ = ("_first", "_last", "_others", "_width")

    def __init__(self) -> None:
        self._first = self._last = -1
        self._width = 0
        self._others: set[str] = set()

    def again(self, number: str) -> bool:
        """Take note of a number; True when it was used before."""
        if number.isascii() and number.isdigit() and len(number) <= _DIGITS_MAX:
            value = int(number)
            if self._first < 0:
                self._first, self._last, self._width = value, value, len(number)
                return False
            # Within the run, each value is written in one way: padded to the width of the first.
            if number == str(value).zfill(self._width):
                if value == self._last + 1:
                    self._last = value
                    return number in self._others
                if self._first <= value <= self._last:
                    return True
        if number in self._others:
            return True
        if len(self._others) < REMEMBERED_MAX:
            self._others.add(number)
        return False
