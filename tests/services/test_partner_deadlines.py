"""What we owe partners is done in time: answers before they are due, stock by schedule, struck off when taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.sdk.clock import ManualClock
from hub.ports.accounts import AvailabilityPolicy
from hub.ports.store import Expectation
from hub.services.partners import stock_advice
from hub.services.partners.deadlines import Deadlines, answered
from hub.services.partners.following import Partners
from hub.services.partners.stock_advice import StockAdvice
from hub.services.stock import Stock
from tests.support.buyers import (
    RETAILER,
    TradingHub,
    bought,
    decisions,
    outgoing_of,
    profile,
    purchase,
    retailer,
    written,
)
from tests.support.memory_queries import MemoryQueries

HOUR = 3_600_000_000


def made(**changes: Any) -> tuple[TradingHub, MemoryQueries]:
    hub = TradingHub(retailer(profile(**changes), policy=AvailabilityPolicy(("east",), buffer=2)))
    hub.stock("MUG", 10, aliases=((RETAILER, "R-MUG"),), gtin="012345678905")
    return hub, MemoryQueries(hub.store)


def deadlines(hub: TradingHub, queries: MemoryQueries) -> Deadlines:
    return Deadlines(hub.plans, hub.store, queries, hub.apply)  # type: ignore[arg-type]


async def test_an_order_nobody_put_right_is_answered_before_it_is_due() -> None:
    """48 hours are agreed: at 30 nothing is said yet, at 37 what cannot be delivered is refused, once."""
    hub, queries = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4), bought("2", "GHOST", 1)]), account=RETAILER)
    hub.clock += 30 * HOUR
    await deadlines(hub, queries).look(hub.clock)
    assert outgoing_of(hub) == []
    hub.clock += 7 * HOUR
    for _ in range(2):
        await deadlines(hub, queries).look(hub.clock)
    (asked,) = outgoing_of(hub)
    assert decisions(asked) == {"1": [("accepted", 4)], "2": [("rejected", 1)]}


async def test_an_order_that_cannot_be_answered_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours about one order: the others that are due are answered all the same."""
    hub, queries = made()
    for name in ("P1", "P2", "P3"):
        await hub.deliver(purchase(name, [bought("1", "MUG", 1), bought("2", "GHOST", 1)]), account=RETAILER)
    follow = Partners.follow_order

    def faulty(partners: Partners, batch: Any, key: tuple[str, str]) -> None:
        if key[1] == "P2":
            raise ValueError("a document of ours that is none")
        follow(partners, batch, key)

    monkeypatch.setattr(Partners, "follow_order", faulty)
    hub.clock += 37 * HOUR
    outcome = await deadlines(hub, queries).look(hub.clock)
    assert sorted(each["document"]["purchase_order_number"] for each in outgoing_of(hub)) == ["P1", "P3"]
    assert outcome.failed == 1


async def test_what_is_put_right_in_time_is_accepted() -> None:
    """The article is added while there is time: the answer takes it."""
    hub, queries = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4), bought("2", "GHOST", 1)]), account=RETAILER)
    hub.stock("GHOST", 5)
    await hub.apply.resolve_held([(RETAILER, "P1")])
    (asked,) = outgoing_of(hub)
    assert asked["document"]["state"] == "accepted"
    await deadlines(hub, queries).look(hub.clock + 47 * HOUR)
    assert len(outgoing_of(hub)) == 1


async def test_an_order_stated_anew_is_owed_an_answer_of_its_own() -> None:
    """Nobody has acknowledged the first 855 yet: the second is due by its own time, and sent by then."""
    hub, queries = made()
    await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
    hub.clock += 10 * HOUR
    await hub.deliver(purchase("P1", [bought("2", "GHOST", 1)], version=2), account=RETAILER)
    owed = hub.store.tables.expectations[RETAILER, "855", "P1"]
    assert (owed.opened_at, owed.due_at) == (hub.clock, hub.clock + 48 * HOUR)
    hub.clock += 37 * HOUR
    await deadlines(hub, queries).look(hub.clock)
    assert [decisions(asked) for asked in outgoing_of(hub)] == [{"1": [("accepted", 4)]}, {"2": [("rejected", 1)]}]


async def test_an_acknowledged_answer_is_owed_no_more() -> None:
    """The 997 of the 855 ends what we owed; a refusal shows as failed."""
    for state in ("met", "failed"):
        hub, queries = made()
        await hub.deliver(purchase("P1", [bought("1", "MUG", 4)]), account=RETAILER)
        owed = hub.store.tables.expectations[RETAILER, "855", "P1"]
        await deadlines(hub, queries).look(hub.clock)
        assert hub.store.tables.expectations[RETAILER, "855", "P1"].state == "open"
        said = Expectation(
            RETAILER, "997", "PR 1 855 0001", owed.subject, False, hub.clock, None, state, hub.clock, '{"set":"855"}'
        )
        hub.store.tables.expectations[RETAILER, "997", "PR 1 855 0001"] = said
        await deadlines(hub, queries).look(hub.clock)
        assert hub.store.tables.expectations[RETAILER, "855", "P1"].state == state


def test_each_shipment_is_struck_off_by_its_own_acknowledgement() -> None:
    """Two notices of one order, one acknowledged: the other is still owed."""
    ours = [Expectation(RETAILER, "856", name, "o", True, at, None) for name, at in (("a", 1), ("b", 5))]
    theirs = [
        Expectation(RETAILER, "997", "SH 1", "o", False, 2, None),
        Expectation(RETAILER, "997", "SH 2", "o", False, 6, None, "met", 9),
    ]
    assert [row.state for row in answered(ours, theirs)] == ["open", "met"]


async def test_a_partner_is_told_its_stock_on_schedule() -> None:
    """The policy's number with the partner's qualifier, again when it is time, and remembered for `stock explain`."""
    partner = profile().agreed.inventory
    hub, queries = made(inventory=partner.model_copy(update={"every": 3600, "out": "17"}))
    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    plan = hub.plans[RETAILER]
    advice = StockAdvice(plan, hub.store, queries, clock)  # type: ignore[arg-type]
    assert await advice.tell_due() == 1
    assert await advice.tell_due() == 0
    clock.advance(timedelta(hours=1).total_seconds())
    assert await advice.tell_due() == 1
    first, _ = outgoing_of(hub, kind="846")
    assert plan.partner is not None
    rows = [tuple(row) for row in written(first, plan.partner).rows]
    assert next(row[:3] for row in rows if row[0] == "QTY") == ("QTY", "17", "8")
    assert next(row for row in rows if row[0] == "LIN")[2:6] == ("IN", "R-MUG", "UP", "012345678905")
    shown = await Stock(queries, hub.plans)._told(plan, "MUG")  # type: ignore[arg-type]
    assert (shown["told"]["quantity"], shown["told"]["channel_sku"]) == (8, "R-MUG")


async def test_only_what_has_changed_is_told_where_that_is_agreed() -> None:
    """`out_scope: delta`: everything once, then what moved; nothing moved, nothing sent."""
    rules = profile().agreed.inventory.model_copy(update={"every": 60, "out_scope": "delta"})
    hub, queries = made(inventory=rules)
    hub.stock("BOX", 5, aliases=((RETAILER, "R-BOX"),))
    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    advice = StockAdvice(hub.plans[RETAILER], hub.store, queries, clock)  # type: ignore[arg-type]
    counts = [await advice.tell_due()]
    for units in (0, 3):
        if units:
            hub.stock("BOX", units)
        clock.advance(60)
        counts.append(await advice.tell_due())
    assert counts == [2, 0, 1]
    assert [len(each["document"]["levels"]) for each in outgoing_of(hub, kind="846")] == [2, 1]


async def test_a_large_catalogue_is_told_a_set_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a partner has no numbers of its own the first articles are told before the last are read."""
    monkeypatch.setattr(stock_advice, "LINES_MAX", 2)
    monkeypatch.setattr(stock_advice, "_PAGE", 2)
    inventory = profile().agreed.inventory.model_copy(update={"every": 3600})
    hub = TradingHub(retailer(profile(inventory=inventory)))
    for name in "ABCDE":
        hub.stock(name, 1)
    read: list[str] = []

    class Watched(MemoryQueries):
        async def skus(self, **page: Any) -> Any:
            read.append("catalogue")
            return await super().skus(**page)

        async def positions_at(self, *some: Any) -> Any:
            read.append("stock")
            return await super().positions_at(*some)

    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    advice = StockAdvice(hub.plans[RETAILER], hub.store, Watched(hub.store), clock)  # type: ignore[arg-type]
    assert await advice.tell_due() == 5
    assert read[-3:] == ["stock", "catalogue", "stock"]
    told = [[level["sku"] for level in asked["document"]["levels"]] for asked in outgoing_of(hub, kind="846")]
    assert told == [["A", "B"], ["C", "D"], ["E"]]
