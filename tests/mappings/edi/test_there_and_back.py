"""What we write we would read ourselves: a set made from a document maps back to what the document said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mappings import MapContext, MappingSet
from mappings.edi import envelop
from mappings.edi.documents import documents_of
from mappings.edi.partners import find_partner
from mappings.edi.rendering import render
from tests.support.trading import AT, STAMP, document


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


def back(kind: str, made: Any, partner: str, mapping: MappingSet) -> Any:
    """The document that a partner with our own mappings would make of it."""
    profile = find_partner(partner)
    content = envelop([render(kind, made, mapping, profile, AT)], profile, STAMP).content
    context = MapContext("them", "edi", AT, time_zone="UTC")
    (found,) = [
        each
        for interchange in documents_of(content, mapping, context)
        for one in interchange.sets
        for each in one.documents
    ]
    return found


def quantities(packages: Sequence[Any]) -> list[tuple[str | None, list[int]]]:
    return [(each.sscc, [line.quantity for line in each.lines]) for each in packages]


def test_an_order_becomes_the_suppliers_order(mapping: MappingSet) -> None:
    """Number, quantities in eaches, prices per stated unit."""
    line = {"number": "1", "sku": "MUG", "quantity": 24, "unit_cost": {"amount": "60.00"}, "title": "A mug"}
    properties = {"eaches_per_unit": 12, "uom_stated": "CA"}
    stated = {"number": "OUR-1", "state": "sent", "placed_at": "2026-11-20", "currency": "USD"}
    made = document("purchase_order", **stated, lines=[{**line, "properties": properties}])
    found = back("850", made, "supplier", mapping)
    assert (found.number, found.placed_at.isoformat(), found.currency) == ("OUR-1", "2026-11-20", "USD")
    assert (found.lines[0].quantity, found.lines[0].title, found.lines[0].channel_sku) == (24, "A mug", "MUG")
    assert (str(found.lines[0].unit_price.amount), found.lines[0].price_uom) == ("60.00", "CA")


def test_an_answer_keeps_its_decisions(mapping: MappingSet) -> None:
    """Each status returns as itself, by the standard's codes."""
    kinds = ["accepted", "backordered", "rescheduled", "price_changed", "substituted", "held", "deleted", "rejected"]
    told = [{"status": kind, "quantity": 1} for kind in kinds]
    line = {"number": "1", "quantity": len(kinds), "acknowledged": told}
    made = document("order_acknowledgement", number="S-1", purchase_order_number="P-1", state="accepted", lines=[line])
    found = back("855", made, "big-box", mapping)
    assert (found.number, found.purchase_order_number, found.state) == ("S-1", "P-1", "accepted")
    assert [each.status for each in found.lines[0].acknowledged] == kinds


@pytest.mark.parametrize("partner", ["big-box", "department-store", "direct-fulfilment"])
def test_a_ship_notice_keeps_its_cartons(mapping: MappingSet, partner: str) -> None:
    """SSCC, order and quantities of each carton."""
    cartons = [
        {
            "id": "a",
            "level": "pack",
            "sscc": "006141411234567890",
            "lines": [{"id": "1", "sku": "MUG", "quantity": 12}],
        },
        {"id": "b", "level": "pack", "sscc": "106141411234567897", "lines": [{"id": "2", "sku": "BOX", "quantity": 5}]},
    ]
    orders = [{"purchase_order_number": "P-1"}]
    made = document(
        "ship_notice", number="N-1", state="shipped", shipped_at="2026-11-21", orders=orders, packages=cartons
    )
    found = back("856", made, partner, mapping)
    assert quantities(found.packages) == quantities(made.packages)  # type: ignore[union-attr]
    assert {each.purchase_order_number for each in found.packages} == {"P-1"}


def test_an_invoice_keeps_its_total(mapping: MappingSet) -> None:
    """What balances on our side is the total on theirs."""
    totals = {"discount": {"amount": "1.00"}, "fees": {"amount": "2.50"}, "tax": {"amount": "0.33"}}
    lines = [{"number": "1", "sku": "MUG", "quantity": 7, "unit_price": {"amount": "3.3333"}}]
    made = document("invoice", number="I-1", invoiced_on="2026-11-20", lines=lines, totals=totals)
    found = back("810", made, "marketplace", mapping)
    assert str(found.totals.grand_total.amount) == "25.16"
    assert [str(found.totals.discount.amount), str(found.totals.fees.amount), str(found.totals.tax.amount)] == [
        "1.00", "2.50", "0.33",
    ]  # fmt: skip


def test_stock_is_the_stock_told(mapping: MappingSet) -> None:
    """Available quantities come back as available."""
    made = document("stock_report", as_of="2026-11-21", levels=[{"sku": "MUG", "gtin": "012345678905", "available": 9}])
    found = back("846", made, "marketplace", mapping)
    assert [(each.gtin, each.available, each.on_hand) for each in found.levels] == [("012345678905", 9, None)]
