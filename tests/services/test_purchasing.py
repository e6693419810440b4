"""Orders to suppliers made, sent, changed, cancelled and closed: each act whole, once, and said to the supplier."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import canonical
from hub.purchasing.asking import PurchaseRefused
from hub.services.purchasing_unit import PurchaseConflict, UnknownPurchaseOrder, look
from mappings import MappingSet
from mappings.edi.partners import find_partner
from mappings.edi.partners.parts import Deadlines
from tests.support.buying import SUPPLIER, Buying, answer, notice, part
from tests.support.orders import at
from tests.support.trading import sent as segments


async def test_a_new_order_is_stored_sent_and_awaited_in_one_unit() -> None:
    """The order, its 850 and what the supplier owes are written together; nothing is incoming before an answer."""
    hub = Buying()
    done = await hub.order(expected_at="2026-12-10", ship_to={"name": "Dock 4", "city": "Reno", "country": "US"})
    assert (done.state, done.revision, done.sent) == ("sent", "0", True)
    (sent,) = hub.sent()
    assert sent["set"] == "850"
    assert sent["document"]["ship_to"]["name"] == "Dock 4"
    assert [line["number"] for line in sent["document"]["lines"]] == ["1", "2"]
    stored = (await look(hub.store, "OUR-1")).order
    assert stored["ship_to"] is None
    assert canonical.parse_document(canonical.dump(canonical.parse_document(_text(stored)))).type == "purchase_order"
    assert hub.awaited()["855", "OUR-1"].due_at == at(1000) + 2 * 86_400_000_000
    assert hub.awaited()["856", "OUR-1"].due_at is not None
    assert ("810", "OUR-1") not in hub.awaited()
    assert hub.incoming("MUG") == 0


def _text(document: Any) -> str:
    return json.dumps(document)


async def test_the_same_order_again_is_a_repeat_and_another_one_a_conflict() -> None:
    """A number is one order: asked for twice it is made and sent once."""
    hub = Buying()
    await hub.order()
    assert (await hub.order()).repeated
    assert len(hub.sent()) == 1
    with pytest.raises(PurchaseConflict, match="another purchase order OUR-1"):
        await hub.order(note="in a hurry")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"number": ""}, "number: 1 to 22"),
        ({"number": "X" * 23}, "number: 1 to 22"),
        ({"supplier": " "}, "supplier:"),
        ({"supplier": "shop"}, "account shop is no supplier's"),
        ({"supplier": "warehouse-demo"}, "its partner is a warehouse"),
        ({"location": "mars"}, "location: 'mars' is not one of ours"),
        ({"currency": "dollars"}, "currency:"),
        ({"expected_at": "soon"}, "expected_at:"),
        ({"expected_at": "9999-12-31"}, "expected_at:"),
        ({"lines": []}, "lines: between 1"),
        ({"lines": [{"sku": "MUG", "quantity": 0}]}, "line 1: quantity"),
        ({"lines": [{"sku": "MUG", "quantity": 2.5}]}, "line 1: quantity"),
        ({"lines": [{"sku": "MUG", "quantity": True}]}, "line 1: quantity"),
        ({"lines": [{"sku": "MUG", "quantity": 13, "uom": "CA", "eaches_per_unit": 12}]}, "no whole number of units"),
        ({"lines": [{"sku": "MUG", "quantity": 12, "uom": "CA"}]}, "uom and eaches_per_unit"),
        ({"lines": [{"sku": "MUG", "quantity": 1, "unit_cost": 2.5}]}, "unit_cost"),
        ({"lines": [{"sku": "MUG", "quantity": 1, "unit_cost": "-1"}]}, "unit_cost"),
        ({"lines": [{"sku": "MUG", "quantity": 1}, {"number": "1", "sku": "BOX", "quantity": 1}]}, "named twice"),
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, "SKU 'NONE' is not in the catalogue"),
        ({"lines": [{"sku": "SET", "quantity": 1}]}, r"SET is a kit; order its components \(MUG, BOX\)"),
        ({"ship_to": {"planet": "Mars"}}, "ship_to"),
    ],
)
async def test_a_faulty_order_is_refused_whole_and_by_name(fields: dict[str, Any], fault: str) -> None:
    """Every fault names its line and field; nothing is stored and nothing is sent."""
    hub = Buying()
    with pytest.raises(PurchaseRefused, match=fault):
        await hub.order(**fields)
    assert not hub.sent()
    assert not hub.store.tables.documents


async def test_a_supplier_without_an_account_is_told_by_somebody_else() -> None:
    """Nothing is sent and nothing awaited; the order lives all the same."""
    hub = Buying()
    done = await hub.order(supplier="Invented Pottery")
    assert (done.state, done.sent) == ("sent", False)
    assert not hub.sent()
    assert not hub.awaited()


async def test_a_draft_is_sent_when_it_is_told_to() -> None:
    """A draft can be changed freely and goes out once, as it then is."""
    hub = Buying()
    assert (await hub.order(draft=True)).state == "draft"
    await hub.change({"number": "1", "change": "quantity", "quantity": 30})
    assert not hub.sent()
    sent = await hub.acts.send("OUR-1", key="s", actor="ada")
    assert (sent.state, sent.revision, sent.sent) == ("sent", "0", True)
    assert (await hub.acts.send("OUR-1", key="s", actor="ada")).repeated
    (order,) = hub.sent()
    assert order["document"]["lines"][0]["quantity"] == 30
    assert order["document"]["state"] == "sent"
    with pytest.raises(PurchaseConflict, match="no draft"):
        await hub.acts.send("OUR-1", key="t", actor="ada")


async def test_what_was_taken_off_a_draft_is_not_ordered() -> None:
    """The supplier is sent the lines that are wanted and no other."""
    hub = Buying()
    await hub.order(draft=True)
    await hub.change({"number": "1", "change": "remove"})
    await hub.acts.send("OUR-1", key="s", actor="ada")
    (order,) = hub.sent()
    assert [(line["number"], line["sku"]) for line in order["document"]["lines"]] == [("2", "BOX")]
    await hub.hear(answer("a", state="accepted"))
    assert (hub.incoming("MUG"), hub.incoming("BOX"), await hub.state()) == (0, 6, "acknowledged")


async def test_changes_are_told_line_by_line_as_the_lines_are_from_now_on() -> None:
    """Every kind of change becomes one line of an 860 with its new figures, under a new revision."""
    hub = Buying()
    await hub.order()
    done = await hub.change(
        {"number": "1", "change": "quantity", "quantity": 12},
        {"number": "2", "change": "remove"},
        {"change": "add", "sku": "CUP", "quantity": 4, "unit_cost": "3.00"},
    )
    assert (done.revision, done.sent) == ("1", True)
    change = hub.sent()[-1]
    assert change["set"] == "860"
    assert change["document"]["revision"] == "1"
    told = [(line["id"], line["change"], line["quantity"]) for line in change["document"]["lines"]]
    assert told == [("1", "quantity", 12), ("2", "remove", 0), ("3", "add", 4)]
    assert change["document"]["lines"][0]["supplier_sku"] == "S-MUG"
    assert hub.awaited()["865", "OUR-1:1"].state == "open"
    done = await hub.change(
        {"number": "1", "change": "price", "unit_cost": "2.40"},
        {"number": "3", "change": "date", "expected_at": "2026-12-24"},
    )
    assert done.revision == "2"
    lines = hub.sent()[-1]["document"]["lines"]
    assert lines[0]["unit_price"] == {"amount": "2.40", "currency": "USD"}
    assert lines[1]["requested_at"] == "2026-12-24"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"number": "9", "change": "quantity", "quantity": 1}, "no line '9'"),
        ({"number": "1", "change": "polish"}, "change: one of"),
        ({"number": "1", "change": "quantity", "quantity": -1}, "quantity"),
        ({"number": "1", "change": "price"}, "unit_cost"),
        ({"number": "1", "change": "date"}, "expected_at"),
        ({"number": "1", "change": "add", "sku": "CUP", "quantity": 1}, "has a line 1 already"),
        ({"change": "add", "sku": "NONE", "quantity": 1}, "not in the catalogue"),
    ],
)
async def test_a_faulty_change_changes_nothing(change: dict[str, Any], fault: str) -> None:
    """The order stays at its revision and the supplier hears nothing."""
    hub = Buying()
    await hub.order()
    with pytest.raises(PurchaseRefused, match=fault):
        await hub.change(change)
    assert (await look(hub.store, "OUR-1")).order["revision"] == "0"
    assert len(hub.sent()) == 1


async def test_a_change_with_a_key_is_made_once() -> None:
    """The key answers again with what it did; another request under it is a conflict."""
    hub = Buying()
    await hub.order()
    less = [{"number": "1", "change": "quantity", "quantity": 12}]
    for repeated in (False, True):
        done = await hub.acts.change("OUR-1", less, key="same", actor="ada")
        assert (done.revision, done.repeated) == ("1", repeated)
    assert len(hub.sent()) == 2
    with pytest.raises(PurchaseConflict, match="another request"):
        await hub.acts.change("OUR-1", [{"number": "1", "change": "remove"}], key="same", actor="ada")


async def test_a_change_from_an_old_revision_is_refused() -> None:
    """Two buyers do not overwrite each other unseen."""
    hub = Buying()
    await hub.order()
    await hub.change({"number": "1", "change": "quantity", "quantity": 12}, expected="0")
    with pytest.raises(PurchaseConflict, match="is at revision 1, not 0"):
        await hub.change({"number": "1", "change": "quantity", "quantity": 13}, expected="0")


async def test_nothing_left_of_an_order_is_a_cancellation() -> None:
    """Removing every line is refused with the word for it."""
    hub = Buying()
    await hub.order()
    with pytest.raises(PurchaseRefused, match="cancel it instead"):
        await hub.change({"number": "1", "change": "remove"}, {"number": "2", "change": "remove"})


async def test_cancelling_releases_what_was_promised_and_is_told_whole() -> None:
    """Incoming falls to nothing, the 860 has purpose 01, nothing is awaited any more, and a second time is a repeat."""
    hub = Buying()
    await hub.order()
    await hub.hear(answer("a", state="accepted"))
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (20, 6)
    done = await hub.cancel()
    assert (done.state, done.sent) == ("cancelled", True)
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (0, 0)
    assert hub.sent()[-1]["document"]["attributes"]["purpose"] == "01"
    states = {key: row.state for key, row in hub.awaited().items()}
    assert states == {("855", "OUR-1"): "met", ("856", "OUR-1"): "dropped", ("865", "OUR-1:1"): "open"}
    assert (await hub.cancel()).repeated
    with pytest.raises(PurchaseConflict, match="is cancelled and cannot be changed"):
        await hub.change({"number": "1", "change": "remove"})
    assert hub.sound()


async def test_what_is_on_its_way_comes_although_the_order_was_cancelled() -> None:
    """A ship notice is goods, whatever we said meanwhile."""
    hub = Buying()
    await hub.order()
    await hub.hear(answer("a", state="accepted"))
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": 5}]))
    await hub.cancel()
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (5, 0)
    await hub.take_in({"sku": "MUG", "quantity": 5})
    assert (hub.incoming("MUG"), hub.on_hand("MUG")) == (0, 5)
    assert hub.sound()


async def test_closing_expects_nothing_more() -> None:
    """A short delivery that stays short stops being incoming; nothing is sent."""
    hub = Buying()
    await hub.order()
    await hub.hear(answer("a", state="accepted"))
    await hub.take_in({"sku": "MUG", "quantity": 18})
    assert (await hub.state(), hub.incoming("MUG")) == ("partially_received", 2)
    done = await hub.acts.close("OUR-1", key="c", actor="ada")
    assert (done.state, done.sent, hub.incoming("MUG"), hub.incoming("BOX")) == ("closed", False, 0, 0)
    assert len(hub.sent()) == 1
    assert (await hub.match())[0]["acknowledged"] == 20
    assert hub.sound()


async def test_taking_goods_in_by_hand() -> None:
    """Sound units are on hand, damaged ones in quarantine, both stop being incoming; a receipt counts once."""
    hub = Buying()
    await hub.order()
    await hub.hear(answer("a", state="accepted"))
    for _ in range(2):
        await hub.take_in({"number": "1", "quantity": 15, "damaged_quantity": 2}, receipt="R-1")
    mug = hub.store.position("MUG", "east")
    assert (mug.on_hand, mug.quarantine, mug.incoming) == (15, 2, 3)
    with pytest.raises(PurchaseConflict, match="R-1 of this order is known with other goods"):
        await hub.take_in({"number": "1", "quantity": 1}, receipt="R-1")
    for fault, line in {
        "no line '7'": {"number": "7", "quantity": 1},
        "'TEA' is not on the order": {"sku": "TEA", "quantity": 1},
        "nothing was taken in": {"number": "1"},
        "damaged_quantity": {"number": "1", "damaged_quantity": -1},
        "SET is a kit": {"number": "1", "sku": "SET", "quantity": 1},
    }.items():
        with pytest.raises(PurchaseRefused, match=fault):
            await hub.take_in(line)
    await hub.take_in({"number": "1", "quantity": 3}, {"sku": "S-BOX", "quantity": 6}, location="west")
    assert (hub.on_hand("MUG", "west"), hub.on_hand("BOX", "west"), hub.incoming("MUG")) == (3, 6, 0)
    assert await hub.state() == "received"
    assert hub.sound()


async def test_an_unknown_order_is_named() -> None:
    """Every act on a number that is none says so."""
    hub = Buying()
    for act in (
        hub.change({"number": "1", "change": "remove"}),
        hub.cancel(),
        hub.take_in({"number": "1", "quantity": 1}),
    ):
        with pytest.raises(UnknownPurchaseOrder, match="OUR-1"):
            await act


async def test_an_edifact_supplier_is_sent_orders_and_ordchg() -> None:
    """The partner's syntax names the message."""
    hub = Buying()
    profile = find_partner("edifact-retailer")
    agreed = profile.agreed.model_copy(
        update={"role": "supplier", "deadlines": Deadlines.model_validate({"sets": {"ORDRSP": "1h"}})}
    )
    hub.plans[SUPPLIER] = replace(hub.plans[SUPPLIER], partner=replace(profile, agreed=agreed))
    await hub.order()
    await hub.change({"number": "1", "change": "quantity", "quantity": 12})
    assert [one["set"] for one in hub.sent()] == ["ORDERS", "ORDCHG"]
    assert hub.awaited()["855", "OUR-1"].due_at == at(1000) + 3600 * 1_000_000


async def test_a_supplier_that_takes_no_changes_is_sent_none() -> None:
    """The order changes here; nothing is sent, and no answer to it is awaited."""
    hub = Buying()
    profile = find_partner("supplier")
    silent = replace(profile, agreed=profile.agreed.model_copy(update={"sends": ("850",)}))
    hub.plans[SUPPLIER] = replace(hub.plans[SUPPLIER], partner=silent)
    await hub.order()
    done = await hub.change({"number": "1", "change": "quantity", "quantity": 12})
    assert (done.revision, done.sent) == ("1", False)
    assert [one["set"] for one in hub.sent()] == ["850"]
    assert ("865", "OUR-1:1") not in hub.awaited()


async def test_what_is_sent_renders_for_the_supplier(edi_mapping: Any) -> None:
    """The 850 and each 860 are sets as the shipped supplier profile wants them: numbers, ids, units."""
    hub = Buying()
    await hub.order(
        {
            "sku": "MUG",
            "supplier_sku": "S-MUG",
            "quantity": 24,
            "unit_cost": "30.00",
            "uom": "CA",
            "eaches_per_unit": 12,
        }
    )
    await hub.change({"number": "1", "change": "quantity", "quantity": 36})
    await hub.take_in({"number": "1", "quantity": 13})
    await hub.change({"number": "1", "change": "quantity", "quantity": 24})
    await hub.cancel()
    order, change, less, cancel = hub.sent()
    lines = segments("850", canonical.parse_document(_text(order["document"])), "supplier", edi_mapping)
    assert "PO1*1*2*CA*30.00**BP*MUG*VN*S-MUG" in lines
    lines = segments("860", canonical.parse_document(_text(change["document"])), "supplier", edi_mapping)
    assert any(line.startswith("POC*1*QI*3*3*CA*30.00**BP*MUG*VN*S-MUG") for line in lines), lines
    lines = segments("860", canonical.parse_document(_text(less["document"])), "supplier", edi_mapping)
    assert any(line.startswith("POC*1*QD*2*1*CA") for line in lines), lines
    lines = segments("860", canonical.parse_document(_text(cancel["document"])), "supplier", edi_mapping)
    assert lines[0].startswith("BCH*01*SA*OUR-1**3*")
    assert any(line.startswith("POC*1*DI*0*0*CA") for line in lines), lines


@pytest.fixture(scope="module")
def edi_mapping() -> Any:
    return MappingSet.load("edi")


async def test_answers_and_parts_come_back_in_the_stored_document() -> None:
    """The order's lines carry what the supplier said, in the public form."""
    hub = Buying()
    await hub.order()
    await hub.hear(answer("a", [{"number": "1", "acknowledged": [part("accepted", 15), part("backordered", 5)]}]))
    line = (await look(hub.store, "OUR-1")).order["lines"][0]
    assert [(one["status"], one["quantity"]) for one in line["acknowledged"]] == [("accepted", 15), ("backordered", 5)]
