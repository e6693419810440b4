"""Every operation a connector can call is one the vendor's documents know, and a wrong request would be seen."""

from __future__ import annotations

import pytest
from aiohttp import web

from connectors import registry
from tests.support.openapi import Documents
from tests.support.published import (
    DHL,
    DHL_UNLISTED,
    EBAY,
    EBAY_UNLISTED,
    FEDEX,
    FEDEX_UNLISTED,
    SHIPENGINE,
    SHIPENGINE_UNLISTED,
    UPS,
    UPS_UNLISTED,
    USPS,
    USPS_UNLISTED,
    WALMART,
)

VENDORS = [
    ("dhl", DHL, DHL_UNLISTED, 1),
    ("ebay", EBAY, EBAY_UNLISTED, 20),
    ("fedex", FEDEX, FEDEX_UNLISTED, 1),
    ("shipengine", SHIPENGINE, SHIPENGINE_UNLISTED, 6),
    ("ups", UPS, UPS_UNLISTED, 3),
    ("usps", USPS, USPS_UNLISTED, 1),
    ("walmart", WALMART, (), 20),
]


@pytest.mark.parametrize(("name", "documents", "unlisted", "least"), VENDORS, ids=[row[0] for row in VENDORS])
def test_what_the_sandbox_answers_is_published(
    name: str, documents: Documents, unlisted: tuple[str, ...], least: int
) -> None:
    """A connector reaches nothing its sandbox does not answer, so each path and method there must be the vendor's."""
    if missing := documents.missing():
        pytest.skip(f"not at hand: {', '.join(missing)}")
    build = registry.get(name).sandbox
    assert build is not None
    routes = [route for route in build(seed=1).routes() if isinstance(route, web.RouteDef)]
    own = [route for route in routes if not route.path.startswith(unlisted or "\0")]
    assert len(own) >= least
    assert [f"{one.method} {one.path}" for one in own if documents.find(one.method, one.path) is None] == []


def test_a_wrong_request_is_seen() -> None:
    """Control: a misspelt field, an unknown query name and a body nobody asked for are each told."""
    if EBAY.missing() or WALMART.missing():
        pytest.skip("the documents are not at hand")
    update = EBAY.find("POST", "/sell/inventory/v1/bulk_update_price_quantity")
    assert update is not None
    (fault,) = update.faults((), b'{"requests": [{"sku": "A", "quantity": 1}]}')
    assert "quantity" in fault
    orders = EBAY.find("GET", "/sell/fulfillment/v1/order")
    assert orders is not None
    assert orders.faults(["filters"], b"") == ["unknown query parameter filters"]
    acknowledge = WALMART.find("POST", "/v3/orders/1/acknowledge")
    assert acknowledge is not None
    assert acknowledge.faults((), b"{}") == ["a body where the document has none"]
