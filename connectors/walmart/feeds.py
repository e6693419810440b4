"""Inventory feeds: many numbers in one file, taken now, judged item by item later.

A feed's own status proves nothing: PROCESSED means that Walmart looked at every row. Each row has
its `ingestionStatus`, and only reading the number back proves that it is shown.

Walmart has no idempotency key. When the answer to a POST is lost, the list of feeds is searched
twice, half a minute apart, for one of this type, size and time that nobody claimed; only when
there is none does the engine send again. The values being absolute a repeat would do no harm in
itself, but feeds are scarce (10 an hour), and a copy processed late could undo a newer number.

Source: Walmart inventory and feeds OpenAPI documents (2026-06), rate limits table (2026-08).
`inventory` (spec 1.4) is one node per file, 10 MB, capitalised keys; `MP_INVENTORY` (spec 1.5)
names nodes per SKU, 1 MB, keys begin in lower case.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, PushItem, PushResult, PushState
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, TargetMissing, Transient
from connectors.sdk.instants import read_instant
from connectors.sdk.queries import escaped
from connectors.walmart.api import Api
from connectors.walmart.wire import counted, from_millis, many

log = structlog.get_logger(__name__)

PATH: Final = "/v3/feeds"
SINGLE_NODE: Final = "inventory"
MULTI_NODE: Final = "MP_INVENTORY"
BYTES_MAX: Final[Mapping[str, int]] = {SINGLE_NODE: 10_000_000, MULTI_NODE: 1_000_000}
ROWS_MAX: Final = 10_000
BUDGET: Final[Mapping[str, str]] = {SINGLE_NODE: "feed_inventory", MULTI_NODE: "feed_mp_inventory"}
PAGE_MAX: Final = 50
LOOKUP_WAIT_S: Final = 30.0
LOOKUP_SKEW: Final = timedelta(seconds=120)
CLAIMED_MAX: Final = 500
"""A lookup sees a page of the newest feeds, and budgets allow 60 an hour: older ones are never met again."""

DONE: Final = frozenset({"PROCESSED", "ERROR"})


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One file ready to send. `rows` counts SKUs, as `itemsReceived` does."""

    feed_type: str
    ship_node: str | None
    content: bytes
    rows: int
    items: tuple[PushItem, ...]


def files(items: Sequence[PushItem]) -> list[FeedFile]:
    """As few files as the format allows: one node makes `inventory` files, several `MP_INVENTORY`.

    Items without a node go to the virtual default node, which only `inventory` can address.
    """
    nodes = {item.ref.location or None for item in items}
    if len(nodes) == 1:
        return _single_node(items, next(iter(nodes)))
    without = [item for item in items if not item.ref.location]
    located = [item for item in items if item.ref.location]
    return _single_node(without, None) + _multi_node(located)


def _single_node(items: Sequence[PushItem], node: str | None) -> list[FeedFile]:
    rows = [({"sku": item.ref.channel_sku, "quantity": _quantity(item)}, (item,)) for item in items]
    return [
        FeedFile(
            SINGLE_NODE,
            node,
            exact.dumps({"InventoryHeader": {"version": "1.4"}, "Inventory": [row for row, _ in chunk]}),
            len(chunk),
            tuple(item for _, members in chunk for item in members),
        )
        for chunk in _chunks(rows, BYTES_MAX[SINGLE_NODE])
    ]


def _multi_node(items: Sequence[PushItem]) -> list[FeedFile]:
    by_sku: dict[str, list[PushItem]] = {}
    for item in items:
        by_sku.setdefault(item.ref.channel_sku, []).append(item)
    rows: list[tuple[dict[str, Any], tuple[PushItem, ...]]] = [
        (
            {
                "sku": sku,
                "shipNodes": [{"shipNode": item.ref.location, "quantity": _quantity(item)} for item in members],
            },
            tuple(members),
        )
        for sku, members in by_sku.items()
    ]
    return [
        FeedFile(
            MULTI_NODE,
            None,
            exact.dumps({"inventoryHeader": {"version": "1.5"}, "inventory": [row for row, _ in chunk]}),
            len(chunk),
            tuple(item for _, members in chunk for item in members),
        )
        for chunk in _chunks(rows, BYTES_MAX[MULTI_NODE])
    ]


def _quantity(item: PushItem) -> dict[str, Any]:
    return {"unit": "EACH", "amount": item.quantity}


def _chunks(
    rows: Sequence[tuple[dict[str, Any], tuple[PushItem, ...]]], bytes_max: int
) -> Iterator[list[tuple[dict[str, Any], tuple[PushItem, ...]]]]:
    """Cut rows so that no file passes its size or row limit; 100 bytes are kept for the header."""
    chunk: list[tuple[dict[str, Any], tuple[PushItem, ...]]] = []
    size = 100
    for row in rows:
        row_bytes = len(exact.dumps(row[0])) + 1
        if chunk and (size + row_bytes > bytes_max or len(chunk) >= ROWS_MAX):
            yield chunk
            chunk, size = [], 100
        chunk.append(row)
        size += row_bytes
    if chunk:
        yield chunk


class Feeds:
    """One account's feeds. Remembers the latest of its own, so that a lookup never takes one twice."""

    def __init__(self, ctx: AccountContext, api: Api) -> None:
        self._ctx = ctx
        self._api = api
        self._claimed: deque[str] = deque(maxlen=CLAIMED_MAX)

    async def submit(self, file: FeedFile) -> list[PushResult]:
        """Send one file; every item is then PENDING under the feed's id.

        Raises:
            Rejected: The file as a whole was refused; its items may still be sent one by one.
            Transient: The answer was lost and no such feed exists there: safe to send again.
            RateLimited, AuthFailed: As everywhere.
        """
        began = self._ctx.clock.now()
        try:
            feed_id = await self._post(file)
        except InDoubt as lost:
            feed_id = await self._find_lost(file, began, lost)
        self._claim(feed_id)
        return [PushResult(item, PushState.PENDING, receipt=feed_id) for item in file.items]

    def _claim(self, feed_id: str) -> None:
        if feed_id not in self._claimed:
            self._claimed.append(feed_id)

    async def _post(self, file: FeedFile) -> str:
        params = {"feedType": file.feed_type} | ({"shipNode": file.ship_node} if file.ship_node else {})
        answer = await self._api.send(
            "POST",
            PATH,
            kind="feeds.submit",
            budget=BUDGET[file.feed_type],
            params=params,
            files={"file": ("inventory.json", file.content, "application/json")},
        )
        body = answer.json()
        feed_id = body.get("feedId") if isinstance(body, Mapping) else None
        if not isinstance(feed_id, str) or not feed_id:
            raise InDoubt("Walmart took the feed but gave no id", code="no_feed_id", status=answer.status)
        return feed_id

    async def _find_lost(self, file: FeedFile, began: datetime, lost: InDoubt) -> str:
        for look in (1, 2):
            found = await self._look_up(file, began)
            if found is not None:
                log.info("walmart.feed_found", account=self._ctx.account, feed=found, look=look)
                return found
            if look == 1:
                await self._ctx.clock.sleep(LOOKUP_WAIT_S)
        message = f"the answer to a feed was lost and Walmart lists no such feed ({lost.message})"
        raise Transient(message, code="feed_lost", status=lost.status, correlation_id=lost.correlation_id) from lost

    async def _look_up(self, file: FeedFile, began: datetime) -> str | None:
        try:
            answer = await self._api.get(
                PATH, kind="feeds.list", budget="feeds_read", params={"offset": 0, "limit": PAGE_MAX}
            )
        except TargetMissing:
            return None
        body = answer.json()
        rows = many((body.get("results") or {}).get("feed")) if isinstance(body, Mapping) else []
        fitting = [row for row in rows if isinstance(row, Mapping) and self._fits(row, file, began)]
        return str(fitting[0]["feedId"]) if fitting else None

    def _fits(self, row: Mapping[str, Any], file: FeedFile, began: datetime) -> bool:
        at = from_millis(row.get("feedDate")) or read_instant(row.get("feedDate"))
        # Right after its receipt a feed may not have counted its rows yet.
        received = counted(row.get("itemsReceived"))
        return (
            bool(row.get("feedId"))
            and row["feedId"] not in self._claimed
            and str(row.get("feedType", "")).lower() == file.feed_type.lower()
            and received in {0, file.rows}
            and at is not None
            and at >= began - LOOKUP_SKEW
        )

    async def poll(self, feed_id: str, items: Sequence[PushItem]) -> list[PushResult]:
        """What became of each item, matched by SKU: rows may be reordered, and an index may be missing."""
        self._claim(feed_id)
        status, error, rows = await self._status(feed_id)
        if error is not None:
            return [PushResult(item, PushState.FAILED, receipt=feed_id, error=error) for item in items]
        return [_item_result(item, rows.get(item.ref.channel_sku), feed_id, done=status in DONE) for item in items]

    async def has_ended(self, feed_id: str) -> bool:
        """True once Walmart will change nothing more on its account."""
        return str((await self._page(feed_id, 0)).get("feedStatus") or "") in DONE

    async def _status(self, feed_id: str) -> tuple[str, ConnectorError | None, dict[str, Mapping[str, Any]]]:
        rows: dict[str, Mapping[str, Any]] = {}
        offset = 0
        while True:
            body = await self._page(feed_id, offset)
            details = body.get("itemDetails")
            found = many(details.get("itemIngestionStatus") if isinstance(details, Mapping) else None)
            rows.update({str(row.get("sku")): row for row in found if isinstance(row, Mapping)})
            offset += len(found)
            if not found or offset >= counted(body.get("itemsReceived")):
                break
        status = str(body.get("feedStatus") or "")
        return status, _feed_error(status, body), rows

    async def _page(self, feed_id: str, offset: int) -> Mapping[str, Any]:
        answer = await self._api.get(
            f"{PATH}/{escaped(feed_id)}",
            kind="feeds.read",
            budget="feeds_read",
            params={"includeDetails": "true", "offset": offset, "limit": PAGE_MAX},
        )
        body = answer.json()
        if not isinstance(body, Mapping):
            raise Transient("feeds.read: the answer is no feed", code="unexpected_body", status=answer.status)
        return body


def _feed_error(status: str, body: Mapping[str, Any]) -> ConnectorError | None:
    """Set when the feed failed as a whole."""
    if status != "ERROR":
        return None
    code, text, system = _first_error(body)
    kind = Transient if system else Rejected
    return kind(f"Walmart could not process the feed: {text}", code=code or "FEED_ERROR")


def _first_error(holder: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Code, text and "is it the system's fault" of the first error that says anything.

    The list may be null, empty, doubled, or hold one row whose description is null.
    """
    errors = holder.get("ingestionErrors")
    rows = many(errors.get("ingestionError") if isinstance(errors, Mapping) else None)
    for row in rows:
        if isinstance(row, Mapping) and (row.get("code") or row.get("description")):
            text = str(row.get("description") or "no description given").strip()
            return str(row.get("code") or ""), text, row.get("type") in {"SYSTEM_ERROR", "TIMEOUT_ERROR"}
    return "", "no reason given", False


def _item_result(item: PushItem, row: Mapping[str, Any] | None, feed_id: str, *, done: bool) -> PushResult:
    status = str(row.get("ingestionStatus") or "") if row is not None else ""
    if status == "SUCCESS":
        return PushResult(item, PushState.ACCEPTED, receipt=feed_id)
    if not done and status in {"", "INPROGRESS", "RECEIVED"}:
        return PushResult(item, PushState.PENDING, receipt=feed_id)
    code, text, _ = _first_error(row) if row is not None else ("", "the feed ended without this item", False)
    sku = item.ref.channel_sku
    error: ConnectorError
    if status == "DATA_ERROR":
        error = Rejected(f"Walmart refused {sku}: {text}", code=code or status)
    else:
        error = Transient(f"Walmart did not process {sku}: {text}", code=code or status or "feed_item_missing")
    return PushResult(item, PushState.FAILED, receipt=feed_id, error=error)
