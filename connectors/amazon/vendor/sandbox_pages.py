"""Answers of the vendor interfaces: pages of orders and the receipt of a submission."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from connectors.amazon.fake.replies import answer, count_in, instant_in, invalid
from connectors.amazon.vendor.sandbox_orderbook import Order
from connectors.amazon.vendor.sandbox_submissions import Transaction


def accepted(transaction: Transaction, *, bare: bool = False) -> web.Response:
    """202 is not acceptance. Shipping of direct fulfilment does not wrap the id, the others do."""
    named = {"transactionId": transaction.id}
    return answer(named if bare else {"payload": named}, status=202)


def within(request: web.Request, by: str, at: datetime | None) -> bool:
    after, before = instant_in(request, f"{by}After"), instant_in(request, f"{by}Before")
    if after is None and before is None:
        return True
    return at is not None and (after is None or at >= after) and (before is None or at <= before)


def page(request: web.Request, orders: Sequence[Order]) -> dict[str, Any]:
    ordered = sorted(orders, key=lambda order: (order.made_at, order.number))
    if request.query.get("sortOrder") == "DESC":
        ordered.reverse()
    size = count_in(request, "limit", 100, 100)
    begin = offset(request.query.get("nextToken"))
    found: dict[str, Any] = {"orders": [order.shown() for order in ordered[begin : begin + size]]}
    if begin + size < len(ordered):
        found["pagination"] = {"nextToken": base64.b64encode(str(begin + size).encode()).decode()}
    return found


def offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        raise invalid("nextToken is not one of ours") from None
