"""Two workers of one partner at the same time: nothing is taken, answered or numbered twice."""

from __future__ import annotations

import asyncio

from tests.support.exchange import Desk, answer, interchange, order


async def test_one_interchange_in_two_files_is_taken_once(desk: Desk) -> None:
    """Whichever worker is first takes it, the other finds it taken; both are answered."""
    for lane in ("interchange:in", "interchange:as2"):
        await desk.receive(interchange(order()), lane=lane)
    items = await desk.bench.store.claim_inbox(10)
    assert len(items) == 2
    await asyncio.gather(*(desk.trading().take(item) for item in items))
    states = sorted([(await desk.states(row))[0] for row in await desk.files("in")])
    assert states == ["again", "taken"]
    inputs, _ = await desk.bench.queries.inputs(account="retailer", topics=["850"])
    assert len(inputs) == 1
    assert len({row.control for row in await desk.files("out")}) == 2


async def test_documents_composed_side_by_side_have_numbers_without_gap_or_double(desk: Desk) -> None:
    """Twelve at once, of which three cannot be written: 1 to 9."""
    for number in range(12):
        made = answer(f"PO{number}", decided=7 if number % 4 == 3 else 12)
        await desk.ask(made, dedupe=str(number), subject=f"ord_{number}")
    items = await desk.bench.store.claim_inbox(50)
    assert len(items) == 12
    await asyncio.gather(*(desk.trading().take(item) for item in items))
    assert sorted(int(row.control) for row in await desk.files("out")) == list(range(1, 10))
    assert len(await desk.failures()) == 3
