"""A vendor's payloads mean what the rulings say, ours and the published ones."""

# ruff: noqa: PT017 - an error may come or not; where it comes it must say where

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical import MappingError, dump, parse_document
from mappings import SHIPPED, MapContext, MappingSet, lint, run_tests

VENDOR = MappingSet.load("amazon_vendor")
TOPICS = ("purchase_order", "direct_order", "listing", "purchase_order_status", "transaction")
FOLDER = Path(__file__).resolve().parents[3] / ".." / "shared" / "samples" / "amazon"
FILES = sorted(FOLDER.glob("*")) if FOLDER.is_dir() else []


def fixture(name: str) -> Any:
    return json.loads((SHIPPED / "amazon_vendor" / "fixtures" / f"{name}.json").read_bytes())


def mapped(topic: str, payload: Any, *, locations: dict[str, str] | None = None) -> list[Any]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    context = MapContext(None, "amazon_vendor", datetime(2026, 11, 21, tzinfo=UTC), locations=locations or {})
    return VENDOR.map(topic, body, context)


def sample(topic: str, name: str) -> list[Any]:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return mapped(topic, path.read_bytes())


def refusal(topic: str, payload: Any) -> str:
    with pytest.raises(MappingError) as caught:
        mapped(topic, payload)
    return f"{caught.value.code}: {caught.value}"


def test_the_trials_beside_the_mappings_pass_and_nothing_is_amiss() -> None:
    """What stands under `tests:` holds, and the linter finds nothing."""
    assert [result for result in run_tests("amazon_vendor") if not result.passed] == []
    assert lint("amazon_vendor") == []


def test_cases_become_eaches_and_costs_stay_per_each() -> None:
    """Two cases of ten are twenty; the line's amount follows."""
    (found,) = mapped("purchase_order", fixture("purchase_order"))
    assert [(line.quantity, str(line.total.amount)) for line in found.lines] == [(4, "50.00"), (20, "62.00")]
    assert (found.kind, found.buyer.company, found.lines[1].uom) == ("wholesale", "Amazon", "Cases")


def test_cases_of_no_size_and_unknown_units_are_errors() -> None:
    """Nobody could say how many."""
    given = fixture("purchase_order")
    quantity = given["payload"]["orders"][0]["orderDetails"]["items"][1]["orderedQuantity"]
    del quantity["unitSize"]
    assert "cases of what size" in refusal("purchase_order", given)
    quantity["unitOfMeasure"] = "Pallets"
    assert "lines[1].quantity" in refusal("purchase_order", given)


def test_a_cost_by_weight_makes_no_amount() -> None:
    """The unit stands beside the price."""
    given = fixture("purchase_order")
    given["payload"]["orders"][0]["orderDetails"]["items"][0]["netCost"]["unitOfMeasure"] = "POUNDS"
    found = mapped("purchase_order", given)[0].lines[0]
    assert (found.total, found.price_uom) == (None, "POUNDS")


@pytest.mark.parametrize(("state", "expected"), [("New", "open"), ("Acknowledged", "open"), ("Closed", "closed")])
def test_states_of_purchase_orders(state: str, expected: str) -> None:
    """A change moves the version; items at nought are cancelled by Amazon."""
    given = fixture("purchase_order")
    order = given["payload"]["orders"][0]
    order["purchaseOrderState"] = state
    before = mapped("purchase_order", given)[0]
    assert before.state == expected
    order["orderDetails"]["purchaseOrderChangedDate"] = "2026-11-21T08:00:00Z"
    for item in order["orderDetails"]["items"]:
        item["orderedQuantity"]["amount"] = 0
    after = mapped("purchase_order", given)[0]
    assert (after.state, after.id, after.source.version) == ("cancelled", before.id, "2026-11-21T08:00:00Z")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("NEW", ("open", "unfulfilled", 0, 0)),
        ("ACCEPTED", ("open", "unfulfilled", 0, 0)),
        ("SHIPPED", ("closed", "fulfilled", 2, 0)),
        ("CANCELLED", ("cancelled", "not_required", 0, 2)),
        ("SOMETHING_NEW", ("open", "unfulfilled", 0, 0)),
    ],
)
def test_states_of_direct_orders(status: str, expected: tuple[str, str, int, int]) -> None:
    """They are dropship orders from a warehouse of ours."""
    given = fixture("direct_order")
    given["orders"][0]["orderDetails"]["orderStatus"] = status
    documents = mapped("direct_order", given, locations={"WH01": "main"})
    found = documents[0]
    line = found.lines[0]
    assert (found.state, found.fulfillment_state, line.fulfilled_quantity, line.cancelled_quantity) == expected
    assert (found.kind, line.ship_from, line.listing_id) == ("dropship", "main", "WH01|LAMP-1")
    assert [each.type for each in documents[1:]] == (["order_cancellation"] if status == "CANCELLED" else [])


def test_people_that_are_crossed_out_are_absent() -> None:
    """Vendors whose labels Amazon makes see `xxxxx`; that is nobody's name."""
    given = fixture("direct_order")
    given["orders"][0]["orderDetails"]["shipToParty"] |= {"name": "xxxxx", "addressLine1": "xxxxx", "city": "xxxxx"}
    found = mapped("direct_order", given)[0].ship_to
    assert (found.name, found.line1, found.city, found.country) == (None, None, None, "US")


def test_a_price_that_does_not_say_per_what() -> None:
    """Only the cost per each makes a price; for a single unit the net price is one too."""
    given = fixture("direct_order")
    item = given["orders"][0]["orderDetails"]["items"][0]
    del item["totalPrice"]
    assert mapped("direct_order", given)[0].lines[0].unit_price is None
    item["orderedQuantity"]["amount"] = 1
    assert str(mapped("direct_order", given)[0].lines[0].unit_price.amount) == "12.50"


def test_an_order_read_without_its_details_is_refused() -> None:
    """`includeDetails=false` gives numbers alone."""
    assert "details" in refusal("purchase_order", {"purchaseOrderNumber": "1"})
    assert "details" in refusal("direct_order", {"purchaseOrderNumber": "1"})


def test_transactions() -> None:
    """Only Success is accepted; the newer interface wraps its errors once more."""
    rows = [{"code": "InvalidInput", "message": "No", "details": "A"}]
    states = {}
    for status, errors in (("Success", None), ("Processing", None), ("Failure", rows), ("Failure", {"errors": rows})):
        transaction = {"transactionId": "T-1", "status": status} | ({"errors": errors} if errors else {})
        (found,) = mapped("transaction", {"transactionStatus": transaction})
        states[status] = (found.references[0].state, [error.code for error in found.errors])
    assert states == {
        "Success": ("accepted", []),
        "Processing": ("unknown", []),
        "Failure": ("rejected", ["InvalidInput"]),
    }


@pytest.mark.parametrize("topic", TOPICS)
def test_a_submission_that_was_taken_in_is_no_document(topic: str) -> None:
    """202 is not acceptance, and an error body is an error by Amazon's own code."""
    assert refusal(topic, {"payload": {"transactionId": "T-1"}}).startswith("not_settled")
    assert refusal(topic, {"errors": [{"code": "QuotaExceeded", "message": "Slow"}]}).startswith("QuotaExceeded")
    assert "missing" in refusal(topic, {"payload": {}}) or "in the payload" in refusal(topic, {"payload": {}})


@pytest.mark.skipif(not FILES, reason="the published payloads are not here")
@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_normalises_or_says_why_not(path: Path, topic: str) -> None:
    """Documents that survive their JSON form, or an error with a code; nothing else, and never nothing at all."""
    try:
        documents = mapped(topic, path.read_bytes())
    except MappingError as error:
        assert error.code
        return
    assert documents
    for document in documents:
        assert parse_document(dump(document)) == document


def test_published_purchase_orders() -> None:
    """Eaches, cases of ten priced by the pound, an order that is closed."""
    first, second = sample("purchase_order", "vendor_getPurchaseOrders_a")
    assert (first.number, [line.quantity for line in first.lines]) == ("2JK3S9VC", [1, 2, 13])
    assert (second.lines[0].quantity, second.lines[0].price_uom, second.lines[0].total) == (50, "POUNDS", None)
    assert second.requested.ship_by.isoformat() == "2019-08-27T07:00:00+00:00"
    (closed,) = sample("purchase_order", "recipe_vendororders-getPurchaseOrder")
    assert (closed.state, closed.number, str(closed.lines[0].total.amount)) == ("closed", "4Z32PABC", "5180")


def test_published_statuses_and_transactions() -> None:
    """Accepted, in part, refused; a transaction that succeeded."""
    (status,) = sample("purchase_order_status", "vendor_getPurchaseOrdersStatus")
    assert (status.state, status.purchase_order_number) == ("accepted_with_changes", "2JK3S9VB")
    assert [[(part.status, part.quantity) for part in line.acknowledged] for line in status.lines] == [
        [("accepted", 1)],
        [("accepted", 15), ("rejected", 5)],
        [("rejected", 5)],
    ]
    (advice,) = sample("transaction", "recipe_vendortransaction-getTransaction")
    assert advice.references[0].state == "accepted"


@pytest.mark.parametrize(
    "name",
    [
        "vendor_submitAcknowledgement",
        "recipe_vendororders-submitAcknowledgement",
        "recipe_vendorshipments-submitShipments",
        "vendorDF_submitInventoryUpdate",
    ],
)
def test_published_receipts_are_not_acceptances(name: str) -> None:
    """Each says that a transaction was opened, and nothing more."""
    with pytest.raises(MappingError) as caught:
        sample("transaction", name)
    assert caught.value.code == "not_settled"
