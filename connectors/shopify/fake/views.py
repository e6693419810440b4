"""Orders and what becomes of them as GraphQL shows them; with the catalogue's views, all there is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.shopify.fake.catalogue_views import CatalogueViews, Info, Rows, View, gid, money, time_text
from connectors.shopify.fake.people import shopper
from connectors.shopify.fake.rest import CURRENCY
from connectors.shopify.fake.state import Line, Order, Parcel, Repayment, Work

__all__ = ["Info", "Rows", "View", "Views", "gid", "money", "time_text"]


class Views(CatalogueViews):
    """Every view of one shop."""

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
