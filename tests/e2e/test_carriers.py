"""Carriers and a running hub: what happens to a parcel is pushed through the doors or asked for, and is known here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from connectors import registry
from connectors.sdk.faults import Faults
from hub.bootstrap import Hub
from hub.ports.parcels import ParcelRow
from hub.workers.duties import Intervals
from tests.support.ports import free_port
from tests.support.running_hub import running_hub, until

CARRIERS = ("dhl", "fedex", "ups", "usps")
STRIDE_S = 0.4
"""A parcel's whole journey takes some seconds."""


@dataclass(frozen=True)
class World:
    """The hub and a sandbox per carrier; the accounts have the carriers' names."""

    hub: Hub
    sandboxes: Mapping[str, Any]
    shop: Any

    async def sold(self, units: int) -> str:
        """Count so many, let the shop show and sell them; the order's id once the hub has it."""
        await self.hub.acts.report([{"sku": "MUG", "location": "main", "on_hand": units}], key="count", actor="test")

        async def shown() -> bool:
            return bool(self.shop.shown("MUG") == units)

        await until(shown, what="the shop shows the count")
        order = await self.shop.sell([("MUG", units)])

        async def known() -> str | None:
            rows, _ = await self.hub.queries.orders(limit=10)
            return next((row.source_id for row in rows if row.source_id == order), None)

        found: str = await until(known, what="the order is known")
        return found

    async def parcel(self, number: str) -> ParcelRow | None:
        rows, _ = await self.hub.queries.parcels(number=number, limit=10)
        assert len(rows) <= 1, "one number under way is one parcel"
        return rows[0] if rows else None

    async def reaches(self, number: str, milestone: str) -> ParcelRow:
        async def there() -> ParcelRow | None:
            row = await self.parcel(number)
            return row if row is not None and row.milestone == milestone else None

        found: ParcelRow = await until(there, what=f"{number} is {milestone}")
        return found


@asynccontextmanager
async def carriers(folder: Path, faults: Mapping[str, float] | None = None) -> AsyncIterator[World]:
    """Everything started; the carriers that push have the hub's address."""
    async with AsyncExitStack() as stack:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        sandboxes: dict[str, Any] = {}
        for name in CARRIERS:
            build = registry.get(name).sandbox
            assert build is not None
            sandbox = await stack.enter_async_context(build(seed=3, faults=Faults(faults, seed=3)))
            sandbox.stride_s, sandbox.pace = STRIDE_S, 1_000.0
            sandbox.deliver_to(f"{address}/webhooks/{name}")
            sandboxes[name] = sandbox
        shop = await stack.enter_async_context(registry.get("shopify").sandbox(seed=3))  # type: ignore[misc]
        shop.stock("MUG", 0)
        sections = {name: sandbox.account_section() for name, sandbox in sandboxes.items()}
        sections["shop"] = shop.account_section() | {"poll": {"orders": "1s"}}
        hub = await stack.enter_async_context(
            running_hub(
                folder,
                sections,
                ["MUG"],
                {"listen": f"127.0.0.1:{port}", "public_url": address},
                Intervals(track_s=1.0, watch_s=1.0),
            )
        )
        yield World(hub, sandboxes, shop)
        assert {name: sandbox.defects for name, sandbox in sandboxes.items() if sandbox.defects} == {}


async def test_what_fedex_pushes_is_known_and_a_parcel_of_nobody_waits(tmp_path: Path) -> None:
    """From label to delivery through the door, signed; no shipment names the parcel, so it is kept as an orphan."""
    async with carriers(tmp_path) as world:
        number = world.sandboxes["fedex"].number(1)
        world.sandboxes["fedex"].ship_parcel(number)
        row = await world.reaches(number, "delivered")
        assert row.orphan
        assert row.carrier == "fedex"
        events = await world.hub.queries.parcel_events(row.id)
        assert len({event.key for event in events}) == len(events) >= 6


async def test_ups_logs_in_at_the_hub_and_is_believed(tmp_path: Path) -> None:
    """A watched parcel's alerts, twice and out of order, with the token UPS fetched at the webhook's own address."""
    faults = {"duplicate_webhook": 0.5, "reordered_webhook": 0.5}
    async with carriers(tmp_path, faults) as world:
        ups = world.sandboxes["ups"]
        number = ups.number(1)
        ups.ship_parcel(number).watched_until = ups.clock.now() + timedelta(days=14)
        row = await world.reaches(number, "delivered")
        assert row.carrier == "ups"
        await ups.settle()
        assert ups.happenings("webhook.given_up") == []
        assert ups.happenings("webhook.refused") == []


async def test_what_we_ship_is_watched_and_asked_about(tmp_path: Path) -> None:
    """One parcel per carrier: UPS is asked to tell and does, FedEx tells, USPS and DHL are asked; none is an orphan."""
    async with carriers(tmp_path) as world:
        order = await world.sold(len(CARRIERS))
        numbers = {name: sandbox.number(1) for name, sandbox in world.sandboxes.items()}
        words = {"dhl": "DHL Express", "fedex": "FedEx", "ups": "UPS", "usps": "USPS"}
        lines = [{"sku": "MUG", "quantity": 1}]
        packages = [{"tracking_number": numbers[name], "carrier": words[name], "lines": lines} for name in CARRIERS]
        body = {"account": "shop", "order": order, "number": "P-1", "ship_from": "main", "packages": packages}
        await world.hub.acts.ship(body, key="ship", actor="test")
        for name, number in numbers.items():
            world.sandboxes[name].stride_s = 3.0
            world.sandboxes[name].ship_parcel(number)
        for name in ("fedex", "ups"):
            row = await world.reaches(numbers[name], "delivered")
            assert not row.orphan
        assert world.sandboxes["ups"].parcels[numbers["ups"]].watched_until is not None
        for name in ("usps", "dhl"):

            async def told(number: str = numbers[name]) -> ParcelRow | None:
                row = await world.parcel(number)
                return row if row is not None and row.polled_at is not None and row.heard_at is not None else None

            row = await until(told, what=f"{name} is asked")
            assert not row.orphan


async def test_a_stranger_is_turned_away_from_the_same_doors(tmp_path: Path) -> None:
    """No signature, no token, no pair: 401 each, and nothing is stored."""
    async with carriers(tmp_path) as world, aiohttp.ClientSession() as http:
        body = b'{"trackingNumber": "1Z5R89390300000013", "activityStatus": {"type": "D"}}'
        tries: list[tuple[str, dict[str, Any]]] = [
            ("ups", {"data": body, "headers": {"Content-Type": "application/json"}}),
            ("ups", {"data": body, "headers": {"Authorization": "Bearer 9999999999.x.y", "x-api-key": "z"}}),
            ("ups", {"data": {"grant_type": "client_credentials", "client_id": "z", "client_secret": "y"}}),
            ("fedex", {"data": body, "headers": {"fdx-signature": "bm8="}}),
        ]
        for account, sent in tries:
            async with http.post(f"{world.hub.url}/webhooks/{account}", **sent) as answer:
                assert answer.status == 401, (account, sent)
        for account in ("usps", "dhl"):
            async with http.post(f"{world.hub.url}/webhooks/{account}", data=body) as answer:
                assert answer.status == 404
        assert await world.parcel("1Z5R89390300000013") is None
