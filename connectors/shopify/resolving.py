"""Hints: a body that only says that something changed becomes a reading of what it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import Rejected, TargetMissing, UnknownTopic
from connectors.shopify import ids
from connectors.shopify.catalogue import Catalogue
from connectors.shopify.graphql import GraphQL
from connectors.shopify.orders import Orders
from connectors.shopify.stock import Stock


class Resolving:
    """Turns hints of one account into readings."""

    def __init__(self, graphql: GraphQL, orders: Orders, stock: Stock, catalogue: Catalogue) -> None:
        self._graphql = graphql
        self._orders = orders
        self._stock = stock
        self._catalogue = catalogue

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        """Read what the hint is about; nothing where it is gone, since gone has its own topic.

        Raises:
            Rejected: The hint names nothing that could be read.
            UnknownTopic: The topic is no hint.
        """
        body = _body(envelope)
        noun = envelope.topic.partition("/")[0]
        if noun == "orders":
            return [await self._orders.one(_needed(_inner(body, "order_edit", "order_id") or body.get("id"), envelope))]
        if noun == "fulfillment_orders":
            return [await self._orders.one(await self._order_of_fulfillment(body, envelope))]
        if noun == "returns":
            return [await self._orders.one(await self._order_of_return(body, envelope))]
        if noun == "inventory_levels":
            return await self._stock.item(_needed(body.get("inventory_item_id"), envelope))
        if noun == "inventory_items":
            return await self._catalogue.of_item(_needed(body.get("id"), envelope))
        raise UnknownTopic(f"{envelope.topic} is no hint", code="unknown_topic")

    async def _order_of_fulfillment(self, body: Mapping[str, Any], envelope: Envelope) -> str:
        stated = ids.number(body.get("order_id")) or ids.number(_inner(body, "fulfillment_order", "order_id"))
        if stated:
            return stated
        first = body.get("fulfillment_order") or body.get("original_fulfillment_order") or body
        number = _needed(first.get("id") if isinstance(first, dict) else None, envelope)
        variables = {"id": ids.gid("FulfillmentOrder", number)}
        reply = await self._graphql.run("fulfillment_order_owner", variables, kind="hints.read_fulfillment_order")
        owner = reply.data.get("fulfillmentOrder")
        if not isinstance(owner, dict):
            raise TargetMissing(f"fulfilment order {number} is not there", code="NOT_FOUND")
        return ids.number(owner["orderId"])

    async def _order_of_return(self, body: Mapping[str, Any], envelope: Envelope) -> str:
        stated = ids.number(_inner(body, "order", "id")) or ids.number(body.get("order_id"))
        if stated:
            return stated
        number = _needed(body.get("id"), envelope)
        reply = await self._graphql.run("return_owner", {"id": ids.gid("Return", number)}, kind="hints.read_return")
        found = reply.data.get("return")
        if not isinstance(found, dict):
            raise TargetMissing(f"return {number} is not there", code="NOT_FOUND")
        return ids.number(found["order"]["id"])


def _body(envelope: Envelope) -> Mapping[str, Any]:
    try:
        body = exact.loads(envelope.payload)
    except exact.NotJson as error:
        raise Rejected(f"{envelope.topic}: the hint is not JSON", code="hint_malformed") from error
    if not isinstance(body, dict):
        raise Rejected(f"{envelope.topic}: the hint is not an object", code="hint_malformed")
    return body


def _inner(body: Mapping[str, Any], *path: str) -> Any:
    value: Any = body
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _needed(value: Any, envelope: Envelope) -> str:
    found = ids.number(value)
    if not found:
        raise Rejected(f"{envelope.topic}: the hint names nothing to read", code="hint_malformed")
    return found
