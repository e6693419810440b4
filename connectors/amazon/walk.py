"""Reading every order changed since a mark, page token by page token.

A sweep covers the time from the mark, less an overlap, to now; what happened in the two minutes before it
began counts as unseen, since Amazon answers for older times only. It states no end of its own, so that no
clock that is ahead can be refused. Amazon gives orders oldest first: whenever the tokens fail (they live 24 h,
and die with any changed parameter) the sweep goes on without one from the last order it has seen. The cursor
holds it all:

- at rest: `{"mark": "2026-11-21T10:00:00.000Z"}`
- under way: `{"from", "to", "token", "token_at", "seen", "restarts"}`

Source: orders_2026-01-01, searchOrders (2026-08): ends of ranges at least two minutes in the past, tokens
of 24 h; amzn/selling-partner-api-models issues 974, 2297, 3945, 5048 (2021 to 2026): late orders, repeated
tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.amazon import moments
from connectors.amazon.manifest import HISTORY_DAYS
from connectors.sdk.contract import Cursor
from connectors.sdk.errors import Rejected, Transient

log = structlog.get_logger(__name__)

BACKFILL: Final = timedelta(days=30)
"""Where a new account starts: what is older is shipped or cancelled."""

EDGE: Final = timedelta(minutes=2)
"""The youngest end of a range that Amazon accepts."""

TOKEN_LIFE: Final = timedelta(hours=23)
"""An hour less than Amazon's, so that a token never ends on its way."""

RESTARTS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Walk:
    """A sweep under way: begun at `start`, complete up to `end` once it is over; `seen` is how far it came."""

    start: datetime
    end: datetime
    token: str | None = None
    token_at: datetime | None = None
    seen: datetime | None = None
    restarts: int = 0

    def to_cursor(self) -> dict[str, Any]:
        return {
            "from": moments.text(self.start),
            "to": moments.text(self.end),
            "token": self.token,
            "token_at": moments.text(self.token_at) if self.token_at else None,
            "seen": moments.text(self.seen) if self.seen else None,
            "restarts": self.restarts,
        }

    def at_rest(self) -> dict[str, Any]:
        """The cursor of a sweep that is complete."""
        return {"mark": moments.text(self.end)}


def start(cursor: Cursor | None, since: datetime | None, now: datetime, overlap_s: float, account: str) -> Walk:
    """A new sweep, or the one under way that `cursor` describes.

    Raises:
        Rejected: The cursor is none of ours.
    """
    if cursor and "from" in cursor:
        return resume(cursor, now)
    end = now - EDGE
    mark = moments.read(cursor.get("mark")) if cursor else None
    begin = mark - timedelta(seconds=overlap_s) if mark else since or now - BACKFILL
    oldest = now - timedelta(days=HISTORY_DAYS)
    if begin < oldest:
        log.warning("amazon.history_cut", account=account, days=HISTORY_DAYS)
        begin = oldest
    return Walk(min(begin, end), end)


def resume(cursor: Mapping[str, Any], now: datetime) -> Walk:
    """The sweep under way that `cursor` describes.

    Raises:
        Rejected: It is none of ours.
    """
    begin, end = moments.read(cursor.get("from")), moments.read(cursor.get("to"))
    if begin is None or end is None:
        raise Rejected("the cursor of the orders stream is damaged; pull the account again", code="cursor_damaged")
    token = cursor.get("token")
    walk = Walk(
        begin,
        end,
        str(token) if token else None,
        moments.read(cursor.get("token_at")),
        moments.read(cursor.get("seen")),
        int(cursor.get("restarts") or 0),
    )
    if walk.token is not None and (walk.token_at is None or now - walk.token_at >= TOKEN_LIFE):
        return without_token(walk)
    return walk


def after(walk: Walk, token: str | None, seen: datetime | None, now: datetime) -> Walk | None:
    """The walk behind a page that ended at `seen`; None when the sweep is complete.

    Raises:
        Transient: The tokens lead nowhere, however often the sweep goes on without them.
    """
    reached = max(filter(None, (walk.seen, seen)), default=None)
    if not token:
        return None
    if token == walk.token:
        log.warning("amazon.token_repeated", seen=str(reached))
        return without_token(replace(walk, seen=reached))
    return replace(walk, token=token, token_at=now, seen=reached)


def without_token(walk: Walk) -> Walk:
    """The same sweep from the last order seen on.

    Raises:
        Transient: It has been tried too often.
    """
    if walk.restarts >= RESTARTS_MAX:
        raise Transient("orders: Amazon's page tokens lead nowhere", code="cursor_repeated")
    begin = max(walk.start, walk.seen) if walk.seen else walk.start
    return replace(walk, start=begin, token=None, token_at=None, restarts=walk.restarts + 1)


def rescued(walk: Walk, error: Rejected) -> Walk:
    """The walk to go on with after Amazon refused a request with a token, for whichever parameter.

    Raises:
        Rejected: The same error, when there was no token to blame.
    """
    if error.status != 400 or walk.token is None:
        raise error
    return without_token(walk)
