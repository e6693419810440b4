"""Amazon's payloads mean what the rulings say: line amounts, positive discounts, tax counted once, states, stock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from canonical import MappingError
from mappings import SHIPPED, MapContext, MappingSet, lint, run_tests

AMAZON = MappingSet.load("amazon")
AT = datetime(2026, 11, 21, tzinfo=UTC)


def fixture(name: str) -> Any:
    return json.loads((SHIPPED / "amazon" / "fixtures" / f"{name}.json").read_bytes())


def mapped(topic: str, payload: Any, *, locations: dict[str, str] | None = None) -> list[Any]:
    body = json.dumps(payload).encode()
    return AMAZON.map(topic, body, MapContext("a", "amazon", AT, locations=locations or {}))


def line(order: Any) -> Any:
    return order["orderItems"][0]


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}


def test_the_trials_beside_the_mappings_pass_and_nothing_is_amiss() -> None:
    """What stands under `tests:` holds, and the linter finds nothing."""
    assert [result for result in run_tests("amazon") if not result.passed] == []
    assert lint("amazon") == []


def test_line_amounts_and_discounts() -> None:
    """Three at 10.00 less 3.00; delivery is discounted apart; the parts explain the total."""
    (found,) = mapped("order", fixture("order"))
    (only,) = found.lines
    assert (str(only.unit_price.amount), str(only.discount.amount), str(only.total.amount)) == (
        "10.00",
        "3.00",
        "27.00",
    )
    assert (str(found.shipping[0].price.amount), str(found.shipping[0].discount.amount)) == ("4.50", "2.00")
    assert [(each.code, str(each.amount.amount)) for each in found.discounts] == [("PROMO-1", "5.00")]
    assert found.totals.residual is None


@pytest.mark.parametrize("sign", ["", "-"])
def test_discounts_are_positive_however_they_are_signed(sign: str) -> None:
    """The model does not say which sign a discount has."""
    given = fixture("order")
    given["orderItems"][0]["proceeds"]["breakdowns"][3] = {"type": "DISCOUNT", "subtotal": usd(f"{sign}5.00")}
    (found,) = mapped("order", given)
    assert (str(found.totals.discount.amount), str(found.lines[0].total.amount)) == ("5.00", "25.00")


def test_tax_the_marketplace_remits_stands_outside_the_totals() -> None:
    """It is the channel's; a total that holds it shows the difference."""
    given = fixture("order")
    line(given)["tax"] = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"}]}
    (found,) = mapped("order", given)
    assert [(str(tax.amount.amount), tax.collected_by) for tax in found.taxes] == [("1.50", "channel")]
    assert (found.totals.tax, found.lines[0].tax, str(found.totals.residual.amount)) == (None, None, "1.50")


def test_a_line_amount_that_does_not_divide_has_no_unit_price() -> None:
    """Without a stated unit price, 100.00 for 3 is nothing exact."""
    given = fixture("order")
    del line(given)["product"]["price"]
    line(given)["proceeds"]["breakdowns"] = [{"type": "ITEM", "subtotal": usd("100.00")}]
    found = mapped("order", given)[0].lines[0]
    assert (found.unit_price, str(found.total.amount)) == (None, "100.00")
    line(given)["proceeds"]["breakdowns"] = [{"type": "ITEM", "subtotal": usd("36.00")}]
    assert str(mapped("order", given)[0].lines[0].unit_price.amount) == "12.00"


def test_yen_keep_their_scale() -> None:
    """Amounts without decimals stay as they are."""
    given = fixture("order")
    text = json.dumps(given).replace('"USD"', '"JPY"').replace("10.00", "5980").replace("30.00", "17940")
    found = mapped("order", json.loads(text))[0]
    assert (str(found.lines[0].unit_price.amount), found.lines[0].unit_price.currency) == ("5980", "JPY")
    assert str(found.totals.items.amount) == "17940"


def test_charges_beside_goods_and_delivery() -> None:
    """Wrapping and cash on delivery are fees; a tip is charged apart from the order."""
    given = fixture("order")
    line(given)["proceeds"]["breakdowns"] += [
        {"type": "GIFT_WRAP", "subtotal": usd("2.00")},
        {"type": "COD_FEE", "subtotal": usd("1.00")},
    ]
    given["proceeds"] = {"grandTotal": usd("34.00"), "breakdowns": [{"type": "DELIVERY_TIP", "subtotal": usd("5.00")}]}
    (found,) = mapped("order", given)
    assert (str(found.totals.fees.amount), found.totals.residual, found.totals.tip) == ("3.00", None, None)
    assert found.attributes["delivery_tip"] == "5.00 USD"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PENDING_AVAILABILITY", ("pending", "pending", "unfulfilled")),
        ("PENDING", ("pending", "pending", "unfulfilled")),
        ("UNSHIPPED", ("open", "paid", "unfulfilled")),
        ("PARTIALLY_SHIPPED", ("open", "paid", "partial")),
        ("SHIPPED", ("closed", "paid", "fulfilled")),
        ("CANCELLED", ("cancelled", "unknown", "not_required")),
        ("UNFULFILLABLE", ("open", "unknown", "unfulfilled")),
        ("INVOICE_UNCONFIRMED", ("open", "unknown", "unfulfilled")),
    ],
)
def test_states(status: str, expected: tuple[str, str, str]) -> None:
    """Unpaid is pending, all sent is closed; a status nobody knows is kept raw and stops nothing."""
    given = fixture("order")
    given["fulfillment"]["fulfillmentStatus"] = status
    found = mapped("order", given)[0]
    assert (found.state, found.payment_state, found.fulfillment_state) == expected
    assert (found.state_raw, found.cancelled_at is not None) == (status, status == "CANCELLED")


def test_an_order_read_without_its_status_is_refused() -> None:
    """Nobody could tell whether it may be shipped."""
    given = fixture("order")
    del given["fulfillment"]
    with pytest.raises(MappingError, match="includedData=FULFILLMENT"):
        mapped("order", given)


def test_a_pending_order_reserves() -> None:
    """Counters at nought do not mean cancelled; there is no total, no address and no person."""
    (found,) = mapped("order", fixture("order_pending"))
    assert (found.state, found.lines[0].quantity, found.lines[0].cancelled_quantity) == ("pending", 2, 0)
    assert (found.totals.grand_total, found.ship_to, found.buyer, found.currency) == (None, None, None, "USD")


@pytest.mark.parametrize(
    ("counters", "execution", "cancelled"),
    [
        ({"quantityFulfilled": 1, "quantityUnfulfilled": 1}, False, 1),
        ({"quantityFulfilled": 0, "quantityUnfulfilled": 3}, False, 0),
        ({"quantityFulfilled": 0, "quantityUnfulfilled": 0}, False, 0),
        ({"quantityFulfilled": 0, "quantityUnfulfilled": 0}, True, 3),
        ({"quantityFulfilled": 2, "quantityUnfulfilled": 0}, True, 1),
        ({"quantityUnfulfilled": 2}, False, 0),
        ({}, False, 0),
    ],
)
def test_cancelled_units(counters: dict[str, int], execution: bool, cancelled: int) -> None:
    """What is neither shipped nor left to ship; both counters at nought alone say nothing."""
    given = fixture("order")
    line(given)["fulfillment"] = counters
    if execution:
        line(given)["cancellation"] = {"cancellationExecution": {"cancelledBy": "BUYER"}}
    assert mapped("order", given)[0].lines[0].cancelled_quantity == cancelled


def test_an_order_all_of_whose_lines_are_cancelled_is_cancelled() -> None:
    """Even where the status lags behind."""
    given = fixture("order_cancelled")
    given["fulfillment"]["fulfillmentStatus"] = "UNSHIPPED"
    found, cancellation = mapped("order", given)
    assert (found.state, cancellation.lines[0].quantity) == ("cancelled", 2)


def test_a_buyers_request_to_cancel_holds_the_order() -> None:
    """Nothing is cancelled and nothing may be shipped; an executed one holds nothing."""
    given = fixture("order")
    line(given)["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Found it cheaper"}}
    documents = mapped("order", given)
    assert [document.type for document in documents] == ["order"]
    assert [hold.name for hold in documents[0].holds] == ["cancel_requested"]
    assert documents[0].lines[0].properties["cancel_request"] == "Found it cheaper"
    line(given)["cancellation"]["cancellationExecution"] = {"cancelledBy": "BUYER", "cancelReason": "BuyerCanceled"}
    order, cancellation = mapped("order", given)
    assert (order.holds, cancellation.reason, cancellation.requested_by) == ((), "customer", "buyer")


def test_a_replacement_costs_nothing_and_takes_stock() -> None:
    """It points at the order it replaces."""
    given = fixture("order")
    given["associatedOrders"] = [{"orderId": "701-9", "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    given["proceeds"] = {"grandTotal": usd("0.00")}
    line(given)["proceeds"] = {"breakdowns": [{"type": "ITEM", "subtotal": usd("0.00")}]}
    line(given)["product"]["price"]["unitPrice"] = usd("0.00")
    (found,) = mapped("order", given)
    assert (found.state, found.lines[0].quantity, str(found.totals.grand_total.amount)) == ("open", 3, "0.00")
    assert (found.attributes["replaces"], found.lines[0].fulfilled_by) == ("701-9", "merchant")
    given["associatedOrders"][0]["associationType"] = "EXCHANGE_ORIGINAL_ID"
    assert mapped("order", given)[0].attributes["exchanges"] == "701-9"


def test_what_amazon_ships_is_the_channels() -> None:
    """It never touches the merchant's stock, and its listing is another than the merchant's."""
    given = fixture("order")
    given["fulfillment"]["fulfilledBy"] = "AMAZON"
    found = mapped("order", given)[0].lines[0]
    assert (found.fulfilled_by, found.listing_id) == ("channel", "ATVPDKIKX0DER|LAMP-1|AMAZON")
    assert mapped("order", fixture("order"))[0].lines[0].listing_id == "ATVPDKIKX0DER|LAMP-1|DEFAULT"


def test_a_pickup_in_a_store_is_not_shipped() -> None:
    """Programs are tags."""
    given = fixture("order") | {"programs": ["IN_STORE_PICK_UP"]}
    (found,) = mapped("order", given)
    assert (found.lines[0].requires_shipping, found.tags) == (False, ("IN_STORE_PICK_UP",))


def test_a_line_without_a_sku_is_still_a_line() -> None:
    """It waits for someone to say what it is."""
    given = fixture("order")
    del line(given)["product"]["sellerSku"]
    found = mapped("order", given)[0].lines[0]
    assert (found.channel_sku, found.listing_id, found.quantity) == (None, None, 3)


def test_packages_are_shipments() -> None:
    """One each, known by the reference its seller chose, with the lines in it."""
    order, first, second = mapped("order", fixture("order_shipped"))
    assert (order.state, order.lines[0].fulfilled_quantity) == ("closed", 3)
    assert (first.source.id, first.state, first.packages[0].tracking_number) == (
        "701-0000004-0000004/1",
        "shipped",
        "1Z999AA10123456784",
    )
    assert (second.state, second.packages[0].carrier, second.packages[0].carrier_raw) == (
        "created",
        "unknown",
        "My Courier",
    )
    assert [shipped.packages[0].lines[0].quantity for shipped in (first, second)] == [2, 1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("DELIVERED", "delivered"), ("CANCELLED", "cancelled"), ("UNDELIVERABLE", "shipped"), ("NEW_WORD", "shipped")],
)
def test_states_of_packages(status: str, expected: str) -> None:
    """A word nobody knows is told from whether it has left."""
    given = fixture("order_shipped")
    given["packages"][0]["packageStatus"] = {"status": status}
    assert mapped("order", given)[1].state == expected


def test_a_page_a_single_read_and_a_bare_order_are_one_thing() -> None:
    """The same ids from each; an empty page is no error."""
    order = fixture("order_shipped")
    forms = [order, {"order": order}, {"orders": [order], "pagination": {"nextToken": "x"}}]
    assert len({tuple(document.id for document in mapped("orders", form)) for form in forms}) == 1
    assert mapped("orders", {"orders": [], "createdBefore": "2026-11-20T00:00:00Z"}) == []


def test_a_notifications_summary_is_a_partial_order() -> None:
    """Enough to reserve, and never newer than any read of the order."""
    (summary,) = mapped("order_summary", fixture("order_change"))
    pending = fixture("order_pending")
    # Read the instant it was made, before anything changed: still newer than any summary.
    (read,) = mapped("order", pending | {"lastUpdatedTime": pending["createdTime"]})
    assert (summary.id, summary.source.id) == (read.id, read.source.id)
    assert summary.source.version < read.source.version
    assert (summary.attributes["partial"], summary.state, summary.lines[0].id) == (True, "pending", read.lines[0].id)
    assert (summary.lines[0].channel_sku, summary.lines[0].listing_id) == ("LAMP-1", read.lines[0].listing_id)
    wrapped = {"version": "0", "detail-type": "ORDER_CHANGE", "detail": fixture("order_change")}
    assert mapped("order_summary", wrapped)[0].id == summary.id


def test_a_summary_says_who_ships_from_where_and_what_is_cancelled() -> None:
    """FBA, a supply source of ours, a cancelled line, a request to cancel."""
    given = fixture("order_change")
    summary = given["Payload"]["OrderChangeNotification"]["Summary"]
    summary["FulfillmentType"] = "AFN"
    item = summary["OrderItems"][0] | {"SupplySourceId": "source-1", "IsBuyerRequestedCancel": True}
    summary["OrderItems"] = [item, item | {"OrderItemId": "2", "OrderItemStatus": "Canceled"}]
    (found,) = mapped("ORDER_CHANGE", given, locations={"source-1": "main"})
    assert [one.cancelled_quantity for one in found.lines] == [0, 2]
    assert (found.lines[0].fulfilled_by, found.lines[0].ship_from) == ("channel", "main")
    assert [hold.name for hold in found.holds] == ["cancel_requested"]


def test_an_older_read_without_items_is_partial() -> None:
    """With items it is whole, by line amounts, and booleans may be text."""
    given = fixture("order_v0")
    (whole,) = mapped("order_v0", given)
    assert "partial" not in whole.attributes
    assert (str(whole.lines[0].unit_price.amount), whole.totals.residual) == ("10.00", None)
    assert [hold.name for hold in whole.holds] == ["cancel_requested"]
    del given["payload"]["Orders"][0]["OrderItems"]
    (bare,) = mapped("order_v0", given)
    assert (bare.lines, bare.attributes["partial"], bare.id) == ((), True, whole.id)


def test_a_sku_in_fba_and_fbm_has_two_listings() -> None:
    """Each with its own number; the number is the actual one, what was submitted stands beside it."""
    mine, theirs = mapped("listing", fixture("listing"))
    assert (mine.listing_id, mine.quantity, mine.fulfilled_by) == ("ATVPDKIKX0DER|LAMP-1|DEFAULT", 7, "merchant")
    assert (theirs.listing_id, theirs.quantity, theirs.fulfilled_by) == (
        "ATVPDKIKX0DER|LAMP-1|AMAZON_NA",
        40,
        "channel",
    )
    assert (mine.attributes["submitted"], str(mine.price.amount), mine.state) == (9, "10.00", "active")


def test_a_listing_of_several_marketplaces_is_one_each() -> None:
    """A suppressed one stays known, as inactive."""
    given = fixture("listing")
    given["summaries"].append(given["summaries"][0] | {"marketplaceId": "A2EUQ1WTGCTBG2", "status": []})
    found = mapped("listings", {"numberOfResults": 1, "items": [given]})
    assert [(each.marketplace, each.state) for each in found if each.fulfilled_by == "merchant"] == [
        ("ATVPDKIKX0DER", "active"),
        ("A2EUQ1WTGCTBG2", "inactive"),
    ]


def test_numbers_of_merchant_listings_alone_are_stock() -> None:
    """Addressed as the listing is; a listing that states none is untracked, not empty; FBA is left out."""
    (report,) = mapped("stock", fixture("stock"))
    assert [(level.item_id, level.available) for level in report.levels] == [("ATVPDKIKX0DER|LAMP-1|DEFAULT", 7)]
    assert report.as_of == datetime(2026, 11, 21, 8, tzinfo=UTC)
    given = fixture("stock")
    del given["items"][0]["fulfillmentAvailability"][0]["quantity"]
    assert mapped("stock", given)[0].levels[0].available is None
    assert mapped("stock", {"items": [given["items"][1]], "read_at": "2026-11-21T08:00:00Z"}) == []


def test_stock_at_amazon_is_a_place_of_its_own() -> None:
    """On hand is what can be picked and what is reserved; nothing stated is nothing, not nought."""
    given = fixture("fba_stock")
    (report,) = mapped("fba_stock", given, locations={"AMAZON_FBA:ATVPDKIKX0DER": "fba"})
    (level,) = report.levels
    assert (report.location, report.complete) == ("fba", False)
    assert (level.on_hand, level.reserved, level.available, level.incoming, level.damaged) == (16, 4, 12, 3, 2)
    del given["payload"]["inventorySummaries"][0]["inventoryDetails"]
    (bare,) = mapped("fba_stock", given)[0].levels
    assert (bare.on_hand, bare.available, bare.incoming) == (None, None, None)


def test_returns_of_both_reports() -> None:
    """What a merchant gets back is unseen yet; what Amazon took back lies at Amazon."""
    (asked,) = mapped("return_fbm", fixture("return_fbm"))
    assert (asked.state, asked.lines[0].reason, asked.lines[0].disposition) == ("approved", "defective", "unknown")
    assert (asked.tracking[0].carrier, str(asked.requested_at)) == ("ups", "2026-11-28")
    (taken,) = mapped("return_fba", fixture("return_fba"))
    assert (taken.state, taken.lines[0].disposition, taken.lines[0].location) == ("received", "damaged", None)
    assert (taken.source.id, taken.note) == ("701-0000005-0000005/LPN000000000001", "Not for me.")


def test_rows_of_one_return_are_apart() -> None:
    """Two items under one number are two documents; an unreadable date stays beside it."""
    given = fixture("return_fbm")
    other = given | {"Merchant SKU": "CAP-L", "Return request date": "28/11/2026", "Return request status": "Odd"}
    one, two = mapped("return_fbm", given)[0], mapped("return_fbm", other)[0]
    assert one.id != two.id
    assert (two.requested_at, two.attributes["requested_on"], two.state) == (None, "28/11/2026", "requested")


def test_refunds_of_the_accounts() -> None:
    """Positive amounts, refunds alone, exact."""
    (found,) = mapped("refund", fixture("refund"))
    assert (found.order, found.amounts.total.amount, found.lines) == ("701-0000004-0000004", 9, ())
    assert found.source.id == "701-0000004-0000004/T-1"


@pytest.mark.parametrize("topic", ["FEED_PROCESSING_FINISHED", "TRANSACTION_UPDATE", "LISTINGS_ITEM_ISSUES_CHANGE"])
def test_notifications_without_content_of_ours(topic: str) -> None:
    """They make something be read, or say nothing we need."""
    assert mapped(topic, {"NotificationType": topic}) == []


TOPICS = ["order", "order_v0", "order_summary", "listing", "stock", "fba_stock", "return_fbm", "return_fba", "refund"]


@pytest.mark.parametrize("topic", TOPICS)
def test_an_error_body_is_an_error(topic: str) -> None:
    """Named by Amazon's own code, never an empty answer."""
    with pytest.raises(MappingError) as caught:
        mapped(topic, {"errors": [{"code": "QuotaExceeded", "message": "You exceeded your quota."}]})
    assert caught.value.code == "QuotaExceeded"


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("body", [{}, {"payload": {}}, {"feedId": "1"}, {"reportId": "2"}])
def test_another_answer_is_refused_by_name(topic: str, body: dict[str, Any]) -> None:
    """A payload of something else says what is missing."""
    with pytest.raises(MappingError, match=r"missing|in the payload"):
        mapped(topic, body)


def test_an_update_that_amazon_calls_invalid_is_an_error() -> None:
    """A refusal inside a 200, by the code of its first issue."""
    answer = {"sku": "A", "status": "INVALID", "submissionId": "s", "issues": [{"code": "90000900", "message": "No"}]}
    with pytest.raises(MappingError) as caught:
        mapped("listing", answer)
    assert caught.value.code == "90000900"
    with pytest.raises(MappingError, match="answer to an update"):
        mapped("listing", answer | {"status": "ACCEPTED", "issues": []})
