"""Realistic Shopify deliveries: order webhooks of three lines, signed as the vendor signs.

Shape: the REST order resource as webhooks carry it. People and shops are invented.
Source: shopify.dev/docs/api/webhooks and the REST order resource, read 2026-11-20.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

SECRET = "bench-secret"
SHOP = "bench-shop.myshopify.com"
_OPENING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def _money(amount: str) -> dict[str, Any]:
    both = {"amount": amount, "currency_code": "USD"}
    return {"shop_money": dict(both), "presentment_money": dict(both)}


def _address(first: str, last: str) -> dict[str, Any]:
    return {
        "first_name": first, "last_name": last, "name": f"{first} {last}", "company": None,
        "address1": "14 Invented Street", "address2": "Flat 3", "city": "Springfield", "zip": "62701",
        "province": "Illinois", "province_code": "IL", "country": "United States", "country_code": "US",
        "phone": "+1 555 0100", "latitude": 39.799999, "longitude": -89.640000,
    }  # fmt: skip


def _line(order: int, index: int, sku: str, quantity: int) -> dict[str, Any]:
    return {
        "id": order * 10 + index, "admin_graphql_api_id": f"gid://shopify/LineItem/{order * 10 + index}",
        "current_quantity": quantity, "fulfillable_quantity": quantity, "quantity": quantity,
        "fulfillment_service": "manual", "fulfillment_status": None, "gift_card": False, "grams": 340,
        "name": f"Invented goods {sku}", "title": f"Invented goods {sku}", "price": "19.90",
        "price_set": _money("19.90"), "product_exists": True, "product_id": 7_000_000 + index,
        "properties": [{"name": "engraving", "value": "none"}], "requires_shipping": True, "sku": sku, "taxable": True,
        "total_discount": "0.00", "total_discount_set": _money("0.00"), "variant_id": 8_000_000 + index,
        "variant_inventory_management": "shopify", "variant_title": "large", "vendor": "Invented Goods Co",
        "tax_lines": [
            {"channel_liable": False, "price": "1.19", "price_set": _money("1.19"), "rate": 0.06, "title": "State tax"},
            {"channel_liable": False, "price": "0.50", "price_set": _money("0.50"), "rate": 0.025, "title": "City tax"},
        ],
        "duties": [],
        "discount_allocations": [
            {"amount": "1.00", "amount_set": _money("1.00"), "discount_application_index": 0}
        ],
    }  # fmt: skip


def order(number: int, skus: Sequence[tuple[str, int]], *, version: int = 0, cancelled: bool = False) -> dict[str, Any]:
    """The order resource; `version` moves `updated_at`, `cancelled` marks the whole order cancelled."""
    placed = _OPENING + timedelta(seconds=number % 100_000)
    updated = placed + timedelta(seconds=version)
    identity = 5_000_000_000 + number
    lines = [_line(identity, index, sku, quantity) for index, (sku, quantity) in enumerate(skus)]
    if cancelled:
        for line in lines:
            line["current_quantity"] = line["fulfillable_quantity"] = 0
    items = sum(1990 * quantity for _, quantity in skus)
    discount = 100 * len(lines)
    tax = 169 * len(lines)
    cents = {"items": items, "discount": discount, "tax": tax, "total": items - discount + 500 + tax}
    text = {name: f"{value // 100}.{value % 100:02d}" for name, value in cents.items()}
    return {
        "id": identity, "admin_graphql_api_id": f"gid://shopify/Order/{identity}", "app_id": 580111,
        "browser_ip": None, "buyer_accepts_marketing": False, "cancel_reason": "customer" if cancelled else None,
        "cancelled_at": updated.isoformat() if cancelled else None, "cart_token": None, "checkout_id": identity + 1,
        "client_details": {"accept_language": "en", "browser_height": None, "browser_ip": None, "user_agent": None},
        "closed_at": None, "confirmed": True, "contact_email": "buyer@example.invalid",
        "created_at": placed.isoformat(),
        "currency": "USD", "current_subtotal_price": text["items"], "current_total_discounts": text["discount"],
        "current_total_price": text["total"], "current_total_price_set": _money(text["total"]),
        "current_total_tax": text["tax"], "customer_locale": "en", "discount_codes": [
            {"code": "WELCOME", "amount": text["discount"], "type": "fixed_amount"}
        ],
        "email": "buyer@example.invalid", "estimated_taxes": False,
        "financial_status": "voided" if cancelled else "paid", "fulfillment_status": None, "name": f"#{number}",
        "note": None, "note_attributes": [{"name": "gift", "value": "no"}], "number": number, "order_number": number,
        "payment_gateway_names": ["invented"], "phone": None, "presentment_currency": "USD",
        "processed_at": placed.isoformat(), "source_name": "web", "subtotal_price": text["items"],
        "subtotal_price_set": _money(text["items"]), "tags": "retail, web", "tax_exempt": False,
        "tax_lines": [
            {"channel_liable": False, "price": text["tax"], "price_set": _money(text["tax"]), "rate": 0.085,
             "title": "Tax"}
        ],
        "taxes_included": False, "test": False, "token": "0" * 32, "total_discounts": text["discount"],
        "total_discounts_set": _money(text["discount"]), "total_line_items_price": text["items"],
        "total_line_items_price_set": _money(text["items"]), "total_outstanding": "0.00", "total_price": text["total"],
        "total_price_set": _money(text["total"]), "total_shipping_price_set": _money("5.00"),
        "total_tax": text["tax"], "total_tax_set": _money(text["tax"]), "total_tip_received": "0.00",
        "total_weight": 1020, "updated_at": updated.isoformat(), "user_id": None,
        "billing_address": _address("Ada", "Invented"), "shipping_address": _address("Ada", "Invented"),
        "customer": {
            "id": 6_000_001, "email": "buyer@example.invalid", "first_name": "Ada", "last_name": "Invented",
            "state": "enabled", "note": None, "verified_email": True, "tax_exempt": False, "phone": None,
            "currency": "USD", "tags": "", "created_at": placed.isoformat(), "updated_at": placed.isoformat(),
            "default_address": _address("Ada", "Invented"),
        },
        "discount_applications": [
            {"target_type": "line_item", "type": "discount_code", "value": text["discount"],
             "value_type": "fixed_amount",
             "allocation_method": "across", "target_selection": "all", "code": "WELCOME"}
        ],
        "fulfillments": [], "line_items": lines, "payment_terms": None, "refunds": [],
        "shipping_lines": [
            {"id": identity + 2, "carrier_identifier": None, "code": "Standard", "discounted_price": "5.00",
             "discounted_price_set": _money("5.00"), "is_removed": False, "phone": None, "price": "5.00",
             "price_set": _money("5.00"), "source": "shopify", "title": "Standard", "tax_lines": [],
             "discount_allocations": []}
        ],
    }  # fmt: skip


def body(number: int, skus: Sequence[tuple[str, int]], **state: Any) -> bytes:
    """The webhook body, about 9.5 KB for three lines."""
    return json.dumps(order(number, skus, **state), separators=(",", ":")).encode()


def headers(topic: str, payload: bytes, event: str, *, secret: str = SECRET, shop: str = SHOP) -> dict[str, str]:
    """The headers of one delivery, signed."""
    digest = hmac.new(secret.encode(), payload, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Shop-Domain": shop,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": f"delivery-{event}",
        "X-Shopify-Event-Id": event,
        "X-Shopify-Triggered-At": _OPENING.isoformat().replace("+00:00", "Z"),
    }


_OPTIONAL = (
    "billing_address", "customer", "client_details", "total_line_items_price_set", "total_discounts_set",
    "subtotal_price_set", "current_total_price_set", "shipping_lines",
)  # fmt: skip


def body_of(size: int, number: int) -> bytes:
    """A webhook body of exactly `size` bytes: one line, one address, the seller's note filling what is left.

    Raises:
        ValueError: The smallest order there is, is larger.
    """
    document = order(number, [("SKU-1", 1)])
    for heavy in _OPTIONAL:
        del document[heavy]
    bare = json.dumps(document | {"note": ""}, separators=(",", ":"))
    if len(bare) > size:
        raise ValueError(f"an order has {len(bare)} bytes at least; {size} are too few")
    return json.dumps(document | {"note": "n" * (size - len(bare))}, separators=(",", ":")).encode()
