"""A scripted desk of Amazon's feeds and reports, and the outward parts of a connector on it."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.amazon import moments
from connectors.amazon.effects import Effects
from connectors.amazon.feeds import Feeds
from connectors.amazon.publish import Publisher
from connectors.amazon.readback import ReadBack
from connectors.sdk.contract import Effect, ListingRef, PushItem
from tests.support.amazon_wire import BASE, ITEMS_PATH, ORDERS_PATH, US, Wire, order, scripted

FEEDS = "/feeds/2021-06-30"
ORDER = "701-0000001-0000001"


def listings_report(*issues: Mapping[str, Any], accepted: int | None = None) -> bytes:
    """A processing report of a JSON_LISTINGS_FEED."""
    summary = {"errors": len(issues), "warnings": 0, "messagesAccepted": accepted if accepted is not None else 1}
    header = {"sellerId": "A3SELLEREXMPL", "version": "2.0", "feedId": "feed-1"}
    return json.dumps({"header": header, "issues": list(issues), "summary": summary}).encode()


def xml_report(*problems: tuple[str, str], successful: int = 1, order_id: str = ORDER) -> bytes:
    """A processing report of an XML feed: (code, text) per refused message."""
    rows = "".join(
        f"<Result><MessageID>1</MessageID><ResultCode>Error</ResultCode><ResultMessageCode>{code}</ResultMessageCode>"
        f"<ResultDescription>{text}</ResultDescription>"
        f"<AdditionalInfo><AmazonOrderID>{order_id}</AmazonOrderID></AdditionalInfo></Result>"
        for code, text in problems
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Header/><MessageType>ProcessingReport</MessageType>'
        "<Message><MessageID>1</MessageID><ProcessingReport><StatusCode>Complete</StatusCode><ProcessingSummary>"
        f"<MessagesProcessed>1</MessagesProcessed><MessagesSuccessful>{successful}</MessagesSuccessful>"
        f"</ProcessingSummary>{rows}</ProcessingReport></Message></AmazonEnvelope>"
    ).encode()


@dataclass
class Desk:
    """Feeds are numbered from 1 and take their statuses one per look, the last one for good.

    `lose` createFeed answers are lost after the feed was made, `drop` before. `refuse` answers createFeed itself.
    """

    wire: Wire
    statuses: tuple[str, ...] = ("DONE",)
    report: bytes | None = field(default_factory=listings_report)
    packed: bool = False
    lose: int = 0
    drop: int = 0
    dead_uploads: int = 0
    hidden: bool = False
    refuse: httpx.Response | None = None
    feeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: list[httpx.Request] = field(default_factory=list)
    _looks: dict[str, int] = field(default_factory=dict)
    _documents: int = 0

    def __post_init__(self) -> None:
        routes = self.wire.routes
        routes.post(f"{BASE}{FEEDS}/documents").mock(side_effect=self._document)
        routes.put(url__startswith=f"{BASE}/upload/").mock(side_effect=self._upload)
        self.creates = routes.post(f"{BASE}{FEEDS}/feeds").mock(side_effect=self._create)
        routes.get(f"{BASE}{FEEDS}/feeds").mock(side_effect=self._list)
        self.states = routes.get(url__startswith=f"{BASE}{FEEDS}/feeds/").mock(side_effect=self._state)
        self.cancels = routes.delete(url__startswith=f"{BASE}{FEEDS}/feeds/").mock(side_effect=self._cancel)
        self.results = routes.get(url__startswith=f"{BASE}{FEEDS}/documents/").mock(side_effect=self._result)
        routes.get(f"{BASE}/download/report").mock(side_effect=self._download)

    @property
    def documents(self) -> list[Any]:
        """The JSON of what was uploaded."""
        return [json.loads(request.read()) for request in self.uploads]

    def made(self, kind: str = "JSON_LISTINGS_FEED", **changes: Any) -> str:
        """A feed that somebody made."""
        number = f"feed-{len(self.feeds) + 1}"
        row = {"feedId": number, "feedType": kind, "createdTime": moments.text(self.wire.clock.now()), **changes}
        self.feeds[number] = row
        return number

    def _document(self, _: httpx.Request) -> httpx.Response:
        self._documents += 1
        number = f"doc-{self._documents}"
        return httpx.Response(201, json={"feedDocumentId": number, "url": f"{BASE}/upload/{number}?sig=1"})

    def _upload(self, request: httpx.Request) -> httpx.Response:
        if self.dead_uploads:
            self.dead_uploads -= 1
            return httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>")
        self.uploads.append(request)
        return httpx.Response(200)

    def _create(self, request: httpx.Request) -> httpx.Response:
        if self.refuse is not None:
            return self.refuse
        if self.drop:
            self.drop -= 1
            raise httpx.ReadTimeout("lost", request=request)
        body = json.loads(request.read())
        number = self.made(body["feedType"], marketplaceIds=body["marketplaceIds"])
        if self.lose:
            self.lose -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(202, json={"feedId": number})

    def _shown(self, number: str, *, look: bool) -> dict[str, Any]:
        row = self.feeds[number]
        at = self._looks.get(number, 0)
        if look:
            self._looks[number] = at + 1
        status = row.get("processingStatus") or self.statuses[min(at, len(self.statuses) - 1)]
        ended = status in ("DONE", "FATAL") and self.report is not None
        return {**row, "processingStatus": status} | ({"resultFeedDocumentId": "result-1"} if ended else {})

    def _list(self, request: httpx.Request) -> httpx.Response:
        wanted = request.url.params.get("processingStatuses", "").split(",")
        kind = request.url.params.get("feedTypes")
        rows = [self._shown(number, look=False) for number in self.feeds if self.feeds[number]["feedType"] == kind]
        since = request.url.params["createdSince"]
        rows = [row for row in rows if row["createdTime"] >= since]
        rows = [row for row in rows if wanted == [""] or row["processingStatus"] in wanted]
        return httpx.Response(200, json={"feeds": [] if self.hidden else rows})

    def _state(self, request: httpx.Request) -> httpx.Response:
        number = request.url.path.rpartition("/")[2]
        if number not in self.feeds:
            return httpx.Response(404, json={"errors": [{"code": "NotFound", "message": "no such feed"}]})
        return httpx.Response(200, json=self._shown(number, look=True))

    def _cancel(self, request: httpx.Request) -> httpx.Response:
        row = self._shown(request.url.path.rpartition("/")[2], look=False)
        if row["processingStatus"] != "IN_QUEUE":
            return httpx.Response(400, json={"errors": [{"code": "InvalidInput", "message": "not in the queue"}]})
        self.feeds[row["feedId"]]["processingStatus"] = "CANCELLED"
        return httpx.Response(200)

    def _result(self, _: httpx.Request) -> httpx.Response:
        body = {"feedDocumentId": "result-1", "url": f"{BASE}/download/report"}
        return httpx.Response(200, json=body | ({"compressionAlgorithm": "GZIP"} if self.packed else {}))

    def _download(self, _: httpx.Request) -> httpx.Response:
        content = self.report or b""
        return httpx.Response(200, content=gzip.compress(content) if self.packed else content)


@dataclass
class Seller:
    """The outward parts of one account, and the desk they work with."""

    wire: Wire
    desk: Desk
    feeds: Feeds
    publisher: Publisher
    read_back: ReadBack
    effects: Effects

    def patched(self, sku: str = "LAMP/1") -> list[Any]:
        """Bodies of the PATCHes of a SKU."""
        return [json.loads(request.read()) for request in self.wire.sent(f"{ITEMS_PATH}/{sku}")]

    def restarted(self) -> Seller:
        """The same account in a new process: nothing is remembered."""
        return _seller(self.wire, self.desk)


def _seller(wire: Wire, desk: Desk) -> Seller:
    feeds = Feeds(wire.ctx, wire.api)
    publisher = Publisher(wire.ctx, wire.settings, wire.api, feeds)
    read_back = ReadBack(wire.ctx, wire.settings, wire.api)
    return Seller(wire, desk, feeds, publisher, read_back, Effects(wire.ctx, wire.settings, wire.api, feeds))


@asynccontextmanager
async def selling(**changes: Any) -> AsyncIterator[Seller]:
    """`options` as of `scripted`; every PATCH is accepted unless a test says otherwise."""
    async with scripted(**changes) as wire:
        desk = Desk(wire)
        accepted = {"sku": "any", "status": "ACCEPTED", "submissionId": "s-1", "issues": []}
        wire.routes.patch(url__startswith=f"{BASE}{ITEMS_PATH}/", name="patch").respond(json=accepted)
        yield _seller(wire, desk)


def ref(sku: str, marketplace: str = US, channel: str = "DEFAULT") -> ListingRef:
    return ListingRef(f"{marketplace}|{sku}|{channel}", sku, None)


def item(sku: str, quantity: int, *, version: int = 1, urgent: bool = False, **address: Any) -> PushItem:
    return PushItem(ref(sku, **address), quantity, version, f"{sku}-{version}", urgent=urgent)


def effect(kind: str, body: Mapping[str, Any], key: str = "e-1") -> Effect:
    return Effect(key, kind, f"order:{ORDER}", f"key-{key}", {"order": ORDER, **body})


def show_order(wire: Wire, **changes: Any) -> dict[str, Any]:
    """The order as Amazon shows it from now on; change the answer's content through what is given back."""
    shown = order(ORDER, **changes)
    wire.routes.get(f"{BASE}{ORDERS_PATH}/{ORDER}").mock(
        side_effect=lambda _: httpx.Response(200, json={"order": shown})
    )
    return shown
