"""Numbers sent as a feed, and what its report says of each.

A feed's answer may be lost: it is looked for twice, and numbers being absolute, sending again does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connectors.amazon import feed_documents
from connectors.amazon.errors import listing_issue
from connectors.amazon.feed_documents import FeedFile, NotAReport, Report
from connectors.amazon.feeds import CANCELLED, FATAL, Feed, Feeds
from connectors.amazon.patching import all_failed
from connectors.sdk.contract import AccountContext, PushItem, PushResult, PushState
from connectors.sdk.errors import AuthFailed, ConnectorError, InDoubt, Transient

LOST_LOOK_WAIT_S: Final = 15.0

APART_S: Final = 60.0
"""Amazon takes five feeds in five minutes: made as numbers come in, small ones would be spent in a second, and the
many that follow would wait for the rest of the five minutes."""

FULL: Final = 20_000
"""Numbers that are worth a feed whenever the last one was made: nearly all that one document holds."""


class Bulk:
    """One account's feeds of numbers, one being made at a time."""

    def __init__(self, ctx: AccountContext, feeds: Feeds) -> None:
        self._ctx = ctx
        self._feeds = feeds
        self._turn = asyncio.Lock()
        self._made_s = -APART_S

    def wait_s(self, file: FeedFile) -> float:
        """Seconds this document had better wait for more numbers; a full one waits for nothing."""
        if len(file.numbers) >= FULL:
            return 0.0
        return max(0.0, self._made_s + APART_S - self._ctx.clock.monotonic())

    async def submit(self, file: FeedFile) -> str:
        """Send one document; gives the feed's id.

        Raises:
            Transient: The answer was lost and no such feed is found: safe to send again.
            RateLimited, Rejected, AuthFailed: No feed was made.
        """
        async with self._turn:
            began = self._ctx.clock.now()
            kind, content_type = feed_documents.FEED_TYPE, feed_documents.CONTENT_TYPE
            try:
                feed_id = await self._feeds.submit(kind, file.content, content_type, file.marketplaces)
            except InDoubt as lost:
                found = await self._find(file, began, lost)
                if found is None:
                    raise _lost(lost) from lost
                feed_id = found
            self._made_s = self._ctx.clock.monotonic()
            return feed_id

    async def _find(self, file: FeedFile, began: datetime, lost: InDoubt) -> str | None:
        for look in (1, 2):
            try:
                found = await self._feeds.find_lost(feed_documents.FEED_TYPE, file.marketplaces, began)
            except ConnectorError as error:
                if isinstance(error, AuthFailed):
                    raise
                raise _lost(lost) from error
            if found is not None or look == 2:
                return found
            await self._ctx.clock.sleep(LOST_LOOK_WAIT_S)
        return None

    async def judge(self, feed: Feed, items: Sequence[PushItem]) -> list[PushResult]:
        """DONE is no success: each message's issues say. What is not mentioned was taken, and is proven by reading."""
        if feed.status == CANCELLED:
            error = Transient(f"feed {feed.feed_id} was cancelled", code="feed_cancelled")
            return all_failed(items, feed.feed_id, error)
        content = await self._feeds.result(feed)
        try:
            report = feed_documents.read_report(content) if content is not None else None
        except NotAReport as error:
            if feed.status != FATAL:
                raise Transient(f"feed {feed.feed_id}: {error}", code="report_unreadable") from error
            report = None
        return [_item_result(item, feed, report) for item in items]


def _item_result(item: PushItem, feed: Feed, report: Report | None) -> PushResult:
    issue = report.issue_of(item.ref.channel_sku) if report is not None else None
    error: ConnectorError | None = None
    general = report.general[0] if report is not None and report.general else None
    if issue is not None:
        error = listing_issue(issue.code, issue.message, issue.severity)
    elif feed.status == FATAL or (general is not None and report is not None and not report.accepted):
        why = f": {general.code} {general.message}" if general is not None else ""
        # Some, none or all of it may have been carried out, so the number is sent again.
        error = Transient(f"feed {feed.feed_id} failed as a whole{why}", code="feed_failed")
    if error is None:
        return PushResult(item, PushState.ACCEPTED, receipt=feed.feed_id)
    return PushResult(item, PushState.FAILED, receipt=feed.feed_id, error=error)


def _lost(lost: InDoubt) -> Transient:
    message = f"the answer to a feed was lost and Amazon lists no such feed ({lost.message})"
    return Transient(message, code="feed_lost", status=lost.status, correlation_id=lost.correlation_id)
