"""Documents become EDIFACT messages, and an 865, that partners can read; what we write is read back as it was meant."""

from __future__ import annotations

from typing import Any

import pytest

from canonical.errors import MappingError
from mappings import MapContext, MappingSet
from mappings.edi import NotWritable, envelop, grammar_for
from mappings.edi.documents import documents_of
from mappings.edi.partners import find_partner
from mappings.edi.rendering import render
from mappings.edi.unlooping import rows_of_content
from tests.support.trading import AT, STAMP, document, sent

RETAILER = "edifact-retailer"
LINE = {"number": "1", "sku": "MUG", "gtin": "4000001000005", "quantity": 24, "title": "A mug"}
US = ["NAD+BY+4000002000004::9", "NAD+SU+4000001000005::9"]


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


def back(kind: str, made: Any, mapping: MappingSet) -> Any:
    """The document that a reader with our own mappings and no profile makes of the message."""
    profile = find_partner(RETAILER)
    content = envelop([render(kind, made, mapping, profile, AT)], profile, STAMP).content
    found = documents_of(content, mapping, MapContext("them", "edi", AT, time_zone="UTC"))
    (only,) = [one for interchange in found for one in interchange.sets]
    assert only.error is None
    (made_of_it,) = only.documents
    return made_of_it


def written(kind: str, made: Any, mapping: MappingSet) -> list[str]:
    """The message's own segments, the closing ones too."""
    profile = find_partner(RETAILER)
    content = envelop([render(kind, made, mapping, profile, AT)], profile, STAMP).content
    return content.decode("latin-1").split("'")[2:-3]


def answer(*told: dict[str, Any], state: str = "accepted_with_changes", **line: Any) -> Any:
    given = {**LINE, "unit_cost": {"amount": "3.95"}, "acknowledged": told, **line}
    head = {"number": "SO-1", "purchase_order_number": "4501", "state": state}
    return document("order_acknowledgement", **head, attributes={"order_date": "2026-11-19"}, lines=[given])


def test_orders(mapping: MappingSet) -> None:
    """Our order: who buys from whom, the article number, the price per unit, the note."""
    stated = {"number": "OUR-1", "state": "sent", "placed_at": "2026-11-20", "expected_at": "2026-12-01"}
    made = document(
        "purchase_order",
        **stated,
        currency="EUR",
        note="ring the bell",
        lines=[{**LINE, "unit_cost": {"amount": "3.95"}}],
    )
    assert sent("ORDERS", made, RETAILER, mapping) == [
        "DTM+137:20261120:102", "DTM+2:20261201:102", "FTX+AAI+++ring the bell",
        "NAD+BY+4000001000005::9", "NAD+SU+4000002000004::9", "CUX+2:EUR:9", "LIN+1++4000001000005:EN", "PIA+1+MUG:SA",
        "IMD+F++:::A mug", "QTY+21:24", "PRI+AAA:3.95", "UNS+S",
    ]  # fmt: skip
    found = back("ORDERS", made, mapping)
    assert (found.number, found.currency, found.lines[0].quantity, found.lines[0].gtin) == (
        "OUR-1", "EUR", 24, "4000001000005",
    )  # fmt: skip
    assert (str(found.lines[0].unit_price.amount), found.requested.deliver_by.isoformat()) == ("3.95", "2026-12-01")


@pytest.mark.parametrize("change", ["add", "remove", "replace"])
def test_ordchg(change: str, mapping: MappingSet) -> None:
    """Each change by its action, the order named by reference; a message of its own number."""
    line = {"id": "1", "change": change, "gtin": "4000001000005", "quantity": 12}
    made = document("order_change", purchase_order_number="OUR-1", revision="2", lines=[line])
    found = back("ORDCHG", made, mapping)
    assert (found.purchase_order_number, found.number, found.revision) == ("OUR-1", "OUR-1-2", "2")
    assert [(each.id, each.change, each.quantity) for each in found.lines] == [("1", change, 12)]


def test_ordrsp(mapping: MappingSet) -> None:
    """A split line is changed, its parts by quantity; the balance has its date."""
    made = answer(
        {"status": "accepted", "quantity": 20}, {"status": "backordered", "quantity": 4, "expected_at": "2026-12-15"}
    )
    assert sent("ORDRSP", made, RETAILER, mapping) == [
        "DTM+137:202611211230:203", "RFF+ON:4501", "DTM+171:20261119:102", *US, "LIN+1+3+4000001000005:EN",
        "PIA+1+MUG:SA", "IMD+F++:::A mug", "QTY+21:24", "QTY+113:20", "QTY+83:4", "DTM+67:20261215:102", "PRI+AAA:3.95",
        "UNS+S",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        [{"status": "accepted", "quantity": 24}],
        [{"status": "rejected", "quantity": 24}],
        [{"status": "backordered", "quantity": 24}],
        [{"status": "accepted", "quantity": 20}, {"status": "backordered", "quantity": 4}],
        [{"status": "quantity_changed", "quantity": 20}],
        [{"status": "substituted", "quantity": 24, "channel_sku": "MUG-2"}],
        [{"status": "rescheduled", "quantity": 24, "expected_at": "2026-12-15"}],
    ],
)
def test_an_answer_keeps_its_decisions(told: list[dict[str, Any]], mapping: MappingSet) -> None:
    """Each decision returns as itself, with its quantity."""
    found = back("ORDRSP", answer(*told), mapping)
    assert (found.purchase_order_number, found.state) == ("4501", "accepted_with_changes")
    stated = [(each.status, each.quantity) for each in found.lines[0].acknowledged]
    assert stated == [(each["status"], each["quantity"]) for each in told]


@pytest.mark.parametrize(
    "told", [[], [{"status": "unknown", "quantity": 24}], [{"status": "accepted", "quantity": 20}]]
)
def test_an_answer_that_says_too_little(told: list[dict[str, Any]], mapping: MappingSet) -> None:
    """No decision, a word without a code, quantities that leave some open: refused."""
    with pytest.raises(MappingError):
        render("ORDRSP", answer(*told), mapping, find_partner(RETAILER), AT)


def test_desadv(mapping: MappingSet) -> None:
    """Outer packages first whatever their order; every number once; what lies where returns as it was."""
    inner = {"id": "b", "parent": "a", "level": "pack", "sscc": "340000010000000020"}
    packages = [
        {**inner, "lines": [{"id": "1", "gtin": "4000001000005", "quantity": 12, "lot": "L-1"}]},
        {"id": "a", "level": "tare", "sscc": "340000010000000013"},
        {"id": "c", "lines": [{"id": "2", "sku": "BOX", "quantity": 2}]},
    ]
    made = document(
        "ship_notice", number="N-1", state="shipped", shipped_at="2026-11-21", packages=packages,
        orders=[{"purchase_order_number": "4501"}], ship_to={"name": "Store 12", "city": "Köln", "country": "DE"},
    )  # fmt: skip
    found = back("DESADV", made, mapping)
    assert [(each.level, each.sscc, [line.quantity for line in each.lines]) for each in found.packages] == [
        ("tare", "340000010000000013", []),
        ("unknown", None, [2]),
        ("pack", "340000010000000020", [12]),
    ]
    assert found.packages[2].parent == found.packages[0].id
    assert (found.packages[2].lines[0].id, found.packages[2].lines[0].lot, found.ship_to.city) == ("1", "L-1", "Köln")
    assert {each.purchase_order_number for each in found.packages} == {"4501"}


def test_invoic(mapping: MappingSet) -> None:
    """The lines to the cent, allowances and charges apart, the tax, the total of it all."""
    totals = {"tax": {"amount": "18.01"}, "discount": {"amount": "1.00"}, "shipping": {"amount": "2.50"}}
    head = {"number": "I-1", "invoiced_on": "2026-11-20", "due_on": "2026-12-20", "currency": "EUR"}
    lines = [{**LINE, "unit_price": {"amount": "3.95"}}]
    made = document("invoice", **head, purchase_order_number="4501", lines=lines, totals=totals)
    assert written("INVOIC", made, mapping)[-5:] == [
        "UNS+S",
        "CNT+2:1",
        "MOA+79:94.80",
        "MOA+77:114.31",
        "MOA+176:18.01",
    ]
    found = back("INVOIC", made, mapping)
    assert [str(each.amount) for each in (found.totals.grand_total, found.totals.tax, found.totals.discount)] == [
        "114.31", "18.01", "1.00",
    ]  # fmt: skip
    assert (str(found.totals.fees.amount), found.purchase_order_number, found.due_on.isoformat()) == (
        "2.50", "4501", "2026-12-20",
    )  # fmt: skip
    wrong = document("invoice", **head, lines=lines, totals={**totals, "grand_total": {"amount": "1.00"}})
    with pytest.raises(MappingError, match="do not add up"):
        render("INVOIC", wrong, mapping, find_partner(RETAILER), AT)


def test_invrpt(mapping: MappingSet) -> None:
    """Available quantities with the partner's qualifier; nothing below nought, nothing untracked."""
    levels = [
        {**{key: LINE[key] for key in ("sku", "gtin")}, "available": 9},
        {"sku": "X", "available": -2},
        {"sku": "Y"},
    ]
    made = document("stock_report", as_of="2026-11-21", levels=levels)
    lines = [each for each in written("INVRPT", made, mapping) if each[:3] in ("LIN", "QTY")]
    assert lines == ["LIN+1++4000001000005:EN", "QTY+145:9", "LIN+2", "QTY+145:0"]
    assert [each.on_hand for each in back("INVRPT", made, mapping).levels] == [9, 0]


def test_865(mapping: MappingSet) -> None:
    """What was asked for and what became of it, the retailer's ids and units echoed."""
    properties = {"change": "quantity", "ids": {"IN": "4711"}, "eaches_per_unit": 12, "uom_stated": "CA"}
    line = {"number": "001", "quantity": 24, "properties": properties}
    told = [{"status": "accepted", "quantity": 12}, {"status": "rejected", "quantity": 12}]
    head = {"number": "PO-1", "purchase_order_number": "PO-1", "state": "accepted_with_changes"}
    made = document(
        "order_acknowledgement", **head, attributes={"revision": "2"}, lines=[{**line, "acknowledged": told}]
    )
    assert sent("865", made, "big-box", mapping) == [
        "BCA*00*AC*PO-1**2*20261121****20261121",
        "POC*001*QI*2*2*CA***IN*4711",
        "ACK*IA*1*CA",
        "ACK*IR*1*CA",
        "CTT*1",
    ]


def test_a_second_place_is_named() -> None:
    """What may stand before the lines and behind them is written once, at the first place or at the one named."""
    grammar = grammar_for("INVOIC", "D.96A")
    assert grammar is not None
    taxes = {"TAX_loop": {"TAX": {"01": "7"}}, "UNS": {"01": "S"}, "TAX_loop_2": {"TAX": {"01": "5"}}}
    assert rows_of_content(taxes, grammar) == [["TAX", "7"], ["UNS", "S"], ["TAX", "5"]]
    with pytest.raises(NotWritable, match="TAX_loop_3"):
        rows_of_content({"TAX_loop_3": {}}, grammar)
