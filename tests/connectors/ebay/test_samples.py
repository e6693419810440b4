"""Published and captured payloads normalise, or say what is wrong with them.

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

FOLDER = Path(__file__).resolve().parents[3] / ".." / "shared" / "samples" / "ebay"
FILES = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(not FILES, reason="the captured payloads are not here")
EBAY = MappingSet.load("ebay")
TOPICS = ("order", "orders", "returns", "inventory", "listings", "ORDER_CONFIRMATION")


def mapped(topic: str, name: str) -> list[Any]:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return EBAY.map(topic, path.read_bytes(), MapContext(None, "ebay", datetime(2026, 11, 21, tzinfo=UTC)))


def refused(topic: str, name: str) -> MappingError:
    with pytest.raises(MappingError) as caught:
        mapped(topic, name)
    return caught.value


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_normalises_or_says_why_not(path: Path, topic: str) -> None:
    """Documents that survive their JSON form, or an error with a code and a place; nothing else."""
    try:
        documents = mapped(topic, path.stem)
    except MappingError as error:
        assert error.code
        assert error.target or error.path
        return
    for document in documents:
        assert parse_document(dump(document)) == document


def test_an_order_through_the_international_hub() -> None:
    """120.00, paid; the parcel goes to the hub, the goods to Australia; fees are nowhere."""
    (found,) = mapped("order", "CONSTRUCTED_order_gsp_ebay_international_shipping")
    assert (found.state, found.payment_state, found.lines[0].channel_sku) == ("open", "paid", "WB 9321-72/73 10.25")
    assert (found.ship_to.city, found.ship_to.line2) == ("Glendale Heights", "ReferenceId: aBcDeFgHiJ")
    assert (found.final_destination.city, found.final_destination.country) == ("Mooroopna", "AU")
    assert (str(found.totals.grand_total.amount), found.totals.fees, found.totals.residual) == ("120.0", None, None)
    assert [(str(tax.amount.amount), tax.collected_by) for tax in found.taxes] == [("5.98", "channel")]


def test_an_order_whose_tax_is_listed_twice() -> None:
    """Tax and recycling fee are the channel's, once each; the total that holds them shows the difference."""
    (found,) = mapped("order", "order_us_tax_and_recycling_fee_docs")
    assert [(tax.title, str(tax.amount.amount), tax.collected_by) for tax in found.taxes] == [
        ("STATE_SALES_TAX", "24.33", "channel"),
        ("ELECTRONIC_RECYCLING_FEE", "6.0", "channel"),
    ]
    assert (found.totals.tax, found.totals.fees, str(found.totals.residual.amount)) == (None, None, "30.33")
    assert (found.lines[0].channel_sku, found.attributes["legacy_order_id"]) == (found.lines[0].listing_id, "254333")


def test_an_old_order_without_people() -> None:
    """A country of its own, no street, and one shipment by its link."""
    found, shipment = mapped("order", "order_old_pii_stripped_no_name_no_phone")
    assert (found.state, found.fulfillment_state, found.lines[0].fulfilled_quantity) == ("closed", "fulfilled", 1)
    assert (found.ship_to.country, found.ship_to.line1, found.ship_to.name) == ("PR", None, None)
    assert (found.buyer.name, found.buyer.channel_id, str(found.totals.grand_total.amount)) == (
        None,
        "buyer_c",
        "87.88",
    )
    assert shipment.packages[0].tracking_number == "EX00000009909220001020002E0N"


def test_a_bulk_read_that_worked_in_part() -> None:
    """The item that was found, untracked; the refused one is named beside it."""
    (report,) = mapped("inventory", "bulk_get_inventory_item_207")
    assert [(level.channel_sku, level.available) for level in report.levels] == [("test-sku-1", None)]
    assert report.attributes["refused"] == [{"sku": "invalid-sku!", "code": 25707}]


@pytest.mark.parametrize(
    "name",
    ["bulk_update_price_quantity_200", "bulk_update_price_quantity_207", "bulk_create_or_replace_inventory_item_207"],
)
def test_the_answer_to_an_update_is_no_stock(name: str) -> None:
    """It states no number, so it must not read as an empty report."""
    assert "answer to an update" in str(refused("inventory", name))


def test_a_call_refused_as_a_whole() -> None:
    """eBay's own code."""
    assert refused("inventory", "bulk_update_price_quantity_400").code == "25002"


def test_a_fragment_without_an_order() -> None:
    """A cancellation that does not say of what is refused."""
    assert "orderId" in str(refused("order", "cancel_status_completed"))


@pytest.mark.parametrize(
    "name", ["notification_order_confirmation_no_user", "notification_order_confirmation_two_lines"]
)
def test_a_notification_is_a_hint(name: str) -> None:
    """Known, and without content; given as an order it is refused."""
    assert mapped("ORDER_CONFIRMATION", name) == []
    assert "orderId" in str(refused("order", name))


@pytest.mark.parametrize(
    "name", ["CONSTRUCTED_bulk_update_price_quantity_request", "CONSTRUCTED_create_shipping_fulfillment_request"]
)
@pytest.mark.parametrize("topic", ["order", "inventory"])
def test_a_request_of_ours_is_no_input(name: str, topic: str) -> None:
    """What is sent to eBay is nothing it tells us."""
    assert "payload" in str(refused(topic, name))
