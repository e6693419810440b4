"""A shipment told by somebody else comes home to its order, moves its stock, and its channel hears of it once."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.manifest import Confirms, EffectKind
from hub.orders.facts import DocumentFacts
from hub.ports.accounts import AccountPlan
from hub.ports.store import AuditEntry, Bucket, OutboxState
from hub.services.interpreted import Interpreted
from tests.support.memory_queries import MemoryQueries
from tests.support.orders import Hub, document, facts, instant, line, manifest, order, plan, shipment

CONFIRM = Confirms("confirm", "shopify", correct="correct", several_numbers=True)
KINDS = (EffectKind("confirm"), EffectKind("correct"))


def shop(account: str = "shop", confirms: Confirms | None = CONFIRM, **changes: Any) -> AccountPlan:
    return plan(account, manifest=manifest(confirms=confirms, effects=KINDS), **changes)


def warehouse(**changes: Any) -> AccountPlan:
    fields = {"manifest": manifest(ships_for_others=True), "locations": {"W1": "east"}, "routing": ()}
    return plan("3pl", **{**fields, **changes})


def hub(*plans: AccountPlan) -> Hub:
    made = Hub(*(plans or (shop(), warehouse())))
    made.apply = type(made.apply)(made.store, made.plans, queries=MemoryQueries(made.store))
    made.stock("MUG", 10)
    made.stock("BOX", 10)
    return made


def left(name: str, reference: str, *packages: dict[str, Any], version: int = 3, **fields: Any) -> Any:
    """A shipment as a warehouse tells it."""
    whole = {"state": "shipped", "shipped_at": instant(version), "packages": list(packages), **fields}
    return document("shipment", name, reference, version=version, account="3pl", **whole)


def box(number: str | None, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
    packed = [{"sku": sku, "quantity": units} for sku, units in lines]
    return {"tracking_number": number, "carrier": "ups", "lines": packed, **fields}


def effects(made: Hub, kind: str = "confirm") -> list[dict[str, Any]]:
    rows = made.store.tables.effects.values()
    return [json.loads(row.body) for row in rows if row.kind == kind]


def failures(made: Hub) -> list[tuple[str, str]]:
    return [(row.error, row.code) for row in made.store.tables.failures.values() if row.state == "open"]


@pytest.mark.parametrize("reference", ["1", "#1", " 1 ", "ours"])
async def test_a_shipment_finds_its_order_by_any_of_its_names(reference: str) -> None:
    """The channel's id, its number with or without the mark, and our own id all mean the order."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    name = made.row("1").id if reference == "ours" else reference
    await made.deliver(left("w1", name, box("1Z1", ("MUG", 3))), account="3pl")
    assert made.buckets("MUG") == (7, 0, 0)
    (told,) = effects(made)
    assert told["order"] == "1"
    assert told["packages"][0]["lines"][0] == {**told["packages"][0]["lines"][0], "line_id": "a", "quantity": 3}
    assert told["packages"][0]["told"]["code"] == "UPS"
    assert failures(made) == []


async def test_told_again_it_changes_nothing() -> None:
    """The same shipment twice, in the same and in a later version, ships once and is confirmed once."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    for version in (3, 3, 4):
        await made.deliver(left("w1", "1", box("1Z1", ("MUG", 2)), version=version), account="3pl")
    assert made.buckets("MUG") == (8, 1, 0)
    assert len(effects(made)) == 1


async def test_an_orphan_is_parked_by_name_and_comes_home_with_its_order() -> None:
    """Parked with a failure that names the order; the order's coming runs it again, and the failure is over."""
    made = hub()
    outcome = await made.deliver(left("w1", "1", box("1Z1", ("MUG", 2))), account="3pl")
    assert (outcome.failed, failures(made)) == (1, [("OrphanShipment", "order_unknown")])
    await made.deliver(order("1", [line("a", "MUG", 2)]))
    assert made.buckets("MUG") == (10, 2, 0)
    (again,) = await made.store.claim_inbox(10)
    found = facts([left("w1", "1", box("1Z1", ("MUG", 2)))], "3pl")
    await made.apply.apply([(again, Interpreted(again.seq, found))])
    assert made.buckets("MUG") == (8, 0, 0)
    assert (failures(made), len(effects(made))) == ([], 1)


async def test_two_orders_of_one_number_are_told_apart_or_parked() -> None:
    """A purchase order's number decides; without one the shipment is parked as ambiguous and moves nothing."""
    made = hub(shop(), shop("other"), warehouse())
    await made.deliver(order("1", [line("a", "MUG", 1)], purchase_order_number="PO-7"))
    await made.deliver(order("1", [line("a", "MUG", 1)], account="other"), account="other")
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    assert failures(made) == [("OrphanShipment", "order_ambiguous")]
    assert made.buckets("MUG") == (10, 2, 0)


async def test_units_leave_where_they_left() -> None:
    """The reservation ends where it was held, the stock falls where the goods were."""
    made = hub(
        shop(locations={"L1": "east", "L2": "west"}, routing=("east", "west")), warehouse(locations={"W1": "west"})
    )
    made.stock("MUG", 5, "west")
    await made.deliver(order("1", [line("a", "MUG", 2)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 2)), ship_from_raw="W1"), account="3pl")
    assert made.buckets("MUG") == (10, 0, 0)
    assert made.buckets("MUG", "west") == (3, 0, 0)


@pytest.mark.parametrize(
    ("packages", "code"),
    [
        ([box("1Z1", ("MUG", 4))], "over_quantity"),
        ([box("1Z1", ("MUG", 2)), box("1Z2", ("MUG", 2))], "over_quantity"),
        ([box("1Z1", ("TEA", 1))], "no_such_line"),
        ([{"tracking_number": "1Z1", "lines": [{"line_id": "a", "quantity": 9}]}], "over_quantity"),
        ([{"tracking_number": "1Z1", "lines": [{"sku": "MUG", "quantity": "1.5", "uom": "LB"}]}], "no_count"),
        ([box("1Z1", ("MUG", 0))], "nothing_shipped"),
    ],
)
async def test_what_does_not_fit_the_order_is_refused_by_name(packages: list[dict[str, Any]], code: str) -> None:
    """Nothing of such a shipment is stored or told; the failure says which line."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    await made.deliver(left("w1", "1", *packages), account="3pl")
    assert failures(made) == [("ShipmentRefused", code)]
    assert made.buckets("MUG") == (10, 3, 0)
    assert effects(made) == []


async def test_over_quantity_counts_what_other_shipments_hold() -> None:
    """Two units of three left before: two more are one too many, one is right."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 2))), account="3pl")
    await made.deliver(left("w2", "1", box("1Z2", ("MUG", 2))), account="3pl")
    assert failures(made) == [("ShipmentRefused", "over_quantity")]
    await made.deliver(left("w3", "1", box("1Z3", ("MUG", 1))), account="3pl")
    assert made.buckets("MUG") == (7, 0, 0)


async def test_lines_of_one_sku_are_filled_in_turn_and_a_package_without_lines_holds_the_rest() -> None:
    """SKU alone is enough; no lines at all mean everything that is left."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 2), line("b", "MUG", 2), line("c", "BOX", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 3))), account="3pl")
    await made.deliver(left("w2", "1", {"tracking_number": "1Z2", "carrier": "ups"}), account="3pl")
    first, second = effects(made)
    assert [(one["line_id"], one["quantity"]) for one in first["packages"][0]["lines"]] == [("a", 2), ("b", 1)]
    assert [(one["line_id"], one["quantity"]) for one in second["packages"][0]["lines"]] == [("b", 1), ("c", 1)]
    assert (made.buckets("MUG"), made.buckets("BOX")) == ((6, 0, 0), (9, 0, 0))


async def test_a_kit_may_leave_in_its_parts() -> None:
    """Components over several boxes make whole kits; what makes none is refused."""
    made = hub()
    made.store.seed_sku("SET", components=(("MUG", 2), ("BOX", 1)))
    await made.deliver(order("1", [line("a", "SET", 2)]))
    assert made.buckets("MUG") == (10, 4, 0)
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 2)), box("1Z2", ("BOX", 1))), account="3pl")
    assert (made.buckets("MUG"), made.buckets("BOX")) == ((8, 2, 0), (9, 1, 0))
    (told,) = effects(made)
    assert [package["tracking_number"] for package in told["packages"]] == ["1Z1", "1Z2"]
    await made.deliver(left("w2", "1", box("1Z3", ("MUG", 1))), account="3pl")
    assert failures(made) == [("ShipmentRefused", "no_whole_kit")]


ECHO = {
    "order": lambda: order("1", [line("a", "MUG", 3)]),
    "shipment": lambda: left("w1", "1", box("1Z 1", ("MUG", 1))),
    "echo": lambda: shipment(
        "f9",
        "1",
        [("a", 1)],
        version=4,
        ship_from="east",
        packages=[{"tracking_number": "1Z1", "lines": [{"line_id": "a", "quantity": 1}]}],
    ),
    "counted": lambda: order("1", [line("a", "MUG", 3, fulfilled_quantity=1)], version=4),
}


@pytest.mark.parametrize("sequence", list(itertools.permutations(["shipment", "echo", "counted"])))
async def test_the_channels_own_word_on_our_parcel_is_an_echo(sequence: tuple[str, ...]) -> None:
    """However the shipment, the channel's fulfilment and its counts come, the parcel leaves once."""
    made = hub()
    await made.deliver(ECHO["order"]())
    for _ in range(2):
        for name in sequence:
            await made.deliver(ECHO[name](), account="3pl" if name == "shipment" else "shop")
    assert made.buckets("MUG") == (9, 2, 0)
    # What the channel shows already it needs not be told.
    assert len(effects(made)) == (1 if sequence.index("shipment") < sequence.index("echo") else 0)
    assert failures(made) == []
    assert made.store.differences() == []


async def test_an_echo_without_a_number_is_known_by_its_units() -> None:
    """Untracked post: the channel's numberless fulfilment of the same units is the one we told it of."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    await made.deliver(left("w1", "1", box(None, ("MUG", 1))), account="3pl")
    await made.deliver(shipment("f1", "1", [("a", 1)], version=4))
    assert made.buckets("MUG") == (9, 2, 0)
    await made.deliver(shipment("f2", "1", [("a", 1)], version=5))
    assert made.buckets("MUG") == (8, 1, 0)


async def test_the_same_parcel_told_by_two_tools_ships_once() -> None:
    """The second source of a number adds nothing, and the channel is not told again."""
    made = hub(shop(), warehouse(), plan("tool", manifest=manifest(ships_for_others=True)))
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    second = document(
        "shipment", "t1", "1", version=5, account="tool", state="shipped", packages=[box("1z-1", ("MUG", 1))]
    )
    await made.deliver(second, account="tool")
    assert made.buckets("MUG") == (9, 2, 0)
    assert len(effects(made)) == 1


async def test_a_label_ships_nothing_until_it_leaves() -> None:
    """State created is stored; the same shipment shipped later moves stock and is told."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1)), state="created"), account="3pl")
    assert (made.buckets("MUG"), effects(made)) == ((10, 1, 0), [])
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1)), version=4), account="3pl")
    assert (made.buckets("MUG"), len(effects(made))) == ((9, 0, 0), 1)


async def test_a_corrected_number_is_told_as_a_correction_and_its_echoes_stay_echoes() -> None:
    """The old number is remembered: the channel's copy under either is no second parcel."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    set_outbox(made, OutboxState.DONE)
    old = shipment(
        "f1",
        "1",
        [("a", 1)],
        version=4,
        packages=[{"tracking_number": "1Z1", "lines": [{"line_id": "a", "quantity": 1}]}],
    )
    await made.deliver(old)
    await made.deliver(left("w1", "1", box("1Z2", ("MUG", 1)), version=5), account="3pl")
    assert [body["packages"][0]["tracking_number"] for body in effects(made, "correct")] == ["1Z2"]
    assert (made.buckets("MUG"), len(effects(made))) == ((9, 2, 0), 1)


async def test_what_a_channel_cannot_be_told_is_a_failure_that_says_so() -> None:
    """Without a call for it, a correction and a cancellation are parked by name, and stock follows the truth."""
    made = hub(shop(confirms=Confirms("confirm", "ebay")), warehouse())
    await made.deliver(order("1", [line("a", "MUG", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    set_outbox(made, OutboxState.DONE)
    await made.deliver(left("w1", "1", box("1Z2", ("MUG", 1)), version=4), account="3pl")
    await made.deliver(left("w1", "1", version=5, state="cancelled"), account="3pl")
    assert failures(made) == [("NotExpressible", "correct_shipment"), ("NotExpressible", "cancel_shipment")]
    assert made.buckets("MUG") == (10, 1, 0)


def outbox(made: Hub) -> list[tuple[str, str]]:
    return [(row.kind, row.state.value) for row in made.store.tables.effects.values()]


def set_outbox(made: Hub, state: OutboxState, attempts: int = 1) -> None:
    """What became of the latest message."""
    number = max(made.store.tables.effects)
    row = made.store.tables.effects[number]
    made.store.tables.effects[number] = replace(row, state=state, attempts=attempts)


async def test_what_the_channel_has_not_heard_is_taken_back_and_said_anew() -> None:
    """A correction before the first word went out: one confirmation with the right number, nothing of the wrong one."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    await made.deliver(left("w1", "1", box("1Z2", ("MUG", 1)), version=4), account="3pl")
    assert outbox(made) == [("confirm", "cancelled"), ("confirm", "pending")]
    assert effects(made)[1]["packages"][0]["tracking_number"] == "1Z2"
    # A refused one is no longer run again by mistake either.
    set_outbox(made, OutboxState.PARKED)
    await made.deliver(left("w1", "1", box("1Z3", ("MUG", 1)), version=5), account="3pl")
    assert outbox(made) == [("confirm", "cancelled"), ("confirm", "cancelled"), ("confirm", "pending")]


async def test_a_shipment_cancelled_before_it_was_told_is_never_told() -> None:
    """Even where the channel takes nothing back there is then nothing to be done by a person."""
    made = hub(shop(confirms=Confirms("confirm", "ebay")), warehouse())
    await made.deliver(order("1", [line("a", "MUG", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    await made.deliver(left("w1", "1", version=4, state="cancelled"), account="3pl")
    assert (outbox(made), failures(made)) == ([("confirm", "cancelled")], [])
    assert made.buckets("MUG") == (10, 1, 0)


async def test_a_correction_of_a_correction_names_every_number_the_channel_may_know() -> None:
    """Told 1Z1, the correction to 1Z2 was refused: the next one finds the package by either."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    set_outbox(made, OutboxState.DONE)
    await made.deliver(left("w1", "1", box("1Z2", ("MUG", 1)), version=4), account="3pl")
    set_outbox(made, OutboxState.PARKED)
    await made.deliver(left("w1", "1", box("1Z3", ("MUG", 1)), version=5), account="3pl")
    assert outbox(made) == [("confirm", "done"), ("correct", "cancelled"), ("correct", "pending")]
    assert effects(made, "correct")[1]["told_before"] == ["1Z1", "1Z2"]


async def test_a_warehouses_ship_notice_tells_of_customers_orders_too() -> None:
    """An 856 over two orders is a shipment of each, cartons bearing the pallet's number; of others it is none."""
    made = hub(shop(), plan("edi", manifest=manifest(trades=True), locations={"W1": "east"}, routing=()))
    for name in ("1", "2"):
        await made.deliver(order(name, [line("a", "MUG", 1), line("b", "BOX", 1)]))
    packages = [
        {"id": "1", "level": "tare", "tracking_number": "1Z7"},
        *({"id": one, "parent": "1", "purchase_order_number": bought, "lines": [{"sku": sku, "quantity": 1}]}
          for one, bought, sku in (("2", "#1", "MUG"), ("3", "#1", "BOX"), ("4", "#2", "MUG"))),
    ]  # fmt: skip
    orders = [{"purchase_order_number": name} for name in ("#1", "#2", "#99")]
    fields = {"number": "N1", "state": "shipped", "shipped_at": instant(3), "packages": packages}
    notice = document("ship_notice", "N1", version=3, account="edi", orders=orders, **fields)
    for _ in range(2):
        await made.deliver(notice, account="edi")
    assert (made.buckets("MUG"), made.buckets("BOX")) == ((8, 0, 0), (9, 1, 0))
    told = [(body["order"], one["tracking_number"]) for body in effects(made) for one in body["packages"]]
    # Cartons under one number are one package to the channel.
    assert told == [("1", "1Z7"), ("2", "1Z7")]
    assert [len(body["packages"][0]["lines"]) for body in effects(made)] == [2, 1]
    assert failures(made) == []


async def test_every_package_is_told_by_itself_and_in_order() -> None:
    """One effect per package, all under the order's key, each with its own lines only."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 2), line("b", "BOX", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1)), box("1Z2", ("MUG", 1), ("BOX", 1))), account="3pl")
    rows = list(made.store.tables.effects.values())
    assert [row.key for row in rows] == ["order:1", "order:1"]
    assert [[one["line_id"] for one in body["packages"][0]["lines"]] for body in effects(made)] == [["a"], ["a", "b"]]


async def test_an_unknown_carrier_takes_the_channels_form_for_others() -> None:
    """Amazon hears `Other` and the name, with whatever page shows the parcel."""
    made = hub(shop(confirms=Confirms("confirm", "amazon")), warehouse())
    await made.deliver(order("1", [line("a", "MUG", 1)]))
    parcel = box("X1", ("MUG", 1), carrier="unknown", carrier_raw="My Courier", tracking_url="https://t.example/X1")
    await made.deliver(left("w1", "1", parcel), account="3pl")
    told = effects(made)[0]["packages"][0]["told"]
    assert (told["code"], told["name"], told["other"], told["url"]) == (
        "Other",
        "My Courier",
        True,
        "https://t.example/X1",
    )


async def test_a_cancelled_order_ships_nothing() -> None:
    """Nothing of it is left to ship, and the failure says that."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 1, cancelled_quantity=1)], state="cancelled"))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    assert failures(made) == [("ShipmentRefused", "over_quantity")]
    assert made.store.position("MUG", "east").plus(Bucket.ON_HAND, 0).on_hand == 10


async def test_parcels_of_one_number_leave_their_own_orders() -> None:
    """A shipment's number is its order's own: two that waited and run again together do not end up in one order."""
    made = hub()
    pairs = []
    for name in ("1", "2"):
        await made.deliver(order(name, [line("a", "MUG", 1)]))
        told = document(
            "shipment", "1", f"#{name}", version=3, state="shipped", packages=[box(f"1Z{name}", ("MUG", 1))]
        )
        (stated,) = facts((told,), "shop")
        assert isinstance(stated, DocumentFacts)
        item = await made.item()
        pairs.append((item, Interpreted(item.seq, (stated._replace(ours=True, id=f"shp_{name}"),))))
    await made.apply.apply(pairs)
    assert made.buckets("MUG") == (8, 0, 0)
    told_of = [(body["order"], body["packages"][0]["tracking_number"]) for body in effects(made)]
    assert (told_of, failures(made)) == ([("1", "1Z1"), ("2", "1Z2")], [])


async def test_an_orphan_waits_by_its_purchase_order_too() -> None:
    """The shipper calls the order by a name of its own; the order that comes under the purchase order runs it again."""
    made = hub()
    fields = {"attributes": {"purchase_order_number": "PO-7"}}
    await made.deliver(left("w1", "JOB-1", box("1Z1", ("MUG", 1)), **fields), account="3pl")
    assert failures(made) == [("OrphanShipment", "order_unknown")]
    await made.deliver(order("PO-7", [line("a", "MUG", 1)]))
    assert len(await made.store.claim_inbox(10)) == 1


async def test_a_shipment_that_names_no_order_waits_for_none() -> None:
    """It is parked for a person, and no list of such inputs grows behind it."""
    made = hub()
    await made.deliver(left("w1", " # ", box("1Z1", ("MUG", 1))), account="3pl")
    assert failures(made) == [("OrphanShipment", "order_unnamed")]
    assert not [key for key in made.store.tables.documents if key[1] == "shipments_waiting"]


async def test_an_order_of_an_account_that_was_taken_out_is_no_home() -> None:
    """Nobody could be told, so the shipment waits by name instead of failing as a fault of ours."""
    made = hub(shop("old"), warehouse())
    await made.deliver(order("1", [line("a", "MUG", 1)], account="old"), account="old")
    made.plans = {"3pl": warehouse()}
    made.apply = type(made.apply)(made.store, made.plans, queries=MemoryQueries(made.store))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    assert failures(made) == [("OrphanShipment", "order_unknown")]


async def test_a_correction_without_lines_keeps_the_goods_however_many_parcels_it_names() -> None:
    """One more number on a shipment of one unit ships none of the other units of the order."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3), line("b", "BOX", 1)]))
    await made.deliver(left("w1", "1", box("1Z1", ("MUG", 1))), account="3pl")
    both = [{"tracking_number": number, "carrier": "ups"} for number in ("1Z1", "1Z2")]
    await made.deliver(left("w1", "1", *both, version=4), account="3pl")
    assert (made.buckets("MUG"), made.buckets("BOX")) == ((9, 2, 0), (10, 1, 0))
    await made.deliver(left("w1", "1", both[1], version=5), account="3pl")
    assert (made.buckets("MUG"), made.buckets("BOX")) == ((9, 2, 0), (10, 1, 0))


async def test_lines_are_found_by_article_number_whatever_its_width() -> None:
    """By the catalogue where the order states none, and as the order's own number in fewer digits."""
    made = hub()
    made.store.seed_sku("MUG", gtin="012345678905", aliases=(("", "gtin:12345678905"),))
    await made.deliver(order("1", [line("a", "MUG", 1), line("b", "BOX", 1, gtin="4006381333931")]))
    lines = [{"gtin": "00012345678905", "quantity": 1}, {"gtin": "04006381333931", "quantity": 1}]
    await made.deliver(left("w1", "1", {"tracking_number": "1Z1", "lines": lines}), account="3pl")
    assert failures(made) == []
    assert (made.buckets("MUG"), made.buckets("BOX")) == ((9, 0, 0), (9, 0, 0))


async def test_a_parcel_without_lines_that_the_channel_shows_holds_what_it_shows() -> None:
    """The tool told the channel first, whose counts are here already: the parcel is known, and not refused."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 3)]))
    shown = [{"tracking_number": "1Z1", "lines": [{"line_id": "a", "quantity": 3}]}]
    await made.deliver(shipment("f1", "1", [], version=2, packages=shown))
    await made.deliver(order("1", [line("a", "MUG", 3, fulfilled_quantity=3)], version=2))
    await made.deliver(left("w1", "1", {"tracking_number": "1Z1", "carrier": "ups"}), account="3pl")
    assert (failures(made), effects(made)) == ([], [])
    assert made.buckets("MUG") == (7, 0, 0)


async def test_what_is_stated_now_is_the_latest_word_whatever_the_clock_says() -> None:
    """A correction made after the clock was set back, or at another host, counts; an input that comes late does not."""
    made = hub()
    await made.deliver(order("1", [line("a", "MUG", 2)]))
    for version, units in ((9, 2), (3, 1)):
        told = document(
            "shipment", "W-1", "#1", version=version, state="shipped", packages=[box("1Z1", ("MUG", units))]
        )
        (stated,) = facts((told,), "shop")
        assert isinstance(stated, DocumentFacts)
        entry = AuditEntry("op", "shipment.stated", "shop/1", "{}")
        await made.apply.ship(stated._replace(ours=True), ("shop", "1"), entry)
    assert made.buckets("MUG") == (9, 1, 0)
