"""The order of segments in a set: slots and loops, and where one segment leads from another.

A body is written as `BEG! REF* N1*200{N2*2 N3*2} CTT`: `!` mandatory, `*` any number, `*n` at most n, neither
once; braces hold the rest of a loop that the segment before them opens. Moves are worked out once per pair of
place and tag, and remembered: their number is bounded by the grammar, because an unknown tag is not remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

UNBOUNDED: Final = 0
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<tag>[A-Z][A-Z0-9]{1,2})(?P<must>!?)(?P<many>\*(?P<most>\d*))?(?P<open>\{?)|(?P<close>\}))"
)


@dataclass(slots=True, eq=False)
class Slot:
    """A place for one kind of segment. `most` is UNBOUNDED or how often it may stand there in a row."""

    tag: str
    mandatory: bool
    most: int
    loop: Loop
    index: int
    number: int = 0


@dataclass(slots=True, eq=False)
class Loop:
    """A run of slots and loops that may repeat; its first slot opens each repetition.

    `number` and `last` bound the numbers of everything inside, for resetting counts at a repetition.
    """

    name: str
    mandatory: bool
    most: int
    parent: Loop | None
    index: int
    items: list[Slot | Loop] = field(default_factory=list)
    number: int = 0
    last: int = 0

    @property
    def trigger(self) -> Slot:
        first = self.items[0]
        assert isinstance(first, Slot)  # noqa: S101 - the parser puts a slot first
        return first


@dataclass(frozen=True, slots=True)
class Move:
    """What a segment means after another one: where it stands, what was left out, and the loop it opens.

    `left` are the loops that ended, innermost first.
    """

    slot: Slot
    missing: tuple[str, ...] = ()
    opens: Loop | None = None
    left: tuple[Loop, ...] = ()


class Structure:
    """The whole order of one set, header and trailer included."""

    def __init__(self, body: str, header: str, trailer: str) -> None:
        self.root = Loop("", True, 1, None, 0)
        _parse(f"{header}! {body} {trailer}!", self.root)
        self.size = _number(self.root, 0)
        self.tags = frozenset(slot.tag for slot in slots(self.root))
        self.start = self.root.trigger
        self._moves: dict[tuple[int, str], Move | None] = {}

    def move(self, slot: Slot, tag: str) -> Move | None:
        """Where a segment `tag` after `slot` stands; None when it may not follow."""
        if tag not in self.tags:
            return None
        key = (slot.number, tag)
        try:
            return self._moves[key]
        except KeyError:
            found = self._moves[key] = _find(slot, tag)
            return found


def slots(loop: Loop) -> Iterator[Slot]:
    """Every slot of a loop and of those inside, in order."""
    for item in loop.items:
        if isinstance(item, Slot):
            yield item
        else:
            yield from slots(item)


def _parse(text: str, root: Loop) -> None:
    loop, at = root, 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"cannot read {text[at : at + 20]!r}")
        at = token.end()
        if token["close"]:
            if loop.parent is None:
                raise ValueError("a loop is closed that was not opened")
            loop = loop.parent
            continue
        most = int(token["most"] or UNBOUNDED) if token["many"] else 1
        must = bool(token["must"])
        if token["open"]:
            inner = Loop(token["tag"], must, most, loop, len(loop.items))
            loop.items.append(inner)
            loop = inner
            must, most = True, 1
        loop.items.append(Slot(token["tag"], must, most, loop, len(loop.items)))
    if loop is not root:
        raise ValueError(f"the loop {loop.name} is not closed")


def _number(loop: Loop, number: int) -> int:
    """Numbers in order of appearance; returns the next free one."""
    loop.number = number
    number += 1
    for item in loop.items:
        if isinstance(item, Slot):
            item.number = number
            number += 1
        else:
            number = _number(item, number)
    loop.last = number
    return number


def _find(slot: Slot, tag: str) -> Move | None:
    loop: Loop | None = slot.loop
    index, here = slot.index, True
    missing: list[str] = []
    left: list[Loop] = []
    while loop is not None:
        # A trigger does not repeat inside its own repetition: it opens the next one.
        start = index if here and index > 0 else index + 1
        skipped: list[str] = []
        for item in loop.items[start:]:
            found = item if isinstance(item, Slot) else item.trigger
            if found.tag == tag:
                opens = item if isinstance(item, Loop) else None
                return Move(found, (*missing, *skipped), opens, tuple(left))
            if item.mandatory and item is not slot:
                skipped.append(found.tag)
        missing += skipped
        left.append(loop)
        if loop.parent is not None and loop.trigger.tag == tag:
            return Move(loop.trigger, tuple(missing), loop, tuple(left))
        index, loop, here = loop.index, loop.parent, False
    return None
