"""Locations, items and variants as GraphQL shows them: plain values, callables where a field takes arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from graphql import GraphQLResolveInfo

from connectors.shopify.fake.connections import Connection
from connectors.shopify.fake.rest import CURRENCY
from connectors.shopify.fake.search import matcher
from connectors.shopify.fake.state import Item, Level, Location, Shop

View = dict[str, Any]
Info = GraphQLResolveInfo[Any]
Rows = Iterable[tuple[Any, int, Callable[[], Any]]]
_LAG: Final = timedelta(seconds=5)


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def time_text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def money(value: Decimal) -> View:
    """Amounts lose trailing zeros here, down to one place: "29.0"."""
    text = format(value.normalize(), "f")
    one = {"amount": text if "." in text else f"{text}.0", "currencyCode": CURRENCY}
    return {"shopMoney": one, "presentmentMoney": dict(one)}


class CatalogueViews:
    """Builds views of one shop. `lagging` makes reads miss the last few seconds."""

    def __init__(self, shop: Shop, *, everything: bool = False, lagging: bool = False) -> None:
        self.shop = shop
        self._everything = everything
        self._lagging = lagging

    def connection(self, rows: Callable[[str | None], Rows]) -> Callable[..., View]:
        """A field's resolver; `rows` gets the search query."""

        def resolve(
            _: Info,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            reverse: bool = False,
            query: str | None = None,
            **__: Any,
        ) -> View:
            return Connection(rows(query), everything=self._everything).page(first, after, last, before, reverse)

        return resolve

    # --- catalogue and stock -----------------------------------------------------------------

    def location(self, place: Location) -> View:
        return {
            "__typename": "Location",
            "id": gid("Location", place.id),
            "legacyResourceId": str(place.id),
            "name": place.name,
            "isActive": place.active,
            "inventoryLevels": self.connection(lambda query: self._levels_at(place, query)),
        }

    def _levels_at(self, place: Location, query: str | None) -> Rows:
        fits = matcher(
            query, {"updated_at": lambda pair: pair[1].updated_at, "inventory_item_id": lambda pair: pair[0].id}
        )
        for item in self.shop.items.values():
            level = item.levels.get(place.id)
            if level is not None and level.active and fits((item, level)):
                yield item.id, item.id, lambda item=item, level=level: self.level(item, level)  # type: ignore[misc]

    def level(self, item: Item, level: Level) -> View:
        counts = {
            "available": self._seen(level),
            "committed": level.committed,
            "damaged": level.damaged,
            "incoming": level.incoming,
            "on_hand": level.on_hand,
            "quality_control": 0,
            "reserved": 0,
            "safety_stock": 0,
        }

        def quantities(_: Info, names: list[str]) -> list[View]:
            # Only counts somebody changed directly have an instant of their own.
            return [
                {
                    "id": f"gid://shopify/InventoryQuantity/{level.location}?inventory_item_id={item.id}&name={name}",
                    "name": name,
                    "quantity": counts[name],
                    "updatedAt": time_text(level.updated_at) if name == "available" else None,
                }
                for name in names
                if name in counts
            ]

        return {
            "__typename": "InventoryLevel",
            "id": f"gid://shopify/InventoryLevel/{level.location}?inventory_item_id={item.id}",
            "createdAt": time_text(level.created_at),
            "updatedAt": time_text(level.updated_at),
            "isActive": level.active,
            "item": lambda _: self.item(item),
            "location": lambda _: self.location(self.shop.locations[level.location]),
            "quantities": quantities,
        }

    def _seen(self, level: Level) -> int:
        if self._lagging and level.before is not None and self.shop.now() - level.updated_at < _LAG:
            return level.before
        return level.available

    def item(self, item: Item) -> View:
        def one(_: Info, **given: Any) -> View | None:
            level = item.levels.get(_number(given["locationId"]))
            if level is None or not (level.active or given.get("includeInactive")):
                return None
            return self.level(item, level)

        def rows(_: str | None) -> Rows:
            return [(place, place, lambda level=level: self.level(item, level)) for place, level in item.levels.items()]  # type: ignore[misc]

        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", item.id),
            "legacyResourceId": str(item.id),
            "sku": item.sku,
            "tracked": item.tracked,
            "requiresShipping": True,
            "createdAt": time_text(item.created_at),
            "updatedAt": time_text(item.updated_at),
            "inventoryLevel": one,
            "inventoryLevels": self.connection(rows),
            "variants": self.connection(lambda _: [(item.variant, item.variant, lambda: self.variant(item))]),
        }

    def variant(self, item: Item) -> View:
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", item.variant),
            "legacyResourceId": str(item.variant),
            "sku": item.sku,
            "title": "Default Title",
            "displayName": item.title,
            "barcode": None,
            "price": str(item.price.quantize(Decimal("0.01"))),
            "createdAt": time_text(item.created_at),
            "updatedAt": time_text(item.updated_at),
            "inventoryQuantity": item.sellable,
            "inventoryPolicy": "DENY",
            "requiresComponents": item.components,
            "product": lambda _: self.product(item),
            "inventoryItem": lambda _: self.item(item),
        }

    def product(self, item: Item) -> View:
        return {
            "__typename": "Product",
            "id": gid("Product", item.product),
            "legacyResourceId": str(item.product),
            "title": item.title,
            "handle": f"item-{item.product}",
            "status": "ACTIVE",
            "isGiftCard": False,
            "updatedAt": time_text(item.updated_at),
        }


def _number(text: str) -> int:
    tail = text.rpartition("/")[2].partition("?")[0]
    return int(tail) if tail.isdigit() else -1
