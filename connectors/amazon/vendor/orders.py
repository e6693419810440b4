"""Orders of both programmes: pages of a stretch of time, single orders, and their envelopes.

Source: vendorOrders (retail) and vendorDirectFulfillmentOrders_2021-12-28 (direct) models (2026-08).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.amazon import moments
from connectors.amazon.api import Api, escaped
from connectors.amazon.vendor import manifest
from connectors.amazon.vendor.restricted import DIRECT_ORDERS_PATH, Restricted
from connectors.amazon.vendor.settings import VendorSettings
from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import TargetMissing, Transient
from connectors.sdk.http import Answer

RETAIL_PATH: Final = "/vendor/orders/v1/purchaseOrders"
STATUS_PATH: Final = "/vendor/orders/v1/purchaseOrdersStatus"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One page."""

    rows: Sequence[Row]
    next: str | None


@dataclass(frozen=True, slots=True)
class VendorOrder:
    """One order as read; `direct` says which programme it is of."""

    number: str
    direct: bool
    row: Row

    @property
    def details(self) -> Row:
        found = self.row.get("orderDetails")
        return found if isinstance(found, Mapping) else {}

    @property
    def items(self) -> Sequence[Row]:
        rows = self.details.get("items")
        return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []

    @property
    def state(self) -> str:
        """`New`, `Acknowledged`, `Closed` of a purchase order; `NEW`, `ACCEPTED`, … of a direct one."""
        return str((self.details.get("orderStatus") if self.direct else self.row.get("purchaseOrderState")) or "")

    def party(self, name: str) -> Mapping[str, str] | None:
        """A party of the order by its id alone: addresses are Amazon's to know."""
        found = self.details.get(name)
        party = found.get("partyId") if isinstance(found, Mapping) else None
        return {"partyId": str(party)} if party else None


class Orders:
    """One account's orders. Keeps nothing between calls."""

    def __init__(self, api: Api, restricted: Restricted, settings: VendorSettings) -> None:
        self._api = api
        self._restricted = restricted
        self._settings = settings

    async def retail_page(self, by: str, begin: datetime, end: datetime, limit: int, token: str | None) -> Found:
        """Purchase orders that were `created` or `changed` in a stretch of time, oldest first."""
        params: dict[str, str | int | Sequence[str]] = {
            f"{by}After": moments.text(begin),
            f"{by}Before": moments.text(end),
            "limit": limit,
            "sortOrder": "ASC",
            "includeDetails": "true",
            "orderingVendorCode": self._settings.vendor_code,
        }
        if token:
            params["nextToken"] = token
        return _page(await self._api.request("GET", RETAIL_PATH, operation="getPurchaseOrders", params=params))

    async def direct_page(self, by: str, begin: datetime, end: datetime, limit: int, token: str | None) -> Found:
        """Direct orders made in a stretch of time, oldest first; `by` can only be `created`."""
        params: dict[str, str | int | Sequence[str]] = {
            f"{by}After": moments.text(begin),
            f"{by}Before": moments.text(end),
            "limit": limit,
            "sortOrder": "ASC",
            "includeDetails": "true",
        }
        if token:
            params["nextToken"] = token
        return _page(await self._restricted.read(DIRECT_ORDERS_PATH, operation="direct.getOrders", params=params))

    async def find(self, number: str, *, direct_first: bool) -> VendorOrder:
        """One order by its number, of whichever programme it is.

        Raises:
            TargetMissing: Neither programme of this account knows it.
        """
        programmes = [name for name, on in (("retail", self._settings.retail), ("direct", self._settings.direct)) if on]
        for programme in reversed(programmes) if direct_first else programmes:
            try:
                if programme == "direct":
                    return await self._direct(number)
                return await self._retail(number)
            except TargetMissing:
                continue
        raise TargetMissing(f"Amazon knows no order {number} of vendor {self._settings.vendor_code}", code="no_order")

    async def confirmations(self, number: str) -> Sequence[str]:
        """`confirmationStatus` of each line of a purchase order; empty where Amazon lists none."""
        params: dict[str, str | int | Sequence[str]] = {"purchaseOrderNumber": number, "limit": 1}
        answer = await self._api.request("GET", STATUS_PATH, operation="getPurchaseOrdersStatus", params=params)
        payload = _payload(answer)
        rows = payload.get("ordersStatus") if isinstance(payload, Mapping) else None
        return [
            str((item.get("acknowledgementStatus") or {}).get("confirmationStatus") or "UNCONFIRMED")
            for row in rows or ()
            if row.get("purchaseOrderNumber") == number
            for item in row.get("itemStatus") or ()
        ]

    async def _retail(self, number: str) -> VendorOrder:
        answer = await self._api.request("GET", f"{RETAIL_PATH}/{escaped(number)}", operation="getPurchaseOrder")
        return _order(answer, number, direct=False)

    async def _direct(self, number: str) -> VendorOrder:
        answer = await self._restricted.read(f"{DIRECT_ORDERS_PATH}/{escaped(number)}", operation="direct.getOrder")
        return _order(answer, number, direct=True)


def envelope(topic: str, row: Row) -> Envelope:
    """One order as read. The digest tells its states apart: no date of a direct order moves with them."""
    payload = exact.dumps(row)
    digest = hashlib.sha256(exact.canonical(row)).hexdigest()[:32]
    number = str(row.get("purchaseOrderNumber") or digest)
    details = row.get("orderDetails")
    at = _latest(details) if isinstance(details, Mapping) else None
    return Envelope(topic, f"{topic}:{number}:{digest}", f"order:{number}", payload, occurred_at=at)


def topic_of(order: VendorOrder) -> str:
    return manifest.DIRECT_ORDER if order.direct else manifest.PURCHASE_ORDER


def _latest(details: Row) -> datetime | None:
    names = ("purchaseOrderDate", "purchaseOrderChangedDate", "purchaseOrderStateChangedDate", "orderDate")
    return max((at for name in names if (at := moments.read(details.get(name))) is not None), default=None)


def _payload(answer: Answer) -> Any:
    """The body without the envelope the older interface wraps it in."""
    body = answer.json()
    return body.get("payload", body) if isinstance(body, Mapping) else body


def _page(answer: Answer) -> Found:
    """A page without `orders` is an empty one only where nothing else is in it."""
    payload = _payload(answer)
    rows = payload.get("orders", []) if isinstance(payload, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Transient(f"{answer.call.kind}: the answer is no page of orders", **answer.facts("unexpected_body"))
    pagination = payload.get("pagination") or {}
    token = pagination.get("nextToken") if isinstance(pagination, Mapping) else None
    return Found(rows, str(token) if token else None)


def _order(answer: Answer, number: str, *, direct: bool) -> VendorOrder:
    payload = _payload(answer)
    if not isinstance(payload, Mapping) or payload.get("purchaseOrderNumber") != number:
        raise Transient(f"{answer.call.kind}: the answer is not order {number}", **answer.facts("unexpected_body"))
    return VendorOrder(number, direct, payload)
