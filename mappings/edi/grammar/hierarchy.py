"""The tree of HL segments: identifiers are trusted, not the order of appearance.

Source: ASC X12 HL segment: HL01 is unique in the set, HL02 names a parent met before. Which level may stand under
which follows the structure code BSN05 by convention only, so it is not judged here. General knowledge, 004010.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mappings.edi.grammar.segments import Flaw
from mappings.edi.problems import VALUE_MAX, Code

ROOT_LEVEL: Final = "S"


class Tree:
    """Collects the HL segments of one set and tells what does not fit. A parent must come first, so no cycle can."""

    def __init__(self) -> None:
        self._levels: dict[str, str] = {}
        self._root: str | None = None

    def add(self, row: Sequence[str]) -> list[Flaw]:
        """Flaws of one HL row, the tag first."""
        number, parent, level = (row[at] if at < len(row) else "" for at in (1, 2, 3))
        flaws = []
        if number in self._levels:
            flaws.append(_flaw(1, "repeats an earlier hierarchical id", number, "628"))
        if parent and parent not in self._levels:
            flaws.append(_flaw(2, "names a parent that has not been met", parent, "734"))
        if level == ROOT_LEVEL:
            if self._root is not None:
                flaws.append(_flaw(3, "is a second shipment level", level, "735"))
            elif parent:
                flaws.append(_flaw(2, "gives the shipment level a parent", parent, "734"))
            self._root = number
        self._levels[number] = level
        return flaws


def _flaw(at: int, message: str, value: str, reference: str) -> Flaw:
    return Flaw(Code.ELEMENT_VALUE, at, message, value=value[:VALUE_MAX], reference=reference)
