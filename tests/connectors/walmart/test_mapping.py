"""Walmart's payloads mean what the rulings say: statuses folded from units, line amounts, channel-collected tax."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical import Document, MappingError
from canonical.documents import DocumentBase
from mappings import MapContext, MappingSet
from tests.support.walmart_payloads import ORDER_NUMBER, errors, event, nodes, page, returned, single, split_order

WALMART = MappingSet.load("walmart")
NODES = {"1000005050": "east"}
SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "samples" / "walmart"


def mapped(topic: str, payload: Any, *, locations: dict[str, str] | None = None) -> list[Any]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return WALMART.map(topic, raw, MapContext("w", "walmart", at, locations=locations or {}))


def line(order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = order["orderLines"]["orderLine"][0]
    return found


def with_statuses(*statuses: tuple[str, int]) -> dict[str, Any]:
    order = split_order()
    line(order)["orderLineStatuses"]["orderLineStatus"] = [
        {"status": name, "statusQuantity": {"unitOfMeasurement": "EACH", "amount": str(units)}}
        for name, units in statuses
    ]
    return order


def test_a_split_line_folds_into_one_order_and_names_what_is_embedded() -> None:
    order, cancellation, first, second = mapped("order", single(split_order()), locations=NODES)
    (only,) = order.lines
    assert (only.quantity, only.fulfilled_quantity, only.cancelled_quantity) == (5, 3, 1)
    assert (order.state, order.payment_state, order.fulfillment_state) == ("open", "paid", "partial")
    assert only.id == "4"
    assert only.ship_from == "east"
    assert only.fulfilled_by == "merchant"
    assert [(row.line_id, row.quantity) for row in cancellation.lines] == [("4", 1)]
    assert (cancellation.reason, cancellation.requested_by) == ("inventory", "seller")
    assert [(s.packages[0].tracking_number, s.packages[0].lines[0].quantity) for s in (first, second)] == [
        ("1Z999AA10123456784", 2),
        ("MC-77", 1),
    ]
    assert (first.packages[0].carrier, second.packages[0].carrier, second.packages[0].carrier_raw) == (
        "ups",
        "unknown",
        "My Courier",
    )


def test_money_is_the_lines_and_tax_is_the_channels() -> None:
    order = mapped("order", single(split_order()))[0]
    (only,) = order.lines
    assert (str(only.total.amount), str(only.unit_price.amount)) == ("12.5", "2.5")
    assert [(str(tax.amount.amount), tax.collected_by) for tax in order.taxes] == [
        ("0.95", "channel"),
        ("0.3", "channel"),
    ]
    assert order.totals.tax is None
    assert (str(order.totals.items.amount), str(order.totals.shipping.amount)) == ("12.5", "4")
    assert str(order.totals.grand_total.amount) == "16.5"
    assert order.totals.residual is None


def test_a_line_amount_that_does_not_divide_has_no_unit_price() -> None:
    order = split_order()
    line(order)["orderLineQuantity"]["amount"] = "3"
    order = mapped("order", single(order))[0]
    assert order.lines[0].unit_price is None
    assert str(order.lines[0].total.amount) == "12.5"


@pytest.mark.parametrize("discount", [-2.5, 2.5])
def test_a_subscription_discount_is_positive_and_lowers_the_line(discount: float) -> None:
    order = split_order()
    charge = {"chargeType": "PRODUCT", "chargeName": "SubscriptionDiscount"}
    charge["chargeAmount"] = {"currency": "USD", "amount": discount}  # type: ignore[assignment]
    line(order)["charges"]["charge"].append(charge)
    order = mapped("order", single(order))[0]
    assert str(order.lines[0].discount.amount) == "2.5"
    assert str(order.lines[0].total.amount) == "10.0"
    assert str(order.totals.grand_total.amount) == "14.0"
    assert order.totals.residual is None


def test_a_total_that_walmart_states_is_kept_and_the_difference_shown() -> None:
    order = split_order() | {"orderSummary": {"totalAmount": {"currencyAmount": 17.75, "currencyUnit": "USD"}}}
    totals = mapped("order", single(order))[0].totals
    assert (str(totals.grand_total.amount), str(totals.residual.amount)) == ("17.75", "1.25")


@pytest.mark.parametrize(
    ("statuses", "state", "fulfilment", "payment"),
    [
        ([("Created", 5)], "open", "unfulfilled", "authorized"),
        ([("Acknowledged", 5)], "open", "unfulfilled", "authorized"),
        ([("Shipped", 2), ("Acknowledged", 3)], "open", "partial", "paid"),
        ([("Shipped", 4), ("Cancelled", 1)], "closed", "fulfilled", "paid"),
        ([("Delivered", 5)], "closed", "fulfilled", "paid"),
        ([("Refund", 5)], "closed", "fulfilled", "paid"),
        ([("Cancelled", 5)], "cancelled", "not_required", "authorized"),
        ([("SomethingNew", 5)], "open", "unfulfilled", "authorized"),
    ],
)
def test_states_are_folded_from_units(
    statuses: list[tuple[str, int]], state: str, fulfilment: str, payment: str
) -> None:
    order = mapped("order", single(with_statuses(*statuses)))[0]
    assert (order.state, order.fulfillment_state, order.payment_state) == (state, fulfilment, payment)
    assert (order.cancelled_at is not None) == (state == "cancelled")
    assert order.state_raw == ", ".join(name for name, _ in statuses)


@pytest.mark.parametrize("how", ["ship_node", "asked"])
def test_wfs_lines_are_the_channels(how: str) -> None:
    order = split_order()
    body: dict[str, Any] = {"order": order}
    if how == "ship_node":
        order["shipNode"]["type"] = "WFSFulfilled"
    else:
        del order["shipNode"]
        body["shipNodeType"] = "WFSFulfilled"
    assert mapped("order", body)[0].lines[0].fulfilled_by == "channel"


def test_times_and_addresses() -> None:
    order = mapped("order", single(split_order()))[0]
    assert order.placed_at == datetime(2024, 5, 20, 13, tzinfo=UTC)
    assert order.source.version == "2024-05-21T14:00:00Z"
    assert (order.ship_to.country, order.ship_to.region, order.ship_to.line2) == ("US", "CO", None)
    assert order.ship_to.name == "José Núñez-O’Brien"


@pytest.mark.parametrize("unit", ["EACH", "EA", "Each"])
def test_units_of_one(unit: str) -> None:
    order = split_order()
    line(order)["orderLineQuantity"]["unitOfMeasurement"] = unit
    assert mapped("order", single(order))[0].lines[0].quantity == 5


def test_an_unknown_unit_is_an_error_that_names_the_line() -> None:
    order = split_order()
    line(order)["orderLineQuantity"]["unitOfMeasurement"] = "CASE"
    with pytest.raises(MappingError) as caught:
        mapped("order", single(order))
    assert caught.value.target.startswith("lines[0]")


def test_collapsed_lists_mean_the_same() -> None:
    order = split_order()
    before = mapped("order", single(order))
    one = line(order)
    order["orderLines"]["orderLine"] = one
    collapsed = mapped("orders", {"list": {"elements": {"order": order}}})
    assert [d.model_dump(exclude={"source"}) for d in collapsed] == [d.model_dump(exclude={"source"}) for d in before]


def test_a_page_gives_orders_before_what_is_embedded_in_them() -> None:
    second = with_statuses(("Created", 5)) | {"purchaseOrderId": "2"}
    kinds = [(d.type, d.source.id) for d in mapped("orders", page(split_order(), second))]
    assert kinds[:2] == [("order", ORDER_NUMBER), ("order", "2")]
    assert {kind for kind, _ in kinds[2:]} == {"order_cancellation", "shipment"}


def test_a_later_state_keeps_the_ids() -> None:
    """The same parcel, cancellation and order met again are the same documents."""
    early = {d.source.id: d.id for d in mapped("order", single(split_order()))}
    later_order = split_order()
    line(later_order)["statusDate"] += 60_000
    later = {d.source.id: d.id for d in mapped("order", single(later_order))}
    assert early == later


def test_a_refund_is_positive_and_has_no_quantity() -> None:
    order = split_order()
    charge = {
        "chargeType": "PRODUCT",
        "chargeName": "Lost in Transit",
        "chargeAmount": {"currency": "USD", "amount": -2.5},
        "tax": {"taxName": "Tax1", "taxAmount": {"currency": "USD", "amount": -0.19}},
    }
    refund = {"refundId": "9", "refundCharges": {"refundCharge": [{"refundReason": "DamagedItem", "charge": charge}]}}
    line(order)["refund"] = refund
    found = mapped("order", single(order))[-1]
    assert (found.type, found.source.id, found.reason) == ("refund", f"{ORDER_NUMBER}/4/9", "damaged")
    assert (str(found.amounts.items.amount), str(found.amounts.tax.amount)) == ("2.5", "0.19")
    assert str(found.amounts.total.amount) == "2.69"
    assert found.lines == ()


def test_returns() -> None:
    (found,) = mapped("returns", {"returnOrders": [returned()]})
    assert (found.order, found.rma, found.state) == (ORDER_NUMBER, "103738048909818825", "requested")
    assert (found.lines[0].quantity, found.lines[0].reason, found.lines[0].line_id) == (2, "unwanted", "4")
    assert (found.tracking[0].carrier, found.tracking[0].tracking_number) == ("fedex", "785611449666")


@pytest.mark.parametrize(
    ("status", "state"), [("DELIVERED", "received"), ("COMPLETED", "closed"), ("ODD", "requested")]
)
def test_states_of_returns(status: str, state: str) -> None:
    body = returned()
    body["returnOrderLines"][0]["currentTrackingStatuses"][0]["status"] = status
    assert mapped("returns", {"returnOrders": [body]})[0].state == state


def test_a_return_over_two_orders_is_two_returns() -> None:
    body = returned()
    body["returnOrderLines"].append({**body["returnOrderLines"][0], "purchaseOrderId": "2"})
    found = mapped("returns", {"returnOrders": [body]})
    assert [(d.order, len(d.lines)) for d in found] == [(ORDER_NUMBER, 1), ("2", 1)]
    assert len({d.id for d in found}) == 2


def test_stock_is_one_report_per_node_and_input_is_on_hand() -> None:
    body = {"elements": {"inventories": [nodes("A"), nodes("B")]}}
    known, unknown = mapped("inventory", body, locations=NODES)
    assert (known.location, known.complete) == ("east", False)
    assert [(lvl.channel_sku, lvl.on_hand, lvl.available, lvl.reserved) for lvl in known.levels] == [
        ("A", 5, 3, 2),
        ("B", 5, 3, 2),
    ]
    assert (unknown.location, unknown.location_raw) == (None, "79897837271126017")


def test_other_shapes_of_stock() -> None:
    (legacy,) = mapped("inventory", {"sku": "A", "quantity": {"unit": "EACH", "amount": 10}})
    assert (legacy.location, legacy.levels[0].on_hand, legacy.levels[0].available) == (None, 10, None)
    wfs = {"sku": "W", "shipNodes": [{"availToSellQty": 3, "onHandQty": 4, "shipNodeType": "WFSFulfilled"}]}
    (report,) = mapped("inventory", {"payload": {"inventory": [wfs]}})
    assert (report.location_raw, report.levels[0].on_hand, report.levels[0].available) == ("WFSFulfilled", 4, 3)
    assert mapped("inventory", {"elements": {"inventories": []}}) == []


def test_listings_tell_wfs_from_own_stock() -> None:
    own = mapped("listings", {"elements": {"inventories": [nodes("A")]}}, locations=NODES)
    assert [(d.listing_id, d.location, d.location_raw, d.quantity, d.fulfilled_by) for d in own] == [
        ("A", "east", "1000005050", 5, "merchant"),
        ("A", None, "79897837271126017", 7, "merchant"),
    ]
    wfs = {"sku": "W", "shipNodes": [{"availToSellQty": 3, "onHandQty": 4}]}
    (listing,) = mapped("listings", {"payload": {"inventory": [wfs]}})
    assert (listing.fulfilled_by, listing.quantity) == ("channel", 3)


def test_a_feeds_items_are_judged_one_by_one() -> None:
    said = {"type": "DATA_ERROR", "code": "E1", "description": "bad"}
    rows = [
        {"sku": "A", "ingestionStatus": "SUCCESS", "ingestionErrors": {"ingestionError": [{"description": None}]}},
        {"sku": "B", "ingestionStatus": "DATA_ERROR", "ingestionErrors": {"ingestionError": [said, said]}},
        {"sku": "C", "ingestionStatus": "INPROGRESS", "ingestionErrors": {"ingestionError": None}},
    ]
    body = {"feedId": "F@1", "feedStatus": "PROCESSED", "itemDetails": {"itemIngestionStatus": rows}}
    (advice,) = mapped("feed", body)
    assert [(r.value, r.state) for r in advice.references] == [("A", "accepted"), ("B", "rejected"), ("C", "unknown")]
    assert [(e.reference, e.code) for e in advice.errors] == [("B", "E1")]


def test_a_notification_is_a_partial_order_and_a_hint_is_nothing() -> None:
    (order,) = mapped("PO_CREATED", event("PO_CREATED", "e"))
    assert order.attributes["partial"] is True
    assert [(row.channel_sku, row.quantity) for row in order.lines] == [("TEST-02", 1)]
    assert mapped("ORDER_UPDATES", event("ORDER_UPDATES", "e")) == []


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("topic", ["order", "orders", "returns", "inventory", "listings", "feed"])
def test_an_error_body_is_an_error_with_its_code_and_message(topic: str, nested: bool) -> None:
    with pytest.raises(MappingError, match="Orders not found") as caught:
        mapped(topic, errors("CONTENT_NOT_FOUND.GMP_ORDER_API", "Orders not found", nested=nested))
    assert caught.value.code == "CONTENT_NOT_FOUND.GMP_ORDER_API"


@pytest.mark.parametrize("topic", ["order", "orders", "returns", "inventory", "listings", "feed"])
def test_another_payload_is_refused_and_never_taken_for_nothing(topic: str) -> None:
    with pytest.raises(MappingError):
        mapped(topic, {"access_token": "x"})


def test_xml_is_refused_by_name() -> None:
    with pytest.raises(MappingError, match="XML"):
        mapped("order", b"<ns3:order/>")


def topic_of(name: str) -> str:
    for part, topic in (
        ("webhook_po", "PO_CREATED"),
        ("webhook_order", "ORDER_UPDATES"),
        ("returns", "returns"),
        ("feed_item", "feed"),
        ("inventor", "inventory"),
        ("orders_list", "orders"),
    ):
        if part in name:
            return topic
    return "order"


EXPECTED: dict[str, list[str]] = {
    "CONSTRUCTED_order_mlmq_split_statuses.json": ["order", "order_cancellation", "shipment", "shipment"],
    "CONSTRUCTED_order_wfs.json": ["order"],
    "CONSTRUCTED_webhook_order_updates.json": [],
    "CONSTRUCTED_webhook_po_created.json": ["order"],
    "acknowledge_response.json": ["order"],
    "eolabs_order_acknowledged_nulls.json": ["order"],
    "eolabs_order_all_fields.json": ["order", "refund"],
    "eolabs_returns.json": ["return"],
    "feed_item_status.json": ["application_advice"],
    "feed_item_status_inprogress_mixed.json": ["application_advice"],
    "feed_item_status_processed_item_errors.json": ["application_advice"],
    "feed_item_status_success_nulls.json": ["application_advice"],
    "inventories_sku_get.json": ["stock_report"],
    "order_get_attributes.json": ["order", "refund"],
    "order_get_order.json": ["order", "shipment"],
    "orders_list.json": ["order"] * 10 + ["order_cancellation"] * 6 + ["shipment"] * 3,
    "ship_response.json": ["order", "shipment"],
    "ventmere_order.json": ["order", "shipment", "refund"],
}
"""Every other public payload is a request, a login, XML or an error body, and is refused by name."""


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*")) or [None], ids=lambda path: path.name if path else "none")
def test_public_payloads_map_or_say_why_not(path: Path | None) -> None:
    if path is None:
        pytest.skip("no collection of public payloads beside the project")
    if path.name not in EXPECTED:
        with pytest.raises(MappingError) as caught:
            mapped(topic_of(path.name), path.read_bytes())
        assert caught.value.message
        return
    documents: list[Document] = mapped(topic_of(path.name), path.read_bytes())
    assert all(isinstance(document, DocumentBase) for document in documents)
    assert [document.type for document in documents] == EXPECTED[path.name]
