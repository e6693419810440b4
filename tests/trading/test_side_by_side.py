"""Two workers of one partner at the same time: nothing is taken, answered or numbered twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.ports.store import StoreConflict
from hub.services.trading.interchanges import Interchanges
from tests.support.exchange import ACCOUNT, Desk, answer, interchange, order, plan, profile


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


async def test_a_file_that_another_process_goes_on_with_is_left_to_it(desk: Desk) -> None:
    """Whoever was taken for dead in the middle of a file stores no more of it, and answers nothing a second time."""
    await desk.receive(two_interchanges())
    (item,) = await desk.bench.store.claim_inbox(10)
    resumed = asyncio.Event()
    slow = Late(desk.bench.store, resumed)
    plans = {ACCOUNT: plan(desk.partner)}
    first = asyncio.create_task(Interchanges(slow, desk.bench.queries).take(item, plans[ACCOUNT], profile()))  # type: ignore[arg-type]
    await slow.waits.wait()
    await desk.trading().take(item)
    resumed.set()
    with pytest.raises(StoreConflict):
        await first
    (received,) = await desk.files("in")
    assert (received.state, received.done) == ("taken", 500)
    assert len(await desk.files("out")) == 2


def two_interchanges() -> bytes:
    sets = [order(f"A{n}", control=f"{n:04d}") for n in range(250)]
    more = [order(f"B{n}", control=f"{n:04d}") for n in range(250)]
    return interchange(*sets) + interchange(*more, control=2, group=18)


@dataclass
class Late:
    """A store whose caller stops before the second unit, for as long as it takes another process to do the work."""

    store: Any
    resumed: asyncio.Event
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    units: int = 0

    async def run(self, reads: Any, decide: Any) -> Any:
        self.units += 1
        if self.units == 2:
            self.waits.set()
            await self.resumed.wait()
        return await self.store.run(reads, decide)
