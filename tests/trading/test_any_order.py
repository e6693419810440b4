"""Whatever a partner sends, and however often the process dies: each order is taken once, each file answered once."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import Counter

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from tests.support.exchange import Desk, Killed, interchange, order
from tests.support.stores import opened

FILES = st.builds(
    dict,
    pos=st.lists(st.sampled_from(["P1", "P2", "P3"]), min_size=1, max_size=3, unique=True),
    quantity=st.integers(1, 2),
    control=st.integers(1, 4),
    group=st.integers(1, 4),
    usage=st.sampled_from("PPPT"),
)
KILLS = st.lists(st.integers(1, 2), max_size=3)


async def trade(files: list[dict[str, object]], kills: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(f"sqlite:///{folder}/hub.db") as bench:
            desk = Desk(bench)
            for number, file in enumerate(files):
                sets = [order(po, int(str(file["quantity"])), f"{n:04d}") for n, po in enumerate(file["pos"], 1)]  # type: ignore[arg-type,var-annotated]
                content = interchange(
                    *sets, control=int(str(file["control"])), group=int(str(file["group"])), usage=str(file["usage"])
                )
                await desk.receive(content)
                if number < len(kills):
                    desk.kill_at = kills[number]
                    with contextlib.suppress(Killed):
                        await desk.work()
                    await desk.crash()
                await desk.work()
            await check(desk, files)


async def check(desk: Desk, files: list[dict[str, object]]) -> None:
    rows, _ = await desk.bench.queries.inputs(account="retailer", topics=["850"], limit=1000)
    lanes = Counter(row.ordering_key for row in rows)
    assert all(count == 1 for count in lanes.values()), lanes
    received, made = await desk.files("in"), await desk.files("out")
    assert len(received) == len(files)
    states = [await desk.states(row) for row in received]
    taken = sum(state.count("taken") for state in states)
    assert taken == len(rows)
    for row, file, sets in zip(received, files, states, strict=True):
        assert row.state == ("parked" if "parked" in sets else "taken")
        assert row.done == row.sets == len(sets)
        assert ("taken" in sets) <= (file["usage"] == "P")
        assert set(sets) <= {"taken", "again", "parked", "test"}
    numbers = {usage: sorted(int(row.control) for row in made if row.test is usage) for usage in (False, True)}
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values()), numbers


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.lists(FILES, min_size=1, max_size=7), kills=KILLS)
def test_each_order_is_taken_once_and_numbers_have_no_gap(files: list[dict[str, object]], kills: list[int]) -> None:
    """Any sequence of files that reuse numbers and orders, with kills in between."""
    asyncio.run(trade(files, kills))
