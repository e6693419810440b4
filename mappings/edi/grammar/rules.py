"""Rules of one data element: its type, its length, its closed list of codes.

A rule is asked for `flaw(text)`; the answer is None for good text. `pattern` is the same rule as a regular
expression that accepts good text only (it may miss some good text, never take bad), so that a whole segment
can be found good in one match.

Source: ASC X12.6 application control structure (types AN, ID, DT, TM, R, Nn; the length of a number counts
neither its sign nor its decimal point); ISO 9735 (types a, an, n). General knowledge, 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from mappings.edi.problems import Code

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_YEAR_4: Final = r"(?:19|20)\d\d"
_YEAR_2: Final = r"\d\d"
# 29 February is left to the calendar.
_DAY: Final = r"(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)|02(?:0[1-9]|1\d|2[0-8]))"
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d\d{0,2})?")
END: Final = r"(?=\x1f|\Z)"
"""Where an element ends in a segment whose elements are joined with the unit separator."""
TEXT: Final = r"[^\x00-\x1f\x7f]"
"""One character of text in a pattern: anything but a control character."""


@dataclass(frozen=True, slots=True)
class ElementRule:
    """One data element of one release.

    Args:
        reference: the standard's element number (`355`), told in AK402.
        kind: AN, ID, DT, TM, R, N0..N9 of X12; a, an, n of EDIFACT.
        low, high: length in characters, both inclusive.
        codes: the closed list, None when any code may stand here.
    """

    reference: str
    kind: str
    low: int
    high: int
    codes: frozenset[str] | None = None

    def flaw(self, text: str) -> Code | None:
        """What is wrong with a value that is present; None when nothing is."""
        if self.kind in {"DT", "TM"}:
            return self._flaw_of_moment(text)
        if self.kind[0] in "RNn":
            return self._flaw_of_number(text)
        if _CONTROL.search(text) or (self.kind == "a" and any(char.isdigit() for char in text)):
            return Code.ELEMENT_CHARACTER
        # Padding to a fixed width is common and means nothing.
        found = self._flaw_of_length(len(text) if len(text) <= self.high else len(text.rstrip(" ")))
        if found is None and self.codes is not None and text not in self.codes:
            return Code.ELEMENT_VALUE
        return found

    @property
    def pattern(self) -> str:
        """A regular expression of good text, up to `END`."""
        if self.codes is not None:
            return f"(?:{'|'.join(sorted(map(re.escape, self.codes)))}){END}"
        if self.kind == "DT":
            return (_YEAR_4 if self.high == 8 else _YEAR_2) + _DAY + END
        if self.kind == "TM":
            return _TIME.pattern + END
        if self.kind[0] == "R":
            return (
                rf"-?(?:\d{{{self.low},{self.high}}}"
                rf"|(?=[\d.]{{{self.low + 1},{self.high + 1}}}{END})\d*\.\d*){END}"
            )
        if self.kind[0] == "N":
            return rf"-?\d{{{self.low},{self.high}}}{END}"
        return rf"{TEXT}{{{self.low},{self.high}}}{END}"

    def _flaw_of_length(self, length: int) -> Code | None:
        if length < self.low:
            return Code.ELEMENT_SHORT
        return Code.ELEMENT_LONG if length > self.high else None

    def _flaw_of_number(self, text: str) -> Code | None:
        digits = text.removeprefix("-")
        # Rn is a decimal of at most n digits in the tables this grammar comes from; Nn has no decimal point at all.
        if self.kind[0] != "N":
            digits = re.sub(r"\." if self.kind[0] == "R" else r"[.,]", "", digits, count=1)
        if not (digits.isascii() and digits.isdigit()):
            return Code.ELEMENT_CHARACTER
        return self._flaw_of_length(len(digits))

    def _flaw_of_moment(self, text: str) -> Code | None:
        wrong = Code.ELEMENT_DATE if self.kind == "DT" else Code.ELEMENT_TIME
        if not (text.isascii() and text.isdigit()):
            return wrong
        if (length := self._flaw_of_length(len(text))) is not None:
            return length
        if self.kind == "TM":
            return None if _TIME.fullmatch(text) else wrong
        full = text if len(text) == 8 else "20" + text
        if len(full) != 8:
            return wrong
        try:
            date(int(full[:4]), int(full[4:6]), int(full[6:]))
        except ValueError:
            return wrong
        return None


TELLING: Final = {
    Code.ELEMENT_CHARACTER: "has characters its type does not allow",
    Code.ELEMENT_SHORT: "is shorter than allowed",
    Code.ELEMENT_LONG: "is longer than allowed",
    Code.ELEMENT_VALUE: "is none of the codes known here",
    Code.ELEMENT_DATE: "is no date of the calendar",
    Code.ELEMENT_TIME: "is no time of day",
}
"""How a flaw of a value is told to people, after the place."""
