"""Orders: reading what changed, and naming each as an envelope.

Source: Walmart orders OpenAPI document, GET /v3/orders (2026-06): `createdStartDate` defaults to
seven days ago, so a poll by change time that leaves it out misses changes on older orders;
`shipNodeType` defaults to SellerFulfilled, so each kind of node is asked for by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.queries import escaped
from connectors.sdk.whole import whole
from connectors.walmart import topics
from connectors.walmart.api import Api
from connectors.walmart.walk import Found, Walk
from connectors.walmart.wire import counted, decode, from_millis, many, query_time, raw_many

PATH: Final = "/v3/orders"


class _Elements(msgspec.Struct):
    order: msgspec.Raw = msgspec.Raw(b"null")


class _List(msgspec.Struct):
    meta: dict[str, Any] | None = None
    elements: _Elements | None = None


class _OrdersPage(msgspec.Struct):
    list: _List


class _OrderBody(msgspec.Struct):
    order: msgspec.Raw


class OrdersNoun:
    """Orders of one kind of ship node."""

    path = PATH
    budget = "orders_read"
    kind = "orders.list"

    def __init__(self, ship_node_type: str) -> None:
        self._ship_node_type = ship_node_type

    def first_query(self, walk: Walk, limit: int) -> Mapping[str, str | int]:
        begin, end = walk.windows[0]
        return {
            "lastModifiedStartDate": query_time(begin),
            "lastModifiedEndDate": query_time(end),
            "createdStartDate": query_time(walk.created),
            "shipNodeType": self._ship_node_type,
            "replacementInfo": "true",
            "limit": limit,
        }

    def read(self, answer: Answer) -> Found:
        page: _OrdersPage = decode(answer, _OrdersPage)
        meta = page.list.meta or {}
        raw = raw_many(page.list.elements.order) if page.list.elements else []
        return Found(
            envelopes=[envelope(order, self._ship_node_type) for order in raw],
            next=meta.get("nextCursor") or None,
            total=counted(meta.get("totalCount")),
        )


def envelope(raw: bytes, ship_node_type: str | None = None) -> Envelope:
    """One order as received, wrapped as the single read wraps it.

    Orders carry no version: the digest of the content is one. Older payloads do not name their
    ship node; what was asked for is then kept beside the order, since it decides who ships it.
    """
    order = exact.loads(raw)
    digest = hashlib.sha256(exact.canonical(order)).hexdigest()[:32]
    number = order.get("purchaseOrderId") if isinstance(order, Mapping) else None
    key = str(number) if number else digest
    wrapped = b'{"order":' + raw + b"}"
    if ship_node_type and isinstance(order, Mapping) and not (order.get("shipNode") or {}).get("type"):
        wrapped = b'{"order":' + raw + b',"shipNodeType":' + exact.dumps(ship_node_type) + b"}"
    return Envelope(
        topic=topics.ORDER,
        dedupe_key=f"order:{key}:{digest}",
        ordering_key=f"order:{key}",
        payload=wrapped,
        occurred_at=changed_at(order) if isinstance(order, Mapping) else None,
    )


def changed_at(order: Mapping[str, Any]) -> datetime | None:
    """The latest status date of the lines, else the order date."""
    dates = [from_millis(line.get("statusDate")) for line in lines_of(order)]
    known = [at for at in dates if at is not None]
    return max(known) if known else from_millis(order.get("orderDate"))


def lines_of(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    holder = order.get("orderLines")
    rows = holder.get("orderLine") if isinstance(holder, Mapping) else holder
    return [line for line in many(rows) if isinstance(line, Mapping)]


def statuses_of(line: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    holder = line.get("orderLineStatuses")
    rows = holder.get("orderLineStatus") if isinstance(holder, Mapping) else holder
    return [status for status in many(rows) if isinstance(status, Mapping)]


def quantity_of(holder: object) -> int:
    """The amount of a quantity. Texts and numbers both occur; anything else counts as nothing."""
    amount = holder.get("amount") if isinstance(holder, Mapping) else None
    text = str(amount).partition(".")[0] if amount is not None else ""
    return max(0, whole(text) or 0)


def units(line: Mapping[str, Any], *statuses: str) -> int:
    """Units of a line in one of these statuses."""
    rows = (row for row in statuses_of(line) if row.get("status") in statuses)
    return sum(quantity_of(row.get("statusQuantity")) for row in rows)


async def read_raw(api: Api, number: str) -> bytes:
    """One order exactly as Walmart wrote it.

    Raises:
        TargetMissing: Walmart knows no such purchase order.
    """
    answer = await api.get(f"{PATH}/{escaped(number)}", kind="orders.read", budget="orders_read")
    body: _OrderBody = decode(answer, _OrderBody)
    return bytes(body.order)


async def read(api: Api, number: str) -> Mapping[str, Any]:
    """One order, decimals exact.

    Raises:
        TargetMissing: Walmart knows no such purchase order.
        Transient: The answer holds no order.
    """
    order = exact.loads(await read_raw(api, number))
    if not isinstance(order, Mapping):
        raise Transient("orders.read: the answer holds no order", code="unexpected_body")
    return order


async def current(api: Api, number: str, created: datetime) -> Envelope:
    """The present state of an order a notification points at.

    Raises:
        Transient: Not readable yet. Notifications overtake the read side by seconds.
    """
    try:
        raw = await read_raw(api, number)
    except TargetMissing as error:
        message = f"purchase order {number} cannot be read yet"
        raise Transient(message, code=error.code, status=404, correlation_id=error.correlation_id) from error
    named = envelope(raw)
    order = exact.loads(raw)
    if isinstance(order, Mapping) and not (order.get("shipNode") or {}).get("type"):
        return envelope(raw, await _ship_node_type(api, number, created))
    return named


async def _ship_node_type(api: Api, number: str, created: datetime) -> str:
    """Ask the list by kind of node, since this order does not say which it belongs to."""
    for kind in ("WFSFulfilled", "3PLFulfilled"):
        query: dict[str, str | int] = {
            "purchaseOrderId": number,
            "shipNodeType": kind,
            "createdStartDate": query_time(created),
        }
        try:
            answer = await api.get(PATH, kind="orders.list", budget="orders_read", params=query)
        except TargetMissing:
            continue
        if OrdersNoun(kind).read(answer).envelopes:
            return kind
    return "SellerFulfilled"
