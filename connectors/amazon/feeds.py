"""The feed pipeline: document, upload, feed, status, result. Used by every kind of feed.

`createFeed` has no idempotency key. When its answer is lost the feeds of that type made since are listed;
one that nobody claimed and that is alone in its time is ours. More than one is doubt.

Source: feeds_2021-06-30 (2026-08): addresses of documents live five minutes and take the content type
they were announced with; a feed may be cancelled in the queue only; FATAL may have a document too; feeds
are kept 90 days, results 28. Changelog 2025-05: five JSON_LISTINGS_FEED in five minutes per region.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.amazon import moments
from connectors.amazon.api import Api, escaped
from connectors.amazon.feed_documents import FEED_TYPE
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Conflict, InDoubt, RateLimited, Rejected, Transient

log = structlog.get_logger(__name__)

PATH: Final = "/feeds/2021-06-30"
IN_QUEUE: Final = "IN_QUEUE"
DONE: Final = "DONE"
FATAL: Final = "FATAL"
CANCELLED: Final = "CANCELLED"
UNFINISHED: Final = (IN_QUEUE, "IN_PROGRESS")
FINISHED: Final = frozenset({DONE, FATAL, CANCELLED})

CLOCK_SKEW: Final = timedelta(minutes=2)
PAGES_MAX: Final = 5
CLAIMED_MAX: Final = 10_000
"""Feeds remembered as our own: those of a week at the most Amazon takes."""
LOST_WITHIN: Final = timedelta(minutes=5)
"""A feed whose answer was lost was made this soon after it was sent: the call itself takes half a minute at most."""
WINDOW_S: Final = 300.0
FEEDS_IN_WINDOW: Final[Mapping[str, int]] = {FEED_TYPE: 5}
"""More feeds of a type in five minutes are refused, whatever the bucket of createFeed holds."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as Amazon sees it. A status we do not know counts as unfinished."""

    feed_id: str
    feed_type: str
    status: str
    created_at: datetime | None = None
    result_document: str | None = None

    @property
    def finished(self) -> bool:
        return self.status in FINISHED


class Feeds:
    """One account's feeds. Remembers which are its own, so that a lookup never takes one twice."""

    def __init__(self, ctx: AccountContext, api: Api) -> None:
        self._ctx = ctx
        self._api = api
        self._claimed: dict[str, None] = {}
        self._recent: dict[str, deque[float]] = {}

    async def submit(self, feed_type: str, content: bytes, content_type: str, marketplaces: Sequence[str]) -> str:
        """Send one document; gives the feed's id.

        Raises:
            InDoubt: The answer to createFeed was lost; `find_lost` may tell.
            Transient, RateLimited, Rejected, AuthFailed: No feed was made.
        """
        self._take_turn(feed_type)
        document = await self._upload(content, content_type)
        body = {"feedType": feed_type, "marketplaceIds": list(marketplaces), "inputFeedDocumentId": document}
        answer = await self._api.request("POST", f"{PATH}/feeds", operation="createFeed", json=body, write=True)
        self._recent.setdefault(feed_type, deque()).append(self._ctx.clock.monotonic())
        made = answer.json()
        feed_id = made.get("feedId") if isinstance(made, Mapping) else None
        if not isinstance(feed_id, str) or not feed_id:
            raise InDoubt("Amazon took the feed but gave no id", **answer.facts("no_feed_id"))
        self.claim(feed_id)
        return feed_id

    def claim(self, feed_id: str) -> None:
        self._claimed[feed_id] = None
        while len(self._claimed) > CLAIMED_MAX:
            self._claimed.pop(next(iter(self._claimed)))

    def claims(self, feed_id: str) -> bool:
        return feed_id in self._claimed

    async def find_lost(
        self, feed_type: str, marketplaces: Sequence[str], began: datetime, *, rivals: bool = False
    ) -> str | None:
        """The feed sent at `began` whose id never reached us, claimed; None when there is none.

        Args:
            rivals: Answers to other feeds of this type were lost, or are awaited, at the same time.

        Raises:
            InDoubt: Several fit, or one that may be a rival's: another program makes feeds of this type too.
        """
        found = [
            feed
            for feed, row in await self._list({"feedTypes": [feed_type], "createdSince": _since(began)})
            if not self.claims(feed.feed_id) and _for(row, marketplaces) and _in_time(feed, began)
        ]
        if len(found) > 1 or (found and rivals):
            message = f"{len(found)} feeds of type {feed_type} fit the one whose answer was lost"
            raise InDoubt(message, code="feed_ambiguous")
        if not found:
            return None
        self.claim(found[0].feed_id)
        log.info("amazon.feed_found", account=self._ctx.account, feed=found[0].feed_id, type=feed_type)
        return found[0].feed_id

    async def made_since(self, feed_type: str, since: datetime, *, unfinished: bool = False) -> list[Feed]:
        """Feeds of a type, oldest first; `unfinished`: those in the queue or being processed alone."""
        query: dict[str, Any] = {"feedTypes": [feed_type], "createdSince": moments.text(since)}
        if unfinished:
            query["processingStatuses"] = list(UNFINISHED)
        found = [feed for feed, _ in await self._list(query)]
        return sorted(found, key=lambda feed: feed.created_at or since)

    async def state(self, feed_id: str) -> Feed:
        """Raises: TargetMissing: Amazon knows no such feed (any more)."""
        answer = await self._api.request("GET", f"{PATH}/feeds/{escaped(feed_id)}", operation="getFeed")
        feed = _feed(answer.json())
        if feed is None:
            raise Transient("getFeed: the answer is no feed", **answer.facts("unexpected_body"))
        return feed

    async def result(self, feed: Feed) -> bytes | None:
        """The processing report as it is, None when the feed has none."""
        if feed.result_document is None:
            return None
        path = f"{PATH}/documents/{escaped(feed.result_document)}"
        answer = await self._api.request("GET", path, operation="getFeedDocument")
        url, packed = _document(answer.json(), "url"), _document(answer.json(), "compressionAlgorithm")
        if url is None:
            raise Transient("getFeedDocument: the answer has no address", **answer.facts("unexpected_body"))
        return await self._api.download(url, packed)

    async def cancel(self, feed_id: str) -> bool:
        """Take a feed out of the queue; False when it was too late for that."""
        path = f"{PATH}/feeds/{escaped(feed_id)}"
        try:
            await self._api.request("DELETE", path, operation="cancelFeed", write=True, keyed=True)
        except (Rejected, Conflict) as error:
            log.info("amazon.feed_not_cancelled", account=self._ctx.account, feed=feed_id, code=error.code)
            return False
        log.info("amazon.feed_cancelled", account=self._ctx.account, feed=feed_id)
        return True

    async def _upload(self, content: bytes, content_type: str) -> str:
        """A document may be made again, so an address that ended before the upload costs nothing but a call."""
        for chance in (1, 2):
            answer = await self._api.request(
                "POST",
                f"{PATH}/documents",
                operation="createFeedDocument",
                json={"contentType": content_type},
                write=True,
                keyed=True,
            )
            document, url = _document(answer.json(), "feedDocumentId"), _document(answer.json(), "url")
            if document is None or url is None:
                raise Transient("createFeedDocument: the answer has no address", **answer.facts("unexpected_body"))
            try:
                await self._api.upload(url, content, content_type)
            except Transient:
                if chance == 2:
                    raise
                continue
            return document
        raise AssertionError("the second chance returns or raises")

    def _take_turn(self, feed_type: str) -> None:
        most = FEEDS_IN_WINDOW.get(feed_type)
        recent = self._recent.setdefault(feed_type, deque())
        now_s = self._ctx.clock.monotonic()
        while recent and now_s - recent[0] >= WINDOW_S:
            recent.popleft()
        if most is not None and len(recent) >= most:
            wait_s = WINDOW_S - (now_s - recent[0])
            message = f"{most} feeds of type {feed_type} in five minutes are all Amazon takes"
            raise RateLimited(message, code="feeds_in_window", retry_after_s=wait_s)

    async def _list(self, query: Mapping[str, Any]) -> list[tuple[Feed, Mapping[str, Any]]]:
        found: list[tuple[Feed, Mapping[str, Any]]] = []
        params: dict[str, Any] = {**query, "pageSize": 100}
        for _ in range(PAGES_MAX):
            answer = await self._api.request("GET", f"{PATH}/feeds", operation="getFeeds", params=params)
            body = answer.json()
            rows = body.get("feeds") if isinstance(body, Mapping) else None
            if not isinstance(rows, list):
                raise Transient("getFeeds: the answer is no list", **answer.facts("unexpected_body"))
            for row in rows:
                feed = _feed(row)
                if feed is not None:
                    found.append((feed, row))
            # A page token is sent alone.
            following = body.get("nextToken")
            if not following or following == params.get("nextToken"):
                break
            params = {"nextToken": following}
        return found


def _feed(row: object) -> Feed | None:
    if not isinstance(row, Mapping) or not row.get("feedId"):
        return None
    document = row.get("resultFeedDocumentId")
    return Feed(
        feed_id=str(row["feedId"]),
        feed_type=str(row.get("feedType") or ""),
        status=str(row.get("processingStatus") or ""),
        created_at=moments.read(row.get("createdTime")),
        result_document=str(document) if document else None,
    )


def _for(row: Mapping[str, Any], marketplaces: Sequence[str]) -> bool:
    """A listing of feeds need not say the marketplaces; where it does they have to be ours."""
    told = row.get("marketplaceIds")
    return not isinstance(told, list) or not told or set(told) == set(marketplaces)


def _in_time(feed: Feed, began: datetime) -> bool:
    """One made long after ours was sent is somebody else's."""
    return feed.created_at is None or feed.created_at <= began + LOST_WITHIN


def _since(began: datetime) -> str:
    return moments.text(began - CLOCK_SKEW)


def _document(body: object, name: str) -> str | None:
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, str) and value else None
