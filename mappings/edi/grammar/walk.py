"""Walking a set along its grammar: each segment gets its place, each deviation a problem."""

from __future__ import annotations

from dataclasses import dataclass

from mappings.edi.grammar.releases import SetGrammar
from mappings.edi.grammar.structure import UNBOUNDED, Loop, Move
from mappings.edi.problems import VALUE_MAX, Code, Level, Problem


@dataclass(slots=True)
class Deviation:
    """A segment that stands where the grammar has no place for it, or one that is not there."""

    code: Code
    tag: str
    message: str
    loop: str | None = None

    def problem(self, position: int) -> Problem:
        return Problem(
            self.code, Level.SEGMENT, self.message, tag=self.tag[:VALUE_MAX], segment_position=position, loop=self.loop
        )


class Walk:
    """One pass over one set. Give it every tag in order, the header's first.

    A segment without a place does not move the walk: what follows is judged as if it were not there.
    """

    def __init__(self, grammar: SetGrammar) -> None:
        self._grammar = grammar
        structure = grammar.structure
        self.slot = structure.start
        self._counts = [0] * structure.size
        self._counts[self.slot.number] = 1
        self._astray: set[str] = set()

    def step(self, tag: str, deviations: list[Deviation]) -> Move | None:
        """The move to the segment's place, None when it has none; deviations are added to the list."""
        move = self._grammar.structure.move(self.slot, tag)
        if move is None:
            deviations.append(self._homeless(tag))
            return None
        for missing in move.missing:
            # A segment that came too early or too late has been told once already.
            if missing not in self._astray:
                message = f"the mandatory segment {missing} is missing before {tag}"
                deviations.append(Deviation(Code.SEGMENT_MISSING, missing, message, self.slot.loop.name or None))
        self.slot = move.slot
        counts = self._counts
        if (loop := move.opens) is not None:
            counts[loop.number] += 1
            counts[loop.number + 1 : loop.last] = [0] * (loop.last - loop.number - 1)
            if loop.most != UNBOUNDED and counts[loop.number] > loop.most:
                deviations.append(self._too_many(Code.SEGMENT_LOOP_LIMIT, tag, f"the loop {loop.name}", loop.most))
        counts[move.slot.number] += 1
        if move.slot.most != UNBOUNDED and counts[move.slot.number] > move.slot.most:
            deviations.append(self._too_many(Code.SEGMENT_LIMIT, tag, f"the segment {tag}", move.slot.most))
        return move

    @property
    def loop(self) -> Loop:
        return self.slot.loop

    def _too_many(self, code: Code, tag: str, what: str, most: int) -> Deviation:
        return Deviation(code, tag, f"{what} stands here more than {most} times", self.slot.loop.name or None)

    def _homeless(self, tag: str) -> Deviation:
        kind, loop = self._grammar.kind, self.slot.loop.name or None
        if tag in self._grammar.structure.tags:
            self._astray.add(tag)
            return Deviation(Code.SEGMENT_SEQUENCE, tag, f"{tag} is out of sequence after {self.slot.tag}", loop)
        if tag in self._grammar.segments:
            return Deviation(Code.SEGMENT_NOT_IN_SET, tag, f"{tag} is no segment of {kind}", loop)
        return Deviation(Code.SEGMENT_UNKNOWN, tag, f"{tag[:VALUE_MAX]!r} is no segment known here", loop)
