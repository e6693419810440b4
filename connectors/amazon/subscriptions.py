"""Notification subscriptions: a destination for the queue, a subscription per type.

Destinations belong to the application, so they are made and listed without a seller's grant; each
subscription belongs to the seller. Amazon calls nobody, so the hub's own address plays no part.

Source: notifications model (2026-08): createDestination, createSubscription, getSubscription; the queue's
policy must let principal 437568002678 send, which only its owner can grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from connectors.amazon import topics
from connectors.amazon.api import Api, escaped
from connectors.amazon.queue import Queue
from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Conflict, Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer

log = structlog.get_logger(__name__)

ROOT: Final = "/notifications/v1"
PAYLOAD_VERSIONS: Final[Mapping[str, str]] = {topics.FEED_FINISHED: "2020-09-04"}
"""All others are 1.0. Source: schemas/notifications (2026-08)."""

FILTERS: Final[Mapping[str, Mapping[str, Any]]] = {
    # Tips change nothing here. Source: notifications model, OrderChangeTypeEnum (2026-08).
    topics.ORDER_CHANGE: {
        "eventFilter": {
            "eventFilterType": "ORDER_CHANGE",
            "orderChangeTypes": ["OrderStatusChange", "BuyerRequestedChange"],
        }
    }
}


class Subscriptions:
    """One account's subscriptions. Run by one task at a time."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings, queue: Queue) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings
        self._queue = queue

    async def ensure(self) -> list[str]:
        """Make what is missing, mend what points elsewhere; one line per change. Without a queue nothing is done.

        Raises:
            Rejected: The queue tells no ARN, or Amazon refuses it as a destination.
            AuthFailed: The application lacks a role.
        """
        if self._settings.queue_url is None:
            return []
        destination, changes = await self._destination(await self._queue.arn())
        for kind in topics.SUBSCRIBED:
            changes += await self._subscription(kind, destination)
        return changes

    async def _destination(self, arn: str) -> tuple[str, list[str]]:
        path = f"{ROOT}/destinations"
        for row in _rows(await self._api.request("GET", path, operation="getDestinations", grantless=True)):
            resource = row.get("resource")
            held = resource.get("sqs") if isinstance(resource, Mapping) else None
            if isinstance(held, Mapping) and held.get("arn") == arn and row.get("destinationId"):
                return str(row["destinationId"]), []
        body = {"name": f"trunkline-{self._ctx.account}", "resourceSpecification": {"sqs": {"arn": arn}}}
        answer = await self._api.request(
            "POST", path, operation="createDestination", json=body, write=True, grantless=True
        )
        made = _payload(answer).get("destinationId")
        if not made:
            raise Transient("createDestination: the answer names no destination", **answer.facts("unexpected_body"))
        return str(made), ["made the destination"]

    async def _subscription(self, kind: str, destination: str) -> list[str]:
        """One type. Subscribing to a type of Amazon's that this seller cannot have is said and skipped."""
        version = PAYLOAD_VERSIONS.get(kind, "1.0")
        changes: list[str] = []
        try:
            held = await self._held(kind, version)
            if held.get("destinationId") == destination:
                return []
            if held.get("subscriptionId"):
                # One subscription per type and application: the one that leads elsewhere would starve this queue.
                await self._drop(kind, str(held["subscriptionId"]))
                changes.append(f"ended a subscription to {kind} that led elsewhere")
            await self._subscribe(kind, version, destination)
        except (Rejected, Conflict) as error:
            if kind == topics.ORDER_CHANGE:
                raise
            log.warning("amazon.subscription_refused", account=self._ctx.account, topic=kind, reason=error.message)
            return changes
        return [*changes, f"subscribed to {kind}"]

    async def _subscribe(self, kind: str, version: str, destination: str) -> None:
        body: dict[str, Any] = {"payloadVersion": version, "destinationId": destination}
        if kind in FILTERS:
            body["processingDirective"] = FILTERS[kind]
        path = f"{ROOT}/subscriptions/{escaped(kind)}"
        optional = kind != topics.ORDER_CHANGE
        await self._api.request("POST", path, operation="createSubscription", json=body, write=True, optional=optional)

    async def _held(self, kind: str, version: str) -> Mapping[str, Any]:
        path = f"{ROOT}/subscriptions/{escaped(kind)}"
        try:
            answer = await self._api.request(
                "GET",
                path,
                operation="getSubscription",
                params={"payloadVersion": version},
                optional=kind != topics.ORDER_CHANGE,
            )
        except TargetMissing:
            return {}
        return _payload(answer)

    async def _drop(self, kind: str, number: str) -> None:
        path = f"{ROOT}/subscriptions/{escaped(kind)}/{escaped(number)}"
        try:
            await self._api.request(
                "DELETE", path, operation="deleteSubscriptionById", write=True, keyed=True, grantless=True
            )
        except TargetMissing:
            log.info("amazon.subscription_gone", account=self._ctx.account, topic=kind)


def _payload(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    found = body.get("payload") if isinstance(body, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _rows(answer: Answer) -> list[Mapping[str, Any]]:
    body = answer.json()
    found = body.get("payload") if isinstance(body, Mapping) else None
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
