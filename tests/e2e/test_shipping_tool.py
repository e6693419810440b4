"""A label bought in ShipStation tells the shop that sold, and EasyPost tells the hub where the parcel is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.sdk.faults import Faults
from hub.bootstrap import Hub
from hub.workers.duties import Intervals
from tests.support.ports import free_port
from tests.support.running_hub import running_hub, until

STRIDE_S = 0.4


@dataclass(frozen=True)
class World:
    """The hub with a shop, a shipping tool and a service that asks carriers."""

    hub: Hub
    shop: Any
    tool: Any
    easypost: Any

    async def sold(self, units: int) -> tuple[str, str]:
        """An order of so many mugs: the shop's id, and the number people know it by."""
        await self.hub.acts.report([{"sku": "MUG", "location": "main", "on_hand": units}], key="count", actor="test")

        async def shown() -> bool:
            return bool(self.shop.shown("MUG") == units)

        await until(shown, what="the shop shows the count")
        order = await self.shop.sell([("MUG", units)])

        async def known() -> str | None:
            rows, _ = await self.hub.queries.orders(limit=10)
            return next((row.number for row in rows if row.source_id == order), None)

        return str(order), str(await until(known, what="the order is known"))

    def told(self, order: str) -> list[str]:
        """The tracking numbers the shop shows of an order."""
        shown = next(one for one in self.shop.orders() if str(one["id"]) == order)["parcels"]
        return [number for one in shown for number in one["numbers"]]

    async def hears(self, order: str, numbers: set[str]) -> None:
        async def heard() -> bool:
            return set(self.told(order)) >= numbers

        await until(heard, what=f"the shop hears of {numbers}")


@asynccontextmanager
async def world(
    folder: Path, polled: Mapping[str, str], rates: Mapping[str, float] | None = None
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        made: dict[str, Any] = {}
        for name in ("shopify", "shipstation", "easypost"):
            build = registry.get(name).sandbox
            assert build is not None
            faults = Faults(rates, seed=3) if name == "shipstation" else Faults(seed=3)
            made[name] = await stack.enter_async_context(build(seed=3, faults=faults))
        shop, tool, easypost = made["shopify"], made["shipstation"], made["easypost"]
        shop.stock("MUG", 0)
        tool.stock("MUG", 100)
        easypost.stride_s = STRIDE_S
        easypost.deliver_to(f"{address}/webhooks/parcels")
        sections = {
            "shop": shop.account_section() | {"poll": {"orders": "1s"}},
            "shipping": tool.account_section() | {"poll": dict(polled)},
            "parcels": easypost.account_section(),
        }
        hub = await stack.enter_async_context(
            running_hub(
                folder,
                sections,
                ["MUG"],
                {"listen": f"127.0.0.1:{port}", "public_url": address},
                Intervals(track_s=1.0, watch_s=1.0),
            )
        )

        async def subscribed() -> bool:
            return bool(tool.subscriptions("SHIP_NOTIFY"))

        await until(subscribed, what="ShipStation has the hub's address")
        yield World(hub, shop, tool, easypost)
        assert {name: sandbox.defects for name, sandbox in made.items() if sandbox.defects} == {}


async def test_a_label_tells_the_shop_and_its_parcel_is_followed(tmp_path: Path) -> None:
    """By webhook alone: two labels of one order, each told once; the parcel is watched and delivered."""
    async with world(tmp_path, {}) as there:
        order, number = await there.sold(3)
        there.tool.take_in(number, [("MUG", 3)])
        first = there.tool.ship_part(number, [("MUG", 1)])
        second = there.tool.ship_part(number, [("MUG", 2)])
        await there.hears(order, {first.tracking_number, second.tracking_number})
        assert sorted(there.told(order)) == sorted([first.tracking_number, second.tracking_number])
        there.easypost.ship_parcel(first.tracking_number)

        async def delivered() -> bool:
            rows, _ = await there.hub.queries.parcels(number=first.tracking_number, limit=10)
            return [(row.milestone, row.orphan, row.carrier) for row in rows] == [("delivered", False, "ups")]

        await until(delivered, what="the parcel is delivered")


async def test_what_a_lost_push_has_not_told_is_polled(tmp_path: Path) -> None:
    """Every push lost: labels and marks are found by polling, each told once."""
    quick = {"shipments": "1s", "fulfillments": "1s", "voided": "1s"}
    async with world(tmp_path, quick, {"lost_webhook": 1.0}) as there:
        order, number = await there.sold(2)
        there.tool.take_in(number, [("MUG", 2)])
        label = there.tool.ship_part(number, [("MUG", 1)])
        await there.hears(order, {label.tracking_number})
        mark = there.tool.mark_shipped(number)
        await there.hears(order, {label.tracking_number, mark.tracking_number})
        assert sorted(there.told(order)) == sorted([label.tracking_number, mark.tracking_number])
