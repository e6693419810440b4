"""Refunds as Amazon's books show them: transactions of an order, each an envelope.

Source: finances_2024-06-19, listTransactions (2026-08): filtered by ORDER_ID, empty pages occur; a refund's
description is "Refund Order" and its type says Refund. A refund never restocks: only a return does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.amazon import moments, topics
from connectors.amazon.api import Api
from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import Transient
from connectors.sdk.paging import PageGuard

PATH: Final = "/finances/2024-06-19/transactions"
PAGES_MAX: Final = 10


class Refunds:
    """Refund transactions of single orders. Keeps nothing between calls."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def of_order(self, order_id: str) -> list[Envelope]:
        """Every refund booked for an order so far.

        Raises:
            Transient: The answer is no list of transactions, or its pages have no end.
        """
        found: list[Envelope] = []
        token: str | None = None
        guard = PageGuard("transactions", pages_max=PAGES_MAX)
        while True:
            guard.enter(token)
            params: dict[str, str | int | Sequence[str]] = {
                "relatedIdentifierName": "ORDER_ID",
                "relatedIdentifierValue": order_id,
            }
            if token:
                params["nextToken"] = token
            answer = await self._api.request("GET", PATH, operation="listTransactions", params=params, optional=True)
            body = answer.json()
            payload = body.get("payload") if isinstance(body, Mapping) else None
            if not isinstance(payload, Mapping):
                raise Transient("listTransactions: the answer is no list", **answer.facts("unexpected_body"))
            rows = payload.get("transactions") or ()
            found += [_envelope(order_id, row) for row in rows if isinstance(row, Mapping) and is_refund(row)]
            token = str(payload["nextToken"]) if payload.get("nextToken") else None
            if token is None:
                return found


def is_refund(transaction: Mapping[str, Any]) -> bool:
    """A booking that gives a buyer money back."""
    words = f"{transaction.get('transactionType') or ''} {transaction.get('description') or ''}"
    return "refund" in words.casefold()


def _envelope(order_id: str, transaction: Mapping[str, Any]) -> Envelope:
    digest = hashlib.sha256(exact.canonical(transaction)).hexdigest()[:32]
    number = str(transaction.get("transactionId") or digest)
    return Envelope(
        topic=topics.REFUND,
        dedupe_key=f"refund:{number}:{digest}",
        ordering_key=f"order:{order_id}",
        payload=exact.dumps(transaction),
        occurred_at=moments.read(transaction.get("postedDate")),
    )
