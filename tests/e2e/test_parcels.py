"""Parcels of real shipments move in the carriers' sandboxes, and the hub shows where they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from connectors import registry
from connectors.sdk.carrier_sandbox import CarrierSandbox
from connectors.sdk.faults import Faults
from hub.api.spec import BASE
from hub.bootstrap import Hub
from hub.workers.duties import Intervals
from tests.api.conftest import token
from tests.support import folders
from tests.support.running_hub import deliver, running_hub, until

CARRIERS = ("ups", "fedex", "usps")
ANYWHERE = "http://127.0.0.1:9"


@dataclass
class Roads:
    """A hub with a shop and three carriers."""

    hub: Hub
    http: aiohttp.ClientSession
    carriers: dict[str, CarrierSandbox]
    bearer: str

    async def get(self, path: str, **params: str) -> Any:
        async with self.http.get(self.hub.url + BASE + path, params=params, headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def order(self, number: int) -> str:
        """A shop's order of one mug; our id of it."""
        assert await deliver(self.http, self.hub.url, number, [("MUG", 1)]) == 200

        async def stored() -> str | None:
            found = await self.get("/orders", number=f"#{number}")
            return found["items"][0]["id"] if found["items"] else None

        return str(await until(stored))

    async def ship(self, order: str, carrier: str, number: str) -> str:
        packages = [{"tracking_number": number, "carrier": carrier}]
        body = {"order": order, "number": f"W-{number}", "packages": packages}
        async with self.http.post(self.hub.url + BASE + "/shipments", json=body, headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["id"])

    async def arrives(self, number: str, milestone: str = "delivered") -> Any:
        async def there() -> Any:
            found = (await self.get("/tracking", number=number))["items"]
            return found[0] if found and found[0]["milestone"] == milestone else None

        return await until(there, what=f"{number} {milestone}")

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"}


@asynccontextmanager
async def roads(folder: Path, faults: str = "none") -> AsyncIterator[Roads]:
    async with AsyncExitStack() as stack:
        carriers: dict[str, CarrierSandbox] = {}
        accounts: dict[str, Any] = {"shop-us": folders.shopify(mode="shadow")}
        for place, name in enumerate(CARRIERS):
            kind = registry.get(name)
            assert kind.sandbox is not None
            sandbox: CarrierSandbox = kind.sandbox(seed=place, faults=Faults.parse(faults))
            sandbox.stride_s = 0.5
            await sandbox.start()
            stack.push_async_callback(sandbox.stop)
            carriers[name] = sandbox
            accounts[f"{name}-demo"] = sandbox.account_section()
        intervals = Intervals(track_s=0.5, watch_s=0.5)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        hub = await stack.enter_async_context(
            running_hub(folder, accounts, hub={"public_url": ANYWHERE}, intervals=intervals)
        )
        for name in ("ups", "fedex"):
            carriers[name].deliver_to(f"{hub.url}/webhooks/{name}-demo")
        yield Roads(hub, http, carriers, await token(hub, "admin"))


async def test_pushed_parcels_arrive_and_their_shipments_with_them(tmp_path: Path) -> None:
    """UPS is asked to tell and FedEx tells by itself: shipment, order and timeline show the delivery."""
    async with roads(tmp_path) as world:
        for place, carrier in enumerate(("ups", "fedex")):
            number = world.carriers[carrier].number(place + 1)
            order = await world.order(100 + place)
            shipment = await world.ship(order, carrier, number)
            known = await world.arrives(number, None)  # type: ignore[arg-type]
            assert (known["orphan"], known["carrier"]) == (False, carrier)
            world.carriers[carrier].ship_parcel(number)
            await world.arrives(number)
            (shown,) = [one for one in (await world.get("/shipments"))["items"] if one["id"] == shipment]
            assert (shown["state"], shown["attributes"]["tracking"]["delivered"]) == ("delivered", 1)
            assert shown["delivered_at"]
            (parcel,) = (await world.get(f"/orders/{order}"))["parcels"]
            assert (parcel["tracking_number"], parcel["milestone"]) == (number, "delivered")
            kinds = [entry["kind"] for entry in (await world.get(f"/orders/{order}/timeline"))["items"]]
            assert kinds.count("scan") >= 4


async def test_scans_of_a_parcel_nobody_shipped_wait_for_its_shipment(tmp_path: Path) -> None:
    """A push of an unknown parcel is taken and kept; the shipment that comes later finds it where it is."""
    async with roads(tmp_path) as world:
        fedex = world.carriers["fedex"]
        number = fedex.number(5)
        fedex.ship_parcel(number)
        orphan = await world.arrives(number)
        assert orphan["orphan"] is True
        await world.ship(await world.order(200), "fedex", number)

        async def matched() -> bool:
            parcel = await world.get(f"/tracking/{number}")
            return (parcel["id"], parcel["orphan"]) == (orphan["id"], False) and len(parcel["events"]) >= 4

        await until(matched)


async def test_a_carrier_that_only_answers_is_asked_within_its_quota(tmp_path: Path) -> None:
    """USPS is asked about the parcel as soon as it is known; what it may still be asked is shown."""
    async with roads(tmp_path) as world:
        usps = world.carriers["usps"]
        # It is still under way when it is looked at, however long that takes.
        usps.stride_s = 600.0
        number = usps.number(3)
        usps.ship_parcel(number)
        await world.ship(await world.order(300), "usps", number)

        async def asked() -> bool:
            return bool((await world.get(f"/tracking/{number}"))["milestone"])

        await until(asked)
        status = await world.get("/status")
        (account,) = [one for one in status["accounts"] if one["account"] == "usps-demo"]
        assert account["parcels"]["open"] == 1
        assert account["parcels"]["calls_left"] < account["parcels"]["affordable_calls_per_day"] / 24
        async with world.http.get(world.hub.url + "/metrics") as answer:
            assert 'trunkline_tracking_calls_left{account="usps-demo"' in await answer.text()
        async with world.http.get(world.hub.url + "/") as page:
            assert "Parcels: 1 open" in await page.text()


async def test_bad_manners_change_nothing(tmp_path: Path) -> None:
    """Late, doubled and reordered pushes, refusals and cut connections: the parcel arrives once."""
    rates = "duplicate_webhook=0.4,reordered_webhook=0.4,late_read=0.4,drop_connection=0.1,server_error=0.1"
    async with roads(tmp_path, rates) as world:
        ups = world.carriers["ups"]
        number = ups.number(9)
        await world.ship(await world.order(400), "ups", number)
        ups.ship_parcel(number)
        parcel = await world.arrives(number)
        (found,) = (await world.get("/tracking", number=number))["items"]
        assert (found["id"], found["corrected"], found["warning"]) == (parcel["id"], False, None)
