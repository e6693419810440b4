"""Feeds: taken at once, worked off later, reported in a document.

Source: feeds_2021-06-30 model (2026-08). DONE says that Amazon has finished, not that anything worked;
the XML and flat-file inventory feeds end FATAL since 2025-07-31 (changelog); five JSON_LISTINGS_FEED in
five minutes (changelog, 2025-05).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.documents import Document, Documents
from connectors.amazon.fake.rates import Buckets
from connectors.amazon.fake.replies import (
    Refusal,
    answer,
    body_of,
    count_in,
    instant_in,
    invalid,
    iso,
    listed,
    missing,
    only,
)
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

STATUSES: Final = ("CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE")
LISTINGS: Final = "JSON_LISTINGS_FEED"
CANCELLATIONS: Final = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
REFUNDS: Final = "POST_PAYMENT_ADJUSTMENT_DATA"
DEAD: Final = frozenset(
    {
        "POST_INVENTORY_AVAILABILITY_DATA",
        "POST_PRODUCT_DATA",
        "POST_PRODUCT_PRICING_DATA",
        "POST_FLAT_FILE_INVLOADER_DATA",
        "POST_FLAT_FILE_LISTINGS_DATA",
    }
)
MARKETPLACES_MAX: Final = 25
CREATION: Final = frozenset({"feedType", "marketplaceIds", "inputFeedDocumentId", "feedOptions"})
SEARCH: Final = frozenset(
    {"feedTypes", "marketplaceIds", "pageSize", "processingStatuses", "createdSince", "createdUntil", "nextToken"}
)


@dataclass
class Feed:
    number: str
    kind: str
    markets: list[str]
    source: Document
    created: datetime
    noop: bool
    status: str = "IN_QUEUE"
    started: datetime | None = None
    ended: datetime | None = None
    result: Document | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What working a feed off gave: FATAL or DONE, and the report if there is one."""

    status: str
    report: bytes | None = None
    content_type: str = "application/json; charset=UTF-8"


Work = Callable[[str, bytes, bool], Outcome]
"""(feed's number, its document, whether nothing is to be changed) → what became of it."""


@dataclass
class FeedsWire:
    """One seller's feeds; they begin after `queue_s` and are done after `work_s` more. `finished` hears of each."""

    documents: Documents
    clock: Clock
    faults: Faults
    buckets: Buckets
    workers: Mapping[str, Work]
    finished: Callable[[Feed], None]
    queue_s: float = 1.0
    work_s: float = 2.0
    feeds: dict[str, Feed] = field(default_factory=dict)
    _tokens: dict[str, list[str]] = field(default_factory=dict)

    async def create_document(self, request: web.Request) -> web.Response:
        """POST /feeds/2021-06-30/documents."""
        body = await body_of(request)
        content_type = body.get("contentType")
        if set(body) != {"contentType"} or not isinstance(content_type, str) or not content_type:
            raise invalid("contentType is required, and nothing else.")
        made = self.documents.make(content_type)
        return answer({"feedDocumentId": made.number, "url": self.documents.address(made)}, 201)

    async def create(self, request: web.Request) -> web.Response:
        """POST /feeds/2021-06-30/feeds. Not idempotent: the same document makes another feed."""
        body = await body_of(request)
        unknown = sorted(set(body) - CREATION)
        markets = body.get("marketplaceIds")
        if unknown or not isinstance(markets, list) or not 1 <= len(markets) <= MARKETPLACES_MAX:
            raise invalid(f"marketplaceIds is a list of 1 to {MARKETPLACES_MAX}. Unknown fields: {unknown}")
        kind = str(body.get("feedType"))
        if kind not in self.workers and kind not in DEAD:
            raise invalid(f"feedType: {kind}")
        source = self.documents.held.get(str(body.get("inputFeedDocumentId")))
        if source is None or source.content is None:
            raise invalid("The input feed document does not exist or was not uploaded.")
        if kind == LISTINGS:
            self.buckets.take_feed()
        number = str(53_347_000_000 + len(self.feeds) + 1)
        noop = self.faults.hit("feed_noop")
        self.feeds[number] = Feed(number, kind, [str(each) for each in markets], source, self.clock.now(), noop)
        return answer({"feedId": number}, 202)

    async def read(self, request: web.Request) -> web.Response:
        """GET /feeds/2021-06-30/feeds/{feedId}."""
        only(request, ())
        self.work()
        return answer(_shown(self._feed(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        """DELETE /feeds/2021-06-30/feeds/{feedId}: only while it is queued."""
        self.work()
        feed = self._feed(request)
        if feed.status != "IN_QUEUE":
            raise invalid(f"The feed is {feed.status}.")
        feed.status, feed.ended = "CANCELLED", self.clock.now()
        return web.Response(status=200)

    async def find(self, request: web.Request) -> web.Response:
        """GET /feeds/2021-06-30/feeds, newest first."""
        only(request, SEARCH)
        self.work()
        size = count_in(request, "pageSize", 10, 100)
        token = request.query.get("nextToken")
        if token is not None and set(request.query) != {"nextToken"}:
            raise invalid("nextToken stands alone.")
        numbers = self._matching(request) if token is None else self._tokens.get(token)
        if numbers is None:
            raise invalid("The token is invalid.")
        body: dict[str, Any] = {"feeds": [_shown(self.feeds[number]) for number in numbers[:size]]}
        if numbers[size:]:
            made = f"feeds-{len(self._tokens) + 1}"
            self._tokens[made] = numbers[size:]
            body["nextToken"] = made
        return answer(body)

    async def read_document(self, request: web.Request) -> web.Response:
        """GET /feeds/2021-06-30/documents/{feedDocumentId}."""
        only(request, {"enableContentEncodingUrlHeader"})
        document = self.documents.held.get(request.match_info["document"])
        if document is None:
            raise missing("No such document.")
        return answer(self.documents.described(document, "feedDocumentId"))

    def work(self) -> None:
        """Do what is due by now."""
        now = self.clock.now()
        for feed in self._open():
            if feed.status == "IN_QUEUE" and now >= feed.created + timedelta(seconds=self.queue_s):
                feed.status, feed.started = "IN_PROGRESS", now
            if feed.status == "IN_PROGRESS" and now >= feed.created + timedelta(seconds=self.queue_s + self.work_s):
                self._finish(feed, now)

    @property
    def waits(self) -> bool:
        """Whether a feed is still under way."""
        return bool(self._open())

    def _open(self) -> list[Feed]:
        return [feed for feed in self.feeds.values() if feed.status in ("IN_QUEUE", "IN_PROGRESS")]

    def _finish(self, feed: Feed, now: datetime) -> None:
        worker = self.workers.get(feed.kind)
        outcome = Outcome("FATAL") if worker is None else worker(feed.number, feed.source.content or b"", feed.noop)
        feed.status, feed.ended = outcome.status, now
        if outcome.report is not None:
            # Every other report is compressed: both kinds are allowed.
            zipped = int(feed.number) % 2 == 0
            feed.result = self.documents.make(outcome.content_type, outcome.report, zipped=zipped)
        self.finished(feed)

    def _feed(self, request: web.Request) -> Feed:
        number = request.match_info["feed"]
        if number not in self.feeds:
            raise missing(f"No feed {number}.")
        return self.feeds[number]

    def _matching(self, request: web.Request) -> list[str]:
        kinds = listed(request, "feedTypes", most=10)
        if not kinds:
            raise Refusal(400, "InvalidInput", "Invalid Input", "Either nextToken or feedTypes is required.")
        statuses = listed(request, "processingStatuses", allowed=STATUSES)
        markets = set(listed(request, "marketplaceIds", most=10))
        since, until = instant_in(request, "createdSince"), instant_in(request, "createdUntil")
        found = [
            feed
            for feed in self.feeds.values()
            if feed.kind in kinds
            and (not statuses or feed.status in statuses)
            and (not markets or markets & set(feed.markets))
            and (since is None or feed.created >= since)
            and (until is None or feed.created <= until)
        ]
        return [feed.number for feed in reversed(found)]


def _shown(feed: Feed) -> dict[str, Any]:
    body: dict[str, Any] = {
        "feedId": feed.number,
        "feedType": feed.kind,
        "marketplaceIds": feed.markets,
        "createdTime": iso(feed.created),
        "processingStatus": feed.status,
    }
    if feed.started is not None:
        body["processingStartTime"] = iso(feed.started)
    if feed.ended is not None:
        body["processingEndTime"] = iso(feed.ended)
    if feed.result is not None:
        body["resultFeedDocumentId"] = feed.result.number
    return body
