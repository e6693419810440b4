"""Walking what changed since a mark: the cursor all polls share.

The mark moves to the instant the walk began, never past it, and every walk starts the overlap
before its mark, so that what changed meanwhile, or was not readable yet, is met by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from connectors.sdk.contract import Cursor
from connectors.sdk.errors import Transient
from connectors.shopify import moments
from connectors.shopify.manifest import OVERLAP_S

CEILING: Final = 20_000
"""Objects after which a walk starts afresh from where it is.

Paging ends at 25,000 objects. Source: shopify.dev/docs/api/usage/limits, read 2026-11-20.
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk. `start` None reads everything; `last` is the latest change met so far."""

    start: datetime | None
    began: datetime
    after: str | None = None
    seen: int = 0
    last: datetime | None = None

    @classmethod
    def resume(cls, cursor: Mapping[str, Any] | None, now: datetime, default: datetime | None) -> Self:
        """The walk a stored cursor stands in, or a new one.

        Args:
            cursor: As stored, None for the first time.
            now: Where a new walk's mark will be.
            default: Where the very first walk starts; None for everything there is.
        """
        if cursor is None:
            return cls(default, now)
        began = moments.read(cursor.get("began"))
        if began is not None:
            return cls(
                moments.read(cursor.get("start")),
                began,
                cursor.get("after"),
                int(cursor.get("seen", 0)),
                moments.read(cursor.get("last")),
            )
        mark = moments.read(cursor.get("mark"))
        return cls(mark - timedelta(seconds=OVERLAP_S) if mark else default, now)

    def query(self) -> str | None:
        return moments.since_filter(self.start) if self.start is not None else None

    def step(self, page_info: Mapping[str, Any], count: int, last: datetime | None) -> tuple[Self, bool]:
        """The walk after a page, and whether there is more.

        Raises:
            Transient: The vendor gave the cursor just used again.
        """
        after = page_info.get("endCursor") if page_info.get("hasNextPage") else None
        if after is not None and after == self.after:
            raise Transient("shopify gave the same page cursor twice", code="cursor_repeated")
        moved = replace(self, after=after, seen=self.seen + count, last=last or self.last)
        return moved, after is not None

    def afresh(self, *, sorted_by_change: bool) -> Self | None:
        """Begun again at the latest change met, when the ceiling is near; None while it is not, or cannot help."""
        if self.seen < CEILING or not sorted_by_change or self.last is None or self.last == self.start:
            return None
        return replace(self, start=self.last, after=None, seen=0, last=None)

    def cursor(self) -> Cursor:
        """Half-way: everything needed to go on."""
        return {
            "start": moments.text(self.start) if self.start else None,
            "began": self.began.isoformat(),
            "after": self.after,
            "seen": self.seen,
            "last": moments.text(self.last) if self.last else None,
        }

    def done(self) -> Cursor:
        """At the end: the mark the next walk starts from."""
        return {"mark": self.began.isoformat()}
