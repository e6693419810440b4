"""Finding the envelope segments of one interchange, and nothing else, at the speed of a byte search.

The segments between them are not looked at: a set is cut out whole. One pattern finds every envelope
tag after a terminator, line ends and wrapped lines included. Each byte is searched a constant number of
times, whatever the input: steps grow while nothing is found and shrink again when something is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mappings.edi import binary
from mappings.edi.beginnings import first_beginning
from mappings.edi.locating import BLANK
from mappings.edi.model import Separators
from mappings.edi.window import Window

SPAN_MAX = 32 << 20
"""Bytes one set, or one run of bytes without any envelope segment, may have before it is let go."""
_STEP = 16 << 10
_STEP_MAX = 1 << 20
_GAP = 2
"""Bytes of line end between two envelope segments that are not worth a look."""


class Event(NamedTuple):
    """An envelope segment: its tag and the offset the tag stands at. The tag is `""` for a run too long to keep."""

    tag: str
    start: int


class Cursor:
    """Envelope segments in order, within one interchange.

    Args:
        position: offset just behind the interchange header's terminator.
        tags: the envelope tags of the syntax.

    Another interchange's header ends this one, also when its separators differ.
    """

    def __init__(self, window: Window, separators: Separators, position: int, *, tags: tuple[str, ...]) -> None:
        self.window = window
        self.separators = separators
        self.done = position
        """Offset behind the last envelope segment or set that was taken."""
        self._mark = separators.segment_bytes
        self._scan = position - len(self._mark)
        self._release = separators.release.encode("latin-1") if separators.release else b""
        self._pattern = _pattern(separators, tags)
        self._names = {tag.encode("ascii"): tag for tag in tags}
        self._peeked: Event | None = None
        self._step = _STEP
        self.finished = False
        self._stop = position
        """Where this interchange's bytes end, once `finished`."""

    def peek(self) -> Event | None:
        """The next envelope segment; None when the interchange's bytes are used up."""
        if self._peeked is None and not self.finished:
            done = self.done
            found = self._search(done)
            if found is not None and found.start - done > _GAP:
                fresh = first_beginning(self.window, done, found.start)
                if fresh is not None:
                    found = None
                    self._finish(fresh)
            self._peeked = found
        return self._peeked

    def take(self) -> bytes:
        """The peeked segment's bytes, terminator included."""
        event = self._peeked
        if event is None:
            raise RuntimeError("nothing was peeked")
        end = self._end_of_segment(event.start)
        self._scan = end - len(self._mark)
        return self._taken(event.start, end)

    def let_go(self) -> int:
        """Forget a run without envelope segments that is too long to keep (its event's tag is empty); its size."""
        if self._peeked is None:
            raise RuntimeError("nothing was peeked")
        return len(self._taken(self.done, self._peeked.start))

    def take_set(self, closing: str) -> tuple[bytes, bool, bool]:
        """From the peeked header to its trailer: bytes, whether the trailer was there, whether binary data was met."""
        header = self._peeked
        if header is None:
            raise RuntimeError("nothing was peeked")
        self._scan = header.start
        met_binary = False
        while (event := self._search(header.start)) is not None:
            if event.tag == closing:
                end = self._end_of_segment(event.start)
                self._scan = end - len(self._mark)
                return self._taken(header.start, end), True, met_binary
            if event.tag not in {"BIN", "BDS"}:
                break
            met_binary = True
            self._pass_binary(event.start)
        stop = event.start if event is not None else self._stop
        if (fresh := first_beginning(self.window, header.start, stop)) is not None:
            event, stop = None, fresh
            self._finish(fresh)
        raw = self._taken(header.start, stop)
        self._peeked = event if event is not None and event.tag else None
        return raw, False, met_binary

    def rest(self) -> bytes:
        """What lies between the last taken piece and the next envelope segment, or the interchange's end."""
        event = self._peeked or self.peek()
        stop = event.start if event is not None else self._stop
        if stop == self.done:
            return b""
        raw = self.window.slice(self.done, stop)
        self.done = stop
        return raw

    def _taken(self, start: int, end: int) -> bytes:
        raw = self.window.slice(start, end)
        self.done = self.window.keep = end
        self._peeked = None
        return raw

    def _finish(self, stop: int) -> None:
        self.finished = True
        self._stop = stop

    def _search(self, keep: int) -> Event | None:
        """The next envelope tag at or after the scan position. Bytes from `keep` on stay in memory."""
        window = self.window
        window.keep = keep
        while True:
            data, base = window.data, window.base
            begin = max(self._scan, base)
            match = self._pattern.search(data, begin - base, begin - base + self._step)
            if match is not None:
                at, first = match.span(1)
                self._scan = first + base
                if self._release and self._released(match.start() + base):
                    continue
                self._step = _STEP
                tag = data[at:first]
                return Event(self._names.get(tag) or tag.translate(None, b"\r\n").decode("ascii"), at + base)
            upto = min(begin + self._step, window.end)
            if self._nothing_until(begin, upto, keep):
                return None
            if self._scan - keep > SPAN_MAX:
                return Event("", self._scan)

    def _nothing_until(self, begin: int, upto: int, keep: int) -> bool:
        """Move on behind what was searched; True when the interchange ends here."""
        window = self.window
        fresh = first_beginning(window, max(begin, keep), upto)
        if fresh is not None:
            self._finish(fresh)
            return True
        # A tag cut in two by the end of the step stands behind the last terminator in it.
        last = window.data.rfind(self._mark, begin - window.base, upto - window.base)
        held = upto - last - window.base if last >= 0 else len(self._mark)
        if upto < window.end or window.more():
            self._scan = upto - min(held, _STEP) if last >= 0 else max(begin, upto - len(self._mark))
            self._step = min(self._step * 2, _STEP_MAX)
            return False
        self._finish(window.end)
        return True

    def _end_of_segment(self, start: int) -> int:
        """Offset behind the terminator, or the source's end when there is none within reason."""
        window, mark = self.window, self._mark
        if not self._release:
            found = window.data.find(mark, start - window.base)
            if found >= 0:
                return found + len(mark) + window.base
        position = start
        while True:
            found = window.find(self._mark, position)
            if found >= 0:
                if not (self._release and self._released(found)):
                    return found + len(self._mark)
                position = found + 1
                continue
            position = max(start, window.end - len(self._mark) + 1)
            if window.end - start > SPAN_MAX or not window.more():
                return window.end

    def _released(self, at: int) -> bool:
        data, at = self.window.data, at - self.window.base
        count = 0
        while at > count and data[at - 1 - count : at - count] == self._release:
            count += 1
        return count % 2 == 1

    def _pass_binary(self, start: int) -> None:
        """Go on searching behind binary data; a length that cannot be is left to the set's own checks."""
        self.window.ensure(start + _STEP)
        end = binary.end_of_data(self.window.data, start - self.window.base, self.separators)
        if end is None or end - (start - self.window.base) > SPAN_MAX:
            return
        position = end + self.window.base
        if self.window.ensure(position):
            self._scan = position


def _pattern(separators: Separators, tags: tuple[str, ...]) -> re.Pattern[bytes]:
    """A terminator, blanks, then an envelope tag (line ends may stand inside it) and an element separator."""
    element = separators.element.encode("latin-1")
    blanks = bytes(each for each in BLANK if each not in separators.segment_bytes + element)
    breaks = b"[\r\n]*" if b"\n" in blanks and b"\r" in blanks else b""
    blank = b"[" + re.escape(blanks) + b"]*"
    names = b"|".join(breaks.join(bytes([each]) for each in tag.encode()) for tag in sorted(tags))
    follows = b"(?=" + breaks + b"(?:" + re.escape(element) + b"|" + re.escape(separators.segment_bytes) + b"))"
    return re.compile(re.escape(separators.segment_bytes) + blank + b"(" + names + b")" + follows)
