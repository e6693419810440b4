"""The ShipEngine connector keeps every promise of the connector contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from connectors.sdk.sandbox import Sandbox
from connectors.sdk.tracking import TrackedNumber
from connectors.shipengine import CONNECTOR
from tests.support.openapi import eye_of, watch
from tests.support.published import SHIPENGINE, SHIPENGINE_UNLISTED

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "shipengine" / "fixtures"
PUSH = (FIXTURES / "api_track.json").read_bytes()
LATER = PUSH.replace(b"Out for delivery", b"Out for delivery today")


class TestShipengineContract(ContractSuite):
    connector = CONNECTOR
    tracked_carrier = "ups"
    webhooks = (
        WebhookSample("API_TRACK", PUSH, newer=LATER),
        WebhookSample("API_BATCH", b'{"resource_type": "API_BATCH", "resource_url": "https://api.shipengine.com/v1"}'),
    )
    reads = (Sample("API_TRACK", PUSH),)

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one ShipEngine's document allows."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), SHIPENGINE, SHIPENGINE_UNLISTED)

    async def trade(self, rig: Rig, *, skus: int = 5, orders: int = 3) -> list[str]:
        """Parcels instead of sales: as many are watched, and move."""
        sandbox: Any = rig.sandbox
        numbers = [sandbox.number(index) for index in range(orders)]
        for number in numbers:
            sandbox.ship_parcel(number)
            await rig.connector.watch([TrackedNumber(number, "ups")])
        rig.clock.advance(skus)
        sandbox.move()
        return numbers
