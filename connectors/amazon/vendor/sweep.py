"""A stream of orders: stretches of time read page by page, each one again a little before the last one ended.

Purchase orders are asked for twice, by the time they were made and by the time Amazon changed them: an order
that was never changed has no such time, and a change of an older one is found by nothing else.
Source: purchaseOrderChangedDate of the vendorOrders model (2026-08).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.amazon import moments
from connectors.amazon.vendor.manifest import HISTORY_DAYS, PAGE_MAX
from connectors.amazon.vendor.orders import Found, envelope
from connectors.sdk.contract import AccountContext, Cursor, Page
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.manifest import Stream

log = structlog.get_logger()

BACKFILL: Final = timedelta(days=30)
PAGES_MAX: Final = 5_000

Ask = Callable[[str, datetime, datetime, int, str | None], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class Walk:
    """A sweep under way: from `begin` to `end`, by the first of `phases` still to do."""

    begin: datetime
    end: datetime
    phases: tuple[str, ...]
    token: str | None = None
    pages: int = 0

    def to_cursor(self) -> dict[str, Any]:
        return {
            "from": moments.text(self.begin),
            "to": moments.text(self.end),
            "phases": list(self.phases),
            "token": self.token,
            "pages": self.pages,
        }


class Sweep:
    """One stream. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, stream: Stream, topic: str, phases: Sequence[str], ask: Ask) -> None:
        self._ctx = ctx
        self._stream = stream
        self._topic = topic
        self._phases = tuple(phases)
        self._ask = ask

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page. One without rows but with `more` set is normal: the other question comes next."""
        walk = self._resume(cursor) if cursor and "from" in cursor else self._start(cursor, since)
        size = max(1, min(limit, PAGE_MAX))
        found = await self._ask(walk.phases[0], walk.begin, walk.end, size, walk.token)
        envelopes = [envelope(self._topic, row) for row in found.rows]
        if found.next:
            if found.next == walk.token:
                raise Transient(f"{self._stream.name}: Amazon gave the same page token twice", code="cursor_repeated")
            if walk.pages >= PAGES_MAX:
                raise Transient(f"{self._stream.name}: more pages than a sweep can hold", code="pages_exceeded")
            return Page(envelopes, replace(walk, token=found.next, pages=walk.pages + 1).to_cursor(), more=True)
        if walk.phases[1:]:
            following = replace(walk, phases=walk.phases[1:], token=None, pages=0)
            return Page(envelopes, following.to_cursor(), more=True)
        return Page(envelopes, {"mark": moments.text(walk.end)}, more=False, watermark=walk.end)

    def _start(self, cursor: Cursor | None, since: datetime | None) -> Walk:
        now = self._ctx.clock.now()
        mark = moments.read(cursor.get("mark")) if cursor else None
        begin = mark - timedelta(seconds=self._stream.overlap_s) if mark else since or now - BACKFILL
        oldest = now - timedelta(days=HISTORY_DAYS)
        if begin < oldest:
            log.warning(
                "amazon_vendor.history_cut", account=self._ctx.account, stream=self._stream.name, days=HISTORY_DAYS
            )
            begin = oldest
        return Walk(min(begin, now), now, self._phases)

    def _resume(self, cursor: Mapping[str, Any]) -> Walk:
        begin, end = moments.read(cursor.get("from")), moments.read(cursor.get("to"))
        phases = tuple(str(each) for each in cursor.get("phases") or ())
        if begin is None or end is None or not phases or not set(phases) <= set(self._phases):
            raise Rejected(
                f"the cursor of {self._stream.name} is damaged; pull the account again", code="cursor_damaged"
            )
        token = cursor.get("token")
        return Walk(begin, end, phases, str(token) if token else None, int(cursor.get("pages") or 0))
