"""Walking one interchange from header to trailer, the same way for both syntaxes.

What is missing or out of place becomes a problem of the innermost thing it belongs to, and reading
goes on at the next envelope segment. Every byte ends up in exactly one piece.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from mappings.edi.cursor import SPAN_MAX, Cursor, Event
from mappings.edi.locating import BLANK
from mappings.edi.model import Group, Interchange, Piece, TransactionSet
from mappings.edi.problems import VALUE_MAX, Code, Level, Problem
from mappings.edi.seen import SeenNumbers


class Traversal(ABC):
    """One pass over an interchange. A subclass names the tags and reads headers and trailers."""

    opens: str
    opens_group: str
    opens_set: str
    closes_set: str
    closes_group: str
    closes: str

    def __init__(self, cursor: Cursor, interchange: Interchange) -> None:
        self.cursor = cursor
        self.interchange = interchange
        self.last = interchange.head
        """The piece that takes what follows it."""
        self.messages = 0
        """Sets met so far, in all groups."""
        self.ungrouped = True
        """No group header was met."""
        self._tail = bytearray()
        self._seen_groups = SeenNumbers()

    # --- what a syntax knows ---------------------------------------------------------------------

    @abstractmethod
    def group_from(self, row: list[str], offset: int) -> Group:
        """The group a header opens; its `sets` are filled in by the caller."""

    @abstractmethod
    def implicit_group(self, offset: int) -> Group:
        """The group of sets that have none."""

    @abstractmethod
    def set_from(self, group: Group, raw: bytes, offset: int, *, finished: bool, binary_met: bool) -> TransactionSet:
        """A set with the problems of its envelope."""

    @abstractmethod
    def check_group(self, group: Group, row: list[str]) -> None:
        """Compare a group with its trailer."""

    @abstractmethod
    def check(self, row: list[str]) -> None:
        """Compare the interchange with its trailer."""

    @abstractmethod
    def aside(self, row: list[str]) -> bool:
        """Take a segment that may stand between groups; False when it may not."""

    @abstractmethod
    def row_of(self, raw: bytes) -> list[str]:
        """One envelope segment as a list, the tag first."""

    # --- the walk --------------------------------------------------------------------------------

    def groups(self) -> Iterator[Group]:
        """Groups in order; taking the next one finishes the one before."""
        interchange, closed = self.interchange, False
        while (event := self._advance(interchange.problems)) is not None and event.tag != self.opens:
            if event.tag == self.closes:
                interchange.end = self._taken()
                self.check(self.row_of(interchange.end.raw))
                closed = True
                break
            group = self._group(event)
            if group is None:
                self._stray(interchange.problems, event)
                continue
            interchange.count += not group.implicit
            yield group
            for _ in group.sets:
                pass
        interchange.raw_end = self.cursor.done
        if not closed:
            self._tell(interchange.problems, Code.INTERCHANGE_UNFINISHED, Level.INTERCHANGE, f"no {self.closes}")

    def _group(self, event: Event) -> Group | None:
        if event.tag == self.opens_group:
            piece = self._taken()
            self.ungrouped = False
            group = self.group_from(self.row_of(piece.raw), event.start)
            group.head = piece
            if self._seen_groups.again(f"{group.functional_id}:{group.control}"):
                text = f"group {group.control} of {group.functional_id} comes twice in this interchange"
                self._tell(group.problems, Code.GROUP_DUPLICATE, Level.GROUP, text, value=group.control)
        elif event.tag == self.opens_set:
            group = self.implicit_group(event.start)
        else:
            return None
        group.sets = self._sets(group)
        return group

    def _sets(self, group: Group) -> Iterator[TransactionSet]:
        cursor, seen = self.cursor, SeenNumbers()
        opens_set = self.opens_set
        while (event := self._advance(group.problems)) is not None:
            tag = event.tag
            if tag == opens_set:
                raw, finished, binary_met = cursor.take_set(self.closes_set)
                found = self.set_from(group, raw, event.start, finished=finished, binary_met=binary_met)
                if seen.again(found.control):
                    text = f"control number {found.control} is used twice in its group"
                    self._tell(found.problems, Code.SET_DUPLICATE, Level.SET, text, value=found.control)
                if self._tail:
                    self.settle()
                self.last = found
                group.count += 1
                self.messages += 1
                yield found
            elif tag == self.closes_group and not group.implicit:
                group.end = self._taken()
                self.check_group(group, self.row_of(group.end.raw))
                return
            elif tag in {self.opens, self.opens_group, self.closes}:
                break
            else:
                self._stray(group.problems, event)
        if not group.implicit:
            self._tell(group.problems, Code.GROUP_UNFINISHED, Level.GROUP, f"no {self.closes_group}")

    def _advance(self, problems: list[Problem]) -> Event | None:
        """The next envelope segment; what stands before it goes to the last piece."""
        cursor = self.cursor
        while (event := cursor.peek()) is not None and not event.tag:
            size = cursor.let_go()
            self.interchange.lossless = False
            text = f"{size} bytes without any envelope segment were passed over"
            self._tell(problems, Code.SEGMENT_OUTSIDE, Level.SEGMENT, text, offset=event.start - size)
        before = cursor.done
        tail = cursor.rest()
        if tail:
            self.keep(tail)
            if rest := tail.strip(BLANK):
                value = rest[:VALUE_MAX].decode("latin-1")
                text = f"{len(rest)} bytes outside any set"
                self._tell(problems, Code.SEGMENT_OUTSIDE, Level.SEGMENT, text, value=value, offset=before)
        return event

    def keep(self, raw: bytes) -> None:
        """Bytes that belong to no piece of their own follow the last one, as far as memory allows."""
        if len(self._tail) + len(raw) > SPAN_MAX:
            self.interchange.lossless = False
        else:
            self._tail += raw

    def settle(self) -> None:
        """Hand what was kept to the last piece."""
        if self._tail:
            self.last.tail += bytes(self._tail)
            self._tail.clear()

    def _follow(self, piece: Piece) -> None:
        self.settle()
        self.last = piece

    def _taken(self) -> Piece:
        """The peeked segment as a piece of its own."""
        piece = Piece(self.cursor.take())
        self._follow(piece)
        return piece

    def _stray(self, problems: list[Problem], event: Event) -> None:
        """An envelope segment where none may be: kept, told, passed over."""
        raw = self.cursor.take()
        self.keep(raw)
        if not self.aside(self.row_of(raw)):
            text = f"{event.tag} where none may stand"
            self._tell(problems, Code.SEGMENT_OUTSIDE, Level.SEGMENT, text, tag=event.tag, offset=event.start)

    def _tell(
        self,
        problems: list[Problem],
        code: Code,
        level: Level,
        message: str,
        *,
        value: str | None = None,
        tag: str | None = None,
        offset: int | None = None,
    ) -> None:
        if len(problems) < PROBLEMS_MAX:
            at = self.cursor.done if offset is None else offset
            problems.append(Problem(code, level, message, tag=tag, value=value, offset=at))


PROBLEMS_MAX = 1_000
"""Problems, or acknowledgements, kept for one group or interchange; nothing but damage must not fill the memory."""
