"""Published payloads normalise, or say what is wrong with them.

The payloads are not part of the project; where their folder is missing there is nothing to check.
"""

# ruff: noqa: PT017 - an error may come or not; where it comes it must say where

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical import MappingError, dump, parse_document
from mappings import MapContext, MappingSet

FOLDER = Path(__file__).resolve().parents[3] / ".." / "shared" / "samples" / "amazon"
FILES = sorted(FOLDER.glob("*")) if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(not FILES, reason="the published payloads are not here")
AMAZON = MappingSet.load("amazon")
TOPICS = ("order", "order_v0", "order_summary", "listing", "stock", "fba_stock", "return_fbm", "return_fba", "refund")


def mapped(topic: str, name: str) -> list[Any]:
    path = FOLDER / name
    path = path if path.suffix else path.with_suffix(".json")
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return AMAZON.map(topic, path.read_bytes(), MapContext(None, "amazon", datetime(2026, 11, 21, tzinfo=UTC)))


def refused(topic: str, name: str) -> str:
    with pytest.raises(MappingError) as caught:
        mapped(topic, name)
    return f"{caught.value.code}: {caught.value}"


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_normalises_or_says_why_not(path: Path, topic: str) -> None:
    """Documents that survive their JSON form, or an error with a code and a place; nothing else."""
    try:
        documents = mapped(topic, path.name)
    except MappingError as error:
        assert error.code
        assert error.target or error.path or error.code == "bad_json"
        return
    for document in documents:
        assert parse_document(dump(document)) == document


def test_an_order_to_brazil() -> None:
    """299.90 reais, to ship; the quarter stands in the third line, the words of the gift in the note."""
    (found,) = mapped("order", "orders2026_get_0")
    assert (found.number, found.state, found.payment_state) == ("171-9876543-2109876", "open", "paid")
    assert (str(found.totals.grand_total.amount), found.currency, found.totals.residual) == ("299.90", "BRL", None)
    assert (found.lines[0].channel_sku, found.lines[0].quantity) == ("ECHO-DOT-4-BR-PRETO", 1)
    assert (found.ship_to.line3, found.ship_to.region, found.ship_to.country) == ("Vila Madalena", "SP", "BR")
    assert found.note.startswith("Feliz Natal")
    assert (found.tags, found.attributes["seller_order_id"]) == (("PRIME",), "BR-CONSUMER-ORDER-2024-003")


@pytest.mark.parametrize("name", ["ordersv0_getOrders_1", "ordersv0_getOrders_2"])
def test_a_pending_order_of_the_older_api(name: str) -> None:
    """No total, no channel of sale and no items: partial, and pending."""
    (found,) = mapped("order_v0", name)
    assert (found.state, found.payment_state, found.lines) == ("pending", "pending", ())
    assert (found.totals.grand_total, found.currency, found.attributes["partial"]) == (None, "USD", True)


def test_a_page_of_the_older_api_without_people() -> None:
    """Two orders, no buyer, no address of delivery: the merchant's own is not the buyer's."""
    first, second = mapped("orders", "ordersv0_getOrders_mfn_no_pii")
    assert (first.number, second.number) == ("902-1845936-5435065", "902-8745147-1934268")
    assert (first.ship_to, first.buyer, str(first.totals.grand_total.amount)) == (None, None, "11.01")
    assert (first.state, first.requested.service) == ("open", "Standard")


def test_an_order_of_the_older_api_alone() -> None:
    """With the seller's own number."""
    (found,) = mapped("order", "recipe_orders-getOrder")
    assert (found.number, found.attributes["seller_order_id"]) == ("123-4567890-1234567", "SO-1001")
    assert (str(found.totals.grand_total.amount), found.attributes["partial"]) == ("149.99", True)


def test_people_without_an_order_are_no_order() -> None:
    """The buyer's name alone is refused, and so is a label."""
    assert "OrderStatus is missing" in refused("order", "ordersv0_getOrderBuyerInfo")
    assert "OrderStatus is missing" in refused("order", "mfn_createShipment")
    assert "OrderStatus is missing" in refused("order_v0", "mfn_cancelShipment")


@pytest.mark.parametrize("topic", ["ORDER_CHANGE", "order_summary"])
def test_a_change_of_an_order(topic: str) -> None:
    """Ten units, the buyer asks to cancel: reserved, held, partial."""
    (found,) = mapped(topic, "notification_OrderChangeNotification")
    assert (found.number, found.state, found.attributes["partial"]) == ("903-8868176-2219830", "open", True)
    assert [(line.channel_sku, line.quantity) for line in found.lines] == [("SellerSKUID1", 10)]
    assert [hold.name for hold in found.holds] == ["cancel_requested"]
    assert found.lines[0].ship_from_raw == "d7679e14-031b-4ab3-a81b-ec4fc7a460b3"


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("FEED_PROCESSING_FINISHED", "notification_FeedProcessingFinishedNotification_0"),
        ("REPORT_PROCESSING_FINISHED", "notification_ReportProcessingFinishedNotification_0"),
        ("LISTINGS_ITEM_ISSUES_CHANGE", "notification_ListingsItemIssuesChangeNotification_2023-12-13.json"),
        ("LISTINGS_ITEM_STATUS_CHANGE", "notification_ListingsItemStatusChangeNotification"),
        ("FBA_OUTBOUND_SHIPMENT_STATUS", "notification_FBAOutboundShipmentStatusNotification"),
        ("TRANSACTION_UPDATE", "notification_TransactionUpdateNotification"),
        ("PRICING_HEALTH", "notification_PricingHealthNotification"),
        ("BRANDED_ITEM_CONTENT_CHANGE", "notification_BrandedItemContentChangeNotification"),
        ("PRODUCT_TYPE_DEFINITIONS_CHANGE", "notification_ProductTypeDefinitionsChangeNotification"),
    ],
)
def test_a_notification_is_a_hint(topic: str, name: str) -> None:
    """Known, and without content; given as an order it is refused."""
    assert mapped(topic, name) == []
    assert "in the payload" in refused("order", name)


def test_a_listing_and_its_stock() -> None:
    """The number at the top, one per marketplace."""
    (found,) = mapped("listing", "recipe_listings-getListingsItem")
    assert (found.listing_id, found.quantity, found.state) == ("A2Q3Y263D00KWC|TEST-SKU-001|DEFAULT", 100, "active")
    (report,) = mapped("stock", "recipe_listings-getListingsItem")
    assert (report.levels[0].item_id, report.levels[0].available) == (found.item_id, 100)


def test_items_of_a_feeds_report_are_listings() -> None:
    """The report that was asked to show its items shows their actual numbers."""
    found = mapped("listing", "feed_JSON_LISTINGS_FEED_processing_report_example")
    assert [each.channel_sku for each in found]
    assert {each.marketplace for each in found} == {"ATVPDKIKX0DER"}


def test_the_answer_to_an_update_is_no_listing() -> None:
    """VALID states no number; INVALID is an error by the code of its issue."""
    assert "answer to an update" in refused("listing", "listings_patch_200_b")
    assert refused("listing", "listings_patch_200_c").startswith("90000900")


@pytest.mark.parametrize(
    "name",
    [
        "recipe_mcf-v2-getOrder",
        "recipe_mcf-v1-getFulfillmentOrder-cancelled",
        "externalFulfillment_getShipments",
        "supplySources_list",
        "vendor_getPurchaseOrders_a",
        "feed_JSON_LISTINGS_FEED_input_example",
        "tokens_createRDT_b",
    ],
)
def test_what_is_no_customers_order_is_refused(name: str) -> None:
    """Fulfilment orders, purchase orders and requests of ours look alike and are not."""
    assert "in the payload" in refused("order", name)


def test_a_report_in_xml_is_refused_by_name() -> None:
    """Not read as an empty answer."""
    assert refused("order", "recipe_feeds-feedResultDocument.xml").startswith("bad_json")
