"""Conditional rules between the elements of a segment or the components of a composite.

Source: ASC X12.6, syntax notes P (paired), R (required), E (exclusion), C (conditional), L (list conditional).
General knowledge, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mappings.edi.problems import Code


@dataclass(frozen=True, slots=True)
class Note:
    """One syntax note. `text` is the standard's way to write it (`P0304`); positions are 1-based."""

    text: str
    kind: str
    positions: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Note:
        digits = text[1:]
        positions = tuple(int(digits[at : at + 2]) for at in range(0, len(digits), 2))
        if text[:1] not in "PRECL" or len(positions) < 2 or len(digits) % 2:
            raise ValueError(f"{text!r} is no syntax note like P0304")
        return cls(text, text[0], positions)

    def broken(self, present: Sequence[bool]) -> Iterator[tuple[Code, int]]:
        """Each place where the rule is broken, with what is wrong there."""
        there = [position <= len(present) and present[position - 1] for position in self.positions]
        first, others = there[0], there[1:]
        missing = Code.ELEMENT_CONDITION
        if self.kind == "P" and any(there):
            yield from ((missing, at) for at, given in zip(self.positions, there, strict=True) if not given)
        elif self.kind == "C" and first:
            yield from ((missing, at) for at, given in zip(self.positions[1:], others, strict=True) if not given)
        elif (self.kind == "R" and not any(there)) or (self.kind == "L" and first and not any(others)):
            yield missing, self.positions[0 if self.kind == "R" else 1]
        elif self.kind == "E" and sum(there) > 1:
            second = [at for at, given in zip(self.positions, there, strict=True) if given][1]
            yield Code.ELEMENT_EXCLUSION, second
