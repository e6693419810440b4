"""One order in both of Shopify's spellings: discounts, tax, shipping, tip, a return, two tracking numbers."""

# ruff: noqa: E501 - payloads read better on one line

from __future__ import annotations

import copy
from typing import Any


def _set(amount: str) -> dict[str, Any]:
    money = {"amount": amount, "currency_code": "EUR"}
    return {"shop_money": money, "presentment_money": {"amount": "99.99", "currency_code": "USD"}}


def _bag(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


PLACE_REST = {
    "first_name": "Carla", "last_name": "Placeholder", "name": "Carla Placeholder", "company": "", "address1": "1 Example Way",
    "address2": "", "city": "Springfield", "zip": "62701", "province": "Illinois", "province_code": "IL",
    "country": "United States", "country_code": "US", "phone": "+15550001111",
}  # fmt: skip
PLACE_GRAPHQL = {
    "firstName": "Carla", "lastName": "Placeholder", "name": "Carla Placeholder", "company": None, "address1": "1 Example Way",
    "address2": "", "city": "Springfield", "zip": "62701", "province": "Illinois", "provinceCode": "IL",
    "country": "United States", "countryCodeV2": "US", "phone": "+15550001111",
}  # fmt: skip

REST: dict[str, Any] = {
    "id": 820982911946154508,
    "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
    "name": "#1042", "number": 42, "order_number": 1042,
    "created_at": "2026-11-20T12:23:00-05:00", "processed_at": "2026-11-20T12:22:58-05:00",
    "updated_at": "2026-11-21T08:00:00-05:00", "cancelled_at": None, "cancel_reason": None, "closed_at": None,
    "test": False, "note": "leave at the door", "tags": "gift, vip", "email": "", "phone": None, "po_number": "PO-7",
    "source_name": "web", "source_identifier": None, "currency": "EUR", "presentment_currency": "USD",
    "taxes_included": False, "financial_status": "partially_refunded", "fulfillment_status": "partial",
    "note_attributes": [{"name": "gift", "value": "yes"}],
    "customer": {"id": 115310627314723954, "first_name": "Carla", "last_name": "Placeholder", "email": "carla@example.com", "phone": None},
    "shipping_address": PLACE_REST, "billing_address": PLACE_REST,
    "total_line_items_price": "50.00", "total_discounts": "6.00", "total_tax": "3.00", "total_tip_received": "1.50",
    "total_shipping_price_set": _set("5.00"), "total_price": "53.50", "original_total_duties_set": None,
    "original_total_additional_fees_set": None,
    "tax_lines": [{"title": "VAT", "price": "3.00", "rate": 0.06, "channel_liable": None}],
    "discount_applications": [
        {"target_type": "line_item", "type": "discount_code", "value": "10.0", "value_type": "percentage", "code": "TEN"},
        {"target_type": "shipping_line", "type": "manual", "value": "1.0", "value_type": "fixed_amount", "title": "Goodwill"},
    ],
    "line_items": [
        {
            "id": 866550311766439020, "variant_id": 808950810, "product_id": 632910392, "sku": "MUG-1", "title": "Mug",
            "variant_title": "blue", "name": "Mug - blue", "quantity": 4, "current_quantity": 2, "fulfillable_quantity": 0,
            "requires_shipping": True, "gift_card": False, "price": "10.00",
            "properties": [{"name": "engraving", "value": "Ada"}],
            "discount_allocations": [{"amount": "4.00", "discount_application_index": 0}],
            "tax_lines": [{"title": "VAT", "price": "2.40", "rate": 0.06, "channel_liable": None}],
        },
        {
            "id": 141249953214522974, "variant_id": None, "product_id": None, "sku": "", "title": "Gift card",
            "variant_title": None, "name": "Gift card", "quantity": 1, "current_quantity": 1, "fulfillable_quantity": 0,
            "requires_shipping": False, "gift_card": True, "price": "10.00", "properties": [],
            "discount_allocations": [{"amount": "1.00", "discount_application_index": 0}],
            "tax_lines": [{"title": "VAT", "price": "0.60", "rate": 0.06, "channel_liable": None}],
        },
    ],
    "shipping_lines": [
        {
            "id": 369256396, "title": "Standard", "code": "STD", "carrier_identifier": None, "price": "5.00",
            "discount_allocations": [{"amount": "1.00", "discount_application_index": 1}], "tax_lines": [],
        }
    ],
    "refunds": [
        {
            "id": 509562969, "order_id": 820982911946154508, "created_at": "2026-11-21T07:59:00-05:00",
            "processed_at": "2026-11-21T07:59:00-05:00", "note": None,
            "transactions": [{"id": 1, "kind": "refund", "status": "success", "amount": "18.00", "currency": "EUR"}],
            "refund_shipping_lines": [],
            "refund_line_items": [
                {
                    "id": 1, "line_item_id": 866550311766439020, "location_id": 655441491, "quantity": 1, "restock_type": "return",
                    "subtotal": 9.0, "subtotal_set": _set("9.00"), "total_tax": 0.6, "total_tax_set": _set("0.60"),
                    "line_item": {"sku": "MUG-1"},
                },
                {
                    "id": 2, "line_item_id": 866550311766439020, "location_id": 655441491, "quantity": 1, "restock_type": "cancel",
                    "subtotal": 9.0, "subtotal_set": _set("9.00"), "total_tax": 0.6, "total_tax_set": _set("0.60"),
                    "line_item": {"sku": "MUG-1"},
                },
            ],
        }
    ],
    "fulfillments": [
        {
            "id": 255858046, "order_id": 820982911946154508, "name": "#1042.1", "status": "success", "shipment_status": None,
            "created_at": "2026-11-20T15:00:00-05:00", "updated_at": "2026-11-20T15:00:00-05:00", "location_id": 655441491,
            "tracking_company": "UPS", "tracking_number": "1Z1", "tracking_numbers": ["1Z1", "1Z2"],
            "tracking_urls": ["https://example.com/1Z1", "https://example.com/1Z2"],
            "line_items": [{"id": 866550311766439020, "sku": "MUG-1", "quantity": 3}],
        }
    ],
}  # fmt: skip

GRAPHQL: dict[str, Any] = {
    "__typename": "Order", "id": "gid://shopify/Order/820982911946154508", "name": "#1042",
    "createdAt": "2026-11-20T17:23:00Z", "processedAt": "2026-11-20T17:22:58Z", "updatedAt": "2026-11-21T13:00:00Z",
    "cancelledAt": None, "cancelReason": None, "closedAt": None, "test": False, "edited": False,
    "note": "leave at the door", "tags": ["gift", "vip"], "email": None, "phone": None, "poNumber": "PO-7",
    "sourceName": "web", "sourceIdentifier": None, "currencyCode": "EUR", "presentmentCurrencyCode": "USD",
    "taxesIncluded": False, "dutiesIncluded": False, "displayFinancialStatus": "PARTIALLY_REFUNDED",
    "displayFulfillmentStatus": "PARTIALLY_FULFILLED", "returnStatus": "NO_RETURN",
    "customAttributes": [{"key": "gift", "value": "yes"}],
    "customer": {
        "id": "gid://shopify/Customer/115310627314723954", "firstName": "Carla", "lastName": "Placeholder",
        "displayName": "Carla Placeholder", "defaultEmailAddress": {"emailAddress": "carla@example.com"},
        "defaultPhoneNumber": None,
    },
    "shippingAddress": PLACE_GRAPHQL, "billingAddress": PLACE_GRAPHQL,
    "totalPriceSet": _bag("53.5"), "totalTaxSet": _bag("3.0"), "totalDiscountsSet": _bag("6.0"),
    "totalShippingPriceSet": _bag("5.0"), "totalTipReceivedSet": _bag("1.5"), "originalTotalDutiesSet": None,
    "originalTotalAdditionalFeesSet": None,
    "taxLines": [{"title": "VAT", "rate": 0.06, "channelLiable": None, "priceSet": _bag("3.0")}],
    "discountApplications": {
        "nodes": [
            {"__typename": "DiscountCodeApplication", "index": 0, "code": "TEN", "value": {"__typename": "PricingPercentageValue", "percentage": 10.0}},
            {"__typename": "ManualDiscountApplication", "index": 1, "title": "Goodwill", "value": {"__typename": "MoneyV2", "amount": "1.0", "currencyCode": "EUR"}},
        ]
    },
    "shippingLines": {
        "nodes": [
            {
                "id": "gid://shopify/ShippingLine/369256396", "title": "Standard", "code": "STD", "carrierIdentifier": None,
                "isRemoved": False, "originalPriceSet": _bag("5.0"), "taxLines": [],
                "discountAllocations": [{"allocatedAmountSet": _bag("1.0"), "discountApplication": {"index": 1}}],
            }
        ]
    },
    "lineItems": {
        "nodes": [
            {
                "id": "gid://shopify/LineItem/866550311766439020", "sku": "MUG-1", "title": "Mug", "variantTitle": "blue",
                "name": "Mug - blue", "quantity": 4, "currentQuantity": 2, "unfulfilledQuantity": 0, "requiresShipping": True,
                "isGiftCard": False, "variant": {"id": "gid://shopify/ProductVariant/808950810"},
                "product": {"id": "gid://shopify/Product/632910392"}, "customAttributes": [{"key": "engraving", "value": "Ada"}],
                "originalUnitPriceSet": _bag("10.0"),
                "discountAllocations": [{"allocatedAmountSet": _bag("4.0"), "discountApplication": {"index": 0}}],
                "taxLines": [{"title": "VAT", "rate": 0.06, "channelLiable": None, "priceSet": _bag("2.4")}],
            },
            {
                "id": "gid://shopify/LineItem/141249953214522974", "sku": None, "title": "Gift card", "variantTitle": None,
                "name": "Gift card", "quantity": 1, "currentQuantity": 1, "unfulfilledQuantity": 0, "requiresShipping": False,
                "isGiftCard": True, "variant": None, "product": None, "customAttributes": [],
                "originalUnitPriceSet": _bag("10.0"),
                "discountAllocations": [{"allocatedAmountSet": _bag("1.0"), "discountApplication": {"index": 0}}],
                "taxLines": [{"title": "VAT", "rate": 0.06, "channelLiable": None, "priceSet": _bag("0.6")}],
            },
        ]
    },
    "refunds": [
        {
            "id": "gid://shopify/Refund/509562969", "createdAt": "2026-11-21T12:59:00Z", "processedAt": "2026-11-21T12:59:00Z",
            "updatedAt": "2026-11-21T12:59:00Z", "note": None, "totalRefundedSet": _bag("18.0"), "refundShippingLines": {"nodes": []},
            "refundLineItems": {
                "nodes": [
                    {
                        "id": f"gid://shopify/RefundLineItem/{number}", "quantity": 1, "restockType": kind,
                        "lineItem": {"id": "gid://shopify/LineItem/866550311766439020", "sku": "MUG-1"},
                        "location": {"id": "gid://shopify/Location/655441491"}, "subtotalSet": _bag("9.0"), "totalTaxSet": _bag("0.6"),
                    }
                    for number, kind in ((1, "RETURN"), (2, "CANCEL"))
                ]
            },
        }
    ],
    "fulfillments": [
        {
            "id": "gid://shopify/Fulfillment/255858046", "name": "#1042.1", "status": "SUCCESS", "displayStatus": "FULFILLED",
            "createdAt": "2026-11-20T20:00:00Z", "updatedAt": "2026-11-20T20:00:00Z", "deliveredAt": None,
            "location": {"id": "gid://shopify/Location/655441491"},
            "trackingInfo": [
                {"company": "UPS", "number": "1Z1", "url": "https://example.com/1Z1"},
                {"company": "UPS", "number": "1Z2", "url": "https://example.com/1Z2"},
            ],
            "fulfillmentLineItems": {
                "nodes": [{"id": "gid://shopify/FulfillmentLineItem/1", "quantity": 3, "lineItem": {"id": "gid://shopify/LineItem/866550311766439020", "sku": "MUG-1"}}]
            },
        }
    ],
}  # fmt: skip


def rest_order() -> dict[str, Any]:
    return copy.deepcopy(REST)


def graphql_order() -> dict[str, Any]:
    return copy.deepcopy(GRAPHQL)
