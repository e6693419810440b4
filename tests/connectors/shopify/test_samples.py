"""Published and captured payloads normalise, or say what is wrong with them.

The payloads are not part of the project; where their folder is missing there is nothing to check.
"""

# ruff: noqa: PT017 - an error may come or not; where it comes it must say where

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from canonical import Document, MappingError, Order, dump, parse_document
from mappings import MapContext, MappingSet

FOLDER = Path(__file__).resolve().parents[3] / ".." / "shared" / "samples" / "shopify"
FILES = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(not FILES, reason="the captured payloads are not here")

TOPICS = {
    "webhook_fulfillments_bigint_2022-04": "fulfillments/create",
    "webhook_inventory_items_bigint_2022-04": "inventory_items/update",
    "webhook_orders_all_topics_2023-10": "orders/create",
    "webhook_orders_edited_bigint_2022-04": "orders/edited",
    "webhook_refunds_create_bigint_2022-04": "refunds/create",
    "rest_refund_create_partial": "refunds/create",
    "rest_refund_calculate_a": "refunds/create",
    "rest_fulfillment_create_partial": "fulfillments",
    "rest_fulfillment_update_tracking": "fulfillments",
}


@cache
def mapping() -> MappingSet:
    return MappingSet.load("shopify")


def topic_of(path: Path) -> str:
    if path.stem in TOPICS:
        return TOPICS[path.stem]
    if path.stem.startswith("webhook_"):
        name = path.stem.removeprefix("webhook_")
        return next((topic for topic in sorted(mapping().topics) if topic.replace("/", "_") == name), "order")
    return "order"


def mapped(topic: str, payload: bytes) -> list[Document]:
    ctx = MapContext(None, "shopify", datetime(2026, 11, 21, tzinfo=UTC))
    return mapping().map(topic, payload, ctx)


def sample(name: str) -> Any:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return json.loads(path.read_bytes())


def order(name: str) -> tuple[Order, list[Document]]:
    documents = mapped("order", json.dumps(sample(name)).encode())
    first = documents[0]
    assert isinstance(first, Order)
    return first, documents[1:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_normalises_or_says_why_not(path: Path) -> None:
    """Documents that survive their JSON form, or an error with a code and a place; nothing else."""
    try:
        documents = mapped(topic_of(path), path.read_bytes())
    except MappingError as error:
        assert error.code
        assert error.target or error.path
        return
    for document in documents:
        assert parse_document(dump(document)) == document


def answers(value: Any) -> Iterator[dict[str, Any]]:
    """GraphQL answers anywhere in a recording."""
    if isinstance(value, dict):
        if isinstance(value.get("data"), dict) or isinstance(value.get("errors"), list):
            yield value
        else:
            for inner in value.values():
                yield from answers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from answers(inner)


@pytest.mark.parametrize("path", [path for path in FILES if path.stem.startswith("gql_")], ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "topic", ["order", "orders", "inventory", "listings", "returns", "fulfillments", "refunds/create"]
)
def test_each_recorded_answer_is_understood_or_refused_by_name(path: Path, topic: str) -> None:
    """Whatever was selected: documents, nothing, or an error naming code and place; never another failure."""
    for answer in answers(json.loads(path.read_bytes())):
        try:
            mapped(topic, json.dumps(answer).encode())
        except MappingError as error:
            assert error.code not in ("expression", "limit"), f"{error}: {json.dumps(answer)[:300]}"
            assert error.target or error.path


def test_the_full_order_adds_up() -> None:
    """597.00 − 10.00 + 0.00 + 11.94 is 598.94; two of three lines are off, none came back."""
    found, rest = order("rest_order_get_full")
    assert found.totals.grand_total is not None
    assert (str(found.totals.grand_total.amount), found.totals.residual) == ("598.94", None)
    assert [(line.cancelled_quantity, line.returned_quantity) for line in found.lines] == [(1, 0), (0, 0), (1, 0)]
    assert [str(line.discount.amount) for line in found.lines if line.discount] == ["3.34", "3.33", "3.33"]
    assert (found.payment_state, found.state) == ("partially_refunded", "open")
    assert [(document.type, document.source.id) for document in rest] == [
        ("refund", "509562969"),
        ("shipment", "255858046"),
    ]
    refund = rest[0]
    assert {(line.restock, line.restock_raw) for line in refund.lines} == {("sellable", "legacy_restock")}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name", ["rest_order_cancel", "rest_order_cancel_with_amount", "rest_order_cancel_with_refund_lines"]
)
def test_cancelled_orders_say_so_twice(name: str) -> None:
    """State and a cancellation of their own, with the instant."""
    found, rest = order(name)
    assert found.state == "cancelled"
    assert found.cancelled_at is not None
    assert rest[0].type == "order_cancellation"
    assert rest[0].at == found.cancelled_at  # type: ignore[union-attr]


def test_a_custom_line_has_no_sku() -> None:
    """Lines outside the catalogue are kept, without a SKU to guess from."""
    found, _ = order("rest_order_create_9")
    assert found.lines
    assert any(line.channel_sku is None for line in found.lines)
    assert found.buyer is None or found.buyer.channel_id is None


def test_a_customer_taken_off_the_order_is_nobody() -> None:
    """The order stays whole without its customer."""
    found, _ = order("rest_order_put_remove_customer")
    assert found.buyer is None or found.buyer.channel_id is None
    assert len(found.lines) == 3


def test_ids_beyond_a_double_are_exact() -> None:
    """820982911946154508, to the last digit."""
    (refund,) = mapped("refunds/create", json.dumps(sample("webhook_refunds_create_bigint_2022-04")).encode())
    (shipment,) = mapped("fulfillments/create", json.dumps(sample("webhook_fulfillments_bigint_2022-04")).encode())
    (change,) = mapped("orders/edited", json.dumps(sample("webhook_orders_edited_bigint_2022-04")).encode())
    assert {refund.order, shipment.order, change.order} == {"820982911946154508"}  # type: ignore[union-attr]
    assert [line.line_id for line in refund.lines] == ["866550311766439020", "141249953214522974"]  # type: ignore[union-attr]


def test_the_test_notification_adds_up() -> None:
    """398.00 − 20.00 + 10.00 is 388.00, cancelled by the customer."""
    documents = mapped("orders/create", json.dumps(sample("webhook_orders_all_topics_2023-10")).encode())
    found = documents[0]
    assert isinstance(found, Order)
    assert found.totals.residual is None
    assert (found.state, found.payment_state) == ("cancelled", "voided")
    assert (documents[1].type, documents[1].requested_by) == ("order_cancellation", "buyer")  # type: ignore[union-attr]


def test_shop_money_counts_in_an_order_of_two_currencies() -> None:
    """The shop's dollars, not the shopper's."""
    recording = sample("gql_order_multicurrency_edit_pay_refund")
    node = recording["orderCreate"]["response"]["payload"]["data"]["orderCreate"]["order"]
    node |= {"name": "#1", "updatedAt": "2026-07-03T16:40:58Z", "createdAt": "2026-07-03T16:40:58Z"}
    node["lineItems"]["nodes"][0] |= {"id": "gid://shopify/LineItem/1", "quantity": 1}
    (found,) = mapped("order", json.dumps(node).encode())
    assert isinstance(found, Order)
    assert found.totals.grand_total is not None
    assert (str(found.totals.grand_total.amount), found.totals.grand_total.currency) == ("13.5", "CAD")
    assert found.totals.residual is None


@pytest.mark.parametrize(
    "name", ["pendingNoTax", "paidTaxShipping", "fixedDiscount", "authorization", "presentmentMoney"]
)
def test_recorded_totals_add_up(name: str) -> None:
    """Orders of a live shop with tax, shipping, discount and two currencies leave no residual, once lines have ids."""
    recording = sample("gql_order_create_math_matrix")
    node = recording["cases"][name]["response"]["payload"]["data"]["orderCreate"]["order"]
    node |= {"name": "#1", "updatedAt": "2026-05-07T13:14:30Z"}
    for number, line in enumerate(node["lineItems"]["nodes"]):
        line.setdefault("id", f"gid://shopify/LineItem/{number}")
    found = mapped("order", json.dumps(node).encode())[0]
    assert isinstance(found, Order)
    assert found.totals.items is not None
    assert found.totals.residual is None


def test_a_throttled_answer_is_named() -> None:
    """The vendor's code and message, not an empty list."""
    with pytest.raises(MappingError, match="Throttled") as caught:
        mapped("orders", json.dumps(sample("gql_error_throttled")).encode())
    assert caught.value.code == "THROTTLED"
