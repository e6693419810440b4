"""Feeds: taken at once, worked off later, judged item by item.

Source: Walmart inventory and feeds OpenAPI documents (2026-06): multipart field "file", spec 1.4
(`InventoryHeader`, `Inventory`) for `inventory` and 1.5 (`inventoryHeader`, `inventory`) for
`MP_INVENTORY`; the wrong capitals give ERR_EXT_DATA_0503009 (operators' reports, 2026-08).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.sdk import exact
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.walmart.fake.replies import FEEDS_API, Refusal, answer, bad_parameter, invalid, millis, missing
from connectors.walmart.fake.stockroom import Stockroom

SHAPES: Final = {
    "inventory": ("InventoryHeader", "Inventory", "1.4", 10_000_000),
    "MP_INVENTORY": ("inventoryHeader", "inventory", "1.5", 1_000_000),
}
ROWS_MAX: Final = 10_000
DETAILS_MAX: Final = 50


@dataclass
class Row:
    sku: str
    status: str = "INPROGRESS"
    code: str = ""
    text: str = ""


@dataclass
class Feed:
    feed_id: str
    feed_type: str
    node: str | None
    received: datetime
    content: Any
    noop: bool
    status: str = "RECEIVED"
    error: str = ""
    rows: list[Row] = field(default_factory=list)


class FeedsWire:
    """One seller's feeds. A feed begins a quarter of `delay_s` after its receipt and ends after all of it."""

    def __init__(self, stock: Stockroom, clock: Clock, faults: Faults) -> None:
        self._stock = stock
        self._clock = clock
        self._faults = faults
        self._feeds: dict[str, Feed] = {}
        self.delay_s = 20.0

    async def submit(self, request: web.Request) -> web.Response:
        feed_type = request.query.get("feedType", "")
        if feed_type not in SHAPES:
            raise bad_parameter("feedType", f"feedType {feed_type!r} is not supported here", FEEDS_API)
        raw = await _file(request)
        if len(raw) > SHAPES[feed_type][3]:
            raise Refusal(413, "PAYLOAD_TOO_LARGE", "The file is too large", api=FEEDS_API)
        try:
            content = exact.loads(raw)
        except exact.NotJson:
            raise invalid("The file is not JSON", FEEDS_API, "file") from None
        digest = hashlib.sha256(f"{len(self._feeds)}:{self._clock.now()}".encode()).hexdigest()
        feed_id = f"{digest[:32].upper()}@AU8BAQA"
        node = request.query.get("shipNode")
        noop = self._faults.hit("feed_noop")
        self._feeds[feed_id] = Feed(feed_id, feed_type, node, self._clock.now(), content, noop)
        return answer({"feedId": feed_id})

    async def find(self, request: web.Request) -> web.Response:
        """Newest first. A feed just received has not counted its rows."""
        self.work()
        feeds = sorted(self._feeds.values(), key=lambda feed: feed.received, reverse=True)
        offset, limit = _window(request)
        rows = [
            {
                "feedId": feed.feed_id,
                "feedSource": "MARKETPLACE_PARTNER",
                "feedType": feed.feed_type,
                "partnerId": "10000000359",
                **_counts(feed),
                "feedStatus": feed.status,
                "feedDate": millis(feed.received),
                "modifiedDtm": millis(feed.received),
            }
            for feed in feeds[offset : offset + limit]
        ]
        return answer({"totalResults": len(feeds), "offset": offset, "limit": limit, "results": {"feed": rows}})

    async def read(self, request: web.Request) -> web.Response:
        self.work()
        feed = self._feeds.get(request.match_info["feed"])
        if feed is None:
            raise missing("Feed not found", FEEDS_API)
        offset, limit = _window(request)
        detailed = request.query.get("includeDetails") == "true"
        rows = feed.rows[offset : offset + limit] if detailed else []
        errors = [{"type": "DATA_ERROR", "code": feed.error, "description": "The file does not fit its type"}]
        body = {
            "feedId": feed.feed_id,
            "feedStatus": feed.status,
            "feedSubmissionDate": millis(feed.received),
            "ingestionErrors": {"ingestionError": errors if feed.error else None},
            **_counts(feed),
            "offset": offset,
            "limit": limit,
            "itemDetails": {"itemIngestionStatus": [_row_json(row, offset + at) for at, row in enumerate(rows)]},
        }
        return answer(body)

    def work(self) -> None:
        """Do what is due by now; called by everything that looks at feeds or stock."""
        now = self._clock.now()
        for feed in self._feeds.values():
            if feed.status == "RECEIVED" and now >= feed.received + timedelta(seconds=self.delay_s / 4):
                self._begin(feed)
            if feed.status == "INPROGRESS" and now >= feed.received + timedelta(seconds=self.delay_s):
                self._finish(feed)

    def _begin(self, feed: Feed) -> None:
        header, items, version, _ = SHAPES[feed.feed_type]
        content = feed.content if isinstance(feed.content, Mapping) else {}
        rows = content.get(items)
        stated = content.get(header)
        fits = isinstance(stated, Mapping) and stated.get("version") == version and isinstance(rows, list)
        if not fits or not rows or len(rows) > ROWS_MAX:
            feed.status, feed.error = "ERROR", "ERR_EXT_DATA_0503009"
            return
        feed.status = "INPROGRESS"
        feed.rows = [Row(str(row.get("sku"))) for row in rows]

    def _finish(self, feed: Feed) -> None:
        """Rows are worked off from the last to the first: their order promises nothing."""
        source = feed.content[SHAPES[feed.feed_type][1]]
        for row, given in reversed(list(zip(feed.rows, source, strict=True))):
            self._apply(feed, row, given)
        feed.status = "PROCESSED"

    def _apply(self, feed: Feed, row: Row, given: Mapping[str, Any]) -> None:
        item = self._stock.items.get(row.sku)
        if item is None or item.wfs:
            row.status, row.code, row.text = "DATA_ERROR", "ERR_EXT_DATA_0101119", "The SKU is not set up"
            return
        if self._faults.hit("partial_failure"):
            row.status, row.code, row.text = "SYSTEM_ERROR", "ERR_PDI_0005", "Unexpected system error occurred"
            return
        try:
            numbers = self._numbers(feed, given)
        except Refusal as refusal:
            row.status, row.code, row.text = "DATA_ERROR", "ERR_EXT_DATA_0101062", str(refusal)
            return
        row.status = "SUCCESS"
        if not feed.noop:
            for node, amount in numbers:
                self._stock.set(row.sku, amount, node=node)

    def _numbers(self, feed: Feed, given: Mapping[str, Any]) -> list[tuple[str, int]]:
        if feed.feed_type == "inventory":
            return [(self._node(feed.node or self._stock.default_node), _amount(given))]
        nodes = given.get("shipNodes")
        if not isinstance(nodes, list) or not nodes:
            raise invalid("shipNodes is missing", FEEDS_API, "shipNodes")
        return [(self._node(node.get("shipNode")), _amount(node)) for node in nodes]

    def _node(self, node: Any) -> str:
        if node not in self._stock.nodes:
            raise invalid("The ship node does not belong to the seller", FEEDS_API, "shipNode")
        return str(node)


def _amount(given: Mapping[str, Any]) -> int:
    holder = given.get("quantity")
    amount = holder.get("amount") if isinstance(holder, Mapping) else None
    if not isinstance(amount, int) or amount < 0 or not isinstance(holder, Mapping) or holder.get("unit") != "EACH":
        raise invalid("quantity must be {unit: EACH, amount: number}", FEEDS_API, "quantity")
    return amount


def _counts(feed: Feed) -> dict[str, int]:
    done = [row.status for row in feed.rows]
    return {
        "itemsReceived": len(done),
        "itemsSucceeded": done.count("SUCCESS"),
        "itemsFailed": sum(status not in ("SUCCESS", "INPROGRESS") for status in done),
        "itemsProcessing": done.count("INPROGRESS"),
    }


def _row_json(row: Row, index: int) -> dict[str, Any]:
    error = {"type": row.status, "code": row.code, "description": row.text}
    return {
        "martId": 0,
        "sku": row.sku,
        "index": index,
        "ingestionStatus": row.status,
        # Walmart repeats rows and leaves null where there is none.
        "ingestionErrors": {"ingestionError": [error, error] if row.code else None},
    }


def _window(request: web.Request) -> tuple[int, int]:
    offset, limit = request.query.get("offset", "0"), request.query.get("limit", str(DETAILS_MAX))
    if not offset.isdigit() or not limit.isdigit() or not 1 <= int(limit) <= DETAILS_MAX:
        raise bad_parameter("limit", f"limit cannot be more than {DETAILS_MAX}", FEEDS_API)
    return int(offset), int(limit)


async def _file(request: web.Request) -> bytes:
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "A feed is multipart/form-data", api=FEEDS_API)
    form = await request.post()
    part = form.get("file")
    if part is None:
        raise invalid('The form has no field "file"', FEEDS_API, "file")
    return part.file.read() if isinstance(part, web.FileField) else str(part).encode()
