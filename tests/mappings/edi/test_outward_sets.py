"""Documents become sets a partner can read: codes by its table, ids echoed, SSCC checked, totals to the cent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from canonical.errors import MappingError
from mappings import MappingSet
from mappings.edi.partners import PartnerProfile, find_partner
from mappings.edi.partners.model import Agreement
from tests.support.trading import document, sent


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


def with_asn(name: str, **rules: Any) -> PartnerProfile:
    """An example profile with other rules for its ship notices."""
    profile = find_partner(name)
    stated = profile.agreed.model_dump(exclude_unset=True, exclude={"deadlines", "inventory", "asn"})
    return replace(profile, agreed=Agreement.model_validate({**stated, "asn": rules}))


def answer(*told: dict[str, Any], state: str = "accepted_with_changes", **line: Any) -> Any:
    given = {"number": "001", "quantity": 24, "uom": "CA", "unit_cost": {"amount": "60.00"}, "acknowledged": told}
    properties = {"ids": {"IN": "4711", "VN": "MUG"}, "eaches_per_unit": 12, "uom_stated": "CA"}
    return document(
        "order_acknowledgement",
        number="SO-9",
        purchase_order_number="PO-1",
        state=state,
        attributes={"order_date": "2026-11-20", "parties": {"ST": {"qualifier": "92", "id": "0012"}}},
        lines=[{**given, "properties": properties, **line}],
    )


ACCEPTED = {"status": "accepted", "quantity": 12}
LATER = {"status": "backordered", "quantity": 12, "expected_at": "2026-12-15"}


def test_855_splits_a_line(mapping: MappingSet) -> None:
    """Ids, line numbers and units are echoed as received, and each decision is an ACK of its own."""
    assert sent("855", answer(ACCEPTED, LATER), "big-box", mapping) == [
        "BAK*00*AC*PO-1*20261120****SO-9*20261121",
        "N1*ST**92*0012",
        "PO1*001*2*CA*60.00**IN*4711*VN*MUG",
        "ACK*IA*1*CA",
        "ACK*IB*1*CA*068*20261215",
        "CTT*1",
    ]


def test_855_in_a_partners_codes(mapping: MappingSet) -> None:
    """A partner that numbers its answers gets numbers."""
    refused = answer({"status": "backordered", "quantity": 24}, state="rejected")
    lines = sent("855", refused, "direct-fulfilment", mapping)
    assert lines[0].startswith("BAK*00*RJ*PO-1")
    assert lines[3] == "ACK*03*2*CA"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (answer(ACCEPTED), "do not add up to the ordered one"),
        (answer(), "every line of an answer needs a decision"),
        (answer({"status": "accepted", "quantity": 7}, {**LATER, "quantity": 17}), "no whole number of the unit"),
        (answer({"status": "unknown", "quantity": 24}), r"ACK: .*there is no code for this word"),
        (answer(ACCEPTED, LATER, state="unknown"), r"BAK: .*known are accepted, accepted_with_changes, rejected"),
    ],
)
def test_855_refuses_what_is_no_answer(mapping: MappingSet, made: Any, message: str) -> None:
    """An answer the retailer would read otherwise is not sent."""
    with pytest.raises(MappingError, match=message):
        sent("855", made, "big-box", mapping)


LINE = {"id": "001", "channel_sku": "4711", "gtin": "012345678905", "quantity": 12}
CARTON = {
    "id": "c1", "level": "pack", "sscc": "006141411234567890", "tracking_number": "1Z999AA10123456784",
    "purchase_order_number": "PO-1", "weight": {"value": "4.5", "unit": "lb"}, "lines": [LINE],
}  # fmt: skip


def notice(*packages: dict[str, Any], orders: tuple[str, ...] = ("PO-1",)) -> Any:
    return document(
        "ship_notice",
        number="ASN-1",
        state="shipped",
        bill_of_lading="BOL-1",
        scac="UPSN",
        shipped_at="2026-11-21T09:00:00Z",
        orders=[{"purchase_order_number": each} for each in orders],
        packages=packages,
        ship_to={"name": "Store 12", "line1": "1 Main St", "city": "Springfield", "region": "IL", "country": "US"},
        attributes={"parties": {"ST": {"qualifier": "92", "id": "0012"}}},
    )


def test_856_pick_and_pack(mapping: MappingSet) -> None:
    """Shipment, order, pack, item: ids count up, parents come first, the SSCC has its identifier."""
    assert sent("856", notice(CARTON), "big-box", mapping) == [
        "BSN*00*ASN-1*20261121*1230*0001",
        "HL*1**S",
        "TD1*CTN*1****G*4.5*LB",
        "TD5*B*2*UPSN",
        "REF*BM*BOL-1",
        "REF*CN*1Z999AA10123456784",
        "DTM*011*20261121",
        "N1*ST*STORE 12*92*0012",
        "N3*1 MAIN ST",
        "N4*SPRINGFIELD*IL**US",
        "HL*2*1*O",
        "PRF*PO-1",
        "HL*3*2*P",
        "MAN*GM*00006141411234567890",
        "HL*4*3*I",
        "LIN*001*IN*4711*UP*012345678905",
        "SN1*001*12*EA",
        "CTT*4",
    ]


def heads(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("HL", "CTT"))]


def test_856_tares_and_children(mapping: MappingSet) -> None:
    """Cartons stand on their pallet, HL04 says who has children, and this partner counts items."""
    tare = {"id": "t1", "level": "tare", "sscc": "106141411234567897"}
    lines = sent("856", notice(tare, {**CARTON, "parent": "t1"}), "department-store", mapping)
    assert heads(lines) == ["HL*1**S*1", "HL*2*1*O*1", "HL*3*2*T*1", "HL*4*3*P*1", "HL*5*4*I*0", "CTT*1"]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ({"structure": "0002", "levels": "SOIP"}, ["HL*1**S", "HL*2*1*O", "HL*3*2*I", "HL*4*3*P", "CTT*4"]),
        ({"structure": "0004", "levels": "SOI"}, ["HL*1**S", "HL*2*1*O", "HL*3*2*I", "CTT*3"]),
        ({"structure": "ZZZZ", "levels": "SPI"}, ["HL*1**S", "HL*2*1*P", "HL*3*2*I", "CTT*3"]),
        ({"structure": "ZZZZ", "levels": "SIP"}, ["HL*1**S", "HL*2*1*I", "HL*3*2*P", "CTT*3"]),
        ({"structure": None, "levels": "SI", "ctt": "none"}, ["HL*1**S", "HL*2*1*I"]),
    ],
)
def test_856_in_every_structure(mapping: MappingSet, rules: dict[str, Any], wanted: list[str]) -> None:
    """The same goods in each of the structures partners ask for."""
    assert heads(sent("856", notice(CARTON), with_asn("big-box", **rules), mapping)) == wanted


def test_856_of_two_orders(mapping: MappingSet) -> None:
    """Each pack stands under its own order; a partner of one order per notice refuses two."""
    other = {**CARTON, "id": "c2", "sscc": "106141411234567897", "purchase_order_number": "PO-2"}
    both = notice(CARTON, other, orders=("PO-1", "PO-2"))
    assert heads(sent("856", both, "big-box", mapping))[-4:-1] == ["HL*5*1*O", "HL*6*5*P", "HL*7*6*I"]
    with pytest.raises(MappingError, match="takes one order in a ship notice"):
        sent("856", both, "department-store", mapping)
    unnamed = notice(CARTON, {**other, "purchase_order_number": None}, orders=("PO-1", "PO-2"))
    with pytest.raises(MappingError, match="each package names its own"):
        sent("856", unnamed, "big-box", mapping)


@pytest.mark.parametrize(
    ("packages", "message"),
    [
        ([{**CARTON, "sscc": "006141411234567891"}], "check digit of the SSCC is wrong"),
        ([{**CARTON, "sscc": "0061414112345678"}], "an SSCC has 18 digits"),
        ([CARTON, {**CARTON, "id": "c2"}], "two packages have the same SSCC"),
        ([], "needs its packages"),
    ],
)
def test_856_that_no_dock_can_receive(mapping: MappingSet, packages: list[Any], message: str) -> None:
    """A wrong number on a label is found here, not by the retailer."""
    with pytest.raises(MappingError, match=message):
        sent("856", notice(*packages), "big-box", mapping)


def invoice(**fields: Any) -> Any:
    lines = [
        {"number": "001", "channel_sku": "4711", "quantity": 3, "unit_price": {"amount": "4.1250"}, "title": "A mug"},
        {"number": "002", "channel_sku": "4712", "quantity": 1, "unit_price": {"amount": "10.00"}},
    ]
    stated = {"number": "I-1", "invoiced_on": "2026-11-20", "purchase_order_number": "PO-1", "currency": "USD"}
    return document("invoice", **{**stated, "lines": lines, **fields})


def test_810_balances(mapping: MappingSet) -> None:
    """12.375 and 10.00 are 22.38, less 2.00, plus 5.50 and 1.20: TDS says 27.08 in cents."""
    totals = {"discount": {"amount": "2.00"}, "shipping": {"amount": "5.50"}, "tax": {"amount": "1.20"}}
    assert sent("810", invoice(totals=totals), "marketplace", mapping) == [
        "BIG*20261120*I-1**PO-1***DI",
        "CUR*SE*USD",
        "IT1*001*3*EA*4.1250**SK*4711",
        "PID*F****A mug",
        "IT1*002*1*EA*10.00**SK*4712",
        "TDS*2708",
        "TXI*TX*1.20",
        "SAC*A*C310***200",
        "SAC*C*D240***550",
        "CTT*2",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"totals": {"grand_total": {"amount": "22.37"}}}, "do not add up to the stated total"),
        ({"totals": {"tax": {"amount": "0.005"}}}, "no fractions of a cent"),
        ({"lines": [{"number": "1", "quantity": 1}]}, "needs a quantity and a unit price"),
    ],
)
def test_810_that_does_not_balance(mapping: MappingSet, fields: dict[str, Any], message: str) -> None:
    """One cent of difference is a dispute; it is refused before it is sent."""
    with pytest.raises(MappingError, match=message):
        sent("810", invoice(**fields), "marketplace", mapping)


def test_846_tells_what_may_be_sold(mapping: MappingSet) -> None:
    """One quantity per item with the partner's qualifier; below nought is nought, untracked items are left out."""
    levels = [
        {"sku": "MUG", "channel_sku": "4711", "available": 40},
        {"sku": "BOX", "channel_sku": "4712", "available": -3},
        {"sku": "CUP", "channel_sku": "4713"},
    ]
    made = document("stock_report", location="east", as_of="2026-11-21T09:05:00Z", levels=levels)
    assert sent("846", made, "department-store", mapping) == [
        "BIA*00*SI*test*20261121*0905",
        "N1*WH**92*east",
        "LIN*1*SK*4711*VA*MUG",
        "QTY*17*40*EA",
        "LIN*2*SK*4712*VA*BOX",
        "QTY*17*0*EA",
        "CTT*2",
    ]


WAREHOUSE_LINE = {"id": "1", "sku": "MUG", "gtin": "012345678905", "quantity": 24, "lot": "L-1"}


def test_940_orders_a_shipment(mapping: MappingSet) -> None:
    """Addresses, dates, lines in the partner's units and ids, and their total."""
    line = {**WAREHOUSE_LINE, "properties": {"eaches_per_unit": 12, "uom_stated": "CS"}}
    made = document(
        "warehouse_order",
        number="SO-77",
        purchase_order_number="PO-1",
        location="3PL01",
        ship_by="2026-11-22",
        carrier_raw="UPSN",
        service="Ground",
        lines=[line, {**WAREHOUSE_LINE, "id": "2", "lot": None}],
        ship_to={"name": "A Buyer", "line1": "1 Main St", "city": "Springfield", "region": "IL", "country": "US"},
        note="Leave at dock 4",
    )
    assert sent("940", made, "grocery-warehouse", mapping) == [
        "W05*N*SO-77*PO-1",
        "N1*ST*A Buyer",
        "N3*1 Main St",
        "N4*Springfield*IL**US",
        "N1*WH**92*3PL01",
        "G62*10*20261122",
        "NTE*WHI*Leave at dock 4",
        "W66*PP*M***Ground*****UPSN",
        "LX*1",
        "W01*2*CS**VN*MUG*UK*00012345678905",
        "N9*LI*1",
        "N9*LT*L-1",
        "LX*2",
        "W01*24*EA**VN*MUG*UK*00012345678905",
        "N9*LI*2",
        "W76*26",
    ]


def test_943_announces_stock(mapping: MappingSet) -> None:
    """What is on its way, so that the warehouse can receive it."""
    made = document(
        "ship_notice",
        kind="transfer",
        number="TR-1",
        state="shipped",
        shipped_at="2026-11-21",
        expected_at="2026-11-24",
        scac="SCAC",
        from_location="east",
        to_location="3PL01",
        packages=[{"id": "1", "lines": [WAREHOUSE_LINE]}],
    )
    assert sent("943", made, "grocery-warehouse", mapping) == [
        "W06*F*TR-1*20261121",
        "N1*SF**92*east",
        "N1*WH**92*3PL01",
        "G62*11*20261121",
        "G62*17*20261124",
        "W27*M*SCAC",
        "W04*24*EA**VN*MUG*UK*00012345678905",
        "N9*LI*1",
        "N9*LT*L-1",
        "W03*24",
    ]


def test_850_orders_from_a_supplier(mapping: MappingSet) -> None:
    """Our number, our article, the supplier's article, costs per stated unit, packs where we order in packs."""
    line = {"number": "1", "sku": "MUG", "supplier_sku": "A-1", "quantity": 24, "unit_cost": {"amount": "60.00"}}
    made = document(
        "purchase_order",
        number="OUR-1",
        supplier={"id": "ACME"},
        state="sent",
        placed_at="2026-11-21T08:00:00Z",
        expected_at="2026-12-01",
        currency="USD",
        location="east",
        lines=[{**line, "properties": {"eaches_per_unit": 12, "uom_stated": "CA", "expected_at": "2026-12-05"}}],
    )
    assert sent("850", made, "supplier", mapping) == [
        "BEG*00*SA*OUR-1**20261121",
        "CUR*BY*USD",
        "DTM*002*20261201",
        "N1*ST**92*east",
        "N1*SU**92*ACME",
        "PO1*1*2*CA*60.00**BP*MUG*VN*A-1",
        "PO4*12",
        "DTM*002*20261205",
        "CTT*1",
    ]


def test_860_changes_an_order(mapping: MappingSet) -> None:
    """Each line says what changes; a removed one states no quantity, an unknown change is not sent."""
    lines = [
        {"id": "1", "change": "quantity", "quantity": 36, "sku": "MUG"},
        {"id": "2", "change": "remove"},
        {"id": "3", "change": "date", "quantity": 5, "requested_at": "2026-12-10"},
    ]
    stated = {"purchase_order_number": "OUR-1", "revision": "2", "at": "2026-11-21T10:00:00Z"}
    made = document("order_change", **stated, lines=lines, attributes={"order_date": "2026-11-20"})
    assert sent("860", made, "supplier", mapping) == [
        "BCH*04*SA*OUR-1**2*20261120*****20261121",
        "POC*1*QI*36*36*EA***BP*MUG",
        "POC*2*DI",
        "POC*3*CT*5*5*EA",
        "DTM*002*20261210",
        "CTT*3",
    ]
    with pytest.raises(MappingError, match="there is no code for this word"):
        sent("860", document("order_change", **stated, lines=[{"id": "1", "change": "unknown"}]), "supplier", mapping)


def test_940_loses_no_part_of_an_address(mapping: MappingSet) -> None:
    """The company stands in N2 and a third line in a second N3: without them the parcel comes back."""
    made = document(
        "warehouse_order",
        number="SO-78",
        lines=[WAREHOUSE_LINE],
        ship_to={
            "name": "A Buyer", "company": "Invented Ltd", "line1": "1 Main St", "line2": "Suite 400", "line3": "Dock 4",
            "city": "Springfield", "region": "IL", "country": "US",
        },
    )  # fmt: skip
    assert sent("940", made, "grocery-warehouse", mapping)[1:6] == [
        "N1*ST*A Buyer",
        "N2*Invented Ltd",
        "N3*1 Main St*Suite 400",
        "N3*Dock 4",
        "N4*Springfield*IL**US",
    ]
