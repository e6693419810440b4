"""Reading everything changed since a mark, page by page, so that any page can be the one after a restart.

A sweep covers the time from the mark (less an overlap) to now in one or more windows; a window
that holds more than Walmart will page through is halved. The whole state stands in the cursor:

- at rest: `{"mark": "2026-11-21T10:00:00Z"}`
- under way: `{"end", "created", "windows": [[from, to], …], "next": "?…", "pages": n, "restarts": n}`

`next` is Walmart's `nextCursor`, a complete query string that is sent back byte for byte: parsed
and rebuilt it silently starts over at page one.

Source: Walmart orders and returns OpenAPI documents (2026-06); operators' reports (2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Stream
from connectors.walmart.api import Api
from connectors.walmart.wire import parse_time, query_time, server_time

log = structlog.get_logger(__name__)

HISTORY_DAYS: Final = 179
"""Orders older than 180 days are not given; a day less keeps clear of the edge."""

WINDOW_ROWS_MAX: Final = 20_000
"""A query that finds more than this is an error, so its window is halved."""

BACKFILL_DAYS: Final = 30
"""Where a new account starts: an order not shipped four days after its date is cancelled by
Walmart, so nothing older still needs stock."""

RESTARTS_MAX: Final = 2
"""How often one window is begun again because Walmart refused its own cursor."""

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Walk:
    """A sweep under way. `windows[0]` is being read; `next` is None at its first page."""

    end: datetime
    created: datetime
    windows: tuple[Window, ...]
    next: str | None = None
    pages: int = 0
    restarts: int = 0

    def to_cursor(self) -> dict[str, Any]:
        cursor: dict[str, Any] = {
            "end": query_time(self.end),
            "created": query_time(self.created),
            "windows": [[query_time(a), query_time(b)] for a, b in self.windows],
            "pages": self.pages,
            "restarts": self.restarts,
        }
        return cursor if self.next is None else cursor | {"next": self.next}

    @staticmethod
    def from_cursor(cursor: Mapping[str, Any]) -> Walk:
        return Walk(
            end=parse_time(cursor["end"]),
            created=parse_time(cursor["created"]),
            windows=tuple((parse_time(a), parse_time(b)) for a, b in cursor["windows"]),
            next=cursor.get("next"),
            pages=int(cursor.get("pages", 0)),
            restarts=int(cursor.get("restarts", 0)),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What one page held."""

    envelopes: Sequence[Envelope] = field(default_factory=tuple)
    next: str | None = None
    total: int = 0


class Noun(Protocol):
    """What differs between orders and returns."""

    path: str
    budget: str
    kind: str

    def first_query(self, walk: Walk, limit: int) -> Mapping[str, str | int]: ...

    def read(self, answer: Answer) -> Found: ...


class Sweeper:
    """One stream. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, stream: Stream, noun: Noun) -> None:
        self._ctx = ctx
        self._api = api
        self._stream = stream
        self._noun = noun

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page. A page without rows but with `more` set is normal: a window was halved or empty."""
        walk = Walk.from_cursor(cursor) if cursor and "windows" in cursor else self._start(cursor, since)
        size = max(1, min(limit, self._stream.page_max))
        try:
            answer = await self._ask(walk, size)
        except TargetMissing:
            # Walmart says "nothing found" with 404 and an error body.
            return self._advance(walk, ())
        except Rejected as error:
            return self._rescue(walk, error)
        if walk.next is None:
            walk = replace(walk, end=min(walk.end, server_time(answer) or walk.end))
        found = self._noun.read(answer)
        if walk.next is None and found.total > WINDOW_ROWS_MAX and (halves := _halves(walk.windows[0])):
            return self._page((), replace(walk, windows=halves + walk.windows[1:]))
        if not found.next:
            return self._advance(walk, found.envelopes)
        self._refuse_loop(walk, found.next, size)
        return self._page(found.envelopes, replace(walk, next=found.next, pages=walk.pages + 1))

    def _start(self, cursor: Cursor | None, since: datetime | None) -> Walk:
        now = self._ctx.clock.now().replace(microsecond=0)
        oldest = now - timedelta(days=HISTORY_DAYS)
        if cursor:
            begin = parse_time(cursor["mark"]) - timedelta(seconds=self._stream.overlap_s)
        else:
            begin = since or now - timedelta(days=BACKFILL_DAYS)
        if begin < oldest:
            log.warning("walmart.history_cut", account=self._ctx.account, stream=self._stream.name, days=HISTORY_DAYS)
            begin = oldest
        return Walk(end=now, created=oldest, windows=((min(begin, now), now),))

    async def _ask(self, walk: Walk, size: int) -> Answer:
        noun = self._noun
        if walk.next is not None:
            return await self._api.get(noun.path, kind=noun.kind, budget=noun.budget, raw_query=walk.next)
        query = noun.first_query(walk, size)
        return await self._api.get(noun.path, kind=noun.kind, budget=noun.budget, params=query)

    def _rescue(self, walk: Walk, error: Rejected) -> Page:
        """A refused first page may hold too many rows; a refused later one has a cursor that died."""
        if walk.next is not None and walk.restarts < RESTARTS_MAX:
            log.warning("walmart.cursor_refused", account=self._ctx.account, stream=self._stream.name, code=error.code)
            # Read again from the window's start: every row is recognised by its dedupe key.
            return self._page((), replace(walk, next=None, pages=0, restarts=walk.restarts + 1))
        halves = _halves(walk.windows[0]) if _too_many(error) else ()
        if not halves:
            raise error
        return self._page((), replace(walk, windows=halves + walk.windows[1:]))

    def _refuse_loop(self, walk: Walk, following: str, size: int) -> None:
        if following == walk.next:
            raise Transient(f"{self._noun.kind}: Walmart gave the same page cursor twice", code="cursor_repeated")
        if walk.pages > WINDOW_ROWS_MAX // size + 10:
            raise Transient(f"{self._noun.kind}: more pages than a window can hold", code="pages_exceeded")

    def _advance(self, walk: Walk, envelopes: Sequence[Envelope]) -> Page:
        rest = walk.windows[1:]
        if rest:
            return self._page(envelopes, replace(walk, windows=rest, next=None, pages=0, restarts=0))
        return Page(envelopes, {"mark": query_time(walk.end)}, more=False, watermark=walk.end)

    def _page(self, envelopes: Sequence[Envelope], walk: Walk) -> Page:
        return Page(envelopes, walk.to_cursor(), more=True)


def _halves(window: Window) -> tuple[Window, ...]:
    """Two halves sharing their border second, or none when a second cannot be split."""
    begin, end = window
    if end - begin < timedelta(seconds=2):
        return ()
    middle = (begin + (end - begin) / 2).replace(microsecond=0)
    return ((begin, middle), (middle, end))


def _too_many(error: Rejected) -> bool:
    """The error has no documented code, so its text is looked at for the documented number."""
    text = error.message.replace(",", "")
    return str(WINDOW_ROWS_MAX) in text
