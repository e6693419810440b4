"""A service that asks many carriers, beside a running hub: what is shipped is watched there until it is delivered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connectors import registry
from connectors.sdk.faults import Faults
from hub.ports.parcels import ParcelRow
from hub.workers.duties import Intervals
from tests.support.ports import free_port
from tests.support.running_hub import running_hub, until

SERVICES = [("shipengine", "UPS"), ("shippo", "USPS")]
FAULTS = {"duplicate_webhook": 0.3, "reordered_webhook": 0.3}


@pytest.mark.parametrize(("name", "carrier"), SERVICES)
async def test_what_we_ship_is_watched_there_and_pushed_to_its_end(name: str, carrier: str, tmp_path: Path) -> None:
    """The hub registers the number; pushes, doubled and out of order, bring the parcel home to its shipment."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    build: Any = registry.get(name).sandbox
    shopify: Any = registry.get("shopify").sandbox
    async with build(seed=3, faults=Faults(FAULTS, seed=3)) as service, shopify(seed=3) as shop:
        service.stride_s, service.pace = 1.5, 1_000.0
        if name == "shippo":
            # Entered in its portal; ShipEngine's the hub makes itself.
            service.deliver_to(f"{address}/webhooks/{name}")
        shop.stock("MUG", 0)
        accounts = {name: service.account_section(), "shop": shop.account_section() | {"poll": {"orders": "1s"}}}
        settings = {"listen": f"127.0.0.1:{port}", "public_url": address}
        every = Intervals(track_s=1.0, watch_s=0.5)
        async with running_hub(tmp_path, accounts, ["MUG"], settings, every) as hub:
            order = await sold(hub, shop)
            number = service.number(1)
            package = {"tracking_number": number, "carrier": carrier, "lines": [{"sku": "MUG", "quantity": 1}]}
            body = {"account": "shop", "order": order, "number": "P-1", "ship_from": "main", "packages": [package]}
            await hub.acts.ship(body, key="ship", actor="test")
            service.ship_parcel(number)
            row = await reaches(hub, number, "delivered")
            assert not row.orphan
            await service.settle()
            assert service.happenings("webhook.taken"), "polled only"
            assert service.happenings("webhook.refused") == []
            await turned_away(address, name)
        assert service.defects == []


async def sold(hub: Any, shop: Any) -> str:
    """One counted, shown and sold; the order's id once the hub has it."""
    await hub.acts.report([{"sku": "MUG", "location": "main", "on_hand": 1}], key="count", actor="test")

    async def shown() -> bool:
        return bool(shop.shown("MUG") == 1)

    await until(shown, what="the shop shows the count")
    order = await shop.sell([("MUG", 1)])

    async def known() -> bool:
        rows, _ = await hub.queries.orders(limit=10)
        return any(row.source_id == order for row in rows)

    await until(known, what="the order is known")
    return str(order)


async def reaches(hub: Any, number: str, milestone: str) -> ParcelRow:
    async def there() -> ParcelRow | None:
        rows, _ = await hub.queries.parcels(number=number, limit=10)
        return next((row for row in rows if row.milestone == milestone), None)

    found: ParcelRow = await until(there, what=f"{number} is {milestone}")
    return found


async def turned_away(address: str, account: str) -> None:
    """A stranger at the same door."""
    door = f"{address}/webhooks/{account}?token=guess"
    async with asyncio.timeout(10), aiohttp.ClientSession() as http, http.post(door, data=b"{}") as answer:
        assert answer.status == 401
