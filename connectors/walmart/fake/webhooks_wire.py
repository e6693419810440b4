"""Webhook subscriptions and signed notifications.

Source: Walmart notifications OpenAPI document (2026-06); pages "purchase order (PO) created event",
"order management event", "security and authenticity" (2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from connectors.sdk.emitter import Delivery, MakeDelivery
from connectors.sdk.ports import Clock
from connectors.walmart import signatures
from connectors.walmart.fake.orderbook import Line, Order
from connectors.walmart.fake.replies import WEBHOOKS_API, answer, body_of, invalid, iso, missing

EVENT_TYPES: Final = (
    ("ITEM", "OFFER_UNPUBLISHED"), ("PRICE", "BUY_BOX_CHANGED"), ("ORDER", "PO_CREATED"),
    ("ORDER", "PO_LINE_AUTOCANCELLED"), ("ORDER", "ORDER_UPDATES"), ("RETURNS", "RETURN_CREATED"),
    ("INVENTORY", "INVENTORY_OOS"), ("REPORTS", "REPORT_STATUS"),
)  # fmt: skip
REQUIRED: Final = ("eventType", "eventVersion", "resourceName", "eventUrl", "status")
METHODS: Final = ("BASIC_AUTH", "HMAC", "OAUTH")

Emit = Callable[[str, MakeDelivery], None]


class WebhooksWire:
    """One seller's subscriptions. `canonical` signs by the canonical scheme instead of the plain one."""

    def __init__(self, clock: Clock, emit: Emit) -> None:
        self._clock = clock
        self._emit = emit
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.canonical = False
        self._events = 0

    async def event_types(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's handler shape
        rows = [
            {"resourceName": resource, "eventType": name, "eventVersion": "V1", "description": name.lower()}
            for resource, name in EVENT_TYPES
        ]
        return answer({"events": rows})

    async def find(self, request: web.Request) -> web.Response:
        rows = [
            row
            for row in self.subscriptions.values()
            if all(row.get(name) == value for name, value in request.query.items())
        ]
        return answer({"events": rows})

    async def create(self, request: web.Request) -> web.Response:
        events = (await body_of(request, WEBHOOKS_API)).get("events")
        if not isinstance(events, list) or not events:
            raise invalid("events is missing", WEBHOOKS_API, "events")
        for event in events:
            _check(event)
        return answer({"event": [self._add(event) for event in events]})

    async def mend(self, request: web.Request) -> web.Response:
        held = self._held(request)
        changes = await body_of(request, WEBHOOKS_API)
        _check(held | changes)
        held |= changes
        return answer({"event": [held]})

    async def delete(self, request: web.Request) -> web.Response:
        held = self._held(request)
        del self.subscriptions[held["subscriptionId"]]
        text = "Subscription deleted"
        return answer({"subscriptionId": held["subscriptionId"], "message": text})

    async def test(self, request: web.Request) -> web.Response:
        event = await body_of(request, WEBHOOKS_API)
        _check(event | {"status": "ACTIVE"})
        self._send(event, self._envelope(event["eventType"], {}))
        return answer({"message": "The event URL is validated"})

    def announce(self, event_type: str, payload: Mapping[str, Any]) -> None:
        """Notify every active subscription of this event."""
        wanted = [
            row for row in self.subscriptions.values() if row["eventType"] == event_type and row["status"] == "ACTIVE"
        ]
        if not wanted:
            return
        body = self._envelope(event_type, payload)
        for row in wanted:
            self._send(row, body)

    def announce_order(self, event_type: str, order: Order, lines: list[Line] | None = None) -> None:
        """An order event. No address, no price: whoever wants them reads the order."""
        self.announce(event_type, _order_payload(order, lines or order.lines, self._clock.now()))

    def headers(self, subscription: Mapping[str, Any], path_qs: str, body: bytes) -> dict[str, str]:
        """The headers Walmart sends with a notification."""
        headers = {"Content-Type": "application/json", **(subscription.get("headers") or {})}
        auth = subscription.get("authDetails") or {}
        secret = str(auth.get("clientSecret") or auth.get("password") or "").encode()
        if auth.get("authMethod") == "BASIC_AUTH":
            value = signatures.basic_value(str(auth.get("userName")), str(auth.get("password")))
            return headers | {str(auth.get("authHeaderName") or "Authorization"): value}
        if auth.get("authMethod") != "HMAC":
            return headers
        if self.canonical:
            stamp = str(int(self._clock.now().timestamp()))
            value = signatures.canonical_signature(secret, "POST", path_qs, stamp, body)
            return headers | {"WM_SEC.TIMESTAMP": stamp, "WM_SEC.SIGNATURE": value, "WM_SEC.KEY_ID": "1"}
        return headers | {str(auth.get("authHeaderName")): signatures.plain_signature(secret, body)}

    def _envelope(self, event_type: str, payload: Mapping[str, Any]) -> bytes:
        self._events += 1
        source = {
            "eventType": event_type,
            "eventTime": iso(self._clock.now()),
            "eventId": f"03d34580-61d4-11ea-9e23-{self._events:012x}",
        }
        return json.dumps({"source": source, "payload": payload}).encode()

    def _send(self, subscription: Mapping[str, Any], body: bytes) -> None:
        url = urlsplit(subscription["eventUrl"])
        path_qs = url.path + (f"?{url.query}" if url.query else "")
        kept = dict(subscription)

        def make(attempt: int) -> Delivery:  # noqa: ARG001  # a retry is signed afresh, nothing else changes
            return Delivery(body, self.headers(kept, path_qs, body), label=str(kept["eventType"]))

        self._emit(subscription["eventUrl"], make)

    def _add(self, event: Mapping[str, Any]) -> dict[str, Any]:
        number = f"{len(self.subscriptions) + 1:08x}-b322-11ea-b385-0127e9b85538"
        row = {**event, "subscriptionId": number, "partnerId": "10000000359"}
        self.subscriptions[number] = row
        return row

    def _held(self, request: web.Request) -> dict[str, Any]:
        held = self.subscriptions.get(request.match_info["subscription"])
        if held is None:
            raise missing("Subscription not found", WEBHOOKS_API)
        return held


def _check(event: Any) -> None:
    for name in REQUIRED:
        if not isinstance(event, Mapping) or not event.get(name):
            raise invalid(f"{name} is missing", WEBHOOKS_API, name)
    if (event["resourceName"], event["eventType"]) not in EVENT_TYPES or event["eventVersion"] != "V1":
        raise invalid("There is no such event", WEBHOOKS_API, "eventType")
    auth = event.get("authDetails")
    if auth is None:
        return
    if auth.get("authMethod") not in METHODS or not auth.get("authHeaderName"):
        raise invalid("authDetails needs authMethod and authHeaderName", WEBHOOKS_API, "authDetails")
    needed = {"BASIC_AUTH": ("userName", "password"), "HMAC": ("clientSecret",), "OAUTH": ("authUrl", "clientId")}
    for name in needed[auth["authMethod"]]:
        if not auth.get(name):
            raise invalid(f"authDetails.{name} is missing", WEBHOOKS_API, "authDetails")


def _order_payload(order: Order, lines: list[Line], now: datetime) -> dict[str, Any]:
    return {
        "partnerId": "10000000359",
        "purchaseOrderId": order.number,
        "customerOrderId": order.customer_number,
        "orderDate": iso(order.created),
        "orderLines": list(_event_lines(order, lines, now)),
    }


def _event_lines(order: Order, lines: list[Line], now: datetime) -> Iterator[dict[str, Any]]:
    for line in lines:
        yield {
            "lineNumber": line.number,
            "sku": line.item.sku,
            "productName": line.item.title,
            "quantity": {"unitOfMeasure": "EACH", "measurementValue": str(line.units)},
            "status": line.parts[-1].status.upper(),
            "statusDate": iso(now),
            "shippingProgramType": "TWO_DAY",
            "shippingMethod": "Standard",
            "shipNodeType": order.ship_node_type,
        }
