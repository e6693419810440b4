"""Destinations, subscriptions, and what is sent to the queue behind them.

Source: notifications model (2026-08): destinations are the application's (grantless), subscriptions the
seller's, one per type and payload version. Listing notifications are EventBridge's, not SQS's; a rule of
the seller's account then writes them into the queue inside EventBridge's own envelope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.notices import (
    FBA_CHANGE,
    FEED_FINISHED,
    ORDER_CHANGE,
    QUANTITY_CHANGE,
    REPORT_FINISHED,
    enveloped,
)
from connectors.amazon.fake.queue import Queue
from connectors.amazon.fake.replies import Refusal, answer, body_of, invalid, iso, missing, only
from connectors.sdk.ports import Clock

ARN: Final = re.compile(r"arn:aws:sqs:\S+:\S+:\S+")
EVENT_BRIDGE: Final = frozenset(
    {
        QUANTITY_CHANGE,
        "LISTINGS_ITEM_ISSUES_CHANGE",
        "LISTINGS_ITEM_STATUS_CHANGE",
        "BRANDED_ITEM_CONTENT_CHANGE",
        "ITEM_PRODUCT_TYPE_CHANGE",
        "PRODUCT_TYPE_DEFINITIONS_CHANGE",
    }
)
BY_QUEUE: Final = frozenset(
    {
        ORDER_CHANGE,
        FEED_FINISHED,
        REPORT_FINISHED,
        FBA_CHANGE,
        "ANY_OFFER_CHANGED",
        "B2B_ANY_OFFER_CHANGED",
        "FBA_OUTBOUND_SHIPMENT_STATUS",
        "FULFILLMENT_ORDER_STATUS",
        "ITEM_INVENTORY_EVENT_CHANGE",
        "ITEM_SALES_EVENT_CHANGE",
        "PRICING_HEALTH",
        "TRANSACTION_UPDATE",
        "DATA_KIOSK_QUERY_PROCESSING_FINISHED",
    }
)
SUBSCRIPTION: Final = frozenset({"payloadVersion", "destinationId", "processingDirective"})


@dataclass
class Destination:
    number: str
    name: str
    resource: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "destinationId": self.number, "resource": self.resource}


@dataclass
class Subscription:
    number: str
    kind: str
    version: str
    destination: Destination
    directive: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        found = {
            "subscriptionId": self.number,
            "payloadVersion": self.version,
            "destinationId": self.destination.number,
        }
        return found | ({"processingDirective": self.directive} if self.directive else {})


class NoticesWire:
    """One application's destinations and one seller's subscriptions, all of them leading to one queue."""

    def __init__(self, queue: Queue, clock: Clock, seed: int) -> None:
        self._queue = queue
        self._clock = clock
        self._seed = seed
        self._sent = 0
        self.destinations: dict[str, Destination] = {}
        self.subscriptions: dict[str, Subscription] = {}

    def publish(self, kind: str, payload: Mapping[str, Any], *, change: str = "") -> str | None:
        """Send to the queue when somebody subscribed; what became of it, None when nobody did."""
        found = next((each for each in self.subscriptions.values() if each.kind == kind), None)
        if found is None or not _passes(found, change):
            return None
        self._sent += 1
        number = f"{self._seed:08x}-0000-4000-8000-{self._sent:012x}"
        body = enveloped(kind, payload, number, found.number, self._clock.now())
        if "eventBridge" in found.destination.resource:
            body = self._bridged(kind, body, number)
        elif found.destination.resource["sqs"]["arn"].split(":")[4:] != [self._queue.account, self._queue.name]:
            return None
        return self._queue.send(json.dumps(body))

    async def list_destinations(self, request: web.Request) -> web.Response:
        only(request, ())
        return answer({"payload": [each.to_json() for each in self.destinations.values()]})

    async def create_destination(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        wanted, name = body.get("resourceSpecification"), body.get("name")
        if set(body) - {"resourceSpecification", "name"} or not isinstance(wanted, dict) or not isinstance(name, str):
            raise invalid("resourceSpecification and name are required, and nothing else.")
        resource = _resource(wanted)
        if any(each.resource == resource or each.name == name for each in self.destinations.values()):
            raise Refusal(409, "ResourceConflict", "A destination of this name or resource exists already.")
        number = f"destination-{len(self.destinations) + 1}"
        made = self.destinations[number] = Destination(number, name, resource)
        return answer({"payload": made.to_json()})

    async def read_destination(self, request: web.Request) -> web.Response:
        only(request, ())
        return answer({"payload": self._destination(request.match_info["number"]).to_json()})

    async def delete_destination(self, request: web.Request) -> web.Response:
        gone = self._destination(request.match_info["number"])
        if any(each.destination is gone for each in self.subscriptions.values()):
            raise Refusal(409, "ResourceConflict", "The destination has subscriptions.")
        del self.destinations[gone.number]
        return answer({})

    async def read_subscription(self, request: web.Request) -> web.Response:
        only(request, {"payloadVersion"})
        kind = _kind(request)
        version = request.query.get("payloadVersion")
        for each in self.subscriptions.values():
            if each.kind == kind and version in (None, each.version):
                return answer({"payload": each.to_json()})
        raise missing(f"No subscription of {kind}.")

    async def create_subscription(self, request: web.Request) -> web.Response:
        kind, body = _kind(request), await body_of(request)
        if set(body) - SUBSCRIPTION or not isinstance(body.get("payloadVersion"), str):
            raise invalid("payloadVersion and destinationId are required.")
        destination = self._destination(str(body.get("destinationId")))
        if ("eventBridge" in destination.resource) != (kind in EVENT_BRIDGE):
            raise invalid(f"{kind} is not delivered to destinations of this kind.")
        directive = body.get("processingDirective") or {}
        if not isinstance(directive, dict) or not isinstance(directive.get("eventFilter", {}), dict):
            raise invalid("processingDirective is an object with an eventFilter.")
        version = body["payloadVersion"]
        if any(each.kind == kind and each.version == version for each in self.subscriptions.values()):
            raise Refusal(409, "ResourceConflict", f"A subscription of {kind} exists already.")
        number = f"subscription-{len(self.subscriptions) + 1}"
        made = self.subscriptions[number] = Subscription(number, kind, version, destination, directive)
        return answer({"payload": made.to_json()})

    async def read_subscription_by_id(self, request: web.Request) -> web.Response:
        only(request, ())
        return answer({"payload": self._subscription(request).to_json()})

    async def delete_subscription(self, request: web.Request) -> web.Response:
        del self.subscriptions[self._subscription(request).number]
        return answer({})

    def _destination(self, number: str) -> Destination:
        if number not in self.destinations:
            raise missing(f"No destination {number}.")
        return self.destinations[number]

    def _subscription(self, request: web.Request) -> Subscription:
        found = self.subscriptions.get(request.match_info["number"])
        if found is None or found.kind != request.match_info["kind"]:
            raise missing("No such subscription.")
        return found

    def _bridged(self, kind: str, body: Mapping[str, Any], number: str) -> dict[str, Any]:
        return {
            "version": "0",
            "id": number,
            "detail-type": kind,
            "source": "aws.partner/sellingpartnerapi.amazon.com/sandbox",
            "account": self._queue.account,
            "time": iso(self._clock.now()),
            "region": "us-east-1",
            "resources": [],
            "detail": body,
        }


def _kind(request: web.Request) -> str:
    kind = request.match_info["kind"]
    if kind not in BY_QUEUE | EVENT_BRIDGE:
        raise invalid(f"notificationType: {kind}")
    return kind


def _resource(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    if set(wanted) == {"sqs"} and isinstance(wanted["sqs"], dict):
        arn = wanted["sqs"].get("arn", "")
        if not ARN.fullmatch(str(arn)):
            raise invalid("sqs.arn is not the ARN of a queue.")
        if str(arn).endswith(".fifo"):
            raise invalid("FIFO queues are not supported.")
        return {"sqs": {"arn": arn}}
    bridge = wanted.get("eventBridge")
    if set(wanted) == {"eventBridge"} and isinstance(bridge, dict) and set(bridge) == {"region", "accountId"}:
        return {"eventBridge": {"name": "aws.partner/sandbox", **bridge}}
    raise invalid("resourceSpecification is sqs or eventBridge.")


def _passes(subscription: Subscription, change: str) -> bool:
    """The filter of a subscription; without one everything passes."""
    chosen = subscription.directive.get("eventFilter", {})
    types = chosen.get("orderChangeTypes")
    return not types or not change or change in types
