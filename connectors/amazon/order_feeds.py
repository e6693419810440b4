"""Edge work that goes by feed: sent once, waited for, and found again when its answer was lost.

A feed tells neither what it holds nor whose it is. One made here is remembered until its end; one whose id was
lost, or made before a restart, is looked for by type and time. What cannot be told stays unknown: a refund sent
twice is paid twice.

Source: feeds_2021-06-30 (2026-08): FATAL may have been carried out in part; reports are kept 28 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog

from connectors.amazon import xmlfeeds
from connectors.amazon.feeds import CANCELLED, DONE, LOST_WITHIN, Feed, Feeds
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, TargetMissing, Transient

log = structlog.get_logger(__name__)

WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""How long a feed is waited for before it is left to be asked for later; other work of the account waits too."""

LIST_LAG: Final = timedelta(minutes=2)
"""A list of feeds may lag: only after this long does a feed's absence mean that it was never made."""

LOOK_BACK: Final = timedelta(days=4)
"""Longer than the engine asks about one piece of work."""

REPORTS_MAX: Final = 3
REMEMBERED_MAX: Final = 1_000


class Verdict(StrEnum):
    """`NEVER_MADE`: no feed of that type is there. `ENDED`: it ended without saying no."""

    NEVER_MADE = "never_made"
    UNDER_WAY = "under_way"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Work:
    """One order's piece of work. `key` is the effect's own; `marketplaces` those of the feed."""

    key: str
    feed_type: str
    order_id: str
    marketplaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sent:
    feed_type: str
    began: datetime
    feed_id: str | None = None


class OrderFeeds:
    """One account's feeds about orders. The engine never runs one piece of work twice at once."""

    def __init__(self, ctx: AccountContext, feeds: Feeds) -> None:
        self._ctx = ctx
        self._feeds = feeds
        self._opened = ctx.clock.now()
        self._sent: dict[str, _Sent] = {}

    async def send(self, work: Work, content: bytes) -> str:
        """Send and wait for the report; gives the feed's id.

        Raises:
            Rejected: The report refuses it; nothing was carried out.
            Transient, RateLimited, AuthFailed: No feed was made, or it was cancelled.
            InDoubt: It was made, or may have been, and has not ended.
        """
        began = self._ctx.clock.now()
        self._remember(work, _Sent(work.feed_type, began))
        try:
            feed_id = await self._feeds.submit(work.feed_type, content, xmlfeeds.CONTENT_TYPE, work.marketplaces)
        except InDoubt:
            raise
        except ConnectorError:
            self.forget(work)
            raise
        self._remember(work, _Sent(work.feed_type, began, feed_id))
        try:
            outcome = await self._outcome(feed_id, work)
        except ConnectorError as error:
            # The feed is there: whatever went wrong with reading it must not have it sent again.
            raise InDoubt(f"feed {feed_id} cannot be read: {error.message}", code=error.code) from error
        if isinstance(outcome, Rejected):
            raise outcome
        if outcome is Verdict.NEVER_MADE:
            self.forget(work)
            raise Transient(f"feed {feed_id} was cancelled before it was processed", code="feed_cancelled")
        if outcome is Verdict.UNDER_WAY:
            raise InDoubt(f"feed {feed_id} has not ended yet", code="feed_pending")
        if outcome is Verdict.UNKNOWN:
            raise InDoubt(f"feed {feed_id} ended without saying what became of it", code="feed_unclear")
        return feed_id

    async def verdict(self, work: Work) -> Verdict:
        """What became of work whose answer never came.

        Raises:
            Rejected: A report refuses it.
            ConnectorError: It could not be read now.
        """
        sent = self._sent.get(work.key)
        if sent is None:
            return await self._after_restart(work)
        feed_id = sent.feed_id
        if feed_id is None:
            try:
                rivals = self._has_rivals(work.key, sent)
                feed_id = await self._feeds.find_lost(work.feed_type, work.marketplaces, sent.began, rivals=rivals)
            except InDoubt:
                return Verdict.UNKNOWN
            if feed_id is None:
                lagging = self._ctx.clock.now() - sent.began < LIST_LAG
                return Verdict.UNKNOWN if lagging else Verdict.NEVER_MADE
            self._remember(work, _Sent(work.feed_type, sent.began, feed_id))
        outcome = await self._outcome(feed_id, work)
        if isinstance(outcome, Rejected):
            raise outcome
        return outcome

    def forget(self, work: Work) -> None:
        """The work is settled one way or the other."""
        self._sent.pop(work.key, None)

    def _has_rivals(self, key: str, sent: _Sent) -> bool:
        """Whether a feed that is found could as well be that of other work: sent about then, its id unknown too."""
        return any(
            each.feed_type == sent.feed_type and each.feed_id is None and abs(each.began - sent.began) <= LOST_WITHIN
            for other, each in self._sent.items()
            if other != key
        )

    def _remember(self, work: Work, sent: _Sent) -> None:
        self._sent[work.key] = sent
        while len(self._sent) > REMEMBERED_MAX:
            self._sent.pop(next(iter(self._sent)))

    async def _after_restart(self, work: Work) -> Verdict:
        now = self._ctx.clock.now()
        if now - self._opened < LIST_LAG:
            return Verdict.UNKNOWN
        made = [
            feed
            for feed in await self._feeds.made_since(work.feed_type, now - LOOK_BACK)
            if not self._feeds.claims(feed.feed_id)
        ]
        if not made:
            return Verdict.NEVER_MADE
        if not all(feed.finished for feed in made):
            return Verdict.UNDER_WAY
        await self._look_for_refusal(work, made)
        return Verdict.UNKNOWN

    async def _look_for_refusal(self, work: Work, made: Sequence[Feed]) -> None:
        """Raises: Rejected: One of the latest reports names the order."""
        for feed in reversed(made[-REPORTS_MAX:]):
            report = await self._report(feed)
            named = [each for each in report.problems if each.order == work.order_id] if report else []
            if named:
                raise _refused(named[0], feed)

    async def _outcome(self, feed_id: str, work: Work) -> Verdict | Rejected:
        """What the feed says after some waiting."""
        feed = await self._feeds.state(feed_id)
        for wait_s in WAITS_S:
            if feed.finished:
                break
            await self._ctx.clock.sleep(wait_s)
            feed = await self._feeds.state(feed_id)
        if not feed.finished:
            return Verdict.UNDER_WAY
        if feed.status == CANCELLED:
            return Verdict.NEVER_MADE
        report = await self._report(feed)
        problem = report.problem_with(work.order_id) if report is not None else None
        if problem is not None:
            self.forget(work)
            return _refused(problem, feed)
        told = report is not None and report.successful != 0
        return Verdict.ENDED if feed.status == DONE and told else Verdict.UNKNOWN

    async def _report(self, feed: Feed) -> xmlfeeds.XmlReport | None:
        try:
            content = await self._feeds.result(feed)
            return xmlfeeds.read_report(content) if content is not None else None
        except TargetMissing:
            return None
        except xmlfeeds.NotAReport as error:
            log.warning("amazon.report_unreadable", account=self._ctx.account, feed=feed.feed_id, why=str(error))
            return None


def _refused(problem: xmlfeeds.Problem, feed: Feed) -> Rejected:
    text = problem.text or "no description given"
    return Rejected(f"Amazon refused it in feed {feed.feed_id}: {text}", code=problem.code or "feed_refused")
