"""The shop's things as GraphQL shows them: plain values, with callables where a field takes arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from graphql import GraphQLResolveInfo

from connectors.shopify.fake.connections import Connection
from connectors.shopify.fake.people import shopper
from connectors.shopify.fake.rest import CURRENCY
from connectors.shopify.fake.search import matcher
from connectors.shopify.fake.state import Item, Level, Line, Location, Order, Parcel, Repayment, Shop, Work

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


class Views:
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

    # --- orders ------------------------------------------------------------------------------

    def order(self, order: Order) -> View:
        person = shopper(order.person)
        zero = money(Decimal(0))
        return {
            "__typename": "Order",
            "id": gid("Order", order.id),
            "legacyResourceId": str(order.id),
            "name": order.name,
            "createdAt": time_text(order.created_at),
            "processedAt": time_text(order.created_at),
            "updatedAt": time_text(order.updated_at),
            "cancelledAt": time_text(order.cancelled_at),
            "cancelReason": order.cancel_reason,
            "closed": order.closed_at is not None,
            "closedAt": time_text(order.closed_at),
            "test": False,
            "edited": False,
            "note": None,
            "tags": [],
            "email": person["email"],
            "phone": None,
            "poNumber": None,
            "sourceName": "web",
            "sourceIdentifier": None,
            "currencyCode": CURRENCY,
            "presentmentCurrencyCode": CURRENCY,
            "taxesIncluded": False,
            "dutiesIncluded": False,
            "displayFinancialStatus": order.financial,
            "displayFulfillmentStatus": {"shipped": "FULFILLED", "partial": "PARTIALLY_FULFILLED"}.get(
                order.state, "UNFULFILLED"
            ),
            "returnStatus": "NO_RETURN",
            "customAttributes": [],
            "customer": _customer(person),
            "shippingAddress": _address(person, order.id),
            "billingAddress": _address(person, order.id),
            "totalPriceSet": money(order.items_price),
            "currentTotalPriceSet": money(sum((line.price * line.current for line in order.lines), Decimal(0))),
            "subtotalPriceSet": money(order.items_price),
            "totalTaxSet": zero,
            "totalDiscountsSet": zero,
            "totalShippingPriceSet": zero,
            "totalTipReceivedSet": zero,
            "totalRefundedSet": money(sum((refund.amount for refund in order.refunds), Decimal(0))),
            "originalTotalDutiesSet": None,
            "originalTotalAdditionalFeesSet": None,
            "taxLines": [],
            "discountApplications": self.connection(lambda _: []),
            "shippingLines": self.connection(lambda _: [(order.id, order.id + 11, lambda: _shipping(order))]),
            "lineItems": self.connection(
                lambda _: [(line.id, line.id, lambda line=line: self.line(order, line)) for line in order.lines]  # type: ignore[misc]
            ),
            "refunds": lambda _, **given: [self.refund(order, each) for each in order.refunds][: given.get("first")],
            "fulfillments": lambda _, **given: [self.parcel(order, each) for each in order.parcels][
                : given.get("first")
            ],
            "fulfillmentOrders": self.connection(
                lambda _: [(work.id, work.id, lambda work=work: self.work(order, work)) for work in order.works]  # type: ignore[misc]
            ),
            "returns": self.connection(lambda _: []),
        }

    def line(self, order: Order, line: Line) -> View:
        left = max(0, line.current - order.shipped(line))
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", line.id),
            "sku": line.item.sku,
            "title": line.item.title,
            "name": line.item.title,
            "variantTitle": None,
            "vendor": "Example",
            "quantity": line.quantity,
            "currentQuantity": line.current,
            "unfulfilledQuantity": left,
            "nonFulfillableQuantity": line.quantity - line.current,
            "refundableQuantity": line.current,
            "requiresShipping": True,
            "isGiftCard": False,
            "taxable": True,
            "customAttributes": [],
            "originalUnitPriceSet": money(line.price),
            "discountAllocations": [],
            "taxLines": [],
            "variant": lambda _: self.variant(line.item),
            "product": lambda _: self.product(line.item),
        }

    def refund(self, order: Order, refund: Repayment) -> View:
        def rows(_: str | None) -> Rows:
            for number, line, quantity, restock in refund.lines:
                view = {
                    "id": gid("RefundLineItem", number),
                    "quantity": quantity,
                    "restockType": restock,
                    "restocked": restock in ("CANCEL", "RETURN"),
                    "lineItem": self.line(order, line),
                    "location": self.location(self.shop.locations[refund.location]),
                    "subtotalSet": money(line.price * quantity),
                    "totalTaxSet": money(Decimal(0)),
                }
                yield number, number, lambda view=view: view  # type: ignore[misc]

        return {
            "__typename": "Refund",
            "id": gid("Refund", refund.id),
            "legacyResourceId": str(refund.id),
            "note": None,
            "createdAt": time_text(refund.created_at),
            "processedAt": time_text(refund.created_at),
            "updatedAt": time_text(refund.created_at),
            "order": lambda _: self.order(order),
            "totalRefundedSet": money(refund.amount),
            "refundLineItems": self.connection(rows),
            "refundShippingLines": self.connection(lambda _: []),
        }

    def parcel(self, order: Order, parcel: Parcel) -> View:
        def rows(_: str | None) -> Rows:
            for number, line, quantity in parcel.lines:
                view = {
                    "id": gid("FulfillmentLineItem", number),
                    "quantity": quantity,
                    "lineItem": self.line(order, line),
                }
                yield number, number, lambda view=view: view  # type: ignore[misc]

        tracking = [
            {"company": parcel.company, "number": number, "url": parcel.urls[at] if at < len(parcel.urls) else None}
            for at, number in enumerate(parcel.numbers)
        ]
        return {
            "__typename": "Fulfillment",
            "id": gid("Fulfillment", parcel.id),
            "legacyResourceId": str(parcel.id),
            "name": parcel.name,
            "status": parcel.status,
            "displayStatus": "FULFILLED",
            "createdAt": time_text(parcel.created_at),
            "updatedAt": time_text(parcel.updated_at),
            "deliveredAt": None,
            "totalQuantity": sum(quantity for _, _, quantity in parcel.lines),
            "location": self.location(self.shop.locations[parcel.location]),
            "order": lambda _: self.order(order),
            "trackingInfo": lambda _, first=None: tracking[:first],
            "fulfillmentLineItems": self.connection(rows),
        }

    def work(self, order: Order, work: Work) -> View:
        def rows(_: str | None) -> Rows:
            for each in work.lines:
                view = {
                    "id": gid("FulfillmentOrderLineItem", each.id),
                    "inventoryItemId": gid("InventoryItem", each.line.item.id),
                    "totalQuantity": each.total,
                    "remainingQuantity": each.remaining,
                    "requiresShipping": True,
                    "sku": each.line.item.sku,
                    "lineItem": self.line(order, each.line),
                }
                yield each.id, each.id, lambda view=view: view  # type: ignore[misc]

        place = self.shop.locations[work.location]
        return {
            "__typename": "FulfillmentOrder",
            "id": gid("FulfillmentOrder", work.id),
            "status": work.status,
            "requestStatus": "UNSUBMITTED",
            "createdAt": time_text(work.created_at),
            "updatedAt": time_text(work.updated_at),
            "orderId": gid("Order", order.id),
            "orderName": order.name,
            "order": lambda _: self.order(order),
            "assignedLocation": {
                "name": place.name,
                "city": "Springfield",
                "countryCode": "US",
                "location": self.location(place),
            },
            "lineItems": self.connection(rows),
        }


def _customer(person: Mapping[str, Any]) -> View:
    place = person["address"]
    return {
        "id": gid("Customer", person["id"]),
        "legacyResourceId": str(person["id"]),
        "displayName": place["name"],
        "firstName": place["first_name"],
        "lastName": place["last_name"],
        "defaultEmailAddress": {"emailAddress": person["email"]},
        "defaultPhoneNumber": None,
    }


def _address(person: Mapping[str, Any], number: int) -> View:
    place = person["address"]
    return {
        "id": gid("MailingAddress", number),
        "name": place["name"],
        "firstName": place["first_name"],
        "lastName": place["last_name"],
        "company": place["company"],
        "address1": place["address1"],
        "address2": place["address2"],
        "city": place["city"],
        "province": place["province"],
        "provinceCode": place["province_code"],
        "zip": place["zip"],
        "country": place["country"],
        "countryCodeV2": place["country_code"],
        "phone": place["phone"],
    }


def _shipping(order: Order) -> View:
    zero = money(Decimal(0))
    return {
        "id": gid("ShippingLine", order.id + 11),
        "title": "Standard",
        "code": "Standard",
        "source": "shopify",
        "carrierIdentifier": None,
        "isRemoved": False,
        "originalPriceSet": zero,
        "discountedPriceSet": zero,
        "discountAllocations": [],
        "taxLines": [],
    }


def _number(text: str) -> int:
    tail = text.rpartition("/")[2].partition("?")[0]
    return int(tail) if tail.isdigit() else -1
