"""Which SKUs are on their way in a feed: those are not sent any other way until it has ended.

Amazon promises no order between a queued feed and a later PATCH, so the older number could win. Feeds made
before this process began may hold any SKU: until they end, only numbers that cannot wait pass them.

Source: operators' reports on ordering and on feeds stuck for hours and days (2024 to 2026).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from connectors.amazon.feed_documents import FEED_TYPE
from connectors.amazon.feeds import IN_QUEUE, Feed, Feeds
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, ConnectorError, TargetMissing

log = structlog.get_logger(__name__)

STUCK_AFTER: Final = timedelta(hours=4)
"""A feed of numbers takes minutes. One this old is given up: its numbers are sent again by another feed or PATCH,
and reading back finds out should it be processed after all."""

LOOK_EVERY_S: Final = 15.0
FREE_EVERY_S: Final = 600.0
"""A feed cancelled for one number has to be made again for all its others, so this is not done all the time."""

RECOVER_EVERY_S: Final = 300.0


def is_stuck(feed: Feed, now: datetime) -> bool:
    return not feed.finished and feed.created_at is not None and now - feed.created_at > STUCK_AFTER


class OpenFeeds:
    """One account's unfinished feeds of numbers. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, feeds: Feeds) -> None:
        self._ctx = ctx
        self._feeds = feeds
        self._skus: dict[str, set[str]] = {}
        self._looked_s: dict[str, float] = {}
        self._earlier: set[str] = set()
        self._freed_s = -FREE_EVERY_S
        self._recovering = asyncio.Lock()
        self._recovered = False
        self._tried_s = -RECOVER_EVERY_S

    def opened(self, feed_id: str, skus: Iterable[str]) -> None:
        """These SKUs wait for this feed; said again after a restart, when the feed is asked for."""
        self._skus.setdefault(feed_id, set()).update(skus)
        self._earlier.discard(feed_id)

    def closed(self, feed_id: str) -> None:
        self._skus.pop(feed_id, None)
        self._looked_s.pop(feed_id, None)
        self._earlier.discard(feed_id)

    async def blocking(self, skus: Collection[str], urgent: Collection[str]) -> dict[str, str]:
        """SKU to the unfinished feed it has to wait for. An `urgent` one frees itself from a queued feed, now and then.

        Raises:
            AuthFailed: As everywhere; any other failure to look leaves what is known as it is.
        """
        async with self._recovering:
            await self._recover()
        for feed_id in [feed_id for feed_id, held in self._skus.items() if not held.isdisjoint(skus)]:
            held = self._skus.get(feed_id)
            # None: it has ended while the one before was looked at.
            if held is not None:
                await self._look(feed_id, free=not held.isdisjoint(urgent))
        for feed_id in list(self._earlier):
            await self._look(feed_id, free=False)
        found = {sku: feed_id for feed_id, held in self._skus.items() for sku in held.intersection(skus)}
        earlier = next(iter(self._earlier), None)
        if earlier is not None:
            found = {sku: earlier for sku in skus if sku not in urgent} | found
        return found

    async def _look(self, feed_id: str, *, free: bool) -> None:
        """Drop a feed that has ended or is stuck; `free`: take it out of the queue if it is still there."""
        now_s = self._ctx.clock.monotonic()
        if not free and now_s - self._looked_s.get(feed_id, -LOOK_EVERY_S) < LOOK_EVERY_S:
            return
        self._looked_s[feed_id] = now_s
        try:
            feed = await self._feeds.state(feed_id)
            if feed.finished or (free and await self._freed(feed)):
                self.closed(feed_id)
            elif is_stuck(feed, self._ctx.clock.now()):
                log.error("amazon.feed_stuck", account=self._ctx.account, feed=feed_id, status=feed.status)
                self.closed(feed_id)
        except TargetMissing:
            self.closed(feed_id)
        except AuthFailed:
            raise
        except ConnectorError as error:
            log.warning("amazon.feed_unread", account=self._ctx.account, feed=feed_id, code=error.code)

    async def _freed(self, feed: Feed) -> bool:
        """Taken out of the queue; at most once in a while, or a busy seller's feeds would never end."""
        now_s = self._ctx.clock.monotonic()
        if feed.status != IN_QUEUE or now_s - self._freed_s < FREE_EVERY_S:
            return False
        self._freed_s = now_s
        return await self._feeds.cancel(feed.feed_id)

    async def _recover(self) -> None:
        """Once per process: feeds of numbers that were under way before it."""
        now_s = self._ctx.clock.monotonic()
        if self._recovered or now_s - self._tried_s < RECOVER_EVERY_S:
            return
        self._tried_s = now_s
        try:
            since = self._ctx.clock.now() - STUCK_AFTER
            for feed in await self._feeds.made_since(FEED_TYPE, since, unfinished=True):
                if not feed.finished and not self._feeds.claims(feed.feed_id):
                    self._earlier.add(feed.feed_id)
            self._recovered = True
        except AuthFailed:
            raise
        except ConnectorError as error:
            # The numbers themselves are what matters; reading back proves them.
            log.warning("amazon.feeds_unlisted", account=self._ctx.account, code=error.code)
