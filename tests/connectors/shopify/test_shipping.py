"""A shipment is confirmed once in effect, location by location, whatever got lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import InDoubt, Rejected, TargetMissing
from connectors.shopify.fake.state import Level, Order
from tests.support.shopify_rig import ShopRig, opened


async def ordered(rig: ShopRig, lines: list[tuple[str, int]]) -> Order:
    order_id = await rig.sandbox.sell(lines)
    assert order_id is not None
    order: Order = rig.sandbox.shop.orders[int(order_id)]
    return order


def shipment(order: Order, *packages: dict[str, Any]) -> Effect:
    return Effect("eff", "confirm_shipment", str(order.id), "k", {"order": str(order.id), "packages": list(packages)})


def package(number: str | None, lines: list[tuple[int, int]], carrier: str = "ups") -> dict[str, Any]:
    content = [{"line_id": str(line), "quantity": quantity} for line, quantity in lines]
    return {"tracking_number": number, "carrier": carrier, "lines": content}


async def test_lines_at_two_locations_become_one_fulfilment_each() -> None:
    """Shopify takes fulfilment orders of one location at a time."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 2)
        annex = rig.sandbox.shop.add_location("Annex")
        now = rig.sandbox.shop.now()
        rig.sandbox.shop.by_sku["MUG-1"].levels[annex.id] = Level(annex.id, 5, now, now)
        order = await ordered(rig, [("MUG-1", 4)])
        effect = shipment(order, package("1Z1", [(order.lines[0].id, 4)]))
        result = await rig.connector.send(effect)
        assert result.vendor_id
        assert [(parcel.location, sum(part[2] for part in parcel.lines)) for parcel in order.parcels] == [
            (rig.sandbox.shop.main.id, 2),
            (annex.id, 2),
        ]
        assert await rig.connector.settle(effect) is Settlement.APPLIED


async def test_a_parcel_cut_off_between_two_locations_is_completed() -> None:
    """Half of it stands there under its number: reading says "not applied", and sending adds the other half alone."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 2)
        annex = rig.sandbox.shop.add_location("Annex")
        now = rig.sandbox.shop.now()
        rig.sandbox.shop.by_sku["MUG-1"].levels[annex.id] = Level(annex.id, 5, now, now)
        order = await ordered(rig, [("MUG-1", 4)])
        line = order.lines[0].id
        await rig.connector.send(shipment(order, package("1Z1", [(line, 2)])))
        whole = shipment(order, package("1Z1", [(line, 4)]))
        assert await rig.connector.settle(whole) is Settlement.NOT_APPLIED
        await rig.connector.send(whole)
        assert [sum(part[2] for part in parcel.lines) for parcel in order.parcels] == [2, 2]
        assert await rig.connector.settle(whole) is Settlement.APPLIED


async def test_several_numbers_of_one_carrier_go_together_and_another_carrier_alone() -> None:
    """One fulfilment has one company for all its numbers."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 5)])
        line = order.lines[0].id
        await rig.connector.send(
            shipment(
                order, package("1Z1", [(line, 2)]), package("1Z2", [(line, 1)]), package("94001", [(line, 2)], "usps")
            )
        )
        assert [(parcel.company, parcel.numbers) for parcel in order.parcels] == [
            ("UPS", ["1Z1", "1Z2"]),
            ("USPS", ["94001"]),
        ]
        assert order.state == "shipped"


async def test_sent_again_it_adds_nothing() -> None:
    """The order shows the number already, so the second sending is a yes without a write."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 2)])
        effect = shipment(order, package("1Z1", [(order.lines[0].id, 1)]))
        await rig.connector.send(effect)
        await rig.connector.send(effect)
        assert len(order.parcels) == 1


async def test_a_lost_answer_is_in_doubt_and_settled_by_reading() -> None:
    """Applied without an answer: in doubt, read, applied; never sent twice."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 2)])
        effect = shipment(order, package("1Z1", [(order.lines[0].id, 1)]))
        rig.sandbox.faults_on_writes_only = True
        rig.sandbox.faults.force("timeout_after_apply")
        with pytest.raises(InDoubt):
            await rig.connector.send(effect)
        assert await rig.connector.settle(effect) is Settlement.APPLIED
        assert len(order.parcels) == 1


async def test_without_a_number_a_half_shipped_order_is_no_answer() -> None:
    """Untouched is no, exhausted is yes, in between nobody can tell."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 3)])
        effect = shipment(order, package(None, [(order.lines[0].id, 1)]))
        assert await rig.connector.settle(effect) is Settlement.NOT_APPLIED
        await rig.connector.send(effect)
        assert await rig.connector.settle(effect) is Settlement.UNKNOWN
        await rig.sandbox.ship(str(order.id))
        assert await rig.connector.settle(effect) is Settlement.APPLIED


async def test_what_cannot_be_shipped_is_refused_with_the_line() -> None:
    """Too many, no such order, no package, cancelled: said before anything is written."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 2)])
        line = order.lines[0].id
        with pytest.raises(Rejected, match=str(line)):
            await rig.connector.send(shipment(order, package("1Z1", [(line, 3)])))
        with pytest.raises(Rejected, match="no packages"):
            await rig.connector.send(shipment(order))
        missing = Effect("e", "confirm_shipment", "1", "k", {"order": "999999", "packages": [package("1Z1", [(1, 1)])]})
        with pytest.raises(TargetMissing):
            await rig.connector.send(missing)
        await rig.sandbox.cancel(str(order.id))
        with pytest.raises(Rejected):
            await rig.connector.send(shipment(order, package("1Z1", [(line, 1)])))
        assert rig.calls("mutation FulfillmentCreate") == 0
