"""A transfer leaves one place, is incoming at the other, announced once, and ended by what the warehouse took in."""

from __future__ import annotations

from typing import Any

import pytest

from hub.services.transfers import TransferConflict, TransferRefused, Transfers
from tests.support.buyers import WAREHOUSE, TradingHub, outgoing_of, warehouse, written
from tests.support.orders import document, plan

ASK: dict[str, Any] = {"from": "west", "to": "east", "lines": [{"sku": "MUG", "quantity": 40}]}


def made() -> tuple[TradingHub, Transfers]:
    places = {"east": WAREHOUSE}
    hub = TradingHub(plan(warehouses=places), warehouse())
    hub.stock("MUG", 100, location="west")
    return hub, Transfers(hub.store, hub.plans, ("east", "west"))


def receipt(name: str, reference: str, good: int, damaged: int = 0, *, version: int = 3) -> Any:
    return document(
        "warehouse_receipt", name, version=version, account=WAREHOUSE, number=name, reference=reference,
        location="east", lines=[{"channel_sku": "MUG", "quantity": good, "damaged_quantity": damaged, "uom": "EA"}],
    )  # fmt: skip


def at(hub: TradingHub, place: str) -> tuple[int, int, int]:
    row = hub.store.position("MUG", place)
    return row.on_hand, row.incoming, row.quarantine


async def test_what_is_sent_is_incoming_until_it_is_received() -> None:
    """Left, announced by one 943, received in two parts with damage; every unit is in one place."""
    hub, transfers = made()
    done = await transfers.create(ASK, key="k1", actor="ops")
    assert (await transfers.create(ASK, key="k1", actor="ops")).repeated
    assert (at(hub, "west"), at(hub, "east")) == ((60, 0, 0), (0, 40, 0))
    (asked,) = outgoing_of(hub, WAREHOUSE, "943")
    partner = hub.plans[WAREHOUSE].partner
    assert partner is not None
    rows = [tuple(row) for row in written(asked, partner).rows]
    assert next(row for row in rows if row[0] == "W04")[1:3] == ("40", "EA")
    assert next(row for row in rows if row[0] == "N1" and row[1] == "WH")[4] == "3PL01"
    first = receipt("WR1", done.number, 25, 3)
    for each in (first, first, receipt("WR2", done.number, 10)):
        await hub.deliver(each, account=WAREHOUSE)
    assert at(hub, "east") == (35, 2, 3)
    await hub.deliver(receipt("WR2", done.number, 12, version=5), account=WAREHOUSE)
    assert at(hub, "east") == (37, 0, 3)
    assert hub.store.tables.expectations[WAREHOUSE, "944", done.number].state == "met"
    assert (await transfers.create(ASK, key="k1", actor="ops")).state == "received"
    assert hub.store.differences() == []


async def test_more_than_was_sent_is_never_negative() -> None:
    """An overage is on hand; incoming ends at nought."""
    hub, transfers = made()
    done = await transfers.create({**ASK, "number": "T-9"}, key="k1", actor="ops")
    await hub.deliver(receipt("WR1", done.number, 45), account=WAREHOUSE)
    assert at(hub, "east") == (45, 0, 0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"from": "moon"}, "moon"),
        ({"to": "west"}, "same place"),
        ({"from": "east", "to": "west"}, "run by"),
        ({"lines": []}, "between 1 and"),
        ({"lines": [{"sku": "MUG", "quantity": 0}]}, "line 1"),
        ({"lines": [{"sku": "GHOST", "quantity": 1}]}, "GHOST"),
    ],
)
async def test_what_cannot_be_is_refused_whole(change: dict[str, Any], word: str) -> None:
    """Every fault is named and nothing is stored."""
    hub, transfers = made()
    with pytest.raises(TransferRefused, match=word):
        await transfers.create({**ASK, **change}, key="k1", actor="ops")
    assert outgoing_of(hub, WAREHOUSE) == []
    assert at(hub, "west") == (100, 0, 0)


async def test_a_number_and_a_key_mean_one_transfer() -> None:
    """Another content under either is a conflict."""
    _, transfers = made()
    await transfers.create({**ASK, "number": "T-9"}, key="k1", actor="ops")
    other = {**ASK, "lines": [{"sku": "MUG", "quantity": 1}]}
    with pytest.raises(TransferConflict):
        await transfers.create({**other, "number": "T-9"}, key="k2", actor="ops")
    with pytest.raises(TransferConflict):
        await transfers.create(other, key="k1", actor="ops")
    assert (await transfers.create({**ASK, "number": "T-9"}, key="k3", actor="ops")).repeated
