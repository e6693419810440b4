"""What a notification points at, read now: the notification itself is never believed for more than it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from connectors.amazon import notifications, topics
from connectors.amazon.api import Api
from connectors.amazon.catalogue import Catalogue
from connectors.amazon.fba import FbaStock
from connectors.amazon.notifications import Notification
from connectors.amazon.orders import Orders
from connectors.amazon.refunds import Refunds
from connectors.sdk.contract import AccountContext, Envelope
from connectors.sdk.errors import RateLimited, TargetMissing, UnknownTopic

log = structlog.get_logger(__name__)

ORDER_PATIENCE_S: Final = 2.0
"""How long an order may wait for its bucket before its notification is taken for it."""

OTHER_PATIENCE_S: Final = 5.0
"""Hints of one account share a lane, so a slow one would hold back orders; the streams find the rest."""


REFUND_REST_S: Final = 2.0
"""One call of listTransactions. Source: finances_2024-06-19 (2026-08): half a call a second."""


class Resolving:
    """Every hint of one account. Its methods may run side by side."""

    def __init__(
        self,
        ctx: AccountContext,
        api: Api,
        orders: Orders,
        listings: Catalogue,
        stock: Catalogue,
        fba: FbaStock,
        refunds: Refunds,
    ) -> None:
        self._ctx = ctx
        self._api = api
        self._orders = orders
        self._listings = listings
        self._stock = stock
        self._fba = fba
        self._refunds = refunds

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        """The present state of what a hint is about. One that names nothing readable gives none.

        Raises:
            UnknownTopic: No hint of ours.
            ConnectorError: It cannot be read now.
        """
        notification = notifications.read(envelope.payload)
        kind, sku = envelope.topic, notification.sku
        if kind == topics.ORDER_CHANGE:
            return await self._order(envelope, notification)
        if kind == topics.TRANSACTION:
            return await self._refund(notification)
        if kind == topics.FEED_FINISHED:
            return []
        if kind == topics.FBA_INVENTORY:
            return await self._fba.current(sku) if sku and self._may("getInventorySummaries") else []
        if kind in (topics.MFN_QUANTITY, topics.LISTING_STATUS, topics.LISTING_ISSUES):
            catalogue = self._stock if kind == topics.MFN_QUANTITY else self._listings
            return await catalogue.current(sku) if sku and self._may("getListingsItem") else []
        known = ", ".join(topics.HINTS)
        raise UnknownTopic(f"{kind!r} is no hint of Amazon's; known are {known}")

    async def _order(self, hint: Envelope, notification: Notification) -> Sequence[Envelope]:
        """The order, or where Amazon's budget forbids reading it in time, what the notification says of it.

        Source: orders_2026-01-01, getOrder (2026-08): half a call a second, 30 in a burst.
        """
        number = notification.order_id
        if number is None:
            return []
        if self._api.ready_within("getOrder", ORDER_PATIENCE_S):
            try:
                return [await self._orders.current(number)]
            except (RateLimited, TargetMissing) as error:
                # Notifications overtake the read side: what cannot be read yet can already be reserved.
                log.info("amazon.order_unread", account=self._ctx.account, order=number, code=error.code)
        return [notifications.summary(hint, notification)]

    async def _refund(self, notification: Notification) -> Sequence[Envelope]:
        """The refunds of an order. No stream finds them, so unlike other hints this one waits for its bucket.

        Raises:
            RateLimited: The bucket is spent.
        """
        number = order_of(notification)
        if number is None or not may_be_refund(notification):
            return []
        if not self._may("listTransactions"):
            wait_s = max(REFUND_REST_S, self._api.wait_for("listTransactions", 1.0))
            raise RateLimited("refunds: the calls of the moment are spent", code="budget_spent", retry_after_s=wait_s)
        return await self._refunds.of_order(number)

    def _may(self, operation: str) -> bool:
        return self._api.ready_within(operation, OTHER_PATIENCE_S)


def may_be_refund(notification: Notification) -> bool:
    """False for a transaction that names itself something else: most are payments of what was shipped."""
    kind = notifications.named(notification.payload, "TransactionType")
    return kind is None or "refund" in kind.casefold()


def order_of(notification: Notification) -> str | None:
    """The order a transaction is about: among its related identifiers, spelt `OrderId` or `ORDER_ID`."""
    for holder in (notification.payload, *_objects(notification.payload)):
        rows = notifications.field(holder, "RelatedIdentifiers")
        for row in rows if isinstance(rows, list) else ():
            name = str(notifications.field(row, "RelatedIdentifierName") or "")
            value = notifications.field(row, "RelatedIdentifierValue")
            if name.replace("_", "").casefold() == "orderid" and value:
                return str(value)
    return None


def _objects(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in payload.values() if isinstance(each, Mapping)]
