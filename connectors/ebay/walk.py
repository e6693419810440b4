"""Reading every order changed since a mark, by offset, although the list shifts while it is read.

A sweep covers the time from the mark (less an overlap) to now, a month at a time. Its end is fixed, so
an order that changes meanwhile leaves the range and every row behind it moves up by one. Each later
page therefore asks for the last row of the page before it too, the anchor: where that is not the first
row the list has shifted, and the walk steps back a page. What is read twice has the same dedupe key,
and the order that left is found by the next sweep. The whole state stands in the cursor:

- at rest: `{"mark": "2026-11-21T10:00:00.000Z"}`
- under way: `{"from", "to", "end", "offset", "anchor", "steps"}`

Source: sell/fulfillment v1.20.7, getOrders (2025-11): zero-based offset, at most 200 rows (more
fails), no sort parameter; errors 30830, 30840, 30850. Operators' reports on shifting pages (2026-09).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog

from connectors.ebay import errors, moments
from connectors.ebay.manifest import HISTORY_DAYS
from connectors.sdk.contract import Cursor
from connectors.sdk.errors import Rejected, Transient

log = structlog.get_logger(__name__)

BACKFILL_DAYS: Final = 30
"""Where a new account starts: what is older is shipped or cancelled."""

WINDOW: Final = timedelta(days=30)
STEPS_MAX: Final = 50
"""Steps back in one window before the walk is given up for a calmer moment."""

FUTURE_STEP: Final = timedelta(minutes=5)
"""How far an end that eBay calls future is moved back: our clock is ahead of theirs."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A sweep under way: `start` to `stop` is being read, `end` is where the sweep ends."""

    start: datetime
    stop: datetime
    end: datetime
    offset: int = 0
    anchor: str | None = None
    steps: int = 0

    @property
    def filter(self) -> str:
        """Only one criterion: with a creation date beside it eBay would ignore this one."""
        return f"lastmodifieddate:[{moments.text(self.start)}..{moments.text(self.stop)}]"

    def to_cursor(self) -> dict[str, Any]:
        return {
            "from": moments.text(self.start),
            "to": moments.text(self.stop),
            "end": moments.text(self.end),
            "offset": self.offset,
            "anchor": self.anchor,
            "steps": self.steps,
        }


class Row(msgspec.Struct):
    """What a page's row is recognised by; the row itself is kept as raw bytes."""

    orderId: str = ""  # noqa: N815  # eBay's name
    lastModifiedDate: str | None = None  # noqa: N815


def start(cursor: Cursor | None, since: datetime | None, now: datetime, overlap_s: float, account: str) -> Walk:
    """A new sweep, or the one under way that `cursor` describes."""
    if cursor and "from" in cursor:
        return _resume(cursor)
    oldest = now - timedelta(days=HISTORY_DAYS)
    mark = moments.read(cursor.get("mark")) if cursor else None
    begin = mark - timedelta(seconds=overlap_s) if mark else since or now - timedelta(days=BACKFILL_DAYS)
    if begin < oldest:
        log.warning("ebay.history_cut", account=account, days=HISTORY_DAYS)
        begin = oldest
    begin = min(begin, now)
    return Walk(begin, min(begin + WINDOW, now), now)


def _resume(cursor: Mapping[str, Any]) -> Walk:
    instants = [moments.read(cursor.get(name)) for name in ("from", "to", "end")]
    begin, stop, end = instants
    if begin is None or stop is None or end is None:
        raise Rejected("the cursor of the orders stream is damaged; pull the account again", code="cursor_damaged")
    return Walk(begin, stop, end, int(cursor.get("offset", 0)), cursor.get("anchor"), int(cursor.get("steps", 0)))


def asked(walk: Walk, size: int) -> tuple[int, int]:
    """(offset, limit) of the request for the next `size` rows: one more, the anchor, on later pages."""
    if walk.anchor is None or walk.offset == 0:
        return walk.offset, size
    return walk.offset - 1, size + 1


def placed(
    walk: Walk, rows: Sequence[bytes], size: int, name: Callable[[bytes], str]
) -> tuple[Sequence[bytes], Walk | None]:
    """The rows behind the anchor, or, when it is not where it was, none and the walk a step back.

    Raises:
        Transient: The list shifts faster than it can be read.
    """
    if walk.anchor is None or walk.offset == 0:
        return rows, None
    for index, row in enumerate(rows):
        if name(row) == walk.anchor:
            # Found further down, rows came in before it: late ones, which the overlap of the next sweep covers.
            return rows[index + 1 :], None
    if walk.steps >= STEPS_MAX:
        raise Transient("orders.list: the list shifts faster than it can be read", code="pages_shift")
    return (), replace(walk, offset=max(0, walk.offset - size), anchor=None, steps=walk.steps + 1)


def after(walk: Walk, offset: int, last: str | None, more: bool) -> Walk | None:
    """The walk from `offset` on, behind a page that ended in `last`; None when the sweep is complete."""
    if more:
        return replace(walk, offset=offset, anchor=last)
    if walk.stop < walk.end:
        return Walk(walk.stop, min(walk.stop + WINDOW, walk.end), walk.end)
    return None


def rescued(walk: Walk, error: Rejected) -> Walk:
    """The walk to go on with after eBay refused its range.

    Raises:
        Rejected: The same error, when the range is not what was refused.
    """
    if error.code == errors.FUTURE_DATE and walk.stop - FUTURE_STEP > walk.start:
        stop = walk.stop - FUTURE_STEP
        return replace(walk, stop=stop, end=stop if walk.stop == walk.end else walk.end)
    half = (walk.stop - walk.start) / 2
    if error.code == errors.RANGE_TOO_LONG and half > timedelta(seconds=1):
        return replace(walk, stop=walk.start + half, offset=0, anchor=None)
    raise error
