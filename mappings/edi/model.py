"""What an interchange is made of: separators, segments, sets, groups, and the bytes each came from.

Reading is lazy in two ways. Groups and sets are iterators over one pass of the source: taking the
next one finishes the one before, and `problems` of a group or interchange is complete once its
iterator has ended. Segments are split into elements when they are looked at.

Every byte of the source belongs to exactly one `Piece`, so that unchanged input is written back equal.
Nothing here may be used by two threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

from mappings.edi.locating import offsets
from mappings.edi.problems import Problem
from mappings.edi.splitting import parts_of, plain

Syntax = Literal["x12", "edifact"]


@dataclass(frozen=True, slots=True)
class Separators:
    """The service characters of one interchange, as text.

    `segment` may be several bytes in the source (a UTF-8 character); `segment_bytes` is what stands
    there. `repetition` is None where the version has none; `release` is None in X12, which has no
    escape at all. `decimal` is the decimal mark of EDIFACT's UNA.
    """

    element: str
    component: str
    segment: str
    repetition: str | None = None
    release: str | None = None
    decimal: str = "."
    segment_bytes: bytes = b""

    def __post_init__(self) -> None:
        if not self.segment_bytes:
            object.__setattr__(self, "segment_bytes", self.segment.encode("latin-1"))


X12_DEFAULT = Separators(element="*", component=">", segment="~")


@dataclass(frozen=True, slots=True)
class Party:
    """An interchange address: qualifier and id, outer blanks removed. `internal` is EDIFACT's routing address."""

    qualifier: str
    id: str
    internal: str = ""


class Segment:
    """One segment. `elements[0]` is element 01 as received: EDIFACT release characters still in place.

    Use `value` for text with the release characters resolved. Positions are 1-based everywhere.
    """

    __slots__ = ("_home", "elements", "position", "tag")

    def __init__(self, tag: str, elements: list[str], position: int, home: Segments) -> None:
        self.tag = tag
        self.elements = elements
        self.position = position
        """Within the set; ST or UNH is 1. Empty segments are not counted."""
        self._home = home

    @property
    def separators(self) -> Separators:
        return self._home.separators

    @property
    def offset(self) -> int:
        """Byte offset in the source."""
        return self._home.offset_of(self.position)

    def raw(self, element: int) -> str:
        """Element text as received; empty when absent."""
        return self.elements[element - 1] if 0 < element <= len(self.elements) else ""

    def value(self, element: int, component: int | None = None) -> str:
        """Text of an element, or of one component of it; empty when absent."""
        if component is None:
            return plain(self.raw(element), self._home.separators.release)
        found = self.components(element)
        return found[component - 1] if 0 < component <= len(found) else ""

    def components(self, element: int, repetition: int = 1) -> list[str]:
        """Components of one repetition; an absent element has none, a simple one has one."""
        texts = self.repetitions(element)
        if not 0 < repetition <= len(texts):
            return []
        separators = self._home.separators
        split = parts_of(texts[repetition - 1], separators.component, separators.release)
        return [plain(text, separators.release) for text in split]

    def repetitions(self, element: int) -> list[str]:
        """Repetitions of an element as received, components not split; an absent element has none."""
        text = self.raw(element)
        if not text:
            return []
        mark = self._home.separators.repetition
        return parts_of(text, mark, self._home.separators.release) if mark is not None and mark in text else [text]

    def __repr__(self) -> str:
        return f"Segment({self.position}: {self.tag} {self.elements!r})"


class Segments(Sequence[Segment]):
    """The segments of a set, split into elements one by one as they are taken."""

    __slots__ = ("_offset", "_offsets", "_raw", "_rows", "separators")

    def __init__(self, rows: Sequence[str | list[str]], separators: Separators, raw: bytes, offset: int) -> None:
        self._rows = rows
        self.separators = separators
        self._raw = raw
        self._offset = offset
        self._offsets: list[int] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> list[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | list[Segment]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self._rows)))]
        if index < 0:
            index += len(self._rows)
        return self._segment(self._rows[index], index + 1)

    def __iter__(self) -> Iterator[Segment]:
        for position, row in enumerate(self._rows, 1):
            yield self._segment(row, position)

    @property
    def texts(self) -> Sequence[str | list[str]]:
        """All segments as received and not split, but for binary ones, which are lists."""
        return self._rows

    def tags(self) -> list[str]:
        """Tags in order, without splitting the rest."""
        mark = self.separators.element
        return [row[0] if isinstance(row, list) else row.partition(mark)[0] for row in self._rows]

    def rows(self) -> list[list[str]]:
        """All segments as plain lists, the tag first; the cheapest way to look at everything."""
        mark, release = self.separators.element, self.separators.release
        if release is None:
            return [row if isinstance(row, list) else row.split(mark) for row in self._rows]
        return [row if isinstance(row, list) else parts_of(row, mark, release) for row in self._rows]

    def offset_of(self, position: int) -> int:
        """Byte offset in the source of the segment at a 1-based position."""
        if self._offsets is None:
            self._offsets = offsets(self._raw, self.separators, self._offset)
        found = self._offsets
        return found[position - 1] if position <= len(found) else self._offset

    def _segment(self, row: str | list[str], position: int) -> Segment:
        if isinstance(row, list):
            return Segment(row[0], row[1:], position, self)
        elements = parts_of(row, self.separators.element, self.separators.release)
        tag = elements.pop(0)
        return Segment(tag, elements, position, self)


@dataclass(slots=True)
class Piece:
    """A run of source bytes. `tail` is what follows up to the next piece (line ends, stray bytes)."""

    raw: bytes = b""
    tail: bytes = b""


@dataclass(slots=True)
class TransactionSet(Piece):
    """An X12 transaction set (ST to SE) or an EDIFACT message (UNH to UNT); `raw` ends with its terminator.

    Args:
        kind: `850`, `ORDERS`.
        control: ST02 or UNH01 as received; unique within its group at most.
        version: GS08 of the group (`004010VICS`), or `D.96A` of UNH02.
        implementation: ST03 of 5010, or the association's code of UNH02 (`EAN008`).
        segments: header and trailer included.
        problems: of the envelope; a grammar finds those of the content.
        offset: byte offset of the header's tag in the source.
        charset: Python's name of the encoding its text was read with.
    """

    kind: str = ""
    control: str = ""
    version: str = ""
    implementation: str = ""
    segments: Segments = field(default_factory=lambda: Segments([], X12_DEFAULT, b"", 0))
    problems: list[Problem] = field(default_factory=list)
    offset: int = 0
    charset: str = "utf-8"


@dataclass(slots=True)
class Group:
    """A functional group. An EDIFACT interchange without UNG has one `implicit` group.

    `sets` may be iterated once. `declared` is GE01 or UNE01 as received and `count` what was found;
    both, and `problems`, are complete when `sets` has ended.
    """

    functional_id: str
    control: str
    version: str
    sets: Iterator[TransactionSet]
    sender: str = ""
    receiver: str = ""
    date: str = ""
    time: str = ""
    agency: str = ""
    implicit: bool = False
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    declared: str | None = None
    head: Piece = field(default_factory=Piece)
    end: Piece | None = None
    offset: int = 0


@dataclass(slots=True)
class Interchange:
    """ISA to IEA or UNB to UNZ.

    Args:
        version: ISA12 (`00401`), or syntax id and version (`UNOC:3`).
        test: marked as test data: it must never move stock.
        header: elements of ISA or UNB as received, element 01 first.
        acknowledgements: TA1 segments met outside groups; complete when `groups` has ended.
        charset: Python's name of the encoding the text is read with.
        raw_start, raw_end: byte offsets; `raw_end` is final when `groups` has ended.
        lossless: False once bytes had to be let go to keep memory bounded; it cannot be written back.
    """

    syntax: Syntax
    separators: Separators
    control: str
    sender: Party
    receiver: Party
    version: str
    test: bool
    groups: Iterator[Group]
    header: list[str]
    problems: list[Problem] = field(default_factory=list)
    acknowledgements: list[list[str]] = field(default_factory=list)
    acknowledgement_requested: bool = False
    date: str = ""
    time: str = ""
    charset: str = "utf-8"
    raw_start: int = 0
    raw_end: int = 0
    count: int = 0
    declared: str | None = None
    lead: bytes = b""
    head: Piece = field(default_factory=Piece)
    end: Piece | None = None
    lossless: bool = True
