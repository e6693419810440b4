"""What is forgotten is gone from every place the store kept it, and whose it was is found without reading anybody."""

from __future__ import annotations

from sqlalchemy import select

from hub.ports.store import InboxResult, InboxState, PersonalRow, WriteSet
from hub.storage.tables import personal
from tests.support.stores import Bench, execute, given, order

ADA, BOB = "buyer-ada", "buyer-bob"


async def _payloads(bench: Bench) -> list[str]:
    rows, _ = await bench.queries.inputs(account="shop")
    return sorted(row.ordering_key for row in rows if row.payload)


async def test_payloads_of_a_lane_go_unless_they_still_have_to_be_applied(bench: Bench) -> None:
    """Finished and parked ones at once, one that waits only once it is finished, other lanes never."""
    lanes = ("order:1", "order:2", "order:1", "order:1")
    await bench.store.receive([given(number, lane=lane) for number, lane in enumerate(lanes, 1)])
    rows, _ = await bench.queries.inputs(account="shop")
    first, second, third, fourth = sorted(row.seq for row in rows)
    await bench.write(WriteSet(inbox=[InboxResult(first, InboxState.DONE), InboxResult(second, InboxState.DONE)]))
    await bench.write(WriteSet(inbox=[InboxResult(third, InboxState.FAILED)]))
    await bench.write(WriteSet(forgotten_lanes=[("shop", "order:1")]))
    assert await _payloads(bench) == ["order:1", "order:2"]
    await bench.write(WriteSet(forgotten_inputs=[fourth]))
    assert await _payloads(bench) == ["order:1", "order:2"]
    await bench.write(WriteSet(inbox=[InboxResult(fourth, InboxState.DONE)], forgotten_inputs=[fourth]))
    assert await _payloads(bench) == ["order:2"]


async def test_a_buyers_orders_are_found_by_a_name_nobody_can_read(bench: Bench) -> None:
    """By the names asked for and in that account only; the names stand nowhere in the database."""
    people = [
        PersonalRow("order_000001", "shop", "{}", buyer=ADA),
        PersonalRow("order_000002", "shop", "{}", buyer=BOB),
        PersonalRow("order_000003", "shop", "{}"),
        PersonalRow("order_000004", "other", "{}", buyer=ADA),
    ]
    orders = [order(1), order(2), order(3), order(4, account="other")]
    await bench.write(WriteSet(orders=orders, personal=people))
    assert await _named(bench, ADA) == ["order_000001"]
    assert await _named(bench, ADA, BOB) == ["order_000001", "order_000002"]
    assert await _named(bench, "") == []
    await bench.write(WriteSet(shredded=["order_000001"]))
    assert await _named(bench, ADA) == []
    await execute(bench, "UPDATE personal SET buyer = NULL WHERE subject = 'order_000003'")
    assert await _named(bench, ADA) == ["order_000003"], "a row from before the index has to be looked into"
    kept = await bench.queries._rows(select(personal.c.buyer))  # type: ignore[attr-defined]
    assert not any(ADA in (row[0] or "") or BOB in (row[0] or "") for row in kept)


async def _named(bench: Bench, *names: str) -> list[str]:
    return [row.id for row in await bench.queries.orders_of_buyer("shop", names)]


async def test_the_lag_seen_last_is_every_processs(bench: Bench) -> None:
    """Status tells lag and last success from the database; success without a lag keeps the lag before it."""
    await bench.store.receive([given(number) for number in range(1, 5)])
    items = sorted(await bench.store.claim_inbox(10), key=lambda item: item.seq)
    (status,) = await bench.queries.status()
    assert (status.inward.lag_s, status.inward.last_success_at) == (None, None)
    await bench.write(WriteSet(inbox=[InboxResult(items[0].seq, InboxState.DONE)]))
    late = WriteSet(inbox=[InboxResult(items[1].seq, InboxState.DONE)], lags={("shop", "inward"): 2_500_000})
    await bench.write(late)
    (status,) = await bench.queries.status()
    assert (status.inward.lag_s, status.inward.last_success_at) == (2.5, bench.now)
    bench.clock.advance(60)
    await bench.write(WriteSet(inbox=[InboxResult(items[2].seq, InboxState.DONE)]))
    (status,) = await bench.queries.status()
    assert (status.inward.lag_s, status.inward.last_success_at) == (2.5, bench.now)
    bench.clock.advance(60)
    quick = WriteSet(inbox=[InboxResult(items[3].seq, InboxState.DONE)], lags={("shop", "inward"): 1_000})
    await bench.write(quick)
    (status,) = await bench.queries.status()
    assert status.inward.lag_s == 0.001
