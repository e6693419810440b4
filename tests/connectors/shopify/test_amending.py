"""What was confirmed is corrected and taken back by the numbers it was told under, once in effect."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import InDoubt, Rejected
from connectors.shopify.fake.state import Order
from tests.connectors.shopify.test_shipping import ordered, package, shipment
from tests.support.shopify_rig import ShopRig, opened


def _effect(kind: str, order: Order, before: list[str], *packages: dict[str, Any]) -> Effect:
    body = {"order": str(order.id), "packages": list(packages), "told_before": before}
    return Effect("eff", kind, str(order.id), "k", body)


async def _shipped(rig: ShopRig, number: str = "1Z1") -> Order:
    rig.sandbox.stock("MUG-1", 9)
    order = await ordered(rig, [("MUG-1", 3)])
    await rig.connector.send(shipment(order, package(number, [(order.lines[0].id, 2)])))
    return order


async def test_a_correction_changes_number_and_carrier_of_the_same_fulfilment() -> None:
    """No second fulfilment is made; sent again nothing changes any more."""
    async with opened() as rig:
        order = await _shipped(rig)
        effect = _effect("correct_shipment", order, ["1Z1"], package("94001", [(order.lines[0].id, 2)], "usps"))
        assert await rig.connector.settle(effect) is Settlement.NOT_APPLIED
        await rig.connector.send(effect)
        await rig.connector.send(effect)
        assert [(parcel.company, parcel.numbers) for parcel in order.parcels] == [("USPS", ["94001"])]
        assert await rig.connector.settle(effect) is Settlement.APPLIED


async def test_a_correction_of_what_was_never_told_confirms_it() -> None:
    """The first confirmation was refused or taken back: the order shows neither number yet."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 1)])
        await rig.connector.send(_effect("correct_shipment", order, ["1Z1"], package("1Z2", [(order.lines[0].id, 1)])))
        assert [parcel.numbers for parcel in order.parcels] == [["1Z2"]]


async def test_a_lost_answer_to_a_correction_is_settled_by_reading() -> None:
    """Applied, the answer lost: in doubt, and the order shows it."""
    async with opened() as rig:
        order = await _shipped(rig)
        effect = _effect("correct_shipment", order, ["1Z1"], package("1Z2", [(order.lines[0].id, 2)]))
        rig.sandbox.faults_on_writes_only = True
        rig.sandbox.faults.force("timeout_after_apply")
        with pytest.raises(InDoubt):
            await rig.connector.send(effect)
        assert await rig.connector.settle(effect) is Settlement.APPLIED
        assert [parcel.numbers for parcel in order.parcels] == [["1Z2"]]


async def test_a_cancelled_fulfilment_can_be_shipped_again() -> None:
    """Its units are open once more; cancelling twice is one cancellation."""
    async with opened() as rig:
        order = await _shipped(rig)
        effect = _effect("cancel_shipment", order, ["1Z1"], package("1Z1", [(order.lines[0].id, 2)]))
        await rig.connector.send(effect)
        await rig.connector.send(effect)
        assert await rig.connector.settle(effect) is Settlement.APPLIED
        assert [parcel.status for parcel in order.parcels] == ["CANCELLED"]
        await rig.connector.send(shipment(order, package("1Z3", [(order.lines[0].id, 3)])))
        assert order.state == "shipped"


@pytest.mark.parametrize("kind", ["correct_shipment", "cancel_shipment"])
async def test_without_a_number_there_is_nothing_to_know_it_by(kind: str) -> None:
    """An untracked fulfilment is left to a person."""
    async with opened() as rig:
        order = await _shipped(rig, "")
        with pytest.raises(Rejected, match="tracking number") as refused:
            await rig.connector.send(_effect(kind, order, [], package(None, [(order.lines[0].id, 2)])))
        assert refused.value.code == "no_tracking"


async def test_a_package_without_lines_is_a_further_parcel_of_the_goods_beside_it() -> None:
    """Its number joins theirs, whatever its carrier; it does not ship what is left of the order."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 3)])
        await rig.connector.send(
            shipment(order, package("1Z1", [(order.lines[0].id, 1)]), package("94001", [], "usps"))
        )
        assert [(parcel.company, parcel.numbers) for parcel in order.parcels] == [("UPS", ["1Z1", "94001"])]
        assert order.state == "partial"


async def test_the_hubs_own_word_for_a_carrier_goes_before_the_connectors() -> None:
    """`told` decides name and page; of a carrier Shopify makes links for, no page goes along."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 9)
        order = await ordered(rig, [("MUG-1", 2)])
        line = order.lines[0].id
        known = {
            **package("1Z1", [(line, 1)], "unknown"),
            "told": {"code": "UPS", "other": False, "url": "https://u.example"},
        }
        other = {**package("B1", [(line, 1)], "x"), "told": {"code": None, "name": "City Bikes", "other": True,
                                                              "url": "https://b.example/B1"}}  # fmt: skip
        await rig.connector.send(shipment(order, known))
        await rig.connector.send(shipment(order, other))
        assert [(parcel.company, parcel.urls) for parcel in order.parcels] == [
            ("UPS", []),
            ("City Bikes", ["https://b.example/B1"]),
        ]
