"""A warehouse that runs a location is told by 940; what it reports (945, 944, 947, 846) is what the hub holds."""

from __future__ import annotations

from typing import Any

from tests.support.buyers import (
    RETAILER,
    WAREHOUSE,
    TradingHub,
    advice,
    bought,
    cancellation,
    change,
    outgoing_of,
    purchase,
    retailer,
    warehouse,
    written,
)
from tests.support.orders import at, document, line, order, plan, report

EAST = {"east": WAREHOUSE}


def made(**rules: Any) -> TradingHub:
    hub = TradingHub(retailer(warehouses=EAST), plan(warehouses=EAST), warehouse(**rules))
    hub.stock("MUG", 100)
    hub.stock("BOX", 50)
    hub.store.seed_sku("SET", components=(("MUG", 2), ("BOX", 1)))
    return hub


def rows_of(hub: TradingHub, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    partner = hub.plans[WAREHOUSE].partner
    assert partner is not None
    return [tuple(row) for row in written(asked, partner).rows]


async def test_an_order_allocated_there_is_sent_there() -> None:
    """Any channel's order: lines, the receiver's address and our number, which no two orders share."""
    hub = made()
    ship_to = {"name": "Ada Example", "line1": "1 Main St", "city": "Springfield", "region": "IL", "country": "US"}
    await hub.deliver(order("1", [line("a", "MUG", 3)], ship_to=ship_to))
    await hub.deliver(purchase("1", [bought("1", "BOX", 2)]), account=RETAILER)
    first, second = outgoing_of(hub, WAREHOUSE, "940")
    assert first["document"]["number"] != second["document"]["number"]
    rows = rows_of(hub, first)
    (head,) = [row for row in rows if row[0] == "W05"]
    assert head[1] == "N"
    assert len(head[2]) <= 22
    assert next(row[2] for row in rows if row[0] == "N1" and row[1] == "ST") == "Ada Example"
    assert [row[1] for row in rows if row[0] == "W01"] == ["3"]
    assert [row[4] for row in rows if row[0] == "N1" and row[1] == "WH"] == ["3PL01"]
    stored = hub.store.tables.documents[WAREHOUSE, "warehouse_order", first["document"]["number"]]
    assert "Ada" not in stored.document


async def test_its_advice_ships_the_order_and_a_short_line_stays_reserved() -> None:
    """A 945 by our number comes home; what was shipped short is still held and nobody is told it left."""
    hub = made()
    await hub.deliver(order("1", [line("a", "MUG", 10)]))
    (asked,) = outgoing_of(hub, WAREHOUSE, "940")
    number = asked["document"]["number"]
    await hub.deliver(advice("S1", number, [[("MUG", 8)]], version=5), account=WAREHOUSE)
    assert hub.buckets("MUG") == (92, 2, 0)
    assert hub.store.tables.expectations[WAREHOUSE, "945", number].state == "met"
    assert len(outgoing_of(hub, WAREHOUSE, "940")) == 1


async def test_the_parts_of_a_kit_are_sent_and_come_back_as_the_kit() -> None:
    """The warehouse knows articles, the order its kit: both are right."""
    hub = made()
    await hub.deliver(order("1", [line("a", "SET", 2)]))
    (asked,) = outgoing_of(hub, WAREHOUSE, "940")
    assert [(each["sku"], each["quantity"]) for each in asked["document"]["lines"]] == [("MUG", 4), ("BOX", 2)]
    parts = [[("MUG", 4), ("BOX", 2)]]
    await hub.deliver(advice("S1", asked["document"]["number"], parts, version=5), account=WAREHOUSE)
    assert (hub.buckets("MUG"), hub.buckets("BOX")) == ((96, 0, 0), (48, 0, 0))


async def test_changes_and_withdrawals_follow_the_guide() -> None:
    """With codes of its own the warehouse is told of both; the order changes."""
    hub = made(change="C", cancel="D")
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    more = {"id": "1", "change": "quantity", "quantity": 6}
    await hub.deliver(change("P1", "1", [more], version=2), account=RETAILER)
    await hub.deliver(cancellation("P1", version=3), account=RETAILER)
    asked = outgoing_of(hub, WAREHOUSE, "940")
    heads = [row for each in asked for row in rows_of(hub, each) if row[0] == "W05"]
    assert [row[1] for row in heads] == ["N", "C", "D"]
    assert len({row[2] for row in heads}) == 1
    assert hub.buckets("MUG") == (100, 0, 0)


async def test_without_a_code_a_partner_is_refused_and_a_channel_seen_to() -> None:
    """A retailer's change comes too late; a channel's cancellation stands, and somebody has to call the warehouse."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    more = {"id": "1", "change": "quantity", "quantity": 6}
    await hub.deliver(change("P1", "1", [more], version=2), account=RETAILER)
    await hub.deliver(cancellation("P1", version=3), account=RETAILER)
    assert [each["document"]["state"] for each in outgoing_of(hub, kind="865")] == ["rejected", "rejected"]
    assert hub.buckets("MUG")[1] == 4
    await hub.deliver(order("1", [line("a", "BOX", 3)]))
    await hub.deliver(order("1", [line("a", "BOX", 3, cancelled_quantity=3)], version=2, state="cancelled"))
    assert hub.buckets("BOX") == (50, 0, 0)
    failures = [row.code for row in hub.store.tables.failures.values()]
    assert failures == ["warehouse_order_changed"]


async def test_a_held_order_waits() -> None:
    """Nothing is sent to be shipped that is not there; it goes when the stock has come."""
    hub = made()
    await hub.deliver(order("1", [line("a", "MUG", 120)]))
    assert outgoing_of(hub, WAREHOUSE) == []
    hub.stock("MUG", 50)
    await hub.apply.resolve_held([("shop", "1")])
    assert len(outgoing_of(hub, WAREHOUSE, "940")) == 1


async def test_receipts_and_adjustments_post_what_they_say() -> None:
    """944 with damage goes to quarantine, 947 is signed and applied once by its number."""
    hub = made()
    received = document(
        "warehouse_receipt", "WR1", version=3, account=WAREHOUSE, number="WR1", location_raw="3PL01", location="east",
        lines=[{"channel_sku": "MUG", "quantity": 40, "damaged_quantity": 2, "uom": "EA"}],
    )  # fmt: skip
    moved = document(
        "stock_movement", "ADJ1", version=4, account=WAREHOUSE, location="east",
        lines=[{"channel_sku": "BOX", "bucket": "on_hand", "delta": -5, "reason": "damaged", "uom": "EA"},
               {"channel_sku": "MUG", "bucket": "on_hand", "delta": 3, "reason": "found", "uom": "EA"}],
    )  # fmt: skip
    for each in (received, moved, received, moved):
        await hub.deliver(each, account=WAREHOUSE)
    assert hub.buckets("MUG") == (143, 0, 2)
    assert hub.buckets("BOX") == (45, 0, 5)


async def test_a_snapshot_counts_as_of_its_time() -> None:
    """What moved after the warehouse counted comes on top of its number."""
    hub = made()
    hub.store.tables.positions.clear()
    hub.store.tables.postings.clear()
    hub.stock("MUG", 100)
    await hub.deliver(order("1", [line("a", "MUG", 10)], version=20))
    (asked,) = outgoing_of(hub, WAREHOUSE, "940")
    shipped = advice("S1", asked["document"]["number"], [[("MUG", 10)]], version=30)
    await hub.deliver(shipped, account=WAREHOUSE)
    levels = [{"channel_sku": "MUG", "on_hand": 97}]
    stated = report("R1", levels, at=25, account=WAREHOUSE, location=None, location_raw="3PL01")
    await hub.deliver(stated, account=WAREHOUSE)
    assert hub.store.position("MUG", "east").on_hand == 87
    assert at(25) < at(30)


async def test_a_case_of_unknown_size_is_parked_whole() -> None:
    """A quantity nobody can count posts nothing, by name, and is not passed over."""
    hub = made()
    moved = document(
        "stock_movement", "ADJ2", version=4, account=WAREHOUSE, location="east",
        lines=[{"channel_sku": "MUG", "bucket": "on_hand", "delta": 3, "reason": "found", "uom": "EA"},
               {"channel_sku": "BOX", "bucket": "on_hand", "delta": "-2.5", "reason": "lost", "uom": "CA"}],
    )  # fmt: skip
    outcome = await hub.deliver(moved, account=WAREHOUSE)
    assert [code for _, _, code in outcome.failures] == ["unknown_unit"]
    assert hub.buckets("MUG") == (100, 0, 0)


async def test_what_was_promised_for_later_follows_by_itself() -> None:
    """A partner's order goes as far as it is there; the backordered rest is an order of its own once it has come."""
    hub = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 120)]), account=RETAILER)
    (first,) = outgoing_of(hub, WAREHOUSE, "940")
    assert [each["quantity"] for each in first["document"]["lines"]] == [100]
    shipped = advice("S1", first["document"]["number"], [[("MUG", 100)]], version=5)
    await hub.deliver(shipped, account=WAREHOUSE)
    assert len(outgoing_of(hub, WAREHOUSE, "940")) == 1
    hub.stock("MUG", 50)
    for _ in range(2):
        await hub.apply.resolve_held([(RETAILER, "P1")])
    _, second = outgoing_of(hub, WAREHOUSE, "940")
    assert [each["quantity"] for each in second["document"]["lines"]] == [20]
    assert second["document"]["number"] != first["document"]["number"]
    await hub.deliver(advice("S2", second["document"]["number"], [[("MUG", 20)]], version=6), account=WAREHOUSE)
    assert hub.buckets("MUG") == (30, 0, 0)
    assert {row.state for key, row in hub.store.tables.expectations.items() if key[1] == "945"} == {"met"}
    assert [each["document"]["packages"][0]["lines"][0]["quantity"] for each in outgoing_of(hub, kind="856")] == [
        100,
        20,
    ]


async def test_what_is_added_goes_as_an_order_of_its_own() -> None:
    """A warehouse that takes no changes is sent what is new, and what it has stays as it was."""
    hub = made()
    await hub.deliver(order("1", [line("a", "MUG", 3)]))
    await hub.deliver(order("1", [line("a", "MUG", 5), line("b", "BOX", 1)], version=2))
    first, second = outgoing_of(hub, WAREHOUSE, "940")
    assert [(each["sku"], each["quantity"]) for each in second["document"]["lines"]] == [("MUG", 2), ("BOX", 1)]
    assert first["document"]["number"] != second["document"]["number"]
    assert not hub.store.tables.failures


async def test_a_warehouse_may_know_articles_by_their_case_code_alone() -> None:
    """A line with nothing but the article number is posted to the SKU that has it."""
    hub = made()
    hub.store.seed_sku("MUG", gtin="012345678905", aliases=(("", "gtin:12345678905"),))
    moved = document(
        "stock_movement", "ADJ3", version=4, account=WAREHOUSE, location="east",
        lines=[{"gtin": "00012345678905", "bucket": "on_hand", "delta": -4, "reason": "lost", "uom": "EA"}],
    )  # fmt: skip
    await hub.deliver(moved, account=WAREHOUSE)
    assert hub.buckets("MUG") == (96, 0, 0)
