"""A purchase order ends in one place whatever comes first, twice or late; positions stay the sum of the ledger."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical import Document
from hub.purchasing.asking import PurchaseRefused
from hub.services.purchasing_unit import PurchaseConflict, look
from tests.support.buying import Buying, answer, invoice, notice, part, received

ITEMS = ("MUG", "BOX", "CUP", "S-MUG", "TEA")
quantities = st.integers(0, 25)


def _lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    items = draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3, unique=True))
    return [{"channel_sku": item, "quantity": draw(quantities)} for item in items]


@st.composite
def answers(draw: st.DrawFn, version: int) -> Document:
    state = draw(st.sampled_from(["accepted", "accepted_with_changes", "rejected"]))
    lines = []
    for number in draw(st.lists(st.sampled_from(["1", "2"]), max_size=2, unique=True)):
        statuses = ["accepted", "backordered", "rescheduled", "rejected", "held", "unknown", "substituted"]
        parts = [
            part(status, draw(st.none() | quantities), channel_sku="CUP" if status == "substituted" else None)
            for status in draw(st.lists(st.sampled_from(statuses), max_size=3))
        ]
        lines.append({"number": number, "acknowledged": parts})
    return answer(
        f"a{version}", lines, state=state, version=version, attributes={"revision": draw(st.sampled_from("01"))}
    )


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Document], list[Document]]:
    """The same documents twice: as they were made, and as they arrive."""
    made: list[Document] = []
    for version in range(1, draw(st.integers(1, 3)) + 1):
        made.append(draw(answers(version)))
        for kind, build in (("n", notice), ("i", invoice)):
            if draw(st.booleans()):
                name = f"{kind}{draw(st.integers(1, 2))}"
                made.append(build(name, _lines(draw), version=version * 10 + len(made)))
        if draw(st.booleans()):
            made.append(
                received(f"r{version}", [{"channel_sku": "MUG", "quantity": draw(quantities), "damaged_quantity": 1}])
            )
    again = draw(st.lists(st.sampled_from(made), max_size=3))
    return made, list(draw(st.permutations([*made, *again])))


async def _after(documents: list[Document]) -> tuple[Any, ...]:
    hub = Buying()
    await hub.order()
    await hub.change({"number": "1", "change": "quantity", "quantity": 15})
    for document in documents:
        await hub.hear(document)
        assert hub.sound()
    assert not hub.store.tables.failures
    opened = await look(hub.store, "OUR-1")
    buckets = {
        sku: (row.on_hand, row.incoming, row.quarantine)
        for sku in ("MUG", "BOX", "CUP")
        if (row := hub.store.position(sku, "east"))
    }
    awaited = {key: row.state for key, row in hub.awaited().items()}
    return buckets, opened.order["state"], opened.order["lines"], opened.book.posted, await hub.match(), awaited


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_arrival_makes_no_difference(pair: tuple[list[Document], list[Document]]) -> None:
    """Stock, state, lines, match and what is owed are the same in the order of making and in any order of arrival."""
    made, arrived = pair
    assert asyncio.run(_after(made)) == asyncio.run(_after(arrived))


ACTS = ("more", "less", "remove", "cancel", "close", "receive")


async def _act(hub: Buying, act: str) -> None:
    """One act of ours; what the order's state does not allow is refused and changes nothing."""
    with contextlib.suppress(PurchaseConflict, PurchaseRefused):
        if act == "cancel":
            await hub.cancel()
        elif act == "close":
            await hub.acts.close("OUR-1", key="close", actor="ada")
        elif act == "receive":
            await hub.take_in({"sku": "MUG", "quantity": 4, "damaged_quantity": 1})
        elif act == "remove":
            await hub.change({"number": "2", "change": "remove"})
        else:
            await hub.change({"number": "1", "change": "quantity", "quantity": 30 if act == "more" else 3})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), st.lists(st.sampled_from(ACTS), max_size=5), st.randoms(use_true_random=False))
def test_whatever_we_do_meanwhile_the_ledger_holds(
    pair: tuple[list[Document], list[Document]], acts: list[str], chance: Random
) -> None:
    """After each step incoming is the book's, never negative, and positions are the sum of the ledger."""
    steps: list[Document | str] = [*pair[1], *acts]
    chance.shuffle(steps)

    async def run() -> None:
        hub = Buying()
        await hub.order()
        for step in steps:
            await (_act(hub, step) if isinstance(step, str) else hub.hear(step))
            assert hub.sound()
            posted = (await look(hub.store, "OUR-1")).book.posted
            for sku in ("MUG", "BOX", "CUP"):
                held = sum(units for (_, name, place), units in posted.items() if (name, place) == (sku, "east"))
                assert hub.incoming(sku) == held >= 0
            if await hub.state() == "closed":
                assert not posted
        assert not hub.store.tables.failures

    asyncio.run(run())
