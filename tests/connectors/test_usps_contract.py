"""The USPS connector keeps every promise of the connector contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample
from connectors.sdk.sandbox import Sandbox
from connectors.usps import CONNECTOR
from tests.support.openapi import eye_of, watch
from tests.support.published import USPS, USPS_UNLISTED

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "usps" / "fixtures"


class TestUspsContract(ContractSuite):
    connector = CONNECTOR
    reads = tuple(
        Sample("tracking", (FIXTURES / f"{name}.json").read_bytes()) for name in ("track", "alert", "not_yet")
    )

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one the Postal Service's document allows."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), USPS, USPS_UNLISTED)
