"""An order and what follows it reach one state of the ledger, however and how often they arrive."""

from __future__ import annotations

import itertools
import json

import pytest

from hub.inventory.postings import count
from hub.ports.accounts import AvailabilityPolicy
from tests.support.orders import Hub, acknowledging, at, document, line, order, plan, refund, returned, shipment


async def test_a_placed_order_reserves_and_marks_what_channels_must_hear() -> None:
    """Placing reserves at the allocated location and makes the SKU dirty."""
    hub = Hub()
    hub.stock("MUG", 10)
    outcome = await hub.deliver(order("1", [line("a", "MUG", 3)]))
    assert hub.buckets("MUG") == (10, 3, 0)
    assert outcome.dirty == {"MUG"}
    assert hub.store.order_json("shop", "1")["lines"][0]["sku"] == "MUG"
    assert not hub.row("1").holds


async def test_the_same_payload_twice_changes_nothing() -> None:
    """A duplicate that got past the dedupe key is a no-op: no posting, no new row version."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 3)]))
    before = hub.row("1")
    outcome = await hub.deliver(order("1", [line("a", "MUG", 3)]))
    assert outcome.unchanged == 1
    assert hub.row("1") == before
    assert hub.buckets("MUG") == (10, 3, 0)


async def test_an_older_state_never_overwrites_a_newer_one() -> None:
    """The version guard compares instants, not texts."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)], version=5))
    outcome = await hub.deliver(order("1", [line("a", "MUG", 9)], version=4))
    assert outcome.stale == 1
    assert hub.buckets("MUG") == (10, 2, 0)


async def test_edits_move_the_reservation_by_the_difference() -> None:
    """A newer state posts what changed: more, fewer, a line gone, a line added."""
    hub = Hub()
    hub.stock("MUG", 10)
    hub.stock("BOX", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    await hub.deliver(order("1", [line("a", "MUG", 5), line("b", "BOX", 1)], version=2))
    assert (hub.buckets("MUG")[1], hub.buckets("BOX")[1]) == (5, 1)
    await hub.deliver(order("1", [line("b", "BOX", 4, cancelled_quantity=1)], version=3))
    assert (hub.buckets("MUG")[1], hub.buckets("BOX")[1]) == (0, 3)


async def test_cancelling_frees_exactly_what_was_held() -> None:
    """A cancelled order holds nothing, whether the order or its cancellation says so."""
    for late in (False, True):
        hub = Hub()
        hub.stock("MUG", 10)
        await hub.deliver(order("1", [line("a", "MUG", 3)]))
        cancellation = document("order_cancellation", "c1", "1", version=2)
        cancelled = order("1", [line("a", "MUG", 3, cancelled_quantity=3)], version=2, state="cancelled")
        for one in (cancellation, cancelled) if late else (cancelled, cancellation):
            await hub.deliver(one)
            assert hub.buckets("MUG") == (10, 0, 0)
    reasons = [row.reason for row in hub.store.tables.postings if row.bucket == "reserved"]
    assert reasons == ["placed", "cancelled"]


STEPS = {
    "order": lambda: order("1", [line("a", "MUG", 4)], version=1),
    "shipment": lambda: shipment("s1", "1", [("a", 3)], version=3),
    "shipped order": lambda: order("1", [line("a", "MUG", 4, fulfilled_quantity=3)], version=3),
    "refund": lambda: refund("r1", "1", [("a", 1, "sellable"), ("a", 1, "damaged")], version=5),
}


@pytest.mark.parametrize("sequence", list(itertools.permutations(STEPS)))
async def test_every_order_of_arrival_ends_in_the_same_ledger(sequence: tuple[str, ...]) -> None:
    """Order, shipment, shipped state and refund commute; each fact counts once, embedded or alone."""
    hub = Hub()
    hub.stock("MUG", 10)
    for name in sequence:
        await hub.deliver(STEPS[name]())
    for name in sequence:
        await hub.deliver(STEPS[name]())
    assert hub.buckets("MUG") == (8, 1, 1)
    assert hub.store.differences() == []


async def test_facts_embedded_in_the_order_settle_once() -> None:
    """One payload with an order, its shipment and its refund posts one set of rows."""
    hub = Hub()
    hub.stock("MUG", 10)
    whole = [STEPS["shipped order"](), STEPS["shipment"](), STEPS["refund"]()]
    await hub.deliver(*whole)
    assert hub.buckets("MUG") == (8, 1, 1)
    rows = len(hub.store.tables.postings)
    await hub.deliver(*whole)
    await hub.deliver(whole[1])
    assert len(hub.store.tables.postings) == rows


async def test_a_refund_and_a_return_of_the_same_units_restock_once() -> None:
    """Two documents of one physical return count as one; the inspection decides the bucket."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2, fulfilled_quantity=2)]))
    await hub.deliver(refund("r1", "1", [("a", 1, "sellable")], version=2))
    assert hub.buckets("MUG") == (9, 0, 0)
    await hub.deliver(returned("x1", "1", [("a", 1, "damaged")], version=3))
    assert hub.buckets("MUG") == (8, 0, 1)


async def test_restocking_what_never_left_only_frees_it() -> None:
    """A refund of unshipped units releases the reservation and puts nothing on the shelf twice."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    await hub.deliver(refund("r1", "1", [("a", 1, "sellable")], version=2))
    assert hub.buckets("MUG") == (10, 1, 0)
    await hub.deliver(order("1", [line("a", "MUG", 2, cancelled_quantity=1)], version=2))
    assert hub.buckets("MUG") == (10, 1, 0)


async def test_a_cancelled_shipment_puts_the_units_back() -> None:
    """A newer version of a document replaces its old one in the sums."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    await hub.deliver(shipment("s1", "1", [("a", 2)], version=2))
    assert hub.buckets("MUG") == (8, 0, 0)
    await hub.deliver(shipment("s1", "1", [("a", 2)], version=3, state="cancelled"))
    assert hub.buckets("MUG") == (10, 2, 0)


async def test_shipping_from_elsewhere_takes_the_units_there() -> None:
    """Stock leaves where it left; the reservation is lifted where it was held."""
    hub = Hub(plan(locations={"L1": "east", "L2": "west"}, routing=("east", "west")))
    hub.stock("MUG", 10)
    hub.stock("MUG", 10, "west")
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    await hub.deliver(order("1", [line("a", "MUG", 2, fulfilled_quantity=2)], version=2))
    assert hub.buckets("MUG") == (8, 0, 0)
    await hub.deliver(shipment("s1", "1", [("a", 2)], version=2, ship_from="west"))
    assert hub.buckets("MUG") == (10, 0, 0)
    assert hub.buckets("MUG", "west") == (8, 0, 0)


async def test_goods_that_are_not_ours_to_ship_never_touch_stock() -> None:
    """Channel-fulfilled lines, gift cards and digital goods neither reserve nor hold."""
    hub = Hub()
    hub.stock("MUG", 10)
    lines = [
        line("a", "MUG", 2, fulfilled_by="channel", fulfilled_quantity=2),
        line("b", "GIFT", 1, requires_shipping=False),
    ]
    await hub.deliver(order("1", lines))
    assert hub.buckets("MUG") == (10, 0, 0)
    assert hub.row("1").holds == ()


async def test_a_pending_order_reserves() -> None:
    """An unpaid marketplace order holds its units."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)], state="pending"))
    assert hub.buckets("MUG") == (10, 2, 0)


async def test_an_unknown_sku_holds_its_line_and_nothing_else() -> None:
    """The order is kept and visible, its other lines reserve, and it goes on once the SKU is known."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 1), line("b", "NEW", 2), line("c", None, 1)]))
    row = hub.row("1")
    assert row.holds == ("unknown-sku",)
    assert row.unresolved == ("NEW", "line c (no SKU)")
    assert row.state == "held"
    assert "NEW" in hub.store.order_json("shop", "1")["holds"][0]["reason"]
    assert hub.buckets("MUG") == (10, 1, 0)
    hub.stock("OURS", 5, aliases=(("shop", "NEW"),))
    await hub.apply.resolve_held([("shop", "1")])
    assert hub.buckets("OURS") == (5, 2, 0)
    assert hub.row("1").unresolved == ("line c (no SKU)",)


async def test_overselling_is_taken_and_named() -> None:
    """An order beyond what is there is allocated to the best location and held, never refused."""
    hub = Hub(plan(locations={"L1": "east", "L2": "west"}, routing=("east", "west")))
    hub.stock("MUG", 2)
    hub.stock("MUG", 1, "west")
    outcome = await hub.deliver(order("1", [line("a", "MUG", 4)]))
    assert outcome.oversold == {"shop": 2}
    assert hub.row("1").holds == ("oversold",)
    assert hub.store.order_json("shop", "1")["holds"] == [{"name": "oversold", "reason": "MUG: 2 short at east"}]
    hub.stock("MUG", 5)
    await hub.deliver(order("1", [line("a", "MUG", 4)], version=2, note="ring twice", tags=["x"]))
    assert hub.row("1").holds == ()
    assert hub.row("1").state == "open"


async def test_the_whole_order_leaves_from_one_place_where_one_has_it_all() -> None:
    """Whole at one location, else split by line; a line that names its place keeps it."""
    hub = Hub(plan(locations={"L1": "east", "L2": "west"}, routing=("east", "west")))
    for sku, east, west in (("MUG", 5, 5), ("BOX", 0, 5), ("CUP", 5, 0)):
        hub.stock(sku, east)
        hub.stock(sku, west, "west")
    await hub.deliver(order("1", [line("a", "MUG", 1), line("b", "BOX", 1)]))
    assert {part[1] for one in hub.row("1").allocations for part in one.parts} == {"west"}
    await hub.deliver(order("2", [line("a", "CUP", 1), line("b", "BOX", 1)]))
    assert [one.parts[0][1] for one in hub.row("2").allocations] == ["east", "west"]
    await hub.deliver(order("3", [line("a", "MUG", 1, ship_from="L2"), line("b", "CUP", 1)]))
    assert [one.parts[0][1] for one in hub.row("3").allocations] == ["west", "east"]


async def test_a_kit_reserves_its_components_and_dirties_its_siblings() -> None:
    """A kit line holds components; every kit made of them must be told of."""
    hub = Hub()
    hub.stock("MUG", 10)
    hub.stock("BOX", 10)
    hub.store.seed_sku("SET", components=(("MUG", 2), ("BOX", 1)))
    hub.store.seed_sku("PAIR", components=(("MUG", 2),))
    outcome = await hub.deliver(order("1", [line("a", "SET", 3)]))
    assert (hub.buckets("MUG")[1], hub.buckets("BOX")[1]) == (6, 3)
    assert outcome.dirty == {"MUG", "BOX", "SET", "PAIR"}
    await hub.deliver(order("1", [line("a", "SET", 3, fulfilled_quantity=2)], version=2))
    assert hub.buckets("MUG") == (6, 2, 0)


async def test_a_partial_read_never_shrinks_what_is_known() -> None:
    """A read without lines changes the state and keeps lines, stock and people."""
    hub = Hub()
    hub.stock("MUG", 10)
    buyer = {"name": "Ada Example", "email": "ada@example.com"}
    await hub.deliver(order("1", [line("a", "MUG", 2)], buyer=buyer))
    partial = order("1", [], version=2, attributes={"partial": True}, payment_state="paid")
    await hub.deliver(partial)
    stored = hub.store.order_json("shop", "1")
    assert (stored["payment_state"], len(stored["lines"])) == ("paid", 1)
    assert hub.buckets("MUG") == (10, 2, 0)
    assert "Ada" in hub.store.tables.personal[hub.row("1").id].plain


async def test_a_stripped_address_never_overwrites_a_fuller_one() -> None:
    """Blanked copies change nothing; a real new address replaces the old one whole."""
    hub = Hub()
    full = {"name": "Ada Example", "line1": "1 Sample St", "line2": "Flat 2", "city": "Town", "country": "US"}
    await hub.deliver(order("1", [], ship_to=full))
    await hub.deliver(order("1", [], version=2, ship_to={"city": "TOWN", "country": "US"}))
    await hub.deliver(order("1", [], version=3))
    person = hub.row("1").id
    assert json.loads(hub.store.tables.personal[person].plain)["ship_to"]["line2"] == "Flat 2"
    moved = {"line1": "9 Other Rd", "city": "Ville", "country": "US"}
    await hub.deliver(order("1", [], version=4, ship_to=moved))
    kept = json.loads(hub.store.tables.personal[person].plain)["ship_to"]
    assert (kept["line1"], kept["line2"]) == ("9 Other Rd", None)


async def test_orders_are_acknowledged_once_where_the_channel_asks() -> None:
    """The effect is made when an order is first open, with a deadline, and never again."""
    hub = Hub(plan(manifest=acknowledging()))
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 1)], state="pending"))
    assert not hub.store.tables.effects
    await hub.deliver(order("1", [line("a", "MUG", 1)], version=2))
    await hub.deliver(order("1", [line("a", "MUG", 1)], version=3, tags=["x"]))
    (effect,) = hub.store.tables.effects.values()
    assert (effect.kind, effect.key) == ("acknowledge_order", "order:1")
    assert effect.deadline_at is not None
    await hub.deliver(order("2", [line("a", "MUG", 1, fulfilled_by="channel")]))
    assert len(hub.store.tables.effects) == 1


async def test_a_shipment_from_before_the_last_count_is_in_that_count() -> None:
    """A late fact about counted stock is written, visible, and changes nothing on hand."""
    hub = Hub()
    hub.stock("MUG", 10)
    await hub.deliver(order("1", [line("a", "MUG", 2)]))
    posting = count("count:1", "", hub.store.position("MUG", "east"), 8, at(5), 0)
    assert posting is not None
    hub.store._post([posting])
    await hub.deliver(shipment("s1", "1", [("a", 2)], version=2))
    assert hub.buckets("MUG") == (8, 0, 0)
    assert [row.reason for row in hub.store.tables.postings][-2:] == ["shipped", "already-counted"]


async def test_orders_of_one_batch_see_each_other() -> None:
    """Later orders of a batch are allocated on what earlier ones left, and one order twice is one row."""
    hub = Hub()
    hub.stock("MUG", 3)
    outcome = await hub.deliver_each(
        [
            [order("1", [line("a", "MUG", 2)])],
            [order("2", [line("a", "MUG", 2)])],
            [order("1", [line("a", "MUG", 1)], version=2)],
        ]
    )
    assert outcome.oversold == {"shop": 1}
    assert hub.row("2").holds == ("oversold",)
    assert hub.buckets("MUG") == (3, 3, 0)
    assert hub.row("1").rev == 1


async def test_personal_data_gets_an_end_once_the_order_is_over() -> None:
    """An open order keeps its people; a shipped or closed one, and its documents, for the time allowed."""
    hub = Hub(personal_kept_s=60.0)
    hub.stock("MUG", 10)
    buyer = {"name": "Ada Example"}
    await hub.deliver(order("1", [line("a", "MUG", 1)], buyer=buyer))
    person = hub.row("1").id
    assert hub.store.tables.personal[person].delete_after is None
    await hub.deliver(order("1", [line("a", "MUG", 1, fulfilled_quantity=1)], version=3))
    assert hub.store.tables.personal[person].delete_after == at(4)
    note = refund("r1", "1", [], version=4, note="for Ada Example")
    await hub.deliver(note)
    assert hub.store.tables.personal[note.id].delete_after == at(5)


def two_places() -> Hub:
    return Hub(plan(policy=AvailabilityPolicy(("east", "west")), routing=("east", "west")))


async def test_an_oversold_line_moves_to_where_there_is_enough() -> None:
    """Stock that comes to another place of the account frees the order; one that is too little moves nothing."""
    hub = two_places()
    hub.stock("MUG", 1)
    await hub.deliver(order("1", [line("a", "MUG", 3)]))
    assert hub.row("1").holds == ("oversold",)
    hub.stock("MUG", 2, "west")
    await hub.apply.resolve_held([("shop", "1")])
    assert (hub.buckets("MUG"), hub.buckets("MUG", "west")) == ((1, 3, 0), (2, 0, 0))
    hub.stock("MUG", 1, "west")
    await hub.apply.resolve_held([("shop", "1")])
    assert (hub.buckets("MUG"), hub.buckets("MUG", "west")) == ((1, 0, 0), (3, 3, 0))
    assert hub.row("1").holds == ()
    await hub.deliver(shipment("s", "1", [("a", 3)], version=5))
    assert (hub.buckets("MUG"), hub.buckets("MUG", "west")) == ((1, 0, 0), (0, 0, 0))
    assert hub.store.differences() == []


async def test_what_has_begun_to_leave_or_is_named_stays_where_it_is() -> None:
    """A line partly shipped, and one whose place the channel names, are short there and shown as that."""
    for started in (True, False):
        hub = two_places()
        hub.stock("MUG", 1)
        named = {} if started else {"ship_from": "east"}
        await hub.deliver(order("1", [line("a", "MUG", 3, **named)]))
        if started:
            await hub.deliver(shipment("s", "1", [("a", 1)], version=5))
        hub.stock("MUG", 9, "west")
        await hub.apply.resolve_held([("shop", "1")])
        assert hub.buckets("MUG", "west") == (9, 0, 0)
        assert hub.row("1").holds == ("oversold",)
        assert hub.store.differences() == []


async def test_two_oversold_lines_do_not_move_onto_the_same_units() -> None:
    """What the first one takes elsewhere is not there for the second."""
    hub = two_places()
    await hub.deliver(order("1", [line("a", "MUG", 2), line("b", "MUG", 2)]))
    hub.stock("MUG", 3, "west")
    await hub.apply.resolve_held([("shop", "1")])
    assert (hub.buckets("MUG"), hub.buckets("MUG", "west")) == ((0, 2, 0), (3, 2, 0))
    assert hub.row("1").holds == ("oversold",)
    assert hub.store.differences() == []
