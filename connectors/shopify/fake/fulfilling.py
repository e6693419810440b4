"""Confirming shipments: fulfilment orders of one order at one location become a fulfilment.

There is no idempotency key here; only what is left to ship guards against shipping twice.
Source: mutations fulfillmentCreate, fulfillmentTrackingInfoUpdate and fulfillmentCancel of the 2026-10 schema,
read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.shopify.fake.state import Order, Parcel, Shop, Work, WorkLine
from connectors.shopify.fake.views import View, Views

Parts = list[tuple[Work, list[tuple[WorkLine, int]]]]


class Fulfilling:
    """`shipped` hears of every fulfilment made, `changed` of every one corrected or cancelled."""

    def __init__(
        self,
        shop: Shop,
        views: Callable[[], Views],
        shipped: Callable[[Order, Parcel], None],
        changed: Callable[[Order, Parcel], None],
    ) -> None:
        self._shop = shop
        self._views = views
        self._shipped = shipped
        self._changed = changed

    def create(self, given: Mapping[str, Any]) -> View:
        chosen: list[tuple[Order, Work, Mapping[str, Any]]] = []
        for entry in given["lineItemsByFulfillmentOrder"]:
            found = self._find(entry["fulfillmentOrderId"])
            if found is None:
                return _refused("Fulfillment order does not exist.")
            chosen.append((*found, entry))
        if not chosen:
            return _refused("Must provide at least one fulfillment order.")
        problem = _together(chosen)
        if problem:
            return _refused(problem)
        parts: Parts = []
        for _, work, entry in chosen:
            taken = _taken(work, entry.get("fulfillmentOrderLineItems"))
            if isinstance(taken, str):
                return _refused(taken)
            parts.append((work, taken))
        tracking = given.get("trackingInfo") or {}
        numbers, urls = _tracking(tracking)
        order = chosen[0][0]
        parcel = self._shop.ship(order, parts, tracking.get("company"), numbers, urls)
        self._shipped(order, parcel)
        return {"fulfillment": self._views().parcel(order, parcel), "userErrors": []}

    def retrack(self, gid: str, tracking: Mapping[str, Any]) -> View:
        """What is stated replaces all there was."""
        found = self._parcel(gid)
        if found is None:
            return _refused("Fulfillment does not exist.")
        order, parcel = found
        if parcel.status != "SUCCESS":
            return _refused("Fulfillment cannot be updated.")
        numbers, urls = _tracking(tracking)
        parcel.company, parcel.numbers, parcel.urls = tracking.get("company"), numbers, urls
        parcel.updated_at = order.updated_at = self._shop.now()
        self._changed(order, parcel)
        return {"fulfillment": self._views().parcel(order, parcel), "userErrors": []}

    def cancel(self, gid: str) -> View:
        """The units wait to be shipped again."""
        found = self._parcel(gid)
        if found is None:
            return _refused("Fulfillment does not exist.")
        order, parcel = found
        if parcel.status == "SUCCESS":
            self._shop.unship(order, parcel)
            self._changed(order, parcel)
        return {"fulfillment": self._views().parcel(order, parcel), "userErrors": []}

    def _parcel(self, gid: str) -> tuple[Order, Parcel] | None:
        for order in self._shop.orders.values():
            for parcel in order.parcels:
                if gid == f"gid://shopify/Fulfillment/{parcel.id}":
                    return order, parcel
        return None

    def _find(self, gid: str) -> tuple[Order, Work] | None:
        for order in self._shop.orders.values():
            for work in order.works:
                if gid == f"gid://shopify/FulfillmentOrder/{work.id}":
                    return order, work
        return None


def _tracking(tracking: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    numbers = tracking.get("numbers") or ([tracking["number"]] if tracking.get("number") else [])
    urls = tracking.get("urls") or ([tracking["url"]] if tracking.get("url") else [])
    return list(numbers), list(urls)


def _together(chosen: list[tuple[Order, Work, Mapping[str, Any]]]) -> str:
    """What keeps these from shipping as one, or ""."""
    if len({order.id for order, _, _ in chosen}) > 1:
        return "All fulfillment orders must belong to the same order."
    places = sorted({work.location for _, work, _ in chosen})
    if len(places) > 1:
        return f"All fulfillment orders must be assigned to a single location. Multiple locations with ids {places}"
    for _, work, _ in chosen:
        if work.status not in ("OPEN", "IN_PROGRESS"):
            return f"Fulfillment order {work.id} has an unfulfillable status= {work.status.lower()}."
    return ""


def _taken(work: Work, wanted: list[Mapping[str, Any]] | None) -> list[tuple[WorkLine, int]] | str:
    """The lines and quantities asked for; without any, everything left."""
    if not wanted:
        return [(each, each.remaining) for each in work.lines if each.remaining]
    taken: list[tuple[WorkLine, int]] = []
    for entry in wanted:
        each = next(
            (line for line in work.lines if entry["id"] == f"gid://shopify/FulfillmentOrderLineItem/{line.id}"), None
        )
        if each is None or not 1 <= entry["quantity"] <= each.remaining:
            return "Invalid fulfillment order line item quantity requested."
        taken.append((each, entry["quantity"]))
    return taken


def _refused(message: str) -> View:
    return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": message}]}
