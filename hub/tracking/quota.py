"""How many calls of a vendor's quota are left, over restarts: calls are counted in slices of the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

SLICES: Final = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `calls` in any `window`; `spent` maps the number of a slice of time to the calls made in it.

    Counts are a slice too careful at the old end, and never too generous.
    """

    calls: int
    window: timedelta
    spent: Mapping[int, int] = field(default_factory=dict)

    def left(self, now: datetime) -> int:
        """Calls that may be made at once."""
        return max(0, self.calls - sum(self._recent(now).values()))

    def after(self, count: int, now: datetime) -> Quota:
        """The same quota with `count` calls made now; what is out of the window is forgotten."""
        recent = dict(self._recent(now))
        current = self._slice(now)
        recent[current] = recent.get(current, 0) + count
        return replace(self, spent=recent)

    def _recent(self, now: datetime) -> dict[int, int]:
        current = self._slice(now)
        return {number: count for number, count in self.spent.items() if current - SLICES <= number <= current}

    def _slice(self, now: datetime) -> int:
        size = self.window / SLICES
        return int(now.timestamp() // size.total_seconds())
