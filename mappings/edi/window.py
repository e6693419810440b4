"""The part of the source that is in memory: it grows by chunks and forgets what has been read."""

from __future__ import annotations

from typing import BinaryIO

CHUNK = 1 << 20
"""Bytes read at once. Between two reads a caller's thread may be switched away from."""


class Window:
    """Bytes `data` that begin at offset `base` of the source. Positions are offsets in the source.

    A `bytes` source is used as it is and never copied. What lies before `keep` may be forgotten.
    """

    __slots__ = ("_file", "base", "data", "ended", "keep")

    def __init__(self, source: bytes | BinaryIO) -> None:
        self.base = 0
        self.keep = 0
        self._file = None if isinstance(source, bytes | bytearray | memoryview) else source
        self.data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else b""
        self.ended = self._file is None

    @property
    def end(self) -> int:
        return self.base + len(self.data)

    def more(self) -> bool:
        """Read on; False at the end of the source.

        As much is read as is still kept, so that a long run of bytes is copied a constant number of times.
        """
        if self._file is None or self.ended:
            return False
        kept = self.data[self.keep - self.base :]
        read = self._file.read(max(CHUNK, len(kept)))
        if not read:
            self.ended = True
            return False
        self.base, self.data = self.keep, kept + read
        return True

    def ensure(self, position: int) -> bool:
        """Read until `position` is in memory; False when the source ends before."""
        while self.end < position:
            if not self.more():
                return False
        return True

    def slice(self, start: int, stop: int) -> bytes:
        return self.data[start - self.base : stop - self.base]

    def find(self, needle: bytes, start: int, stop: int | None = None) -> int:
        """Offset of the needle among what is in memory; -1 when it is not there."""
        upto = len(self.data) if stop is None else stop - self.base
        found = self.data.find(needle, start - self.base, upto)
        return found if found < 0 else found + self.base
