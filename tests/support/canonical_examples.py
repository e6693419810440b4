"""Complete example documents as JSON objects, one or more per type; all people in them are invented."""

from __future__ import annotations

from typing import Any

USD = "USD"


def money(amount: str, currency: str | None = USD) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def source(kind: str, id_: str = "5550001") -> dict[str, Any]:
    return {
        "connector": "shopify", "account": "shop-us", "kind": kind, "id": id_, "version": "2026-11-20T17:23:00Z",
        "occurred_at": "2026-11-20T17:23:00Z", "received_at": "2026-11-20T17:23:01.250Z", "digest": "ab" * 32,
        "mapping": "shopify@0123456789ab", "test": False, "problems": [],
    }  # fmt: skip


def address(name: str = "Ines Example") -> dict[str, Any]:
    return {
        "name": name, "company": None, "line1": "12 Sample Street", "line2": None, "line3": None, "city": "Springfield",
        "region": "OH", "postal_code": "45501", "country": "US", "phone": "+1 555 0100", "email": None,
    }  # fmt: skip


def order_line(number: int) -> dict[str, Any]:
    return {
        "id": f"1386600000{number}", "sku": f"MUG-{number}", "channel_sku": f"MUG-{number}",
        "listing_id": f"4480{number}", "gtin": None, "title": f"Mug number {number}", "quantity": 2,
        "cancelled_quantity": 0, "fulfilled_quantity": 0, "returned_quantity": 0, "uom": None,
        "unit_price": money("12.30"), "price_uom": None, "discount": money("1.00"), "tax": money("1.42"),
        "total": money("23.60"), "fulfilled_by": "merchant", "requires_shipping": True, "ship_from": None,
        "ship_from_raw": None, "state_raw": None, "properties": {"engraving": "A"},
    }  # fmt: skip


def order(lines: int = 3) -> dict[str, Any]:
    return {
        "type": "order", "id": "ord_01JD4X0P00ABCDEFGHJKMNPQRS", "source": source("order"),
        "attributes": {"gift_message": "Happy birthday"}, "number": "#1001", "kind": "retail", "state": "open",
        "state_raw": None, "payment_state": "paid", "payment_state_raw": "paid", "fulfillment_state": "unfulfilled",
        "fulfillment_state_raw": None, "placed_at": "2026-11-20T17:22:58Z", "updated_at": "2026-11-20T17:23:00Z",
        "cancelled_at": None, "currency": USD, "lines": [order_line(n + 1) for n in range(lines)],
        "shipping": [{"method": "Standard", "service": None, "carrier": "ups", "carrier_raw": "UPS",
                      "price": money("5.00"), "discount": None, "tax": None}],
        "discounts": [{"code": "MUGS", "title": None, "amount": money("3.00"), "rate": None}],
        "taxes": [{"code": None, "title": "OH State Tax", "amount": money("4.26"), "rate": "0.0575",
                   "collected_by": "merchant"}],
        "totals": {"items": money("73.80"), "discount": money("3.00"), "shipping": money("5.00"), "tax": money("4.26"),
                   "fees": None, "tip": None, "grand_total": money("80.06"), "residual": None, "tax_included": False},
        "requested": {"ship_by": "2026-11-23", "deliver_by": None, "not_before": None, "cancel_after": None,
                      "service": None, "carrier": None, "carrier_raw": None},
        "purchase_order_number": None, "holds": [], "tags": ["vip"],
        "buyer": {"name": "Ines Example", "company": None, "email": "ines@example.com", "phone": None,
                  "channel_id": "207119551"},
        "ship_to": address(), "bill_to": address(), "final_destination": None, "note": "Leave at the porch",
    }  # fmt: skip
