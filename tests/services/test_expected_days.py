"""Stock on order is sold while it is due in time: when it is promised, as days come near, and not once it is late."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.sdk.clock import ManualClock
from hub.ports.accounts import AvailabilityPolicy
from hub.ports.store import LevelRow, LevelState, ReadSet, State, WriteSet
from hub.purchasing.expected import EXPECTED
from hub.services.apply_purchase import hear
from hub.services.expected_days import ExpectedDays, look_at_expected
from hub.services.extract_purchase import purchase_facts_of
from hub.services.moments import moment
from hub.services.purchasing import Purchasing
from hub.services.purchasing_unit import opening, reads_of
from hub.services.quantities import quantify
from hub.services.stock import Stock
from tests.support.buying import Buying, answer, part, wanted
from tests.support.inward import running
from tests.support.orders import at, plan

DAY = 24 * 60
SELLS = plan(policy=AvailabilityPolicy(("east",), incoming_within_s=3 * 86_400.0))


class Documents:
    """The two reads that looking at what is on order takes."""

    def __init__(self, hub: Buying) -> None:
        self._store = hub.store

    async def document(self, document_id: str) -> Any:
        return next((row for row in self._store.tables.documents.values() if row.id == document_id), None)

    async def documents(self, *, type: str, **_: Any) -> Any:
        return [row for row in self._store.tables.documents.values() if row.type == type], None


async def shown(hub: Buying, sku: str = "MUG") -> int:
    """The number an account that sells what is due within three days shows."""
    level = LevelRow(
        "shop", "l1", "", sku, sku, None, LevelState.DIRTY, 1, 0, None, 0, 0, None, None, None, None, None, None, None,
        None, None,
    )  # fmt: skip
    reads = ReadSet(positions={sku})
    await look_at_expected(hub.store, SELLS, reads)
    states: list[State] = []

    def look(state: State) -> WriteSet:
        states.append(state)
        return WriteSet()

    await hub.store.run(reads, look)
    found = quantify(replace(SELLS, locations={}), states[-1])(level)
    assert not isinstance(found, str), found
    return found[0]


async def bought() -> Buying:
    """12 MUG promised for 2026-12-10, 8 without a day."""
    hub = Buying()
    hub.stock("MUG", 5)
    await hub.order(expected_at="2026-12-10")
    told = {"number": "1", "acknowledged": [part("accepted", 12), part("backordered", 8)]}
    await hub.hear(answer("a", [told]))
    return hub


async def test_a_part_counts_from_when_it_is_near_until_it_is_late() -> None:
    """Undated parts never count, a dated one within the time the policy names, and not after its day."""
    hub = await bought()
    numbers = []
    for day in (10, 17, 18, 20, 21):
        hub.clock = at(day * DAY + 60)
        numbers.append(await shown(hub))
    assert numbers == [5, 5, 17, 17, 5]


async def test_kits_count_what_their_parts_have_on_order() -> None:
    """A kit is made of what is here and what is due in time."""
    hub = await bought()
    hub.stock("BOX", 30)
    hub.clock = at(19 * DAY)
    assert await shown(hub, "SET") == 17


async def test_days_that_pass_make_numbers_due() -> None:
    """Each look has the SKUs computed again of which another part counts since the look before, and no others."""
    hub = await bought()
    documents = Documents(hub)
    clock = ManualClock(moment(hub.clock))
    days = ExpectedDays(hub.store, documents, {"shop": SELLS}, clock)  # type: ignore[arg-type]
    assert days.counts
    assert not ExpectedDays(hub.store, documents, {"shop": plan()}, clock).counts  # type: ignore[arg-type]
    found = []
    for day in (10, 11, 18, 19, 22, 23):
        hub.clock = at(day * DAY)
        clock.advance((moment(hub.clock) - clock.now()).total_seconds())
        found.append(await days.look())
    assert found == [0, 0, 1, 0, 1, 0]


async def test_a_promise_makes_the_number_due_at_once() -> None:
    """The answer itself marks the SKU and the kits it is in; an answer about nothing new does not."""
    hub = Buying()
    await hub.order(expected_at="2026-12-10")
    first = await hub.hear(answer("a", state="accepted"))
    assert first.dirty == {"MUG", "BOX", "SET"}
    assert not (await hub.hear(answer("a", state="accepted"))).dirty


async def test_explaining_a_number_names_what_is_on_order(tmp_path: Path) -> None:
    """`stock explain` shows the step with the units that count, over a real database."""
    sells = replace(SELLS, policy=replace(SELLS.policy, incoming_within_s=365 * 86_400.0))
    async with running(tmp_path / "hub.db", sells) as hub:
        acts = Purchasing(hub.store, {"shop": sells}, ("east",), hub.queries)
        await acts.create(wanted(supplier="Invented Pottery", expected_at="2026-12-10"), actor="ada")
        told = purchase_facts_of(answer("a", state="accepted"), "Invented Pottery", at(0))
        assert told is not None

        def decide(state: State) -> WriteSet:
            opened = opening(state, "OUR-1")
            assert hear(opened.batch, "OUR-1", told.orders[0][1], {"shop": sells})
            return opened.batch.finish()

        await hub.store.run(await reads_of(hub.store, "OUR-1"), decide)
        explained = await Stock(hub.queries, {"shop": sells}, ManualClock(moment(at(0)))).explain("MUG", "shop")
        steps = {step["step"]: (step["value"], step["how"]) for step in explained["steps"]}
        assert steps["incoming"] == (20, "20 of 20 on order are due in time")
        assert explained["quantity"] == 20
        assert not await hub.queries.verify()
        row = await hub.queries.document(f"{EXPECTED}:MUG")
        assert row is not None
