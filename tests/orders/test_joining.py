"""A partial read joined to a known order never shrinks what is known, whatever the two say (ruling 13)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import canonical
from canonical.documents import Order, OrderLine
from hub.orders.joining import joined
from mappings import MapContext, MappingSet
from tests.support.canonical_strategies import fields_of

ROOT = Path(__file__).resolve().parents[2]
COUNTS = ("quantity", "cancelled_quantity", "fulfilled_quantity", "returned_quantity")


@st.composite
def orders(draw: st.DrawFn, *, partial: bool) -> dict[str, Any]:
    """An order as stored; its lines are some of three, so that two orders share lines and differ in others."""
    fields = dict(draw(fields_of(Order)))
    ids = draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3))
    fields["lines"] = [{**draw(fields_of(OrderLine)), "id": name} for name in ids]
    names = draw(st.lists(st.sampled_from(["risk", "review"]), unique=True, max_size=2))
    fields["holds"] = [{"name": name, "reason": draw(st.none() | st.just("because"))} for name in names]
    fields["attributes"] = {**fields["attributes"], **({"partial": True} if partial else {})}
    if not partial:
        fields["attributes"].pop("partial", None)
    document: dict[str, Any] = json.loads(canonical.dump(Order(**fields)))
    return document


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything stated; rows with an identity are named by it, other lists count as one thing."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and path and path[-1] in ("lines", "holds"):
        for row in value:
            yield from leaves(row, (*path, row.get("id") or row.get("name")))
    elif value not in (None, "", [], {}):
        yield path


def line_of(order: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((line for line in order["lines"] if line["id"] == name), None)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(orders(partial=False), orders(partial=True))
def test_nothing_known_is_lost(known: dict[str, Any], partial: dict[str, Any]) -> None:
    """Every stated field, line and hold is still stated; counts and lists without identity never get shorter."""
    before = copy.deepcopy((known, partial))
    result = joined(known, partial)
    assert (known, partial) == before
    free = {path for path in leaves(known) if "attributes" not in path and "properties" not in path}
    assert {path for path in free if path[0] != "source"} <= set(leaves(result))
    assert set(known["attributes"]) <= set(result["attributes"])
    for line in known["lines"]:
        after = line_of(result, line["id"])
        assert after is not None
        assert all(after[count] >= line[count] for count in COUNTS)
        assert not (line["fulfilled_by"] == "channel" and after["fulfilled_by"] == "merchant")
    for name in ("shipping", "discounts", "taxes", "tags"):
        assert len(result[name]) >= len(known[name])
    assert "partial" not in result["attributes"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(orders(partial=False), orders(partial=True))
def test_what_the_read_adds_is_known_afterwards(known: dict[str, Any], partial: dict[str, Any]) -> None:
    """Lines and fields first seen now are kept; joining the same read again changes nothing; the result is an order."""
    result = joined(known, partial)
    assert {line["id"] for line in partial["lines"]} <= {line["id"] for line in result["lines"]}
    for line in partial["lines"]:
        if line_of(known, line["id"]) is None:
            assert line_of(result, line["id"]) == line
    assert joined(result, partial) == result
    canonical.parse_documents(json.dumps([result]))


def test_a_read_of_one_cancelled_line_does_not_cancel_the_order() -> None:
    """The others are still to be shipped: their units stay reserved."""
    known = _stored("open", [_line("1", 2), _line("2", 1)])
    told = _stored("cancelled", [_line("2", 1, cancelled_quantity=1)], attributes={"partial": True})
    result = joined(known, told)
    assert result["state"] == "open"
    assert [line["cancelled_quantity"] for line in result["lines"]] == [0, 1]
    both = [_line("1", 2, cancelled_quantity=2), _line("2", 1, cancelled_quantity=1)]
    assert joined(known, _stored("cancelled", both, attributes={"partial": True}))["state"] == "cancelled"


FULL_READS = [
    ("amazon", "order", "order.json"),
    ("amazon", "order", "order_shipped.json"),
    ("amazon", "order_v0", "order_v0.json"),
    ("ebay", "order", "order.json"),
    ("shopify", "orders/updated", "order.json"),
    ("shopify", "order", "order_graphql.json"),
    ("walmart", "order", "order_split.json"),
]


@pytest.mark.parametrize(("channel", "topic", "name"), FULL_READS)
def test_a_channels_order_survives_the_barest_read_of_itself(channel: str, topic: str, name: str) -> None:
    """Its own lines told again by id and quantity alone, and told not at all, leave every channel's order as it was."""
    context = MapContext("shop", channel, datetime(2026, 11, 20, 10, tzinfo=UTC))
    payload = (ROOT / "mappings" / channel / "fixtures" / name).read_bytes()
    documents = MappingSet.load(channel).map(topic, payload, context)
    known = json.loads(canonical.dump(next(document for document in documents if document.type == "order")))
    known["attributes"].pop("partial", None)
    assert known["lines"]
    for lines in ([], [_line(line["id"], line["quantity"]) for line in known["lines"]]):
        bare = {**_stored(known["state"], lines, attributes={"partial": True}), "number": known["number"]}
        assert joined(known, bare) == {**known, "id": bare["id"], "source": bare["source"]}


def _line(name: str, quantity: int, **fields: Any) -> dict[str, Any]:
    return {"id": name, "quantity": quantity, **fields}


def _stored(state: str, lines: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    source = {"connector": "toy", "account": "shop", "kind": "order", "id": "1", "version": "1"} | {
        "occurred_at": "2026-11-20T10:00:00Z",
        "received_at": "2026-11-20T10:00:00Z",
        "digest": "d",
        "mapping": "toy@1",
    }
    text = {"type": "order", "id": "ord_01KAEXAMPLE0000000000000AA", "number": "1", "state": state, "lines": lines}
    (order,) = canonical.parse_documents(json.dumps([{**text, "source": source, **fields}]))
    result: dict[str, Any] = json.loads(canonical.dump(order))
    return result
