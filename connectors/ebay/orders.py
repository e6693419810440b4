"""Orders: reading what changed, and naming each as an envelope.

Source: sell/fulfillment v1.20.7 OpenAPI document (2025-11): getOrders leaves `cancelRequests` empty
always and leaves unpaid checkouts out; `fieldGroups=TAX_BREAKDOWN` changes totals, so one setting is
used always, here none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.ebay import moments, topics, walk
from connectors.ebay.api import FULFILLMENT, Api
from connectors.ebay.manifest import ORDERS_PAGE_MAX
from connectors.ebay.wire import rows_of
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Stream
from connectors.sdk.queries import escaped

PATH: Final = f"{FULFILLMENT}/order"
NONE_REQUESTED: Final = "NONE_REQUESTED"


class _Page(msgspec.Struct):
    total: int = 0
    next: str | None = None
    orders: list[msgspec.Raw] | None = None


class Orders:
    """The orders stream and single orders. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, stream: Stream) -> None:
        self._ctx = ctx
        self._api = api
        self._stream = stream

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page. One without rows but with `more` set is normal: a step back, or a month without orders."""
        now = self._ctx.clock.now()
        current = walk.start(cursor, since, now, self._stream.overlap_s, self._ctx.account)
        size = max(1, min(limit, ORDERS_PAGE_MAX))
        offset, count = walk.asked(current, size)
        params: dict[str, str | int] = {"filter": current.filter, "limit": count, "offset": offset}
        try:
            answer = await self._api.get(PATH, kind="orders.list", budget="fulfillment", params=params)
        except Rejected as error:
            return Page((), walk.rescued(current, error).to_cursor(), more=True)
        page = _decoded(answer)
        raw = [bytes(each) for each in page.orders or ()]
        rows, stepped = walk.placed(current, raw, size, _order_id)
        if stepped is not None:
            return Page((), stepped.to_cursor(), more=True)
        envelopes = [await self._complete(each) for each in rows]
        last = _order_id(raw[-1]) if raw else None
        following = walk.after(current, offset + len(raw), last, _more(page, offset, len(raw)))
        if following is None:
            return Page(envelopes, {"mark": moments.text(current.end)}, more=False, watermark=current.end)
        return Page(envelopes, following.to_cursor(), more=True)

    async def current(self, order_id: str) -> Envelope:
        """The present state of an order that something pointed at.

        Raises:
            Transient: Not readable yet. Notifications overtake the read side by seconds.
        """
        try:
            return await self._told_whole(await self.read_raw(order_id))
        except TargetMissing as error:
            message = f"order {order_id} cannot be read yet"
            raise Transient(message, code=error.code, status=404, correlation_id=error.correlation_id) from error

    async def read(self, order_id: str) -> Mapping[str, Any]:
        """One order, decimals exact, cancel requests included.

        Raises:
            TargetMissing: eBay knows no such order of this seller.
            Transient: The answer holds no order.
        """
        order = exact.loads(await self.read_raw(order_id))
        if not isinstance(order, Mapping) or not order.get("orderId"):
            raise Transient("orders.read: the answer holds no order", code="unexpected_body")
        return order

    async def read_raw(self, order_id: str) -> bytes:
        answer = await self._api.get(f"{PATH}/{escaped(order_id)}", kind="orders.read", budget="fulfillment")
        answer.json()
        return answer.content

    async def _complete(self, raw: bytes) -> Envelope:
        """An order somebody wants cancelled is read by itself: the list never shows the requests."""
        order = exact.loads(raw)
        state = cancel_state(order) if isinstance(order, Mapping) else NONE_REQUESTED
        if state == NONE_REQUESTED or not order.get("orderId"):
            return await self._told_whole(raw)
        try:
            return await self._told_whole(await self.read_raw(str(order["orderId"])))
        except TargetMissing:
            return await self._told_whole(raw)

    async def _told_whole(self, raw: bytes) -> Envelope:
        """An order of which part has left, with its fulfilments: alone it says which lines, not how many units."""
        order = exact.loads(raw)
        if not isinstance(order, Mapping) or not order.get("orderId") or not partly_shipped(order):
            return envelope(raw)
        path = f"{PATH}/{escaped(str(order['orderId']))}/shipping_fulfillment"
        try:
            answer = await self._api.get(path, kind="orders.fulfillments", budget="fulfillment")
        except TargetMissing:
            return envelope(raw)
        return envelope(exact.dumps({**order, "fulfillments": rows_of(answer.json(), "fulfillments")}))


def envelope(raw: bytes) -> Envelope:
    """One order as received. Its version is lastModifiedDate; the digest tells states of one instant apart."""
    order = exact.loads(raw)
    digest = hashlib.sha256(exact.canonical(order)).hexdigest()[:32]
    known = order if isinstance(order, Mapping) else {}
    number = str(known.get("orderId") or digest)
    changed = str(known.get("lastModifiedDate") or "")
    return Envelope(
        topic=topics.ORDER,
        dedupe_key=f"order:{number}:{changed}:{digest}",
        ordering_key=f"order:{number}",
        payload=raw,
        occurred_at=moments.read(changed),
    )


def cancel_state(order: Mapping[str, Any]) -> str:
    status = order.get("cancelStatus")
    return str(status.get("cancelState") or NONE_REQUESTED) if isinstance(status, Mapping) else NONE_REQUESTED


def partly_shipped(order: Mapping[str, Any]) -> bool:
    """Some of it has left and some has not, or it left in several parcels, which only the fulfilments tell apart."""
    if str(order.get("orderFulfillmentStatus") or "") == "IN_PROGRESS":
        return True
    if any(str(line.get("lineItemFulfillmentStatus") or "") == "IN_PROGRESS" for line in lines_of(order)):
        return True
    links = order.get("fulfillmentHrefs")
    return isinstance(links, list) and len(links) > 1


def lines_of(order: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [line for line in order.get("lineItems") or () if isinstance(line, Mapping)]


def _order_id(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=walk.Row).orderId
    except msgspec.DecodeError:
        return ""


def _more(page: _Page, offset: int, rows: int) -> bool:
    return rows > 0 and (bool(page.next) or offset + rows < page.total)


def _decoded(answer: Answer) -> _Page:
    """A page without `orders` and without `total` is some other body, never an empty list of orders."""
    try:
        page = msgspec.json.decode(answer.content, type=_Page)
    except msgspec.DecodeError as error:
        raise Transient("orders.list: the answer is no page of orders", **answer.facts("unexpected_body")) from error
    if page.orders is None and b'"total"' not in answer.content:
        raise Transient("orders.list: the answer is no page of orders", **answer.facts("unexpected_body"))
    return page
