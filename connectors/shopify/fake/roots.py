"""The root fields of the fake shop's schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from graphql import GraphQLError, get_directive_values

from connectors.shopify.fake.bulk import BulkOperations, Execute
from connectors.shopify.fake.fulfilling import Fulfilling
from connectors.shopify.fake.hooks import Subscriptions
from connectors.shopify.fake.inventory import Inventory
from connectors.shopify.fake.rest import CURRENCY
from connectors.shopify.fake.search import matcher
from connectors.shopify.fake.state import Order, Shop
from connectors.shopify.fake.views import Info, Rows, View, Views, gid

KEYED: Final = frozenset({"inventorySetQuantities", "inventoryActivate"})
"""Mutations that need `@idempotent` since 2026-04, of those the fake has."""
NODES_MAX: Final = 250
Arguments = Mapping[str, Any]


class Roots:
    """Makes the root values. Each request gets its own, because reads may lag."""

    def __init__(
        self,
        shop: Shop,
        lagging: Callable[[], bool],
        scopes: Callable[[], frozenset[str]],
        inventory: Inventory,
        fulfilling: Fulfilling,
        subscriptions: Subscriptions,
        bulk: BulkOperations,
    ) -> None:
        self._shop = shop
        self._lagging = lagging
        self._scopes = scopes
        self._inventory = inventory
        self._fulfilling = fulfilling
        self._subscriptions = subscriptions
        self._bulk = bulk

    def queries(self, *, everything: bool) -> View:
        lagging = not everything and self._lagging()
        views = Views(self._shop, everything=everything, lagging=lagging)

        def connected(rows: Callable[[str | None, Arguments], Rows]) -> Callable[..., View]:
            """A root connection; `rows` gets the search query and whatever else was asked for."""
            return lambda info, **given: views.connection(lambda query: rows(query, given))(info, **given)

        return {
            "shop": self._about,
            "currentAppInstallation": self._installation,
            "orders": connected(lambda query, given: self._orders(views, query, str(given["sortKey"]), lagging)),
            "order": lambda _, id: self._node(views, id, "Order"),  # noqa: A006 - the schema's name
            "node": lambda _, id: self._node(views, id),  # noqa: A006
            "nodes": lambda _, ids: self._nodes(views, ids),
            "location": lambda _, id=None: self._location(views, id),  # noqa: A006
            "locations": connected(lambda _, given: self._places(views, inactive=bool(given["includeInactive"]))),
            "inventoryItem": lambda _, id: self._node(views, id, "InventoryItem"),  # noqa: A006
            "inventoryItems": connected(lambda query, _: self._items(views, query)),
            "productVariant": lambda _, id: self._node(views, id, "ProductVariant"),  # noqa: A006
            "productVariants": connected(lambda query, _: self._variants(views, query)),
            "fulfillment": lambda _, id: self._node(views, id, "Fulfillment"),  # noqa: A006
            "fulfillmentOrder": lambda _, id: self._node(views, id, "FulfillmentOrder"),  # noqa: A006
            # The fake's shoppers send nothing back.
            "return": None,
            "bulkOperation": lambda _, id: self._bulk.look(_number(id)),  # noqa: A006
            "webhookSubscriptions": connected(lambda _, given: self._hooks(given)),
        }

    def mutations(self, everything: Execute) -> View:
        return {
            "inventorySetQuantities": lambda info, input: self._inventory.set_quantities(input, _key(info)),  # noqa: A006
            "inventoryActivate": lambda info, **given: self._inventory.activate(
                given["inventoryItemId"], given["locationId"], given.get("available"), _key(info)
            ),
            "fulfillmentCancel": lambda _, id: self._fulfilling.cancel(id),  # noqa: A006
            "fulfillmentTrackingInfoUpdate": lambda _, **given: self._fulfilling.retrack(
                given["fulfillmentId"], given["trackingInfoInput"]
            ),
            "fulfillmentCreate": lambda _, **given: self._fulfilling.create(given["fulfillment"]),
            "bulkOperationRunQuery": lambda _, **given: self._bulk.start(given["query"], everything),
            "webhookSubscriptionCreate": lambda _, **given: self._subscriptions.create(
                given["topic"], given["webhookSubscription"]
            ),
            "webhookSubscriptionUpdate": lambda _, **given: self._subscriptions.update(
                given["id"], given["webhookSubscription"]
            ),
            "webhookSubscriptionDelete": lambda _, **given: self._subscriptions.delete(given["id"]),
        }

    def _about(self, _: Info) -> View:
        return {
            "id": gid("Shop", self._shop.id),
            "name": "Example Goods",
            "email": "shop@example.com",
            "myshopifyDomain": self._shop.domain,
            "currencyCode": CURRENCY,
            "ianaTimezone": "America/New_York",
            "taxesIncluded": False,
        }

    def _installation(self, _: Info) -> View:
        scopes = [{"handle": scope, "description": scope} for scope in sorted(self._scopes())]
        return {"id": gid("AppInstallation", self._shop.id + 1), "accessScopes": scopes}

    def _orders(self, views: Views, query: str | None, sort: str, lagging: bool) -> Rows:
        fits = matcher(
            query,
            {
                "updated_at": lambda order: order.updated_at,
                "created_at": lambda order: order.created_at,
                "processed_at": lambda order: order.created_at,
                "id": lambda order: order.id,
                "name": lambda order: order.name,
                "financial_status": lambda order: order.financial,
                "status": _status,
            },
        )
        now = self._shop.now()
        for order in self._shop.orders.values():
            # A replica that lags does not have the last seconds yet.
            if lagging and (now - order.updated_at).total_seconds() < 5:
                continue
            if fits(order):
                yield _sort_value(order, sort), order.id, lambda order=order: views.order(order)  # type: ignore[misc]

    def _places(self, views: Views, *, inactive: bool) -> Rows:
        for place in self._shop.locations.values():
            if place.active or inactive:
                yield place.name, place.id, lambda place=place: views.location(place)  # type: ignore[misc]

    def _node(self, views: Views, id_: str, wanted: str | None = None) -> View | None:
        """The thing with that id; an id of another kind than wanted finds nothing."""
        kind = id_.removeprefix("gid://shopify/").partition("/")[0]
        number = _number(id_)
        if not id_.startswith("gid://shopify/") or number < 0:
            raise GraphQLError(f"Invalid global id '{id_[:60]}'", extensions={"code": "argumentLiteralsIncompatible"})
        if wanted is not None and kind != wanted:
            return None
        if kind == "Order":
            order = self._shop.orders.get(number)
            return views.order(order) if order else None
        if kind == "InventoryItem":
            item = self._shop.items.get(number)
            return views.item(item) if item else None
        if kind == "ProductVariant":
            variant = self._shop.by_variant.get(number)
            return views.variant(variant) if variant else None
        if kind == "Location":
            return self._location(views, id_)
        return next(self._inside_orders(views, kind, number), None)

    def _inside_orders(self, views: Views, kind: str, number: int) -> Iterator[View]:
        for order in self._shop.orders.values():
            if kind == "Refund":
                yield from (views.refund(order, refund) for refund in order.refunds if refund.id == number)
            elif kind == "Fulfillment":
                yield from (views.parcel(order, parcel) for parcel in order.parcels if parcel.id == number)
            elif kind == "FulfillmentOrder":
                yield from (views.work(order, work) for work in order.works if work.id == number)

    def _nodes(self, views: Views, wanted: list[str]) -> list[View | None]:
        if len(wanted) > NODES_MAX:
            text = f"The input array size of {len(wanted)} is greater than the maximum allowed of {NODES_MAX}."
            raise GraphQLError(text, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
        return [self._node(views, each) for each in wanted]

    def _location(self, views: Views, id_: str | None) -> View | None:
        place = self._shop.locations.get(_number(id_)) if id_ else self._shop.main
        return views.location(place) if place else None

    def _items(self, views: Views, query: str | None) -> Rows:
        fits = matcher(query, {**_OF_ITEMS, "id": lambda item: item.id})
        for item in self._shop.items.values():
            if fits(item):
                yield item.id, item.id, lambda item=item: views.item(item)  # type: ignore[misc]

    def _variants(self, views: Views, query: str | None) -> Rows:
        fits = matcher(query, {**_OF_ITEMS, "id": lambda item: item.variant})
        for item in self._shop.items.values():
            if fits(item):
                yield item.variant, item.variant, lambda item=item: views.variant(item)  # type: ignore[misc]

    def _hooks(self, given: Arguments) -> Rows:
        uri = given.get("uri") or given.get("callbackUrl")
        for each in self._subscriptions.by_id.values():
            wanted = (given.get("topics") or [each.topic], uri or each.uri, given.get("format") or each.format)
            if each.topic in wanted[0] and (each.uri, each.format) == wanted[1:]:
                yield each.created_at.isoformat(), each.id, each.view


_OF_ITEMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "updated_at": lambda item: item.updated_at,
    "sku": lambda item: item.sku,
}


def _status(order: Order) -> str:
    if order.cancelled_at is not None:
        return "cancelled"
    return "closed" if order.closed_at is not None else "open"


def _sort_value(order: Order, sort: str) -> Any:
    if sort == "UPDATED_AT":
        return order.updated_at.isoformat()
    return order.id if sort in ("ID", "ORDER_NUMBER") else order.created_at.isoformat()


def _key(info: Info) -> str:
    """The key of the `@idempotent` directive on the mutation's field."""
    directive = info.schema.get_directive("idempotent")
    given = get_directive_values(directive, info.field_nodes[0], info.variable_values) if directive else None
    return str((given or {}).get("key", ""))


def _number(text: str) -> int:
    tail = text.rpartition("/")[2].partition("?")[0]
    return int(tail) if tail.isdigit() else -1
