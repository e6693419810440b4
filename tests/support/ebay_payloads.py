"""eBay payloads for tests; people and shops are invented."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "ebay" / "fixtures"


@cache
def _read(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_bytes())


def fixture(name: str) -> Any:
    """A fresh copy of a payload that stands beside the mappings."""
    return copy.deepcopy(_read(name))


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def order(**changes: Any) -> dict[str, Any]:
    """A paid order of three mugs with a promotion, discounted delivery and tax that eBay remits."""
    found: dict[str, Any] = fixture("order") | changes
    return found


def money(value: str, currency: str = "USD") -> dict[str, str]:
    return {"value": value, "currency": currency}


def coded_order() -> dict[str, Any]:
    """Cancelled for a stated reason, refunded, and gone out by a named carrier: every code at once."""
    found: dict[str, Any] = fixture("order_shipped")
    found["cancelStatus"] = fixture("order_cancelled")["cancelStatus"]
    return found


def notification(topic: str, number: str, data: dict[str, Any]) -> bytes:
    content = {
        "metadata": {"topic": topic, "schemaVersion": "1.0", "deprecated": False},
        "notification": {
            "notificationId": number,
            "eventDate": "2026-06-29T22:20:46.298Z",
            "publishDate": "2026-06-29T22:20:46.602Z",
            "publishAttemptCount": 1,
            "data": data,
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def confirmation(number: str, order_id: str = "14-00001-00001") -> bytes:
    lines = [{"orderLineItemId": "10080000000101", "listingId": "110000000001", "quantity": 3}]
    user = {"userId": "ExAmPlEsElLeR1", "username": "example_seller"}
    return notification(
        "ORDER_CONFIRMATION", number, {"user": user, "order": {"orderId": order_id, "orderLineItems": lines}}
    )


def deletion(number: str) -> bytes:
    data = {"username": "example_buyer", "userId": "ExAmPlEbUyEr1", "eiasToken": "ZXhhbXBsZQ=="}
    return notification("MARKETPLACE_ACCOUNT_DELETION", number, data)
