"""Orders: reading what changed, and naming each as an envelope.

Source: orders_2026-01-01 (2026-08): items are always part of an order; the status is only there with
includedData FULFILLMENT; people are only there when asked for and when the application has the role,
otherwise the fields are absent without an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.amazon import moments, topics, walk
from connectors.amazon.api import Api, escaped
from connectors.amazon.manifest import ORDERS_PAGE_MAX
from connectors.amazon.settings import Settings
from connectors.amazon.walk import Walk
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Stream

PATH: Final = "/orders/2026-01-01/orders"
INCLUDED: Final = (
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
)
"""The same for lists and single orders: an order read either way is the same input once."""


class _Pagination(msgspec.Struct):
    nextToken: str | None = None  # noqa: N815  # Amazon's name


class _Page(msgspec.Struct):
    orders: list[msgspec.Raw]
    pagination: _Pagination | None = None


class _Row(msgspec.Struct):
    lastUpdatedTime: str | None = None  # noqa: N815  # Amazon's name


class _One(msgspec.Struct):
    order: msgspec.Raw


class Orders:
    """The orders stream and single orders. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings, stream: Stream) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings
        self._stream = stream

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page. One without rows but with `more` set is normal: the sweep goes on without a token."""
        now = self._ctx.clock.now()
        current = walk.start(cursor, since, now, self._stream.overlap_s, self._ctx.account)
        return await self.step(current, limit)

    async def step(self, current: Walk, limit: int) -> Page:
        """The page a sweep has come to, with the cursor behind it."""
        params: dict[str, str | int | Sequence[str]] = {
            "marketplaceIds": self._settings.marketplace_ids,
            "lastUpdatedAfter": moments.text(current.start),
            "includedData": INCLUDED,
            "maxResultsPerPage": max(1, min(limit, ORDERS_PAGE_MAX)),
        }
        if current.token:
            params["paginationToken"] = current.token
        try:
            answer = await self._api.request("GET", PATH, operation="searchOrders", params=params)
        except Rejected as error:
            return Page((), walk.rescued(current, error).to_cursor(), more=True)
        page = _page(answer)
        raw = [bytes(each) for each in page.orders]
        token = page.pagination.nextToken if page.pagination else None
        following = walk.after(current, token, _reached(raw, current.end), self._ctx.clock.now())
        envelopes = [envelope(each) for each in raw]
        if following is None:
            return Page(envelopes, current.at_rest(), more=False, watermark=current.end)
        return Page(envelopes, following.to_cursor(), more=True)

    async def current(self, order_id: str) -> Envelope:
        """The present state of an order, for something that pointed at it.

        Raises:
            TargetMissing: Amazon knows no such order, or not yet.
        """
        return envelope(await self.read_raw(order_id))

    async def read(self, order_id: str) -> Mapping[str, Any]:
        """One order, decimals exact.

        Raises:
            TargetMissing: Amazon knows no such order of this seller.
            Transient: The answer holds no order.
        """
        order = exact.loads(await self.read_raw(order_id))
        if not isinstance(order, Mapping) or not order.get("orderId"):
            raise Transient("getOrder: the answer holds no order", code="unexpected_body")
        return order

    async def read_raw(self, order_id: str) -> bytes:
        """One order as received."""
        path = f"{PATH}/{escaped(order_id)}"
        answer = await self._api.request("GET", path, operation="getOrder", params={"includedData": INCLUDED})
        try:
            return bytes(msgspec.json.decode(answer.content, type=_One).order)
        except msgspec.DecodeError as error:
            raise Transient("getOrder: the answer holds no order", **answer.facts("unexpected_body")) from error


def envelope(raw: bytes) -> Envelope:
    """One order as received. Its version is lastUpdatedTime; the digest tells states of one instant apart."""
    order = exact.loads(raw)
    digest = hashlib.sha256(exact.canonical(order)).hexdigest()[:32]
    known = order if isinstance(order, Mapping) else {}
    number = str(known.get("orderId") or digest)
    changed = str(known.get("lastUpdatedTime") or "")
    return Envelope(
        topic=topics.ORDER,
        dedupe_key=f"order:{number}:{changed}:{digest}",
        ordering_key=f"order:{number}",
        payload=raw,
        occurred_at=moments.read(changed),
    )


def _reached(rows: list[bytes], end: datetime) -> datetime | None:
    """The latest change on a page. One from behind `end` does not count: that order was touched while the sweep went
    on, and what follows it on later pages is older."""
    found = None
    for row in rows:
        try:
            at = moments.read(msgspec.json.decode(row, type=_Row).lastUpdatedTime)
        except msgspec.DecodeError:
            continue
        if at is not None and at <= end:
            found = max(filter(None, (found, at)), default=None)
    return found


def _page(answer: Answer) -> _Page:
    """A body without `orders` is something else, never an empty list of orders."""
    try:
        return msgspec.json.decode(answer.content, type=_Page)
    except msgspec.DecodeError as error:
        message = "searchOrders: the answer is no page of orders"
        raise Transient(message, **answer.facts("unexpected_body")) from error
