"""Both of Shopify's shapes mean the same, and every code, quantity and amount means what it says."""

# ruff: noqa: E501 - payloads read better on one line

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from canonical import Document, MappingError, Order
from mappings import MapContext, MappingSet
from mappings.inspection import lint
from mappings.trials import run_tests
from tests.support.shopify_pair import graphql_order, rest_order

PLACES = {"gid://shopify/Location/655441491": "east"}


@cache
def mapping() -> MappingSet:
    return MappingSet.load("shopify")


def mapped(topic: str, payload: Any, **facts: Any) -> list[Document]:
    ctx = MapContext("shop-us", "shopify", datetime(2026, 11, 21, tzinfo=UTC), locations=PLACES, **facts)
    return mapping().map(topic, json.dumps(payload).encode(), ctx)


def comparable(documents: list[Document]) -> list[dict[str, Any]]:
    """Everything but the digest of the bytes, which differ."""
    return [
        document.model_copy(update={"source": document.source.model_copy(update={"digest": None})}).model_dump()
        for document in documents
    ]


def order_of(topic: str, payload: Any) -> Order:
    order = mapped(topic, payload)[0]
    assert isinstance(order, Order)
    return order


def test_one_order_in_both_shapes_is_the_same_documents() -> None:
    """Order, refund and shipment come out equal, ids included, whichever way Shopify spelled them."""
    rest, graphql = mapped("orders/updated", rest_order()), mapped("order", graphql_order())
    assert [document.type for document in rest] == ["order", "refund", "shipment"]
    assert comparable(rest) == comparable(graphql)


@pytest.mark.parametrize(
    "wrap", [lambda x: {"data": {"order": x}}, lambda x: {"order": x}, lambda x: {"data": {"orders": {"nodes": [x]}}}]
)
def test_reads_of_an_order_are_the_order(wrap: Any) -> None:
    """A response, its data, or a list of one: the same documents as the bare thing."""
    assert comparable(mapped("orders", wrap(graphql_order()))) == comparable(mapped("order", graphql_order()))
    assert comparable(mapped("orders", {"orders": [rest_order()]})) == comparable(mapped("order", rest_order()))


def test_money_is_as_placed_and_adds_up() -> None:
    """Items before discounts, discounts with those on shipping, no residual; the shop's currency, not the shopper's."""
    order = order_of("orders/updated", rest_order())
    totals = order.totals
    stated = (totals.items, totals.discount, totals.shipping, totals.tax, totals.tip, totals.grand_total)
    assert [str(money.amount) for money in stated if money] == ["50.00", "6.00", "5.00", "3.00", "1.50", "53.50"]
    assert {money.currency for money in stated if money} == {"EUR"}
    assert totals.residual is None
    mug = order.lines[0]
    assert (mug.unit_price.amount, mug.discount.amount, mug.total.amount) == (
        Decimal("10.00"),
        Decimal("4.00"),
        Decimal("36.00"),
    )  # type: ignore[union-attr]
    assert [(discount.code, discount.title, discount.rate) for discount in order.discounts] == [
        ("TEN", None, Decimal("0.1")),
        (None, "Goodwill", None),
    ]
    assert [str(discount.amount.amount) for discount in order.discounts if discount.amount] == ["5.00", "1.00"]


def test_a_difference_in_the_shops_own_figures_is_visible() -> None:
    """Where the parts do not add up, the rest is shown, not hidden."""
    residual = order_of("orders/updated", {**rest_order(), "total_price": "53.51"}).totals.residual
    assert residual is not None
    assert (str(residual.amount), residual.currency) == ("0.01", "EUR")


def test_quantities_tell_cancelled_from_returned() -> None:
    """Of four two are left: one came back, one was cancelled; three were shipped before."""
    mug, card = order_of("orders/updated", rest_order()).lines
    assert (mug.quantity, mug.cancelled_quantity, mug.returned_quantity, mug.fulfilled_quantity) == (4, 1, 1, 3)
    assert (card.quantity, card.cancelled_quantity, card.requires_shipping, card.channel_sku) == (1, 0, False, None)


def test_without_current_quantity_a_cancelled_order_cancels_what_was_not_shipped() -> None:
    """Older bodies lack the current quantity: nothing is cancelled, or on a cancelled order all that is left."""
    body = rest_order()
    body["refunds"] = []
    for line in body["line_items"]:
        del line["current_quantity"]
    assert [line.cancelled_quantity for line in order_of("orders/updated", body).lines] == [0, 0]
    body["cancelled_at"] = "2026-11-21T08:00:00-05:00"
    order, cancellation, *_ = mapped("orders/cancelled", body)
    assert isinstance(order, Order)
    assert ([line.cancelled_quantity for line in order.lines], order.state) == ([1, 1], "cancelled")
    assert cancellation.type == "order_cancellation"


def test_ids_beyond_a_double_are_exact() -> None:
    """820982911946154508 stays itself in every document."""
    order, refund, shipment = mapped("orders/updated", rest_order())
    assert order.source.id == "820982911946154508"
    assert refund.order == shipment.order == order.source.id  # type: ignore[union-attr]
    assert [line.id for line in order.lines] == ["866550311766439020", "141249953214522974"]  # type: ignore[union-attr]


def test_placed_at_is_created_at_unless_processed_earlier() -> None:
    """The earlier of the two instants, in UTC."""
    order = order_of("orders/updated", rest_order())
    assert order.placed_at == datetime(2026, 11, 20, 17, 22, 58, tzinfo=UTC)
    later = {**rest_order(), "processed_at": "2026-11-20T13:00:00-05:00"}
    assert order_of("orders/updated", later).placed_at == datetime(2026, 11, 20, 17, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "open"),
        ({"closed_at": "2026-11-21T08:00:00-05:00"}, "closed"),
        ({"cancelled_at": "2026-11-21T08:00:00-05:00", "closed_at": "2026-11-21T08:00:00-05:00"}, "cancelled"),
    ],
)
def test_order_states(changes: dict[str, Any], state: str) -> None:
    """Cancelled before closed before open."""
    assert order_of("orders/updated", {**rest_order(), **changes}).state == state


def test_an_order_all_of_whose_lines_were_taken_out_is_cancelled() -> None:
    """Edited down to nothing is cancelled, though no cancellation time says so."""
    body = {**rest_order(), "refunds": []}
    for line in body["line_items"]:
        line["current_quantity"] = 0
    assert order_of("orders/updated", body).state == "cancelled"


def test_tax_the_channel_owes_is_listed_and_not_in_the_total() -> None:
    """Marketplace-collected tax stands beside the merchant's own."""
    body = rest_order()
    body["tax_lines"].append({"title": "Marketplace tax", "price": "1.00", "rate": 0.02, "channel_liable": True})
    body["total_tax"] = "4.00"
    order = order_of("orders/updated", body)
    assert [tax.collected_by for tax in order.taxes] == ["merchant", "channel"]
    assert order.totals.tax is not None
    assert order.totals.tax.amount == Decimal("3.00")


def test_missing_people_and_blank_fields_are_null() -> None:
    """An app without approval gets no personal data; blanks are nothing; an all-null address is null."""
    body = {
        **rest_order(),
        "customer": None,
        "email": "",
        "phone": "",
        "shipping_address": None,
        "billing_address": {"name": "", "city": None},
    }
    order = order_of("orders/updated", body)
    assert order.buyer is None
    assert (order.ship_to, order.bill_to) == (None, None)


def test_a_shipment_with_two_numbers_counts_its_units_once() -> None:
    """One package per number; which holds what nobody says, so the first carries the lines."""
    *_, shipment = mapped("order", graphql_order())
    assert shipment.type == "shipment"
    assert [(package.tracking_number, package.carrier, len(package.lines)) for package in shipment.packages] == [
        ("1Z1", "ups", 1),
        ("1Z2", "ups", 0),
    ]
    assert (shipment.ship_from, shipment.ship_from_raw, shipment.state) == ("east", "655441491", "shipped")


@pytest.mark.parametrize(
    ("status", "delivery", "state"),
    [
        ("success", "delivered", "delivered"),
        ("pending", None, "created"),
        ("cancelled", None, "cancelled"),
        ("failure", None, "cancelled"),
    ],
)
def test_shipment_states(status: str, delivery: str | None, state: str) -> None:
    """What failed ships nothing, what waits is not shipped yet."""
    body = {**rest_order()["fulfillments"][0], "status": status, "shipment_status": delivery}
    (shipment,) = mapped("fulfillments/update", body)
    assert (shipment.state, shipment.state_raw) == (state, status)  # type: ignore[union-attr]


def test_a_refund_alone_is_the_refund_inside_its_order() -> None:
    """The same fact met twice is one document."""
    (alone,) = mapped("refunds/create", rest_order()["refunds"][0])
    inside = mapped("orders/updated", rest_order())[1]
    assert comparable([alone]) == comparable([inside])
    assert [(line.restock, line.restock_raw, line.location) for line in alone.lines] == [  # type: ignore[union-attr]
        ("sellable", "return", "east"),
        ("sellable", "cancel", "east"),
    ]


def test_a_deleted_order_is_a_cancellation_of_all_of_it() -> None:
    """orders/delete carries the id alone."""
    (document,) = mapped("orders/delete", {"id": 820982911946154508})
    assert (document.type, document.order, document.lines) == ("order_cancellation", "820982911946154508", ())  # type: ignore[union-attr]


def test_an_edit_says_what_was_added_and_taken() -> None:
    """orders/edited is a change with both directions."""
    edit = {
        "id": 5,
        "order_id": 6,
        "created_at": "2026-11-21T08:00:00-05:00",
        "line_items": {"additions": [{"id": 1, "delta": 2}], "removals": [{"id": 3, "delta": 4}]},
    }
    (document,) = mapped("orders/edited", {"order_edit": edit})
    assert [(line.id, line.change, line.quantity) for line in document.lines] == [("1", "add", 2), ("3", "remove", 4)]  # type: ignore[union-attr]


def test_an_inventory_webhook_is_a_level_of_one_item_at_one_of_our_places() -> None:
    """Item and number are there for the echo of our own writes; untracked is null, an unknown place stays raw."""
    body = {
        "inventory_item_id": 271878346596884015,
        "location_id": 655441491,
        "available": 6,
        "updated_at": "2026-11-21T08:00:00-05:00",
    }
    (report,) = mapped("inventory_levels/update", body)
    assert report.type == "stock_report"
    assert (report.location, report.location_raw, report.complete) == ("east", "655441491", False)
    assert [(level.item_id, level.available, level.on_hand) for level in report.levels] == [
        ("271878346596884015", 6, None)
    ]
    assert report.as_of == datetime(2026, 11, 21, 13, tzinfo=UTC)
    (untracked,) = mapped("inventory_levels/update", {**body, "available": None, "location_id": 1})
    assert (untracked.location, untracked.location_raw, untracked.levels[0].available) == (None, "1", None)  # type: ignore[union-attr]


def level(place: int, item: int, available: int, *, tracked: bool = True) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/InventoryLevel/{place}?inventory_item_id={item}",
        "isActive": True,
        "item": {"id": f"gid://shopify/InventoryItem/{item}", "sku": f"SKU-{item}", "tracked": tracked},
        "location": {"id": f"gid://shopify/Location/{place}"},
        "quantities": [
            {"name": "available", "quantity": available, "updatedAt": "2026-11-21T07:00:00Z"},
            {"name": "on_hand", "quantity": available + 2, "updatedAt": None},
            {"name": "committed", "quantity": 2, "updatedAt": None},
        ],
    }


def test_read_levels_are_told_place_by_place() -> None:
    """One report per location with all its levels; untracked items have no counts."""
    nodes = [level(655441491, 1, 5), level(655441491, 2, 7, tracked=False)]
    page = {"data": {"location": {"id": "gid://shopify/Location/655441491", "inventoryLevels": {"nodes": nodes}}}}
    (report,) = mapped("inventory", page)
    assert [
        (each.item_id, each.channel_sku, each.available, each.on_hand, each.reserved) for each in report.levels
    ] == [  # type: ignore[union-attr]
        ("1", "SKU-1", 5, 7, 2),
        ("2", "SKU-2", None, None, None),
    ]
    item = {
        "data": {
            "inventoryItem": {
                "id": "gid://shopify/InventoryItem/1",
                "tracked": True,
                "inventoryLevels": {"nodes": [level(655441491, 1, 5), level(9, 1, 3)]},
            }
        }
    }
    assert [(each.location, each.location_raw) for each in mapped("inventory", item)] == [
        ("east", "655441491"),
        (None, "9"),
    ]  # type: ignore[union-attr]


def test_a_reading_is_true_as_of_the_reading() -> None:
    """The envelope's instant is when the counts were read; alone, the latest change among them counts."""
    read_at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert mapped("inventory", level(655441491, 1, 5), occurred_at=read_at)[0].as_of == read_at  # type: ignore[union-attr]
    assert mapped("inventory", level(655441491, 1, 5))[0].as_of == datetime(2026, 11, 21, 7, tzinfo=UTC)  # type: ignore[union-attr]


def test_bulk_lines_are_listings_and_levels_in_any_order() -> None:
    """Escaped slashes, children before parents, and things nobody asked for."""
    lines = [
        '{"id":"gid:\\/\\/shopify\\/MediaImage\\/4","alt":"x","__parentId":"gid:\\/\\/shopify\\/Product\\/1"}',
        '{"id":"gid:\\/\\/shopify\\/ProductVariant\\/2","title":"Default Title","sku":"MUG-1","product":{"id":"gid:\\/\\/shopify\\/Product\\/1","title":"Mug","status":"ACTIVE"},"inventoryItem":{"id":"gid:\\/\\/shopify\\/InventoryItem\\/3","tracked":true}}',
        json.dumps({**level(655441491, 3, 8), "__parentId": "gid://shopify/ProductVariant/2"}),
    ]
    ctx = MapContext(None, "shopify", datetime(2026, 11, 21, tzinfo=UTC))
    found = [document for line in lines for document in mapping().map("bulk", line.encode(), ctx)]
    assert [document.type for document in found] == ["listing", "stock_report"]
    listing = found[0]
    assert (listing.listing_id, listing.item_id, listing.variant_id, listing.channel_sku, listing.title, listing.state) == (  # type: ignore[union-attr]
        "3", "3", "2", "MUG-1", "Mug", "active",
    )  # fmt: skip


def returned(dispositions: list[dict[str, Any]]) -> dict[str, Any]:
    line = {"id": "gid://shopify/FulfillmentLineItem/7", "lineItem": {"id": "gid://shopify/LineItem/8", "sku": "MUG-1"}}
    return {
        "id": "gid://shopify/Return/9", "name": "#1042-R1", "status": "OPEN", "createdAt": "2026-11-21T07:00:00Z",
        "requestApprovedAt": "2026-11-21T08:00:00Z", "closedAt": None, "totalQuantity": 3,
        "returnLineItems": {
            "nodes": [{"__typename": "ReturnLineItem", "id": "gid://shopify/ReturnLineItem/1", "quantity": 3, "processedQuantity": 2, "returnReasonDefinition": {"handle": "too-small", "name": "Too small"}, "returnReasonNote": "", "fulfillmentLineItem": line}]
        },
        "reverseFulfillmentOrders": {
            "nodes": [
                {
                    "id": "gid://shopify/ReverseFulfillmentOrder/1", "status": "OPEN",
                    "lineItems": {"nodes": [{"fulfillmentLineItem": {"id": line["id"]}, "dispositions": dispositions}]},
                    "reverseDeliveries": {"nodes": [{"deliverable": {"tracking": {"number": "R1", "carrierName": "UPS", "url": None}}}]},
                }
            ]
        },
    }  # fmt: skip


def test_a_return_tells_the_fate_of_its_units() -> None:
    """Two of three were restocked, one is still out; reason and tracking come along."""
    fate = [{"type": "RESTOCKED", "quantity": 2, "location": {"id": "gid://shopify/Location/655441491"}}]
    order = {**graphql_order(), "returns": {"nodes": [returned(fate)]}}
    document = mapped("order", order)[-1]
    assert (document.type, document.order, document.rma, document.state) == (
        "return",
        "820982911946154508",
        "#1042-R1",
        "approved",
    )  # type: ignore[union-attr]
    assert [(line.line_id, line.quantity, line.reason, line.disposition, line.location) for line in document.lines] == [  # type: ignore[union-attr]
        ("8", 2, "size", "sellable", "east"),
        ("8", 1, "size", "unknown", None),
    ]
    assert [track.tracking_number for track in document.tracking] == ["R1"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, "THROTTLED"),
        ({"errors": "[API] Invalid API key"}, "rest_error"),
        ({"error": "invalid_client", "error_description": "wrong"}, "invalid_client"),
        (
            {
                "data": {
                    "orderCancel": {
                        "userErrors": [{"field": ["id"], "message": "Order is fulfilled", "code": "INVALID"}]
                    }
                }
            },
            "INVALID",
        ),
    ],
)
def test_a_refusal_given_as_a_read_is_an_error_with_its_code(body: dict[str, Any], code: str) -> None:
    """Never an empty answer: code and message are named."""
    with pytest.raises(MappingError) as caught:
        mapped("order", body)
    assert caught.value.code == code


def test_a_topic_without_content_gives_nothing_and_an_unknown_one_an_error() -> None:
    """Known and empty is [], unknown lists what is known."""
    assert mapped("customers/redact", {"shop_id": 1}) == []
    with pytest.raises(MappingError, match="orders/create") as caught:
        mapped("orders/exploded", {})
    assert caught.value.code == "unknown_topic"


def test_the_shipped_files_are_sound_and_pass_their_own_tests() -> None:
    """No unknown target, no unused lookup, and every test beside a mapping holds."""
    assert lint("shopify") == []
    results = run_tests("shopify")
    assert len(results) >= 3
    assert [result.problems for result in results if result.problems] == []


def test_a_level_at_a_place_that_is_switched_off_is_no_stock() -> None:
    """Inactive levels are left out, not told as numbers."""
    off = {**level(655441491, 1, 5), "isActive": False}
    assert mapped("inventory", off) == []
