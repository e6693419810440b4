"""REST bodies, as webhooks carry them: the full shape, in the shop's own time zone.

Source: shopify.dev/docs/api/admin-rest/2026-10 (order, refund, fulfillment, product, inventory level),
read 2026-11-20.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.fake.people import shopper
from connectors.shopify.fake.state import Item, Level, Line, Order, Parcel, Repayment, Shop

ZONE: Final = timezone(timedelta(hours=-5))
CURRENCY: Final = "USD"


def time_text(at: datetime | None) -> str | None:
    return at.astimezone(ZONE).isoformat() if at else None


def amount(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.01")))


def money_set(value: Decimal) -> dict[str, Any]:
    money = {"amount": amount(value), "currency_code": CURRENCY}
    return {"shop_money": dict(money), "presentment_money": dict(money)}


def address(order: Order) -> dict[str, Any]:
    return {**shopper(order.person)["address"], "latitude": None, "longitude": None}


def order_body(shop: Shop, order: Order) -> dict[str, Any]:
    """The order resource."""
    person = shopper(order.person)
    items = order.items_price
    current = sum((line.price * line.current for line in order.lines), Decimal("0.00"))
    zero = Decimal("0.00")
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "app_id": 580111,
        "browser_ip": "192.0.2.10",
        "buyer_accepts_marketing": False,
        "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
        "cancelled_at": time_text(order.cancelled_at),
        "cart_token": None,
        "checkout_id": order.id + 7,
        "checkout_token": None,
        "client_details": None,
        "closed_at": time_text(order.closed_at),
        "confirmation_number": f"C{order.number}",
        "confirmed": True,
        "contact_email": person["email"],
        "created_at": time_text(order.created_at),
        "currency": CURRENCY,
        "current_subtotal_price": amount(current),
        "current_subtotal_price_set": money_set(current),
        "current_total_additional_fees_set": None,
        "current_total_discounts": "0.00",
        "current_total_discounts_set": money_set(zero),
        "current_total_duties_set": None,
        "current_total_price": amount(current),
        "current_total_price_set": money_set(current),
        "current_total_tax": "0.00",
        "current_total_tax_set": money_set(zero),
        "customer_locale": "en",
        "device_id": None,
        "discount_codes": [],
        "duties_included": False,
        "email": person["email"],
        "estimated_taxes": False,
        "financial_status": order.financial.lower(),
        "fulfillment_status": _fulfillment(order),
        "landing_site": "/",
        "landing_site_ref": None,
        "location_id": None,
        "merchant_of_record_app_id": None,
        "name": order.name,
        "note": None,
        "note_attributes": [],
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url": f"https://{shop.domain}/orders/{order.number}",
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "payment_gateway_names": ["bogus"],
        "phone": None,
        "po_number": None,
        "presentment_currency": CURRENCY,
        "processed_at": time_text(order.created_at),
        "reference": None,
        "referring_site": None,
        "source_identifier": None,
        "source_name": "web",
        "source_url": None,
        "subtotal_price": amount(items),
        "subtotal_price_set": money_set(items),
        "tags": "",
        "tax_exempt": False,
        "tax_lines": [],
        "taxes_included": False,
        "test": False,
        "token": f"{order.id:032x}",
        "total_cash_rounding_payment_adjustment_set": money_set(zero),
        "total_cash_rounding_refund_adjustment_set": money_set(zero),
        "total_discounts": "0.00",
        "total_discounts_set": money_set(zero),
        "total_line_items_price": amount(items),
        "total_line_items_price_set": money_set(items),
        "total_outstanding": "0.00",
        "total_price": amount(items),
        "total_price_set": money_set(items),
        "total_shipping_price_set": money_set(zero),
        "total_tax": "0.00",
        "total_tax_set": money_set(zero),
        "total_tip_received": "0.00",
        "total_weight": 0,
        "updated_at": time_text(order.updated_at),
        "user_id": None,
        "billing_address": address(order),
        "customer": {
            "id": person["id"],
            "email": person["email"],
            "created_at": time_text(order.created_at),
            "updated_at": time_text(order.created_at),
            "first_name": person["address"]["first_name"],
            "last_name": person["address"]["last_name"],
            "state": "disabled",
            "note": None,
            "verified_email": True,
            "tax_exempt": False,
            "phone": None,
            "tags": "",
            "currency": CURRENCY,
            "admin_graphql_api_id": f"gid://shopify/Customer/{person['id']}",
        },
        "discount_applications": [],
        "fulfillments": [parcel_body(order, parcel) for parcel in order.parcels],
        "line_items": [line_body(order, line) for line in order.lines],
        "payment_terms": None,
        "refunds": [refund_body(order, refund) for refund in order.refunds],
        "shipping_address": address(order),
        "shipping_lines": [
            {
                "id": order.id + 11,
                "carrier_identifier": None,
                "code": "Standard",
                "discounted_price": "0.00",
                "discounted_price_set": money_set(zero),
                "is_removed": False,
                "phone": None,
                "price": "0.00",
                "price_set": money_set(zero),
                "requested_fulfillment_service_id": None,
                "source": "shopify",
                "title": "Standard",
                "tax_lines": [],
                "discount_allocations": [],
            }
        ],
    }


def line_body(order: Order, line: Line) -> dict[str, Any]:
    left = max(0, line.current - order.shipped(line))
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "current_quantity": line.current,
        "fulfillable_quantity": left,
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if not left and order.shipped(line) else None,
        "gift_card": False,
        "grams": 200,
        "name": line.item.title,
        "price": amount(line.price),
        "price_set": money_set(line.price),
        "product_exists": True,
        "product_id": line.item.product,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": True,
        "sku": line.item.sku,
        "taxable": True,
        "title": line.item.title,
        "total_discount": "0.00",
        "total_discount_set": money_set(Decimal("0.00")),
        "variant_id": line.item.variant,
        "variant_inventory_management": "shopify",
        "variant_title": None,
        "vendor": "Example",
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
    }


def parcel_body(order: Order, parcel: Parcel) -> dict[str, Any]:
    return {
        "id": parcel.id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{parcel.id}",
        "created_at": time_text(parcel.created_at),
        "location_id": parcel.location,
        "name": parcel.name,
        "order_id": order.id,
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": None,
        "status": parcel.status.lower(),
        "tracking_company": parcel.company,
        "tracking_number": parcel.numbers[0] if parcel.numbers else None,
        "tracking_numbers": list(parcel.numbers),
        "tracking_url": parcel.urls[0] if parcel.urls else None,
        "tracking_urls": list(parcel.urls),
        "updated_at": time_text(parcel.updated_at),
        "line_items": [{**line_body(order, line), "quantity": quantity} for _, line, quantity in parcel.lines],
    }


def refund_body(order: Order, refund: Repayment) -> dict[str, Any]:
    return {
        "id": refund.id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "created_at": time_text(refund.created_at),
        "note": None,
        "order_id": order.id,
        "processed_at": time_text(refund.created_at),
        "restock": True,
        "user_id": None,
        "order_adjustments": [],
        "transactions": [
            {
                "id": refund.id + 3,
                "amount": amount(refund.amount),
                "currency": CURRENCY,
                "gateway": "bogus",
                "kind": "refund",
                "order_id": order.id,
                "processed_at": time_text(refund.created_at),
                "status": "success",
                "test": False,
            }
        ],
        "refund_line_items": [
            {
                "id": number,
                "line_item_id": line.id,
                "location_id": refund.location,
                "quantity": quantity,
                "restock_type": restock.lower(),
                # Refund lines state these two as JSON numbers, unlike every other amount.
                "subtotal": _number(line.price * quantity),
                "subtotal_set": money_set(line.price * quantity),
                "total_tax": _number(Decimal("0.00")),
                "total_tax_set": money_set(Decimal("0.00")),
                "line_item": line_body(order, line),
            }
            for number, line, quantity, restock in refund.lines
        ],
        "refund_shipping_lines": [],
        "duties": [],
    }


def level_body(item: Item, level: Level) -> dict[str, Any]:
    """The body of inventory_levels/update: nobody says who changed it."""
    return {
        "inventory_item_id": item.id,
        "location_id": level.location,
        "available": level.available if item.tracked else None,
        "updated_at": time_text(level.updated_at),
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{level.location}?inventory_item_id={item.id}",
    }


def product_body(item: Item) -> dict[str, Any]:
    """A product with its one variant."""
    return {
        "id": item.product,
        "admin_graphql_api_id": f"gid://shopify/Product/{item.product}",
        "body_html": "",
        "created_at": time_text(item.created_at),
        "handle": f"item-{item.product}",
        "product_type": "",
        "published_at": time_text(item.created_at),
        "status": "active",
        "title": item.title,
        "updated_at": time_text(item.updated_at),
        "vendor": "Example",
        "tags": "",
        "variants": [
            {
                "id": item.variant,
                "admin_graphql_api_id": f"gid://shopify/ProductVariant/{item.variant}",
                "barcode": None,
                "fulfillment_service": "manual",
                "inventory_item_id": item.id,
                "inventory_management": "shopify" if item.tracked else None,
                "inventory_policy": "deny",
                "inventory_quantity": item.sellable,
                "old_inventory_quantity": item.sellable,
                "position": 1,
                "price": amount(item.price),
                "product_id": item.product,
                "requires_shipping": True,
                "sku": item.sku,
                "title": "Default Title",
                "created_at": time_text(item.created_at),
                "updated_at": time_text(item.updated_at),
            }
        ],
        "options": [],
        "images": [],
        "image": None,
    }


def _fulfillment(order: Order) -> str | None:
    return {"shipped": "fulfilled", "partial": "partial"}.get(order.state)


def _number(value: Decimal) -> Decimal:
    """Encoded as a JSON number by `connectors.sdk.exact`."""
    return value.quantize(Decimal("0.01"))
