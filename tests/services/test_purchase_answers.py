"""What suppliers and warehouses say of our orders: lines, state, incoming stock, what is owed, the four-way match."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.purchasing.expected import EXPECTED, load
from hub.services.purchasing_unit import look
from mappings.edi.partners import find_partner
from mappings.edi.partners.parts import Deadlines
from tests.support.buying import SUPPLIER, Buying, answer, invoice, notice, part, received
from tests.support.orders import at


def line(number: str, *parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"number": number, "acknowledged": list(parts), **fields}


async def ordered(**fields: Any) -> Buying:
    hub = Buying()
    await hub.order(**fields)
    return hub


async def test_accepting_an_order_makes_its_stock_incoming() -> None:
    """An answer without lines that accepts accepts every line as ordered."""
    hub = await ordered()
    await hub.hear(answer("a", state="accepted"))
    assert (await hub.state(), hub.incoming("MUG"), hub.incoming("BOX")) == ("acknowledged", 20, 6)
    assert hub.awaited()["855", "OUR-1"].state == "met"
    assert hub.sound()


async def test_several_parts_of_one_line() -> None:
    """Accepted, rescheduled and back-ordered parts are promised, each on its day; held and refused ones are not."""
    hub = await ordered()
    told = line(
        "1", part("accepted", 8), part("backordered", 4, expected_at="2026-12-15"), part("rescheduled", 3),
        part("held", 2), part("rejected", 3),
    )  # fmt: skip
    await hub.hear(answer("a", [told]))
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (15, 0)
    assert await hub.state() == "partially_acknowledged"
    row, other = await hub.match()
    kinds = [difference["kind"] for difference in row["differences"]]
    assert kinds == ["acknowledged", "held", "rejected"]
    assert row["differences"][0]["text"] == "15 acknowledged, 20 as ordered: 5 fewer"
    assert (row["acknowledged"], other["acknowledged"]) == (15, None)


async def test_a_rejected_order_promises_nothing_and_owes_nothing() -> None:
    """A refusal of the whole ends what was awaited: the answer failed, the rest dropped."""
    hub = await ordered()
    await hub.hear(answer("a", state="rejected"))
    assert (await hub.state(), hub.incoming("MUG")) == ("rejected", 0)
    assert {key: row.state for key, row in hub.awaited().items()} == {
        ("855", "OUR-1"): "failed",
        ("856", "OUR-1"): "dropped",
    }


async def test_a_later_answer_posts_the_difference() -> None:
    """The supplier's own change (865) takes the place of what it said of those lines before, and of no other."""
    hub = await ordered()
    await hub.hear(answer("a", state="accepted"))
    await hub.hear(answer("b", [line("1", part("quantity_changed", 12))], version=2))
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (12, 6)
    await hub.hear(answer("c", [line("2", part("deleted"))], version=3))
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (12, 0)
    reasons = [(row.reason, row.delta) for row in hub.store.tables.postings if row.sku == "MUG"]
    assert reasons == [("acknowledged", 20), ("cancelled", -8)]


async def test_a_substitute_is_incoming_under_its_own_sku() -> None:
    """What comes instead is promised, shipped and received as what it is, against the line it is for."""
    hub = await ordered()
    await hub.hear(answer("a", [line("1", part("substituted", 20, channel_sku="CUP"))]))
    assert (hub.incoming("MUG"), hub.incoming("CUP")) == (0, 20)
    await hub.hear(notice("n", [{"channel_sku": "CUP", "quantity": 20}]))
    await hub.hear(received("r", [{"channel_sku": "CUP", "quantity": 20}]))
    assert (hub.incoming("CUP"), hub.on_hand("CUP"), hub.on_hand("MUG")) == (0, 20, 0)
    row, _ = await hub.match()
    assert (row["shipped"], row["received"]) == (20, 20)
    assert [one["text"] for one in row["differences"]] == ["20 substituted by CUP"]


async def test_a_substitute_that_is_no_sku_of_ours_is_named_and_not_promised() -> None:
    """Nothing is guessed: the units are not incoming under any SKU."""
    hub = await ordered()
    await hub.hear(answer("a", [line("1", part("substituted", 20, channel_sku="S-XXL"))]))
    assert hub.incoming("MUG") == 0
    row, _ = await hub.match()
    assert "20 substituted by S-XXL, which is no SKU of ours" in [one["text"] for one in row["differences"]]


async def test_shipped_received_and_invoiced_follow() -> None:
    """The state walks in_transit, partially_received, received, invoiced; what is owed is met as it comes."""
    hub = await ordered()
    await hub.hear(answer("a", state="accepted"))
    await hub.hear(notice("n1", [{"id": "1", "channel_sku": "MUG", "quantity": 12}]))
    assert (await hub.state(), hub.incoming("MUG")) == ("in_transit", 20)
    assert hub.awaited()["856", "OUR-1"].state == "open"
    await hub.hear(received("r1", [{"channel_sku": "MUG", "quantity": 11, "damaged_quantity": 1}]))
    mug = hub.store.position("MUG", "east")
    assert (mug.on_hand, mug.quarantine, mug.incoming) == (11, 1, 8)
    assert await hub.state() == "partially_received"
    await hub.hear(notice("n2", [{"channel_sku": "MUG", "quantity": 8}, {"channel_sku": "BOX", "quantity": 6}]))
    assert hub.awaited()["856", "OUR-1"].state == "met"
    await hub.hear(received("r2", [{"channel_sku": "MUG", "quantity": 8}, {"channel_sku": "BOX", "quantity": 6}]))
    assert await hub.state() == "received"
    assert hub.awaited()["810", "OUR-1"].state == "open"
    lines = [
        {"channel_sku": "MUG", "quantity": 20, "unit_price": {"amount": "2.50", "currency": "USD"}},
        {"channel_sku": "BOX", "quantity": 6, "unit_price": {"amount": "1.10", "currency": "USD"}},
    ]
    await hub.hear(invoice("i", lines))
    assert await hub.state() == "invoiced"
    assert hub.awaited()["810", "OUR-1"].state == "met"
    mugs, boxes = await hub.match()
    assert [one["kind"] for one in mugs["differences"]] == ["damaged"]
    assert [one["text"] for one in boxes["differences"]] == ["1.10 invoiced, 1.00 ordered: +0.10 per unit"]
    assert hub.sound()


async def test_what_is_owed_once_more_is_not_late_at_once() -> None:
    """An invoice was there for the first shipment; that for the second is awaited from the second on."""
    hub = await ordered()
    profile = find_partner("supplier")
    agreed = profile.agreed.model_copy(update={"deadlines": Deadlines.model_validate({"sets": {"810": "1d"}})})
    hub.plans[SUPPLIER] = replace(hub.plans[SUPPLIER], partner=replace(profile, agreed=agreed))
    for name, moment in (("first", 1000), ("second", 90_000)):
        hub.clock = at(moment)
        await hub.hear(notice(name, [{"channel_sku": "MUG", "quantity": 10}]))
        owed = hub.awaited()["810", "OUR-1"]
        assert (owed.state, owed.opened_at) == ("open", at(moment))
        assert owed.due_at is not None
        assert owed.due_at > hub.clock
        await hub.hear(invoice(name, [{"channel_sku": "MUG", "quantity": 10}]))
        assert hub.awaited()["810", "OUR-1"].state == "met"


async def test_prices_are_compared_with_what_was_ordered() -> None:
    """The answer's and the invoice's, to the last digit, in the line's unit and currency."""
    hub = await ordered()
    told = [
        line("1", part("accepted", 20), unit_cost={"amount": "2.5000", "currency": "USD"}),
        line("2", part("price_changed", 6, unit_price={"amount": "1.05", "currency": "USD"})),
    ]
    await hub.hear(answer("a", told))
    bill = [
        {"channel_sku": "MUG", "quantity": 20, "unit_price": {"amount": "2.50", "currency": "EUR"}},
        {"channel_sku": "BOX", "quantity": 6, "unit_price": {"amount": "6.00", "currency": "EUR"}, "price_uom": "PK"},
    ]
    await hub.hear(invoice("i", bill, currency="EUR"))
    mugs, boxes = await hub.match()
    assert [one["text"] for one in mugs["differences"] if one["kind"] != "invoiced"] == [
        "invoiced in EUR, ordered in USD"
    ]
    assert next(one["text"] for one in boxes["differences"]) == "6 invoiced, 0 as received: 6 more"
    assert "1.05 acknowledged, 1.00 ordered: +0.05 per unit" in [one["text"] for one in boxes["differences"]]
    await hub.hear(invoice("i", [bill[1]], version=2))
    assert "invoiced 6.00 per PK, ordered 1.00 per EA: not comparable" in [
        one["text"] for one in (await hub.match())[1]["differences"]
    ]


async def test_a_shipment_before_its_answer_and_an_invoice_before_both() -> None:
    """Nothing waits: goods on their way are incoming, and the answer changes no more than what it adds."""
    hub = await ordered()
    await hub.hear(invoice("i", [{"channel_sku": "MUG", "quantity": 12}]))
    assert (await hub.state(), hub.incoming("MUG")) == ("sent", 0)
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": 12}]))
    assert (await hub.state(), hub.incoming("MUG")) == ("in_transit", 12)
    await hub.hear(answer("a", [line("1", part("accepted", 10))]))
    assert hub.incoming("MUG") == 12
    row, _ = await hub.match()
    texts = [one["text"] for one in row["differences"]]
    assert texts == [
        "10 acknowledged, 20 as ordered: 10 fewer",
        "12 shipped, 10 as acknowledged: 2 more",
        "12 invoiced, 0 as received: 12 more",
    ]


async def test_a_cancelled_notice_and_a_credit_take_back_what_they_said() -> None:
    """The notice's newer version stands; a credit is a negative quantity."""
    hub = await ordered()
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": 12}]))
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": 12}], version=2, state="cancelled"))
    assert (await hub.state(), hub.incoming("MUG")) == ("sent", 0)
    await hub.hear(invoice("i", [{"channel_sku": "MUG", "quantity": 12}]))
    await hub.hear(invoice("c", [{"channel_sku": "MUG", "quantity": 12}], kind="credit"))
    assert (await hub.match())[0]["invoiced"] == 0


async def test_a_duplicate_changes_nothing_and_an_older_version_neither() -> None:
    """The same document again, in the same file or another, posts nothing."""
    hub = await ordered()
    for version in (5, 5, 4):
        await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": version}], version=version))
    assert hub.incoming("MUG") == 5
    assert len(hub.store.tables.postings) == 1


async def test_lines_are_found_by_article_and_strangers_are_shown() -> None:
    """A supplier's own line numbers mislead nobody: the article decides, and what is not ordered is listed."""
    hub = await ordered()
    await hub.hear(
        notice(
            "n", [{"id": "1", "channel_sku": "S-BOX", "quantity": 6}, {"id": "2", "channel_sku": "TEA", "quantity": 9}]
        )
    )
    mugs, boxes = await hub.match()
    assert (mugs["shipped"], boxes["shipped"]) == (0, 6)
    ((told, stranger),) = (await hub.stands()).strangers
    assert (told.kind, stranger.items, stranger.quantity) == ("notice", ("TEA",), "9")


async def test_an_article_is_known_by_its_gtin_although_the_order_does_not_state_it() -> None:
    """The catalogue's article number finds the line: what is shipped and taken in by it stops being incoming."""
    hub = await ordered()
    hub.store.seed_sku("MUG", gtin="012345678905", aliases=(("", "gtin:12345678905"),))
    await hub.hear(answer("a", state="accepted"))
    await hub.hear(notice("n", [{"gtin": "00012345678905", "quantity": 20}]))
    await hub.hear(received("r", [{"gtin": "012345678905", "quantity": 20}]))
    assert (hub.on_hand("MUG"), hub.incoming("MUG")) == (20, 0)
    assert (await hub.stands()).strangers == []


async def test_an_answer_that_numbers_its_own_lines_speaks_of_the_articles_it_names() -> None:
    """Only the second line is answered, without its number, as the answer's first: the first stays unanswered."""
    hub = await ordered()
    await hub.hear(answer("a", [line("1", part("backordered", 6), channel_sku="BOX", supplier_sku="S-BOX")]))
    mugs, boxes = await hub.match()
    assert (mugs["acknowledged"], boxes["acknowledged"]) == (None, 6)
    assert (hub.incoming("MUG"), hub.incoming("BOX")) == (0, 6)


async def test_a_substitute_that_is_ordered_elsewhere_too_is_for_the_line_it_names() -> None:
    """The answer's number decides where the article is another line's because it comes instead."""
    hub = await ordered()
    await hub.hear(answer("a", [line("1", part("substituted", 20, channel_sku="BOX"), channel_sku="BOX")]))
    assert hub.incoming("BOX") == 20
    assert (await hub.match())[1]["acknowledged"] is None


async def test_an_article_on_two_lines_fills_one_after_the_other() -> None:
    """A delivery split over two lines of one article: documents that name the article alone leave nothing phantom."""
    hub = Buying()
    await hub.order({"sku": "MUG", "quantity": 20}, {"sku": "MUG", "quantity": 20}, {"sku": "BOX", "quantity": 6})
    await hub.hear(answer("a", state="accepted"))
    assert hub.incoming("MUG") == 40
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": 35}]))
    await hub.hear(received("r", [{"channel_sku": "MUG", "quantity": 25, "damaged_quantity": 5}]))
    assert (hub.incoming("MUG"), hub.on_hand("MUG")) == (10, 25)
    await hub.take_in({"sku": "MUG", "quantity": 10}, {"sku": "BOX", "quantity": 6}, receipt="R-1")
    assert (hub.incoming("MUG"), await hub.state()) == (0, "received")
    await hub.hear(invoice("i", [{"channel_sku": "MUG", "quantity": 41}]))
    first, second, _ = await hub.match()
    assert [(row["shipped"], row["received"], row["damaged"]) for row in (first, second)] == [(20, 20, 0), (15, 20, 5)]
    assert (first["invoiced"], second["invoiced"]) == (21, 20)
    assert hub.sound()


async def test_the_articles_packs_count_for_the_article_alone() -> None:
    """Cases of what was ordered are eaches by the catalogue's pack; cases of a substitute may hold another number."""
    hub = Buying()
    mugs = {"sku": "MUG", "quantity": 24, "packs": {"CA": 12}}
    await hub.order(mugs)
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": "1.0", "uom": "CA"}]))
    assert hub.incoming("MUG") == 12
    instead = line("1", part("substituted", quantity="1.0", uom="CA", channel_sku="CUP"))
    await hub.hear(answer("a", [instead]))
    assert hub.incoming("CUP") == 0
    assert "substituted 1.0 CA: how many eaches that is, is not known" in [
        one["text"] for one in (await hub.match())[0]["differences"]
    ]


async def test_cases_are_counted_with_the_pack_the_line_was_ordered_in() -> None:
    """A quantity in the line's own unit becomes eaches; in another unit it is named and moves nothing."""
    hub = await ordered(
        lines=[{"sku": "MUG", "quantity": 24, "uom": "CA", "eaches_per_unit": 12, "unit_cost": "30.00"}]
    )
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": "1.0", "uom": "CA"}]))
    assert hub.incoming("MUG") == 12
    await hub.hear(notice("m", [{"channel_sku": "MUG", "quantity": "1.0", "uom": "PL"}]))
    assert hub.incoming("MUG") == 12
    price = {"amount": "30.00", "currency": "USD"}
    await hub.hear(invoice("i", [{"channel_sku": "MUG", "quantity": 12, "unit_price": price, "price_uom": "CA"}]))
    texts = [one["text"] for one in (await hub.match())[0]["differences"]]
    assert "shipped 1.0 PL: how many eaches that is, is not known" in texts
    assert not any("30.00" in text for text in texts)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (answer("a", order="OTHER"), "purchase order OTHER is not known here"),
        (notice("n", [{"channel_sku": "MUG", "quantity": 1}], order="OTHER"), "purchase order OTHER is not known here"),
        (invoice("i", [], order="OTHER"), "purchase order OTHER is not known here"),
    ],
)
async def test_a_document_about_no_order_of_ours_is_parked_by_name(document: Any, reason: str) -> None:
    """It is a failure that can be replayed once the order is there, and nothing of it is stored."""
    hub = await ordered()
    before = dict(hub.store.tables.documents)
    await hub.hear(document)
    (failure,) = hub.store.tables.failures.values()
    assert (failure.error, failure.code) == ("UnknownPurchaseOrder", "unknown_order")
    assert failure.message.startswith(reason)
    assert hub.store.tables.documents == before


async def test_one_supplier_does_not_answer_for_another() -> None:
    """An answer to an order that is with somebody else is parked, too."""
    hub = await ordered(supplier="Invented Pottery")
    await hub.hear(answer("a", state="accepted"))
    (failure,) = hub.store.tables.failures.values()
    assert failure.message == f"purchase order OUR-1 is with Invented Pottery, not with {SUPPLIER}"
    assert hub.incoming("MUG") == 0


async def test_a_receipt_of_no_order_of_ours_is_stock_all_the_same() -> None:
    """Goods are here, whoever ordered them."""
    hub = await ordered()
    await hub.hear(received("r", [{"channel_sku": "MUG", "quantity": 3}], order="TRANSFER-1"))
    assert (hub.on_hand("MUG"), hub.incoming("MUG")) == (3, 0)
    assert not hub.store.tables.failures


async def test_another_warehouses_goods_are_on_hand_there_and_incoming_falls_where_it_was() -> None:
    """The order's location stops expecting what arrived somewhere else."""
    hub = await ordered(location="west")
    await hub.hear(answer("a", state="accepted"))
    assert hub.incoming("MUG", "west") == 20
    await hub.hear(received("r", [{"channel_sku": "MUG", "quantity": 20}]))
    assert (hub.on_hand("MUG", "east"), hub.incoming("MUG", "west"), hub.incoming("MUG", "east")) == (20, 0, 0)
    assert hub.sound()


async def test_an_answer_is_about_the_revision_it_names() -> None:
    """Accepting the order as it was does not accept what we asked for since; accepting the change does."""
    hub = await ordered()
    await hub.hear(answer("a", state="accepted"))
    await hub.change({"number": "1", "change": "quantity", "quantity": 30})
    assert hub.incoming("MUG") == 20
    assert hub.awaited()["865", "OUR-1:1"].state == "open"
    await hub.hear(answer("b", state="accepted", version=2, attributes={"revision": "1"}))
    assert hub.incoming("MUG") == 30
    assert hub.awaited()["865", "OUR-1:1"].state == "met"
    await hub.change({"number": "1", "change": "quantity", "quantity": 25})
    assert hub.incoming("MUG") == 25
    assert (await look(hub.store, "OUR-1")).order["state"] == "acknowledged"


async def test_what_was_refused_is_the_first_to_go_when_less_is_wanted() -> None:
    """Of 20 the supplier promised 12; wanting 15 takes nothing off that, wanting 10 takes 2."""
    hub = await ordered()
    await hub.hear(answer("a", [line("1", part("accepted", 12), part("rejected", 8))]))
    for wanted, coming in ((15, 12), (10, 10)):
        await hub.change({"number": "1", "change": "quantity", "quantity": wanted})
        assert hub.incoming("MUG") == coming
    assert hub.sound()


async def test_a_change_that_is_turned_down_leaves_what_was_promised() -> None:
    """Neither a reduction nor a cancellation that the supplier refuses takes goods off that will come."""
    hub = await ordered()
    await hub.hear(answer("a", state="accepted"))
    await hub.change({"number": "1", "change": "quantity", "quantity": 5})
    assert hub.incoming("MUG") == 5
    await hub.hear(answer("b", state="rejected", version=2, attributes={"revision": "1"}))
    assert (hub.incoming("MUG"), hub.incoming("BOX"), await hub.state()) == (20, 6, "acknowledged")
    states = {key: row.state for key, row in hub.awaited().items()}
    assert (states["855", "OUR-1"], states["865", "OUR-1:1"]) == ("met", "failed")
    assert (await hub.match())[0]["differences"][0]["text"] == "20 acknowledged, 5 as ordered: 15 more"
    assert (await hub.cancel()).state == "cancelled"
    assert hub.incoming("MUG") == 0
    await hub.hear(answer("c", state="rejected", version=3, attributes={"revision": "2"}))
    assert (hub.incoming("MUG"), await hub.state()) == (20, "acknowledged")
    assert hub.awaited()["856", "OUR-1"].state == "open"
    assert (await hub.cancel()).revision == "3"
    assert (hub.incoming("MUG"), await hub.state()) == (0, "cancelled")
    assert hub.sound()


async def test_a_refusal_that_names_no_revision_refuses_the_order() -> None:
    """An 855 that crosses with our change turns down the order, not the change."""
    hub = await ordered()
    await hub.change({"number": "1", "change": "quantity", "quantity": 5})
    await hub.hear(answer("a", state="rejected"))
    assert (await hub.state(), hub.incoming("MUG")) == ("rejected", 0)


async def test_the_last_day_of_the_calendar_is_no_day() -> None:
    """Systems that must fill in a date write 9999-12-31: what is promised so is promised without a day."""
    hub = await ordered()
    await hub.hear(answer("a", [line("1", part("backordered", 20, expected_at="9999-12-31"))]))
    await hub.hear(notice("n", [{"channel_sku": "BOX", "quantity": 6}], expected_at="9999-12-31T23:59:59Z"))
    assert not hub.store.tables.failures
    days = [load(hub.store.tables.documents["", EXPECTED, sku].document) for sku in ("MUG", "BOX")]
    assert [[(one.quantity, one.at) for one in parts] for parts in days] == [[(20, None)], [(6, None)]]


async def test_the_days_of_what_is_due_stand_beside_the_sku() -> None:
    """Accepted is due on the day asked for, back-ordered on its own, and a ship notice dates what it carries."""
    hub = await ordered(expected_at="2026-12-10")
    told = line("1", part("accepted", 12), part("backordered", 8))
    await hub.hear(answer("a", [told]))
    row = hub.store.tables.documents["", EXPECTED, "MUG"]
    day = 24 * 60
    tenth = at(20 * day + 12 * 60)
    assert [(one.quantity, one.at) for one in load(row.document)] == [(12, tenth), (8, None)]
    await hub.hear(notice("n", [{"channel_sku": "MUG", "quantity": 5}], expected_at="2026-12-05"))
    row = hub.store.tables.documents["", EXPECTED, "MUG"]
    assert [(one.quantity, one.at) for one in load(row.document)] == [
        (5, tenth - 5 * day * 60_000_000),
        (7, tenth),
        (8, None),
    ]
    await hub.take_in({"sku": "MUG", "quantity": 6})
    row = hub.store.tables.documents["", EXPECTED, "MUG"]
    assert [(one.quantity, one.at) for one in load(row.document)] == [(6, tenth), (8, None)]
