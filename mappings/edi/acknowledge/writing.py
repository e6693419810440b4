"""Writing an X12 answer: fixed-width ISA, segments, and separators that no copied value can break."""

from __future__ import annotations

from typing import Final

from mappings.edi.acknowledge.stamps import Stamp
from mappings.edi.acknowledge.verdicts import InterchangeVerdict
from mappings.edi.model import X12_DEFAULT, Separators

_CONTROLS: Final = [*range(32), 127]
COPIED_MAX: Final = 35
"""Characters of an identifier that an answer echoes: as much as the longest place, ST03, has room for."""
_REPETITION: Final = "^"
_REPEATS_FROM: Final = "00402"


def writer_for(received: Separators) -> Writer:
    """Writes with the partner's own separators where they are sound, else with the usual ones."""
    marks = [received.element, received.component, received.segment, *([received.repetition or ""])]
    used = [mark for mark in marks if mark]
    sound = (
        len(set(used)) == len(used)
        and all(len(mark) == 1 and mark.isascii() and not mark.isalnum() and mark not in " -.+" for mark in used)
        and received.segment_bytes == received.segment.encode("ascii", "replace")
    )
    return Writer(received if sound else X12_DEFAULT)


class Writer:
    """Collects the segments of one answer. `count` is the number of segments so far."""

    def __init__(self, separators: Separators) -> None:
        self.separators = separators
        marks = separators.element + separators.component + separators.segment + (separators.repetition or "")
        self._dropped = dict.fromkeys([*_CONTROLS, *map(ord, marks)])
        self._parts: list[str] = []

    @property
    def count(self) -> int:
        return len(self._parts)

    def segment(self, *elements: str) -> None:
        """One segment, the tag first; empty elements at its end are left out."""
        self._parts.append(self.separators.element.join(elements).rstrip(self.separators.element))

    def clean(self, text: str) -> str:
        """Foreign text without anything that would end an element, in ASCII, no longer than any place for it."""
        if text.isalnum() and text.isascii():
            return text[:COPIED_MAX]
        return text[:COPIED_MAX].translate(self._dropped).encode("ascii", "replace").decode("ascii")

    def carries(self, value: str) -> bool:
        """Whether a bad value can be copied as it is (AK404)."""
        return bool(value.strip()) and value.isascii() and value.translate(self._dropped) == value

    def isa(self, verdict: InterchangeVerdict, stamp: Stamp) -> None:
        """The header, sender and receiver exchanged, asking for no acknowledgement."""
        stated = verdict.version
        version = stated if len(stated) == 5 and stated.isdigit() else "00401"
        repetition = (self.separators.repetition or _REPETITION) if version >= _REPEATS_FROM else "U"
        if repetition in {self.separators.element, self.separators.component, self.separators.segment}:
            repetition = "U"
        us, them = verdict.receiver, verdict.sender
        self.segment(
            "ISA", "00", " " * 10, "00", " " * 10,
            f"{self.clean(us.qualifier):2.2}", f"{self.clean(us.id):15.15}",
            f"{self.clean(them.qualifier):2.2}", f"{self.clean(them.id):15.15}",
            f"{stamp.at:%y%m%d}", f"{stamp.at:%H%M}", repetition, version, f"{stamp.interchange:09d}",
            "0", "T" if verdict.test else "P", self.separators.component,
        )  # fmt: skip

    def bytes(self) -> bytes:
        mark = self.separators.segment
        return "".join(part + mark for part in self._parts).encode("ascii", "replace")
