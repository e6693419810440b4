"""Parcels our warehouse sends: told once to each of four channels, whatever happens to the answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_four_channels import CHANNELS, Shops, shops
from tests.support.running_hub import until

TAKES_BACK = ("shopify",)
CORRECTS = ("shopify", "amazon")


def _parcels(world: Shops, name: str, order: str) -> Counter[tuple[str, str, int]]:
    """(number, carrier, units) of what the channel shows of an order."""
    shown = next(one for one in world.sandboxes[name].orders() if str(one["id"]) == order)["parcels"]
    return Counter(
        (number, str(one["carrier"]), sum(units for _, units in one["lines"]))
        for one in shown
        for number in one["numbers"]
    )


async def _ship(world: Shops, name: str, order: str, tracking: str, units: int, **fields: Any) -> dict[str, Any]:
    package = {"tracking_number": tracking, "carrier": fields.pop("carrier", "UPS"), **fields.pop("more", {})}
    if units:
        package["lines"] = [{"sku": "MUG", "quantity": units}]
    body = {"account": name, "order": order, "ship_from": "main", "packages": [package], **fields}
    return await world.hub.acts.ship(body, key=f"{name}-{tracking}-{len(fields)}", actor="test")


async def _known(world: Shops, name: str, count: int) -> None:
    """Wait until the hub has so many shipments of the channel's own."""

    async def reached() -> bool:
        rows, _ = await world.hub.queries.documents(type="shipment", account=name, limit=100)
        own = [row for row in rows if "shipped_by" not in json.loads(row.document)["attributes"]]
        return len(own) >= count

    await until(reached, what=f"{count} shipments told by {name}")


@pytest.mark.timeout(400)
async def test_a_lost_answer_is_never_a_second_shipment(tmp_path: Path) -> None:
    """Each channel applies the shipment and its answer is lost: shown once, the echo ships nothing again."""
    async with shops(tmp_path, 40) as world:
        sold = {}
        for name in CHANNELS:
            sold[name] = await world.sandboxes[name].sell([("MUG", 3)])
        await world.shown("MUG", 28)
        await world.position("MUG", 40, 12)
        for place, name in enumerate(CHANNELS):
            sandbox = world.sandboxes[name]
            sandbox.hang_s = 0.3
            sandbox.faults_on_writes_only = True
            # A number may be published in between; one of the two strikes the shipment.
            sandbox.faults.force("timeout_after_apply", 2)
            await _ship(world, name, sold[name], f"1Z999AA1000000000{place}", 1)
        for place, name in enumerate(CHANNELS):

            async def shown(name: str = name, place: int = place) -> bool:
                return (f"1Z999AA1000000000{place}", "UPS", 1) in _parcels(world, name, sold[name])

            await until(shown, what=f"the parcel at {name}")
            await _known(world, name, 1)
        await world.position("MUG", 36, 8)
        for name in CHANNELS:
            world.sandboxes[name].faults.calm()
            world.sandboxes[name].faults_on_writes_only = False
        # The rest, in two parcels of one shipment, one with a carrier that no channel knows.
        for place, name in enumerate(CHANNELS):
            packages = [
                {"tracking_number": f"94001118992230000000{place}1", "carrier": "usps",
                 "lines": [{"sku": "MUG", "quantity": 1}]},
                {"tracking_number": f"CB{place}", "carrier": "City Bikes", "tracking_url": f"https://bikes.example/{place}",
                 "lines": [{"sku": "MUG", "quantity": 1}]},
            ]  # fmt: skip
            body = {"account": name, "order": sold[name], "ship_from": "main", "number": "second", "packages": packages}
            await world.hub.acts.ship(body, key=f"second-{name}", actor="test")
        for place, name in enumerate(CHANNELS):

            async def told(name: str = name, place: int = place) -> bool:
                numbers = {number for number, _, _ in _parcels(world, name, sold[name])}
                return {f"94001118992230000000{place}1", f"CB{place}"} <= numbers

            await until(told, what=f"the other two parcels at {name}")
            await _known(world, name, 3)
        await world.position("MUG", 28, 0)
        for name in CHANNELS:
            assert sum(_parcels(world, name, sold[name]).values()) == 3, name
            assert sum(units for _, _, units in _parcels(world, name, sold[name])) == 3, name
        struck = {name: world.sandboxes[name].faults.counts["timeout_after_apply"] for name in CHANNELS}
        assert all(struck.values()), struck

        async def noted() -> bool:
            effects, _ = await world.hub.queries.effects(limit=100)
            confirms = [row for row in effects if row.kind == "confirm_shipment"]
            return (len(confirms), {row.state.value for row in confirms}) == (12, {"done"})

        await until(noted, what="every confirmation done")


async def test_corrections_and_cancellations_go_as_far_as_each_channel_can(tmp_path: Path) -> None:
    """What a channel has a call for it shows; for the rest a person is told, by order and number."""
    async with shops(tmp_path, 40) as world:
        sold = {name: await world.sandboxes[name].sell([("MUG", 2)]) for name in CHANNELS}
        await world.position("MUG", 40, 8)
        for name in CHANNELS:
            await _ship(world, name, sold[name], "1Z999AA10000000001", 2, number="first")
        for name in CHANNELS:
            await until(lambda name=name: _shows(world, name, sold[name], "1Z999AA10000000001"), what=name)
            await _known(world, name, 1)
        for name in CHANNELS:
            # Only the number is stated again; what is in the package is known.
            await _ship(world, name, sold[name], "1Z999AA10000000002", 0, number="first")
        for name in CORRECTS:
            await until(lambda name=name: _shows(world, name, sold[name], "1Z999AA10000000002"), what=name)
        await world.position("MUG", 32, 0)
        for name in CHANNELS:
            await world.hub.acts.ship(
                {"account": name, "order": sold[name], "number": "first", "state": "cancelled"},
                key=f"cancel-{name}",
                actor="test",
            )
        for name in TAKES_BACK:
            await until(lambda name=name: _shows(world, name, sold[name]), what=name)
        rows, _ = await world.hub.queries.failures(error="NotExpressible")
        told = {(row.account, row.code) for row in rows}
        assert told == {
            ("ebay", "correct_shipment"), ("walmart", "correct_shipment"),
            ("ebay", "cancel_shipment"), ("walmart", "cancel_shipment"), ("amazon", "cancel_shipment"),
        }  # fmt: skip
        for name in CHANNELS:
            assert sum(units for _, _, units in _parcels(world, name, sold[name])) == (0 if name in TAKES_BACK else 2)


async def _shows(world: Shops, name: str, order: str, *numbers: str) -> bool:
    return {number for number, _, _ in _parcels(world, name, order)} == set(numbers)


async def test_what_a_channel_refuses_is_parked_for_that_package_only(tmp_path: Path) -> None:
    """A number eBay does not take: that package waits with its reason, the order's next one is told."""
    async with shops(tmp_path, 40) as world:
        order = await world.sandboxes["ebay"].sell([("MUG", 2)])
        await world.position("MUG", 40, 2)
        await _ship(world, "ebay", order, "ODD/NUMBER?", 1)
        await _ship(world, "ebay", order, "1Z999AA10000000001", 1)
        await until(lambda: _shows(world, "ebay", order, "1Z999AA10000000001"))

        async def parked() -> bool:
            rows, _ = await world.hub.queries.failures(kind="effect")
            return [row.code for row in rows] == ["bad_tracking_number"]

        await until(parked)
        await world.position("MUG", 38, 0)
