"""Payloads become canonical documents, exactly and always in the same way."""

from __future__ import annotations

import gc
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical import Order, Refund, dump
from canonical.errors import MappingError
from mappings import MapContext, MappingSet
from tests.support.mapping_folders import FIXTURES, ORDER_PAYLOAD, context, load, order_mapping, payload

SHOP = MappingSet.load("shop", root=FIXTURES)


def mapped(body: dict[str, Any] | None = None, **given: Any) -> list[Any]:
    return list(
        SHOP.map("orders/create", ORDER_PAYLOAD if body is None else json.dumps(body).encode(), context(**given))
    )


def test_an_order_of_realistic_size() -> None:
    """Every mapped field arrives with its exact value, and absent ones are null."""
    (order,) = mapped()
    assert isinstance(order, Order)
    assert (order.number, order.state, order.payment_state, order.currency) == ("#1001", "open", "paid", "USD")
    assert order.source.id == "820982911946154508"
    assert order.placed_at == datetime(2026, 11, 20, 17, 23, tzinfo=UTC)
    assert [line.quantity for line in order.lines] == [2, 1, 5]
    assert [str(line.total.amount) for line in order.lines if line.total] == ["23.00", "27.00", "12.50"]
    assert [str(line.discount.amount) for line in order.lines if line.discount] == ["2.00", "3.00", "0"]
    assert order.taxes[0].rate == Decimal("0.06")
    assert order.tags == ("autumn", "gift")
    assert order.ship_to is not None
    assert order.ship_to.line2 is None
    assert order.buyer is not None
    assert order.buyer.channel_id == "6940095564"
    assert order.totals.residual is None
    assert order.note is None
    assert order.holds == ()


def test_the_source_says_where_it_came_from() -> None:
    """Connector, account, kind, version, digest of the bytes and name of the mapping are filled in."""
    occurred = datetime(2026, 11, 20, 17, 24, tzinfo=UTC)
    source = mapped(occurred_at=occurred)[0].source
    assert (source.connector, source.account, source.kind) == ("shop", "shop-us", "order")
    assert source.version == "2026-11-20T12:24:10-05:00"
    assert source.occurred_at == occurred
    assert source.mapping == f"shop@{SHOP.digest}"
    assert len(source.digest) == 64


def test_the_same_bytes_give_the_same_documents() -> None:
    """Mapping is pure: twice the same, the id included; another state of the thing keeps the id."""
    assert [dump(document) for document in mapped()] == [dump(document) for document in mapped()]
    body = json.loads(ORDER_PAYLOAD, parse_int=int)
    later = {**body, "updated_at": "2026-11-21T00:00:00Z", "cancelled_at": "2026-11-21T00:00:00Z"}
    assert mapped(later)[0].id == mapped()[0].id
    assert mapped(later)[0].state == "cancelled"
    assert mapped(account="another")[0].id != mapped()[0].id


def test_large_integers_and_decimals_are_exact(tmp_path: Path) -> None:
    """An id above 2^53 and decimals written as JSON numbers pass unharmed, with `numbers: text` too."""
    for numbers in ("exact", "text"):
        extra = 'totals.grand_total: $money(total, "USD")\nattributes.weight: weight\nattributes.ids: ids'
        ms = load(tmp_path / numbers, order=order_mapping(extra, numbers=numbers))
        body = (
            b'{"id":820982911946154508,"name":"#1","items":[{"id":866550311766439020,"qty":2}],'
            b'"total":12.30,"weight":0.10,"ids":[9007199254740993]}'
        )
        (order,) = ms.map("orders/create", body, context())
        assert order.source.id == "820982911946154508"
        assert order.lines[0].id == "866550311766439020"
        assert order.totals.grand_total.amount.as_tuple() == Decimal("12.30").as_tuple()
        assert order.attributes == {"weight": "0.10", "ids": ["9007199254740993"]}


def test_one_item_none_and_null_are_lists(tmp_path: Path) -> None:
    """A list target is an array for one item, no item, null and a missing list; null items are left out."""
    ms = load(tmp_path, order=order_mapping("tags: labels\nattributes.all[]: labels"))
    cases = [(["a"], ("a",)), ([], ()), (None, ()), ("a", ("a",)), (["a", None, " ", "b"], ("a", "b"))]
    for labels, wanted in cases:
        (order,) = ms.map("orders/create", payload(labels=labels), context())
        assert order.tags == wanted
    (order,) = ms.map("orders/create", payload(items=[None, {"id": 5, "qty": 1}, None]), context())
    assert [line.id for line in order.lines] == ["5"]
    (order,) = ms.map("orders/create", payload(items={"id": 5, "qty": 1}), context())
    assert [line.id for line in order.lines] == ["5"]
    (order,) = ms.map("orders/create", payload(items=[]), context())
    assert order.lines == ()


def test_a_required_list_that_is_not_stated_is_missing(tmp_path: Path) -> None:
    """Lines that moved elsewhere are an error, an empty list of lines is not; a calculated list may be empty."""
    ms = load(tmp_path / "path", order=order_mapping())
    for body in (b'{"id":1,"name":"#1"}', payload(items=None)):
        with pytest.raises(MappingError) as failed:
            ms.map("orders/create", body, context())
        assert (failed.value.target, failed.value.path, failed.value.code) == ("lines", "items", "missing")
    filtered = load(tmp_path / "filter", order=order_mapping().replace("lines[]: items", "lines[]: items[qty > 5]"))
    (order,) = filtered.map("orders/create", payload(), context())
    assert order.lines == ()


def test_nothing_is_absent(tmp_path: Path) -> None:
    """Null, missing, blank text and an object of nothing all leave the field at its default."""
    extra = """
        note: note
        ship_to.name: a.name
        ship_to.country: '"US"'
        buyer.email: a.email
        attributes.x: a.x
        kind: 'null'
    """
    ms = load(tmp_path, order=order_mapping(extra))
    for body in (payload(), payload(note=None, a=None), payload(note=" ", a={"name": "", "email": "\t", "x": None})):
        (order,) = ms.map("orders/create", body, context())
        assert (order.note, order.ship_to, order.buyer, order.attributes, order.kind) == (
            None,
            None,
            None,
            {},
            "retail",
        )


def test_embedded_documents_follow_in_order_of_position(tmp_path: Path) -> None:
    """`each` gives one document per item, `when` filters, `position` orders, `$outer` is the item around."""
    body = json.loads(ORDER_PAYLOAD)
    body["refunds"] = [
        {
            "id": 7,
            "created_at": "2026-11-21T00:00:00Z",
            "refund_line_items": [{"line_item_id": 1000000000002, "quantity": 1}],
        },
        {"id": 8, "created_at": "2026-11-21T00:00:00Z", "refund_line_items": []},
    ]
    order, first, second = mapped(body)
    assert isinstance(order, Order)
    assert isinstance(first, Refund)
    assert first.order == str(body["id"])
    assert [line.line_id for line in first.lines] == ["1000000000002"]
    assert second.lines == ()
    assert len({order.id, first.id, second.id}) == 3


def test_levels_of_lists_see_the_item_around_and_their_index(tmp_path: Path) -> None:
    """Inside a list in a list, `$` is the item, `$outer` the one around, `$$` the payload, `$index` the position."""
    shipment = """
        document: shipment
        topics: [ships]
        each: $.ships
        when: state != "draft"
        fields:
          source.id: id
          order: $$.order
          state: '"shipped"'
          packages[]: boxes
          packages[].id: $outer.id & "-" & $string($index)
          packages[].lines[]: rows
          packages[].lines[].line_id: $outer.code & "/" & $string($index)
          packages[].lines[].quantity: qty
          packages[].lines[].serials: $outer.serials
    """
    ms = load(tmp_path, shipment=shipment)
    ships = [
        {"id": "s0", "state": "draft"},
        {
            "id": "s1",
            "state": "new",
            "boxes": [
                {"code": "A", "serials": ["x"], "rows": [{"qty": 1}, {"qty": "2"}]},
                {"code": "B", "rows": {"qty": "3.0"}},
            ],
        },
    ]
    (found,) = ms.map("ships", json.dumps({"order": 9, "ships": ships}).encode(), context())
    assert [package.id for package in found.packages] == ["s1-0", "s1-1"]
    assert [[line.line_id for line in package.lines] for package in found.packages] == [["A/0", "A/1"], ["B/0"]]
    assert [[line.quantity for line in package.lines] for package in found.packages] == [[1, 2], [3]]
    assert found.packages[0].lines[1].serials == ("x",)
    assert found.order == "9"


def test_a_payload_that_is_an_array(tmp_path: Path) -> None:
    """`each: $` gives one document per item of a top-level array, also of one item or none."""
    ms = load(tmp_path, order=order_mapping(each="$", when="id > 0"))
    item = {"id": 1, "name": "#1", "items": [{"id": 2, "qty": 1}]}
    for count in (0, 1, 3):
        assert len(ms.map("orders/create", json.dumps([item] * count).encode(), context())) == count


def test_context_variables_and_lookups(tmp_path: Path) -> None:
    """What the account states stands in, and lookups translate codes."""
    extra = """
        currency: $currency
        placed_at: $instant(at, $time_zone)
        lines[].ship_from: $lookup($locations, $string(place))
        payment_state: $lookup_payment(pay)
        payment_state_raw: pay
        requested.carrier: $lookup_carrier(ship)
        attributes.account: $account
        attributes.received: $received_at
    """
    lookups = """
        lookups:
          payment: {values: {P: paid, 1: pending}, default: {value: unknown}}
          carrier: {file: carriers.csv, key: vendor, value: canonical, default: error}
    """
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "carriers.csv").write_text("vendor,canonical\nUPSN,ups\n", encoding="utf-8")
    ms = load(tmp_path, order=order_mapping(extra), lookups=lookups)
    ctx = context(currency="EUR", time_zone="Europe/Berlin", locations={"77": "east"})
    body = payload(at="2026-11-20T12:00:00", pay="P", ship="UPSN", items=[{"id": 1, "qty": 1, "place": 77}])
    (order,) = ms.map("orders/create", body, ctx)
    assert (order.currency, order.payment_state, order.requested.carrier) == ("EUR", "paid", "ups")
    assert order.lines[0].ship_from == "east"
    assert dump(order).count("2026-11-20T11:00:00Z") == 1
    assert order.attributes == {"account": "shop-us", "received": "2026-11-21T00:00:00Z"}
    (order,) = ms.map("orders/create", payload(pay="Q"), ctx)
    assert (order.payment_state, order.payment_state_raw) == ("unknown", "Q")
    (order,) = ms.map("orders/create", payload(pay=1), ctx)
    assert order.payment_state == "pending"
    with pytest.raises(MappingError, match="'DHLX' is not in the lookup carrier") as failed:
        ms.map("orders/create", payload(ship="DHLX"), ctx)
    assert failed.value.target == "requested.carrier"
    with pytest.raises(MappingError, match="needs a zone"):
        ms.map("orders/create", payload(at="2026-11-20T12:00:00"), context())


def test_holds() -> None:
    """`hold_when` gives a hold with its reason, and only where it is true."""
    body = json.loads(ORDER_PAYLOAD)
    (order,) = mapped({**body, "total_price": "5000.01"})
    assert [(hold.name, hold.reason) for hold in order.holds] == [("high-value", "review before release")]
    assert mapped({**body, "total_price": "5000.00"})[0].holds == ()


def test_the_residual_is_seen() -> None:
    """Where the channel's parts do not add up, the difference is in the totals."""
    body = json.loads(ORDER_PAYLOAD)
    assert str(mapped({**body, "total_price": "75.00"})[0].totals.residual.amount) == "0.20"


def test_topics() -> None:
    """Aliases map, ignored topics give nothing, unknown ones name those there are."""
    assert SHOP.topics == {"orders/create", "orders/updated", "order", "app/uninstalled"}
    assert SHOP.map("order", ORDER_PAYLOAD, context())[0].type == "order"
    assert SHOP.map("app/uninstalled", b"anything", context()) == []
    with pytest.raises(MappingError, match="app/uninstalled, order, orders/create, orders/updated") as failed:
        SHOP.map("nonsense", b"{}", context())
    assert failed.value.code == "unknown_topic"


def test_a_vendors_error_body_is_an_error() -> None:
    """An error body given as a read names the vendor's code and message."""
    body = b'{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}'
    with pytest.raises(MappingError, match="Throttled") as failed:
        SHOP.map("order", body, context())
    assert failed.value.code == "THROTTLED"
    assert (failed.value.file, failed.value.line) == ("shop/errors.yaml", 2)
    with pytest.raises(MappingError) as failed:
        SHOP.map("order", b'{"errors":"Not Found"}', context())
    assert failed.value.code == "vendor_error"


def test_a_context_needs_aware_times() -> None:
    """A naive time in the context is refused where it is made."""
    with pytest.raises(ValueError, match="aware"):
        MapContext("a", "shop", datetime(2026, 1, 1))  # noqa: DTZ001


def test_eight_threads_map_alike() -> None:
    """A set used from eight threads at once gives the same documents as from one."""
    wanted = [dump(document) for document in mapped()]
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: [dump(document) for document in mapped()], range(160)):
            assert found == wanted


def test_memory_stays_flat() -> None:
    """Mapping keeps nothing: after 2,000 orders no more memory is held than after the first ones."""

    def run(count: int) -> int:
        for _ in range(count):
            mapped()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = run(200)
        assert run(2_000) - before < 50_000
    finally:
        tracemalloc.stop()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted(json.loads(ORDER_PAYLOAD))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), JSON)
def test_arbitrary_json_maps_or_is_a_mapping_error(changes: dict[str, Any], whole: Any) -> None:
    """Whatever JSON comes, whole or in any member of a real order, the only exception is `MappingError`."""
    for body in ({**json.loads(ORDER_PAYLOAD), **changes}, whole):
        try:
            SHOP.map("orders/create", json.dumps(body).encode(), context())
        except MappingError:
            continue
