"""Guards around vendors' paging: a cursor that repeats, or pages without end, must not spin for ever."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from connectors.sdk import exact
from connectors.sdk.errors import Transient

PAGES_MAX: Final = 1_000
"""Pages one walk may take; a backfill of a hundred thousand orders at a hundred a page fits."""


class PageGuard:
    """Counts the pages of one walk and remembers its cursors.

    Stopping silently would let the watermark pass items that were never seen, so a broken walk is
    an error: it is tried again later, and it shows.
    """

    def __init__(self, walk: str, *, pages_max: int = PAGES_MAX) -> None:
        if pages_max < 1:
            raise ValueError("a walk takes at least one page")
        self._walk = walk
        self._pages_max = pages_max
        self._seen: set[bytes] = set()

    @property
    def pages(self) -> int:
        return len(self._seen)

    def enter(self, cursor: Any) -> None:
        """Say that the page at `cursor` (any JSON, None for the first) is about to be read.

        Raises:
            Transient: The vendor gave this cursor before, or the walk is longer than allowed.
        """
        mark = hashlib.sha256(exact.canonical(cursor)).digest()
        if mark in self._seen:
            raise Transient(f"{self._walk}: the vendor gave the same page cursor twice", code="cursor_repeated")
        if len(self._seen) >= self._pages_max:
            raise Transient(f"{self._walk}: more than {self._pages_max} pages in one walk", code="pages_exceeded")
        self._seen.add(mark)
