"""eBay's payloads mean what the rulings say: line amounts, positive discounts, tax counted once, states, addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from canonical import MappingError
from mappings import MapContext, MappingSet, run_tests
from tests.support.ebay_payloads import coded_order, confirmation, fixture, money, order, raw

EBAY = MappingSet.load("ebay")
AT = datetime(2026, 11, 21, tzinfo=UTC)


def mapped(topic: str, payload: Any, *, locations: dict[str, str] | None = None) -> list[Any]:
    body = payload if isinstance(payload, bytes) else raw(payload)
    return EBAY.map(topic, body, MapContext("e", "ebay", AT, locations=locations or {}))


def line(found: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = found["lineItems"][0]
    return row


def instructions(found: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = found["fulfillmentStartInstructions"][0]
    return row


def test_the_trials_beside_the_mappings_pass() -> None:
    """What stands under `tests:` holds."""
    assert [result for result in run_tests("ebay") if not result.passed] == []


def test_line_amounts_and_discounts() -> None:
    """Three for 30.00 less a promotion of 3.00; delivery is discounted apart; nothing is left over."""
    found = mapped("order", order())[0]
    (only,) = found.lines
    assert (str(only.unit_price.amount), str(only.discount.amount), str(only.total.amount)) == (
        "10.00",
        "3.00",
        "27.00",
    )
    assert [(each.code, str(each.amount.amount)) for each in found.discounts] == [
        ("500001", "3.00"),
        ("DELIVERY", "2.00"),
    ]
    assert (str(found.totals.discount.amount), str(found.shipping[0].discount.amount)) == ("5.00", "2.00")
    assert found.totals.residual is None


def test_promotions_without_a_discounted_cost_are_summed() -> None:
    """Positive per promotion, several to a line."""
    given = order()
    del line(given)["discountedLineItemCost"]
    line(given)["appliedPromotions"].append({"description": "Coupon", "discountAmount": money("0.50")})
    found = mapped("order", given)[0]
    assert (str(found.lines[0].discount.amount), str(found.lines[0].total.amount)) == ("3.50", "26.50")
    assert [(each.code, each.title) for each in found.discounts][1] == (None, "Coupon")


def test_a_cost_that_does_not_divide_has_no_unit_price() -> None:
    """4085.00 for 19 is 215 each; 100.00 for 3 is nothing exact."""
    given = order()
    line(given).update(lineItemCost=money("4085.0"), quantity=19)
    assert str(mapped("order", given)[0].lines[0].unit_price.amount) == "215.0"
    line(given).update(lineItemCost=money("100.00"), quantity=3)
    found = mapped("order", given)[0].lines[0]
    assert (found.unit_price, str(found.total.amount)) == (None, "27.00")


@pytest.mark.parametrize("named", [True, False])
def test_tax_that_ebay_remits_stands_once_and_outside_the_totals(named: bool) -> None:
    """Listed under both names, with or without a type: one tax, the channel's."""
    given = order()
    line(given)["taxes"] = [{"amount": money("2.05")} | ({"taxType": "STATE_SALES_TAX"} if named else {})]
    found = mapped("order", given)[0]
    assert [(each.title, str(each.amount.amount), each.collected_by) for each in found.taxes] == [
        ("STATE_SALES_TAX", "2.05", "channel")
    ]
    assert (found.totals.tax, found.lines[0].tax) == (None, None)


def test_tax_and_fee_of_the_seller_are_the_sellers() -> None:
    """What eBay does not remit enters the totals: a sales tax as tax, a statutory fee as fee."""
    given = order()
    line(given)["ebayCollectAndRemitTaxes"] = []
    line(given)["taxes"] = [
        {"taxType": "STATE_SALES_TAX", "amount": money("1.00")},
        {"taxType": "ELECTRONIC_RECYCLING_FEE", "amount": money("4.00")},
    ]
    given["pricingSummary"] |= {"tax": money("1.00"), "fee": money("4.00"), "total": money("37.50")}
    found = mapped("order", given)[0]
    assert [each.collected_by for each in found.taxes] == ["merchant", "merchant"]
    assert (str(found.totals.tax.amount), str(found.totals.fees.amount), found.totals.residual) == (
        "1.00",
        "4.00",
        None,
    )


def test_what_ebay_keeps_is_no_money_of_the_order() -> None:
    """Fees and the payout net of them appear nowhere."""
    text = mapped("order", order())[0].model_dump_json()
    assert not [amount for amount in ("28.10", "4.40", "34.55") if amount in text]


@pytest.mark.parametrize(
    ("payment", "shipped", "cancel", "expected"),
    [
        ("PAID", "NOT_STARTED", "NONE_REQUESTED", ("open", "paid", "unfulfilled")),
        ("PAID", "IN_PROGRESS", "NONE_REQUESTED", ("open", "paid", "partial")),
        ("PAID", "FULFILLED", "NONE_REQUESTED", ("closed", "paid", "fulfilled")),
        ("PENDING", "NOT_STARTED", "NONE_REQUESTED", ("pending", "pending", "unfulfilled")),
        ("FAILED", "NOT_STARTED", "NONE_REQUESTED", ("pending", "pending", "unfulfilled")),
        ("FULLY_REFUNDED", "NOT_STARTED", "CANCELED", ("cancelled", "refunded", "not_required")),
        ("PARTIALLY_REFUNDED", "FULFILLED", "NONE_REQUESTED", ("closed", "partially_refunded", "fulfilled")),
        ("SOMETHING_NEW", "SOMETHING_NEW", "SOMETHING_NEW", ("open", "unknown", "unfulfilled")),
    ],
)
def test_states(payment: str, shipped: str, cancel: str, expected: tuple[str, str, str]) -> None:
    """Unpaid is pending, all sent is closed, cancelled is cancelled; a state nobody knows is kept raw."""
    given = order(orderPaymentStatus=payment, orderFulfillmentStatus=shipped, cancelStatus={"cancelState": cancel})
    line(given)["lineItemFulfillmentStatus"] = shipped
    found = mapped("order", given)[0]
    assert (found.state, found.payment_state, found.fulfillment_state) == expected
    assert (found.payment_state_raw, found.fulfillment_state_raw, found.state_raw) == (payment, shipped, cancel)
    assert (found.cancelled_at is not None) == (found.state == "cancelled")


def test_a_request_to_cancel_holds_the_order() -> None:
    """Nothing is cancelled yet and nothing may be shipped; a refused request lifts it."""
    request = {"cancelRequestId": "1", "cancelRequestState": "REQUESTED", "cancelInitiator": "BUYER"}
    asked = order(cancelStatus={"cancelState": "IN_PROGRESS", "cancelRequests": [request]})
    documents = mapped("order", asked)
    assert [document.type for document in documents] == ["order"]
    assert [hold.name for hold in documents[0].holds] == ["cancel_requested"]
    assert documents[0].attributes["cancel_requests"][0]["id"] == "1"
    assert mapped("order", order())[0].holds == ()


def test_a_cancellation_is_one_document_from_either_read() -> None:
    """Pages leave the requests out; id and order stay the same, the reason is then unknown."""
    given = fixture("order_cancelled")
    full = mapped("order", given)[1]
    given["cancelStatus"]["cancelRequests"] = []
    listed = mapped("orders", {"orders": [given]})[1]
    assert (full.id, full.source.id) == (listed.id, listed.source.id)
    assert (full.reason, full.requested_by, listed.reason) == ("customer", "buyer", "unknown")
    assert mapped("order", given)[0].lines[0].cancelled_quantity == 1


def test_lines_are_known_without_a_sku() -> None:
    """By item, by item and variation; a variation id of nought is none."""
    given = order()
    del line(given)["sku"]
    assert mapped("order", given)[0].lines[0].channel_sku == "110000000001"
    line(given).update(legacyVariationId="4100", variationAspects=[{"name": "Farbe", "value": "Rot"}])
    found = mapped("order", given)[0].lines[0]
    assert (found.channel_sku, found.listing_id) == ("110000000001/4100", "110000000001")
    assert found.properties["variation"] == [{"name": "Farbe", "value": "Rot"}]
    line(given)["legacyVariationId"] = "0"
    assert mapped("order", given)[0].lines[0].channel_sku == "110000000001"


def test_an_auction_is_an_order_like_any_other() -> None:
    """The format is kept beside the line."""
    given = order()
    line(given).update(soldFormat="AUCTION", quantity=1)
    assert mapped("order", given)[0].lines[0].properties["sold_format"] == "AUCTION"


@pytest.mark.parametrize("kind", ["DIGITAL", "PREPARE_FOR_PICKUP"])
def test_digital_goods_and_pickups_are_not_shipped(kind: str) -> None:
    """There is no shipping step and no address, and nothing to fulfil."""
    given = order(fulfillmentStartInstructions=[{"fulfillmentInstructionsType": kind}])
    if kind == "PREPARE_FOR_PICKUP":
        instructions(given)["pickupStep"] = {"merchantLocationKey": "shop-7"}
    found = mapped("order", given, locations={"shop-7": "shop"})[0]
    assert (found.lines[0].requires_shipping, found.fulfillment_state, found.ship_to) == (False, "not_required", None)
    assert found.lines[0].ship_from == ("shop" if kind == "PREPARE_FOR_PICKUP" else None)


@pytest.mark.parametrize("how", ["instructions", "program"])
def test_what_ebay_ships_is_the_channels(how: str) -> None:
    """Neither told way touches the merchant's stock."""
    given = order()
    if how == "instructions":
        given["fulfillmentStartInstructions"] = [{"fulfillmentInstructionsType": "FULFILLED_BY_EBAY"}]
    else:
        given["program"] = {"fulfillmentProgram": {"fulfilledBy": "EBAY"}}
    assert mapped("order", given)[0].lines[0].fulfilled_by == "channel"


def test_a_parcel_through_a_hub_goes_to_the_hub() -> None:
    """The label needs the reference, and the buyer's own address is kept apart as personal data."""
    given = order(program={"ebayInternationalShipping": {"returnsManagedBy": "EBAY"}})
    instructions(given)["ebaySupportedFulfillment"] = True
    step = instructions(given)["shippingStep"]
    step["shipToReferenceId"] = "aBcDeF"
    instructions(given)["finalDestinationAddress"] = {
        "addressLine1": "2 Example St",
        "city": "Mooroopna",
        "countryCode": "AU",
    }
    found = mapped("order", given)[0]
    assert (found.ship_to.city, found.ship_to.line3) == ("Springfield", "ReferenceId: aBcDeF")
    assert (found.final_destination.city, found.final_destination.country) == ("Mooroopna", "AU")
    assert (found.attributes["programs"], found.attributes["ship_to_reference"]) == (
        ["ebayInternationalShipping"],
        "aBcDeF",
    )
    step["shipTo"]["contactAddress"]["addressLine2"] = "ReferenceId: aBcDeF"
    assert mapped("order", given)[0].ship_to.line3 is None
    assert "final_destination" in type(found).PERSONAL


def test_addresses_are_kept_as_given() -> None:
    """An Australian code in the first line, no state abroad, an empty phone object."""
    given = order()
    to = instructions(given)["shippingStep"]["shipTo"]
    to["contactAddress"] = {
        "addressLine1": "ebay:ab12cde",
        "addressLine2": "5  Example Pde",
        "city": "Perth",
        "postalCode": "6000",
        "countryCode": "AU",
    }
    found = mapped("order", given)[0].ship_to
    assert (found.line1, found.line2, found.region, found.country) == ("ebay:ab12cde", "5  Example Pde", None, "AU")
    assert found.phone is None


def test_shipments_come_with_the_order_or_with_its_one_link() -> None:
    """A link that names the whole order's one parcel tells of it; several say not what is in which."""
    shipped = order(orderFulfillmentStatus="FULFILLED", fulfillmentHrefs=["https://api.ebay.com/x/1Z999AA10123456784"])
    line(shipped)["lineItemFulfillmentStatus"] = "FULFILLED"
    found = mapped("order", shipped)
    assert found[0].lines[0].fulfilled_quantity == 3
    assert (found[1].source.id, found[1].packages[0].lines[0].quantity) == ("14-00001-00001/1Z999AA10123456784", 3)
    shipped["fulfillmentHrefs"] = ["https://api.ebay.com/x/999"]
    assert mapped("order", shipped)[1].packages[0].tracking_number is None
    shipped["fulfillmentHrefs"] *= 2
    assert [document.type for document in mapped("order", shipped)] == ["order"]


def test_refunds_that_are_paid() -> None:
    """A pending one is no refund yet; a line's own refund is the same document as the order's."""
    documents = [document for document in mapped("order", coded_order()) if document.type == "refund"]
    (found,) = documents
    assert (str(found.amounts.total.amount), str(found.amounts.items.amount)) == ("4.00", "4.00")
    assert (found.attributes["refund_id"], found.attributes["line_ids"], found.lines) == (
        "5001",
        ["10080000000101"],
        (),
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("RETURN_REQUESTED", "requested"),
        ("READY_FOR_SHIPPING", "approved"),
        ("ITEM_SHIPPED", "in_transit"),
        ("ITEM_DELIVERED", "received"),
        ("CLOSED", "closed"),
        ("SOMETHING_NEW", "requested"),
    ],
)
def test_returns(status: str, expected: str) -> None:
    """States are told; what came back and how it looks is never eBay's to say."""
    given = fixture("returns")
    given["members"][0] |= {"state": status, "status": status}
    (found,) = mapped("returns", given)
    assert (found.state, found.state_raw, found.lines[0].disposition) == (expected, status, "unknown")
    detail = {"returnShipmentInfo": {"shipmentTracking": {"trackingNumber": "1Z9", "carrierName": "UPS"}}}
    (whole,) = mapped("returns", {"summary": given["members"][0], "detail": detail})
    assert (whole.id, whole.tracking[0].carrier) == (found.id, "ups")


def test_a_listing_is_addressed_by_its_offer_and_shows_the_lower_number() -> None:
    """Both levels hold a number; a withdrawn offer keeps its address."""
    given = fixture("inventory")
    (found,) = mapped("listings", given, locations={"warehouse-1": "main"})
    assert (found.listing_id, found.item_id, found.variant_id) == ("110000000001", "8800000001", "8800000001")
    assert (found.quantity, found.state, found.location, found.gtin) == (4, "active", "main", "036000291452")
    given["offers"][0] |= {"status": "UNPUBLISHED"}
    del given["offers"][0]["listing"]
    (ended,) = mapped("listings", given)
    assert (ended.item_id, ended.state) == ("8800000001", "inactive")
    (report,) = mapped("inventory", given)
    assert (report.levels[0].available, report.levels[0].item_id, report.complete) == (4, "8800000001", False)


def test_listings_made_in_seller_hub() -> None:
    """Item and variation are the address; what was sold is no stock."""
    lamp_row = {"itemId": "19", "sku": None, "variationSku": None, "title": "Lamp", "quantity": 5, "quantitySold": 2}
    lamp_row |= {"price": "14.99", "currency": "USD", "listingStatus": "Active"}
    cap_row = {"itemId": "20", "sku": None, "variationSku": "CAP-L", "quantityAvailable": 7}
    rows = [lamp_row, cap_row | {"listingStatus": "Completed"}]
    lamp, cap = mapped("listings", {"tradingItems": rows})
    assert (lamp.item_id, lamp.channel_sku, lamp.variant_id, lamp.quantity, lamp.state) == (
        "19",
        "19",
        None,
        3,
        "active",
    )
    assert (cap.item_id, cap.listing_id, cap.channel_sku, cap.state) == ("20/CAP-L", "20", "CAP-L", "ended")
    (report,) = mapped("inventory", {"tradingItems": rows})
    assert [(level.item_id, level.available) for level in report.levels] == [("19", 3), ("20/CAP-L", 7)]


def test_an_item_that_is_not_tracked_is_null() -> None:
    """Never nought: nobody said so."""
    given = fixture("inventory")
    del given["offers"]
    given["inventoryItems"][0]["availability"] = {}
    (report,) = mapped("inventory", given)
    assert (report.levels[0].available, report.location) == (None, None)


def test_notifications_carry_nothing_to_map() -> None:
    """They point at an order, which is read."""
    assert mapped("ORDER_CONFIRMATION", confirmation("n-1")) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"errors": [{"errorId": 32100, "message": "Invalid order ID"}]}, "32100"),
        ({"error": [{"errorId": 292024, "message": "Carrier"}]}, "292024"),
        ({"error": "invalid_grant", "error_description": "revoked"}, "invalid_grant"),
        ({"errorMessage": {"error": {"errorId": 1, "message": "No"}}}, "1"),
        ({"Ack": "Failure", "Errors": {"ErrorCode": 930, "ShortMessage": "No token"}}, "930"),
        ({"responses": [{"sku": "A", "statusCode": 400, "errors": [{"errorId": 25709, "message": "No"}]}]}, "25709"),
    ],
)
@pytest.mark.parametrize("topic", ["order", "returns", "inventory", "listings"])
def test_an_error_body_is_an_error(topic: str, body: dict[str, Any], code: str) -> None:
    """Whatever its shape: named by eBay's own code, never an empty answer."""
    with pytest.raises(MappingError) as caught:
        mapped(topic, body)
    assert caught.value.code == code


@pytest.mark.parametrize("topic", ["order", "orders", "returns", "inventory", "listings"])
@pytest.mark.parametrize("body", [{}, {"responses": [{"sku": "A", "statusCode": 200}]}, {"requests": []}, {"total": 0}])
def test_another_answer_is_refused_by_name(topic: str, body: dict[str, Any]) -> None:
    """A payload of something else says what is missing."""
    with pytest.raises(MappingError) as caught:
        mapped(topic, body)
    assert "payload" in str(caught.value) or "entries" in str(caught.value)


def test_an_empty_page_is_no_error() -> None:
    """No order changed, no return was opened."""
    assert mapped("orders", {"orders": [], "total": 0}) == []
    assert mapped("returns", {"members": [], "total": 0}) == []
