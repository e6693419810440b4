"""Whatever a partner and its warehouse say, in whatever order and however often, positions equal the ledger."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from canonical import Document
from tests.support.buyers import (
    RETAILER,
    WAREHOUSE,
    TradingHub,
    advice,
    bought,
    cancellation,
    change,
    outgoing_of,
    profile,
    purchase,
    retailer,
    warehouse,
)

SKUS = ("MUG", "BOX", "SET")
STOCK = {"MUG": 30, "BOX": 12}
_units = st.integers(1, 15)
_name = st.sampled_from(["P1", "P2"])

_order = st.tuples(st.just("order"), _name, st.lists(st.tuples(st.sampled_from(SKUS), _units), min_size=1, max_size=3))
_edit = st.tuples(
    st.just("change"), _name,
    st.lists(
        st.tuples(
            st.sampled_from(["quantity", "remove", "add", "replace", "price", "unknown"]),
            st.sampled_from(["0", "1", "2", "7"]), st.sampled_from(SKUS), _units,
        ),
        min_size=1, max_size=3,
    ),
)  # fmt: skip
_back = st.tuples(st.just("withdraw"), _name, st.none())
_ship = st.tuples(st.just("ship"), _name, st.tuples(st.sampled_from(["MUG", "BOX"]), _units))
_told = st.lists(st.one_of(_order, _edit, _back, _ship), min_size=2, max_size=8)


def _document(kind: str, name: str, body: Any, at: int) -> tuple[Document, str]:
    if kind == "order":
        lines = [bought(str(n), sku, units) for n, (sku, units) in enumerate(body)]
        return purchase(name, lines, version=at), RETAILER
    if kind == "change":
        edits = []
        for what, line, sku, units in body:
            whole = {k: v for k, v in bought(line, sku, units).items() if k != "sku"}
            edits.append({**whole, "change": what})
        return change(name, str(at), edits, version=at), RETAILER
    if kind == "withdraw":
        return cancellation(name, version=at), RETAILER
    return advice(f"S{at}", name, [[body]], version=at), WAREHOUSE


def _made(kill: str, codes: dict[str, str]) -> TradingHub:
    places = {"east": WAREHOUSE}
    hub = TradingHub(retailer(profile(fill_or_kill=kill), warehouses=places), warehouse(**codes))
    for sku, units in STOCK.items():
        hub.stock(sku, units)
    hub.store.seed_sku("SET", components=(("MUG", 2), ("BOX", 1)))
    return hub


def _check(hub: TradingHub) -> None:
    assert hub.store.differences() == []
    held: dict[str, int] = {}
    left: dict[str, int] = {}
    for row in hub.store.tables.orders.values():
        ordered = {line["id"]: line["quantity"] for line in hub.store.order_json(row.account, row.source_id)["lines"]}
        for one in row.allocations:
            assert one.reserved >= 0
            assert one.reserved + one.shipped <= max(ordered.get(one.line_id, 0), one.shipped)
            for sku, _, each in one.parts:
                held[sku] = held.get(sku, 0) + one.reserved * each
                left[sku] = left.get(sku, 0) + one.shipped * each
    for sku, units in STOCK.items():
        on_hand, reserved, _ = hub.buckets(sku)
        assert reserved == held.get(sku, 0)
        assert on_hand == units - left.get(sku, 0)
    for each in outgoing_of(hub, kind="855"):
        for line in each["document"]["lines"]:
            assert sum(told["quantity"] for told in line["acknowledged"]) == line["quantity"]


@settings(max_examples=30, deadline=None)
@given(
    _told, st.randoms(use_true_random=False), st.sampled_from(["none", "line", "order"]),
    st.sampled_from([{}, {"change": "C", "cancel": "D"}]),
)  # fmt: skip
def test_positions_equal_the_ledger(told: list[Any], luck: Any, kill: str, codes: dict[str, str]) -> None:
    """Orders, changes, withdrawals and advices, shuffled and repeated: each unit is reserved once and shipped once."""
    mail = [_document(kind, name, body, at) for at, (kind, name, body) in enumerate(told, 1)]
    mail += luck.sample(mail, len(mail) // 2)
    luck.shuffle(mail)

    async def run() -> None:
        hub = _made(kill, codes)
        for document, account in mail:
            await hub.deliver(document, account=account)
            _check(hub)

    asyncio.run(run())


_plain = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.just("P1"), st.none()),
        st.tuples(
            st.just("change"), st.just("P1"),
            st.lists(
                st.tuples(st.sampled_from(["quantity", "remove", "price"]), st.sampled_from(["0", "1", "2"]),
                          st.just("MUG"), st.integers(1, 4)),
                min_size=1, max_size=2,
            ),
        ),
    ),
    min_size=2, max_size=6,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(_plain, st.booleans(), st.randoms(use_true_random=False))
def test_before_anything_ships_the_order_of_arrival_does_not_matter(
    told: list[Any], taken_back: bool, luck: Any
) -> None:
    """An order and what is said of it end as one order, whichever comes first."""
    # What a partner hears of a withdrawn order stays said, so that nothing but a duplicate follows one.
    told = [*told, *([("withdraw", "P1", None)] * 2 if taken_back else [])]
    mail: list[tuple[Document, str]] = []
    for at, (kind, name, body) in enumerate([("order", "P1", None), *told], 1):
        # An order stated anew says something new; said again word for word it would be a duplicate.
        lines = [("MUG", 2 + at), ("BOX", 2), ("MUG", 1)]
        mail.append(_document(kind, name, lines if kind == "order" else body, at))
    shuffled = list(mail)
    luck.shuffle(shuffled)

    async def run(letters: list[tuple[Document, str]]) -> Any:
        hub = _made("none", {"change": "C", "cancel": "D"})
        for document, account in letters:
            await hub.deliver(document, account=account)
        lines = hub.store.order_json(RETAILER, "P1")["lines"]
        said = [(line["id"], line["quantity"], line["cancelled_quantity"], line["unit_price"]) for line in lines]
        state = hub.row("P1", RETAILER).state
        # What a cancelled order would have been is nobody's business.
        return state, said if state != "cancelled" else None, hub.buckets("MUG"), hub.buckets("BOX")

    assert asyncio.run(run(shuffled)) == asyncio.run(run(mail))
