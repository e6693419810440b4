"""A partner's orders are reserved, answered once, changed by line and refused too late, in whatever order they come."""

from __future__ import annotations

import pytest

from hub.bootstrap.catalogue import with_gtins
from hub.orders.allocation import UNKNOWN_SKU
from hub.ports.store import SkuRow
from tests.support.buyers import (
    RETAILER,
    WAREHOUSE,
    TradingHub,
    advice,
    bought,
    cancellation,
    change,
    decisions,
    outgoing_of,
    profile,
    purchase,
    retailer,
    warehouse,
    written,
)
from tests.support.orders import shipment


def made(**changes: object) -> TradingHub:
    hub = TradingHub(retailer(profile(**changes)))
    hub.stock("MUG", 10)
    hub.stock("BOX", 5)
    return hub


async def test_an_order_reserves_and_is_answered_at_once() -> None:
    """Everything is there: one 855 that accepts, in the transaction that reserves; our SKU is found by VN."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4), bought("2", "BOX", 5)]), account=RETAILER)
    assert hub.buckets("MUG") == (10, 4, 0)
    (asked,) = outgoing_of(hub)
    assert (asked["set"], asked["document"]["state"]) == ("855", "accepted")
    assert decisions(asked) == {"1": [("accepted", 4)], "2": [("accepted", 5)]}
    rows = written(asked, profile()).rows
    assert [row[0] for row in rows].count("ACK") == 2
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4), bought("2", "BOX", 5)], version=2), account=RETAILER)
    assert len(outgoing_of(hub)) == 1
    assert hub.buckets("MUG") == (10, 4, 0)


async def test_what_is_missing_is_backordered_and_what_nobody_knows_refused() -> None:
    """Partial, backordered and unknown lines; the unknown one waits for a quarter of the time before the deadline."""
    hub = made()
    lines = [bought("1", "MUG", 12), bought("2", "GHOST", 1)]
    await hub.deliver(purchase("P1", lines), account=RETAILER)
    assert outgoing_of(hub) == []
    assert hub.store.tables.expectations[RETAILER, "855", "P1"].state == "open"
    hub.clock += 40 * 3600 * 1_000_000
    await hub.apply.resolve_held([(RETAILER, "P1")])
    (asked,) = outgoing_of(hub)
    assert decisions(asked) == {"1": [("accepted", 10), ("backordered", 2)], "2": [("rejected", 1)]}
    assert asked["document"]["state"] == "accepted_with_changes"
    assert hub.buckets("MUG") == (10, 12, 0)


@pytest.mark.parametrize("kill", ["order", "line"])
async def test_fill_or_kill_takes_whole_or_nothing(kill: str) -> None:
    """A line short is refused, with `order` the whole order; what is refused holds no stock."""
    hub = made(fill_or_kill=kill)
    await hub.deliver(purchase("P1", [bought("1", "MUG", 12), bought("2", "BOX", 2)]), account=RETAILER)
    (asked,) = outgoing_of(hub)
    taken = [("accepted", 2)] if kill == "line" else [("rejected", 2)]
    assert decisions(asked) == {"1": [("rejected", 12)], "2": taken}
    assert hub.buckets("MUG") == (10, 0, 0)
    assert hub.buckets("BOX") == (5, 2 if kill == "line" else 0, 0)
    assert hub.row("P1", RETAILER).state == ("open" if kill == "line" else "cancelled")


async def test_a_case_is_never_broken() -> None:
    """Units that make no whole case are backordered with it, since the answer speaks of cases."""
    hub = made()
    cases = bought("1", "MUG", 12, properties={"eaches_per_unit": 6, "uom_stated": "CA"})
    await hub.deliver(purchase("P1", [cases]), account=RETAILER)
    (asked,) = outgoing_of(hub)
    assert decisions(asked) == {"1": [("accepted", 6), ("backordered", 6)]}
    rows = written(asked, profile()).rows
    assert [row[2] for row in rows if row[0] == "ACK"] == ["1", "1"]


async def test_a_change_edits_lines_and_is_answered() -> None:
    """Quantity, removal, addition, price: applied once by number, each line answered by an 865."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4), bought("2", "BOX", 2)]), account=RETAILER)
    edits = [
        {"id": "1", "change": "quantity", "quantity": 7},
        {"id": "2", "change": "remove"},
        {**bought("3", "BOX", 1), "change": "add"},
        {"id": "9", "change": "price", "unit_price": {"amount": "1.00", "currency": "USD"}},
    ]
    for each in edits:
        each.pop("sku", None)
    for version in (2, 3):
        await hub.deliver(change("P1", "1", edits, version=version), account=RETAILER)
    assert hub.buckets("MUG") == (10, 7, 0)
    assert hub.buckets("BOX") == (5, 1, 0)
    (asked,) = outgoing_of(hub, kind="865")
    assert [each["acknowledged"][0]["status"] for each in asked["document"]["lines"]] == [
        "quantity_changed", "deleted", "accepted", "rejected",
    ]  # fmt: skip
    assert asked["document"]["state"] == "accepted_with_changes"


async def test_the_same_number_cannot_mean_two_changes() -> None:
    """A change that contradicts one of its number is parked by name and moves nothing."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    await hub.deliver(
        change("P1", "1", [{"id": "1", "change": "quantity", "quantity": 6}], version=2), account=RETAILER
    )
    outcome = await hub.deliver(
        change("P1", "1", [{"id": "1", "change": "quantity", "quantity": 9}], version=3), account=RETAILER
    )
    assert [code for _, _, code in outcome.failures] == ["change_repeated"]
    assert hub.buckets("MUG")[1] == 6


async def test_what_has_left_cannot_be_changed_any_more() -> None:
    """After shipping, fewer than left, a removal and a withdrawal are refused by 865; more is taken."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    await hub.deliver(shipment("s1", "P1", [("1", 3)], account=RETAILER), account=RETAILER)
    for number, quantity in (("1", 2), ("2", 5)):
        edit = {"id": "1", "change": "quantity", "quantity": quantity}
        await hub.deliver(change("P1", number, [edit], version=int(number) + 3), account=RETAILER)
    await hub.deliver(cancellation("P1", version=9), account=RETAILER)
    told = [each["document"]["state"] for each in outgoing_of(hub, kind="865")]
    assert told == ["rejected", "accepted", "rejected"]
    assert hub.buckets("MUG") == (7, 2, 0)


async def test_a_withdrawn_order_frees_what_it_held() -> None:
    """Before anything left the whole order is taken back, and said so."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    await hub.deliver(cancellation("P1", version=2), account=RETAILER)
    assert hub.buckets("MUG") == (10, 0, 0)
    assert hub.row("P1", RETAILER).state == "cancelled"
    (asked,) = outgoing_of(hub, kind="865")
    assert decisions(asked) == {"1": [("deleted", 4)]}


async def test_an_order_stated_anew_replaces_the_whole() -> None:
    """BEG01 05: lines, changes made before and the answer start over; too late, it is refused."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    await hub.deliver(
        change("P1", "1", [{"id": "1", "change": "quantity", "quantity": 9}], version=2), account=RETAILER
    )
    await hub.deliver(purchase("P1", [bought("1", "BOX", 2)], version=5), account=RETAILER)
    assert (hub.buckets("MUG")[1], hub.buckets("BOX")[1]) == (0, 2)
    assert [each["document"]["state"] for each in outgoing_of(hub, kind="855")] == ["accepted", "accepted"]
    await hub.deliver(shipment("s1", "P1", [("1", 1)], account=RETAILER), account=RETAILER)
    await hub.deliver(purchase("P1", [bought("1", "MUG", 1)], version=7), account=RETAILER)
    assert (hub.buckets("MUG")[1], hub.buckets("BOX")[1]) == (0, 1)
    assert outgoing_of(hub, kind="865")[-1]["document"]["state"] == "rejected"


async def test_the_same_words_stated_anew_take_back_what_was_agreed_since() -> None:
    """BEG01 05 after a change, and after a withdrawal: the order is as it was stated first, and answered again."""
    hub = made()
    lines = [bought("1", "MUG", 4)]
    fewer = [{"id": "1", "change": "quantity", "quantity": 1}]
    await hub.deliver(purchase("P1", lines), account=RETAILER)
    await hub.deliver(change("P1", "1", fewer, version=2), account=RETAILER)
    assert hub.buckets("MUG") == (10, 1, 0)
    await hub.deliver(purchase("P1", lines, version=3, state_raw="05"), account=RETAILER)
    assert hub.buckets("MUG") == (10, 4, 0)
    await hub.deliver(cancellation("P1", version=4), account=RETAILER)
    assert hub.buckets("MUG") == (10, 0, 0)
    await hub.deliver(purchase("P1", lines, version=5, state_raw="05"), account=RETAILER)
    assert (hub.buckets("MUG"), hub.row("P1", RETAILER).state) == ((10, 4, 0), "open")
    assert [each["document"]["state"] for each in outgoing_of(hub, kind="855")] == ["accepted"] * 3
    await hub.deliver(purchase("P1", lines, version=6, state_raw="05"), account=RETAILER)
    await hub.deliver(purchase("P1", lines, version=7, state_raw="07"), account=RETAILER)
    assert len(outgoing_of(hub, kind="855")) == 3


async def test_a_line_that_becomes_an_unknown_article_holds_nothing_of_the_one_before() -> None:
    """What was reserved for the first article is neither promised nor shipped for the other."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    await hub.deliver(purchase("P1", [bought("1", "GHOST", 4)], version=2), account=RETAILER)
    assert hub.buckets("MUG") == (10, 0, 0)
    assert hub.row("P1", RETAILER).holds == (UNKNOWN_SKU,)
    assert len(outgoing_of(hub, kind="855")) == 1


async def test_every_withdrawal_is_answered() -> None:
    """Refused once and asked again, taken back, stated anew and taken back once more: an 865 each."""
    hub = made()
    lines = [bought("1", "MUG", 4)]
    await hub.deliver(purchase("P1", lines), account=RETAILER)
    await hub.deliver(cancellation("P1", version=2), account=RETAILER)
    await hub.deliver(purchase("P1", lines, version=3, state_raw="05"), account=RETAILER)
    await hub.deliver(cancellation("P1", version=4), account=RETAILER)
    await hub.deliver(cancellation("P1", version=5), account=RETAILER)
    assert hub.row("P1", RETAILER).state == "cancelled"
    await hub.deliver(purchase("P2", lines), account=RETAILER)
    await hub.deliver(shipment("s1", "P2", [("1", 1)], account=RETAILER), account=RETAILER)
    for version in (2, 3):
        await hub.deliver(cancellation("P2", version=version), account=RETAILER)
    states = [each["document"]["state"] for each in outgoing_of(hub, kind="865")]
    assert states == ["accepted", "accepted", "rejected", "rejected"]


async def test_a_change_may_come_before_its_order() -> None:
    """Whatever comes first, the order ends the same, and its parts are found although only the change names them."""
    hub = made()
    added = {**bought("2", "BOX", 3), "change": "add"}
    await hub.deliver(change("P1", "1", [added], version=4), account=RETAILER)
    assert outgoing_of(hub) == []
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    assert (hub.buckets("MUG")[1], hub.buckets("BOX")[1]) == (4, 3)
    assert [each["set"] for each in outgoing_of(hub)] == ["855", "865"]
    assert not hub.row("P1", RETAILER).holds


async def test_a_change_to_an_order_split_by_store_is_parked_by_name() -> None:
    """It names none of the orders there are, and is not lost."""
    hub = made(sdq=profile().agreed.sdq.model_copy(update={"mode": "explode"}))
    await hub.deliver(purchase("P1/0012", [bought("1", "MUG", 4)]), account=RETAILER)
    edit = {"id": "1", "change": "quantity", "quantity": 6}
    outcome = await hub.deliver(change("P1", "1", [edit], version=2), account=RETAILER)
    assert [code for _, _, code in outcome.failures] == ["order_split"]


async def test_a_line_that_names_a_place_ships_from_there() -> None:
    """The retailer's code of our warehouse decides where the line is reserved."""
    hub = TradingHub(retailer(locations={"DC7": "west", "DC1": "east"}, routing=("east", "west")))
    hub.stock("MUG", 10)
    hub.stock("MUG", 10, location="west")
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4, ship_from_raw="DC7")]), account=RETAILER)
    assert (hub.buckets("MUG", "west")[1], hub.buckets("MUG")[1]) == (4, 0)


async def test_what_was_refused_is_not_brought_back_by_a_change() -> None:
    """After fill or kill a change of the order is refused, and nothing is reserved for it."""
    hub = made(fill_or_kill="order")
    await hub.deliver(purchase("P1", [bought("1", "MUG", 12)]), account=RETAILER)
    edit = {"id": "1", "change": "quantity", "quantity": 14, "change_raw": "QI"}
    await hub.deliver(change("P1", "1", [edit], version=2), account=RETAILER)
    (asked,) = outgoing_of(hub, kind="865")
    assert asked["document"]["state"] == "rejected"
    assert hub.buckets("MUG") == (10, 0, 0)


@pytest.mark.parametrize(
    "name", ["big-box", "department-store", "marketplace", "direct-fulfilment", "edifact-retailer"]
)
async def test_every_shipped_partner_can_be_answered(name: str) -> None:
    """Answers, notices and bills can be written by each example's rules and codes."""
    partner = profile(name)
    hub = TradingHub(retailer(partner), warehouse())
    hub.stock("MUG", 100)
    hub.stock("BOX", 1)
    edits = [
        {"id": "1", "change": "quantity", "quantity": 22, "change_raw": "QI"},
        {"id": "9", "change": "remove", "change_raw": "DI"},
    ]
    await hub.deliver(purchase("P1", [bought("1", "MUG", 20), bought("2", "BOX", 2)]), account=RETAILER)
    await hub.deliver(change("P1", "1", edits, version=2), account=RETAILER)
    if name != "direct-fulfilment":
        await hub.deliver(advice("S1", "P1", [[("MUG", 12)]], version=3), account=WAREHOUSE)
    await hub.deliver(cancellation("P1", version=9), account=RETAILER)
    asked = outgoing_of(hub)
    assert len(asked) == (3 if name == "direct-fulfilment" else 5)
    for each in asked:
        assert written(each, partner).rows


async def test_a_reason_has_a_code_where_the_partner_has_one() -> None:
    """Out of stock and unknown are two numbers to who answers with numbers."""
    partner = profile("direct-fulfilment", fill_or_kill="line", deadlines=profile().agreed.deadlines)
    hub = TradingHub(retailer(partner))
    hub.stock("MUG", 1)
    await hub.deliver(purchase("P1", [bought("1", "MUG", 2), bought("2", "GHOST", 1)]), account=RETAILER)
    hub.clock += 47 * 3600 * 1_000_000
    await hub.apply.resolve_held([(RETAILER, "P1")])
    (asked,) = outgoing_of(hub)
    assert [row[1] for row in written(asked, partner).rows if row[0] == "ACK"] == ["03", "02"]


async def test_an_article_is_found_by_its_gtin_in_any_width() -> None:
    """The retailer names only its own number and the UPC; the catalogue has the same number as EAN-13."""
    hub = TradingHub(retailer())
    (row,) = with_gtins([SkuRow("MUG", gtin="0012345678905")])
    hub.stock("MUG", 10, gtin=row.gtin, aliases=row.aliases)
    mug = bought("1", "X", 4, gtin="012345678905", properties={"ids": {"IN": "R-X", "UP": "012345678905"}})
    await hub.deliver(purchase("P1", [mug]), account=RETAILER)
    assert hub.buckets("MUG") == (10, 4, 0)


def test_a_gtin_of_two_articles_means_neither() -> None:
    """A number that two SKUs share finds nothing rather than the wrong one."""
    rows = with_gtins([SkuRow("A", gtin="012345678905"), SkuRow("B", gtin="12345678905"), SkuRow("C")])
    assert [row.aliases for row in rows] == [(), (), ()]
