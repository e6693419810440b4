"""Webhook subscriptions of the fake shop.

Source: mutations webhookSubscriptionCreate, -Update, -Delete of the 2026-10 schema, read 2026-11-20.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.shopify.fake.state import Shop
from connectors.shopify.fake.views import View, gid, time_text

# Shopify takes https, Pub/Sub and EventBridge addresses. The fake has no certificate to look at on
# this machine, so it takes plain http to the loopback address as well.
_ADDRESS: Final = re.compile(r"https://[^\s]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s]*)?")


@dataclass(slots=True)
class Subscription:
    id: int
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    format: str = "JSON"
    filter: str | None = None
    include_fields: list[str] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)

    @property
    def rest_topic(self) -> str:
        """`FULFILLMENT_ORDERS_MOVED` is announced as `fulfillment_orders/moved`."""
        for noun in _NOUNS:
            if self.topic.startswith(f"{noun}_"):
                return f"{noun}/{self.topic[len(noun) + 1 :]}".lower()
        noun, _, verb = self.topic.partition("_")
        return f"{noun}/{verb}".lower()

    def view(self) -> View:
        return {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", self.id),
            "legacyResourceId": str(self.id),
            "topic": self.topic,
            "uri": self.uri,
            "format": self.format,
            "filter": self.filter,
            "includeFields": self.include_fields,
            "metafieldNamespaces": self.namespaces,
            "name": self.name,
            "createdAt": time_text(self.created_at),
            "updatedAt": time_text(self.updated_at),
        }


_NOUNS: Final = (
    "BULK_OPERATIONS",
    "DRAFT_ORDERS",
    "FULFILLMENT_EVENTS",
    "FULFILLMENT_ORDERS",
    "INVENTORY_ITEMS",
    "INVENTORY_LEVELS",
    "ORDER_TRANSACTIONS",
)


class Subscriptions:
    """What is subscribed. Each delivers on its own, so two for one topic deliver twice."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.by_id: dict[int, Subscription] = {}

    def of(self, topic: str) -> list[Subscription]:
        return [each for each in self.by_id.values() if each.rest_topic == topic]

    def create(self, topic: str, given: Mapping[str, Any]) -> View:
        errors = self._problems(given, topic, None)
        if errors:
            return {"webhookSubscription": None, "userErrors": errors}
        now = self._shop.now()
        each = Subscription(self._shop.new_id(1_900_000_000_000), topic, _uri(given), now, now)
        _fill(each, given)
        self.by_id[each.id] = each
        return {"webhookSubscription": each.view(), "userErrors": []}

    def update(self, id_: str, given: Mapping[str, Any]) -> View:
        each = self.by_id.get(_number(id_))
        if each is None:
            return {"webhookSubscription": None, "userErrors": [_missing()]}
        errors = self._problems({"uri": each.uri, **given}, each.topic, each)
        if errors:
            return {"webhookSubscription": None, "userErrors": errors}
        if _uri(given):
            each.uri = _uri(given)
        _fill(each, given)
        each.updated_at = self._shop.now()
        return {"webhookSubscription": each.view(), "userErrors": []}

    def delete(self, id_: str) -> View:
        each = self.by_id.pop(_number(id_), None)
        if each is None:
            return {"deletedWebhookSubscriptionId": None, "userErrors": [_missing()]}
        return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", each.id), "userErrors": []}

    def _problems(self, given: Mapping[str, Any], topic: str, own: Subscription | None) -> list[View]:
        uri = _uri(given)
        if not uri:
            return [_problem("Address can't be blank")]
        if not _ADDRESS.fullmatch(uri):
            return [_problem(f"Address protocol {uri.partition('://')[0]}:// is not supported")]
        taken = [each for each in self.by_id.values() if each is not own and each.topic == topic and each.uri == uri]
        return [_problem("Address for this topic has already been taken")] if taken else []


def _uri(given: Mapping[str, Any]) -> str:
    return str(given.get("uri") or given.get("callbackUrl") or "").strip()


def _fill(each: Subscription, given: Mapping[str, Any]) -> None:
    each.name = given.get("name", each.name)
    each.format = given.get("format") or each.format
    each.filter = given.get("filter", each.filter)
    each.include_fields = list(given.get("includeFields") or ())
    each.namespaces = list(given.get("metafieldNamespaces") or ())


def _problem(message: str) -> View:
    return {"field": ["webhookSubscription", "callbackUrl"], "message": message}


def _missing() -> View:
    return {"field": ["id"], "message": "Webhook subscription does not exist"}


def _number(text: str) -> int:
    tail = text.rpartition("/")[2]
    return int(tail) if tail.isdigit() else -1
