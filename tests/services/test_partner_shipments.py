"""A shipment of a partner's order is told by 856 and billed by 810, cartons numbered once, cents adding up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.orders.noticing import invoice_fields
from hub.services.partners.notices import carton_number
from mappings.edi.partners import PartnerProfile
from mappings.trade import check_digit
from tests.support.buyers import (
    RETAILER,
    WAREHOUSE,
    TradingHub,
    advice,
    bought,
    change,
    outgoing_of,
    profile,
    purchase,
    retailer,
    warehouse,
    written,
)


def numbering(**changes: Any) -> PartnerProfile:
    asn = profile().agreed.asn.model_copy(update={"sscc_prefix": "0614141"})
    return profile(asn=asn, **changes)


def made(partner: PartnerProfile | None = None) -> tuple[TradingHub, PartnerProfile]:
    found = partner or numbering()
    hub = TradingHub(retailer(found, warehouses={}), warehouse())
    hub.stock("MUG", 100)
    hub.stock("BOX", 50)
    return hub, found


async def test_a_shipment_is_told_and_billed() -> None:
    """One 856 with numbered cartons and one 810 over what left, both writable by the partner's rules."""
    hub, partner = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 20), bought("2", "BOX", 3, price="4.10")]), account=RETAILER)
    shipped = advice("S1", "P1", [[("MUG", 12)], [("MUG", 8), ("BOX", 3)]], version=3)
    await hub.deliver(shipped, account=WAREHOUSE)
    assert hub.buckets("MUG") == (80, 0, 0)
    (notice,) = outgoing_of(hub, kind="856")
    numbers = [each["sscc"] for each in notice["document"]["packages"]]
    assert len(set(numbers)) == 2
    assert all(check_digit(each[:-1]) == each[-1] for each in numbers)
    rows = written(notice, partner).rows
    assert [row[2] for row in rows if row[0] == "MAN"] == [f"00{each}" for each in numbers]
    assert [row[2] for row in rows if row[0] == "SN1"] == ["12", "8", "3"]
    (bill,) = outgoing_of(hub, kind="810")
    assert [row[1] for row in written(bill, partner).rows if row[0] == "TDS"] == ["6230"]
    awaited = hub.store.tables.expectations
    assert {key[1] for key in awaited if key[0] == RETAILER} == {"855", "856", "810"}
    await hub.deliver(shipped, account=WAREHOUSE)
    assert len(outgoing_of(hub)) == 3


async def test_what_is_corrected_keeps_its_cartons_and_is_billed_anew() -> None:
    """Fewer units than first told: BSN01 05 and the same SSCC, a credit over the first bill, and another bill."""
    hub, partner = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 20)]), account=RETAILER)
    await hub.deliver(advice("S1", "P1", [[("MUG", 12)]], version=3), account=WAREHOUSE)
    await hub.deliver(advice("S1", "P1", [[("MUG", 10)]], version=4), account=WAREHOUSE)
    first, second = outgoing_of(hub, kind="856")
    assert [row[1] for each in (first, second) for row in written(each, partner).rows if row[0] == "BSN"] == [
        "00",
        "05",
    ]
    assert first["document"]["packages"][0]["sscc"] == second["document"]["packages"][0]["sscc"]
    bills = [(each["document"]["kind"], each["document"]["number"]) for each in outgoing_of(hub, kind="810")]
    assert bills == [("invoice", "00000001"), ("credit", "00000002"), ("invoice", "00000003")]
    assert hub.buckets("MUG") == (90, 10, 0)


async def test_a_shipment_taken_back_is_taken_back_from_the_partner() -> None:
    """BSN01 01 and a credit; nothing else is billed for it."""
    hub, partner = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 20)]), account=RETAILER)
    await hub.deliver(advice("S1", "P1", [[("MUG", 12)]], version=3), account=WAREHOUSE)
    await hub.deliver(advice("S1", "P1", [[("MUG", 12)]], version=4, state="cancelled"), account=WAREHOUSE)
    last = outgoing_of(hub, kind="856")[-1]
    assert [row[1] for row in written(last, partner).rows if row[0] == "BSN"] == ["01"]
    assert [each["document"]["kind"] for each in outgoing_of(hub, kind="810")] == ["invoice", "credit"]


async def test_a_partner_is_sent_only_what_it_takes() -> None:
    """`sends` of the profile: no invoice for who wants none, and nobody waits for one."""
    hub, _ = made(numbering(sends=("855", "856")))
    await hub.deliver(purchase("P1", [bought("1", "MUG", 2)]), account=RETAILER)
    await hub.deliver(advice("S1", "P1", [[("MUG", 2)]], version=3), account=WAREHOUSE)
    assert [each["set"] for each in outgoing_of(hub)] == ["855", "856"]


def test_carton_numbers_never_repeat_where_digits_end() -> None:
    """A serial beyond the digits of one extension goes on under the next."""
    numbers = [carton_number("0", "061414112345", serial) for serial in range(9_990, 10_010)]
    assert len(set(numbers)) == 20
    assert all(len(each) == 18 and check_digit(each[:-1]) == each[-1] for each in numbers)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 99_999)), min_size=1, max_size=5),
    st.integers(0, 5_000),
    st.lists(st.integers(0, 39), max_size=12),
)
def test_partial_bills_add_up_to_the_whole(lines: list[tuple[int, int]], discount: int, cuts: list[int]) -> None:
    """However an order is split, its invoices state its discount to the cent, and each balances by itself."""
    order = {
        "number": "P1",
        "currency": "USD",
        "lines": [
            {"id": str(at), "quantity": units, "unit_price": {"amount": str(Decimal(cents) / 100)}}
            for at, (units, cents) in enumerate(lines)
        ],
        "discounts": [{"amount": {"amount": str(Decimal(discount) / 100)}}],
    }
    left = {str(at): units for at, (units, _) in enumerate(lines)}
    before: dict[str, int] = {}
    stated = Decimal()
    for cut in [*cuts, None]:
        now = {name: units if cut is None else min(units, cut) for name, units in left.items()}
        if not any(now.values()):
            continue
        fields = invoice_fields(order, now, before)
        stated += Decimal(fields["totals"].get("discount", {"amount": "0"})["amount"])
        left = {name: units - now[name] for name, units in left.items()}
        before = {name: before.get(name, 0) + now[name] for name in left}
        json.dumps(fields)
    assert stated == Decimal(discount) / 100


async def test_an_order_is_over_when_everything_has_left() -> None:
    """Closed with its last unit, open again when a line is added, and the address gets its end."""
    hub = TradingHub(retailer(numbering()), warehouse(), personal_kept_s=60)
    hub.stock("MUG", 100)
    await hub.deliver(purchase("P1", [bought("1", "MUG", 5)]), account=RETAILER)
    await hub.deliver(advice("S1", "P1", [[("MUG", 2)]], version=3), account=WAREHOUSE)
    row = hub.row("P1", RETAILER)
    assert (row.state, hub.store.tables.personal[row.id].delete_after) == ("open", None)
    await hub.deliver(advice("S2", "P1", [[("MUG", 3)]], version=4), account=WAREHOUSE)
    row = hub.row("P1", RETAILER)
    assert (row.state, hub.store.tables.personal[row.id].delete_after) == ("closed", hub.clock + 60_000_000)
    added = {**bought("2", "MUG", 1), "change": "add"}
    await hub.deliver(change("P1", "1", [added], version=6), account=RETAILER)
    assert hub.row("P1", RETAILER).state == "open"
    assert hub.buckets("MUG") == (95, 1, 0)
